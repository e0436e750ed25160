package workflows

import (
	"fmt"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"headgate/activities"
	"headgate/internal/alert"
	"headgate/internal/calendar"
	papers "headgate/internal/run"
	"headgate/internal/trigger"
)

// alerted reports whether a run tells people of its failure. One that failed in its first
// stage does not know whether its pipeline has alerts: then the alert finds out. known
// says that the first stage is over, on that it has some. A pipeline that does not exist
// has nobody to tell.
func alerted(ctx workflow.Context, known, on bool, err error) bool {
	switch {
	case known || err == nil:
		return on
	case temporal.IsCanceledError(err), workflow.IsContinueAsNewError(err), failed(err, activities.KindUnknown):
		return false
	}
	return workflow.GetVersion(ctx, "alert-before-the-plan", workflow.DefaultVersion, 1) == 1
}

// alert tells people what came of a batch, and that what came of it before is over.
func (b *batch) alert(ctx workflow.Context, err error) {
	pipeline, name := b.in.Pipeline, b.in.Batch
	if !alerted(ctx, b.plan.Run.Run != "", b.plan.Alerts, err) {
		return
	}
	switch {
	case temporal.IsCanceledError(err):
		resolve(ctx, "the run was cancelled", pipeline, name, alert.BatchAsks)
	case err != nil:
		raise(ctx, alert.NewRunFailed(pipeline, name, b.card.Stage, cause(err), fmt.Sprintf("starter score %s --batch %s", pipeline, name)))
		resolve(ctx, "the run failed", pipeline, name, alert.BatchAsks)
	case b.out.Kept != "":
	case b.out.Verdict == papers.Block:
		raise(ctx, alert.NewBatchBlocked(pipeline, name, b.out.Reasons))
		resolve(ctx, "the batch is blocked", pipeline, name, alert.BatchAsks, alert.RunFailed)
	default:
		resolve(ctx, "the batch is published", pipeline, name, alert.BatchAsks, alert.BatchBlocked, alert.BatchMissed, alert.RunFailed)
		if b.caughtUp {
			resolve(ctx, "no batch is missing any more", pipeline, alert.SubjectSchedule, alert.BatchMissed)
		}
		b.alertDrift(ctx)
	}
}

// alertDrift tells people that drift persists, or no longer does. What a past batch says
// is past.
func (b *batch) alertDrift(ctx workflow.Context) {
	switch d := b.out.Drift; {
	case d == nil || b.in.Backfill != nil:
	case d.Level == trigger.LevelTrigger:
		columns := d.Causes // and their slices, if they are known
		if len(columns) == 0 {
			columns = d.Columns
		}
		raise(ctx, alert.NewDriftPersists(b.in.Pipeline, b.in.Batch, columns))
	default:
		resolve(ctx, "drift does not persist in "+b.in.Batch, b.in.Pipeline, "", alert.DriftPersists)
	}
}

// alertQuestion tells people that a batch waits for one of them.
func (b *batch) alertQuestion(ctx workflow.Context, asks []string) {
	if b.plan.Alerts {
		raise(ctx, alert.NewBatchAsks(b.in.Pipeline, b.in.Batch, workflow.GetInfo(ctx).WorkflowExecution.ID, b.card.Decision, asks, b.answer.until))
	}
}

// alertShard tells people that a shard waits for one of them.
func (t *trials) alertShard(ctx workflow.Context, f *trial) {
	if t.alerts {
		raise(ctx, alert.NewShardAsks(t.pipeline, t.batch, workflow.GetInfo(ctx).WorkflowExecution.ID, f.shard, f.failed, f.until))
	}
}

// alertAnswered tells people that a shard waits no longer, unless another one does.
func (t *trials) alertAnswered(ctx workflow.Context, f *trial) {
	if t.alerts && len(t.asked()) == 0 {
		resolve(ctx, fmt.Sprintf("shard %d waits no longer", f.shard), t.pipeline, alert.ShardsOf(t.batch), alert.BatchAsks)
	}
}

