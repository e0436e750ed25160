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

	"headgate/internal/delta"
	"headgate/internal/figure"
	"headgate/internal/registry"
	papers "headgate/internal/run"
	"headgate/internal/store"
)

func newStatusCommand(e *env) *cobra.Command {
	var url string
	c := &cobra.Command{
		Use:   "status PIPELINE",
		Short: "Show the models and batches of a pipeline",
		Long: `status shows which model version is the champion, which batches are published by
which run, how many of their rows are in quarantine, how far they have drifted, and which
were blocked and why, or wait for an answer; who is scored by another model than the
champion; which rules of gates were let go, by whom and why, for ever; which changes
of the files wait for a second person; and which batches are missing by the schedule.
It reads the store only.`,
		Example: "  starter status retailer",
		Args:    arguments(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			b, log, err := openRegistry(c.Context(), e, url, args[0])
			if err != nil {
				return err
			}
			defer b.Close()
			snapshot, err := delta.Open(b, papers.TablePrefix(args[0])).Snapshot(c.Context())
			if err != nil {
				return err
			}
			return printStatus(c.Context(), e, b, log, snapshot)
		},
	}
	storeFlag(c, &url)
	return c
}

func printStatus(ctx context.Context, e *env, b *store.Bucket, log *registry.Log, s *delta.Snapshot) error {
	state := log.State()
	fmt.Fprintf(e.stdout, "pipeline  %s\n", log.Pipeline())
	for _, alias := range slices.Sorted(maps.Keys(state.Aliases)) {
		fmt.Fprintf(e.stdout, "%-9s %s\n", alias, state.Aliases[alias])
	}
	fmt.Fprintf(e.stdout, "versions  %d%s\nregistry  %s\n", len(state.Models), rejected(state), log.Anchor())
	if err := printRouting(ctx, e, b, state); err != nil {
		return err
	}
	printExceptions(e, log.Pipeline(), state, time.Now())
	fmt.Fprintln(e.stdout)
	if len(state.Batches) == 0 {
		fmt.Fprintln(e.stdout, "no batch was scored yet")
		return printMissing(ctx, e, b, log, time.Now().UTC())
	}
	w := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "BATCH\tLAST\tPUBLICATION\tROWS\tQUARANTINED\tDRIFT\tRUN\tWHY")
	var asking []string
	for _, batch := range slices.Sorted(maps.Keys(state.Batches)) {
		last := log.Entries()[state.Batches[batch].Seq-1]
		what := last.Kind
		if last.Kind == registry.KindVerdict {
			what = last.Verdict
		}
		if what == registry.VerdictAsk {
			asking = append(asking, batch)
		}
		publication, rows, bad := "–", "–", "–"
		if current, ok := s.Current(batch); ok {
			publication, rows = fmt.Sprint(current.Number), figure.Count(current.Rows())
			bad = quarantined(ctx, b, log.Pipeline(), current)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", batch, what, publication, rows, bad, drifted(ctx, b, log.Pipeline(), last),
			papers.Short(last.Run), strings.Join(last.Reasons, "; ")+last.Reason)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, batch := range asking {
		fmt.Fprintf(e.stdout, "\n%[2]s waits for an answer: starter approve %[1]s --batch %[2]s --reason TEXT, or starter reject …\n", log.Pipeline(), batch)
	}
	return printMissing(ctx, e, b, log, time.Now().UTC())
}

// quarantined reads from the verdict behind a publication how many rows it left out, and
// how many of those were corrected and published; "?" if the verdict cannot be read,
// which is for verify to explain.
func quarantined(ctx context.Context, b *store.Bucket, pipeline string, p delta.Publication) string {
	data, err := papers.LoadVerdict(ctx, b, pipeline, p.Batch, store.Digest(p.Info["run"]), store.Digest(p.Info["decision"]))
	switch {
	case err != nil:
		return "?"
	case data.Replaced > 0:
		return fmt.Sprintf("%s, %s corrected", figure.Count(data.Quarantined), figure.Count(data.Replaced))
	}
	return figure.Count(data.Quarantined)
}

// drifted reads from the last verdict over a batch how far it has drifted; "–" if that
// was not judged.
func drifted(ctx context.Context, b *store.Bucket, pipeline string, last registry.Entry) string {
	data, err := papers.LoadVerdict(ctx, b, pipeline, last.Batch, last.Run, last.Decision)
	if err != nil || data.Drift == nil {
		return "–" // also when the batch was blocked before a row was read
	}
	return data.Drift.Level
}
