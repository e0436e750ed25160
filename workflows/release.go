package workflows

import (
	"errors"
	"fmt"
	"time"

	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"headgate/activities"
	"headgate/internal/figure"
	rollout "headgate/internal/release"
	papers "headgate/internal/run"
	"headgate/internal/store"
)

// SignalWake is the name of the signal that makes a [Release] look at the registry. It
// carries nothing: what happened is in the registry.
const SignalWake = "wake"

// lookAgain is how long a release waits for a signal before it looks by itself, and
// after a failure before it tries again.
const lookAgain = time.Hour

// ReleaseInput names the pipeline whose releases are carried out.
type ReleaseInput struct {
	Pipeline string `json:"pipeline"`
	Told     []Told `json:"told,omitempty"` // of the run before this one
	Asked    Asked  `json:"asked,omitzero"` // by the run before this one
}

// Asked is since when a release has asked a question.
type Asked struct {
	Nonce string    `json:"nonce"`
	At    time.Time `json:"at"`
}

// ReleaseOutput says what is in force when no release is left.
type ReleaseOutput struct {
	Champion store.Digest `json:"champion"`
	Release  string       `json:"release,omitempty"` // that ended last
	Outcome  string       `json:"outcome,omitempty"` // of it
	Anchor   string       `json:"anchor"`
}

// releases is the state of one Release.
type releases struct {
	in   ReleaseInput
	view activities.ReadReleaseOutput
	card ReleaseCard
	// turn is had by who reads the registry and appends what follows from it.
	turn  workflow.Mutex
	undo  *undo  // nil while no candidate serves anybody
	woken bool   // something happened since the registry was read
	done  string // id of the last step that was done, and the head before it

	told     []Told // alerts that last
	troubled bool   // people believe that it does not go on
	sure     bool   // of that: a run before this one may have told them
	asked    Asked  // the last question, since it was seen first
	asleep   bool   // it waits for something, or for the time
	waiting  waiting
}

// Release carries out the releases of a pipeline, one after the other. Nobody else moves
// what production uses. Its id is [ReleaseID].
//
// It reads the registry, does what comes next, and reads again. It waits for verdicts,
// labels and persons, for months if need be, and ends when no release is left. Before it
// gives a candidate anything to score it notes what takes that back, and does so when it
// is cancelled or cannot go on.
func Release(ctx workflow.Context, in ReleaseInput) (ReleaseOutput, error) {
	r := &releases{in: in, told: in.Told, asked: in.Asked, waiting: listedAs(ctx), turn: workflow.NewMutex(ctx), card: ReleaseCard{Pipeline: in.Pipeline}}
	err := workflow.SetQueryHandlerWithOptions(ctx, "scorecard", func() (ReleaseCard, error) { return r.card, nil },
		workflow.QueryHandlerOptions{Description: "Champion, candidates, steps, verdicts and what is waited for, as JSON."})
	if err != nil {
		return ReleaseOutput{}, err
	}
	if err := r.listen(ctx); err != nil {
		return ReleaseOutput{}, err
	}
	if err := workflow.UpsertTypedSearchAttributes(ctx, attrPipeline.ValueSet(in.Pipeline)); err != nil {
		return ReleaseOutput{}, err
	}
	err = r.goOn(ctx)
	switch {
	case err == nil:
		err = r.show(ctx, "Done")
	case !workflow.IsContinueAsNewError(err):
		err = r.giveUp(ctx, err)
	}
	return ReleaseOutput{Champion: r.view.Facts.Champion, Release: r.view.Facts.Release, Outcome: r.view.Facts.Outcome, Anchor: r.view.Anchor}, err
}

// goOn goes from step to step until no release is left.
func (r *releases) goOn(ctx workflow.Context) error {
	for {
		err := r.step(ctx)
		switch {
		case failed(err, activities.KindHeadMoved): // what the step rested on is no longer so
		case err == nil:
			r.alertTrouble(ctx, "")
		case hopeless(err):
			return err
		default:
			if err := r.pause(ctx, cause(err)); err != nil {
				return err
			}
		}
		if err == nil && r.atEnd(ctx) {
			return nil
		}
		if workflow.GetInfo(ctx).GetContinueAsNewSuggested() {
			return r.continueAsNew(ctx)
		}
	}
}