// alert tells people that a slot broke off, so that nobody watches over its batch, or that
// slots come to their end again.
func (s *slot) alert(ctx workflow.Context, err error) {
	pipeline := s.in.Pipeline
	again := "starter schedule trigger " + pipeline
	if s.plan.Batch != "" {
		again += " --batch " + s.plan.Batch
	}
	switch {
	case temporal.IsCanceledError(err) || !alerted(ctx, s.looked, s.seen.Alerts, err):
	case err != nil:
		raise(ctx, alert.NewRunFailed(pipeline, alert.SubjectSchedule, s.card.Stage, cause(err), again))
	default:
		resolve(ctx, "a slot came to its end", pipeline, alert.SubjectSchedule, alert.RunFailed)
	}
}

// alertSeveral tells people of all batches that are missing, once: a server that was down for
// a year is one trouble, and so is a schedule that expects past years.
func (s *slot) alertSeveral(ctx workflow.Context) {
	if len(s.untold) == 0 {
		return
	}
	var why []string
	for _, r := range s.untold {
		why = append(why, fmt.Sprintf("%s: %s", r, r.Why))
	}
	first, last := s.untold[0].First, s.untold[len(s.untold)-1].Last
	raise(ctx, alert.NewBatchesMissed(s.in.Pipeline, first, last, calendar.Count(s.untold), why))
	s.untold = nil
}

// alert tells people that an evaluation failed or found no labels, or no longer does.
func (e *evaluation) alert(ctx workflow.Context, err error) {
	pipeline, subject := e.in.Pipeline, "evaluation of "+e.in.Batch
	if temporal.IsCanceledError(err) || workflow.IsContinueAsNewError(err) || !alerted(ctx, !e.due.Due.IsZero(), e.due.Alerts, err) {
		return
	}
	switch {
	case err != nil:
		raise(ctx, alert.NewRunFailed(pipeline, subject, e.card.Stage, cause(err), fmt.Sprintf("starter judge %s --batch %s", pipeline, e.in.Batch)))
		return
	case e.out.Labels == "":
		raise(ctx, alert.NewLabelsMissing(pipeline, e.in.Batch, e.out.Reasons[0]))
	default:
		resolve(ctx, "the labels are there", pipeline, e.in.Batch, alert.LabelsMissing)
	}
	resolve(ctx, "the evaluation has ended", pipeline, subject, alert.RunFailed)
}

// doubts tells people that labels speak against the champion, or no longer do.
func (e *evaluation) doubts(ctx workflow.Context, out activities.DecideRetrainOutput) {
	if !e.due.Alerts {
		return
	}
	pipeline, over := e.in.Pipeline, "the labels of "+out.Batch+" do not say so any more"
	if out.Fallen != "" {
		raise(ctx, alert.NewMetricFell(pipeline, out.Fallen))
	} else {
		resolve(ctx, over, pipeline, "", alert.MetricFell)
	}
	if out.Lost != "" {
		raise(ctx, alert.NewCalibrationLost(pipeline, out.Lost))
	} else {
		resolve(ctx, over, pipeline, "", alert.CalibrationLost)
	}
}

// alert tells people what came of a training.
func (r *retraining) alert(ctx workflow.Context, err error) {
	pipeline := r.in.Pipeline
	switch {
	case temporal.IsCanceledError(err) || len(r.plan.Idle) > 0 || !alerted(ctx, r.plan.Kind != "", r.plan.Alerts, err):
	case err != nil:
		raise(ctx, alert.NewTrainingFailed(pipeline, cause(err)))
	case r.out.Verdict == string(papers.Block):
		raise(ctx, alert.NewTrainingBlocked(pipeline, r.out.Reasons))
		resolve(ctx, "a training has ended", pipeline, "", alert.TrainingFailed)
	default:
		resolve(ctx, "a training made candidates", pipeline, "", alert.TrainingFailed, alert.TrainingBlocked)
	}
}
