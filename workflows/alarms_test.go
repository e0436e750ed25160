package workflows_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"headgate/activities"
	"headgate/internal/registry"
	"headgate/internal/retailer"
	"headgate/internal/store"
	"headgate/internal/store/storetest"
	"headgate/workflows"
)

func TestAlertsOfABatch(t *testing.T) {
	const month = "2024-01"
	t.Run("blocked, and then delivered again", func(t *testing.T) {
		w := configured(t, 1000, withAlerts, nil, nil)
		o := w.withOffice()
		w.deliver(month, retailer.Options{})
		w.repeatRows(month, 15)
		blocked := w.mustScore(month)
		if o.last.Reasons[0] != blocked.Reasons[0] || o.last.Workflow.ID == "" || o.last.At.IsZero() {
			t.Errorf("%+v", o.last)
		}
		if err := os.RemoveAll(filepath.Join(w.dir, "incoming", "retailer", month)); err != nil {
			t.Fatal(err)
		}
		w.deliver(month, retailer.Options{})
		w.mustScore(month)
		o.mustHear(t, "batchBlocked 2024-01", "over: batchBlocked 2024-01")
	})
	t.Run("it asks, and somebody answers", func(t *testing.T) {
		w := askingWithAlerts(t)
		o := w.withOffice()
		_, _, err := w.answer(month, time.Hour, func(decision string) workflows.Answer {
			if o.last.Steps[2].Update == nil || !strings.Contains(o.last.Steps[2].Update.Input, decision) {
				t.Errorf("%+v", o.last.Steps)
			}
			return workflows.Answer{Approve: true, By: "ann", Reason: "enough", Decision: decision}
		})
		if err != nil {
			t.Fatal(err)
		}
		o.mustHear(t, "batchAsks 2024-01", "over: batchAsks 2024-01")
	})
	t.Run("it asks, and nobody answers", func(t *testing.T) {
		w := askingWithAlerts(t)
		o := w.withOffice()
		w.mustScore(month)
		o.mustHear(t, "batchAsks 2024-01", "batchBlocked 2024-01", "over: batchAsks 2024-01")
	})
	t.Run("it asks, and is cancelled", func(t *testing.T) {
		w := askingWithAlerts(t)
		o := w.withOffice()
		env := w.env()
		env.RegisterDelayedCallback(env.CancelWorkflow, time.Hour)
		env.ExecuteWorkflow(workflows.ScoreBatch, workflows.ScoreBatchInput{Pipeline: "retailer", Batch: month, By: "test"})
		o.mustHear(t, "batchAsks 2024-01", "over: batchAsks 2024-01")
	})
	t.Run("nothing was delivered, and then something is", func(t *testing.T) {
		w := configured(t, 200, withAlerts, nil, nil)
		o := w.withOffice()
		if _, err := w.score(month); err == nil {
			t.Error("a month without files was scored")
		}
		if !strings.Contains(o.last.Reasons[0], "no file matches") || o.last.Steps[1].Command != "starter score retailer --batch 2024-01" {
			t.Errorf("%+v", o.last)
		}
		w.deliver(month, retailer.Options{})
		w.mustScore(month)
		o.mustHear(t, "runFailed 2024-01", "over: runFailed 2024-01")
	})
	t.Run("the pipeline does not exist", func(t *testing.T) {
		w := configured(t, 20, withAlerts, nil, nil)
		o := w.withOffice()
		env := w.env()
		env.ExecuteWorkflow(workflows.ScoreBatch, workflows.ScoreBatchInput{Pipeline: "nobody", Batch: month, By: "test"})
		o.mustHear(t)
	})
	t.Run("a pipeline without alerts", func(t *testing.T) {
		w := newWorld(t, 1000)
		o := w.withOffice()
		w.deliver(month, retailer.Options{})
		w.repeatRows(month, 15)
		w.mustScore(month)
		o.mustHear(t)
	})
	t.Run("drift persists, and no longer does", func(t *testing.T) {
		w := configured(t, 2000, withAlerts+"drift: { reference: previous, batches: 1, of: 1 }\n", nil, nil)
		o := w.withOffice()
		for _, name := range []string{"2024-02", "2024-03", "2024-04"} { // the campaign is in March
			w.deliver(name, retailer.Options{})
			w.mustScore(name)
		}
		o.mustHear(t, "driftPersists", "over: driftPersists")
	})
}

