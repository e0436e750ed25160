package workflows_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"headgate/activities"
	"headgate/internal/evaluate"
	"headgate/internal/gate"
	"headgate/internal/pipeline"
	"headgate/internal/registry"
	"headgate/internal/release"
	"headgate/internal/retailer"
	"headgate/internal/run"
	"headgate/internal/store"
	"headgate/workflows"
)

const canaryMonth = "2024-01"

// looped is a world with a pipeline that has labels, and a month on its way.
func looped(t *testing.T, customers int, o retailer.Options, more ...string) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), shop: retailer.World{Seed: 1, Customers: customers}}
	var err error
	if w.bucket, err = store.Open(t.Context(), w.dir); err != nil {
		t.Fatal(err)
	}
	w.closeLoop(more...)
	w.deliver(canaryMonth, o)
	return w
}

// closeLoop registers the shipped pipeline with labels, and more.
func (w *world) closeLoop(more ...string) {
	w.t.Helper()
	w.register(w.pipelineFile("labels: { files: \"labels/{batch}/*.parquet\", contract: labels.yaml }\n"+strings.Join(more, ""), nil, map[string]string{"labels.yaml": shippedLabels(w.t)}))
}

// registry reads the log of the pipeline.
func (w *world) registry() *registry.Log {
	w.t.Helper()
	log, err := registry.Load(context.Background(), w.bucket, "retailer")
	if err != nil {
		w.t.Fatal(err)
	}
	return log
}

func (w *world) add(e registry.Entry) {
	w.t.Helper()
	e.At, e.By = time.Unix(1.7e9, 0).UTC(), "test"
	if _, err := w.registry().Append(context.Background(), e); err != nil {
		w.t.Fatal(err)
	}
}

// champion returns the champion in force.
func (w *world) champion() store.Digest { return w.registry().State().Aliases["champion"] }

// route puts a routing in force: shares of models beside the champion, and shadows.
func (w *world) route(step string, shares map[store.Digest]int, shadow ...store.Digest) *release.Routing {
	w.t.Helper()
	r := &release.Routing{Format: release.Format, Release: "test", Step: step, Salt: "salt of the test", Arms: []release.Arm{{Model: string(w.champion()), Share: release.Whole}}}
	for m, share := range shares {
		w.lets(step, m)
		r.Arms = append(r.Arms, release.Arm{Model: string(m), Share: share})
		r.Arms[0].Share -= share
	}
	for _, m := range shadow {
		r.Shadow = append(r.Shadow, string(m))
	}
	paper, err := run.SaveBlob(context.Background(), w.bucket, r)
	if err != nil {
		w.t.Fatal(err)
	}
	w.add(registry.Entry{Kind: registry.KindRouting, ID: fmt.Sprintf("routing/%d", w.registry().Head()), Release: "test", Step: step, Paper: paper})
	return r
}

// lets enters a verdict that lets a candidate go so far.
func (w *world) lets(step string, m store.Digest) {
	w.t.Helper()
	state := w.registry().State()
	file, err := w.bucket.GetBlob(context.Background(), state.Pipeline)
	if err != nil {
		w.t.Fatal(err)
	}
	c, err := pipeline.Parse("pipeline file", file)
	if err != nil {
		w.t.Fatal(err)
	}
	none := &evaluate.Estimate{Level: 0.95}
	policy := c.Gates
	if policy == nil {
		policy = gate.Default()
	}
	d, err := gate.Judge(policy, gate.Canary, gate.Evidence{
		Release: gate.Case{At: time.Unix(1.7e9, 0).UTC(), Pipeline: "retailer", Release: "test", Step: step, Model: string(m), Champion: string(w.champion())},
		Data:    &gate.Data{Verdict: gate.Pass, Rows: 1},
		Compare: &gate.Compare{Rows: 1, PSI: none, Shift: none, Flips: none, Volume: &gate.Volume{P: 1}}}, nil)
	if err != nil || d.Verdict != gate.Pass {
		w.t.Fatalf("%v %+v", err, d)
	}
	paper, err := run.SaveBlob(context.Background(), w.bucket, d)
	if err != nil {
		w.t.Fatal(err)
	}
	w.add(registry.Entry{Kind: registry.KindAdvance, ID: fmt.Sprintf("advance/%d", w.registry().Head()), Release: "test", Step: step, Model: m,
		Verdict: registry.VerdictPass, Paper: paper, Reasons: d.Reasons})
}

