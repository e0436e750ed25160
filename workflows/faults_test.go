package workflows_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"headgate/internal/audit"
	"headgate/internal/columnar"
	"headgate/internal/retailer"
	"headgate/internal/store"
	"headgate/internal/store/storetest"
	"headgate/internal/worker"
)

// twin returns a world with the same files. Links keep the times of the input, so
// that a run in the twin is the same run.
func (w *world) twin(t *testing.T) *world {
	t.Helper()
	to := &world{t: t, dir: t.TempDir(), shop: w.shop, runs: w.runs, candidate: w.candidate, schedule: w.schedule, team: w.team}
	err := filepath.WalkDir(w.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(w.dir, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			return os.MkdirAll(filepath.Join(to.dir, rel), 0o777)
		}
		return os.Link(path, filepath.Join(to.dir, rel))
	})
	if err != nil {
		t.Fatal(err)
	}
	if to.bucket, err = store.Open(t.Context(), to.dir); err != nil {
		t.Fatal(err)
	}
	return to
}

// repeatRows delivers the first rows of a month's first file once more, in a file
// of their own.
func (w *world) repeatRows(month string, rows int) {
	w.t.Helper()
	dir := filepath.Join(w.dir, "incoming", "retailer", month)
	data, err := os.ReadFile(filepath.Join(dir, "part-0000.parquet"))
	if err != nil {
		w.t.Fatal(err)
	}
	f, err := columnar.Open(bytes.NewReader(data), int64(len(data)), nil)
	if err != nil {
		w.t.Fatal(err)
	}
	for rec, err := range f.Records(w.t.Context(), columnar.ReadOptions{Rows: rows}) {
		if err != nil {
			w.t.Fatal(err)
		}
		var buf bytes.Buffer
		out, err := columnar.Create(&buf, rec.Schema(), nil)
		if err != nil {
			w.t.Fatal(err)
		}
		if err := errors.Join(out.Write(rec), out.Close(), os.WriteFile(filepath.Join(dir, "part-9999.parquet"), buf.Bytes(), 0o644)); err != nil {
			w.t.Fatal(err)
		}
		return
	}
}

// lose lets the nth such call never arrive.
func lose(c store.Call, nth int) []storetest.Fault {
	return []storetest.Fault{{Call: c.Name, Key: c.Key, After: nth, Times: 1}}
}

// An outcome is what must be the same however often a call fails.
type outcome struct {
	Answer string   // the workflow's output without its anchor, which holds commit times
	Keys   []string // all keys of the store
}

// task runs a workflow in a world and returns its output without the anchor.
type task func(w *world) string

func scoreTask(batch string) task {
	return func(w *world) string {
		out := w.mustScore(batch)
		out.Anchor = ""
		return asJSON(w.t, out)
	}
}

