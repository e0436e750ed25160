package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"

	"headgate/internal/calendar"
	"headgate/internal/registry"
	"headgate/workflows"
)

func newSchedulePauseCommand(e *env) *cobra.Command {
	return newHaltCommand(e, true, &cobra.Command{
		Use:   "pause PIPELINE --reason TEXT",
		Short: "Start no slots until the schedule is resumed",
		Long: `pause keeps the server from starting slots. What runs goes on. Batches that fall due
meanwhile are expected all the same: they are named as missing by the first slot after the
pause, and by starter schedule list at once. To expect none, delete the schedule.`,
		Example: `  starter schedule pause retailer --reason "the supplier moves house"`,
	})
}

func newScheduleResumeCommand(e *env) *cobra.Command {
	return newHaltCommand(e, false, &cobra.Command{
		Use:   "resume PIPELINE --reason TEXT",
		Short: "Start slots again",
		Long: `resume has the server start slots again. Slots that fell into the pause are not made
up for: starter schedule backfill runs them.`,
		Example: `  starter schedule resume retailer --reason "the supplier has moved"`,
	})
}

// newHaltCommand adds what pause and resume have in common.
func newHaltCommand(e *env, pause bool, c *cobra.Command) *cobra.Command {
	var reason, by string
	c.Args = arguments(cobra.ExactArgs(1))
	c.RunE = func(c *cobra.Command, args []string) error {
		if strings.TrimSpace(reason) == "" {
			return usageError{fmt.Errorf("%s needs --reason; see %s --help", c.Name(), c.CommandPath())}
		}
		return withSchedule(c.Context(), args[0], func(handle client.ScheduleHandle) error {
			note, done := by+": "+reason, "paused"
			var err error
			if pause {
				err = handle.Pause(c.Context(), client.SchedulePauseOptions{Note: note})
			} else {
				done = "resumed"
				err = handle.Unpause(c.Context(), client.ScheduleUnpauseOptions{Note: note})
			}
			if err != nil {
				return err
			}
			fmt.Fprintf(e.stdout, "%s is %s: %s\n", handle.GetID(), done, note)
			return nil
		})
	}
	c.Flags().StringVar(&reason, "reason", "", "`text` that says why")
	c.Flags().StringVar(&by, "by", who(e), "`name` of who asks")
	return c
}

// withSchedule does something with the schedule that the server has of a pipeline.
func withSchedule(ctx context.Context, pipeline string, do func(client.ScheduleHandle) error) error {
	c, err := dial(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	handle := c.ScheduleClient().GetHandle(ctx, workflows.ScheduleID(pipeline))
	if _, err := handle.Describe(ctx); err != nil {
		return noSchedule(pipeline, err)
	}
	return noSchedule(pipeline, do(handle))
}

// A rerun is a range of slots that run by hand.
type rerun struct {
	pipeline, from, to string
	together           bool
}

func newScheduleTriggerCommand(e *env) *cobra.Command {
	var url, batch string
	c := &cobra.Command{
		Use:   "trigger PIPELINE [--batch BATCH]",
		Short: "Run the slot of a batch now",
		Long: `trigger runs the slot of a batch that was due: the last one, or that of --batch. If the
batch is published, nothing happens. If its time is up, the slot takes the data that is there
and does not wait for more. It works while the schedule is paused, too.`,
		Example: `  starter schedule trigger retailer
  starter schedule trigger retailer --batch 2024-03`,
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			return rerun{args[0], batch, batch, true}.run(c.Context(), e, url)
		},
	}
	storeFlag(c, &url)
	c.Flags().StringVar(&batch, "batch", "", "`batch` (default the last one that was due)")
	return c
}

func newScheduleBackfillCommand(e *env) *cobra.Command {
	var url string
	var r rerun
	c := &cobra.Command{
		Use:   "backfill PIPELINE --from BATCH --to BATCH",
		Short: "Run the slots of past batches, one after the other",
		Long: `backfill runs the slots of a range of batches that were due, oldest first, each when the
one before it is at its end. Batches that are published stay as they are; starter backfill
scores those again.`,
		Example: `  starter schedule backfill retailer --from 2023-01 --to 2023-12`,
		Args:    arguments(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			if r.from == "" || r.to == "" {
				return usageError{errors.New("backfill needs --from and --to; see starter schedule backfill --help")}
			}
			r.pipeline = args[0]
			return r.run(c.Context(), e, url)
		},
	}
	storeFlag(c, &url)
	c.Flags().StringVar(&r.from, "from", "", "first `batch`")
	c.Flags().StringVar(&r.to, "to", "", "last `batch`")
	return c
}

