package worker

import (
	"context"
	"errors"
	"time"

	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"

	"headgate/internal/metric"
	"headgate/workflows"
)

// Standing returns how the pipelines of the store stand, as samples of [metric.States].
func (w *Worker) Standing(ctx context.Context, now time.Time) ([]metric.Sample, error) {
	return w.standing.Samples(ctx, now)
}

// scoring reports whether a batch is being scored: one that asks then waits for an answer.
func (w *Worker) scoring(ctx context.Context, pipeline, batch string) (bool, error) {
	run, err := w.client.DescribeWorkflowExecution(ctx, workflows.ScoreID(pipeline, batch), "")
	var gone *serviceerror.NotFound
	if errors.As(err, &gone) {
		return false, nil
	}
	return run.GetWorkflowExecutionInfo().GetStatus() == enums.WORKFLOW_EXECUTION_STATUS_RUNNING, err
}
