package activities

import (
	"cmp"
	"context"
	"errors"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"

	"headgate/internal/metric"
)

// FailureRetried is the kind of a failure that may pass, as a label.
const FailureRetried = "retried"

// noPipeline is the pipeline, as a label, of a workflow whose id names none.
const noPipeline = "none"

// count adds to a counter of this worker. What an attempt has done that another one
// repeats is counted twice: it was done twice.
func count(ctx context.Context, m metric.Metric, n int64, labels ...string) {
	activity.GetMetricsHandler(ctx).WithTags(m.Tags(labels...)).Counter(m.Name).Inc(n)
}

// lasted adds to a histogram of durations of this worker.
func lasted(ctx context.Context, m metric.Metric, d time.Duration, labels ...string) {
	activity.GetMetricsHandler(ctx).WithTags(m.Tags(labels...)).Timer(m.Name).Record(d)
}

// measured records how long a stage waited for a worker and how long it took, or how it
// failed. That it was cancelled is no failure of it.
func measured(ctx context.Context, took time.Duration, err error) {
	info := activity.GetInfo(ctx)
	pipeline, _ := metric.Subject(info.WorkflowExecution.ID)
	pipeline, stage := cmp.Or(pipeline, noPipeline), info.ActivityType.Name
	if info.Attempt == 1 { // a later one was scheduled long ago
		lasted(ctx, metric.StageWait, max(0, info.StartedTime.Sub(info.ScheduledTime)), pipeline)
	}
	switch {
	case err == nil:
		lasted(ctx, metric.StageDuration, took, pipeline, stage)
		activity.GetLogger(ctx).Info("stage done", "seconds", took.Seconds())
	case !errors.Is(err, context.Canceled) && !temporal.IsCanceledError(err):
		count(ctx, metric.StageFailures, 1, pipeline, stage, failureKind(err))
	}
}

// failureKind is the kind of a failure for a label: one of the kinds that no retry can
// cure, or [FailureRetried].
func failureKind(err error) string {
	var app *temporal.ApplicationError
	if errors.As(err, &app) && app.Type() != "" && app.Type() != KindWorkerStopped {
		return app.Type()
	}
	return FailureRetried
}
