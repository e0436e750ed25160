package workflows_test

import (
	"strings"
	"testing"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"headgate/internal/registry"
	"headgate/workflows"
)

// An exchange is what somebody who answers gets to hear.
type exchange struct {
	accepted bool
	refused  error // by the validator
	failed   error // by the handler
	verdict  any
	heard    bool // it came to an end
}

// send sends an answer from within a callback of the test environment.
func (e *exchange) send(env *testsuite.TestWorkflowEnvironment, id string, a workflows.Answer) {
	env.UpdateWorkflow(workflows.UpdateAnswer, id, &testsuite.TestUpdateCallback{
		OnReject:   func(err error) { e.refused, e.heard = err, true },
		OnAccept:   func() { e.accepted = true },
		OnComplete: func(v any, err error) { e.verdict, e.failed, e.heard = v, err, true },
	}, a)
}

// asked returns the decision that a batch asks about.
func asked(t *testing.T, env *testsuite.TestWorkflowEnvironment) string {
	t.Helper()
	var card workflows.Scorecard
	value, err := env.QueryWorkflow("scorecard")
	if err == nil {
		err = value.Get(&card)
	}
	if err != nil || card.Decision == "" {
		t.Errorf("nothing is asked: %v %+v", err, card)
	}
	return card.Decision
}

func TestOfTwoAnswersTheFirstCounts(t *testing.T) {
	w := asking(t)
	env := w.env()
	var first, second exchange
	env.RegisterDelayedCallback(func() {
		decision := asked(t, env)
		first.send(env, "first", workflows.Answer{By: "bob", Reason: "too few", Decision: decision})
		second.send(env, "second", workflows.Answer{Approve: true, By: "ann", Reason: "enough", Decision: decision})
	}, time.Hour)
	env.ExecuteWorkflow(workflows.ScoreBatch, workflows.ScoreBatchInput{Pipeline: "retailer", Batch: "2024-01", By: "test"})
	var out workflows.ScoreBatchOutput
	if err := env.GetWorkflowResult(&out); err != nil {
		t.Fatal(err)
	}
	if out.Verdict != "block" || !first.accepted || first.failed != nil || second.accepted || !second.heard ||
		!strings.Contains(second.refused.Error(), "bob has answered already") {
		t.Errorf("%+v\nfirst  %+v\nsecond %+v", out, first, second)
	}
	if len(w.keys("scores/")) > 0 {
		t.Error("published after a rejection")
	}
}

// Whoever answers while the batch is cancelled hears that nothing came of it.
func TestAnAnswerToABatchThatIsBeingCancelled(t *testing.T) {
	w := asking(t)
	env := w.env()
	var e exchange
	env.RegisterDelayedCallback(func() {
		e.send(env, "answer", workflows.Answer{Approve: true, By: "ann", Reason: "enough", Decision: asked(t, env)})
		env.CancelWorkflow()
	}, time.Hour)
	env.ExecuteWorkflow(workflows.ScoreBatch, workflows.ScoreBatchInput{Pipeline: "retailer", Batch: "2024-01", By: "test"})
	if err := env.GetWorkflowError(); !temporal.IsCanceledError(err) {
		t.Errorf("err = %v", err)
	}
	if len(w.keys("scores/")) > 0 {
		t.Error("published though it was cancelled")
	}
	if !e.accepted || e.failed == nil {
		t.Errorf("whoever answered hears %+v", e)
	}
	log, err := registry.Load(t.Context(), w.bucket, "retailer")
	if err != nil {
		t.Fatal(err)
	}
	if last := log.Entries()[log.Head()-1]; last.Kind != registry.KindVerdict || last.Verdict != registry.VerdictAsk {
		t.Errorf("the registry ends with %+v", last)
	}
}

func TestAnAnswerIsOfAReasonableLength(t *testing.T) {
	w := asking(t)
	env := w.env()
	var long, name, lines, good exchange
	env.RegisterDelayedCallback(func() {
		a := workflows.Answer{Approve: true, By: "ann", Reason: "enough", Decision: asked(t, env)}
		with := func(by, reason string) workflows.Answer {
			b := a
			b.By, b.Reason = by, reason
			return b
		}
		long.send(env, "long", with("ann", strings.Repeat("very ", 1<<19)))
		name.send(env, "name", with(strings.Repeat("a", 500), "enough"))
		lines.send(env, "lines", with("ann\n| Published | all |", "enough"))
		good.send(env, "good", a)
	}, time.Hour)
	env.ExecuteWorkflow(workflows.ScoreBatch, workflows.ScoreBatchInput{Pipeline: "retailer", Batch: "2024-01", By: "test"})
	if long.refused == nil || name.refused == nil || lines.refused == nil || good.refused != nil {
		t.Errorf("long %v, name %v, lines %v, good %v", long.refused, name.refused, lines.refused, good.refused)
	}
	if err := env.GetWorkflowError(); err != nil {
		t.Error(err)
	}
}
