package workflows_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"headgate/activities"
	"headgate/internal/audit"
	"headgate/internal/registry"
	"headgate/internal/retailer"
	"headgate/internal/store"
	"headgate/workflows"
)

// backfill scores months again.
func (w *world) backfill(in workflows.BackfillInput) (workflows.BackfillOutput, error) {
	env := w.env()
	in.Pipeline, in.By, in.Reason = "retailer", "test", "the test needs it"
	env.ExecuteWorkflow(workflows.Backfill, in)
	var out workflows.BackfillOutput
	err := env.GetWorkflowResult(&out)
	return out, err
}

// backfilled says in a line what came of each month.
func (w *world) backfilled(in workflows.BackfillInput) []string {
	w.t.Helper()
	out, err := w.backfill(in)
	if err != nil {
		w.t.Fatal(err)
	}
	var all []string
	for _, b := range out.Batches {
		text := fmt.Sprintf("%s %s %d", b.Batch, b.Outcome, b.Publication)
		if b.Changed != nil {
			text += fmt.Sprintf(" changes %d", *b.Changed)
		}
		if b.Restated {
			text += " restated"
		}
		if b.Reason != "" {
			text += ": " + b.Reason
		}
		all = append(all, text)
	}
	return all
}

func (w *world) wantBackfilled(in workflows.BackfillInput, want ...string) {
	w.t.Helper()
	if got := w.backfilled(in); !slices.Equal(got, want) {
		w.t.Errorf("backfill %+v: %q, want %q", in, got, want)
	}
}

// another makes another model the champion.
func (w *world) another() store.Digest {
	w.t.Helper()
	m := w.challenger("lightgbm", -1, 0.5)
	_, err := w.registry().Append(w.t.Context(), registry.Entry{Kind: registry.KindPromote, ID: "promote", Alias: registry.AliasChampion,
		Model: m, Decision: m, At: time.Date(2024, 6, 1, 0, 0, 0, 0, time.UTC), By: "test"})
	if err != nil {
		w.t.Fatal(err)
	}
	return m
}

// again scores one month again, by itself.
func (w *world) again(month, mode string) workflows.ScoreBatchOutput {
	w.t.Helper()
	env := w.env()
	env.ExecuteWorkflow(workflows.ScoreBatch, workflows.ScoreBatchInput{Pipeline: "retailer", Batch: month, By: "test",
		Backfill: &activities.Backfill{Mode: mode, Replace: true, Reason: "once more"}})
	var out workflows.ScoreBatchOutput
	if err := env.GetWorkflowResult(&out); err != nil {
		w.t.Fatal(err)
	}
	return out
}

func TestABackfillFillsGapsAndKeepsWhatIsPublished(t *testing.T) {
	w := newWorld(t, 200)
	for _, month := range []string{"2024-01", "2024-02", "2024-04"} {
		w.deliver(month, retailer.Options{})
	}
	w.mustScore("2024-02")
	w.wantBackfilled(workflows.BackfillInput{From: "2024-01", To: "2024-04", Mode: activities.AsNow},
		"2024-01 published 1", "2024-02 kept 0: it is published as publication 1",
		"2024-03 failed 0: no file matches \"incoming/retailer/{batch}/*.parquet\" for batch 2024-03 in file://"+w.dir+"; deliver the batch or correct input.files",
		"2024-04 published 1")
	e, found := w.registry().Find("published/2024-04/1")
	if !found || e.Reason != "the test needs it" || e.Restated || e.Changed != nil {
		t.Errorf("%+v", e)
	}
	w.audited("2024-01")
}

func TestABackfillAsWasTakesTheModelOfThatMonth(t *testing.T) {
	w := newWorld(t, 200)
	w.deliver("2024-01", retailer.Options{})
	first := w.mustScore("2024-01")
	month := workflows.BackfillInput{From: "2024-01", To: "2024-01", Replace: true, Mode: activities.AsWas}
	next := w.another()
	w.wantBackfilled(month, "2024-01 unchanged 1")

	month.Mode = activities.AsNow
	w.wantBackfilled(month, "2024-01 published 2 changes 200")
	if e, _ := w.registry().Find("published/2024-01/2"); e.Model != next || *e.Changed != 200 || e.Restated {
		t.Errorf("as now: %+v", e)
	}
	month.Mode = activities.AsWas
	if out := w.again("2024-01", activities.AsWas); out.Publication != 3 || *out.Changed != 200 || out.Model != first.Model {
		t.Errorf("as was, after as now: %+v", out)
	}
	if e, _ := w.registry().Find("published/2024-01/3"); e.Model != first.Model || e.Run != first.Run || e.Restated {
		t.Errorf("as was: %+v", e)
	}
	w.add(registry.Entry{Kind: registry.KindRejected, ID: "rejected", Model: first.Model, Reason: "it turned bad"})
	if got := w.backfilled(month); len(got) != 1 || !strings.Contains(got[0], "was rejected since (it turned bad); backfill it as-now") {
		t.Errorf("as was, by a rejected model: %q", got)
	}
}

