package workflows

import (
	"context"

	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
)

// TellRelease sends an Update to the [Release] of a pipeline, and starts it if it does
// not run: also what nobody waits for is heard, and entered or refused. queue is the
// workers' task queue, "" for [TaskQueue]; out gets what the Update returns.
func TellRelease(ctx context.Context, c client.Client, queue, pipeline, update string, arg, out any) error {
	start := c.NewWithStartWorkflowOperation(client.StartWorkflowOptions{
		ID:                       ReleaseID(pipeline),
		TaskQueue:                queueOr(queue),
		WorkflowIDReusePolicy:    enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		WorkflowIDConflictPolicy: enums.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		StaticSummary:            "Releases of " + pipeline,
		StaticDetails:            releaseDetails(pipeline),
	}, Release, ReleaseInput{Pipeline: pipeline})
	handle, err := c.UpdateWithStartWorkflow(ctx, client.UpdateWithStartWorkflowOptions{
		StartWorkflowOperation: start,
		UpdateOptions: client.UpdateWorkflowOptions{WorkflowID: ReleaseID(pipeline), UpdateName: update, Args: []any{arg},
			WaitForStage: client.WorkflowUpdateStageCompleted},
	})
	if err != nil {
		return err
	}
	return handle.Get(ctx, out)
}