func restoreTask(batch string, publication int64) task {
	return func(w *world) string {
		out := w.restore(batch, publication)
		out.Anchor = ""
		return asJSON(w.t, out)
	}
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// outcome runs the task and checks that an auditor finds nothing.
func (w *world) outcome(do task) outcome {
	w.t.Helper()
	out := outcome{Answer: do(w), Keys: timeless(w.keys(""))}
	a := &audit.Auditor{Store: w.bucket, Formats: worker.Formats(), Pipeline: "retailer"}
	report, err := a.Verify(context.Background())
	if err != nil || len(report.Findings) > 0 {
		w.t.Errorf("verify: %v %+v", err, report)
	}
	return out
}

// timeless leaves out of the keys what follows from the moment of a gate's decision, which
// a retry before it moves: blobs, and the digests of table files' papers.
func timeless(keys []string) (out []string) {
	gates := slices.ContainsFunc(keys, func(key string) bool { return strings.Contains(key, "/compare.") })
	for _, key := range keys {
		switch {
		case gates && strings.HasPrefix(key, "blobs/"):
		case gates && strings.Contains(key, "/table/") && strings.HasSuffix(key, ".json"):
			name, _, _ := strings.Cut(key, ".")
			out = append(out, name)
		default:
			out = append(out, key)
		}
	}
	return out
}

// momentary reports whether another run of the same task has another key in the place of
// this one, which was not there before.
func momentary(key string, before []string, o outcome) bool {
	return strings.HasPrefix(key, "blobs/") && !slices.Contains(before, key) && !slices.Contains(o.Keys, key) ||
		strings.Contains(key, "/table/") && strings.HasSuffix(key, ".json") && !slices.Contains(o.Keys, key)
}

func (o outcome) mustEqual(t *testing.T, want outcome) {
	t.Helper()
	if o.Answer != want.Answer {
		t.Errorf("answer\n got %s\nwant %s", o.Answer, want.Answer)
	}
	for _, key := range o.Keys {
		if !slices.Contains(want.Keys, key) {
			t.Errorf("left %s, which an undisturbed run does not", key)
		}
	}
	for _, key := range want.Keys {
		if !slices.Contains(o.Keys, key) {
			t.Errorf("did not leave %s", key)
		}
	}
}

// record runs the task undisturbed in a twin, and returns its calls in order.
func (w *world) record(t *testing.T, do task) (outcome, []store.Call) {
	t.Helper()
	to := w.twin(t)
	var mu sync.Mutex
	var calls []store.Call
	plain := to.bucket
	to.bucket = plain.Intercept(func(_ context.Context, c store.Call, do func() error) error {
		mu.Lock()
		defer mu.Unlock()
		calls = append(calls, store.Call{Name: c.Name, Key: c.Key})
		return do()
	})
	answer := do(to)
	to.bucket = plain
	out := to.outcome(func(*world) string { return answer })
	return out, calls
}

// fail runs the task in a twin in which calls fail, and wants the same outcome. Each
// fault must have its turn.
func (w *world) fail(t *testing.T, do task, want outcome, faults ...storetest.Fault) {
	t.Helper()
	to := w.twin(t)
	plain := to.bucket
	var lost atomic.Int64
	to.bucket = storetest.Break(plain, faults...).Intercept(func(_ context.Context, _ store.Call, do func() error) error {
		err := do()
		if errors.Is(err, storetest.ErrLost) {
			lost.Add(1)
		}
		return err
	})
	answer := do(to)
	to.bucket = plain
	to.outcome(func(*world) string { return answer }).mustEqual(t, want)
	if n := lost.Load(); n != int64(len(faults)) {
		t.Errorf("%d calls failed, want %d", n, len(faults))
	}
}

func TestAReadFailsOnce(t *testing.T) {
	for _, tt := range []struct {
		name  string
		world func(*testing.T) *world
		do    task
		least int // reads of an undisturbed run
	}{
		{"ScoreBatch", mixed, scoreTask("2024-01"), 50},
		{"ScoreBatch of a month that asks", everything, approvedTask("2024-02"), 100},
		{"ScoreBatch of a canary month", canaryWorld, canaryTask, 100},
		{"RepublishBatch from a model that has not scored", unscored, republishTask, 50},
		{"RestoreBatch", republished, restoreTask("2024-01", 1), 10},
		{"EvaluateBatch", known, evaluateTask, 20},
		{"Retrain", learned, retrainTask, 50},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := tt.world(t)
			want, calls := w.record(t, tt.do)
			before := w.keys("")
			reads := slices.DeleteFunc(calls, func(c store.Call) bool { return c.Name == store.CallPut || momentary(c.Key, before, want) })
			if len(reads) < tt.least {
				t.Fatalf("%d reads: %v", len(reads), reads)
			}
			times := map[store.Call]int{}
			for _, read := range reads {
				times[read]++
			}
			// What is read often is read by several stages: let the first fail, and the
			// last. Few enough fail in one run for every activity to get through.
			const runs = 4
			var first, last [runs][]storetest.Fault
			for i, read := range slices.SortedFunc(maps.Keys(times), byName) {
				first[i%runs] = append(first[i%runs], lose(read, 0)...)
				last[i%runs] = append(last[i%runs], lose(read, times[read]-1)...)
			}
			for i := range runs {
				t.Run(fmt.Sprintf("first reads, part %d", i+1), func(t *testing.T) {
					t.Parallel()
					w.fail(t, tt.do, want, first[i]...)
				})
				t.Run(fmt.Sprintf("last reads, part %d", i+1), func(t *testing.T) {
					t.Parallel()
					w.fail(t, tt.do, want, last[i]...)
				})
			}
		})
	}
}

func byName(a, b store.Call) int {
	return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Key, b.Key))
}

// A month is in the table before it is in the registry. If the registry stays away
// until nobody tries any more, the next publication of the pipeline enters both.
func TestTheNextPublicationEntersAForgottenOne(t *testing.T) {
	w := newWorld(t, 200)
	w.deliver("2024-01", retailer.Options{})
	w.deliver("2024-02", retailer.Options{})
	plain := w.bucket
	w.bucket = storetest.Break(plain, storetest.Fault{Call: store.CallPut, Key: "registry/"})
	if out, err := w.score("2024-01"); err == nil {
		t.Fatalf("published without a registry: %+v", out)
	}
	w.bucket = plain
	a := &audit.Auditor{Store: plain, Formats: worker.Formats(), Pipeline: "retailer"}
	report, err := a.Verify(t.Context())
	if err != nil || len(report.Findings) != 1 || report.Findings[0].Where != "2024-01 publication 1" {
		t.Errorf("verify: %v %+v", err, report)
	}
	out := w.mustScore("2024-02")
	if report, err = a.Verify(t.Context(), out.Anchor); err != nil || len(report.Findings) > 0 || report.Publications != 2 {
		t.Errorf("verify: %v %+v", err, report)
	}
}
