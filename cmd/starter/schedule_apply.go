package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"go.temporal.io/sdk/client"

	"headgate/internal/calendar"
	"headgate/internal/registration"
	"headgate/internal/registry"
	papers "headgate/internal/run"
	"headgate/internal/store"
	"headgate/workflows"
)

// An application is a schedule that is put to work.
type application struct {
	file, queue, by, reason string

	now  time.Time
	log  *registry.Log
	have *calendar.Calendar // in force; nil if none is
}

func newScheduleApplyCommand(e *env) *cobra.Command {
	var url string
	var a application
	c := &cobra.Command{
		Use:   "apply PIPELINE.yaml",
		Short: "Make the schedule that of the pipeline file",
		Long: `apply makes the schedule of a pipeline what the section schedule of its file says, and
tells what changed. Doing it again changes nothing. The file must be the one in force:
register it first. From now on each batch is expected; the registry says so.

The server is told the slots of the coming five years, of daily batches those of 400 days.
Apply again before they run out, and whenever the holiday file changes. A paused schedule
stays paused.`,
		Example: `  starter schedule apply pipeline.yaml
  starter schedule apply pipeline.yaml --reason "the supplier delivers a day earlier"`,
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			a.file, a.now = args[0], time.Now().UTC().Truncate(time.Millisecond)
			b, err := openStore(c.Context(), e, url)
			if err != nil {
				return err
			}
			defer b.Close()
			f, cal, err := a.read(c.Context(), b)
			if err != nil {
				return err
			}
			temporalClient, err := dial(c.Context())
			if err != nil {
				return err
			}
			defer temporalClient.Close()
			return a.apply(c.Context(), e, b, temporalClient, f, cal)
		},
	}
	storeFlag(c, &url)
	orderFlags(c, e, &a.by, &a.reason, &a.queue)
	return c
}

// read reads the file, which must be the one in force, and the calendar that it asks for.
func (a *application) read(ctx context.Context, b *store.Bucket) (*registration.Files, *calendar.Calendar, error) {
	f, err := registration.Read(a.file)
	if err != nil {
		return nil, nil, err
	}
	if a.log, err = loadRegistry(ctx, b, f.Config.Name); err != nil {
		return nil, nil, err
	}
	if in := a.log.State().Pipeline; in != store.DigestOf(f.Text) {
		return nil, nil, fmt.Errorf("%s is not the file in force of %s, which is %s; run: starter register %s --reason TEXT", a.file, f.Config.Name, papers.Short(in), a.file)
	}
	if a.have, _, err = expected(ctx, b, a.log); err != nil {
		return nil, nil, err
	}
	return readSchedule(a.file, a.have, a.now)
}

// apply enters the calendar in the registry, and then tells the server: if that fails,
// batches are expected already, and doing it again helps.
func (a *application) apply(ctx context.Context, e *env, b *store.Bucket, c client.Client, f *registration.Files, cal *calendar.Calendar) error {
	d, err := papers.SaveBlob(ctx, b, cal)
	if err != nil {
		return err
	}
	changed := d != a.log.State().Schedule
	if changed {
		if _, err := a.log.Append(ctx, scheduleEntry(a.now, a.by, a.reason, d)); err != nil {
			return err
		}
	}
	s := f.Config.Schedule
	out, err := workflows.ApplySchedule(ctx, c, workflows.ScheduleRequest{Calendar: cal, Digest: d, Jitter: time.Duration(s.Jitter), CatchUp: time.Duration(s.CatchUp),
		Overlap: s.Overlap, Queue: a.queue, By: a.by, Reason: a.reason, Now: a.now})
	if err != nil {
		return err
	}
	warnIfUnattended(ctx, e, c, a.queue)
	a.tell(e, cal, out, changed)
	return printMissing(ctx, e, b, a.log, a.now)
}

// scheduleEntry is the entry by which somebody changes what is expected.
func scheduleEntry(at time.Time, by, reason string, calendar store.Digest) registry.Entry {
	return registry.Entry{Kind: registry.KindSchedule, ID: "schedule/" + at.Format(time.RFC3339Nano), At: at, By: by, Paper: calendar, Reason: reason}
}

// tell says what changed, and what comes next.
func (a *application) tell(e *env, cal *calendar.Calendar, out workflows.AppliedSchedule, changed bool) {
	verb := "unchanged"
	switch {
	case out.Created:
		verb = "created"
	case changed || len(out.Changes) > 0:
		verb = "changed"
	}
	fmt.Fprintf(e.stdout, "%s: %s\nslots are   %s\n", workflows.ScheduleID(cal.Pipeline), verb, cal)
	if changed && a.have != nil {
		for _, line := range differences(a.have, cal) {
			fmt.Fprintln(e.stdout, "  "+line)
		}
	}
	for _, line := range out.Changes {
		if line != workflows.ChangedCalendar {
			fmt.Fprintln(e.stdout, "  "+line)
		}
	}
	if next := cal.Between(a.now, a.now.AddDate(100, 0, 0), 1); len(next) > 0 {
		if zone, err := cal.Location(); err == nil {
			fmt.Fprintf(e.stdout, "next slot   %s, for %s\nslots until %s (%d)\n", local(next[0].Due, zone), next[0].Batch, local(out.Until, zone), out.Known)
		}
	} else {
		fmt.Fprintln(e.stdout, "no slot is to come")
	}
	if out.Paused != "" {
		fmt.Fprintf(e.stdout, "it is paused: %s; resume it with: starter schedule resume %s --reason TEXT\n", out.Paused, cal.Pipeline)
	}
}

// differences says in a line each which settings of two calendars differ.
func differences(old, is *calendar.Calendar) []string {
	before, after := settings(old), settings(is)
	keys := maps.Clone(before)
	maps.Copy(keys, after)
	var all []string
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		was, now := before[key], after[key]
		if was != now {
			all = append(all, fmt.Sprintf("%s: %s instead of %s", strings.ReplaceAll(key, "_", " "), shown(now), shown(was)))
		}
	}
	return all
}

// settings returns the settings of a calendar as texts.
func settings(c *calendar.Calendar) map[string]string {
	fields := map[string]json.RawMessage{}
	data, err := json.Marshal(c)
	if err == nil {
		err = json.Unmarshal(data, &fields)
	}
	if err != nil {
		panic(err) // strings, numbers and times
	}
	out := map[string]string{}
	for key, value := range fields {
		out[key] = string(value)
	}
	out["holidays"] = fmt.Sprintf("%d days, the last on %s", len(c.Holidays), slices.Max(append([]string{"–"}, c.Holidays...)))
	return out
}

// shown writes a setting for people; "nothing" if it is not set.
func shown(value string) string {
	if value == "" {
		return "nothing"
	}
	return strings.Trim(value, `"`)
}