// run has the slots run, if they were due and the server knows them.
func (r rerun) run(ctx context.Context, e *env, url string) error {
	b, err := openStore(ctx, e, url)
	if err != nil {
		return err
	}
	defer b.Close()
	cal, _, err := needExpected(ctx, b, r.pipeline)
	if err != nil {
		return err
	}
	now := time.Now().UTC()
	slots, err := r.slots(cal, now)
	if err != nil {
		return err
	}
	c, err := dial(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	have, err := c.ScheduleClient().GetHandle(ctx, workflows.ScheduleID(r.pipeline)).Describe(ctx)
	if err != nil {
		return noSchedule(r.pipeline, err)
	}
	known := map[time.Time]bool{}
	for _, at := range workflows.Moments(have.Schedule.Spec) {
		known[at] = true
	}
	for _, s := range slots {
		if !known[s.Due] {
			return fmt.Errorf("the server does not know the slot of %s, %s; apply the schedule again, or if that is too long ago run: starter backfill %s --from %s --to %s --as-now --reason TEXT",
				s.Batch, s.Due.Format(time.RFC3339), r.pipeline, s.Batch, s.Batch)
		}
	}
	if err := workflows.RunSlots(ctx, c, r.pipeline, slots[0], slots[len(slots)-1], r.together); err != nil {
		return err
	}
	for _, s := range slots {
		fmt.Fprintf(e.stdout, "%s: %s-%s\n", s.Batch, workflows.SlotID(r.pipeline), s.Due.Format(time.RFC3339))
	}
	return nil
}

// slots returns the slots of the range, which must be due.
func (r rerun) slots(cal *calendar.Calendar, now time.Time) ([]calendar.Slot, error) {
	if r.from == "" {
		last, ok := cal.Latest(now)
		if !ok {
			return nil, fmt.Errorf("no batch of %s was due yet; the first is %s", r.pipeline, cal.First)
		}
		return []calendar.Slot{last}, nil
	}
	from, err := cal.Slot(r.from)
	if err != nil {
		return nil, errors.New(strings.TrimPrefix(err.Error(), "calendar: "))
	}
	to, err := cal.Slot(r.to)
	switch {
	case err != nil:
		return nil, errors.New(strings.TrimPrefix(err.Error(), "calendar: "))
	case to.Due.Before(from.Due):
		return nil, fmt.Errorf("%s is after %s, so there is no batch between them", r.from, r.to)
	case to.Due.After(now):
		return nil, fmt.Errorf("%s is due on %s, and not yet", r.to, to.Due.Format(time.RFC3339))
	}
	return cal.Between(from.Due.Add(-time.Second), to.Due, maxComing), nil
}

func newScheduleDeleteCommand(e *env) *cobra.Command {
	var url, reason, by string
	var yes bool
	c := &cobra.Command{
		Use:   "delete PIPELINE --reason TEXT [--yes]",
		Short: "Start no more slots and expect no more batches",
		Long: `delete removes the schedule from the server and enters in the registry that no batch is
expected any more. Slots that run go on. It asks first; --yes answers.`,
		Example: `  starter schedule delete retailer --reason "the shop is closed" --yes`,
		Args:    arguments(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			if strings.TrimSpace(reason) == "" {
				return usageError{errors.New("delete needs --reason; see starter schedule delete --help")}
			}
			b, log, err := openRegistry(c.Context(), e, url, args[0])
			if err != nil {
				return err
			}
			defer b.Close()
			if !yes && !confirmed(c, fmt.Sprintf("delete the schedule of %s? no batch will be expected any more [y/N] ", args[0])) {
				return usageError{errors.New("nothing was deleted; answer y, or give --yes")}
			}
			return deleteSchedule(c.Context(), e, log, by, reason)
		},
	}
	storeFlag(c, &url)
	c.Flags().StringVar(&reason, "reason", "", "`text` that says why, for the audit trail")
	c.Flags().StringVar(&by, "by", who(e), "`name` of who asks, for the audit trail")
	c.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return c
}

// confirmed asks on the terminal.
func confirmed(c *cobra.Command, question string) bool {
	fmt.Fprint(c.ErrOrStderr(), question)
	answer, _ := bufio.NewReader(c.InOrStdin()).ReadString('\n') // no answer is no
	return strings.EqualFold(strings.TrimSpace(answer), "y")
}

// deleteSchedule ends a schedule on the server and in the registry; each may be done
// already.
func deleteSchedule(ctx context.Context, e *env, log *registry.Log, by, reason string) error {
	c, err := dial(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	pipeline := log.Pipeline()
	err = c.ScheduleClient().GetHandle(ctx, workflows.ScheduleID(pipeline)).Delete(ctx)
	var gone *serviceerror.NotFound
	d := log.State().Schedule
	if err != nil && (d == "" || !errors.As(err, &gone)) {
		return noSchedule(pipeline, err)
	}
	if d == "" {
		fmt.Fprintf(e.stdout, "%s is deleted; no batch was expected\n", workflows.ScheduleID(pipeline))
		return nil
	}
	now := time.Now().UTC().Truncate(time.Millisecond)
	ends := scheduleEntry(now, by, reason, d)
	ends.Until = &now
	entry, err := log.Append(ctx, ends)
	if err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "%s is deleted, registry entry %d: no batch is expected any more\n", workflows.ScheduleID(pipeline), entry.Seq)
	return nil
}
