package workflows_test

import (
	"bytes"
	"errors"
	"iter"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"headgate/internal/columnar"
	"headgate/internal/evaluate"
	"headgate/internal/evidence"
	"headgate/internal/labels"
	"headgate/internal/registry"
	"headgate/internal/retailer"
	"headgate/internal/run"
	"headgate/internal/store"
	"headgate/workflows"
)

// learning is what a pipeline file says of labels and training in these tests.
const learning = `labels: { files: "labels/retailer/{batch}/*.parquet", contract: labels.yaml, due: 1s }
training:
  windows: [1, 0]
  parameters: { num_iterations: "12", num_leaves: "7", learning_rate: "0.3" }
  calibrate: platt
  seed: 7
`

// learnWorld is a world with labels: so many customers a month, each month scored and
// with labels.
func learnWorld(t *testing.T, customers int, more string, months ...string) *world {
	t.Helper()
	return settledWorld(t, customers, learning+more, months...)
}

// settledWorld is a learnWorld with other settings.
func settledWorld(t *testing.T, customers int, settings string, months ...string) *world {
	t.Helper()
	contract, err := os.ReadFile("../testdata/retailer/labels.yaml")
	if err != nil {
		t.Fatal(err)
	}
	w := configured(t, customers, settings, nil, map[string]string{"labels.yaml": string(contract)})
	for _, month := range months {
		w.deliver(month, retailer.Options{})
		w.mustScore(month)
		w.label(month, nil)
	}
	return w
}

// An outcome says whether a customer bought, by the row of the features and what the
// shop's own truth is.
type outcomeOf func(features arrow.Record, row int, bought bool) bool

// label writes a month's labels with the marker of completeness, and enters that
// somebody has evaluated them.
func (w *world) label(month string, of outcomeOf) {
	w.t.Helper()
	w.enterEvaluation(month, w.writeLabels(month, of), nil)
}

// writeLabels writes a month's labels and returns their version.
func (w *world) writeLabels(month string, of outcomeOf) store.Digest {
	w.t.Helper()
	var buf bytes.Buffer
	var out *columnar.Writer
	next, stop := iter.Pull2(w.shop.Month(month))
	defer stop()
	for rec, err := range w.shop.Labels(month, nil) {
		features, featuresErr, _ := next()
		if err := errors.Join(err, featuresErr); err != nil {
			w.t.Fatal(err)
		}
		if out == nil {
			if out, err = columnar.Create(&buf, rec.Schema(), nil); err != nil {
				w.t.Fatal(err)
			}
		}
		if err := out.Write(relabelled(rec, features, of)); err != nil {
			w.t.Fatal(err)
		}
	}
	dir := filepath.Join("labels", "retailer", month)
	if err := errors.Join(out.Close(), os.MkdirAll(filepath.Join(w.dir, dir), 0o777),
		os.WriteFile(filepath.Join(w.dir, dir, "0.parquet"), buf.Bytes(), 0o644),
		os.WriteFile(filepath.Join(w.dir, dir, "_COMPLETE"), nil, 0o644)); err != nil {
		w.t.Fatal(err)
	}
	return w.findLabels(month)
}

// findLabels pins the label files of a month.
func (w *world) findLabels(month string) store.Digest {
	w.t.Helper()
	log, err := registry.Load(w.t.Context(), w.bucket, "retailer")
	if err != nil {
		w.t.Fatal(err)
	}
	prefix := "labels/retailer/" + month + "/"
	v, err := labels.Find(w.t.Context(), w.bucket, labels.Version{Format: labels.Format, Pipeline: "retailer", Batch: month, Contract: log.State().LabelsContract},
		labels.Where{Prefix: prefix, Marker: prefix + "_COMPLETE", Match: func(key string) bool { return filepath.Ext(key) == ".parquet" }})
	if err != nil {
		w.t.Fatal(err)
	}
	d, err := labels.Save(w.t.Context(), w.bucket, v)
	if err != nil {
		w.t.Fatal(err)
	}
	return d
}

// relabelled returns labels with other outcomes.
func relabelled(rec, features arrow.Record, of outcomeOf) arrow.Record {
	if of == nil {
		return rec
	}
	at := rec.Schema().FieldIndices("bought")[0]
	bought := rec.Column(at).(*array.Boolean)
	b := array.NewBooleanBuilder(memory.DefaultAllocator)
	for i := range bought.Len() {
		b.Append(of(features, i, bought.Value(i)))
	}
	cols := append([]arrow.Array{}, rec.Columns()...)
	cols[at] = b.NewArray()
	return array.NewRecord(rec.Schema(), cols, rec.NumRows())
}

