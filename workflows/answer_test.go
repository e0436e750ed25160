package workflows_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"go.temporal.io/sdk/testsuite"

	"headgate/internal/retailer"
	"headgate/internal/run"
	"headgate/workflows"
)

// asking returns a world that asks a person about a warning.
func asking(t *testing.T) *world {
	rows := "      - { id: rows, metric: rowCount, mustBeGreaterThan: 0, severity: error }\n"
	warn := strings.NewReplacer(rows, rows+"      - { id: few, metric: rowCount, mustBeGreaterThan: 1000000, severity: warning }\n")
	w := configured(t, 1000, "warnings: ask\nask: { wait: 36h }\n", warn, nil)
	w.deliver("2024-01", retailer.Options{})
	return w
}

// answer runs a month and sends an answer after a while; refused returns why answers
// were refused.
func (w *world) answer(batch string, after time.Duration, answers ...func(decision string) workflows.Answer) (out workflows.ScoreBatchOutput, refused []string, err error) {
	env := w.env()
	for i, answer := range answers {
		env.RegisterDelayedCallback(func() {
			var card workflows.Scorecard // empty before the workflow has begun
			if value, err := env.QueryWorkflow("scorecard"); err == nil {
				if err := value.Get(&card); err != nil {
					w.t.Error(err)
				}
			}
			env.UpdateWorkflow(workflows.UpdateAnswer, fmt.Sprint("answer", i), &testsuite.TestUpdateCallback{
				OnReject:   func(err error) { refused = append(refused, err.Error()) },
				OnAccept:   func() {},
				OnComplete: func(any, error) {},
			}, answer(card.Decision))
		}, after+time.Duration(i)*time.Second)
	}
	env.ExecuteWorkflow(workflows.ScoreBatch, workflows.ScoreBatchInput{Pipeline: "retailer", Batch: batch, By: "test"})
	err = env.GetWorkflowResult(&out)
	return out, refused, err
}

func TestAWarningWaitsForAPerson(t *testing.T) {
	yes := func(decision string) workflows.Answer {
		return workflows.Answer{Approve: true, By: "ann", Reason: "the shop is small", Decision: decision}
	}
	no := func(decision string) workflows.Answer {
		return workflows.Answer{By: "bob", Reason: "too few", Decision: decision}
	}
	for _, tt := range []struct {
		name    string
		answers []func(string) workflows.Answer
		verdict run.Verdict
		reason  string
		refused []string
	}{
		{name: "approved", answers: []func(string) workflows.Answer{yes}, verdict: "pass"},
		{name: "rejected", answers: []func(string) workflows.Answer{no}, verdict: "block", reason: "rejected by bob: too few"},
		{name: "nobody answers", verdict: "block", reason: "rejected by nobody: no answer within 36h0m0s"},
		{name: "answers that are not whole are refused, and then a whole one counts", answers: []func(string) workflows.Answer{
			func(d string) workflows.Answer { return workflows.Answer{Approve: true, Reason: "r", Decision: d} },
			func(d string) workflows.Answer { return workflows.Answer{Approve: true, By: "ann", Decision: d} },
			func(string) workflows.Answer {
				return workflows.Answer{Approve: true, By: "ann", Reason: "r", Decision: "0123456789"}
			},
			yes,
		}, verdict: "pass", refused: []string{"needs by", "needs a reason", "is not what is asked about"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := asking(t)
			out, refused, err := w.answer("2024-01", time.Hour, tt.answers...)
			if err != nil || out.Verdict != tt.verdict || tt.reason != "" && (len(out.Reasons) == 0 || out.Reasons[0] != tt.reason) {
				t.Fatalf("%v %+v", err, out)
			}
			if len(refused) != len(tt.refused) {
				t.Fatalf("refused %q", refused)
			}
			for i, want := range tt.refused {
				if !strings.Contains(refused[i], want) {
					t.Errorf("refused %q, want %q", refused[i], want)
				}
			}
			if published := len(w.keys("scores/")) > 0; published != (tt.verdict == "pass") {
				t.Errorf("published %v with verdict %s", published, tt.verdict)
			}
			if tt.verdict == "pass" {
				w.audited("2024-01")
			}
		})
	}
}

func TestAnAnswerBeforeTheQuestionIsRefused(t *testing.T) {
	w := newWorld(t, 1000)
	w.deliver("2024-01", retailer.Options{})
	out, refused, err := w.answer("2024-01", time.Nanosecond, func(string) workflows.Answer {
		return workflows.Answer{Approve: true, By: "ann", Reason: "r", Decision: "0123456789"}
	})
	if err != nil || out.Verdict != "pass" || len(refused) != 1 || !strings.Contains(refused[0], "asks nothing") {
		t.Errorf("%v %+v refused %q", err, out, refused)
	}
}
