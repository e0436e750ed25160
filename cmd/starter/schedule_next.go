package main

import (
	"context"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"headgate/internal/calendar"
)

// A coming slot, as next prints it with --json.
type coming struct {
	calendar.Slot
	Local string `json:"local"`
}

func newScheduleNextCommand(e *env) *cobra.Command {
	var url, from string
	var count int
	var asJSON bool
	c := &cobra.Command{
		Use:   "next PIPELINE|PIPELINE.yaml",
		Short: "Print the slots of the coming year",
		Long: `next prints which batch is due when: by the clocks of the schedule's zone and in UTC,
until when its data may come and until when it must be published, and which slots a weekend
or a holiday has moved. Of a pipeline file it tells what apply would do, also which past
batches it would expect; of a pipeline, what is in force. It needs no server.`,
		Example: `  starter schedule next pipeline.yaml
  starter schedule next retailer --count 3
  starter schedule next pipeline.yaml --from 2027-01-01 --json`,
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			now := time.Now().UTC()
			if from != "" {
				var err error
				if now, err = time.Parse(time.DateOnly, from); err != nil {
					return usageError{fmt.Errorf("--from %q is no date, as in 2027-01-01", from)}
				}
			}
			if count < 0 {
				return usageError{fmt.Errorf("--count must be 0 or more, not %d", count)}
			}
			cal, err := calendarOf(c.Context(), e, url, args[0], now)
			if err != nil {
				return err
			}
			slots := cal.Between(now, now.AddDate(1, 0, 0), maxComing)
			if count > 0 {
				slots = cal.Between(now, now.AddDate(100, 0, 0), count)
			}
			if isFile(args[0]) && !asJSON {
				warnOfPast(e, cal, now)
			}
			return printComing(e, cal, slots, asJSON)
		},
	}
	storeFlag(c, &url)
	f := c.Flags()
	f.StringVar(&from, "from", "", "`date` from which on (default now)")
	f.IntVar(&count, "count", 0, "`number` of slots (default those of a year)")
	f.BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

// maxComing is more than a year has days.
const maxComing = 1000

// calendarOf returns the calendar of a pipeline file, or the one in force of a pipeline.
func calendarOf(ctx context.Context, e *env, url, arg string, now time.Time) (*calendar.Calendar, error) {
	if isFile(arg) {
		_, cal, err := readSchedule(arg, nil, now)
		return cal, err
	}
	b, err := openStore(ctx, e, url)
	if err != nil {
		return nil, err
	}
	defer b.Close()
	cal, _, err := needExpected(ctx, b, arg)
	return cal, err
}

// warnOfPast tells of batches that a schedule expects whose time is over when it is applied.
func warnOfPast(e *env, c *calendar.Calendar, now time.Time) {
	past := c.Missing(now, func(s calendar.Slot) string {
		if s.Publish.After(now) {
			return ""
		}
		return "past"
	})
	if len(past) == 0 {
		return
	}
	fmt.Fprintf(e.stderr, "also expected, and their time is over: %s (%d); those that are not published will be missing as soon as the schedule is applied\n",
		past[0], past[0].Count)
}

func printComing(e *env, c *calendar.Calendar, slots []calendar.Slot, asJSON bool) error {
	zone, err := c.Location()
	if err != nil {
		return err
	}
	if asJSON {
		all := []coming{}
		for _, s := range slots {
			all = append(all, coming{s, s.Due.In(zone).Format(time.RFC3339)})
		}
		return printJSON(e, all)
	}
	if len(slots) == 0 {
		fmt.Fprintln(e.stdout, "no slot is to come")
		return nil
	}
	w := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "BATCH\tDUE\tUTC\tDATA UNTIL\tPUBLISHED BY\tMOVED")
	const minutes = "2006-01-02 15:04"
	for _, s := range slots {
		layout := minutes
		if c.EverySeconds > 0 {
			layout = time.DateTime
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", s.Batch, local(s.Due, zone), s.Due.Format(layout), s.Data.In(zone).Format(layout), s.Publish.In(zone).Format(layout), s.Moved)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if n := len(c.Holidays); n > 0 && slots[len(slots)-1].Due.Format(time.DateOnly) > c.Holidays[n-1] {
		fmt.Fprintf(e.stderr, "the last holiday that is known is %s; add those of the following year and apply the schedule again\n", c.Holidays[n-1])
	}
	return nil
}
