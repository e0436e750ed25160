package workflows_test

import (
	"bytes"
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"headgate/internal/columnar"
	"headgate/internal/evidence"
	"headgate/internal/registry"
	"headgate/internal/retailer"
	"headgate/workflows"
)

// noTreatment is a contract of labels in which nobody is treated.
func noTreatment(absence string) *strings.Replacer {
	role := func(name string) string {
		return "        classification: internal\n        customProperties:\n          - { property: mlRole, value: " + name + " }\n"
	}
	return strings.NewReplacer("value: unknown", "value: "+absence, role("treatment"), "        classification: internal\n", role("propensity"), "        classification: internal\n")
}

// evaluated evaluates January and returns the last paper.
func (w *world) evaluation() evidence.Evaluation {
	w.t.Helper()
	w.evaluate(nil)
	_, papers := w.evaluations()
	if len(papers) == 0 {
		w.t.Fatal("no evaluation")
	}
	return papers[len(papers)-1]
}

func auc(t *testing.T, e evidence.Evaluation) float64 {
	t.Helper()
	if len(e.Models) == 0 || e.Models[0].Report == nil {
		t.Fatalf("no report: %+v %q", e.Models, e.Reasons)
	}
	est, ok := e.Models[0].Report.Get("auc")
	if !ok {
		t.Fatalf("no auc: %+v", e.Models[0].Report.Missing)
	}
	return est.Value
}

func TestAbsenceMeansZeroOnlyIfTheContractSaysSoAndTheMarkerIsThere(t *testing.T) {
	bought := func(l label) bool { return !*l.Bought }
	for _, tt := range []struct {
		name            string
		absence         string
		complete        bool
		verdict         string
		absent, missing bool // are there rows of that kind
	}{
		{name: "negative, and complete", absence: "negative", complete: true, verdict: "pass", absent: true},
		{name: "negative, and not complete", absence: "negative", verdict: "inconclusive", missing: true},
		{name: "unknown, and complete", absence: "unknown", complete: true, verdict: "inconclusive", missing: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := labelled(t, 800, noTreatment(tt.absence))
			all := w.outcomes(nil)
			w.write("a.parquet", slices.DeleteFunc(slices.Clone(all), bought))
			if tt.complete {
				w.complete()
			}
			e := w.evaluation()
			if e.Verdict != tt.verdict || (e.Rows.Absent > 0) != tt.absent || (e.Rows.Missing > 0) != tt.missing || e.Rows.Judged+e.Rows.Missing != 800 {
				t.Errorf("verdict %s %q, rows %+v", e.Verdict, e.Reasons, e.Rows)
			}
			if !tt.absent {
				return
			}
			got := auc(t, e)
			w.write("b.parquet", all)
			whole := w.evaluation()
			if whole.Rows.Absent != 0 || auc(t, whole) != got {
				t.Errorf("auc %g, and %g with every row (%+v)", got, auc(t, whole), whole.Rows)
			}
		})
	}
}

func TestAnOutcomeThatNobodyCouldObserveIsMissing(t *testing.T) {
	const required = "did not send it back.\n        required: true\n"
	w := labelled(t, 400, strings.NewReplacer(required, strings.TrimSuffix(required, "        required: true\n")))
	rows := w.outcomes(nil)
	for i := range 7 {
		rows[i].Bought = nil
	}
	w.write("a.parquet", rows)
	w.complete()
	if e := w.evaluation(); e.Verdict != "pass" || e.Rows.Missing != 7 || e.Rows.Judged != 393 || e.Labels.Counts.Unknown != 7 || e.Labels.Counts.Bad != 0 {
		t.Errorf("verdict %s %q, rows %+v, labels %+v", e.Verdict, e.Reasons, e.Rows, e.Labels)
	}
}

// A list of buyers says nothing of the coupons of the others.
func TestAbsenceSaysNothingOfATreatment(t *testing.T) {
	w := labelled(t, 400, strings.NewReplacer("value: unknown", "value: negative"))
	w.write("a.parquet", slices.DeleteFunc(w.outcomes(nil), func(l label) bool { return !*l.Bought }))
	w.complete()
	if e := w.evaluation(); e.Verdict != "block" || !strings.Contains(strings.Join(e.Reasons, " "), "nobody knows whether they were treated") || e.Rows.Judged != 0 {
		t.Errorf("verdict %s %q, rows %+v", e.Verdict, e.Reasons, e.Rows)
	}
}

