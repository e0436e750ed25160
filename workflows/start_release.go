package workflows

import (
	"context"
	"fmt"

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

// releaseDetails tells whoever opens the run's page what it does and what to do next.
func releaseDetails(pipeline string) string {
	return fmt.Sprintf(`Carries out the releases of pipeline **%[1]s**, one after the other: the only workflow that moves what production uses. It waits for verdicts, labels and persons, and ends when no release is left.

- **Waits for an answer?** Current Details say what is asked and how to answer; so does `+"`starter approve %[1]s --release --help`"+`
- **Hold** it, **resume** it or **roll back** with the Updates of that name, or with `+"`starter hold`, `starter resume` and `starter rollback`"+`
- **Cancel** takes back what a candidate serves: its rows are published again with the champion's scores, and the candidate is rejected.
- **What it waits for:** `+"`starter release status %[1]s`"+`; the earliest dates: `+"`starter release plan %[1]s`"+``, pipeline)
}