func TestABackfillFromOtherInputIsRestated(t *testing.T) {
	w := newWorld(t, 200)
	w.deliver("2024-01", retailer.Options{})
	w.mustScore("2024-01")
	w.another()
	w.shop.Seed = 2 // other customers
	w.deliver("2024-01", retailer.Options{})
	got := w.backfilled(workflows.BackfillInput{From: "2024-01", To: "2024-01", Replace: true, Mode: activities.AsWas})
	if len(got) != 1 || !strings.HasPrefix(got[0], "2024-01 published 2 changes ") || !strings.HasSuffix(got[0], " restated") {
		t.Errorf("%q", got)
	}
	if e, _ := w.registry().Find("published/2024-01/2"); !e.Restated {
		t.Errorf("%+v", e)
	}
	if r, err := w.auditor().Verify(t.Context()); err != nil || slices.ContainsFunc(r.Findings, func(f audit.Finding) bool { return strings.Contains(f.Where, "publication") }) {
		t.Errorf("verify: %v %+v", err, r)
	}
}

// What was delivered in a month that was never scored is not recorded.
func TestABackfillOfAMonthThatWasNeverScored(t *testing.T) {
	w := newWorld(t, 200) // registered on 1 January 2024
	w.deliver("2024-02", retailer.Options{})
	w.deliver("2023-12", retailer.Options{})
	first := w.champion()
	w.another() // in June
	w.wantBackfilled(workflows.BackfillInput{From: "2024-02", To: "2024-02", Mode: activities.AsWas}, "2024-02 published 1 restated")
	if e, _ := w.registry().Find("published/2024-02/1"); e.Model != first {
		t.Errorf("published by %s, want the champion of that time, %s", e.Model, first)
	}
	if got := w.backfilled(workflows.BackfillInput{From: "2023-12", To: "2023-12", Mode: activities.AsWas}); !strings.Contains(got[0], "there was no champion yet at the end of 2023-12; backfill it as-now") {
		t.Errorf("before the pipeline: %q", got)
	}
	if _, err := w.backfill(workflows.BackfillInput{From: "2024-03", To: "2024-01", Mode: activities.AsNow}); err == nil || !strings.Contains(err.Error(), "there is no batch between them") {
		t.Errorf("a range the wrong way round: %v", err)
	}
}

// A published batch is acted on after a while. Then nobody replaces it unasked, in a
// backfill or otherwise.
func TestAReplacementOfABatchThatIsActedOnAsks(t *testing.T) {
	w := newWorld(t, 200)
	labels, err := os.ReadFile("../testdata/retailer/labels.yaml")
	if err != nil {
		t.Fatal(err)
	}
	w.register(w.pipelineFile("labels: { files: \"labels/{batch}/*.parquet\", contract: labels.yaml }\nrelease: { approve: { people: [{ name: ann }], actBy: 1h } }\n",
		nil, map[string]string{"labels.yaml": string(labels)}))
	w.deliver(canaryMonth, retailer.Options{})
	w.mustScore(canaryMonth)
	w.shop.Seed = 2
	w.deliver(canaryMonth, retailer.Options{})
	env := w.env()
	env.SetStartTime(time.Now().Add(2 * time.Hour))
	var e exchange
	env.RegisterDelayedCallback(func() {
		e.send(env, "answer", workflows.Answer{Approve: true, By: "ann", Reason: "nobody has called yet", Decision: asked(t, env)})
	}, time.Hour)
	env.ExecuteWorkflow(workflows.ScoreBatch, workflows.ScoreBatchInput{Pipeline: "retailer", Batch: canaryMonth, By: "test"})
	var out workflows.ScoreBatchOutput
	if err := env.GetWorkflowResult(&out); err != nil {
		t.Fatal(err)
	}
	if !e.accepted || out.Publication != 2 || out.Answered != "ann: nobody has called yet" || out.Changed == nil {
		t.Errorf("%+v, %+v", e, out)
	}
	asks := w.entries(registry.KindVerdict)
	if len(asks) != 2 || !strings.Contains(strings.Join(asks[0].Reasons, " "), "publication 1 is acted on since") {
		t.Errorf("%+v", asks)
	}
	// The same run again replaces nothing, so nobody is asked.
	env = w.env()
	env.SetStartTime(time.Now().Add(9 * time.Hour))
	env.ExecuteWorkflow(workflows.ScoreBatch, workflows.ScoreBatchInput{Pipeline: "retailer", Batch: canaryMonth, By: "test"})
	var same workflows.ScoreBatchOutput
	if err := env.GetWorkflowResult(&same); err != nil || !same.Unchanged || same.Answered != "" {
		t.Errorf("%v %+v", err, same)
	}
}
