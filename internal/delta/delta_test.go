package delta_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"headgate/internal/delta"
	"headgate/internal/store"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// at is when the tests' first commit takes place.
var at = time.Date(2024, 2, 1, 6, 0, 0, 0, time.UTC)

var fields = []delta.Field{
	{Name: "customer", Type: "long"},
	{Name: "score", Type: "double"},
	{Name: "segment", Type: "string", Nullable: true},
}

// open returns an empty store and its table.
func open(t *testing.T) (*store.Bucket, *delta.Table) {
	t.Helper()
	b, err := store.Open(t.Context(), "mem://")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b, delta.Open(b, "scores/shop")
}

// put stores a data file of a batch and returns it. Its content is its name, and
// its name stands for its digest.
func put(t *testing.T, b *store.Bucket, batch, name string) delta.File {
	t.Helper()
	f := delta.File{Path: delta.FilePath(batch, name+".parquet"), Size: int64(len(name)), Rows: 10, ModTime: 1706767200000}
	if err := b.Put(t.Context(), "scores/shop/"+f.Path, []byte(name)); err != nil {
		t.Fatal(err)
	}
	return f
}

// commit returns a publication of the batch; operation and files are told apart
// by name.
func commit(batch string, expect int64, operation string, files ...delta.File) delta.Commit {
	return delta.Commit{Pipeline: "shop", Batch: batch, Expect: expect, Operation: operation, Fields: fields, Files: files,
		Info: map[string]string{"run": "sha256:" + operation}, At: at.Add(time.Duration(expect) * time.Hour)}
}

func restore(batch string, expect, to int64, operation string, files ...delta.File) delta.RestoreCommit {
	return delta.RestoreCommit{Pipeline: "shop", Batch: batch, Expect: expect, To: to, Operation: operation, Files: files,
		Info: map[string]string{"reason": "a mistake"}, At: at.Add(time.Duration(expect) * time.Hour)}
}

// publish publishes and fails the test unless it becomes the given publication.
func publish(t *testing.T, table *delta.Table, c delta.Commit) delta.Published {
	t.Helper()
	got, err := table.Publish(t.Context(), c)
	if err != nil || got.Publication != c.Expect+1 || got.Already {
		t.Fatalf("publish %s as %d: got %+v, %v", c.Batch, c.Expect+1, got, err)
	}
	return got
}

func snapshot(t *testing.T, table *delta.Table) *delta.Snapshot {
	t.Helper()
	s, err := table.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// names returns the files' names, without directory and extension.
func names(files []delta.File) string {
	var all []string
	for _, f := range files {
		all = append(all, strings.TrimSuffix(filepath.Base(f.Path), ".parquet"))
	}
	return strings.Join(all, " ")
}

func wantFiles(t *testing.T, table *delta.Table, batch, want string) {
	t.Helper()
	s := snapshot(t, table)
	if got := names(s.Files(batch)); got != want {
		t.Errorf("batch %s consists of %q, want %q", batch, got, want)
	}
	if err := s.Intact(batch); err != nil {
		t.Error(err)
	}
}

func TestTheLogIsTheGoldenOne(t *testing.T) {
	b, table := open(t)
	wider := append(slices.Clone(fields), delta.Field{Name: "due", Type: "timestamp_ntz"})
	a1, a2 := put(t, b, "2024-01", "aaa1"), put(t, b, "2024-01", "aaa2")
	a2.Stats = []byte(`{"numRecords":10,"minValues":{"segment":"<A&B>"},"maxValues":{"segment":"Ö"},"nullCount":{"segment":2}}`)
	publish(t, table, commit("2024-01", 0, "first", a2, a1))
	publish(t, table, commit("it's 5:00/a", 0, "odd name", put(t, b, "it's 5:00/a", "ccc")))
	again := commit("2024-01", 1, "second", a1, put(t, b, "2024-01", "bbb"))
	again.Fields = wider
	publish(t, table, again)
	if _, err := table.Restore(t.Context(), restore("2024-01", 2, 1, "back")); err != nil {
		t.Fatal(err)
	}
	for version := range 4 {
		name := fmt.Sprintf("%020d.json", version)
		got, err := b.Get(t.Context(), "scores/shop/_delta_log/"+name)
		if err != nil {
			t.Fatal(err)
		}
		golden(t, filepath.Join("testdata", "log", name), got)
	}
}

func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("%s differs\ngot:\n%s\nwant:\n%s", path, got, want)
	}
}

