package workflows

import (
	"errors"
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"headgate/activities"
	"headgate/internal/figure"
	"headgate/internal/store"
)

// SignalLabels says that labels of a batch are there: an evaluation that waits looks at
// once. It carries no facts.
const SignalLabels = "labels"

// EvaluateID is the id of the workflow that waits for the labels of a batch.
func EvaluateID(pipeline, batch string) string { return "evaluate/" + pipeline + "/" + batch }

// EvaluateBatchInput names a published batch.
type EvaluateBatchInput struct {
	Pipeline string `json:"pipeline"`
	Batch    string `json:"batch"`
	By       string `json:"by"` // who asked, as claimed
}

// EvaluateBatchOutput says what labels said. Without labels there is no paper.
type EvaluateBatchOutput struct {
	activities.EvaluateScoresOutput
	Labels store.Digest `json:"labels,omitempty"` // the version that was held against the scores
	Looks  int          `json:"looks"`            // how often label files were looked for
	// Retraining says that a training was started because of what labels said.
	Retraining bool `json:"retraining,omitempty"`
}

// evaluation is the state of one EvaluateBatch.
type evaluation struct {
	in    EvaluateBatchInput
	due   activities.ResolveLabelsOutput
	found activities.FindLabelsOutput
	card  EvaluationCard
	out   EvaluateBatchOutput
	wake  workflow.ReceiveChannel

	hurried workflow.Channel // by a person
	asleep  bool
	waiting waiting // what the list says of what it waits for
}

// EvaluateBatch waits until the labels of a published batch are mature, or marked as
// complete, holds them against what every model said, and enters the evaluation in the
// registry. Then it wakes the release, and starts a training if the pipeline's policy says
// so.
//
// Its id is [EvaluateID]. [ScoreBatch] starts it after a publication. Labels that were
// revised are evaluated by starting it again: it finds another version of them. Labels
// that never come end it without an entry, which is an answer and not a failure.
func EvaluateBatch(ctx workflow.Context, in EvaluateBatchInput) (EvaluateBatchOutput, error) {
	e := &evaluation{in: in, card: EvaluationCard{Pipeline: in.Pipeline, Batch: in.Batch}, wake: workflow.GetSignalChannel(ctx, SignalLabels), hurried: workflow.NewBufferedChannel(ctx, 1), waiting: listedAs(ctx)}
	err := workflow.SetQueryHandlerWithOptions(ctx, "scorecard", func() (EvaluationCard, error) { return e.card, nil },
		workflow.QueryHandlerOptions{Description: "What is waited for, what scores alone say, and what labels said, as JSON."})
	if err != nil {
		return e.out, err
	}
	if err := e.listen(ctx); err != nil {
		return e.out, err
	}
	err = workflow.UpsertTypedSearchAttributes(ctx, attrPipeline.ValueSet(in.Pipeline), attrBatch.ValueSet(in.Batch))
	if err != nil {
		return e.out, err
	}
	err = e.evaluate(ctx)
	e.alert(ctx, err)
	switch again := new(workflow.ContinueAsNewError); {
	case errors.As(err, &again):
		return e.out, err
	case err == nil:
		return e.out, e.show(ctx, "Done")
	case temporal.IsCanceledError(err):
		e.card.Verdict = "cancelled"
	default:
		e.card.Verdict, e.card.Reasons = "failed", []string{cause(err)}
	}
	return e.out, joined(err, e.show(ctx, e.card.Stage))
}

// evaluate goes through the stages.
func (e *evaluation) evaluate(ctx workflow.Context) (err error) {
	if err = e.show(ctx, "ResolveLabels"); err != nil {
		return err
	}
	e.due, err = run(stage(ctx, "Find out when labels are due", 5*time.Minute), act.ResolveLabels,
		activities.ResolveLabelsInput{Pipeline: e.in.Pipeline, Batch: e.in.Batch})
	if err != nil {
		return err
	}
	e.card.resolved(e.due)
	if err = e.show(ctx, "Forecast"); err != nil {
		return err
	}
	forecast, err := run(stage(ctx, "Estimate metrics without labels", time.Hour), act.Forecast,
		activities.ForecastInput{Pipeline: e.in.Pipeline, Batch: e.in.Batch})
	if err != nil {
		return err
	}
	e.card.Forecast, e.card.Distrusted = forecast.Metrics, forecast.Off
	for {
		ready, err := e.await(ctx)
		if err != nil {
			return err
		}
		if !ready {
			return nil
		}
		err = e.judge(ctx)
		if !failed(err, activities.KindInputChanged) {
			return err
		}
		// A label file was replaced between the look and the reading: look again.
		e.card.Problem = cause(err)
	}
}

// await returns once labels are there, or false if they have not come in time.
func (e *evaluation) await(ctx workflow.Context) (ready bool, err error) {
	next := e.due.Due
	switch {
	case e.out.Looks > 0:
		next = workflow.Now(ctx).Add(e.due.Poll)
	case e.due.Ready:
		next = workflow.Now(ctx) // a month that is scored again need not wait
	}
	for {
		if err := e.sleep(ctx, next); err != nil {
			return false, err
		}
		if err := e.look(ctx); err != nil {
			return false, err
		}
		now := workflow.Now(ctx)
		mature := !now.Before(e.due.Due)
		switch {
		case e.found.Complete && (mature || e.found.Marker):
			return true, nil
		case now.Before(e.due.Until):
		case e.found.Version != "":
			return true, nil // with what there is: it will not count as evidence
		default:
			e.out.Verdict = "none"
			e.out.Reasons = []string{fmt.Sprintf("no labels have come until %s: no file matches %s", e.due.Until.Format(time.RFC3339), e.due.Files)}
			e.card.Verdict, e.card.Reasons = e.out.Verdict, e.out.Reasons
			return false, nil
		}
		if workflow.GetInfo(ctx).GetContinueAsNewSuggested() {
			return false, workflow.NewContinueAsNewError(ctx, EvaluateBatch, e.in)
		}
		next = e.due.Due
		if mature {
			next = now.Add(e.due.Poll)
			if next.After(e.due.Until) {
				next = e.due.Until
			}
		}
	}
}

