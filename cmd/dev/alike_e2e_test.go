//go:build e2e && unix

package main

import (
	"bytes"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow/array"

	"headgate/internal/columnar"
	"headgate/internal/delta"
	"headgate/internal/registry"
	papers "headgate/internal/run"
	"headgate/internal/store"
)

// toldAlike tells the demo's story once more, with the programs of production on a
// PostgreSQL-backed Temporal and an S3 server, and holds it against the demo's, told in
// one process on SQLite and a directory: the same decisions, and the same published rows,
// byte for byte. dir is the demo's directory.
func toldAlike(t *testing.T, dir string) {
	s := newStack(t, 20_000)
	if err := s.story.tell(t.Context()); err != nil {
		t.Fatal(err)
	}
	if said, err := s.starter.run(t.Context(), "verify", "retailer", "--all-batches"); err != nil || !strings.Contains(said, "everything is as it was recorded") {
		t.Errorf("verify: %v\n%s", err, said)
	}
	demo, production := openStore(t, filepath.Join(dir, "store")), openStore(t, s.story.store)
	got, want := decisions(t, production), decisions(t, demo)
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i] != want[i] {
			t.Errorf("from entry %d on the decisions differ, after\n%s\ngot\n%s\nwant\n%s", i+1, strings.Join(want[:min(i, len(want))], "\n"),
				strings.Join(got[min(i, len(got)):], "\n"), strings.Join(want[min(i, len(want)):], "\n"))
			break
		}
	}
	samePublications(t, production, demo)
}

func openStore(t *testing.T, url string) *store.Bucket {
	t.Helper()
	b, err := store.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// decisions lists what the registry says was decided, without the names that a run of a
// workflow or a delivery to one store has: those differ.
func decisions(t *testing.T, b *store.Bucket) []string {
	t.Helper()
	log, err := registry.Load(t.Context(), b, "retailer")
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range log.Entries() {
		all = append(all, strings.Join(strings.Fields(fmt.Sprint(e.Kind, " ", e.Alias, " ", e.Batch, " ", papers.Short(e.Model), " ", e.Publication, " ",
			e.Release, " ", e.Step, " ", e.Verdict, " ", e.Answer, " ", e.Control, " ", e.Reason, " ", strings.Join(e.Reasons, "; "))), " "))
	}
	return all
}

// samePublications compares all publications of all batches, also those that others have
// replaced.
func samePublications(t *testing.T, production, demo *store.Bucket) {
	t.Helper()
	got, want := delta.Open(production, "scores/retailer"), delta.Open(demo, "scores/retailer")
	snapshot, err := want.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	batches := snapshot.Batches()
	if len(batches) != 12 {
		t.Errorf("%d months are published, want 12", len(batches))
	}
	for _, batch := range batches {
		here, err := got.History(t.Context(), batch)
		if err != nil {
			t.Fatal(err)
		}
		there, err := want.History(t.Context(), batch)
		if err != nil {
			t.Fatal(err)
		}
		if len(here) != len(there) {
			t.Errorf("%s: %d publications, want %d", batch, len(here), len(there))
			continue
		}
		for i := range here {
			sameFiles(t, fmt.Sprintf("%s, publication %d", batch, i+1), content(t, production, got, here[i].Files), content(t, demo, want, there[i].Files))
		}
	}
}

func content(t *testing.T, b *store.Bucket, table *delta.Table, files []delta.File) (all [][]byte) {
	t.Helper()
	for _, f := range files {
		data, err := b.Get(t.Context(), table.Key(f.Path))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, data)
	}
	return all
}

// sameFiles compares the files of a publication. Each row names its run, and a run is
// named by what it reads, of which a store says when it came or what its ETag is: the
// demo's files are written again with the names of the runs of production.
func sameFiles(t *testing.T, what string, got, want [][]byte) {
	t.Helper()
	if len(got) != len(want) || len(got) == 0 {
		t.Errorf("%s: %d files, want %d", what, len(got), len(want))
		return
	}
	for i, data := range got {
		ours, run := rewritten(t, data, "")
		if !bytes.Equal(ours, data) {
			t.Fatalf("%s: the rows of a file, written again, are other bytes: nothing can be compared", what)
		}
		// Files are listed by their digests, which are others in each store.
		same := slices.IndexFunc(want, func(demo []byte) bool {
			theirs, _ := rewritten(t, demo, run)
			return bytes.Equal(theirs, data)
		})
		if same < 0 {
			t.Errorf("%s: file %d of %d has other bytes than the demo's", what, i+1, len(got))
			continue
		}
		want = slices.Delete(want, same, same+1)
	}
}

// rewritten writes the rows of a published file again, as those of a run if there is one,
// and returns the run that they name.
func rewritten(t *testing.T, data []byte, run string) (again []byte, named string) {
	t.Helper()
	f, err := columnar.Open(bytes.NewReader(data), int64(len(data)), nil)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	var w *columnar.Writer
	for rec, err := range f.Records(t.Context(), columnar.ReadOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		if w == nil {
			if w, err = columnar.Create(&out, rec.Schema(), nil); err != nil {
				t.Fatal(err)
			}
		}
		at := rec.Schema().FieldIndices("run")[0]
		for i := range int(rec.NumRows()) {
			switch r := rec.Column(at).ValueStr(i); {
			case named == "":
				named = strings.Clone(r)
			case named != r:
				t.Fatalf("a file has rows of the runs %s and %s", named, r)
			}
		}
		if run != "" {
			columns := slices.Clone(rec.Columns())
			columns[at] = columnar.Repeat(run, int(rec.NumRows()))
			rec = array.NewRecord(rec.Schema(), columns, rec.NumRows())
		}
		if err := w.Write(rec); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes(), named
}
