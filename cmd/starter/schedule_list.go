package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"go.temporal.io/sdk/client"

	"headgate/internal/calendar"
	"headgate/internal/registry"
	"headgate/internal/store"
	"headgate/workflows"
)

func newScheduleListCommand(e *env) *cobra.Command {
	var url string
	c := &cobra.Command{
		Use:   "list [PIPELINE]",
		Short: "Show the schedules, when they are due next, and what is missing",
		Long: `list shows the schedules that the server has: whether they are paused, when the next
slot is due and for which batch, and how many batches are missing. Batches that must have
been published and are not are named also if no slot ever ran for them: because the
schedule was paused or deleted, or the server was down for too long.`,
		Example: "  starter schedule list\n  starter schedule list retailer",
		Args:    arguments(cobra.MaximumNArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			b, err := openStore(c.Context(), e, url)
			if err != nil {
				return err
			}
			defer b.Close()
			temporalClient, err := dial(c.Context())
			if err != nil {
				return err
			}
			defer temporalClient.Close()
			have, err := scheduled(c.Context(), temporalClient)
			if err != nil {
				return err
			}
			names := args
			if len(args) == 0 {
				if names, err = scheduledHere(c.Context(), b, have); err != nil {
					return err
				}
			}
			return printSchedules(c.Context(), e, b, names, have, time.Now().UTC())
		},
	}
	storeFlag(c, &url)
	return c
}

// scheduled returns the schedules that the server has, by their pipelines.
func scheduled(ctx context.Context, c client.Client) (map[string]*client.ScheduleListEntry, error) {
	list, err := c.ScheduleClient().List(ctx, client.ScheduleListOptions{PageSize: 1000})
	if err != nil {
		return nil, fmt.Errorf("list schedules: %w", err)
	}
	have := map[string]*client.ScheduleListEntry{}
	for list.HasNext() {
		entry, err := list.Next()
		if err != nil {
			return nil, fmt.Errorf("list schedules: %w", err)
		}
		if pipeline, ok := workflows.ScheduledPipeline(entry.ID); ok {
			have[pipeline] = entry
		}
	}
	return have, nil
}

// scheduledHere returns the pipelines that have a schedule on the server, or should have one
// by their registries in the store.
func scheduledHere(ctx context.Context, b *store.Bucket, have map[string]*client.ScheduleListEntry) ([]string, error) {
	registered, err := registry.Pipelines(ctx, b)
	if err != nil {
		return nil, err
	}
	all := slices.Collect(maps.Keys(have))
	for _, pipeline := range registered {
		if have[pipeline] != nil {
			continue
		}
		log, err := registry.Load(ctx, b, pipeline)
		if err != nil {
			return nil, plain(err)
		}
		if log.State().Schedule != "" {
			all = append(all, pipeline)
		}
	}
	slices.Sort(all)
	return all, nil
}

// printSchedules prints a line for each pipeline, and then what is missing.
func printSchedules(ctx context.Context, e *env, b *store.Bucket, names []string, have map[string]*client.ScheduleListEntry, now time.Time) error {
	if len(names) == 0 {
		fmt.Fprintln(e.stdout, "the server has no schedule; run: starter schedule apply PIPELINE.yaml")
		return nil
	}
	w := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "PIPELINE\tSTATE\tNEXT\tFOR\tMISSING")
	var missing []func() error
	for _, pipeline := range names {
		log, err := registry.Load(ctx, b, pipeline)
		if err != nil {
			return plain(err)
		}
		cal, _, err := expected(ctx, b, log)
		if err != nil {
			return err
		}
		if cal == nil {
			fmt.Fprintf(w, "%s\t%s\t–\t–\tnothing is expected: apply the schedule\n", pipeline, stateOf(have[pipeline]))
			continue
		}
		all, err := lacking(ctx, b, log, now)
		if err != nil {
			return err
		}
		due, batch := nextSlot(cal, now)
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\n", pipeline, stateOf(have[pipeline]), due, batch, calendar.Count(all))
		missing = append(missing, func() error { return printLacking(e, cal, pipeline, all) })
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, print := range missing {
		if err := print(); err != nil {
			return err
		}
	}
	return nil
}

// stateOf says whether a schedule works.
func stateOf(entry *client.ScheduleListEntry) string {
	switch {
	case entry == nil:
		return "gone from the server"
	case entry.Paused:
		return strings.TrimSpace("paused: " + entry.Note)
	}
	return "active"
}

// nextSlot says when the next batch is due.
func nextSlot(cal *calendar.Calendar, now time.Time) (due, batch string) {
	next := cal.Between(now, now.AddDate(100, 0, 0), 1)
	zone, err := cal.Location()
	if len(next) == 0 || err != nil {
		return "–", "–"
	}
	return local(next[0].Due, zone), next[0].Batch
}
