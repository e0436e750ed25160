package main

import (
	"context"
	"fmt"
	"time"

	"go.temporal.io/api/workflowservice/v1"

	"headgate/internal/calendar"
	"headgate/internal/retailer"
	papers "headgate/internal/run"
	"headgate/workflows"
)

// slots rehearses three months: the data of the first is there, that of the second never
// comes, and that of the third comes late.
func (t *recording) slots(ctx context.Context) error {
	const every, late = 6 * time.Second, 2 * time.Second
	now := time.Now().UTC().Truncate(time.Second)
	cal := &calendar.Calendar{Format: calendar.Format, Pipeline: "retailer", Kind: calendar.Month, Zone: "UTC", At: "00:00", For: calendar.Previous,
		EverySeconds: int64(every / time.Second), From: now.Add(every), First: "2023-06", Last: "2023-08", WaitSeconds: 4, PublishSeconds: 30, PollSeconds: 1}
	d, err := papers.SaveBlob(ctx, t.bucket, cal)
	if err != nil {
		return err
	}
	if err := t.delivered(ctx, "2023-06"); err != nil {
		return err
	}
	_, err = workflows.ApplySchedule(ctx, t.client, workflows.ScheduleRequest{Calendar: cal, Digest: d, CatchUp: time.Minute, Overlap: calendar.OverlapAllow,
		By: "demo", Reason: "to show how", Now: now})
	if err != nil {
		return err
	}
	last, err := cal.Slot(cal.Last)
	if err != nil {
		return err
	}
	if err := pause(ctx, time.Until(last.Due.Add(late))); err != nil {
		return err
	}
	if err := t.delivered(ctx, cal.Last); err != nil {
		return err
	}
	t.say("2023-06     and two more: three slots of a rehearsal")
	for ended := 0; ended < 3; {
		list, err := t.client.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{Query: `WorkflowType="Slot" AND ExecutionStatus="Completed"`})
		if err != nil {
			return err
		}
		ended = len(list.GetExecutions())
		if time.Now().After(last.Publish.Add(time.Minute)) {
			return fmt.Errorf("%d of 3 slots are at their end", ended)
		}
		if err := pause(ctx, 200*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

// delivered writes a month of the shop.
func (t *recording) delivered(ctx context.Context, month string) error {
	_, err := t.shop.WriteDir(ctx, t.path("incoming/retailer/"+month), month, &retailer.Options{})
	return err
}

// pause waits for a time, or until ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
