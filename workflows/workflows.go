package workflows

import (
	"context"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"headgate/activities"
)

// TaskQueue is where workers listen and starters send, unless they are told otherwise.
const TaskQueue = "headgate"

// Register adds every workflow to a worker, or to a replayer.
//
// Where workers have deployment versions, a workflow ends on the version that it began
// on. [Release], [EvaluateBatch] and [Alert] wait for months: they go on with the version in
// force.
func Register(r worker.WorkflowRegistry) {
	pinned := workflow.RegisterOptions{VersioningBehavior: workflow.VersioningBehaviorPinned}
	upgraded := workflow.RegisterOptions{VersioningBehavior: workflow.VersioningBehaviorAutoUpgrade}
	r.RegisterWorkflowWithOptions(ScoreBatch, pinned)
	r.RegisterWorkflowWithOptions(ScoreShards, pinned)
	r.RegisterWorkflowWithOptions(AssembleShards, pinned)
	r.RegisterWorkflowWithOptions(RestoreBatch, pinned)
	r.RegisterWorkflowWithOptions(ShadowBatch, pinned)
	r.RegisterWorkflowWithOptions(ShadowShards, pinned)
	r.RegisterWorkflowWithOptions(RepublishBatch, pinned)
	r.RegisterWorkflowWithOptions(Retrain, pinned)
	r.RegisterWorkflowWithOptions(Backfill, pinned)
	r.RegisterWorkflowWithOptions(Slot, pinned)
	r.RegisterWorkflowWithOptions(EvaluateBatch, upgraded)
	r.RegisterWorkflowWithOptions(Release, upgraded)
	r.RegisterWorkflowWithOptions(Alert, upgraded)
}

// act names the activities; it is never called here.
var act *activities.Activities

// run starts an activity and waits for its output. Unlike workflow.ExecuteActivity,
// it lets the compiler check the input and the output.
func run[In, Out any](ctx workflow.Context, activity func(context.Context, In) (Out, error), in In) (Out, error) {
	if t, ok := ctx.Value(trialsKey{}).(*trials); ok {
		return attempt(ctx, t, activity, in)
	}
	var out Out
	err := workflow.ExecuteActivity(ctx, activity, in).Get(ctx, &out)
	return out, err
}

// heartbeatTimeout is how long a worker may be silent before its activity goes to
// another one. Workers beat every 3 seconds.
const heartbeatTimeout = 10 * time.Second

// stage returns a context for the activities of one stage: long is how long one
// attempt may take.
func stage(ctx workflow.Context, summary string, long time.Duration) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: long,
		HeartbeatTimeout:    heartbeatTimeout,
		WaitForCancellation: true,
		Summary:             line(summary),
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval:    time.Second,
			BackoffCoefficient: 2,
			MaximumInterval:    time.Minute,
			MaximumAttempts:    20,
		},
	})
}

// ScoreID is the id of the workflow that scores a batch: starting it twice is
// starting it once.
func ScoreID(pipeline, batch string) string { return "score/" + pipeline + "/" + batch }

// ReleaseID is the id of the workflow that carries out the releases of a pipeline.
func ReleaseID(pipeline string) string { return "release/" + pipeline }

// RestoreID is the id of the workflow that restores a batch.
func RestoreID(pipeline, batch string) string { return "restore/" + pipeline + "/" + batch }

// RetrainID is the id of the workflow that trains challengers for a pipeline: there is
// one at a time.
func RetrainID(pipeline string) string { return "retrain/" + pipeline }
