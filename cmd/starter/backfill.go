package main

import (
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"headgate/activities"
	"headgate/internal/figure"
	"headgate/workflows"
)

func newBackfillCommand(e *env) *cobra.Command {
	var in workflows.BackfillInput
	var queue string
	var was, now bool
	c := &cobra.Command{
		Use:   "backfill PIPELINE --from BATCH --to BATCH --as-was|--as-now --reason TEXT",
		Short: "Score past batches again",
		Long: `backfill scores a range of past batches, one after the other.

--as-was takes the model and the files of each batch's publication, or those in force at
the end of its period. If the input is not what the first publication was made from, value
by value, or if that is not recorded, the batch is published as restated, and is no
evidence for any release. --as-now takes the champion and the files in force.

A batch that is published stays as it is without --replace. If it is acted on already, by
release.approve.actBy of the pipeline file, it waits for an answer before it is replaced:
starter approve PIPELINE --batch BATCH.`,
		Example: `  starter backfill retailer --from 2023-01 --to 2023-12 --as-now --reason "the history of the new pipeline"
  starter backfill retailer --from 2024-03 --to 2024-03 --as-was --replace --reason "the supplier corrected March"`,
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			in.Pipeline = args[0]
			if in.From == "" || in.To == "" || was == now || strings.TrimSpace(in.Reason) == "" {
				return usageError{errors.New("backfill needs --from, --to, --reason, and one of --as-was and --as-now; see starter backfill --help")}
			}
			if in.Mode = activities.AsNow; was {
				in.Mode = activities.AsWas
			}
			temporalClient, err := dial(c.Context())
			if err != nil {
				return err
			}
			defer temporalClient.Close()
			run, err := workflows.StartBackfill(c.Context(), temporalClient, queue, in)
			if err != nil {
				return err
			}
			warnIfUnattended(c.Context(), e, temporalClient, queue)
			var out workflows.BackfillOutput
			if err := await(c.Context(), e, temporalClient, run, &out); err != nil {
				return err
			}
			return printBackfill(e, out)
		},
	}
	f := c.Flags()
	f.StringVar(&in.From, "from", "", "first `batch`")
	f.StringVar(&in.To, "to", "", "last `batch`")
	f.BoolVar(&was, "as-was", false, "by the model and the files of that time")
	f.BoolVar(&now, "as-now", false, "by the champion and the files in force")
	f.BoolVar(&in.Replace, "replace", false, "also batches that are published")
	orderFlags(c, e, &in.By, &in.Reason, &queue)
	return c
}

// printBackfill prints what came of each batch. It is an error if one failed, and an
// answer if one was blocked.
func printBackfill(e *env, out workflows.BackfillOutput) error {
	w := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "BATCH\tOUTCOME\tPUBLICATION\tROWS\tCHANGED KEYS\tWHY")
	failed, blocked := 0, 0
	for _, b := range out.Batches {
		switch b.Outcome {
		case "failed":
			failed++
		case "block":
			blocked++
		}
		changed, why := "–", b.Reason
		if b.Changed != nil {
			changed = figure.Count(*b.Changed)
		}
		if b.Restated {
			why = "restated: no evidence"
		}
		fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\t%s\n", b.Batch, b.Outcome, b.Publication, figure.Count(b.Rows), changed, why)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	switch {
	case failed > 0:
		return fmt.Errorf("%d of %d batches failed", failed, len(out.Batches))
	case blocked > 0:
		return blockedError{fmt.Errorf("%d of %d batches were blocked", blocked, len(out.Batches))}
	}
	return nil
}