// entries lists the entries of some kinds that are about a batch.
func (w *world) entries(kinds ...string) (out []registry.Entry) {
	for _, e := range w.registry().Entries() {
		if slices.Contains(kinds, e.Kind) && e.Batch != "" {
			out = append(out, e)
		}
	}
	return out
}

// table returns the rows of the current publication as maps.
func (w *world) table(month string) (out []map[string]string) {
	for _, line := range w.rows("scores/retailer/batch=" + month) {
		row := map[string]string{}
		for _, cell := range strings.Split(line, " ") {
			name, value, _ := strings.Cut(cell, "=")
			row[name] = value
		}
		out = append(out, row)
	}
	return out
}

func number(t *testing.T, text string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// scoresOf returns what a model said by customer, wherever its scores are.
func (w *world) scoresOf(name, m store.Digest) map[string]float64 {
	w.t.Helper()
	dir := run.Short(m)
	if m == w.champion() {
		dir = "champion"
	}
	out := map[string]float64{}
	for _, line := range w.rows(run.Dir("retailer", canaryMonth, name) + "/scores/" + dir + "/") {
		var id string
		for _, cell := range strings.Split(line, " ") {
			key, value, _ := strings.Cut(cell, "=")
			switch key {
			case "customer_id":
				id = value
			case "pred_0":
				out[id] = number(w.t, value)
			}
		}
	}
	return out
}

// currentRows returns the rows of the files of one run: those of former publications stay
// in the table's folder.
func (w *world) currentRows(out workflows.ScoreBatchOutput) (rows []map[string]string) {
	for _, row := range w.table(canaryMonth) {
		if row["run"] == string(out.Run) {
			rows = append(rows, row)
		}
	}
	return rows
}

// championOnly returns the rows of the month as the champion alone publishes them,
// without the name of the run.
func championOnly(t *testing.T, w *world) []string {
	t.Helper()
	alone := w.twin(t)
	if out := alone.mustScore(canaryMonth); out.Verdict != "pass" {
		t.Fatalf("%+v", out)
	}
	return alone.rows("scores/retailer/", "run")
}

func (w *world) republish(m store.Digest) activities.PublishOutput {
	w.t.Helper()
	env := w.env()
	env.ExecuteWorkflow(workflows.RepublishBatch, workflows.RepublishBatchInput{Pipeline: "retailer", Batch: canaryMonth, Model: m, By: "test", Reason: "the test says so"})
	var out activities.PublishOutput
	if err := env.GetWorkflowResult(&out); err != nil {
		w.t.Fatal(err)
	}
	return out
}

func (w *world) shadow(models ...store.Digest) (workflows.ShadowBatchOutput, error) {
	env := w.env()
	env.ExecuteWorkflow(workflows.ShadowBatch, workflows.ShadowBatchInput{Pipeline: "retailer", Batch: canaryMonth, Models: models, By: "test"})
	var out workflows.ShadowBatchOutput
	err := env.GetWorkflowResult(&out)
	return out, err
}

// scoreFiles returns the digests of the score files that a model's shadow entry names.
func (w *world) scoreFiles(m store.Digest) (files []store.Digest) {
	w.t.Helper()
	for _, e := range w.entries(registry.KindShadow) {
		if e.Model != m {
			continue
		}
		var s run.Scored
		if err := run.LoadBlob(context.Background(), w.bucket, e.Paper, &s); err != nil {
			w.t.Fatal(err)
		}
		for _, shard := range s.Shards {
			files = append(files, shard.Scores.Digest)
		}
	}
	return files
}

// current returns the rows of the current publication as sorted lines.
func (w *world) current(without ...string) []string {
	w.t.Helper()
	var all []string
	for _, key := range w.currentFiles() {
		all = append(all, w.rows(key, without...)...)
	}
	slices.Sort(all)
	return all
}

// whySays asks for the origin of a row that a model scored.
func (w *world) whySays(m store.Digest) {
	w.t.Helper()
	for _, row := range w.table(canaryMonth) {
		if row["model"] != string(m) {
			continue
		}
		o, err := w.auditor().Why(context.Background(), canaryMonth, row["customer_id"])
		if err != nil || o.Model != m || o.Champion != w.champion() || len(o.LetIn) != 1 {
			w.t.Errorf("%v, %+v", err, o)
		}
		return
	}
	w.t.Error(errors.New("no row has a score of the model"))
}
