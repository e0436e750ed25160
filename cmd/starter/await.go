package main

import (
	"context"
	"fmt"
	"time"

	"go.temporal.io/api/workflow/v1"
	"go.temporal.io/sdk/client"
)

// await waits for the result of a workflow, and says meanwhile what it fails at.
func await(ctx context.Context, e *env, c client.Client, run client.WorkflowRun, out any) error {
	done := make(chan error, 1)
	go func() { done <- run.Get(ctx, out) }()
	tick := time.NewTicker(2 * time.Second)
	defer tick.Stop()
	told := troubles{}
	for {
		select {
		case err := <-done:
			if ctx.Err() != nil {
				return fmt.Errorf("stopped waiting; %s goes on", run.GetID())
			}
			return failure(err)
		case <-tick.C:
			told.print(ctx, e, c, run)
		}
	}
}

// troubles are the attempts that failed and were told, by the id of the activity.
type troubles map[string]int32

// print says what the activities of a workflow failed at since the last time.
func (t troubles) print(ctx context.Context, e *env, c client.Client, run client.WorkflowRun) {
	d, err := c.DescribeWorkflowExecution(ctx, run.GetID(), run.GetRunID())
	if err != nil {
		return // it is only the progress
	}
	for _, line := range t.lines(d.GetPendingActivities()) {
		fmt.Fprintln(e.stderr, line)
	}
}

// lines are one for each activity whose latest attempt failed, unless it was told.
func (t troubles) lines(pending []*workflow.PendingActivityInfo) []string {
	var lines []string
	for _, a := range pending {
		failed := a.GetAttempt() - 1
		if a.GetLastFailure() == nil || failed <= t[a.GetActivityId()] {
			continue
		}
		t[a.GetActivityId()] = failed
		lines = append(lines, fmt.Sprintf("%s failed, attempt %d, and is tried again: %s",
			a.GetActivityType().GetName(), failed, a.GetLastFailure().GetMessage()))
	}
	return lines
}