// enterEvaluation enters that a month's labels were held against its scores; estimates are
// those of the champion.
func (w *world) enterEvaluation(month string, version store.Digest, estimates map[evaluate.Metric]evaluate.Estimate) {
	w.t.Helper()
	log, err := registry.Load(w.t.Context(), w.bucket, "retailer")
	if err != nil {
		w.t.Fatal(err)
	}
	state := log.State()
	model := state.Aliases[registry.AliasChampion]
	e := evidence.Evaluation{Format: evidence.Format, Pipeline: "retailer", Batch: month, Run: state.Batches[month].Run, Verdict: registry.VerdictPass,
		Labels: evidence.LabelSummary{Version: version, Files: 1, Complete: true}}
	report := &evaluate.Report{Rows: 1}
	for _, m := range []evaluate.Metric{evaluate.AUC, evaluate.Slope} {
		if estimate, ok := estimates[m]; ok {
			report.Metrics = append(report.Metrics, evaluate.Measured{Metric: m, Estimate: estimate})
		}
	}
	e.Models = []evidence.Model{{Model: model, Role: evidence.RoleChampion, Rows: 1, Report: report}}
	data, err := run.Encode(e)
	if err != nil {
		w.t.Fatal(err)
	}
	ref, err := w.bucket.PutBlob(w.t.Context(), data)
	if err != nil {
		w.t.Fatal(err)
	}
	_, err = log.Append(w.t.Context(), registry.Entry{Kind: registry.KindEvaluated, ID: "evaluated/" + month + "/" + string(ref.Digest), At: testTime, By: "test",
		Batch: month, Run: e.Run, Model: model, Labels: version, Paper: ref.Digest, Verdict: e.Verdict})
	if err != nil {
		w.t.Fatal(err)
	}
}

var testTime = time.Date(2024, 7, 1, 0, 0, 0, 0, time.UTC)

// anything is what package mock calls an argument that does not matter.
const anything = "mock.Anything"

// retrain runs Retrain and returns its output or its error.
func (w *world) retrain(in workflows.RetrainInput) (workflows.RetrainOutput, error) {
	env := w.retrainEnv()
	in.Pipeline = "retailer"
	if in.By == "" {
		in.By, in.Reason = "ann", "May's labels tell of a change"
	}
	env.ExecuteWorkflow(workflows.Retrain, in)
	var out workflows.RetrainOutput
	err := env.GetWorkflowResult(&out)
	return out, err
}

// retrainEnv is an environment in which a release starts, and does nothing.
func (w *world) retrainEnv() *testsuite.TestWorkflowEnvironment {
	env := w.env()
	// No release hears the signal, so one is started.
	env.OnWorkflow(workflows.Release, anything, workflows.ReleaseInput{Pipeline: "retailer"}).Return(
		func(workflow.Context, workflows.ReleaseInput) (workflows.ReleaseOutput, error) {
			w.offered.Add(1)
			return workflows.ReleaseOutput{}, nil
		})
	return env
}

func (w *world) mustRetrain(in workflows.RetrainInput) workflows.RetrainOutput {
	w.t.Helper()
	out, err := w.retrain(in)
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

// shuffled gives every customer the outcome of a coin that lands as often as they buy.
func shuffled(seed uint64) outcomeOf {
	draw := rand.New(rand.NewPCG(seed, 0))
	return func(arrow.Record, int, bool) bool { return draw.Float64() < 0.15 }
}

// nobody buys.
func nobody(arrow.Record, int, bool) bool { return false }

// sameAs gives every customer the value of a boolean feature as the outcome.
func sameAs(feature string) outcomeOf {
	return func(features arrow.Record, row int, _ bool) bool {
		return features.Column(features.Schema().FieldIndices(feature)[0]).(*array.Boolean).Value(row)
	}
}

// learnable delivers, scores and labels a month.
func (w *world) learnable(month string, of outcomeOf) {
	w.t.Helper()
	w.deliver(month, retailer.Options{})
	w.mustScore(month)
	w.label(month, of)
}

// learned is a world with two months that one model is learned from.
func learned(t *testing.T) *world {
	t.Helper()
	return settledWorld(t, 800, strings.Replace(learning, "[1, 0]", "[0]", 1), "2024-01", "2024-02")
}

// retrainTask trains and returns the output without the anchor.
func retrainTask(w *world) string {
	out := w.mustRetrain(workflows.RetrainInput{})
	if len(out.Candidates) != 1 {
		w.t.Errorf("a training without candidates: %+v", out)
	}
	out.Anchor = ""
	return asJSON(w.t, out)
}

// logged returns the registry's entries of some kinds.
func (w *world) logged(kinds ...string) []registry.Entry {
	w.t.Helper()
	return slices.DeleteFunc(w.registry().Entries(), func(e registry.Entry) bool { return !slices.Contains(kinds, e.Kind) })
}
