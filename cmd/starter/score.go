package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"

	"headgate/internal/figure"
	"headgate/workflows"
)

// A scoring is one batch to score.
type scoring struct {
	pipeline, batch string
	by, queue       string
	wait, asJSON    bool
}

func newScoreCommand(e *env) *cobra.Command {
	var s scoring
	c := &cobra.Command{
		Use:   "score PIPELINE --batch BATCH",
		Short: "Score one batch and publish it",
		Long: `score starts the workflow score/PIPELINE/BATCH. A batch that is being scored
already is joined, not started twice; one that was scored before is scored again, and
published again only if its rows differ.

Without --wait it returns when the workflow has started. With --wait it shows the
progress and ends with the verdict: exit code 0 when the batch is published, 3 when
it is blocked by its contract or by a person. If the batch asks for an answer it says
what is asked, and goes on waiting: answer with starter approve or starter reject.`,
		Example: `  starter score retailer --batch 2024-01 --wait
  starter score retailer --batch 2024-02`,
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			s.pipeline = args[0]
			if s.batch == "" {
				return usageError{errors.New("which batch? give --batch, for example --batch 2024-01")}
			}
			if s.asJSON && !s.wait {
				return usageError{errors.New("--json prints a result, and only --wait waits for one")}
			}
			temporalClient, err := dial(c.Context())
			if err != nil {
				return err
			}
			defer temporalClient.Close()
			return s.run(c.Context(), e, temporalClient)
		},
	}
	c.Flags().StringVar(&s.batch, "batch", "", "`batch` to score, as the pipeline names them: 2024-01")
	c.Flags().BoolVar(&s.wait, "wait", false, "show the progress and wait for the verdict")
	c.Flags().BoolVar(&s.asJSON, "json", false, "with --wait: print the result as JSON")
	c.Flags().StringVar(&s.by, "by", who(e), "`name` of who asks, for the audit trail")
	c.Flags().StringVar(&s.queue, "task-queue", workflows.TaskQueue, "`queue` of the workers")
	return c
}

// run starts the workflow, or joins it, and waits if that is wanted.
func (s scoring) run(ctx context.Context, e *env, c client.Client) error {
	run, err := workflows.StartScore(ctx, c, s.queue, workflows.ScoreBatchInput{Pipeline: s.pipeline, Batch: s.batch, By: s.by})
	if err != nil {
		return err
	}
	warnIfUnattended(ctx, e, c, s.queue)
	if !s.wait {
		fmt.Fprintf(e.stdout, "started %s, run %s\nwatch it: starter score %s --batch %s --wait\n", run.GetID(), run.GetRunID(), s.pipeline, s.batch)
		return nil
	}
	out, err := follow(ctx, e, c, run)
	if err != nil {
		return err
	}
	return tell(e, s.pipeline, s.batch, out, s.asJSON)
}

// follow prints the scorecard's progress until the workflow ends, and what the batch
// asks, once.
func follow(ctx context.Context, e *env, c client.Client, run client.WorkflowRun) (workflows.ScoreBatchOutput, error) {
	var out workflows.ScoreBatchOutput
	done := make(chan error, 1)
	go func() { done <- run.Get(ctx, &out) }()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	last, asked, stuck := "", "", ""
	told := troubles{}
	for {
		select {
		case err := <-done:
			if ctx.Err() != nil {
				return out, fmt.Errorf("stopped waiting; %s goes on, and score --wait joins it again", run.GetID())
			}
			return out, failure(err)
		case <-tick.C:
			told.print(ctx, e, c, run)
			card, err := scorecard(ctx, c, run.GetID(), run.GetRunID())
			if err != nil {
				continue // it is only the progress
			}
			if line := progress(card); line != last {
				fmt.Fprintln(e.stderr, line)
				last = line
			}
			if card.Until != "" && card.Decision != asked {
				asked = card.Decision
				printQuestion(e.stderr, card)
			}
			if text := failures(card); text != stuck {
				fmt.Fprint(e.stderr, text)
				stuck = text
			}
		}
	}
}

// failures says what of a batch fails, and what a person can do about it.
func failures(card workflows.Scorecard) string {
	var text strings.Builder
	for _, f := range card.Failing {
		fmt.Fprintf(&text, "%s fails: %s\n", f.What, f.Failed)
		then := "tried again at " + f.Until
		if f.Asks {
			then = "the batch fails at " + f.Until + " unless somebody acts"
		}
		fmt.Fprintf(&text, "  %s; now: starter retry %s --batch %s --reason TEXT\n", then, card.Pipeline, card.Batch)
		if f.Shard != nil {
			fmt.Fprintf(&text, "  leave it out: starter skip %s --batch %s --shard %d --reason TEXT\n", card.Pipeline, card.Batch, *f.Shard)
		}
	}
	return text.String()
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

// progress says in a line how far a batch is.
func progress(card workflows.Scorecard) string {
	line := fmt.Sprintf("%-14s", card.Stage)
	if card.Shards > 0 {
		line += fmt.Sprintf(" shards %d/%d  rows %s/%s  quarantined %s", card.ShardsDone, card.Shards, figure.Count(card.RowsDone), figure.Count(card.Rows), figure.Count(card.Quarantined))
	}
	return strings.TrimRight(line, " ")
}

// tell prints the verdict; a block is exit code 3.
func tell(e *env, pipeline, batch string, out workflows.ScoreBatchOutput, asJSON bool) error {
	if asJSON {
		if err := printJSON(e, out); err != nil {
			return err
		}
	}
	if out.Verdict != "pass" {
		if !asJSON {
			printWorld(e.stdout, out)
		}
		return blockedError{fmt.Errorf("%s %s is blocked, nothing was published: %s", pipeline, batch, strings.Join(out.Reasons, "; "))}
	}
	if asJSON {
		return nil
	}
	printOutcome(e, pipeline, batch, out)
	return nil
}
