package workflows

import (
	"context"
	"fmt"

	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
)

// StartScore starts [ScoreBatch] for a batch. One that is running is joined; one
// that has ended is run again. queue is the workers' task queue, "" for [TaskQueue].
func StartScore(ctx context.Context, c client.Client, queue string, in ScoreBatchInput) (client.WorkflowRun, error) {
	id := ScoreID(in.Pipeline, in.Batch)
	run, err := c.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID:                       id,
		TaskQueue:                queueOr(queue),
		WorkflowIDReusePolicy:    enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		WorkflowIDConflictPolicy: enums.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		StaticSummary:            fmt.Sprintf("Score %s %s", in.Pipeline, in.Batch),
		StaticDetails:            scoreDetails(in),
	}, ScoreBatch, in)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", id, err)
	}
	return run, nil
}

// StartRestore starts [RestoreBatch] for a batch. While one is running no other
// starts.
func StartRestore(ctx context.Context, c client.Client, queue string, in RestoreBatchInput) (client.WorkflowRun, error) {
	id := RestoreID(in.Pipeline, in.Batch)
	run, err := c.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID:                                       id,
		TaskQueue:                                queueOr(queue),
		WorkflowIDConflictPolicy:                 enums.WORKFLOW_ID_CONFLICT_POLICY_FAIL,
		WorkflowExecutionErrorWhenAlreadyStarted: true,
		StaticDetails:                            restoreDetails(in),
		StaticSummary:                            fmt.Sprintf("Restore publication %d of %s %s", in.Publication, in.Pipeline, in.Batch),
	}, RestoreBatch, in)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", id, err)
	}
	return run, nil
}

// StartEvaluate starts [EvaluateBatch] for a published batch. One that waits is told to
// look for labels now; one that has ended is run again, and finds revised labels.
func StartEvaluate(ctx context.Context, c client.Client, queue string, in EvaluateBatchInput) (client.WorkflowRun, error) {
	id := EvaluateID(in.Pipeline, in.Batch)
	run, err := c.SignalWithStartWorkflow(ctx, id, SignalLabels, nil, client.StartWorkflowOptions{
		ID:                    id,
		TaskQueue:             queueOr(queue),
		WorkflowIDReusePolicy: enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		StaticSummary:         fmt.Sprintf("Evaluate %s %s", in.Pipeline, in.Batch),
		StaticDetails:         evaluateDetails(in),
	}, EvaluateBatch, in)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", id, err)
	}
	return run, nil
}

// StartRetrain starts [Retrain] for a pipeline. One that is running is joined: it is
// trained once.
func StartRetrain(ctx context.Context, c client.Client, queue string, in RetrainInput) (client.WorkflowRun, error) {
	id := RetrainID(in.Pipeline)
	run, err := c.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID:                       id,
		TaskQueue:                queueOr(queue),
		WorkflowIDReusePolicy:    enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		WorkflowIDConflictPolicy: enums.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		StaticSummary:            "Train " + in.Pipeline + " again",
		StaticDetails:            retrainDetails(in),
	}, Retrain, in)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", id, err)
	}
	return run, nil
}

// StartBackfill starts [Backfill] for a range of batches. While one of the pipeline is
// running no other starts.
func StartBackfill(ctx context.Context, c client.Client, queue string, in BackfillInput) (client.WorkflowRun, error) {
	id := BackfillID(in.Pipeline)
	run, err := c.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID:                                       id,
		TaskQueue:                                queueOr(queue),
		WorkflowIDConflictPolicy:                 enums.WORKFLOW_ID_CONFLICT_POLICY_FAIL,
		WorkflowExecutionErrorWhenAlreadyStarted: true,
		StaticDetails:                            backfillDetails(in),
		StaticSummary:                            fmt.Sprintf("Backfill %s %s to %s %s", in.Pipeline, in.From, in.To, in.Mode),
	}, Backfill, in)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", id, err)
	}
	return run, nil
}

func queueOr(queue string) string {
	if queue == "" {
		return TaskQueue
	}
	return queue
}
