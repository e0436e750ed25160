package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"headgate/activities"
	"headgate/internal/delta"
	"headgate/internal/figure"
	"headgate/internal/pipeline"
	"headgate/internal/registry"
	papers "headgate/internal/run"
	"headgate/internal/store"
)

func newPlanCommand(e *env) *cobra.Command {
	var url, batch string
	var asJSON bool
	c := &cobra.Command{
		Use:   "plan PIPELINE [--batch BATCH]",
		Short: "Tell what scoring a batch would be, before it is scored",
		Long: `plan reads the footers of a batch's files and says what scoring it would be: rows,
shards, models, what it will cost by the batches before, which gates will be asked, who may
have to act, and what is missing. It reads no row, writes nothing, and needs no Temporal.

Without --batch it takes the batch that is due next by the schedule, or the one after the
last that was published. Exit code 3: the batch would not be published as it is.`,
		Example: `  starter plan retailer --batch 2024-03
  starter plan retailer --json`,
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			b, log, err := openRegistry(c.Context(), e, url, args[0])
			if err != nil {
				return err
			}
			defer b.Close()
			if batch == "" {
				if batch, err = nextBatch(c.Context(), b, log, time.Now()); err != nil {
					return err
				}
			}
			run, err := activities.TryBatch(c.Context(), b, formats, log, batch, everySeconds(e.stderr, 2*time.Second, "footers"))
			if err != nil {
				return plain(err)
			}
			return tellPlan(e, run, asJSON)
		},
	}
	storeFlag(c, &url)
	c.Flags().StringVar(&batch, "batch", "", "`batch` (default the next one)")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

// everySeconds returns what tells how far something is, once in that time.
func everySeconds(w io.Writer, every time.Duration, what string) func(activities.Progress) {
	next := time.Now().Add(every)
	return func(p activities.Progress) {
		if now := time.Now(); now.After(next) {
			next = now.Add(every)
			fmt.Fprintf(w, "%s of %s %s\n", figure.Count(p.Done), figure.Count(p.Total), what)
		}
	}
}

// nextBatch returns the first batch of the schedule that is not published, or the one after
// the last that is.
func nextBatch(ctx context.Context, b *store.Bucket, log *registry.Log, now time.Time) (string, error) {
	snapshot, err := delta.Open(b, papers.TablePrefix(log.Pipeline())).Snapshot(ctx)
	if err != nil {
		return "", err
	}
	cal, _, err := expected(ctx, b, log)
	if err != nil {
		return "", err
	}
	if cal != nil {
		for _, s := range append(cal.Slots(now), cal.Between(now, now.AddDate(100, 0, 0), 1)...) {
			if snapshot.Publication(s.Batch) == 0 {
				return s.Batch, nil
			}
		}
	}
	text, err := b.GetBlob(ctx, log.State().Pipeline)
	if err != nil {
		return "", err
	}
	conf, err := pipeline.ParseKept("the pipeline file in force", text)
	if err != nil {
		return "", err
	}
	if published := snapshot.Batches(); len(published) > 0 {
		if next, ok := conf.After(published[len(published)-1]); ok {
			return next, nil
		}
	}
	return "", usageError{errors.New("which batch? nothing is published yet, and no schedule expects one; give --batch")}
}

// tellPlan prints what a run would be. One that would not be published is an answer.
func tellPlan(e *env, run *activities.DryRun, asJSON bool) error {
	if asJSON {
		if err := printJSON(e, run); err != nil {
			return err
		}
	} else {
		printDryRun(e.stdout, run)
	}
	switch {
	case len(run.Missing) > 0:
		return blockedError{fmt.Errorf("%s cannot be scored: %s", run.Batch, strings.Join(run.Missing, "; "))}
	case run.Verdict == papers.Block:
		return blockedError{fmt.Errorf("%s would be blocked: %s", run.Batch, strings.Join(run.Reasons, "; "))}
	}
	return nil
}

func printDryRun(w io.Writer, run *activities.DryRun) {
	row := func(name, format string, args ...any) {
		fmt.Fprintf(w, "%-10s %s\n", name, fmt.Sprintf(format, args...))
	}
	row("batch", "%s %s, publication %d", run.Pipeline, run.Batch, run.Publication)
	row("input", "%s in %s, %s", figure.Things(run.Rows, "row"), figure.Things(run.Files, "file"), figure.Bytes(run.Bytes))
	row("shards", "%d, %d at a time", run.Shards, run.Parallel)
	row("champion", "%s", papers.Short(run.Champion))
	for _, m := range run.Models {
		row("beside it", "%s", papers.Short(m))
	}
	if x := run.Estimate; x != nil {
		row("cost", "%s, %s of processors at most (%s rows/s: %s)", spell(x.Wall), spell(x.CPU), figure.Count(int64(x.Rate)), x.Source)
	}
	switch run.Verdict {
	case papers.Pass:
		row("footers", "pass; %s may go to quarantine", figure.Things(run.Budget, "row"))
	case "":
		row("footers", "not read")
	default:
		row("footers", "%s: %s", run.Verdict, strings.Join(run.Reasons, "; "))
	}
	for _, part := range []struct {
		name  string
		lines []string
	}{{"gate", run.Gates}, {"act", run.People}, {"missing", run.Missing}} {
		for _, line := range part.lines {
			row(part.name, "%s", line)
		}
	}
}

// spell writes seconds for people.
func spell(seconds float64) string {
	if seconds < 0.1 {
		return "less than 0.1s"
	}
	return time.Duration(seconds * float64(time.Second)).Round(100 * time.Millisecond).String()
}