// A shard that cannot be scored waits for a person, who is told so: by the batch, or by
// the window of a large one.
func TestAlertsOfAShardThatAsks(t *testing.T) {
	for _, tt := range []struct {
		name   string
		answer any // after an hour; nil: nobody answers
		want   []string
	}{
		{"somebody leaves it out", skip(2), []string{"batchAsks shards of 2024-02", "over: batchAsks shards of 2024-02"}},
		{"nobody answers", nil, []string{"batchAsks shards of 2024-02", "over: batchAsks shards of 2024-02", "runFailed 2024-02"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := deliveredWith(t, "ask", "50%", withAlerts)
			w.damage("2024-02", "part-0002.parquet")
			o := w.withOffice()
			env := w.env()
			env.RegisterDelayedCallback(func() {
				if o.last.Steps[2].Update.Input != `{"by":"your name","reason":"why","shard":2}` || o.last.Steps[1].Command != "starter skip retailer --batch 2024-02 --shard 2 --reason TEXT" {
					t.Errorf("%+v", o.last.Steps)
				}
				if tt.answer != nil {
					new(sent).send(env, workflows.UpdateSkipShard, "skip", tt.answer)
				}
			}, time.Hour)
			env.ExecuteWorkflow(workflows.ScoreBatch, workflows.ScoreBatchInput{Pipeline: "retailer", Batch: "2024-02", By: "test"})
			if err := env.GetWorkflowError(); (err == nil) != (tt.answer != nil) {
				t.Error(err)
			}
			o.mustHear(t, tt.want...)
		})
	}
	t.Run("of a window", func(t *testing.T) {
		w := deliveredWith(t, "ask", "50%", withAlerts)
		w.damage("2024-02", "part-0002.parquet")
		out, _, err := w.skipped(2) // plans the run
		if err != nil {
			t.Fatal(err)
		}
		o := w.withOffice()
		env := w.env()
		env.RegisterDelayedCallback(env.CancelWorkflow, time.Hour)
		env.ExecuteWorkflow(workflows.ScoreShards, workflows.ScoreShardsInput{Run: activities.Run{Pipeline: "retailer", Batch: "2024-02", Run: out.Run},
			From: 1, To: 4, Parallel: 2, OnFail: "ask", Wait: 48 * time.Hour, Alerts: true})
		o.mustHear(t, "batchAsks shards of 2024-02", "over: batchAsks shards of 2024-02")
	})
}

// askingWithAlerts is a world whose January asks.
func askingWithAlerts(t *testing.T) *world {
	rows := "      - { id: rows, metric: rowCount, mustBeGreaterThan: 0, severity: error }\n"
	warn := strings.NewReplacer(rows, rows+"      - { id: few, metric: rowCount, mustBeGreaterThan: 1000000, severity: warning }\n")
	w := configured(t, 300, "warnings: ask\nask: { wait: 36h }\n"+withAlerts, warn, nil)
	w.deliver("2024-01", retailer.Options{})
	return w
}

func TestAlertsOfAnEvaluation(t *testing.T) {
	w := configured(t, 300, "labels: { files: \"labels/retailer/{batch}/*.parquet\", contract: labels.yaml, poll: 6h, wait: 10d }\n"+withAlerts,
		nil, map[string]string{"labels.yaml": shippedLabels(t)})
	w.deliver("2024-01", retailer.Options{})
	w.mustScore("2024-01")
	o := w.withOffice()
	if out, _ := w.evaluate(nil); out.Verdict != "none" {
		t.Errorf("%+v", out)
	}
	w.write("a.parquet", w.outcomes(nil))
	w.complete()
	w.evaluate(nil)
	o.mustHear(t, "labelsMissing 2024-01", "over: labelsMissing 2024-01")
	env := w.env()
	env.ExecuteWorkflow(workflows.EvaluateBatch, workflows.EvaluateBatchInput{Pipeline: "retailer", Batch: "2024-07", By: "test"})
	err := env.GetWorkflowError()
	if err == nil || len(o.lines) != 2 {
		t.Errorf("%v: heard %v of a batch that was never published", err, o.lines)
	}
	if activity := new(temporal.ActivityError); !errors.As(err, &activity) {
		t.Errorf("%v does not lead to the activity that failed", err)
	}
}

