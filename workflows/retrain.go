package workflows

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"headgate/activities"
	papers "headgate/internal/run"
	"headgate/internal/store"
	"headgate/internal/train"
	"headgate/internal/trigger"
)

// RetrainInput says what is to be trained, and who wants it.
type RetrainInput struct {
	Pipeline string       `json:"pipeline"`
	Kind     trigger.Kind `json:"kind,omitempty"` // refit, recalibrate or both; empty: a refit, or what the triggers say
	// Automatic says that nobody asked: the triggers are looked at once more, so that
	// several that fired at once start one training.
	Automatic bool   `json:"automatic,omitempty"`
	By        string `json:"by"` // who asked, as claimed
	Reason    string `json:"reason"`
}

// RetrainOutput says what came of a training. A block is an answer, not a failure.
type RetrainOutput struct {
	Verdict    string         `json:"verdict,omitempty"` // pass or block; empty if nothing was trained
	Idle       []string       `json:"idle,omitempty"`    // why nothing was trained
	Reasons    []string       `json:"reasons,omitempty"`
	Notes      []string       `json:"notes,omitempty"`
	Kind       trigger.Kind   `json:"kind,omitempty"`
	Batches    []string       `json:"batches,omitempty"` // that were learned from
	Windows    []string       `json:"windows,omitempty"`
	Evidence   store.Digest   `json:"evidence,omitempty"` // blob: what the training rests on
	Release    string         `json:"release,omitempty"`  // that the candidates ask for
	Candidates []store.Digest `json:"candidates,omitempty"`
	Anchor     string         `json:"anchor,omitempty"`
}

// retraining is the state of one Retrain.
type retraining struct {
	in      RetrainInput
	plan    activities.ResolveTrainingOutput
	sets    []papers.Object
	trained []papers.Object
	sanity  []*papers.Object
	entered bool // the registry knows what came of it
	out     RetrainOutput
	card    TrainingCard
	trials  trials
	waiting waiting
}

// Retrain trains challengers from published batches and their labels, and ends with
// candidates for a release. It never promotes: what a candidate is worth, later batches
// say. Its id is [RetrainID], so there is one at a time.
//
// A training that fails or is cancelled leaves an entry with its evidence, and no model.
func Retrain(ctx workflow.Context, in RetrainInput) (RetrainOutput, error) {
	r := &retraining{in: in, card: TrainingCard{Pipeline: in.Pipeline, By: in.By, Reason: in.Reason}}
	err := workflow.SetQueryHandlerWithOptions(ctx, "scorecard", func() (TrainingCard, error) { return r.card, nil },
		workflow.QueryHandlerOptions{Description: "Stage, batches, windows and verdict so far, as JSON."})
	if err != nil {
		return r.out, err
	}
	if err := r.trials.listen(ctx); err != nil {
		return r.out, err
	}
	if err := workflow.UpsertTypedSearchAttributes(ctx, attrPipeline.ValueSet(in.Pipeline)); err != nil {
		return r.out, err
	}
	if err := r.resolve(ctx); err != nil || len(r.plan.Idle) > 0 {
		r.alert(ctx, err)
		return r.out, joined(err, r.show(ctx, "Done"))
	}
	ctx = r.patient(ctx)
	err = r.train(ctx)
	r.alert(ctx, err)
	if err != nil {
		return r.out, joined(err, r.giveUp(ctx, err))
	}
	return r.out, r.show(ctx, "Done")
}

// resolve pins what the training reads.
func (r *retraining) resolve(ctx workflow.Context) (err error) {
	if err = r.show(ctx, "ResolveTraining"); err != nil {
		return err
	}
	r.plan, err = run(stage(ctx, "Choose the batches to learn from", 10*time.Minute), act.ResolveTraining, activities.ResolveTrainingInput{
		Pipeline: r.in.Pipeline, Kind: r.in.Kind, Automatic: r.in.Automatic, At: workflow.Now(ctx).UTC()})
	if err != nil {
		r.card.Verdict, r.card.Reasons = "failed", []string{cause(err)}
		return err
	}
	r.out.Idle, r.out.Kind, r.out.Batches, r.out.Windows, r.out.Notes = r.plan.Idle, r.plan.Kind, r.plan.Batches, r.plan.Windows, r.plan.Notes
	r.card.resolved(r.plan)
	if r.in.Automatic && len(r.plan.Reasons) > 0 {
		r.in.Reason = r.plan.Reasons[0]
		r.card.Reason = r.in.Reason
	}
	if len(r.plan.Idle) > 0 {
		return nil
	}
	return workflow.UpsertTypedSearchAttributes(ctx, attrBatch.ValueSet(r.plan.Last))
}

// train goes through the stages after the plan.
func (r *retraining) train(ctx workflow.Context) error {
	if err := r.show(ctx, "Snapshot"); err != nil {
		return err
	}
	for _, batch := range r.plan.Batches {
		out, err := run(stage(ctx, "Join "+batch+" with its labels", 6*time.Hour), act.SnapshotBatch,
			activities.SnapshotBatchInput{Plan: r.plan.Plan, Batch: batch})
		if err != nil {
			return err
		}
		r.sets = append(r.sets, out.Set)
		r.card.Rows += out.Rows
	}
	// One after the other: scoring goes on meanwhile.
	for i := range r.plan.Windows {
		if err := r.window(ctx, i); err != nil {
			return err
		}
	}
	if err := r.show(ctx, "DecideTraining"); err != nil {
		return err
	}
	return r.end(ctx, "")
}

