package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"go.temporal.io/sdk/client"

	papers "headgate/internal/run"
	"headgate/workflows"
)

// queryTimeout is how long a running workflow may take to say how far it is.
const queryTimeout = 10 * time.Second

// A reply is what a person says to a batch that asks.
type reply struct {
	pipeline, batch string
	workflows.Answer

	release          bool // the answer is to the release that waits
	role, key, queue string
}

func newApproveCommand(e *env) *cobra.Command {
	return newReplyCommand(e, true, &cobra.Command{
		Use:   "approve PIPELINE (--batch BATCH | --release | --proposal N) --reason TEXT",
		Short: "Publish a batch, let a release go on, or put files in force, that wait for an answer",
		Long: `approve answers a batch that waits for a person: it is published with what is in it.
With --release it answers the release that waits: the candidate takes its next step.
The answer, who gave it and why are in the registry for good. --key signs an answer to a
release with an ssh key, for pipelines that want answers signed.

It prints first what is asked. The answer is to that, and refused if another question has
come up since; --decision says which question was looked at, as score --wait, status
or the run's page in the Temporal Web UI showed it.

With --proposal it puts the files in force that somebody else proposed, as one of the
people whom the pipeline file in force names under release.approve; starter diff shows
what they change. That needs the store, and no Temporal.`,
		Example: `  starter approve retailer --batch 2024-03 --reason "the new partner's customers are younger"
  starter approve retailer --batch 2024-03 --decision 9f2c41d07a55e6b1 --reason "agreed with marketing"
  starter approve retailer --release --role owner --key ~/.ssh/id_ed25519 --reason "better in all regions"
  starter approve retailer --proposal 12 --reason "agreed with risk"`,
	})
}

func newRejectCommand(e *env) *cobra.Command {
	return newReplyCommand(e, false, &cobra.Command{
		Use:   "reject PIPELINE (--batch BATCH | --release) --reason TEXT",
		Short: "Block a batch, or the candidate of a release, that waits for an answer",
		Long: `reject answers a batch that waits for a person: it is blocked and nothing is published.
With --release it rejects the candidate of the release that is under way, for ever.
The answer, who gave it and why are in the registry for good. --key signs an answer to a
release with an ssh key, for pipelines that want answers signed.

It prints first what is asked. The answer is to that, and refused if another question has
come up since; --decision says which question was looked at, as score --wait, status
or the run's page in the Temporal Web UI showed it.`,
		Example: `  starter reject retailer --batch 2024-03 --reason "the supplier sends the ages again"
  starter reject retailer --release --reason "it knows the partner's customers too well"`,
	})
}

// newReplyCommand adds what approve and reject have in common.
func newReplyCommand(e *env, approve bool, c *cobra.Command) *cobra.Command {
	r := reply{Answer: workflows.Answer{Approve: approve}}
	p := carry{}
	c.Args = arguments(cobra.ExactArgs(1))
	c.RunE = func(c *cobra.Command, args []string) error {
		r.pipeline = args[0]
		if p.proposal > 0 {
			return p.out(c.Context(), e, args[0], r)
		}
		if (r.batch == "") != r.release || strings.TrimSpace(r.Reason) == "" {
			return usageError{fmt.Errorf("%s needs --batch or --release, and --reason; see %s --help", c.Name(), c.CommandPath())}
		}
		temporalClient, err := dial(c.Context())
		if err != nil {
			return err
		}
		defer temporalClient.Close()
		if r.release {
			return r.sendRelease(c.Context(), e, temporalClient)
		}
		return r.send(c.Context(), e, temporalClient)
	}
	f := c.Flags()
	f.BoolVar(&r.release, "release", false, "answer the release that asks")
	f.StringVar(&r.role, "role", "", "with --release: `role` in which you answer")
	f.StringVar(&r.key, "key", "", "with --release: ssh key `file` to sign the answer with, by ssh-keygen")
	f.StringVar(&r.queue, "task-queue", workflows.TaskQueue, "with --release: `queue` of the workers")
	f.StringVar(&r.batch, "batch", "", "`batch` that asks")
	if approve {
		f.Int64Var(&p.proposal, "proposal", 0, "`number` of the registry's entry that proposes other files")
		storeFlag(c, &p.url)
	}
	f.StringVar(&r.Reason, "reason", "", "`text` that says why, for the audit trail")
	f.StringVar(&r.By, "by", who(e), "`name` of who answers, for the audit trail")
	f.StringVar(&r.Decision, "decision", "", "first digits of the `digest` that was looked at (default what is printed)")
	return c
}

// send prints what is asked, answers, and prints what came of it.
func (r *reply) send(ctx context.Context, e *env, c client.Client) error {
	id := workflows.ScoreID(r.pipeline, r.batch)
	card, err := scorecard(ctx, c, id, "")
	if err != nil {
		return r.unanswered(err)
	}
	if card.Until == "" {
		return fmt.Errorf("%s %s asks nothing: its stage is %s%s", r.pipeline, r.batch, card.Stage, verdictOf(card))
	}
	printAsked(e.stdout, card)
	if r.Decision == "" {
		r.Decision = card.Decision
	}
	var verdict papers.Verdict
	if err := sendUpdate(ctx, c, id, workflows.UpdateAnswer, r.Answer, &verdict); err != nil {
		return r.unanswered(err)
	}
	if verdict == papers.Pass {
		fmt.Fprintf(e.stdout, "approved by %s: it is being published; see starter status %s\n", r.By, r.pipeline)
		return nil
	}
	fmt.Fprintf(e.stdout, "rejected by %s: the batch is blocked, nothing was published\n", r.By)
	return nil
}

// verdictOf says what came of a batch that has ended.
func verdictOf(card workflows.Scorecard) string {
	if card.Verdict == "" {
		return ""
	}
	answered := ""
	if card.Answered != "" {
		answered = ", answered by " + card.Answered
	}
	return fmt.Sprintf(", its verdict %s%s", card.Verdict, answered)
}

// unanswered says in a sentence why an answer did not get through.
func (r *reply) unanswered(err error) error {
	who := r.pipeline + " " + r.batch
	return unheard(err, who, fmt.Sprintf("%s is not being scored, so it asks nothing; see starter status %s", who, r.pipeline))
}

// scorecard asks a workflow how far it is.
func scorecard(ctx context.Context, c client.Client, id, run string) (workflows.Scorecard, error) {
	var card workflows.Scorecard
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	value, err := c.QueryWorkflow(ctx, id, run, "scorecard")
	if err != nil {
		return card, errors.Join(err, ctx.Err())
	}
	return card, value.Get(&card)
}

// printQuestion prints what a batch asks, and how to answer.
func printQuestion(out io.Writer, card workflows.Scorecard) {
	printAsked(out, card)
	fmt.Fprintf(out, "  answer: starter approve %[1]s --batch %[2]s --reason TEXT, or starter reject %[1]s --batch %[2]s --reason TEXT\n", card.Pipeline, card.Batch)
}

// printAsked prints what a batch asks.
func printAsked(out io.Writer, card workflows.Scorecard) {
	fmt.Fprintf(out, "%s %s asks, until %s (decision %s):\n", card.Pipeline, card.Batch, card.Until, card.Decision)
	for _, why := range card.Asks {
		fmt.Fprintf(out, "  %s\n", why)
	}
}
