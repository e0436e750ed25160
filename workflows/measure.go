package workflows

import (
	"go.temporal.io/sdk/workflow"

	"headgate/internal/metric"
)

// MissedSlot counts a slot of a pipeline's schedule for which no batch was published when
// it had to be. A replay counts nothing.
func MissedSlot(ctx workflow.Context, pipeline string) {
	workflow.GetMetricsHandler(ctx).WithTags(metric.MissedSlots.Tags(pipeline)).Counter(metric.MissedSlots.Name).Inc(1)
}
