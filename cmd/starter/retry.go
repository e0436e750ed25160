package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"go.temporal.io/sdk/client"

	"headgate/activities"
	"headgate/internal/figure"
	"headgate/workflows"
)

// An urge is what a person says to a workflow in which something fails or waits.
type urge struct {
	pipeline, batch string
	shard           int

	labels, training, release bool
	by, reason                string
}

func newRetryCommand(e *env) *cobra.Command {
	u := urge{}
	c := &cobra.Command{
		Use:   "retry PIPELINE (--batch BATCH [--shard N | --labels] | --training | --release) --reason TEXT",
		Short: "Try now what has failed, or look now for what is waited for",
		Long: `retry ends the waiting of a workflow. A stage of a batch or of a training that fails is
tried again by itself, after longer and longer pauses: retry ends the pause. --shard
means only that shard, also one about which a person is asked. With --labels the
evaluation of the batch looks for labels now, with --release the release looks at the
registry now. What waits for nothing refuses, and says so.`,
		Example: `  starter retry retailer --batch 2024-03 --reason "the store is back"
  starter retry retailer --batch 2024-03 --shard 17 --reason "the file was delivered again"
  starter retry retailer --batch 2024-03 --labels --reason "finance has closed the month"
  starter retry retailer --release --reason "the network is back"`,
		Args: arguments(cobra.ExactArgs(1)),
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		u.pipeline = args[0]
		in := workflows.RetryNow{By: u.by, Reason: u.reason}
		if c.Flags().Changed("shard") {
			in.Shard = &u.shard
		}
		if err := u.check(c, in.Shard != nil); err != nil {
			return err
		}
		var out workflows.RetryNowOutput
		if err := u.send(c.Context(), workflows.UpdateRetryNow, in, &out); err != nil {
			return err
		}
		fmt.Fprintf(e.stdout, "now: %s\n", strings.Join(out.Tried, ", "))
		return nil
	}
	f := c.Flags()
	f.BoolVar(&u.labels, "labels", false, "with --batch: look for labels now")
	f.BoolVar(&u.training, "training", false, "try the training again")
	f.BoolVar(&u.release, "release", false, "let the release look at the registry now")
	u.flags(c, e)
	return c
}

func newSkipCommand(e *env) *cobra.Command {
	u := urge{}
	c := &cobra.Command{
		Use:   "skip PIPELINE --batch BATCH --shard N --reason TEXT",
		Short: "Leave a shard out of a batch that cannot be scored",
		Long: `skip leaves a shard out that fails again and again, for example because its file is
damaged or gone. All of its rows count as quarantined: the error budget of the pipeline
file judges them, and the registry, the verdict and the publication say who left them
out and why. If its key columns can be read, its customers get the fallback score of the
pipeline file. With shards: { onFail: ask } a batch waits for that; without, it fails.

When the shard can be read again, score the batch again: that is another run.`,
		Example: `  starter skip retailer --batch 2024-03 --shard 17 --reason "the supplier has no other copy"`,
		Args:    arguments(cobra.ExactArgs(1)),
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		u.pipeline = args[0]
		if u.batch == "" || !c.Flags().Changed("shard") || strings.TrimSpace(u.reason) == "" {
			return usageError{errors.New("skip needs --batch, --shard and --reason; see starter skip --help")}
		}
		var out activities.SkipShardOutput
		if err := u.send(c.Context(), workflows.UpdateSkipShard, workflows.SkipShard{Shard: &u.shard, By: u.by, Reason: u.reason}, &out); err != nil {
			return err
		}
		fmt.Fprintf(e.stdout, "shard %d is left out by %s: %s count as quarantined, registry entry %d\n", u.shard, u.by, figure.Things(out.Rows, "row"), out.Seq)
		if !out.Keys {
			fmt.Fprintln(e.stdout, "whose rows they are is not known: none of those customers gets a fallback score as quarantined")
		}
		return nil
	}
	u.flags(c, e)
	return c
}

// flags adds what retry and skip have in common.
func (u *urge) flags(c *cobra.Command, e *env) {
	f := c.Flags()
	f.StringVar(&u.batch, "batch", "", "`batch` that is being scored")
	f.IntVar(&u.shard, "shard", 0, "`number` of the shard, as the scorecard shows it")
	f.StringVar(&u.reason, "reason", "", "`text` that says why, for the audit trail")
	f.StringVar(&u.by, "by", who(e), "`name` of who wants it, for the audit trail")
}

// check refuses what names no workflow, or several.
func (u *urge) check(c *cobra.Command, shard bool) error {
	targets := 0
	for _, is := range []bool{u.batch != "", u.training, u.release} {
		if is {
			targets++
		}
	}
	if targets != 1 || u.labels && (u.batch == "" || shard) || shard && u.batch == "" || strings.TrimSpace(u.reason) == "" {
		return usageError{fmt.Errorf("%s needs --batch, --training or --release, and --reason; see %s --help", c.Name(), c.CommandPath())}
	}
	return nil
}

// id names the workflow that is meant: of a large batch the window that goes on now.
func (u *urge) id(ctx context.Context, c client.Client) (string, error) {
	switch {
	case u.training:
		return workflows.RetrainID(u.pipeline), nil
	case u.release:
		return workflows.ReleaseID(u.pipeline), nil
	case u.labels:
		return workflows.EvaluateID(u.pipeline, u.batch), nil
	}
	id := workflows.ScoreID(u.pipeline, u.batch)
	card, err := scorecard(ctx, c, id, "")
	if err != nil {
		return id, u.unheard(err, id)
	}
	if card.Window != "" {
		return card.Window, nil
	}
	return id, nil
}

// send sends an Update and waits for what comes of it.
func (u *urge) send(ctx context.Context, update string, in, out any) error {
	c, err := dial(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	id, err := u.id(ctx, c)
	if err != nil {
		return err
	}
	return u.unheard(sendUpdate(ctx, c, id, update, in, out), id)
}

// unheard says in a sentence why nothing came of it.
func (u *urge) unheard(err error, id string) error {
	return unheard(err, id, fmt.Sprintf("%s does not run, so nothing of it waits; see starter status %s", id, u.pipeline))
}
