package workflows

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"go.temporal.io/sdk/workflow"

	"headgate/activities"
	papers "headgate/internal/run"
)

// UpdateAnswer is the name of the Update that answers a batch which asks.
const UpdateAnswer = "answer"

// An Answer says whether a batch that asks may be published. Decision is the digest of
// the verdict that the person looked at, whole or its first digits: an answer to
// another verdict is refused.
type Answer struct {
	Approve  bool   `json:"approve"`
	By       string `json:"by"` // as claimed: the Web UI does not say who it is
	Reason   string `json:"reason"`
	Decision string `json:"decision"`
}

// A question is a verdict that waits for a person.
type question struct {
	paper    *papers.Object // what is asked about; nil while nothing is
	until    time.Time
	given    *Answer
	verdict  papers.Verdict // what came of it
	answered error          // why nothing came of it
}

// listen takes answers from now on. They are refused, without a trace in the history,
// while nobody is asked, after somebody has answered, and if they are not whole.
func (b *batch) listen(ctx workflow.Context) error {
	if err := errors.Join(b.trials.listen(ctx), b.trials.listenToSkips(ctx)); err != nil {
		return err
	}
	return update(ctx, UpdateAnswer, `Answer a batch that asks: {"approve": true, "by": "your name", "reason": "why", "decision": "digest on the scorecard"}`,
		b.checkAnswer, b.takeAnswer)
}

func (b *batch) checkAnswer(a Answer) error {
	q := &b.answer
	switch {
	case q.paper == nil:
		return errors.New("this batch asks nothing, or not yet")
	case q.given != nil:
		return fmt.Errorf("%s has answered already", q.given.By)
	case len(strings.TrimPrefix(a.Decision, "sha256:")) < 8 || !strings.HasPrefix(string(q.paper.Digest), "sha256:"+strings.TrimPrefix(a.Decision, "sha256:")):
		return fmt.Errorf("decision %q is not what is asked about; that is %s: look at it again", a.Decision, papers.Short(q.paper.Digest))
	}
	return checkPerson(a.By, a.Reason)
}

// takeAnswer returns the verdict once it is in the registry.
func (b *batch) takeAnswer(ctx workflow.Context, a Answer) (papers.Verdict, error) {
	q := &b.answer
	q.given = &a
	err := workflow.Await(ctx, func() bool { return q.verdict != "" || q.answered != nil })
	return q.verdict, errors.Join(err, q.answered)
}

// ask waits for a person's answer, and blocks the batch when the time is up. The
// output is the verdict that came of it.
func (b *batch) ask(ctx workflow.Context, data activities.JudgeDataOutput) (activities.JudgeDataOutput, error) {
	b.card.Asks, b.card.Decision, b.card.Verdict = data.Asks, papers.Short(data.Paper.Digest), string(papers.Ask)
	if err := b.record(ctx, papers.Ask, data.Asks, data.Paper); err != nil {
		return data, err
	}
	q := &b.answer
	q.paper, q.until = &data.Paper, workflow.Now(ctx).Add(b.plan.Wait).UTC()
	b.card.Until = q.until.Format(time.RFC3339)
	if err := b.show(ctx, "WaitForAnswer"); err != nil {
		return data, err
	}
	b.alertQuestion(ctx, data.Asks)
	in := activities.AnswerInput{Run: b.plan.Run, Model: b.plan.Model, Contract: b.plan.Contract, Data: data.Paper, Operation: operation(ctx)}
	_, err := workflow.AwaitWithOptions(ctx, workflow.AwaitOptions{Timeout: b.plan.Wait,
		TimerOptions: workflow.TimerOptions{Summary: "Until then somebody may answer"}}, func() bool { return q.given != nil })
	if err != nil {
		return data, b.unheard(ctx, err)
	}
	if q.given != nil {
		in.Approved, in.By, in.Reason = q.given.Approve, q.given.By, q.given.Reason
	} else {
		q.paper = nil
		in.By, in.Reason = "nobody", fmt.Sprintf("no answer within %s", b.plan.Wait)
	}
	in.At = workflow.Now(ctx).UTC()
	out, err := run(stage(ctx, "Enter the answer in the registry", 5*time.Minute), act.Answer, in)
	if err != nil {
		return data, b.unheard(ctx, err)
	}
	q.verdict = out.Verdict
	data.Verdict, data.Reasons, data.Paper = out.Verdict, out.Reasons, out.Paper
	b.out.Answered, b.out.Anchor = in.By+": "+in.Reason, out.Anchor
	b.card.Answered, b.card.Anchor, b.card.Verdict, b.card.Until = b.out.Answered, out.Anchor, string(out.Verdict), ""
	return data, heard(ctx)
}

// unheard ends a question of which nothing came, and returns why.
func (b *batch) unheard(ctx workflow.Context, why error) error {
	b.answer.paper, b.answer.answered = nil, errors.New(cause(why))
	if err := heard(ctx); err != nil {
		return errors.Join(why, err)
	}
	return why
}
