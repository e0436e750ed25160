package workflows

import (
	"errors"
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"headgate/activities"
	rollout "headgate/internal/release"
)

// Names of the Updates of a [Release].
const (
	UpdateApprove  = "approve"
	UpdateReject   = "reject"
	UpdateHold     = "hold"
	UpdateResume   = "resume"
	UpdateRollback = "rollback"
	UpdateStart    = "start"
)

// ReleaseAnswer is what a person says to a release that asks. Decision and Nonce are of
// the question, as the run's page shows them: an answer to another question is refused.
// Release, Step, Model and Expires, if they are left out, are the question's; a signed
// answer has them all, because they are signed.
type ReleaseAnswer struct {
	By        string    `json:"by"` // as claimed, unless it is signed
	Role      string    `json:"role,omitempty"`
	Reason    string    `json:"reason"`
	Decision  string    `json:"decision"` // digest of the verdict that was looked at, whole or its first digits
	Nonce     string    `json:"nonce"`
	Expires   time.Time `json:"expires,omitzero"`
	Signature string    `json:"signature,omitempty"` // as ssh-keygen -Y sign -n headgate writes it
	Release   string    `json:"release,omitempty"`
	Step      string    `json:"step,omitempty"`
	Model     string    `json:"model,omitempty"`
}

// Approval returns the answer as the registry keeps it and as it is signed.
func (a ReleaseAnswer) Approval(pipeline, answer string) rollout.Approval {
	return rollout.Approval{Format: rollout.Format, Pipeline: pipeline, Release: a.Release, Step: a.Step, Model: a.Model, Decision: a.Decision,
		Answer: answer, By: a.By, Role: a.Role, Reason: a.Reason, Nonce: a.Nonce, Expires: a.Expires, Signature: a.Signature}
}

// ReleaseRollback takes the champion back.
type ReleaseRollback struct {
	To     string `json:"to,omitempty"`    // number of a registry entry, for the champion at that time, or digits of a model; empty: the one before
	Batch  string `json:"batch,omitempty"` // published again with that model's scores
	By     string `json:"by"`
	Reason string `json:"reason"`
}

// ReleaseStart asks for the release of a registered model.
type ReleaseStart struct {
	Model  string `json:"model"`           // its digest, or the first digits
	Batch  string `json:"batch,omitempty"` // the last one that it has learned from; empty: unknown
	By     string `json:"by"`
	Reason string `json:"reason"`
}

// listen takes signals and Updates from now on.
func (r *releases) listen(ctx workflow.Context) error {
	workflow.Go(ctx, func(ctx workflow.Context) {
		wake := workflow.GetSignalChannelWithOptions(ctx, SignalWake, workflow.SignalChannelOptions{Description: "Makes the release look at the registry now. It carries nothing."})
		for wake.Receive(ctx, nil) {
			r.woken = true
		}
	})
	return errors.Join(
		update(ctx, UpdateApprove, `Lets the release take the step that it asks about: {"by": "your name", "reason": "why", "decision": "digits on the scorecard", "nonce": "digits on the scorecard"}; "role" if people have several.`, checkApprove,
			func(ctx workflow.Context, a ReleaseAnswer) (activities.CheckApprovalOutput, error) {
				return r.answer(ctx, rollout.Approve, a)
			}),
		update(ctx, UpdateReject, `Rejects the candidate, asked or not: {"by": "your name", "reason": "why"}; to a question also "decision" and "nonce", as the scorecard shows them.`, checkAnswer,
			func(ctx workflow.Context, a ReleaseAnswer) (activities.CheckApprovalOutput, error) {
				return r.answer(ctx, rollout.Reject, a)
			}),
		update(ctx, UpdateHold, `Stops the releases where they are until somebody resumes: {"by": "your name", "reason": "why"}.`, checkWord,
			func(ctx workflow.Context, w Word) (activities.ControlOutput, error) {
				return r.control(ctx, activities.ControlInput{Control: rollout.Hold, By: w.By, Reason: w.Reason})
			}),
		update(ctx, UpdateResume, `Lets held releases go on: {"by": "your name", "reason": "why"}.`, checkWord,
			func(ctx workflow.Context, w Word) (activities.ControlOutput, error) {
				return r.control(ctx, activities.ControlInput{Control: rollout.Resume, By: w.By, Reason: w.Reason})
			}),
		update(ctx, UpdateRollback, `Takes the champion, or a candidate that serves, back: {"by": "your name", "reason": "why"}; "to": "41" names the entry whose champion comes back, "batch": "2024-12" a batch that gets its scores.`, checkRollback,
			func(ctx workflow.Context, b ReleaseRollback) (activities.ControlOutput, error) {
				return r.control(ctx, activities.ControlInput{Control: rollout.Rollback, To: b.To, Batch: b.Batch, By: b.By, Reason: b.Reason})
			}),
		update(ctx, UpdateRetryNow, `Looks at the registry now, and tries again what failed: {"by": "your name", "reason": "why"}.`, r.checkRetry, r.retry),
		update(ctx, UpdateStart, `Asks for the release of a registered model: {"model": "9f2c41d0", "batch": "2024-06", "by": "your name", "reason": "why"}; batch is the last one that it has learned from.`, checkStart, r.start),
	)
}

