package worker

import (
	"context"
	"errors"
	"time"

	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"

	"headgate/internal/metric"
	"headgate/internal/standing"
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

// expects asks the evaluation of a batch what scores alone say of it.
func (w *Worker) expects(ctx context.Context, pipeline, batch string) (standing.Expectation, error) {
	value, err := w.client.QueryWorkflow(ctx, workflows.EvaluateID(pipeline, batch), "", "scorecard")
	var gone *serviceerror.NotFound
	if errors.As(err, &gone) {
		return standing.Expectation{Pending: true}, nil
	}
	if err != nil {
		return standing.Expectation{}, err
	}
	var card workflows.EvaluationCard
	if err := value.Get(&card); err != nil {
		return standing.Expectation{}, err
	}
	return standing.Expectation{Run: card.Run, Metrics: card.Forecast, Pending: !card.Estimated()}, nil
}
