package workflows

import (
	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// startAlone starts a workflow that goes on by itself when this one has ended. That one
// of the same id is running already is a success. The run's page shows summary and
// details.
func startAlone(ctx workflow.Context, id, summary, details string, flow, in any) error {
	err := tryAlone(ctx, id, summary, details, flow, in)
	if temporal.IsWorkflowExecutionAlreadyStartedError(err) {
		return nil
	}
	return err
}

// tryAlone is like startAlone, and says so if one of the same id is running.
func tryAlone(ctx workflow.Context, id, summary, details string, flow, in any) error {
	return alone(ctx, id, summary, details, flow, in).GetChildWorkflowExecution().Get(ctx, nil)
}

// alone is like tryAlone, for whoever wants to know what comes of the workflow.
func alone(ctx workflow.Context, id, summary, details string, flow, in any) workflow.ChildWorkflowFuture {
	return workflow.ExecuteChildWorkflow(workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
		WorkflowID:            id,
		WorkflowIDReusePolicy: enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		ParentClosePolicy:     enums.PARENT_CLOSE_POLICY_ABANDON,
		StaticSummary:         line(summary),
		StaticDetails:         details,
	}), flow, in)
}

// offer makes the release of a pipeline look at new candidates, and starts it if there
// is none.
func offer(ctx workflow.Context, pipeline string) error {
	if workflow.SignalExternalWorkflow(ctx, ReleaseID(pipeline), "", SignalWake, nil).Get(ctx, nil) == nil {
		return nil
	}
	return startAlone(ctx, ReleaseID(pipeline), "Releases of "+pipeline, releaseDetails(pipeline), Release, ReleaseInput{Pipeline: pipeline})
}
