package workflows_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"headgate/internal/registry"
	"headgate/internal/retailer"
	"headgate/internal/store"
	"headgate/workflows"
)

// evaluations are started by ScoreBatch and go on without it.
var evaluations = []string{"EvaluateBatch"}

// scenes are the workflows of the chaos table.
var scenes = []*scene{
	{name: "ScoreBatch of a month that asks", world: everything, play: playAsking},
	{name: "ScoreBatch of a canary month", world: canaryWorld, play: playCanary, without: evaluations,
		rows: []string{"ScoreShard", "CompareScores", "DecideGate", "AssembleShard", "Publish", "CheckRouting", "RecordShadow"}},
	{name: "ScoreBatch of a new colour", world: colourWorld, play: playCanary, without: evaluations, rows: []string{"CheckTable", "Publish"}},
	{name: "ScoreBatch of a month with a shard that is left out", world: damaged, play: playSkip, rows: []string{"SkipShard"}},
	{name: "ShadowBatch", world: unscored, play: playShadow},
	{name: "RepublishBatch from a model that has not scored", world: unscored, play: playRepublish, rows: []string{"PlanRepublish", "RecordShadow", "AssembleShard", "Publish"}},
	{name: "RestoreBatch", world: republished, play: playRestore},
	{name: "Backfill", world: gap, play: playBackfill, rows: []string{"PlanBackfill", "Resolve", "Publish"}},
	{name: "EvaluateBatch", world: known, play: playEvaluation},
	{name: "Retrain", world: learned, play: playTraining, without: []string{"Release"}},
	{name: "Retrain with a trainer on a task queue", world: queued, play: playQueue, without: []string{"Release"}, rows: []string{"PrepareModel", "FinishModel"}},
	{name: "Release at once, approved", world: atOnceWorld, release: true, play: playRelease(func(th *theatre) {
		th.start(th.candidate)
		th.after(24*time.Hour, func() { th.yes("ann") })
	})},
	{name: "Release that is rejected", world: atOnceWorld, release: true, rows: []string{"CheckApproval", "RejectModel"}, play: playRelease(func(th *theatre) {
		th.start(th.candidate)
		th.after(24*time.Hour, func() {
			th.tell(workflows.UpdateReject, workflows.ReleaseAnswer{By: "bob", Reason: "not now"})
		})
	})},
	{name: "Release from the shadow to a canary, and rolled back", world: shadowWorld, release: true,
		rows: []string{"AddCandidate", "ReadRelease", "Route", "ShadowShard", "RecordShadow", "JudgeCandidate", "CheckApproval", "Control", "RejectModel"}, play: playRelease(func(th *theatre) {
			th.learned(th.candidate)
			th.after(time.Hour, func() { th.yes("ann") })
			th.after(24*time.Hour, func() {
				th.tell(workflows.UpdateRollback, workflows.ReleaseRollback{By: "ann", Reason: "odd scores"})
			})
		})},
	{name: "Release of a model that cannot score a month, and rolled back", world: unreadable, release: true, rows: []string{"RecordUnscored"}, play: playRelease(func(th *theatre) {
		th.learned(th.candidate)
		th.after(24*time.Hour, func() {
			th.tell(workflows.UpdateRollback, workflows.ReleaseRollback{By: "ann", Reason: "it scores nothing"})
		})
	})},
	{name: "Release whose canary has served a month, and rolled back", world: duringWorld, release: true, play: playRelease(func(th *theatre) {
		th.after(0, func() {
			th.tell(workflows.UpdateRollback, workflows.ReleaseRollback{By: "ann", Reason: "odd scores"})
		})
	})},
	{name: "Release whose canary has served a month, and taken back", world: duringWorld, release: true, rows: []string{"TakeBack", "Route", "PlanRepublish", "Publish"},
		play: stopped(playRelease(func(th *theatre) { th.after(time.Hour, th.env.CancelWorkflow) }))},
	{name: "Slot of a month that comes, after one that never did", world: waiting, play: playSlot, rows: []string{"PlanSlot", "LookSlot", "NameMissed"}},
	{name: "Alert", world: told, play: playAlert},
}

func playAsking(w *world) (string, error) {
	out, _, err := w.answer("2024-02", time.Hour, func(decision string) workflows.Answer {
		return workflows.Answer{Approve: true, By: "ann", Reason: "the shop is small", Decision: decision}
	})
	out.Anchor = ""
	return asJSON(w.t, out), err
}

func playCanary(w *world) (string, error) {
	out, err := w.score(canaryMonth)
	out.Anchor = ""
	for i := range out.Advance {
		out.Advance[i].Decision = "" // holds the moment
	}
	return asJSON(w.t, out), err
}

// colourWorld is a world with a month that goes to another model as a whole.
func colourWorld(t *testing.T) *world {
	t.Helper()
	w := looped(t, 300, retailer.Options{Parts: 2}, "release: { strategy: blueGreen }\n")
	w.route("100%", map[store.Digest]int{w.challenger("lightgbm", 0.02, 0.97): 10000})
	return w
}

func playShadow(w *world) (string, error) {
	out, err := w.shadow(w.candidate)
	out.Anchor = ""
	return asJSON(w.t, out), err
}

func playRepublish(w *world) (string, error) {
	env := w.env()
	env.ExecuteWorkflow(workflows.RepublishBatch, workflows.RepublishBatchInput{Pipeline: "retailer", Batch: canaryMonth, Model: w.candidate, By: "test", Reason: "the test says so"})
	return w.answered(env)
}