// The champion's metric falls: what labels say is told, also while nothing is trained yet.
func TestAlertsOfAChampionThatFalls(t *testing.T) {
	w := settledWorld(t, 1500, learning+"retrain: { fall: 0.05, cooldown: 12 }\n"+withAlerts, "2024-01")
	o := w.withOffice()
	w.evaluateNow("2024-01")
	w.deliver("2024-02", retailer.Options{})
	w.mustScore("2024-02")
	w.writeLabels("2024-02", shuffled(3))
	w.evaluateNow("2024-02")
	w.deliver("2024-03", retailer.Options{})
	w.mustScore("2024-03")
	w.writeLabels("2024-03", nil)
	w.evaluateNow("2024-03")
	fell := slices.Index(o.lines, "metricFell")
	if fell < 0 || !slices.Contains(o.lines[fell:], "over: metricFell") || !slices.Contains(o.lines, "calibrationLost") {
		t.Errorf("heard %v", o.lines)
	}
}

// evaluateNow evaluates a batch whose labels are there.
func (w *world) evaluateNow(batch string) {
	w.t.Helper()
	env := w.retrainEnv()
	env.ExecuteWorkflow(workflows.EvaluateBatch, workflows.EvaluateBatchInput{Pipeline: "retailer", Batch: batch, By: "test"})
	if err := env.GetWorkflowError(); err != nil {
		w.t.Error(err)
	}
}

func TestAlertsOfATraining(t *testing.T) {
	w := learnWorld(t, 1200, withAlerts)
	o := w.withOffice()
	w.learnable("2024-01", nobody)
	w.mustRetrain(workflows.RetrainInput{})
	w.learnable("2024-02", nil)
	w.mustRetrain(workflows.RetrainInput{})
	o.forgetLabels()
	o.mustHear(t, "trainingBlocked", "over: trainingBlocked")
}

func TestAlertsOfATrainingThatFails(t *testing.T) {
	w := configured(t, 20, withAlerts, nil, nil)
	o := w.withOffice()
	if _, err := w.retrain(workflows.RetrainInput{}); err == nil {
		t.Error("a pipeline without labels was trained")
	}
	o.mustHear(t, "trainingFailed")
}

// Nobody answers a release, so that it stops; somebody resumes it, and rejects.
func TestAlertsOfAReleaseThatNobodyAnswers(t *testing.T) {
	w, candidate := stepping(t, stepwise+withAlerts)
	o := w.withOffice()
	th := w.theatre()
	th.learned(candidate)
	th.after(5*24*time.Hour, func() { o.mustHear(t, "releaseAsks "+askedStep(th)) })
	th.after(6*24*time.Hour+time.Hour, func() {
		o.mustHear(t, "releaseAsks "+askedStep(th), "approvalExpires "+askedStep(th))
		if q := th.card().Next; !strings.Contains(o.last.Steps[2].Update.Input, q.Nonce) || o.last.Workflow.ID == "" {
			t.Errorf("%+v", o.last)
		}
	})
	th.after(8*24*time.Hour, func() {
		th.tell(workflows.UpdateResume, workflows.Word{By: "ann", Reason: "I was away"})
	})
	th.after(9*24*time.Hour, func() {
		th.tell(workflows.UpdateReject, workflows.ReleaseAnswer{By: "ann", Reason: "not now"})
	})
	th.mustRun()
	release := w.logged(registry.KindCandidate)[0].Release
	step, model := release+" 10%", release+" "+strings.TrimPrefix(string(candidate), "sha256:")[:16]
	o.mustHear(t, "releaseAsks "+step, "approvalExpires "+step, "over: releaseAsks "+step, "over: approvalExpires "+step,
		"releaseStopped "+release, "over: releaseStopped "+release, "releaseAsks "+step, "over: releaseAsks "+step, "releaseBlocked "+model)
}

