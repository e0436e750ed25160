package workflows_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"

	"headgate/internal/bundle"
	"headgate/internal/evaluate"
	"headgate/internal/registry"
	"headgate/internal/retailer"
	"headgate/internal/store"
	"headgate/internal/trigger"
	"headgate/internal/worker"
	"headgate/workflows"
)

func TestATrainingEndsWithCandidates(t *testing.T) {
	w := learnWorld(t, 1200, "", "2024-01", "2024-02")
	out := w.mustRetrain(workflows.RetrainInput{})
	if out.Verdict != registry.VerdictPass || len(out.Candidates) != 2 || out.Release == "" {
		t.Fatalf("%+v", out)
	}
	champion := w.logged(registry.KindPromote)
	if len(champion) != 1 {
		t.Errorf("a training promoted: %+v", champion)
	}
	for i, e := range w.logged(registry.KindCandidate) {
		if e.Release != out.Release || e.Batch != "2024-02" || e.Model != out.Candidates[i] {
			t.Errorf("candidate %d is %+v", i, e)
		}
		v, err := bundle.Load(t.Context(), w.bucket, e.Model, worker.Formats())
		if err != nil {
			t.Fatal(err)
		}
		if v.Bundle.Calibration == nil || v.Bundle.Reference == nil || v.Bundle.Golden.Rows == 0 || len(v.Bundle.Training) == 0 {
			t.Errorf("the bundle lacks a part: %+v", v.Bundle)
		}
		t.Log(e.Reason)
	}
	if got := w.logged(registry.KindTraining); len(got) != 1 || got[0].Verdict != registry.VerdictPass || got[0].Batch != "2024-02" || got[0].Paper != out.Evidence {
		t.Errorf("training entries %+v", got)
	}
}

func TestATrainingIsBlockedWithASentence(t *testing.T) {
	for _, tt := range []struct {
		name string
		of   outcomeOf
		want string
	}{
		{"labels that have nothing to do with the features", shuffled(6), "does not rank rows better than chance"},
		{"a label that a feature repeats", sameAs("app"), `feature "app" equals the label`},
		{"a label with one class", nobody, "there is nothing to learn"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := learnWorld(t, 2500, "")
			w.learnable("2024-01", tt.of)
			before := w.keys("registry/")
			out := w.mustRetrain(workflows.RetrainInput{})
			if out.Verdict != registry.VerdictBlock || len(out.Candidates) > 0 || !strings.Contains(strings.Join(out.Reasons, "\n"), tt.want) {
				t.Errorf("got %+v, want a block with %q", out, tt.want)
			}
			if got := w.keys("registry/"); len(got) != len(before)+1 {
				t.Errorf("%d entries more, want that of the training", len(got)-len(before))
			}
		})
	}
}

func TestTheChampionGetsANewCalibration(t *testing.T) {
	w := learnWorld(t, 1200, "", "2024-01", "2024-02")
	out := w.mustRetrain(workflows.RetrainInput{Kind: trigger.Recalibrate})
	if out.Verdict != registry.VerdictPass || len(out.Candidates) != 1 || len(out.Batches) != 1 || out.Batches[0] != "2024-02" {
		t.Fatalf("%+v", out)
	}
	champion := w.logged(registry.KindPromote)[0].Model
	old, err := bundle.Read(t.Context(), w.bucket, champion)
	if err != nil {
		t.Fatal(err)
	}
	now, err := bundle.Load(t.Context(), w.bucket, out.Candidates[0], worker.Formats())
	if err != nil {
		t.Fatal(err)
	}
	if now.Bundle.Model.Digest != old.Model.Digest || now.Bundle.Calibration == nil {
		t.Errorf("got the model %s with calibration %v, want the trees of %s", now.Bundle.Model.Digest, now.Bundle.Calibration, old.Model.Digest)
	}
}

// Triggers that fire at once start one training: the second finds nothing to do.
func TestTwoTriggersStartOneTraining(t *testing.T) {
	w := learnWorld(t, 1200, "retrain: { cooldown: 2 }\n", "2024-01")
	w.deliver("2024-02", retailer.Options{})
	w.mustScore("2024-02")
	version := w.writeLabels("2024-02", nil)
	fallen := func(month string, version store.Digest, auc float64) {
		w.enterEvaluation(month, version, map[evaluate.Metric]evaluate.Estimate{evaluate.AUC: {Value: auc, Low: auc - .01, High: auc + .01, Level: .95, N: 1000}})
	}
	fallen("2024-01", w.findLabels("2024-01"), .75)
	if out := w.mustRetrain(workflows.RetrainInput{Automatic: true}); len(out.Idle) == 0 || len(w.logged(registry.KindTraining)) > 0 {
		t.Errorf("trained without a reason: %+v", out)
	}
	fallen("2024-02", version, .63)
	if out := w.mustRetrain(workflows.RetrainInput{Automatic: true}); out.Verdict != registry.VerdictPass {
		t.Errorf("not trained: %+v", out)
	}
	out := w.mustRetrain(workflows.RetrainInput{Automatic: true})
	if len(out.Idle) == 0 || len(w.logged(registry.KindTraining)) != 1 {
		t.Errorf("trained twice: %+v", out)
	}
	if e := w.logged(registry.KindTraining)[0]; !strings.HasPrefix(e.Reason, "auc of the champion is 0.6300") {
		t.Errorf("the entry says %q", e.Reason)
	}
}