// window trains and judges one window.
func (r *retraining) window(ctx workflow.Context, i int) error {
	name := r.plan.Windows[i]
	if err := r.show(ctx, "TrainModel"); err != nil {
		return err
	}
	in := activities.TrainModelInput{Plan: r.plan.Plan, Sets: r.sets, Window: i}
	out, err := r.model(ctx, in, name)
	if err != nil {
		return err
	}
	r.trained, r.sanity = append(r.trained, out.Trained), append(r.sanity, nil)
	if out.Verdict != string(papers.Pass) {
		r.card.window(name, out.Rounds, out.Verdict, out.Reasons, "")
		return nil
	}
	if err := r.show(ctx, "JudgeModel"); err != nil {
		return err
	}
	judged, err := run(stage(ctx, "Judge window "+name+" on entities that it never saw", time.Hour), act.JudgeModel,
		activities.JudgeModelInput{TrainModelInput: in, Trained: out.Trained})
	if err != nil {
		return err
	}
	r.sanity[i] = &judged.Sanity
	r.card.window(name, out.Rounds, judged.Verdict, judged.Reasons, judged.Measure)
	return nil
}

// kind returns what a window makes.
func (r *retraining) kind(window int) trigger.Kind {
	if window < len(r.plan.Kinds) {
		return r.plan.Kinds[window]
	}
	return r.plan.Kind
}

// model trains one window, here or on the trainer's own task queue.
func (r *retraining) model(ctx workflow.Context, in activities.TrainModelInput, name string) (activities.TrainModelOutput, error) {
	summary := "Train window " + name
	recalibrates := r.kind(in.Window) == trigger.Recalibrate
	if recalibrates {
		summary = "Calibrate the champion"
	}
	if r.plan.TaskQueue == "" || recalibrates {
		return run(stage(ctx, summary, r.plan.Timeout), act.TrainModel, in)
	}
	prepared, err := run(stage(ctx, "Write the files for window "+name, time.Hour), act.PrepareModel, in)
	if err != nil || prepared.Blocked != nil {
		if err == nil {
			return *prepared.Blocked, nil
		}
		return activities.TrainModelOutput{}, err
	}
	finish := activities.FinishModelInput{TrainModelInput: in}
	elsewhere := workflow.WithTaskQueue(stage(ctx, summary, r.plan.Timeout), r.plan.TaskQueue)
	var answer train.Answer
	err = workflow.ExecuteActivity(elsewhere, train.TrainActivity, *prepared.Request).Get(ctx, &answer)
	switch {
	case temporal.IsCanceledError(err):
		return activities.TrainModelOutput{}, err
	case err != nil:
		finish.Failed = cause(err)
	default:
		finish.Answer = &answer
	}
	return run(stage(ctx, "Check the model of window "+name, time.Hour), act.FinishModel, finish)
}

// end gives the verdict, enters it, and tells the release. failed says why the training
// broke off, if it did.
func (r *retraining) end(ctx workflow.Context, failed string) error {
	decided, err := run(stage(ctx, "Gather the evidence of the training", 10*time.Minute), act.DecideTraining, activities.DecideTrainingInput{
		Plan: r.plan.Plan, Sets: r.sets, Trained: r.trained, Sanity: r.sanity, Failed: failed})
	if err != nil {
		return err
	}
	r.out.Verdict, r.out.Reasons, r.out.Evidence = decided.Verdict, decided.Reasons, decided.Evidence
	r.card.Verdict, r.card.Reasons = decided.Verdict, decided.Reasons
	if err := r.show(ctx, "RegisterModels"); err != nil {
		return err
	}
	// What has begun to be entered is entered whole.
	disconnected, _ := workflow.NewDisconnectedContext(ctx)
	out, err := run(stage(disconnected, "Enter the training in the registry", 6*time.Hour), act.RegisterModels, activities.RegisterModelsInput{
		Plan: r.plan.Plan, Sets: r.sets, Evidence: decided.Evidence, Operation: operation(ctx), At: workflow.Now(ctx).UTC(), By: r.in.By, Reason: r.in.Reason})
	if err != nil {
		return err
	}
	r.entered = true
	r.out.Release, r.out.Candidates, r.out.Anchor = out.Release, out.Candidates, out.Anchor
	r.out.Notes = append(r.out.Notes, out.Notes...)
	r.card.Release, r.card.Candidates, r.card.Anchor = out.Release, len(out.Candidates), out.Anchor
	if len(out.Candidates) == 0 {
		return nil
	}
	return offer(disconnected, r.in.Pipeline)
}

// giveUp enters a training that broke off: its evidence, and no model. It returns an
// error only if that cannot be done either.
func (r *retraining) giveUp(ctx workflow.Context, why error) error {
	reason := "the training broke off: " + cause(why)
	if temporal.IsCanceledError(why) {
		reason = "the training was cancelled"
	}
	disconnected, _ := workflow.NewDisconnectedContext(ctx)
	if !r.entered {
		if err := r.end(disconnected, reason); err != nil {
			return err
		}
	}
	r.card.Verdict, r.card.Reasons = "failed", []string{reason}
	return r.show(disconnected, r.card.Stage)
}

// maybeRetrain asks whether the pipeline is to be trained again and, if so, starts
// [Retrain], which goes on by itself. One that is running already is enough.
func maybeRetrain(ctx workflow.Context, pipeline string) (activities.DecideRetrainOutput, error) {
	out, err := run(stage(ctx, "Decide whether to train again", 10*time.Minute), act.DecideRetrain,
		activities.DecideRetrainInput{Pipeline: pipeline, At: workflow.Now(ctx).UTC()})
	if err != nil || !out.Start {
		return out, err
	}
	in := RetrainInput{Pipeline: pipeline, Kind: out.Kind, Automatic: true, By: "headgate", Reason: out.Reasons[0]}
	return out, startAlone(ctx, RetrainID(pipeline), fmt.Sprintf("Train %s again", pipeline), retrainDetails(in), Retrain, in)
}
