package workflows_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"go.temporal.io/sdk/testsuite"

	"headgate/internal/columnar"
	"headgate/internal/evidence"
	"headgate/internal/registry"
	"headgate/internal/retailer"
	"headgate/internal/run"
	"headgate/internal/store"
	"headgate/workflows"
)

// labelled is a world whose pipeline has labels, with a scored January. The replacer
// changes the contract of the labels.
func labelled(t *testing.T, customers int, change *strings.Replacer) *world {
	t.Helper()
	labels := shipped(t, "labels.yaml")
	if change != nil {
		labels = change.Replace(labels)
	}
	w := configured(t, customers, "labels: { files: \"labels/retailer/{batch}/*.parquet\", contract: labels.yaml, poll: 6h, wait: 10d }\n",
		nil, map[string]string{"labels.yaml": labels})
	w.deliver("2024-01", retailer.Options{})
	w.mustScore("2024-01")
	return w
}

func shipped(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile("../testdata/retailer/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// A label is a row of a label file.
type label struct {
	Customer   string
	AsOf       arrow.Date32
	Bought     *bool
	SettledOn  arrow.Date32
	Treated    bool
	Propensity float64
}

// outcomes returns the labels of January.
func (w *world) outcomes(o *retailer.LabelOptions) []label {
	w.t.Helper()
	var all []label
	for rec, err := range w.shop.Labels("2024-01", o) {
		if err != nil {
			w.t.Fatal(err)
		}
		for i := range int(rec.NumRows()) {
			bought := rec.Column(2).(*array.Boolean).Value(i)
			all = append(all, label{strings.Clone(rec.Column(0).(*array.String).Value(i)), rec.Column(1).(*array.Date32).Value(i), &bought,
				rec.Column(3).(*array.Date32).Value(i), rec.Column(4).(*array.Boolean).Value(i), rec.Column(5).(*array.Float64).Value(i)})
		}
	}
	return all
}

// answer writes a file of January's labels.
func (w *world) write(name string, rows []label) {
	w.t.Helper()
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "customer_id", Type: arrow.BinaryTypes.String, Nullable: true}, {Name: "as_of", Type: arrow.FixedWidthTypes.Date32, Nullable: true},
		{Name: "bought", Type: arrow.FixedWidthTypes.Boolean, Nullable: true}, {Name: "settled_on", Type: arrow.FixedWidthTypes.Date32, Nullable: true},
		{Name: "treated", Type: arrow.FixedWidthTypes.Boolean, Nullable: true}, {Name: "propensity", Type: arrow.PrimitiveTypes.Float64, Nullable: true}}, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	for _, r := range rows {
		b.Field(0).(*array.StringBuilder).Append(r.Customer)
		b.Field(1).(*array.Date32Builder).Append(r.AsOf)
		if r.Bought == nil {
			b.Field(2).AppendNull()
		} else {
			b.Field(2).(*array.BooleanBuilder).Append(*r.Bought)
		}
		b.Field(3).(*array.Date32Builder).Append(r.SettledOn)
		b.Field(4).(*array.BooleanBuilder).Append(r.Treated)
		b.Field(5).(*array.Float64Builder).Append(r.Propensity)
	}
	rec := b.NewRecord()
	defer rec.Release()
	var file strings.Builder
	out, err := columnar.Create(&file, schema, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	if err := out.Write(rec); err != nil {
		w.t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		w.t.Fatal(err)
	}
	w.place(name, file.String())
}

// place writes a file beside January's labels.
func (w *world) place(name, text string) {
	w.t.Helper()
	path := filepath.Join(w.dir, "labels", "retailer", "2024-01", name)
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		w.t.Fatal(err)
	}
}

// complete says that January's labels are all there.
func (w *world) complete() { w.place("_COMPLETE", "") }

// evaluate runs EvaluateBatch for January, which begins on January 2. before may add what
// happens while it waits.
func (w *world) evaluate(before func(env *testsuite.TestWorkflowEnvironment)) (workflows.EvaluateBatchOutput, time.Time) {
	w.t.Helper()
	env := w.env()
	env.SetStartTime(time.Date(2024, 1, 2, 0, 0, 0, 0, time.UTC))
	if before != nil {
		before(env)
	}
	env.ExecuteWorkflow(workflows.EvaluateBatch, workflows.EvaluateBatchInput{Pipeline: "retailer", Batch: "2024-01", By: "test"})
	var out workflows.EvaluateBatchOutput
	if err := env.GetWorkflowResult(&out); err != nil {
		w.t.Fatal(err)
	}
	return out, env.Now().UTC()
}

