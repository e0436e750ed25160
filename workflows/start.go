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

// evaluateDetails tells whoever opens the run's page what it does and what to do next.
func evaluateDetails(in EvaluateBatchInput) string {
	return fmt.Sprintf(`Waits until the outcomes of batch **%[2]s** of pipeline **%[1]s** are known, and holds them against what every model said.

- **Labels are there earlier?** Send the signal `+"`labels`"+`: it looks at once. If a marker of completeness says that all are there, it does not wait for the date.
- **Labels were revised?** Write the revision as one more file, with a later name, and start this workflow again.
- **Refused, or no evidence?** The reasons are under Current Details.
- **Cancel** stops the waiting. Nothing is lost: it can be started again at any time.

Asked for by %[3]s (claimed).`, in.Pipeline, in.Batch, in.By)
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
		StaticSummary:                            fmt.Sprintf("Backfill %s %s to %s %s", in.Pipeline, in.From, in.To, in.Mode),
	}, Backfill, in)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", id, err)
	}
	return run, nil
}

// retrainDetails tells whoever opens the run's page what it does and what to do next.
func retrainDetails(in RetrainInput) string {
	return fmt.Sprintf(`Trains challengers of pipeline **%[1]s** from published batches whose labels are complete, and ends with candidates for a release. It promotes none.

- **What came of it** is under Current Details, and in the registry: `+"`starter log %[1]s`"+`
- **What becomes of the candidates:** `+"`starter release status %[1]s`"+`
- **Cancel** stops it within a round and registers no model.

Asked for by %[2]s (claimed): %[3]s`, in.Pipeline, in.By, in.Reason)
}

// scoreDetails tells whoever opens the run's page what it does and what to do next.
func scoreDetails(in ScoreBatchInput) string {
	return fmt.Sprintf(`Checks batch **%[2]s** of pipeline **%[1]s** against its contract, scores every row with the champion, and publishes all of it in one commit, or nothing.

- **Blocked?** The reasons are under Current Details. Have the data delivered again, then: `+"`starter score %[1]s --batch %[2]s`"+`
- **Waits for an answer?** Current Details say what is asked and how to answer; so does `+"`starter approve %[1]s --batch %[2]s --help`"+`
- **Rows in quarantine:** `+"`starter quarantine show %[1]s --batch %[2]s`"+`; corrected ones come back with `+"`starter quarantine replay`"+`
- **Cancel** stops it before the commit, and publishes nothing.
- **One customer's score:** `+"`starter why %[1]s %[2]s KEY`"+`

Asked for by %[3]s (claimed).`, in.Pipeline, in.Batch, in.By)
}

func queueOr(queue string) string {
	if queue == "" {
		return TaskQueue
	}
	return queue
}
