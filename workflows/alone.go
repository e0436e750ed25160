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
	child := workflow.ExecuteChildWorkflow(workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
		WorkflowID:            id,
		WorkflowIDReusePolicy: enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		ParentClosePolicy:     enums.PARENT_CLOSE_POLICY_ABANDON,
		StaticSummary:         summary,
		StaticDetails:         details,
	}), flow, in)
	err := child.GetChildWorkflowExecution().Get(ctx, nil)
	if temporal.IsWorkflowExecutionAlreadyStartedError(err) {
		return nil
	}
	return err
}

// offer makes the release of a pipeline look at new candidates, and starts it if there
// is none.
func offer(ctx workflow.Context, pipeline string) error {
	if workflow.SignalExternalWorkflow(ctx, ReleaseID(pipeline), "", SignalWake, nil).Get(ctx, nil) == nil {
		return nil
	}
	return startAlone(ctx, ReleaseID(pipeline), "Releases of "+pipeline, releaseDetails(pipeline), Release, ReleaseInput{Pipeline: pipeline})
}
