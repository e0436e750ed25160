package workflows_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.temporal.io/sdk/temporal"

	"headgate/internal/gate"
	"headgate/internal/registration"
	"headgate/internal/registry"
	"headgate/internal/release"
	"headgate/internal/retailer"
	"headgate/internal/run"
	"headgate/internal/store"
	"headgate/internal/worker"
	"headgate/workflows"
)

// stepwise are settings of a short canary: one labelled batch in shadow, one of 10 %, and
// one under watch. Labels are due at once, and probabilities decide.
const stepwise = `labels: { files: "labels/retailer/{batch}/*.parquet", contract: labels.yaml, due: 1s }
gates:
  looks: 1
  advance: { success: [logLoss], guardrails: { auc: 0.05 }, calibration: none }
  reverse: { metrics: [logLoss], looks: 1 }
release:
  strategy: canary
  shadow: 1
  steps: [10%, 100%]
  watch: 1
  extend: 0
  approve: { steps: [10%] }
`

// stepping is a world whose champion says too much to everybody, with a scored and
// labelled January. It returns a candidate that is right, and learned before.
func stepping(t *testing.T, settings string) (w *world, candidate store.Digest) {
	t.Helper()
	w = &world{t: t, dir: t.TempDir(), shop: retailer.World{Seed: 1, Customers: 600}}
	var err error
	if w.bucket, err = store.Open(t.Context(), w.dir); err != nil {
		t.Fatal(err)
	}
	_, err = registration.Request{Pipeline: w.pipelineFile(settings, nil, map[string]string{"labels.yaml": shippedLabels(t)}),
		By: "test", At: time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)}.Do(t.Context(), w.bucket, worker.Formats())
	if err != nil {
		t.Fatal(err)
	}
	champion := w.challenger("lightgbm", 1.5, 1)
	w.add(registry.Entry{Kind: registry.KindPromote, ID: "promote/first", Alias: registry.AliasChampion, Model: champion})
	w.month("2024-01")
	return w, w.challenger("lightgbm", 0, 1)
}

// month delivers and scores a month, and evaluates it: labels are there at once.
func (w *world) month(name string) workflows.ScoreBatchOutput {
	w.t.Helper()
	w.deliver(name, retailer.Options{})
	out := w.mustScore(name)
	w.matured(name)
	return out
}

// matured delivers a month's labels and evaluates it.
func (w *world) matured(name string) {
	w.t.Helper()
	dir := filepath.Join(w.dir, "labels", "retailer", name)
	var file bytes.Buffer
	err := errors.Join(w.shop.WriteLabels(w.t.Context(), &file, name, nil), os.MkdirAll(dir, 0o777),
		os.WriteFile(filepath.Join(dir, "labels.parquet"), file.Bytes(), 0o666), os.WriteFile(filepath.Join(dir, "_COMPLETE"), nil, 0o666))
	if err != nil {
		w.t.Fatal(err)
	}
	env := w.env()
	env.ExecuteWorkflow(workflows.EvaluateBatch, workflows.EvaluateBatchInput{Pipeline: "retailer", Batch: name, By: "test"})
	var out workflows.EvaluateBatchOutput
	if err := env.GetWorkflowResult(&out); err != nil || out.Verdict != "pass" {
		w.t.Errorf("evaluate %s: %v %+v", name, err, out)
	}
}

// learned asks for the release of a model that has learned up to December.
func (th *theatre) learned(model store.Digest) {
	th.after(0, func() {
		th.tell(workflows.UpdateStart, workflows.ReleaseStart{Model: string(model), Batch: "2023-12", By: "eve", Reason: "the champion says too much"})
	})
}

func TestACanaryFromTheShadowToTheWatch(t *testing.T) {
	w, candidate := stepping(t, stepwise)
	th := w.theatre()
	th.learned(candidate)
	th.after(time.Hour, func() { th.yes("ann") })
	th.after(2*24*time.Hour, func() {
		if card := th.card(); card.Step != "10%" || card.Stage != "Wait" {
			t.Errorf("card %s", asJSON(t, card))
		}
		out := w.month("2024-02")
		if len(out.Models) != 2 || out.Models[1].Model != candidate || out.Models[1].Rows == 0 {
			t.Errorf("February was served by %v", out.Models)
		}
		th.env.SignalWorkflow(workflows.SignalWake, nil)
	})
	th.after(4*24*time.Hour, func() {
		w.month("2024-03")
		th.tell(workflows.UpdateRetryNow, workflows.RetryNow{By: "ann", Reason: "March is there"})
	})
	out := th.mustRun()
	if out.Champion != candidate || out.Outcome != "released" {
		t.Errorf("%+v", out)
	}
	t.Log(strings.Join(w.happened(), "\n"))
	w.audited("2024-02")
	// The candidate is far from the champion, which is why it was released, and what it was
	// in the shadow.
	for _, e := range w.logged(registry.KindAdvance) {
		var d gate.Decision
		if err := run.LoadBlob(t.Context(), w.bucket, e.Paper, &d); err != nil {
			t.Fatal(err)
		}
		if d.Subject != gate.Canary {
			continue
		}
		c := d.Evidence.Compare
		if c == nil || c.Moved == nil || !(c.PSI.Low > 0.5) || !(c.Moved.PSI.High < 0.05) || !slices.Equal(c.Moved.Batches, []string{"2024-01"}) || c.Moved.Rows < 500 {
			t.Errorf("the canary rests on %s", asJSON(t, c))
		}
		return
	}
	t.Error("no canary was judged")
}