func TestLabelsThatAreNotKnownForAllAlikeAreNoEvidence(t *testing.T) {
	w := labelled(t, 4000, nil)
	segment := w.column("segment")
	rows := w.outcomes(nil)
	w.write("a.parquet", slices.DeleteFunc(slices.Clone(rows), func(l label) bool {
		return segment[l.Customer] == "student" && l.Customer[9]%4 == 0 // three tenths of one segment
	}))
	w.complete()
	e := w.evaluation()
	var broken []string
	for _, g := range e.Coverage.Groups {
		if g.Breaks {
			broken = append(broken, g.Dimension+"="+g.Value)
		}
	}
	if e.Verdict != "inconclusive" || e.Coverage.Even || !slices.Equal(broken, []string{"segment=student"}) || len(e.Models) != 1 {
		t.Errorf("verdict %s %q, broken %q, largest %g", e.Verdict, e.Reasons, broken, e.Coverage.Largest)
	}
	// Three tenths of everybody are missing: fewer rows, but no worse ones.
	w = labelled(t, 4000, nil)
	w.write("a.parquet", slices.DeleteFunc(rows, func(l label) bool { return l.Customer[9]%4 == 0 }))
	w.complete()
	if e := w.evaluation(); e.Verdict != "pass" || !e.Coverage.Even || e.Coverage.Known.Value > 0.8 {
		t.Errorf("verdict %s %q, coverage %+v", e.Verdict, e.Reasons, e.Coverage)
	}
}

// column returns the values of a feature of January by customer.
func (w *world) column(name string) map[string]string {
	w.t.Helper()
	out := map[string]string{}
	for rec, err := range w.shop.Month("2024-01") {
		if err != nil {
			w.t.Fatal(err)
		}
		values := rec.Column(rec.Schema().FieldIndices(name)[0])
		for i := range int(rec.NumRows()) {
			out[strings.Clone(rec.Column(0).(*array.String).Value(i))] = values.ValueStr(i)
		}
	}
	return out
}

func TestLabelsThatBreakTheirContractAreRefused(t *testing.T) {
	for _, tt := range []struct {
		name    string
		damage  func(rows []label) []label
		verdict string
		reason  string
		bad     int64
	}{
		{name: "a few bad rows are left out", verdict: "pass", bad: 2, damage: func(rows []label) []label {
			rows[0].Customer, rows[1].Propensity = "nobody", 1.5
			return rows
		}},
		{name: "more than the error budget", verdict: "block", bad: 8, reason: "8 of 600 label rows break the contract", damage: func(rows []label) []label {
			for i := range 8 {
				rows[i].Customer = "nobody"
			}
			return rows
		}},
		{name: "a row that is there twice says nothing", verdict: "pass", damage: func(rows []label) []label {
			return append(rows, rows[0])
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := labelled(t, 600, nil)
			w.write("a.parquet", tt.damage(w.outcomes(nil)))
			w.complete()
			e := w.evaluation()
			entries, _ := w.evaluations()
			if e.Verdict != tt.verdict || entries[0].Verdict != tt.verdict || !strings.Contains(strings.Join(e.Reasons, "; "), tt.reason) || e.Labels.Counts.Bad != tt.bad {
				t.Errorf("verdict %s %q, labels %+v", e.Verdict, e.Reasons, e.Labels)
			}
			if (tt.verdict == "block") != (len(e.Models) == 0) {
				t.Errorf("%d models are judged", len(e.Models))
			}
		})
	}
}

