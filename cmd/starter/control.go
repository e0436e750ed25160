package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"headgate/activities"
	papers "headgate/internal/run"
	"headgate/workflows"
)

func newHoldCommand(e *env) *cobra.Command {
	return newOrderCommand(e, workflows.UpdateHold, &cobra.Command{
		Use:   "hold PIPELINE --reason TEXT",
		Short: "Stop the releases of a pipeline where they are",
		Long: `hold stops the releases of a pipeline where they are: no candidate takes a step
forward until somebody resumes. Months are scored and published as before, and steps
back are taken as before.`,
		Example: `  starter hold retailer --reason "the shop has its sale until Monday"`,
	})
}

func newResumeCommand(e *env) *cobra.Command {
	return newOrderCommand(e, workflows.UpdateResume, &cobra.Command{
		Use:   "resume PIPELINE --reason TEXT",
		Short: "Let held or paused releases go on",
		Long: `resume lets releases go on that somebody holds, or that stopped because a step failed
or because a question went unanswered.`,
		Example: `  starter resume retailer --reason "the sale is over"`,
	})
}

// newOrderCommand adds what hold and resume have in common.
func newOrderCommand(e *env, update string, c *cobra.Command) *cobra.Command {
	var in workflows.Word
	var queue string
	c.Args = arguments(cobra.ExactArgs(1))
	c.RunE = func(c *cobra.Command, args []string) error {
		if strings.TrimSpace(in.Reason) == "" {
			return usageError{fmt.Errorf("%s needs --reason; see starter %s --help", update, update)}
		}
		var out activities.ControlOutput
		if err := tellRelease(c.Context(), e, queue, args[0], update, in, &out); err != nil {
			return err
		}
		fmt.Fprintf(e.stdout, "%s by %s is registry entry %d; see starter release status %s\n", out.Control, in.By, out.Seq, args[0])
		return nil
	}
	orderFlags(c, e, &in.By, &in.Reason, &queue)
	return c
}

func newRollbackCommand(e *env) *cobra.Command {
	var in workflows.ReleaseRollback
	var queue string
	c := &cobra.Command{
		Use:   "rollback PIPELINE --reason TEXT",
		Short: "Take the champion, or a candidate that serves a share, back",
		Long: `rollback takes back what a release has moved. If a candidate serves a share, it goes;
if none does, the champion goes and the one before it comes back. --to names another
champion to come back: by the number of a registry entry, for the champion at that time,
or by the first digits of its digest. The old version must load and give its golden
scores; the one that goes may not serve again.

Published batches with rows of a candidate that goes are published again with the
champion's scores. What a former champion published while it served stays, unless
--batch names the batch.`,
		Example: `  starter rollback retailer --reason "the campaign team sees odd scores"
  starter rollback retailer --to 41 --batch 2024-12 --reason "the calibration was wrong"`,
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			if strings.TrimSpace(in.Reason) == "" {
				return usageError{errors.New("rollback needs --reason; see starter rollback --help")}
			}
			var out activities.ControlOutput
			if err := tellRelease(c.Context(), e, queue, args[0], workflows.UpdateRollback, in, &out); err != nil {
				return err
			}
			to := "the champion before"
			if out.Model != "" {
				to = papers.Short(out.Model)
			}
			fmt.Fprintf(e.stdout, "rollback to %s by %s is registry entry %d; see starter release status %s\n", to, in.By, out.Seq, args[0])
			return nil
		},
	}
	c.Flags().StringVar(&in.To, "to", "", "`number` of a registry entry, or digits of a model version, to go back to")
	c.Flags().StringVar(&in.Batch, "batch", "", "published `batch` that gets that model's scores as well")
	orderFlags(c, e, &in.By, &in.Reason, &queue)
	return c
}

// tellRelease sends an Update to the releases of a pipeline.
func tellRelease(ctx context.Context, e *env, queue, pipeline, update string, arg, out any) error {
	c, err := dial(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	warnIfUnattended(ctx, e, c, queue)
	return told(workflows.TellRelease(ctx, c, queue, pipeline, update, arg, out), pipeline)
}

// told says in a sentence why a release did not take what it was told.
func told(err error, pipeline string) error {
	id := workflows.ReleaseID(pipeline)
	return unheard(err, id, fmt.Sprintf("%s does not run; see starter release status %s", id, pipeline))
}
