package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"go.temporal.io/api/serviceerror"

	"headgate/internal/calendar"
	"headgate/internal/contract"
	"headgate/internal/delta"
	"headgate/internal/figure"
	"headgate/internal/pipeline"
	"headgate/internal/registration"
	"headgate/internal/registry"
	papers "headgate/internal/run"
	"headgate/internal/store"
)

func newScheduleCommand(e *env) *cobra.Command {
	c := &cobra.Command{
		Use:   "schedule",
		Short: "Have batches scored by themselves, and hear of those that are missing",
		Long: `schedule is about when batches are due. Each has a slot: the moment at which its data
is looked for. The slot waits for the data, has the batch scored, and names it as missing
if it is not published in time. The section schedule of the pipeline file says when; apply
puts it to work. docs/schedules.md tells what happens when data or servers are late.`,
		Example: `  starter schedule next pipeline.yaml
  starter schedule apply pipeline.yaml
  starter schedule list`,
		Args:                       knownCommand,
		RunE:                       func(c *cobra.Command, _ []string) error { return c.Help() },
		SuggestionsMinimumDistance: 2,
	}
	c.AddCommand(newScheduleApplyCommand(e), newScheduleListCommand(e), newScheduleNextCommand(e), newSchedulePauseCommand(e), newScheduleResumeCommand(e),
		newScheduleTriggerCommand(e), newScheduleBackfillCommand(e), newScheduleDeleteCommand(e))
	return c
}

// expected returns the calendar by which batches of a pipeline are expected, and its
// digest; nil if none are.
func expected(ctx context.Context, b *store.Bucket, log *registry.Log) (*calendar.Calendar, store.Digest, error) {
	d := log.State().Schedule
	if d == "" {
		return nil, "", nil
	}
	c := new(calendar.Calendar)
	if err := papers.LoadBlob(ctx, b, d, c); err != nil {
		return nil, "", fmt.Errorf("the calendar of %s: %w", log.Pipeline(), err)
	}
	return c, d, c.Check()
}

// needExpected is expected for commands that cannot do without.
func needExpected(ctx context.Context, b *store.Bucket, pipeline string) (*calendar.Calendar, *registry.Log, error) {
	log, err := loadRegistry(ctx, b, pipeline)
	if err != nil {
		return nil, nil, err
	}
	c, _, err := expected(ctx, b, log)
	if err == nil && c == nil {
		err = fmt.Errorf("%s has no schedule; run: starter schedule apply PIPELINE.yaml", pipeline)
	}
	return c, log, err
}

// readSchedule reads a pipeline file and the calendar of its schedule. It begins with the
// file's first batch, with that of the calendar before it, or after now.
func readSchedule(file string, before *calendar.Calendar, now time.Time) (*registration.Files, *calendar.Calendar, error) {
	f, err := registration.Read(file)
	if err != nil {
		return nil, nil, err
	}
	cal, err := f.Config.Calendar(f.Contract, f.Holidays, before, now)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", file, err)
	}
	return f, cal, nil
}

// printSchedule checks the schedule of a pipeline file that validate reads, and says when
// batches are due.
func printSchedule(e *env, name string, p *pipeline.Config, k *contract.Contract) error {
	if p.Schedule == nil {
		return nil
	}
	holidays, err := registration.ReadHolidays(name, p, k)
	if err != nil {
		return err
	}
	cal, err := p.Calendar(k, holidays, nil, time.Now())
	if err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "  due %s; %s\n", cal, figure.Things(len(holidays), "holiday"))
	return nil
}

// noSchedule tells of a schedule that the server does not have.
func noSchedule(pipeline string, err error) error {
	var missing *serviceerror.NotFound
	if errors.As(err, &missing) {
		return fmt.Errorf("the server has no schedule of %s; run: starter schedule apply PIPELINE.yaml", pipeline)
	}
	return err
}

// lacking returns the batches of a pipeline that must have been published and are not,
// whether somebody has named them or not.
func lacking(ctx context.Context, b *store.Bucket, log *registry.Log, now time.Time) ([]calendar.Range, error) {
	c, _, err := expected(ctx, b, log)
	if err != nil || c == nil {
		return nil, err
	}
	snapshot, err := delta.Open(b, papers.TablePrefix(log.Pipeline())).Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	batches := log.State().Batches
	return c.Missing(now, func(s calendar.Slot) string {
		why := batches[s.Batch].Missed
		switch {
		case snapshot.Publication(s.Batch) > 0, why == "" && s.Publish.After(now):
			return ""
		case why == "":
			return "nobody has named it: did its slot run?"
		}
		return why
	}), nil
}

// printMissing tells of the batches that are missing by the schedule in force.
func printMissing(ctx context.Context, e *env, b *store.Bucket, log *registry.Log, now time.Time) error {
	cal, _, err := expected(ctx, b, log)
	if err != nil || cal == nil {
		return err
	}
	all, err := lacking(ctx, b, log, now)
	if err != nil {
		return err
	}
	return printLacking(e, cal, log.Pipeline(), all)
}

// printLacking tells of missing batches, those that follow each other in one line; nothing
// if there are none.
func printLacking(e *env, c *calendar.Calendar, pipeline string, all []calendar.Range) error {
	n := calendar.Count(all)
	if n == 0 {
		return nil
	}
	again := fmt.Sprintf("trigger %s --batch %s", pipeline, all[0].First)
	if n > 1 {
		again = fmt.Sprintf("backfill %s --from %s --to %s", pipeline, all[0].First, all[len(all)-1].Last)
	}
	fmt.Fprintf(e.stdout, "\n%d missing; have the data delivered, then: starter schedule %s\n", n, again)
	w := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "MISSING\tWAS DUE\tWHY")
	zone, err := c.Location()
	if err != nil {
		return err
	}
	for _, m := range all {
		due, why := local(m.Due, zone), m.Why
		if m.Count > 1 {
			due, why = "from "+due, fmt.Sprintf("each of %d: %s", m.Count, why)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", m, due, why)
	}
	return w.Flush()
}

// local writes a moment by the clocks of a zone.
func local(t time.Time, zone *time.Location) string {
	layout := "Mon 2006-01-02 15:04 MST"
	if t.Second() != 0 { // of a rehearsal
		layout = "Mon 2006-01-02 15:04:05 MST"
	}
	return t.In(zone).Format(layout)
}

// isFile reports whether an argument is a pipeline file, and not the name of a pipeline.
func isFile(arg string) bool {
	return strings.HasSuffix(arg, ".yaml") || strings.HasSuffix(arg, ".yml") || strings.ContainsRune(arg, filepath.Separator)
}