// scores returns what the champion said of January's customers.
func (w *world) scores() map[string]float64 {
	w.t.Helper()
	out := map[string]float64{}
	for _, key := range w.keys("runs/retailer/2024-01/") {
		if !strings.Contains(key, "/scores/champion/") {
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
		for rec, err := range f.Records(context.Background(), columnar.ReadOptions{Columns: []string{"customer_id", "pred_0"}}) {
			if err != nil {
				w.t.Fatal(err)
			}
			for i := range int(rec.NumRows()) {
				out[rec.Column(0).ValueStr(i)] = rec.Column(1).(*array.Float64).Value(i)
			}
		}
	}
	return out
}

// Customers with high scores get coupons, which makes them buy. The untreated, weighted,
// say how good the scores would have been without any coupon; unweighted they do not.
func TestTheUntreatedStandForAll(t *testing.T) {
	const customers = 6000
	w := labelled(t, customers, nil)
	scores := w.scores()
	sorted := make([]float64, 0, len(scores))
	for _, s := range scores {
		sorted = append(sorted, s)
	}
	slices.Sort(sorted)
	cut := sorted[len(sorted)*9/10]
	campaign := func(rec arrow.Record) ([]bool, error) {
		top := make([]bool, rec.NumRows())
		for i := range top {
			top[i] = scores[rec.Column(0).(*array.String).Value(i)] >= cut
		}
		return top, nil
	}
	w.write("a.parquet", w.outcomes(nil)) // nobody has a coupon: the truth
	w.complete()
	truth := w.evaluation()
	w.write("b.parquet", w.outcomes(&retailer.LabelOptions{Campaign: campaign}))
	treated := w.evaluation()
	e, _ := treated.Models[0].Report.Get("auc")
	p, _ := treated.Models[0].Report.Get("prevalence")
	q, _ := truth.Models[0].Report.Get("prevalence")
	if treated.Rows.Treated < customers*7/100 || treated.Rows.Treated+treated.Rows.Judged != customers || truth.Rows.Treated != 0 {
		t.Errorf("rows %+v, and %+v without coupons", treated.Rows, truth.Rows)
	}
	if math.Abs(treated.Models[0].Report.Weight/customers-1) > 0.03 {
		t.Errorf("%d untreated rows stand for %g of %d", treated.Rows.Judged, treated.Models[0].Report.Weight, customers)
	}
	if want := auc(t, truth); want < e.Low || want > e.High || math.Abs(e.Value-want) > 0.02 {
		t.Errorf("auc %v among the untreated, %g without coupons", e, want)
	}
	if q.Value < p.Low || q.Value > p.High {
		t.Errorf("prevalence %v among the untreated, %v without coupons", p, q)
	}
}

// Rows in which a kept column is equal depend on each other, if the pipeline says so.
func TestAnEvaluationClustersByAKeptColumn(t *testing.T) {
	width := map[string]float64{}
	for _, cluster := range []string{"", ", cluster: segment"} {
		w := configured(t, 500, "labels: { files: \"labels/retailer/{batch}/*.parquet\", contract: labels.yaml"+cluster+" }\n", nil,
			map[string]string{"labels.yaml": shipped(t, "labels.yaml")})
		w.deliver("2024-01", retailer.Options{})
		w.mustScore("2024-01")
		w.write("a.parquet", w.outcomes(nil))
		w.complete()
		w.evaluate(nil)
		_, papers := w.evaluations()
		auc, ok := papers[0].Models[0].Report.Get("auc")
		if !ok || strings.TrimPrefix(cluster, ", cluster: ") != papers[0].Request.Cluster {
			t.Fatalf("auc %v, the request has cluster %q", auc, papers[0].Request.Cluster)
		}
		width[papers[0].Request.Cluster] = auc.High - auc.Low
	}
	if width[""] == width["segment"] {
		t.Errorf("the interval is %v wide, whatever the clusters are", width[""])
	}
}

// A publication starts the evaluation, which outlives it.
func TestAPublicationIsEvaluatedLater(t *testing.T) {
	w := configured(t, 200, "labels: { files: \"labels/retailer/{batch}/*.parquet\", contract: labels.yaml }\n", nil,
		map[string]string{"labels.yaml": shipped(t, "labels.yaml")})
	w.deliver("2024-01", retailer.Options{})
	w.write("a.parquet", w.outcomes(nil))
	w.complete()
	for _, again := range []bool{false, true} {
		env := w.env()
		var started []string
		env.SetOnChildWorkflowStartedListener(func(info *workflow.Info, _ workflow.Context, args converter.EncodedValues) {
			var in workflows.EvaluateBatchInput
			if err := args.Get(&in); err != nil || in.Batch != "2024-01" || in.Pipeline != "retailer" || in.By != "test" {
				t.Errorf("%v, %+v", err, in)
			}
			started = append(started, info.WorkflowExecution.ID)
		})
		if again {
			env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: "again"})
		}
		env.ExecuteWorkflow(workflows.ScoreBatch, workflows.ScoreBatchInput{Pipeline: "retailer", Batch: "2024-01", By: "test"})
		if err := env.GetWorkflowError(); err != nil || !slices.Equal(started, []string{"evaluate/retailer/2024-01"}) {
			t.Errorf("%v, started %q", err, started)
		}
	}
	log, err := registry.Load(t.Context(), w.bucket, "retailer")
	if err != nil || log.State().Batches["2024-01"].Publication != 1 {
		t.Errorf("%v, %+v", err, log.State().Batches)
	}
}

// A training that is due is started by the evaluation, and outlives it.
func TestAnEvaluationStartsATraining(t *testing.T) {
	for _, tt := range []struct {
		name, policy string
		starts       bool
	}{
		{"after every batch", "retrain: { every: 1, cooldown: 1 }\n", true},
		{"after many batches", "retrain: { every: 6, cooldown: 1 }\n", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := configured(t, 200, "labels: { files: \"labels/retailer/{batch}/*.parquet\", contract: labels.yaml }\ntraining: { windows: [1] }\n"+tt.policy, nil,
				map[string]string{"labels.yaml": shipped(t, "labels.yaml")})
			w.deliver("2024-01", retailer.Options{})
			w.mustScore("2024-01")
			w.write("a.parquet", w.outcomes(nil))
			w.complete()
			var started []string
			out, _ := w.evaluate(func(env *testsuite.TestWorkflowEnvironment) {
				env.SetOnChildWorkflowStartedListener(func(info *workflow.Info, _ workflow.Context, args converter.EncodedValues) {
					var in workflows.RetrainInput
					if err := args.Get(&in); err != nil || !in.Automatic || in.Pipeline != "retailer" || in.By != "headgate" || in.Reason == "" {
						t.Errorf("%v, %+v", err, in)
					}
					started = append(started, info.WorkflowExecution.ID)
				})
			})
			if out.Retraining != tt.starts || (len(started) == 1 && started[0] == "retrain/retailer") != tt.starts || len(started) > 1 {
				t.Errorf("started %q, %+v", started, out)
			}
		})
	}
}