// atEnd reports whether no release is left and nobody wants anything.
func (r *releases) atEnd(ctx workflow.Context) bool {
	return !r.view.Facts.Open && r.view.Next.Kind == rollout.DoNothing && !r.woken && workflow.AllHandlersFinished(ctx)
}

// step reads the registry and does what comes next.
func (r *releases) step(ctx workflow.Context) error {
	if err := r.turn.Lock(ctx); err != nil {
		return err
	}
	err := r.read(ctx)
	if err == nil && appends(r.view.Next.Kind) {
		// What was found is entered before anybody can say otherwise.
		err = r.do(ctx)
		r.turn.Unlock()
		return err
	}
	r.turn.Unlock()
	if err != nil {
		return err
	}
	return r.do(ctx)
}

// appends reports whether a step is done with one entry of the registry.
func appends(kind string) bool {
	return kind == rollout.DoRoute || kind == rollout.DoPromote || kind == rollout.DoReject || kind == rollout.DoFinish
}

// read reads the registry.
func (r *releases) read(ctx workflow.Context) error {
	r.woken = false
	view, err := run(stage(ctx, "Read the registry", 5*time.Minute), act.ReadRelease,
		activities.ReadReleaseInput{Pipeline: r.in.Pipeline, At: workflow.Now(ctx).UTC()})
	if err != nil {
		return err
	}
	r.view = view
	r.undo = r.serving()
	return nil
}

// do does what comes next.
func (r *releases) do(ctx workflow.Context) error {
	next := r.view.Next
	if again := fmt.Sprint(next.Kind, " ", next.ID, " ", r.view.Head); next.ID != "" && next.Kind != rollout.DoAsk {
		if again == r.done {
			return r.pause(ctx, "the registry did not take the step "+next.Kind)
		}
		r.done = again
	}
	if err := r.show(ctx, stageOf(next)); err != nil {
		return err
	}
	r.alert(ctx)
	was := r.view.Facts.Arms
	err := r.doNext(ctx, next)
	if err == nil {
		r.alertStep(ctx, next, was)
	}
	return err
}

func (r *releases) doNext(ctx workflow.Context, next rollout.Action) error {
	switch next.Kind {
	case rollout.DoShadow:
		return r.shadow(ctx, next)
	case rollout.DoJudge:
		_, err := run(stage(ctx, fmt.Sprintf("Judge %s on %s", short(next.Model), figure.Things(len(next.Batches), "labelled batch")), time.Hour),
			act.JudgeCandidate, r.stepInput(ctx))
		return err
	case rollout.DoRoute, rollout.DoFinish:
		return r.route(ctx, next)
	case rollout.DoPromote:
		return r.promote(ctx, next)
	case rollout.DoReject:
		_, err := run(stage(ctx, "Reject "+short(next.Model), 5*time.Minute), act.RejectModel, r.stepInput(ctx))
		return err
	case rollout.DoRepublish:
		return r.republish(ctx, next)
	}
	return r.wait(ctx, next)
}

func (r *releases) stepInput(ctx workflow.Context) activities.ReleaseStep {
	return activities.ReleaseStep{Pipeline: r.in.Pipeline, Next: r.view.Next, Basis: r.view.Basis, Operation: operation(ctx), At: workflow.Now(ctx).UTC()}
}

// wait waits until something happens, or until it is time to look by itself.
func (r *releases) wait(ctx workflow.Context, next rollout.Action) error {
	r.alertTrouble(ctx, "")
	if r.atEnd(ctx) {
		return nil
	}
	long := lookAgain
	if !next.Until.IsZero() {
		long = max(time.Second, min(long, next.Until.Sub(workflow.Now(ctx))))
	}
	if at := r.expiring(ctx); r.view.Alerts && workflow.Now(ctx).Before(at) {
		long = min(long, at.Sub(workflow.Now(ctx)))
	}
	return r.await(ctx, long, "Look again: "+stageOf(next))
}

// await waits for a signal, an Update or the time.
func (r *releases) await(ctx workflow.Context, long time.Duration, summary string) error {
	r.asleep = true
	defer func() { r.asleep = false }()
	_, err := workflow.AwaitWithOptions(ctx, workflow.AwaitOptions{Timeout: long, TimerOptions: workflow.TimerOptions{Summary: line(summary)}},
		func() bool { return r.woken })
	return err
}