// sleep waits for a moment, or for somebody who says that labels are there.
func (e *evaluation) sleep(ctx workflow.Context, until time.Time) error {
	wait := until.Sub(workflow.Now(ctx))
	if wait <= 0 {
		for e.wake.ReceiveAsync(nil) {
		}
		return ctx.Err()
	}
	name, why := "WaitForMaturity", "Until then the outcomes are not known"
	if e.out.Looks > 0 {
		name, why = "WaitForLabels", "Look for labels again"
	}
	e.card.Next = until.UTC().Format(time.RFC3339)
	if err := e.show(ctx, name); err != nil {
		return err
	}
	woken, cancel := workflow.WithCancel(ctx)
	defer cancel()
	timer := workflow.NewTimerWithOptions(woken, wait, workflow.TimerOptions{Summary: why})
	var err error
	e.asleep = true
	workflow.NewSelector(ctx).
		AddFuture(timer, func(f workflow.Future) { err = f.Get(ctx, nil) }).
		AddReceive(e.wake, func(c workflow.ReceiveChannel, _ bool) {
			c.Receive(ctx, nil)
			for c.ReceiveAsync(nil) {
			}
		}).
		AddReceive(e.hurried, func(c workflow.ReceiveChannel, _ bool) { c.Receive(ctx, nil) }).
		Select(ctx)
	e.asleep, e.card.Next = false, ""
	return err
}

// look looks for label files.
func (e *evaluation) look(ctx workflow.Context) (err error) {
	if err = e.show(ctx, "FindLabels"); err != nil {
		return err
	}
	e.found, err = run(stage(ctx, "Look for label files", 10*time.Minute), act.FindLabels,
		activities.FindLabelsInput{Pipeline: e.in.Pipeline, Batch: e.in.Batch})
	e.out.Looks++
	e.card.found(e.found, e.out.Looks)
	return err
}

// judge holds labels against scores, and tells who waits for it.
func (e *evaluation) judge(ctx workflow.Context) error {
	if err := e.show(ctx, "EvaluateScores"); err != nil {
		return err
	}
	out, err := run(stage(ctx, fmt.Sprintf("Hold %s label rows against the scores", figure.Count(e.found.Rows)), 2*time.Hour), act.EvaluateScores,
		activities.EvaluateScoresInput{Pipeline: e.in.Pipeline, Batch: e.in.Batch, Labels: e.found.Version,
			Operation: operation(ctx), At: workflow.Now(ctx).UTC(), By: e.in.By})
	if err != nil {
		return err
	}
	e.out.EvaluateScoresOutput, e.out.Labels = out, e.found.Version
	e.card.evaluated(out)
	wakeRelease(ctx, e.in.Pipeline)
	return e.retrain(ctx)
}

// retrain starts a training if the pipeline's policy says so. One that runs already is
// enough.
func (e *evaluation) retrain(ctx workflow.Context) error {
	if err := e.show(ctx, "DecideRetrain"); err != nil {
		return err
	}
	out, err := maybeRetrain(ctx, e.in.Pipeline)
	e.card.Triggers, e.card.NotYet, e.out.Retraining = out.Reasons, out.NotYet, out.Start
	if err == nil {
		e.doubts(ctx, out)
	}
	return err
}

// wakeRelease tells the release of a pipeline that the registry has something new. It
// carries no facts, and the release looks by itself from time to time: whether there is
// one that hears it does not matter.
func wakeRelease(ctx workflow.Context, pipeline string) {
	err := workflow.SignalExternalWorkflow(ctx, ReleaseID(pipeline), "", SignalWake, nil).Get(ctx, nil)
	if err != nil {
		workflow.GetLogger(ctx).Debug("no release was woken", "pipeline", pipeline, "error", err)
	}
}

// show puts the stage into the list view, and the scorecard onto the run's page.
func (e *evaluation) show(ctx workflow.Context, stage string) error {
	e.card.Stage = stage
	updates := []temporal.SearchAttributeUpdate{attrStage.ValueSet(stage)}
	if e.card.Model != "" {
		updates = append(updates, attrModel.ValueSet(e.card.Model))
	}
	if e.card.Verdict != "" {
		updates = append(updates, attrVerdict.ValueSet(e.card.Verdict))
	}
	updates = append(updates, e.waiting.updates(e.card.waits(), nil)...)
	setDetails(ctx, e.card.Markdown())
	return workflow.UpsertTypedSearchAttributes(ctx, updates...)
}

// failed reports whether an activity failed in a way that it names.
func failed(err error, kind string) bool {
	var app *temporal.ApplicationError
	return errors.As(err, &app) && app.Type() == kind
}

// evaluateLater starts the evaluation of a batch that was published, which waits for its
// labels. One that waits already will see this publication.
func evaluateLater(ctx workflow.Context, in EvaluateBatchInput) error {
	return startAlone(ctx, EvaluateID(in.Pipeline, in.Batch), fmt.Sprintf("Evaluate %s %s", in.Pipeline, in.Batch), evaluateDetails(in), EvaluateBatch, in)
}
