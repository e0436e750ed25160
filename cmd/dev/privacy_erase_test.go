package main

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"headgate/internal/delta"
	papers "headgate/internal/run"
)

// erasedIsGone follows docs/privacy.md to erase one person from a month: deliver again,
// score, and delete what the old delivery has left.
func (w *watch) erasedIsGone(t *testing.T) {
	const batch, number = "2024-11", "8888888"
	erased := maps.Clone(crowd()[5])
	erased["person"], erased["national_id"] = "KEY"+number+marks["person"], "NAT"+number+marks["national_id"]
	w.identify(t, erased)
	w.deliver(t, batch, parquet(t, peopleSchema, append(crowd(), erased), ""))
	old, err := w.score(t, "privacy", batch, nil)
	if err != nil || old.Published != people {
		t.Fatalf("%+v, %v", old, err)
	}
	traces := func() (names []string) {
		for _, p := range gather(t, w.site, w.dir) {
			if bytes.Contains(p.data, []byte(number+"CANARY")) {
				names = append(names, p.name)
			}
		}
		return names
	}
	if found := traces(); len(found) == 0 {
		t.Error("the person is nowhere")
	}

	w.identify(t)
	w.deliver(t, batch, parquet(t, peopleSchema, crowd(), ""))
	now, err := w.score(t, "privacy", batch, nil)
	if err != nil || now.Published != people-1 || now.Publication != 2 {
		t.Fatalf("%+v, %v", now, err)
	}
	if err := os.RemoveAll(filepath.Join(w.store, filepath.FromSlash(papers.Dir("privacy", batch, old.Run)))); err != nil {
		t.Fatal(err)
	}
	w.vacuum(t, "privacy", batch)
	if found := traces(); len(found) > 0 {
		t.Errorf("the person is still in:%s", lines(found))
	}
}

// vacuum deletes the data files of a batch that its current publication does not have.
func (w *watch) vacuum(t *testing.T, pipeline, batch string) {
	t.Helper()
	snapshot, err := delta.Open(w.bucket, papers.TablePrefix(pipeline)).Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	current, _ := snapshot.Current(batch)
	names, err := filepath.Glob(filepath.Join(w.store, "scores", pipeline, "batch="+batch, "*"))
	if err != nil || len(names) <= len(current.Files) {
		t.Fatalf("data files %v, %v", names, err)
	}
	for _, name := range names {
		isCurrent := func(f delta.File) bool { return f.Path == fmt.Sprintf("batch=%s/%s", batch, filepath.Base(name)) }
		if slices.ContainsFunc(current.Files, isCurrent) {
			continue
		}
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
}