// evaluations returns the entries and papers of all evaluations, the first one first.
func (w *world) evaluations() (entries []registry.Entry, papers []evidence.Evaluation) {
	w.t.Helper()
	log, err := registry.Load(context.Background(), w.bucket, "retailer")
	if err != nil {
		w.t.Fatal(err)
	}
	for _, e := range log.Entries() {
		if e.Kind != registry.KindEvaluated {
			continue
		}
		var paper evidence.Evaluation
		if err := run.LoadJSON(context.Background(), w.bucket, run.Object{Key: store.BlobKey(e.Paper), Digest: e.Paper}, &paper); err != nil {
			w.t.Fatal(err)
		}
		entries, papers = append(entries, e), append(papers, paper)
	}
	return entries, papers
}

// matured is when January's labels are: 30 days, and 14 in which they settle.
var matured = time.Date(2024, 2, 14, 0, 0, 0, 0, time.UTC)

func TestLabelsAreWaitedFor(t *testing.T) {
	const day = 24 * time.Hour
	start := time.Date(2024, 1, 2, 0, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		name    string
		happens func(w *world, env *testsuite.TestWorkflowEnvironment)
		verdict string
		when    time.Time // it ends, to a second
		looks   int
		entries int
	}{
		{name: "they are there already, and marked", verdict: "pass", when: start, looks: 1, entries: 1,
			happens: func(w *world, _ *testsuite.TestWorkflowEnvironment) {
				w.write("a.parquet", w.outcomes(nil))
				w.complete()
			}},
		{name: "they are there on the day", verdict: "pass", when: matured, looks: 1, entries: 1,
			happens: func(w *world, env *testsuite.TestWorkflowEnvironment) {
				w.write("a.parquet", w.outcomes(nil))
				env.RegisterDelayedCallback(w.complete, 30*day)
			}},
		{name: "they come days later", verdict: "pass", when: matured.Add(3*day + 6*time.Hour), looks: 14, entries: 1,
			happens: func(w *world, env *testsuite.TestWorkflowEnvironment) {
				env.RegisterDelayedCallback(func() { w.write("a.parquet", w.outcomes(nil)); w.complete() }, matured.Add(3*day+time.Hour).Sub(start))
			}},
		{name: "the marker is there before the day, and somebody says so", verdict: "pass", when: start.Add(20 * day), looks: 1, entries: 1,
			happens: func(w *world, env *testsuite.TestWorkflowEnvironment) {
				env.RegisterDelayedCallback(func() {
					w.write("a.parquet", w.outcomes(nil))
					w.complete()
					env.SignalWorkflow(workflows.SignalLabels, nil)
				}, 20*day)
			}},
		{name: "somebody says so, and the marker is not there", verdict: "pass", when: matured, looks: 2, entries: 1,
			happens: func(w *world, env *testsuite.TestWorkflowEnvironment) {
				env.RegisterDelayedCallback(func() {
					w.write("a.parquet", w.outcomes(nil))
					env.SignalWorkflow(workflows.SignalLabels, nil)
				}, 20*day)
				env.RegisterDelayedCallback(w.complete, 30*day)
			}},
		{name: "the marker never comes", verdict: "inconclusive", when: matured.Add(10 * day), looks: 41, entries: 1,
			happens: func(w *world, _ *testsuite.TestWorkflowEnvironment) { w.write("a.parquet", w.outcomes(nil)) }},
		{name: "they never come", verdict: "none", when: matured.Add(10 * day), looks: 41,
			happens: func(*world, *testsuite.TestWorkflowEnvironment) {}},
		{name: "a file is half written for a day", verdict: "pass", when: matured.Add(day + 6*time.Hour), looks: 7, entries: 1,
			happens: func(w *world, env *testsuite.TestWorkflowEnvironment) {
				w.place("a.parquet", "PAR1")
				w.complete()
				env.RegisterDelayedCallback(func() { w.write("a.parquet", w.outcomes(nil)) }, matured.Add(day+time.Hour).Sub(start))
			}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := labelled(t, 300, nil)
			out, end := w.evaluate(func(env *testsuite.TestWorkflowEnvironment) { tt.happens(w, env) })
			entries, _ := w.evaluations()
			if out.Verdict != tt.verdict || out.Looks != tt.looks || len(entries) != tt.entries || end.Sub(tt.when).Abs() > time.Minute {
				t.Errorf("verdict %s %q after %d looks on %s, %d entries", out.Verdict, out.Reasons, out.Looks, end, len(entries))
			}
			if tt.entries > 0 && (entries[0].Verdict != tt.verdict || entries[0].At.Sub(tt.when).Abs() > time.Minute || entries[0].Labels != out.Labels) {
				t.Errorf("entry %+v", entries[0])
			}
		})
	}
}