func checkAnswer(a ReleaseAnswer) error {
	if err := checkPerson(a.By, a.Reason); err != nil {
		return err
	}
	for _, text := range []string{a.Role, a.Decision, a.Nonce, a.Release, a.Step, a.Model} {
		if !oneLine(text, maxBy) {
			return fmt.Errorf("role, decision, nonce, release, step and model must be one line of at most %d bytes each", maxBy)
		}
	}
	if len(a.Signature) > maxReason {
		return fmt.Errorf("the signature must have at most %d bytes", maxReason)
	}
	return nil
}

func checkApprove(a ReleaseAnswer) error {
	switch {
	case a.Decision == "":
		return errors.New("an approval needs the decision that was looked at")
	case a.Nonce == "":
		return errors.New("an approval needs the nonce of the question")
	}
	return checkAnswer(a)
}

func checkRollback(b ReleaseRollback) error {
	if !oneLine(b.To, maxBy) || !oneLine(b.Batch, maxBy) {
		return fmt.Errorf("to and batch must be one line of at most %d bytes", maxBy)
	}
	return checkPerson(b.By, b.Reason)
}

func checkStart(s ReleaseStart) error {
	if s.Model == "" || !oneLine(s.Model, maxBy) || !oneLine(s.Batch, maxBy) {
		return errors.New("which model? give its digest or the first digits, in one line")
	}
	return checkPerson(s.By, s.Reason)
}

// answer enters what a person said, or why it does not count, and says so.
func (r *releases) answer(ctx workflow.Context, answer string, a ReleaseAnswer) (activities.CheckApprovalOutput, error) {
	out, err := inTurn(ctx, r, func(ctx workflow.Context, at time.Time) (activities.CheckApprovalOutput, error) {
		return run(stage(ctx, "Enter what "+a.By+" said", 5*time.Minute), act.CheckApproval, activities.CheckApprovalInput{
			Pipeline: r.in.Pipeline, Approval: a.Approval(r.in.Pipeline, answer), ID: updateID(ctx), Operation: operation(ctx), At: at})
	})
	if err == nil && out.Refused != "" {
		err = temporal.NewApplicationError(fmt.Sprintf("%s (registry entry %d)", out.Refused, out.Seq), activities.KindRefused)
	}
	return out, err
}

// control enters what a person ordered.
func (r *releases) control(ctx workflow.Context, in activities.ControlInput) (activities.ControlOutput, error) {
	return inTurn(ctx, r, func(ctx workflow.Context, at time.Time) (activities.ControlOutput, error) {
		in.Pipeline, in.ID, in.Operation, in.At = r.in.Pipeline, updateID(ctx), operation(ctx), at
		return run(stage(ctx, fmt.Sprintf("Enter the %s of %s", in.Control, in.By), 5*time.Minute), act.Control, in)
	})
}

func (r *releases) checkRetry(in RetryNow) error {
	if in.Shard != nil {
		return fmt.Errorf("a release has no shard %d", *in.Shard)
	}
	if err := checkPerson(in.By, in.Reason); err != nil {
		return err
	}
	if !r.asleep {
		return fmt.Errorf("it does not wait now: its stage is %s", r.card.Stage)
	}
	return nil
}

func (r *releases) retry(ctx workflow.Context, in RetryNow) (RetryNowOutput, error) {
	r.woken = true
	return RetryNowOutput{Tried: []string{"look at the registry of " + r.in.Pipeline}}, nil
}

// start enters a candidate.
func (r *releases) start(ctx workflow.Context, s ReleaseStart) (activities.AddCandidateOutput, error) {
	return inTurn(ctx, r, func(ctx workflow.Context, at time.Time) (activities.AddCandidateOutput, error) {
		return run(stage(ctx, "Enter the candidate of "+s.By, 5*time.Minute), act.AddCandidate, activities.AddCandidateInput{
			Pipeline: r.in.Pipeline, Model: s.Model, Batch: s.Batch, By: s.By, Reason: s.Reason, ID: updateID(ctx), Operation: operation(ctx), At: at})
	})
}

// inTurn enters something while nobody else reads the registry and appends to it, and
// wakes the release. What has begun is carried through, also if the release is cancelled.
func inTurn[Out any](ctx workflow.Context, r *releases, do func(workflow.Context, time.Time) (Out, error)) (Out, error) {
	var out Out
	if err := r.turn.Lock(ctx); err != nil {
		return out, err
	}
	defer r.turn.Unlock()
	disconnected, _ := workflow.NewDisconnectedContext(ctx)
	out, err := do(disconnected, workflow.Now(ctx).UTC())
	r.woken = true
	return out, err
}