// The same training again gives the same models, which are on their way already.
func TestATrainingThatIsRepeatedAddsNoCandidate(t *testing.T) {
	w := learnWorld(t, 1200, "", "2024-01")
	first := w.mustRetrain(workflows.RetrainInput{})
	if len(first.Candidates) != 1 || !strings.HasPrefix(first.Release, "2024-01-refit-") {
		t.Fatalf("%+v", first)
	}
	again := w.mustRetrain(workflows.RetrainInput{})
	if len(again.Candidates) > 0 || again.Release != "" || !strings.Contains(strings.Join(again.Notes, "\n"), "is a candidate of release "+first.Release+" already") {
		t.Errorf("%+v", again)
	}
	if got := w.logged(registry.KindCandidate); len(got) != 1 || len(w.logged(registry.KindTraining)) != 2 {
		t.Errorf("%+v", got)
	}
}

func TestTheYearsBudgetHolds(t *testing.T) {
	w := learnWorld(t, 1200, "retrain: { budget: 3 }\n", "2024-01", "2024-02")
	if out := w.mustRetrain(workflows.RetrainInput{}); len(out.Candidates) != 2 {
		t.Fatalf("%+v", out)
	}
	w.learnable("2024-03", nil)
	if out := w.mustRetrain(workflows.RetrainInput{}); len(out.Candidates) != 1 || len(out.Notes) == 0 {
		t.Errorf("a training beyond the budget has %+v", out)
	}
	out := w.mustRetrain(workflows.RetrainInput{})
	if want := "3 challengers were registered in 2024 of 3 that a year may have; raise retrain.budget, or wait"; len(out.Idle) != 1 || out.Idle[0] != want {
		t.Errorf("got %+v, want %q", out, want)
	}
}

// A batch whose input was replaced since is left out, and the training says so.
func TestABatchThatWasReplacedIsLeftOut(t *testing.T) {
	w := learnWorld(t, 1200, "", "2024-01", "2024-02")
	w.deliver("2024-01", retailer.Options{Parts: 2})
	out := w.mustRetrain(workflows.RetrainInput{})
	if len(out.Batches) != 1 || out.Batches[0] != "2024-02" || !strings.Contains(strings.Join(out.Notes, "\n"), "2024-01 is left out: files of it were replaced or removed since it was scored") {
		t.Errorf("%+v", out)
	}
}

// A worker that dies while it trains leaves a checkpoint; the next one goes on from
// there, to the same bytes, and nobody sees that it was there.
func TestATrainingThatBrokeOffIsResumed(t *testing.T) {
	w := learned(t)
	want, _ := w.record(t, retrainTask)
	to := w.twin(t)
	to.checkpoints = 1
	plain := to.bucket
	var resumed []string
	died := false
	to.bucket = plain.Intercept(func(_ context.Context, c store.Call, do func() error) error {
		checkpoint := strings.Contains(c.Key, "/checkpoints/")
		switch {
		case checkpoint && c.Name == store.CallGet && died:
			resumed = append(resumed, c.Key)
		case checkpoint && c.Name == store.CallPut && strings.HasSuffix(c.Key, "/00000007.txt") && !died:
			died = true
			return errors.New("the worker died")
		}
		return do()
	})
	answer := retrainTask(to)
	to.bucket = plain
	to.outcome(func(*world) string { return answer }).mustEqual(t, want)
	// The write that failed is looked at first: it might have arrived.
	if !died || len(resumed) != 2 || !strings.HasSuffix(resumed[1], "/00000006.txt") {
		t.Errorf("died %v, resumed from %v", died, resumed)
	}
}

// A training that is cancelled says so in the registry, and registers no model.
func TestACancelledTrainingRegistersNothing(t *testing.T) {
	w := learned(t)
	env := w.retrainEnv()
	env.SetOnActivityStartedListener(func(info *activity.Info, _ context.Context, _ converter.EncodedValues) {
		if info.ActivityType.Name == "TrainModel" {
			env.CancelWorkflow()
		}
	})
	env.ExecuteWorkflow(workflows.Retrain, workflows.RetrainInput{Pipeline: "retailer", By: "ann", Reason: "a try"})
	if err := env.GetWorkflowError(); !temporal.IsCanceledError(err) {
		t.Fatalf("got %v", err)
	}
	trainings := w.logged(registry.KindTraining)
	if len(trainings) != 1 || trainings[0].Verdict != registry.VerdictBlock || !slices.Equal(trainings[0].Reasons, []string{"the training was cancelled"}) {
		t.Errorf("%+v", trainings)
	}
	if got := w.logged(registry.KindRegister, registry.KindCandidate); len(got) != 1 {
		t.Errorf("the registry has %+v, want the champion only", got)
	}
}