func TestAnEvaluationSaysHowGoodTheChampionWas(t *testing.T) {
	w := labelled(t, 3000, nil)
	w.write("a.parquet", w.outcomes(nil))
	w.complete()
	out, _ := w.evaluate(nil)
	_, papers := w.evaluations()
	e := papers[0]
	auc, ok := e.Models[0].Report.Get("auc")
	if !ok || auc.Value < 0.68 || auc.Value > 0.82 || e.Rows.Judged != 3000 || e.Rows.Scored != 3000 || len(e.Models) != 1 || e.Models[0].Role != "champion" {
		t.Errorf("auc %v, rows %+v, %d models", auc, e.Rows, len(e.Models))
	}
	if !e.Coverage.Even || e.Coverage.Known.Value != 1 || len(e.Coverage.Groups) < 30 {
		t.Errorf("coverage %+v", e.Coverage)
	}
	if e.CBPE == nil || len(e.CBPE.Checks) != 8 || len(e.CBPE.Forecast) != 8 {
		t.Fatalf("cbpe %+v", e.CBPE)
	}
	slices := map[string]int{}
	for _, s := range e.Models[0].Slices {
		slices[s.Dimension]++
	}
	if slices["region"] != 20 || slices["segment"] != 8 {
		t.Errorf("slices %v", slices)
	}
	if out.Models[0].AUC == nil || *out.Models[0].AUC != auc || out.Forecast == nil {
		t.Errorf("output %+v", out)
	}
	again, _ := json.Marshal(papers[0])
	w.evaluate(nil)
	if entries, papers := w.evaluations(); len(entries) != 1 {
		now, _ := json.Marshal(papers[1])
		t.Errorf("the same labels are entered twice:\n%s\n%s", again, now)
	}
}

func TestRevisedLabelsAreEvaluatedAgain(t *testing.T) {
	w := labelled(t, 600, nil)
	w.write("2024-02-14.parquet", w.outcomes(nil))
	w.complete()
	w.evaluate(nil)
	var returned []label
	before := map[string]bool{}
	for _, l := range w.outcomes(nil) {
		before[l.Customer] = *l.Bought
	}
	for _, l := range w.outcomes(&retailer.LabelOptions{Revised: true}) {
		if *l.Bought != before[l.Customer] {
			returned = append(returned, l)
		}
	}
	if len(returned) == 0 {
		t.Fatal("nobody has returned anything")
	}
	w.write("2024-03-01-returns.parquet", returned)
	w.evaluate(nil)
	entries, papers := w.evaluations()
	if len(entries) != 2 || entries[0].Labels == entries[1].Labels {
		t.Fatalf("%d entries: %+v", len(entries), entries)
	}
	first, second := papers[0], papers[1]
	if n := second.Labels.Counts.Revised; n != int64(len(returned)) || first.Labels.Counts.Revised != 0 || second.Labels.Files != 2 {
		t.Errorf("%d revised of %d: %+v", n, len(returned), second.Labels)
	}
	if a, b := first.Models[0].Report.Positives, second.Models[0].Report.Positives; a-b != int64(len(returned)) {
		t.Errorf("%d positives, and %d after %d returns", a, b, len(returned))
	}
}

// known is a world with a scored January whose labels are there.
func known(t *testing.T) *world {
	w := labelled(t, 200, nil)
	w.write("a.parquet", w.outcomes(nil))
	w.complete()
	return w
}

func evaluateTask(w *world) string {
	out, _ := w.evaluate(nil)
	if out.Verdict != "pass" || out.Labels == "" || out.Seq == 0 || w.woken.Load() == 0 {
		w.t.Errorf("%+v, woken %d times", out, w.woken.Load())
	}
	out.Anchor = ""
	return asJSON(w.t, out)
}