func playRestore(w *world) (string, error) {
	env := w.env()
	env.ExecuteWorkflow(workflows.RestoreBatch, workflows.RestoreBatchInput{Pipeline: "retailer", Batch: "2024-01", Publication: 1, By: "test", Reason: "the test says so"})
	return w.answered(env)
}

// gap is a world with a month that was never scored, between two that were.
func gap(t *testing.T) *world {
	t.Helper()
	w := newWorld(t, 200)
	for _, month := range []string{"2024-01", "2024-02", "2024-03"} {
		w.deliver(month, retailer.Options{})
	}
	w.mustScore("2024-01")
	w.mustScore("2024-03")
	return w
}

func playBackfill(w *world) (string, error) {
	out, err := w.backfill(workflows.BackfillInput{From: "2024-01", To: "2024-03", Mode: "as-now"})
	return asJSON(w.t, out), err
}

func playEvaluation(w *world) (string, error) {
	env := w.env()
	env.SetStartTime(time.Date(2024, 1, 2, 0, 0, 0, 0, time.UTC))
	env.ExecuteWorkflow(workflows.EvaluateBatch, workflows.EvaluateBatchInput{Pipeline: "retailer", Batch: "2024-01", By: "test"})
	return w.answered(env)
}

func playTraining(w *world) (string, error) {
	out, err := w.retrain(workflows.RetrainInput{})
	out.Anchor = ""
	return asJSON(w.t, out), err
}

func atOnceWorld(t *testing.T) (w *world) {
	w, candidate := beforeARelease(t)
	w.candidate = candidate
	return w
}

func shadowWorld(t *testing.T) *world {
	w, candidate := stepping(t, stepwise)
	w.candidate = candidate
	return w
}

func duringWorld(t *testing.T) *world {
	w, candidate := duringACanary(t)
	w.candidate = candidate
	return w
}

// playRelease plays a release. People whom a cancellation leaves without an answer are no
// fault; that a release is cancelled may be the play.
func playRelease(act func(*theatre)) func(*world) (string, error) {
	return func(w *world) (string, error) {
		th := w.theatre()
		act(th)
		th.env.ExecuteWorkflow(workflows.Release, workflows.ReleaseInput{Pipeline: "retailer"})
		return "", th.env.GetWorkflowResult(nil)
	}
}

// stopped is a play that ends with a cancellation.
func stopped(play func(*world) (string, error)) func(*world) (string, error) {
	return func(w *world) (string, error) {
		answer, err := play(w)
		if temporal.IsCanceledError(err) {
			err = nil
		}
		return answer, err
	}
}

// answered returns what a workflow answers, without its anchor, which holds times.
func (w *world) answered(env *testsuite.TestWorkflowEnvironment) (string, error) {
	out := map[string]any{}
	err := env.GetWorkflowResult(&out)
	delete(out, "anchor")
	return asJSON(w.t, out), err
}

func beforeARelease(t *testing.T) (*world, store.Digest) {
	w := releasing(t, atOnce)
	return w, w.twinVersion(1)
}

// duringACanary is a world in the middle of a release at 10 %: a month is published that
// the candidate served in part, and the workflow is gone.
func duringACanary(t *testing.T) (*world, store.Digest) {
	var middle *world
	th, candidate := beganCanary(t, func(th *theatre) {
		middle = th.twin(t)
		th.env.CancelWorkflow()
	})
	if _, err := th.run(); err == nil || middle == nil {
		t.Fatalf("err = %v", err)
	}
	return middle, candidate
}

// rollbacks is the part of the chaos table in which a person rolls a canary back in the
// middle of a month: whichever of the two comes first, no row of the candidate stays.
func rollbacks(t *testing.T) string {
	began := shadowWorld(t)
	var b strings.Builder
	b.WriteString("## A rollback during a running batch\n\n| the rollback is carried out | end |\n|---|---|\n")
	for _, tt := range []struct {
		moment string
		write  string // beside which the rollback happens
		after  bool
	}{
		{"before the first write of the batch", "runs/retailer/2024-02/", false},
		{"after the gate has let the candidate serve", "registry/retailer/log/", true},
		{"just before the commit", "scores/retailer/_delta_log/", false},
		{"just after the commit", "scores/retailer/_delta_log/", true},
	} {
		t.Run(tt.moment, func(t *testing.T) {
			w := began.twin(t)
			before := w.champion()
			th := w.theatre()
			th.learned(w.candidate)
			th.after(time.Hour, func() { th.yes("ann") })
			th.after(48*time.Hour, func() {
				w.deliver("2024-02", retailer.Options{})
				w.scoredDuring("2024-02", tt.write, tt.after, func() {
					back := (&world{t: t, dir: w.dir, bucket: w.bucket, runs: 1000}).theatre()
					back.after(0, func() {
						back.tell(workflows.UpdateRollback, workflows.ReleaseRollback{By: "ann", Reason: "odd scores"})
					})
					back.mustRun()
					back.said[0].mustHear(t, "")
				})
				th.env.SignalWorkflow(workflows.SignalWake, nil)
			})
			out := th.mustRun()
			if out.Champion != before || out.Outcome != "rejected" {
				t.Errorf("%+v", out)
			}
			w.stoodDown(w.candidate)
			w.audited("2024-02")
			e := w.end("")
			if err := w.championAlone(); err != nil || len(e.Findings) > 0 {
				t.Errorf("%v %v", err, e.Findings)
			}
			publications := 0
			for _, entry := range w.entries(registry.KindPublished) {
				if entry.Batch == "2024-02" {
					publications++
				}
			}
			fmt.Fprintf(&b, "| %s | the candidate is rejected; champion alone, in publication %d |\n", tt.moment, publications)
		})
	}
	return b.String()
}