func TestPublishABAIsThreePublications(t *testing.T) {
	b, table := open(t)
	fileA, fileB := put(t, b, "2024-01", "a"), put(t, b, "2024-01", "b")
	publish(t, table, commit("2024-01", 0, "1", fileA))
	publish(t, table, commit("2024-01", 1, "2", fileB))
	publish(t, table, commit("2024-01", 2, "3", fileA))
	wantFiles(t, table, "2024-01", "a")
	history, err := table.History(t.Context(), "2024-01")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range history {
		got = append(got, fmt.Sprintf("%d@%d %s %s %d>%d %d %s %s", p.Number, p.Version, p.Operation, names(p.Files),
			p.Supersedes, p.Number, p.Rows(), p.Info["run"], p.At.Format("15:04")))
	}
	want := []string{"1@0 1 a 0>1 10 sha256:1 06:00", "2@1 2 b 1>2 10 sha256:2 07:00", "3@2 3 a 2>3 10 sha256:3 08:00"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestAnAttemptThatRepeatsItselfFindsItsOwnCommit(t *testing.T) {
	b, table := open(t)
	c := commit("2024-01", 0, "1", put(t, b, "2024-01", "a"))
	first := publish(t, table, c)
	publish(t, table, commit("2024-02", 0, "2", put(t, b, "2024-02", "x")))
	for range 2 {
		got, err := table.Publish(t.Context(), c)
		if want := (delta.Published{Version: first.Version, Publication: 1, Already: true}); err != nil || got != want {
			t.Errorf("got %+v, %v; want %+v", got, err, want)
		}
	}
	if v := snapshot(t, table).Version(); v != 1 {
		t.Errorf("the table is at version %d, want 1", v)
	}
}

func TestPublishRefuses(t *testing.T) {
	b, table := open(t)
	fileA, fileB := put(t, b, "2024-01", "a"), put(t, b, "2024-01", "b")
	publish(t, table, commit("2024-01", 0, "1", fileA))
	publish(t, table, commit("2024-01", 1, "2", fileB))
	tests := []struct {
		name string
		edit func(c *delta.Commit)
		want string // in the error
		is   error
	}{
		{name: "a zombie of an earlier publication", edit: func(c *delta.Commit) { c.Expect, c.Operation = 0, "1" }, is: delta.ErrConflict},
		{name: "another operation that expects what was", edit: func(c *delta.Commit) { c.Expect = 1 }, is: delta.ErrConflict},
		{name: "a publication that is still to come", edit: func(c *delta.Commit) { c.Expect = 3 }, is: delta.ErrConflict},
		{name: "an operation that was used before", edit: func(c *delta.Commit) { c.Operation = "1" }, want: "has already made publication 1"},
		{name: "an operation without a name", edit: func(c *delta.Commit) { c.Operation = "" }, want: "without an operation"},
		{name: "no time", edit: func(c *delta.Commit) { c.At = time.Time{} }, want: "without a time"},
		{name: "a negative expectation", edit: func(c *delta.Commit) { c.Expect = -1 }, want: "at publication -1"},
		{name: "a batch without a name", edit: func(c *delta.Commit) { c.Batch = "" }, want: "without a name"},
		{name: "another pipeline", edit: func(c *delta.Commit) { c.Pipeline = "bank" }, want: "holds the scores of pipeline shop"},
		{name: "a pipeline with a slash", edit: func(c *delta.Commit) { c.Pipeline = "a/b" }, want: "cannot name a pipeline"},
		{name: "a file of another batch", edit: func(c *delta.Commit) { c.Files[0].Path = "batch=2024-02/a.parquet" }, want: "lies outside batch=2024-01/"},
		{name: "a file that climbs out", edit: func(c *delta.Commit) { c.Files[0].Path = "batch=2024-01/../a.parquet" }, want: "not directly in"},
		{name: "a hidden file", edit: func(c *delta.Commit) { c.Files[0].Path = "batch=2024-01/_a.parquet" }, want: "hidden"},
		{name: "a file twice", edit: func(c *delta.Commit) { c.Files = append(c.Files, c.Files[0]) }, want: "twice"},
		{name: "a file without bytes", edit: func(c *delta.Commit) { c.Files[0].Size = 0 }, want: "has 0 bytes"},
		{name: "statistics of other rows", edit: func(c *delta.Commit) { c.Files[0].Stats = []byte(`{"numRecords":9}`) }, want: "statistics that say 9"},
		{name: "statistics that are not JSON", edit: func(c *delta.Commit) { c.Files[0].Stats = []byte(`{`) }, want: "unexpected end"},
		{name: "a file that is not there", edit: func(c *delta.Commit) { c.Files[0].Path = "batch=2024-01/no.parquet" }, want: "no.parquet, a file of publication 3 of batch 2024-01, is missing"},
		{name: "a file of another size", edit: func(c *delta.Commit) { c.Files[0].Size = 7 }, want: "has 1 bytes and not 7"},
		{name: "a column of another type", edit: func(c *delta.Commit) { c.Fields[1].Type = "float" }, want: `column "score" has type float; the published table has "score" of type double`},
		{name: "a column in another case", edit: func(c *delta.Commit) { c.Fields[1].Name = "Score" }, want: `column "Score" has type double; the published table has "score"`},
		{name: "a column named batch", edit: func(c *delta.Commit) { c.Fields[1].Name = "Batch" }, want: "the partition"},
		{name: "a column twice", edit: func(c *delta.Commit) { c.Fields[1].Name = "CUSTOMER" }, want: "is there twice"},
		{name: "a name with a space", edit: func(c *delta.Commit) { c.Fields[1].Name = "the score" }, want: "readers of Delta Lake refuse"},
		{name: "an unknown type", edit: func(c *delta.Commit) { c.Fields[1].Type = "decimal(39,2)" }, want: `type "decimal(39,2)"`},
		{name: "no columns", edit: func(c *delta.Commit) { c.Fields = nil }, want: "at least one column"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := commit("2024-01", 2, "3", fileA)
			c.Fields = slices.Clone(fields)
			tt.edit(&c)
			got, err := table.Publish(t.Context(), c)
			if err == nil || tt.is != nil && !errors.Is(err, tt.is) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %+v, %v; want an error with %q", got, err, tt.want)
			}
		})
	}
	wantFiles(t, table, "2024-01", "b")
	if v := snapshot(t, table).Version(); v != 1 {
		t.Errorf("the table is at version %d, want 1", v)
	}
}

