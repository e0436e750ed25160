package delta_test

import (
	"errors"
	"strings"
	"testing"

	"headgate/internal/delta"
)

func TestRestorePutsAnEarlierPublicationBack(t *testing.T) {
	b, table := open(t)
	both, old, young := put(t, b, "2024-01", "both"), put(t, b, "2024-01", "old"), put(t, b, "2024-01", "young")
	publish(t, table, commit("2024-01", 0, "1", both, old))
	publish(t, table, commit("2024-02", 0, "other", put(t, b, "2024-02", "x")))
	publish(t, table, commit("2024-01", 1, "2", both, young))

	got, err := table.Restore(t.Context(), restore("2024-01", 2, 1, "back"))
	if want := (delta.Published{Version: 3, Publication: 3}); err != nil || got != want {
		t.Fatalf("got %+v, %v; want %+v", got, err, want)
	}
	wantFiles(t, table, "2024-01", "both old")
	wantFiles(t, table, "2024-02", "x")
	current, _ := snapshot(t, table).Current("2024-01")
	if current.RestoredFrom != 1 || current.Supersedes != 2 || current.Info["reason"] != "a mistake" {
		t.Errorf("got %+v", current)
	}
	again, err := table.Restore(t.Context(), restore("2024-01", 2, 1, "back"))
	if want := (delta.Published{Version: 3, Publication: 3, Already: true}); err != nil || again != want {
		t.Errorf("again: got %+v, %v; want %+v", again, err, want)
	}
	if _, err := table.Restore(t.Context(), restore("2024-01", 3, 2, "forward")); err != nil {
		t.Fatal(err)
	}
	wantFiles(t, table, "2024-01", "both young")
}

func TestRestoreRefuses(t *testing.T) {
	b, table := open(t)
	publish(t, table, commit("2024-01", 0, "1", put(t, b, "2024-01", "a")))
	publish(t, table, commit("2024-01", 1, "2", put(t, b, "2024-01", "b")))
	short := put(t, b, "2024-01", "short")
	short.Rows = 9
	tests := []struct {
		name string
		c    delta.RestoreCommit
		want string
		is   error
	}{
		{name: "a zombie", c: restore("2024-01", 1, 1, "3"), is: delta.ErrConflict},
		{name: "publication 0", c: restore("2024-01", 2, 0, "3"), want: "has no publication 0"},
		{name: "a publication that is still to come", c: restore("2024-01", 2, 3, "3"), want: "has no publication 3"},
		{name: "a batch that was never published", c: restore("2024-02", 1, 1, "3"), is: delta.ErrConflict},
		{name: "files with fewer rows", c: restore("2024-01", 2, 1, "3", short), want: "has 10 rows, the files that stand in for it 9"},
		{name: "no operation", c: restore("2024-01", 2, 1, ""), want: "without an operation"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := table.Restore(t.Context(), tt.c)
			if err == nil || tt.is != nil && !errors.Is(err, tt.is) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want an error with %q", err, tt.want)
			}
		})
	}
	wantFiles(t, table, "2024-01", "b")
}

func TestVacuumedFilesAreNamedAndMayBeReplaced(t *testing.T) {
	b, table := open(t)
	old := put(t, b, "2024-01", "old")
	publish(t, table, commit("2024-01", 0, "1", old))
	publish(t, table, commit("2024-01", 1, "2", put(t, b, "2024-01", "young")))
	if err := b.Delete(t.Context(), table.Key(old.Path)); err != nil {
		t.Fatal(err)
	}

	_, err := table.Restore(t.Context(), restore("2024-01", 2, 1, "3"))
	var missing *delta.MissingError
	if !errors.As(err, &missing) || len(missing.Problems) != 1 || missing.Problems[0].File.Path != old.Path {
		t.Fatalf("got %v, want that %s is missing", err, old.Path)
	}
	wantFiles(t, table, "2024-01", "young")

	if _, err := table.Restore(t.Context(), restore("2024-01", 2, 1, "3", put(t, b, "2024-01", "copy"))); err != nil {
		t.Fatal(err)
	}
	wantFiles(t, table, "2024-01", "copy")

	put(t, b, "2024-01", "old") // copied back to its place
	if _, err := table.Restore(t.Context(), restore("2024-01", 3, 1, "4")); err != nil {
		t.Fatal(err)
	}
	wantFiles(t, table, "2024-01", "old")
}
