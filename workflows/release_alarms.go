package workflows

import (
	"fmt"
	"slices"
	"time"

	"go.temporal.io/sdk/workflow"

	"headgate/internal/alert"
	rollout "headgate/internal/release"
)

// Told is an alert that lasts and that a release has raised.
type Told struct {
	Kind    alert.Kind `json:"kind"`
	Subject string     `json:"subject"`
	Nonce   string     `json:"nonce,omitempty"` // of the question
}

// subjectRelease is what alerts about the workflow itself are about.
const subjectRelease = "release"

// A question is close to its end when a day is left, or a quarter of its time if that is
// less.
const lastDay = 24 * time.Hour

// alert tells people what the release waits for of them, and that they need not act any
// more. While it does something else, what it waits for has not changed.
func (r *releases) alert(ctx workflow.Context) {
	next := r.view.Next
	if !r.view.Alerts {
		r.over(ctx, "the pipeline file has no alerts any more", nil)
		return
	}
	if next.Kind == rollout.DoShadow || next.Kind == rollout.DoJudge || next.Kind == rollout.DoRepublish {
		return
	}
	alerts, lasting := r.lasting(ctx)
	r.over(ctx, "the release goes on: "+stageOf(next), lasting)
	for i, t := range lasting {
		if !slices.Contains(r.told, t) {
			raise(ctx, alerts[i])
			r.told = append(r.told, t)
		}
	}
}

// over says that what the release has raised is over, but for what lasts.
func (r *releases) over(ctx workflow.Context, why string, lasting []Told) {
	var left []Told
	for _, t := range r.told {
		if slices.Contains(lasting, t) {
			left = append(left, t)
			continue
		}
		resolve(ctx, why, r.in.Pipeline, t.Subject, t.Kind)
	}
	r.told = left
}

// lasting returns what the release waits for of people.
func (r *releases) lasting(ctx workflow.Context) (alerts []alert.Alert, told []Told) {
	add := func(a alert.Alert, nonce string) {
		alerts, told = append(alerts, a), append(told, Told{Kind: a.Kind, Subject: a.Subject, Nonce: nonce})
	}
	switch next := r.view.Next; {
	case next.Kind == rollout.DoAsk:
		q := r.asks(ctx)
		add(alert.NewReleaseAsks(q), next.Nonce)
		if at := r.expiring(ctx); !at.IsZero() && !workflow.Now(ctx).Before(at) {
			add(alert.NewApprovalExpires(q), next.Nonce)
		}
	case next.Kind == rollout.DoNothing && next.Stopped && r.view.Facts.Held == "":
		add(alert.NewReleaseStopped(r.in.Pipeline, r.view.Facts.Release, next.WaitsFor), "")
	}
	return alerts, told
}

// asks returns the question that is open.
func (r *releases) asks(ctx workflow.Context) alert.Question {
	next, f := r.view.Next, r.view.Facts
	return alert.Question{Pipeline: r.in.Pipeline, Release: next.Release, Step: next.Step, Model: short(next.Model), Decision: short(next.Decision),
		Nonce: next.Nonce, Why: next.Reason, Findings: f.Findings, Who: f.Who, Signed: f.Signed, Need: next.Need - len(next.Approved), Until: next.Until,
		Workflow: workflow.GetInfo(ctx).WorkflowExecution.ID}
}

// expiring returns when people are told that a question soon runs out; zero if it does
// not.
func (r *releases) expiring(ctx workflow.Context) time.Time {
	next := r.view.Next
	if next.Kind != rollout.DoAsk || next.Until.IsZero() {
		return time.Time{}
	}
	if r.asked.Nonce != next.Nonce {
		r.asked = Asked{Nonce: next.Nonce, At: workflow.Now(ctx).UTC()}
	}
	return next.Until.Add(-min(lastDay, next.Until.Sub(r.asked.At)/4))
}

// alertStep tells people of a step back that was taken. was is how things stood before.
func (r *releases) alertStep(ctx workflow.Context, next rollout.Action, was []rollout.Arm) {
	if !r.view.Alerts {
		return
	}
	serves := slices.ContainsFunc(was, func(arm rollout.Arm) bool { return arm.Model == next.Model && arm.Share > 0 })
	switch {
	case next.Kind == rollout.DoPromote && !r.candidate(next.Model):
		raise(ctx, alert.NewReversed(r.in.Pipeline, next.Release, short(next.Model), next.Reason))
	case next.Kind == rollout.DoReject && serves:
		raise(ctx, alert.NewRolledBack(r.in.Pipeline, next.Release, short(next.Model), next.Reason))
	case next.Kind == rollout.DoReject:
		raise(ctx, alert.NewReleaseBlocked(r.in.Pipeline, next.Release, short(next.Model), next.Reason))
	}
}

// alertTrouble tells people that the release does not go on, or goes on again if why is
// empty.
func (r *releases) alertTrouble(ctx workflow.Context, why string) {
	if !r.view.Alerts || r.sure && r.troubled == (why != "") {
		return
	}
	if r.sure, r.troubled = true, why != ""; !r.troubled {
		resolve(ctx, "the release goes on", r.in.Pipeline, subjectRelease, alert.RunFailed)
		return
	}
	a := alert.NewRunFailed(r.in.Pipeline, subjectRelease, stageOf(r.view.Next), why, "starter release status "+r.in.Pipeline)
	a.Title = fmt.Sprintf("%s: the release does not go on", r.in.Pipeline)
	a.Text = fmt.Sprintf("A step of the release of pipeline %s fails, and is tried again every hour. Months are scored and published as before.", r.in.Pipeline)
	a.Steps[1].Text = "See whether it goes on"
	raise(ctx, a)
}

// alertEnd tells people that the release ended before its time, and what it took back. It
// fails if nobody has cancelled it, or if something could not be taken back.
func (r *releases) alertEnd(ctx workflow.Context, taken *undo, why error, fails bool) {
	if !alerted(ctx, r.view.Head > 0, r.view.Alerts, why) {
		return
	}
	r.over(ctx, "the release has ended", nil)
	if taken != nil {
		raise(ctx, alert.NewRolledBack(r.in.Pipeline, taken.release, short(string(taken.model)), "the release ended before its time: "+r.card.Trouble))
	}
	if fails {
		raise(ctx, alert.NewRunFailed(r.in.Pipeline, subjectRelease, stageOf(r.view.Next), r.card.Trouble, "starter release status "+r.in.Pipeline))
	}
}
