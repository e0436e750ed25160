package main

import (
	"errors"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"headgate/internal/figure"
	"headgate/internal/registry"
	papers "headgate/internal/run"
	"headgate/workflows"
)

func newJudgeCommand(e *env) *cobra.Command {
	var in workflows.EvaluateBatchInput
	var queue string
	var wait bool
	c := &cobra.Command{
		Use:   "judge PIPELINE --batch BATCH",
		Short: "Hold the labels of a published batch against its scores, now or again",
		Long: `judge starts the workflow evaluate/PIPELINE/BATCH, which holds the labels of a published
batch against what every model said of it. Scoring a batch starts it as well, so judge is
for labels that were revised since: the revision is one more file, with a later name. An
evaluation that still waits for labels is told to look now.

What it finds is in the registry. It wakes the release, which judges its candidates
again by the new labels.

Exit code 3 means that the labels do not count, or never came.`,
		Example: `  starter judge retailer --batch 2024-03 --wait
  starter judge retailer --batch 2024-03`,
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			in.Pipeline = args[0]
			if in.Batch == "" {
				return usageError{errors.New("which batch? give --batch, for example --batch 2024-03")}
			}
			temporalClient, err := dial(c.Context())
			if err != nil {
				return err
			}
			defer temporalClient.Close()
			run, err := workflows.StartEvaluate(c.Context(), temporalClient, queue, in)
			if err != nil {
				return err
			}
			warnIfUnattended(c.Context(), e, temporalClient, queue)
			if !wait {
				fmt.Fprintf(e.stdout, "%s runs; see starter log %s, or the Web UI\n", run.GetID(), in.Pipeline)
				return nil
			}
			var out workflows.EvaluateBatchOutput
			if err := await(c.Context(), e, temporalClient, run, &out); err != nil {
				return err
			}
			return printJudged(e, in, out)
		},
	}
	f := c.Flags()
	f.StringVar(&in.Batch, "batch", "", "published `batch`")
	f.BoolVar(&wait, "wait", false, "wait for the labels, and print what they say")
	f.StringVar(&in.By, "by", who(e), "`name` of who asks, for the audit trail")
	f.StringVar(&queue, "task-queue", workflows.TaskQueue, "`queue` of the workers")
	return c
}

// printJudged says what labels said. Labels that do not count are blocked.
func printJudged(e *env, in workflows.EvaluateBatchInput, out workflows.EvaluateBatchOutput) error {
	switch {
	case out.Paper == "":
		return blockedError{fmt.Errorf("the labels of %s %s never came: looked %d times", in.Pipeline, in.Batch, out.Looks)}
	case out.Verdict != registry.VerdictPass:
		for _, reason := range out.Reasons {
			fmt.Fprintf(e.stdout, "refused     %s\n", reason)
		}
		return blockedError{fmt.Errorf("the labels of %s %s are no evidence", in.Pipeline, in.Batch)}
	}
	fmt.Fprintf(e.stdout, "labels      version %s, outcomes of %s of the rows are known\n", papers.Short(out.Labels), figure.Percent(out.Known.Value))
	for _, note := range out.Notes {
		fmt.Fprintf(e.stdout, "note        %s\n", note)
	}
	w := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "MODEL\tROLE\tROWS\tAUC\tLOG LOSS")
	for _, m := range out.Models {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", papers.Short(m.Model), m.Role, figure.Count(m.Rows), figure.Estimate(m.AUC), figure.Estimate(m.LogLoss))
	}
	w.Flush()
	if out.Retraining {
		fmt.Fprintln(e.stdout, "a training has started because of that")
	}
	fmt.Fprintf(e.stdout, "evaluation  %s\nregistry    %s\n", papers.Short(out.Paper), out.Anchor)
	return nil
}
