package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"

	"headgate/workflows"
)

func newScoreCommand(e *env) *cobra.Command {
	var batch, queue, by string
	var wait, asJSON bool
	c := &cobra.Command{
		Use:   "score PIPELINE --batch BATCH",
		Short: "Score one batch and publish it",
		Long: `score starts the workflow score/PIPELINE/BATCH. A batch that is being scored
already is joined, not started twice; one that was scored before is scored again, and
published again only if its rows differ.

Without --wait it returns when the workflow has started. With --wait it shows the
progress and ends with the verdict: exit code 0 when the batch is published, 3 when
its contract blocked it.`,
		Example: `  starter score retailer --batch 2024-01 --wait
  starter score retailer --batch 2024-02`,
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			if batch == "" {
				return usageError{errors.New("which batch? give --batch, for example --batch 2024-01")}
			}
			if asJSON && !wait {
				return usageError{errors.New("--json prints a result, and only --wait waits for one")}
			}
			temporalClient, err := dial(c.Context())
			if err != nil {
				return err
			}
			defer temporalClient.Close()
			run, err := workflows.StartScore(c.Context(), temporalClient, queue, workflows.ScoreBatchInput{Pipeline: args[0], Batch: batch, By: by})
			if err != nil {
				return err
			}
			warnIfUnattended(c.Context(), e, temporalClient, queue)
			if !wait {
				fmt.Fprintf(e.stdout, "started %s, run %s\nwatch it: starter score %s --batch %s --wait\n", run.GetID(), run.GetRunID(), args[0], batch)
				return nil
			}
			out, err := follow(c.Context(), e, temporalClient, run)
			if err != nil {
				return err
			}
			return tell(e, args[0], batch, out, asJSON)
		},
	}
	c.Flags().StringVar(&batch, "batch", "", "`batch` to score, as the pipeline names them: 2024-01")
	c.Flags().BoolVar(&wait, "wait", false, "show the progress and wait for the verdict")
	c.Flags().BoolVar(&asJSON, "json", false, "with --wait: print the result as JSON")
	c.Flags().StringVar(&by, "by", who(e), "`name` of who asks, for the audit trail")
	c.Flags().StringVar(&queue, "task-queue", workflows.TaskQueue, "`queue` of the workers")
	return c
}

// follow prints the scorecard's progress until the workflow ends.
func follow(ctx context.Context, e *env, c client.Client, run client.WorkflowRun) (workflows.ScoreBatchOutput, error) {
	var out workflows.ScoreBatchOutput
	done := make(chan error, 1)
	go func() { done <- run.Get(ctx, &out) }()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	last := ""
	for {
		select {
		case err := <-done:
			if ctx.Err() != nil {
				return out, fmt.Errorf("stopped waiting; %s goes on, and score --wait joins it again", run.GetID())
			}
			return out, failure(err)
		case <-tick.C:
			if line := progress(ctx, c, run); line != "" && line != last {
				fmt.Fprintln(e.stderr, line)
				last = line
			}
		}
	}
}

// warnIfUnattended says when no worker polls the queue: then nothing will move.
func warnIfUnattended(ctx context.Context, e *env, c client.Client, queue string) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	pollers, err := c.DescribeTaskQueue(ctx, queue, enums.TASK_QUEUE_TYPE_WORKFLOW)
	if err == nil && len(pollers.GetPollers()) == 0 {
		fmt.Fprintf(e.stderr, "no worker polls task queue %s; the batch waits until one does\n", queue)
	}
}

// progress asks the workflow for its scorecard; a query that fails says nothing.
func progress(ctx context.Context, c client.Client, run client.WorkflowRun) string {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	value, err := c.QueryWorkflow(ctx, run.GetID(), run.GetRunID(), "scorecard")
	if err != nil {
		return ""
	}
	var card workflows.Scorecard
	if value.Get(&card) != nil {
		return ""
	}
	line := fmt.Sprintf("%-14s", card.Stage)
	if card.Shards > 0 {
		line += fmt.Sprintf(" shards %d/%d  rows %d/%d  quarantined %d", card.ShardsDone, card.Shards, card.RowsDone, card.Rows, card.Quarantined)
	}
	return strings.TrimRight(line, " ")
}

// tell prints the verdict; a block is exit code 3.
func tell(e *env, pipeline, batch string, out workflows.ScoreBatchOutput, asJSON bool) error {
	if asJSON {
		b, err := json.MarshalIndent(out, "", "  ")
		if err != nil {
			return err
		}
		fmt.Fprintln(e.stdout, string(b))
	}
	if out.Verdict != "pass" {
		return blockedError{fmt.Errorf("%s %s is blocked, nothing was published: %s", pipeline, batch, strings.Join(out.Reasons, "; "))}
	}
	if asJSON {
		return nil
	}
	how := fmt.Sprintf("published as publication %d, table version %d", out.Publication, out.TableVersion)
	if out.Unchanged {
		how = fmt.Sprintf("same bytes as publication %d: no new commit", out.Publication)
	}
	fmt.Fprintf(e.stdout, "%s %s: %d rows in = %d published + %d quarantined; %s\n", pipeline, batch, out.Rows, out.Published, out.Quarantined, how)
	fmt.Fprintf(e.stdout, "run %s\nregistry %s\n", out.Run, out.Anchor)
	return nil
}
