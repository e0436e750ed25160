package workflows_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"headgate/internal/audit"
	"headgate/internal/columnar"
	"headgate/internal/retailer"
	"headgate/internal/store"
	"headgate/internal/worker"
)

// inMemory returns a world in memory with a month in so many files, and one
// customer of the first file in a file more.
func inMemory(t *testing.T, month string, parts int) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), shop: retailer.World{Seed: 1, Customers: 600}}
	w.deliver(month, retailer.Options{Fault: retailer.BadRows, Parts: parts})
	w.repeatRows(month, 1)
	var err error
	if w.bucket, err = store.Open(t.Context(), "mem://"); err != nil {
		t.Fatal(err)
	}
	w.register("../testdata/retailer/pipeline.yaml")
	files, err := filepath.Glob(filepath.Join(w.dir, "incoming/retailer", month, "*.parquet"))
	if err != nil || len(files) != parts+1 {
		t.Fatalf("%d files (%v)", len(files), err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.bucket.Put(t.Context(), "incoming/retailer/"+month+"/"+filepath.Base(file), data); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

// rows returns the rows of all files below a prefix as sorted lines, without the
// named columns.
func (w *world) rows(prefix string, without ...string) []string {
	w.t.Helper()
	var lines []string
	for _, key := range w.keys(prefix) {
		if !strings.HasSuffix(key, ".parquet") {
			continue
		}
		data, err := w.bucket.Get(context.Background(), key)
		if err != nil {
			w.t.Fatal(err)
		}
		f, err := columnar.Open(bytes.NewReader(data), int64(len(data)), nil)
		if err != nil {
			w.t.Fatal(err)
		}
		for rec, err := range f.Records(context.Background(), columnar.ReadOptions{}) {
			if err != nil {
				w.t.Fatal(err)
			}
			for i := range int(rec.NumRows()) {
				var line []string
				for c, field := range rec.Schema().Fields() {
					if !slices.Contains(without, field.Name) {
						line = append(line, field.Name+"="+rec.Column(c).ValueStr(i))
					}
				}
				lines = append(lines, strings.Join(line, " "))
			}
		}
	}
	slices.Sort(lines)
	return lines
}

// A batch of more shards than one history holds goes through child workflows. The
// repeated customer is in the first window and in the second.
func TestABatchOfManyShardsGivesTheSameRows(t *testing.T) {
	const month = "2024-01"
	few, many := inMemory(t, month, 1), inMemory(t, month, 200)
	direct, windowed := few.mustScore(month), many.mustScore(month)
	if direct.Verdict != "pass" || windowed.Verdict != "pass" || direct.Published != windowed.Published ||
		direct.Quarantined != windowed.Quarantined || direct.Published+direct.Quarantined != 601 {
		t.Errorf("direct   %+v\nwindowed %+v", direct, windowed)
	}
	if lists := many.keys("runs/retailer/" + month); !slices.ContainsFunc(lists, func(key string) bool { return strings.Contains(key, "/lists/table-000200.") }) {
		t.Error("no list of a second window")
	}
	want, got := few.rows("scores/", "run"), many.rows("scores/", "run")
	if len(want) != int(direct.Published) || !slices.Equal(got, want) {
		t.Errorf("%d rows directly, %d through windows; they differ", len(want), len(got))
	}
	// Where a bad row came from depends on how the month is cut into files.
	want, got = few.rows("runs/retailer/"+month, "headgate_row", "headgate_file", "run"), many.rows("runs/retailer/"+month, "headgate_row", "headgate_file", "run")
	if !slices.Equal(got, want) {
		t.Errorf("the papers' rows differ: %d and %d", len(want), len(got))
	}
	a := &audit.Auditor{Store: many.bucket, Formats: worker.Formats(), Pipeline: "retailer"}
	report, err := a.Verify(t.Context(), windowed.Anchor)
	if err != nil || len(report.Findings) > 0 || report.Files != 200 {
		t.Errorf("verify: %v %+v", err, report)
	}
}
