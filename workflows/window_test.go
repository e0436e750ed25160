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
	"headgate/workflows"
)

// inMemory returns a world in memory with a month in so many files, and one
// customer of the first file in a file more.
func inMemory(t *testing.T, month string, parts int) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), shop: retailer.World{Seed: 1, Customers: 600}}
	var err error
	if w.bucket, err = store.Open(t.Context(), "mem://"); err != nil {
		t.Fatal(err)
	}
	w.register("../testdata/retailer/pipeline.yaml")
	w.carry(month, parts)
	return w
}

// carry delivers a month in so many files, and one customer of the first file in a file
// more, to a store in memory.
func (w *world) carry(month string, parts int) {
	t := w.t
	t.Helper()
	w.deliver(month, retailer.Options{Fault: retailer.BadRows, Parts: parts})
	w.repeatRows(month, 1)
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

// Keys of two months are merged over the windows of both, and customers whom the model
// could not score in any window get a fallback.
func TestKeysAndFallbackOverManyShards(t *testing.T) {
	const month, before = "2024-02", "2024-01"
	var outs []workflows.ScoreBatchOutput
	var rows [][]string
	for _, parts := range []int{1, 200} {
		w := inMemory(t, before, parts)
		w.register(w.pipelineFile("fallback: { score: last, for: [quarantined, vanished] }\n", nil, nil))
		w.mustScore(before)
		w.carry(month, parts)
		out := w.mustScore(month)
		if again := w.audited(month); again.Rows != out.Published {
			t.Errorf("%d parts: %d rows recomputed of %d", parts, again.Rows, out.Published)
		}
		outs, rows = append(outs, out), append(rows, w.rows("scores/retailer/batch="+month, "run"))
	}
	direct, windowed := outs[0], outs[1]
	if *direct.Keys != *windowed.Keys || direct.Fallback != windowed.Fallback || direct.Published != windowed.Published {
		t.Errorf("direct   %+v, keys %+v\nwindowed %+v, keys %+v", direct, direct.Keys, windowed, windowed.Keys)
	}
	if !slices.Equal(rows[0], rows[1]) {
		t.Errorf("%d rows directly, %d through windows; they differ", len(rows[0]), len(rows[1]))
	}
	// In both months the customer who came twice is in quarantine, and in the second it
	// has no score to go on with: it was not scored in the first.
	if k := windowed.Keys; k.Before != before || k.Expected == 0 || k.Vanished == 0 || k.Unscored == 0 || windowed.Fallback < k.Vanished ||
		windowed.Fallback >= k.Vanished+k.Unscored || windowed.Published+windowed.Quarantined != windowed.Rows+windowed.Fallback {
		t.Errorf("%+v, keys %+v", windowed, k)
	}
}