// What a run has told people and not taken back, the run after it takes back; and it does
// not forget since when it asks.
func TestAlertsOfAReleaseThatContinuesAsNew(t *testing.T) {
	w, candidate := stepping(t, stepwise+withAlerts)
	var broken atomic.Bool
	w.bucket = w.bucket.Intercept(func(_ context.Context, c store.Call, do func() error) error {
		if broken.Load() {
			return storetest.ErrLost
		}
		return do()
	})
	o := w.withOffice()
	const day = 24 * time.Hour
	first := w.theatre()
	first.learned(candidate)
	step := ""
	first.after(5*day, func() { step = askedStep(first); broken.Store(true) })
	first.after(5*day+90*time.Minute, func() { broken.Store(false); first.env.SetContinueAsNewSuggested(true) })
	_, err := first.run()
	var again *workflow.ContinueAsNewError
	if !errors.As(err, &again) {
		t.Fatal(err)
	}
	o.mustHear(t, "releaseAsks "+step, "runFailed release")
	var in workflows.ReleaseInput
	if err := converter.GetDefaultDataConverter().FromPayloads(again.Input, &in); err != nil {
		t.Fatal(err)
	}
	second := w.theatre()
	second.env.SetStartTime(time.Date(2024, 3, 6, 6, 0, 0, 0, time.UTC))
	second.after(time.Minute, func() { o.mustHear(t, "releaseAsks "+step, "runFailed release", "over: runFailed release") })
	second.after(day-5*time.Hour, func() {
		o.mustHear(t, "releaseAsks "+step, "runFailed release", "over: runFailed release", "approvalExpires "+step)
		second.env.CancelWorkflow()
	})
	second.env.ExecuteWorkflow(workflows.Release, in)
	if err := second.env.GetWorkflowError(); !temporal.IsCanceledError(err) {
		t.Error(err)
	}
}

// What a candidate served and could not be taken back is not said to be.
func TestAlertsOfACanaryThatCannotBeTakenBack(t *testing.T) {
	var o *office
	var broken atomic.Bool
	th, _ := beganCanaryOf(t, strings.Replace(stepwise, "steps: [10%, 100%]", "steps: [10%, 100%]\n  batches: 2", 1)+withAlerts, func(w *world) {
		o = w.withOffice()
		w.bucket = w.bucket.Intercept(func(_ context.Context, c store.Call, do func() error) error {
			if broken.Load() {
				return storetest.ErrLost
			}
			return do()
		})
	}, func(th *theatre) {
		broken.Store(true)
		th.env.CancelWorkflow()
	})
	if _, err := th.run(); !temporal.IsCanceledError(err) {
		t.Fatal(err)
	}
	o.forgetLabels()
	if last := o.lines[len(o.lines)-1]; last != "runFailed release" || !strings.Contains(o.last.Reasons[0], "could not be taken back") {
		t.Errorf("heard %v, last %+v", o.lines, o.last)
	}
	if slices.ContainsFunc(o.lines, func(line string) bool { return strings.HasPrefix(line, "rolledBack") }) {
		t.Errorf("heard %v", o.lines)
	}
}

// askedStep is what the open question of a release is about.
func askedStep(th *theatre) string { q := th.card().Next; return q.Release + " " + q.Step }

func TestAlertsOfACanaryThatIsTakenBack(t *testing.T) {
	for name, tt := range map[string]struct {
		then func(th *theatre)
		want []string
	}{
		"by a person": {func(th *theatre) {
			th.tell(workflows.UpdateRollback, workflows.ReleaseRollback{By: "ann", Reason: "odd scores"})
		}, []string{"rolledBack"}},
		"because it is cancelled": {func(th *theatre) { th.env.CancelWorkflow() }, []string{"rolledBack"}},
	} {
		t.Run(name, func(t *testing.T) {
			var o *office
			th, candidate := beganCanaryOf(t, strings.Replace(stepwise, "steps: [10%, 100%]", "steps: [10%, 100%]\n  batches: 2", 1)+withAlerts,
				func(w *world) { o = w.withOffice() }, tt.then)
			_, err := th.run()
			if err != nil && !temporal.IsCanceledError(err) {
				t.Fatal(err)
			}
			o.forgetLabels()
			release := th.logged(registry.KindCandidate)[0].Release
			o.mustHear(t, "releaseAsks "+release+" 10%", "over: releaseAsks "+release+" 10%",
				tt.want[0]+" "+release+" "+strings.TrimPrefix(string(candidate), "sha256:")[:16])
		})
	}
}