// pause waits after a failure that may pass.
func (r *releases) pause(ctx workflow.Context, why string) error {
	r.card.Trouble = why
	if err := r.show(ctx, "Trouble"); err != nil {
		return err
	}
	r.alertTrouble(ctx, why)
	err := r.await(ctx, lookAgain, "Try again")
	r.card.Trouble, r.done = "", ""
	return err
}

// shadow lets models score a published batch. Those that cannot are entered, so that the
// release goes on without them or without the batch.
func (r *releases) shadow(ctx workflow.Context, next rollout.Action) error {
	in := ShadowBatchInput{Pipeline: r.in.Pipeline, Batch: next.Batch, By: "release " + next.Release}
	for _, m := range next.Models {
		in.Models = append(in.Models, store.Digest(m))
	}
	var out ShadowBatchOutput
	err := workflow.ExecuteChildWorkflow(child(ctx, ShadowID(in.Pipeline, in.Batch), fmt.Sprintf("Let %s score %s again", figure.Things(len(in.Models), "model"), in.Batch), shadowDetails(in)),
		ShadowBatch, in).Get(ctx, &out)
	if err != nil && (temporal.IsCanceledError(err) || !hopeless(err)) {
		return err
	}
	unscored := activities.UnscoredInput{Pipeline: r.in.Pipeline, Batch: next.Batch, Run: store.Digest(next.Run), Failed: out.Failed}
	if err != nil {
		for _, m := range in.Models {
			unscored.Failed = append(unscored.Failed, activities.FailedModel{Model: m, Reason: cause(err)})
		}
	}
	if len(unscored.Failed) == 0 {
		return nil
	}
	unscored.Operation, unscored.At = operation(ctx), workflow.Now(ctx).UTC()
	_, err = run(stage(ctx, "Enter who could not score "+next.Batch, 5*time.Minute), act.RecordUnscored, unscored)
	return err
}

// show puts the stage and what is waited for into the list view, and the scorecard onto
// the run's page.
func (r *releases) show(ctx workflow.Context, stage string) error {
	r.card.Stage, r.card.ReleaseFacts, r.card.Next, r.card.Anchor = stage, r.view.Facts, r.view.Next, r.view.Anchor
	updates := append(r.waiting.updates(r.card.waits(), r.card.who()), attrStage.ValueSet(stage), attrVerdict.ValueSet(keyword(r.card.verdict())))
	if f := r.view.Facts; f.Champion != "" {
		updates = append(updates, attrModel.ValueSet(papers.Short(f.Champion)), attrServing.ValueSet(keyword(r.card.serving())))
	}
	if r.view.Facts.Release != "" {
		updates = append(updates, attrRelease.ValueSet(r.view.Facts.Release))
	}
	setDetails(ctx, r.card.Markdown())
	return workflow.UpsertTypedSearchAttributes(ctx, updates...)
}

// continueAsNew starts over with an empty history, once whoever is being heard has been.
func (r *releases) continueAsNew(ctx workflow.Context) error {
	if err := workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) }); err != nil {
		return err
	}
	return workflow.NewContinueAsNewError(ctx, Release, ReleaseInput{Pipeline: r.in.Pipeline, Told: r.told, Asked: r.asked})
}

// child returns the options of a workflow that a release starts.
func child(ctx workflow.Context, id, summary, details string) workflow.Context {
	return workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
		WorkflowID:          id,
		WaitForCancellation: true,
		ParentClosePolicy:   enums.PARENT_CLOSE_POLICY_REQUEST_CANCEL,
		StaticSummary:       line(summary),
		StaticDetails:       details,
	})
}

// hopeless reports whether no retry can cure an error, so that the release must end.
func hopeless(err error) bool {
	var app *temporal.ApplicationError
	return temporal.IsCanceledError(err) || workflow.IsContinueAsNewError(err) || errors.As(err, &app) && app.NonRetryable()
}

// short writes the first digits of a model's digest.
func short(model string) string { return papers.Short(store.Digest(model)) }

// stageOf names what a release does.
func stageOf(next rollout.Action) string {
	names := map[string]string{rollout.DoShadow: "Shadow", rollout.DoJudge: "Judge", rollout.DoAsk: "WaitForAnswer", rollout.DoRoute: "Route",
		rollout.DoPromote: "Promote", rollout.DoReject: "Reject", rollout.DoRepublish: "Republish", rollout.DoFinish: "Finish"}
	if name, ok := names[next.Kind]; ok {
		return name
	}
	return "Wait"
}