func TestAnEmptyStoreHasAnEmptyTable(t *testing.T) {
	_, table := open(t)
	s := snapshot(t, table)
	_, ok := s.Current("2024-01")
	if s.Version() != -1 || s.Publication("2024-01") != 0 || ok || len(s.Batches())+len(s.Files("2024-01")) > 0 {
		t.Errorf("got version %d, publication %d, current %t, batches %q", s.Version(), s.Publication("2024-01"), ok, s.Batches())
	}
	if history, err := table.History(t.Context(), "2024-01"); err != nil || len(history) > 0 {
		t.Errorf("history: got %v, %v", history, err)
	}
}

func TestABatchMayBeEmpty(t *testing.T) {
	b, table := open(t)
	publish(t, table, commit("2024-01", 0, "1"))
	publish(t, table, commit("2024-01", 1, "2", put(t, b, "2024-01", "a")))
	nothing := commit("2024-01", 2, "3")
	nothing.Fields = nil
	publish(t, table, nothing)
	wantFiles(t, table, "2024-01", "")
	if got := snapshot(t, table).Batches(); !slices.Equal(got, []string{"2024-01"}) {
		t.Errorf("batches are %q", got)
	}
}

func TestATableDoesNotBeginWithoutColumns(t *testing.T) {
	_, table := open(t)
	c := commit("2024-01", 0, "1")
	c.Fields = nil
	if _, err := table.Publish(t.Context(), c); err == nil || !strings.Contains(err.Error(), "it has no columns") {
		t.Errorf("got %v", err)
	}
}

func TestACancelledContextIsNoConflict(t *testing.T) {
	b, table := open(t)
	c := commit("2024-01", 0, "1", put(t, b, "2024-01", "a"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := table.Publish(ctx, c); !errors.Is(err, context.Canceled) || errors.Is(err, delta.ErrConflict) {
		t.Errorf("got %v", err)
	}
}