// A canary that turns bad is rejected, its routing goes, and the month is the champion's.
func TestACanaryThatTurnsBad(t *testing.T) {
	w, candidate := stepping(t, strings.Replace(stepwise, "  reverse", "  canary: { rules: [{ id: near, rule: compare.shift.low > -0.01 }] }\n  reverse", 1))
	before := w.champion()
	th := w.theatre()
	th.learned(candidate)
	th.after(time.Hour, func() { th.yes("ann") })
	th.after(48*time.Hour, func() {
		if out := w.month("2024-02"); len(out.Models) > 1 {
			t.Errorf("February was served by %v", out.Models)
		}
		th.env.SignalWorkflow(workflows.SignalWake, nil)
	})
	out := th.mustRun()
	if out.Champion != before || out.Outcome != "rejected" {
		t.Errorf("%+v", out)
	}
	w.stoodDown(candidate)
	w.audited("2024-02")
}

// stoodDown checks that a candidate serves nobody any more, and that no published row has
// its score.
func (w *world) stoodDown(candidate store.Digest) {
	w.t.Helper()
	state := w.registry().State()
	if state.Rejected[candidate] == "" {
		w.t.Errorf("%s is not rejected", candidate)
	}
	if state.Routing != "" {
		var routing release.Routing
		if err := run.LoadBlob(w.t.Context(), w.bucket, state.Routing, &routing); err != nil || len(routing.Arms) > 1 {
			w.t.Errorf("routing %+v (%v)", routing, err)
		}
	}
	for batch := range state.Batches {
		if models := w.served(batch); slices.Contains(models, candidate) {
			w.t.Errorf("%s has rows of %v", batch, models)
		}
	}
}

// served returns the models whose scores the current publication of a batch has.
func (w *world) served(batch string) []store.Digest {
	w.t.Helper()
	var last registry.Entry
	for _, e := range w.entries(registry.KindPublished) {
		if e.Batch == batch && e.Publication > last.Publication {
			last = e
		}
	}
	if last.Paper == "" {
		return []store.Digest{last.Model}
	}
	var serving run.Serving
	if err := run.LoadBlob(w.t.Context(), w.bucket, last.Paper, &serving); err != nil {
		w.t.Error(err)
	}
	return serving.Models()
}

// beganCanary lets a release begin, and come to 10 % and a month that the candidate served in
// part; then it does something.
func beganCanary(t *testing.T, then func(th *theatre)) (*theatre, store.Digest) {
	t.Helper()
	return beganCanaryOf(t, strings.Replace(stepwise, "steps: [10%, 100%]", "steps: [10%, 100%]\n  batches: 2", 1), func(*world) {}, then)
}

// beganCanaryOf is beganCanary with other settings; before does something to the world.
func beganCanaryOf(t *testing.T, settings string, before func(*world), then func(th *theatre)) (*theatre, store.Digest) {
	t.Helper()
	w, candidate := stepping(t, settings)
	before(w)
	th := w.theatre()
	th.learned(candidate)
	th.after(time.Hour, func() { th.yes("ann") })
	th.after(48*time.Hour, func() {
		w.deliver("2024-02", retailer.Options{})
		if out := w.mustScore("2024-02"); len(out.Models) != 2 || th.card().Step != "10%" {
			t.Errorf("February was served by %v: %s", out.Models, asJSON(t, th.card()))
		}
		th.env.SignalWorkflow(workflows.SignalWake, nil)
	})
	th.after(72*time.Hour, func() { then(th) })
	return th, candidate
}

func TestARollbackTakesTheRowsOfACanaryBack(t *testing.T) {
	th, candidate := beganCanary(t, func(th *theatre) {
		th.tell(workflows.UpdateRollback, workflows.ReleaseRollback{By: "ann", Reason: "odd scores"})
	})
	before := th.champion()
	out := th.mustRun()
	th.said[2].mustHear(t, "")
	if out.Champion != before || out.Outcome != "rejected" {
		t.Errorf("%+v", out)
	}
	th.stoodDown(candidate)
	th.audited("2024-02")
}

func TestACancelledReleaseTakesTheCanaryBack(t *testing.T) {
	th, candidate := beganCanary(t, func(th *theatre) { th.env.CancelWorkflow() })
	_, err := th.run()
	if !temporal.IsCanceledError(err) {
		t.Errorf("err = %v", err)
	}
	if card := th.card(); card.Stage != "Cancelled" || card.Next.Kind == release.DoRepublish {
		t.Errorf("card %s", asJSON(t, card))
	}
	th.stoodDown(candidate)
	th.audited("2024-02")
	if why := th.registry().State().Rejected[candidate]; why != "the release ended before its time: cancelled" {
		t.Errorf("rejected because %q", why)
	}
}

// scoredDuring scores a month during which something happens, before or after the first
// write to such a key.
func (w *world) scoredDuring(month, key string, after bool, do func()) {
	w.t.Helper()
	scoring := &world{t: w.t, dir: w.dir, shop: w.shop, runs: 500}
	happened := false
	scoring.bucket = w.bucket.Intercept(func(_ context.Context, c store.Call, call func() error) error {
		now := c.Name == store.CallPut && strings.HasPrefix(c.Key, key) && !happened
		happened = happened || now
		if now && !after {
			do()
		}
		err := call()
		if now && after {
			do()
		}
		return err
	})
	scoring.mustScore(month)
	if !happened {
		w.t.Errorf("nothing was written to %s", key)
	}
}
