package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"headgate/internal/registry"
	papers "headgate/internal/run"
	"headgate/internal/trigger"
	"headgate/workflows"
)

func newRetrainCommand(e *env) *cobra.Command {
	var in workflows.RetrainInput
	var kind, queue string
	var wait bool
	c := &cobra.Command{
		Use:   "retrain PIPELINE --reason TEXT",
		Short: "Train challengers from published batches and their labels",
		Long: `retrain starts a training on the workers: from published batches whose labels are
complete, as the pipeline file's training says, one challenger for each window. Sound
ones are registered and become candidates of a release. It promotes none: that takes
evidence from later batches.

There is one training of a pipeline at a time; asking for a second joins the first.
Labels, drift and dates start trainings by themselves, as the pipeline file's retrain
says; retrain is for starting one without them. The year's budget of challengers holds.

--kind recalibrate keeps the champion's trees and fits a new calibration; --kind both
lets that one compete with the windows, for one release.

Exit code 3 means that no model was sound, or that nothing may be trained.`,
		Example: `  starter retrain retailer --reason "prices changed in May" --wait
  starter retrain retailer --kind recalibrate --reason "Christmas"`,
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			in.Pipeline, in.Kind = args[0], trigger.Kind(kind)
			switch {
			case in.Reason == "":
				return usageError{errors.New("retrain needs --reason, for the audit trail")}
			case !slices.Contains([]trigger.Kind{trigger.Refit, trigger.Recalibrate, trigger.Both}, in.Kind):
				return usageError{fmt.Errorf("--kind %s is not known; it is refit, recalibrate or both", kind)}
			}
			temporalClient, err := dial(c.Context())
			if err != nil {
				return err
			}
			defer temporalClient.Close()
			started, err := workflows.StartRetrain(c.Context(), temporalClient, queue, in)
			if err != nil {
				return err
			}
			warnIfUnattended(c.Context(), e, temporalClient, queue)
			if !wait {
				fmt.Fprintf(e.stdout, "%s runs; see starter log %s, or the Web UI\n", started.GetID(), in.Pipeline)
				return nil
			}
			var out workflows.RetrainOutput
			if err := await(c.Context(), e, temporalClient, started, &out); err != nil {
				return err
			}
			return printRetrain(e, in.Pipeline, out)
		},
	}
	f := c.Flags()
	f.StringVar(&kind, "kind", string(trigger.Refit), "`kind` of training: refit, recalibrate or both")
	orderFlags(c, e, &in.By, &in.Reason, &queue)
	f.BoolVar(&wait, "wait", false, "wait until it ends, and print what came of it")
	return c
}

// printRetrain says what came of a training. One without a candidate is blocked.
func printRetrain(e *env, pipeline string, out workflows.RetrainOutput) error {
	if len(out.Idle) > 0 {
		return blockedError{fmt.Errorf("nothing is trained: %s", strings.Join(out.Idle, "; "))}
	}
	fmt.Fprintf(e.stdout, "%s of %s to %s, windows of %s batches\n", out.Kind, out.Batches[0], out.Batches[len(out.Batches)-1], strings.Join(out.Windows, ", "))
	for _, note := range out.Notes {
		fmt.Fprintf(e.stdout, "note      %s\n", note)
	}
	for _, reason := range out.Reasons {
		fmt.Fprintf(e.stdout, "blocked   %s\n", reason)
	}
	for _, model := range out.Candidates {
		fmt.Fprintf(e.stdout, "candidate %s of release %s\n", papers.Short(model), out.Release)
	}
	fmt.Fprintf(e.stdout, "evidence  %s\nregistry  %s\n", out.Evidence, out.Anchor)
	if out.Verdict != registry.VerdictPass {
		return blockedError{fmt.Errorf("no model of the training of %s is sound", pipeline)}
	}
	return nil
}
