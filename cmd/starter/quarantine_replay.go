package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"headgate/internal/figure"
	"headgate/internal/quarantine"
	"headgate/internal/store"
	"headgate/workflows"
)

// maxRefused is how many refused rows are printed one by one.
const maxRefused = 20

func newQuarantineReplayCommand(e *env) *cobra.Command {
	var r quarantine.Request
	var url, queue string
	var wait bool
	c := &cobra.Command{
		Use:   "replay PIPELINE --batch BATCH --data FIXED.parquet",
		Short: "Hand corrected rows in, and score the batch with them",
		Long: `replay checks corrected rows of a batch with the contract that kept them back, stores
them beside the run, and starts the batch again: what was delivered and the corrected
rows are scored and published together, as a new publication.

The file has the columns of the delivery. The easiest way to one is to correct what
quarantine show --out wrote: its columns headgate_… are left out, and restricted columns,
which it does not show, are taken from the delivery by headgate_file and headgate_row.
Numbers and dates in another type are converted, if every value stays what it is.

A row corrects the one in quarantine that has its key: the primary key, or else the
entity key. Rows that still break a rule, that the batch has already, or that are not in
quarantine are refused, with exit code 3, and then nothing is handed in. With --partial
the good rows are handed in all the same.

If the delivery, the contract, the pipeline file or the champion is another one since,
score the batch again first. Rows that are handed in and not scored, because Temporal
did not answer, are scored with the next starter score.`,
		Example: `  starter quarantine replay retailer --batch 2024-02 --data fixed.parquet --wait
  starter quarantine replay retailer --batch 2024-02 --data fixed.parquet --partial --reason "the supplier sent them again"`,
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			r.Pipeline, r.At = args[0], time.Now().UTC().Truncate(time.Millisecond)
			if r.Batch == "" || r.File == "" {
				return usageError{errors.New("replay needs --batch and --data; see starter quarantine replay --help")}
			}
			b, err := openStore(c.Context(), e, url)
			if err != nil {
				return err
			}
			defer b.Close()
			if err := handIn(c.Context(), e, b, r); err != nil {
				return err
			}
			temporalClient, err := dial(c.Context())
			if err != nil {
				return fmt.Errorf("%w; the rows are handed in, and starter score %s --batch %s scores them", err, r.Pipeline, r.Batch)
			}
			defer temporalClient.Close()
			return scoring{pipeline: r.Pipeline, batch: r.Batch, by: r.By, queue: queue, wait: wait}.run(c.Context(), e, temporalClient)
		},
	}
	f := c.Flags()
	storeFlag(c, &url)
	f.StringVar(&r.Batch, "batch", "", "`batch` that the rows are of")
	f.StringVar(&r.File, "data", "", "Parquet `file` with the corrected rows")
	f.BoolVar(&r.Partial, "partial", false, "hand in the good rows although others are refused")
	f.BoolVar(&wait, "wait", false, "show the progress and wait for the verdict")
	f.StringVar(&r.By, "by", who(e), "`name` of who hands them in, for the audit trail")
	f.StringVar(&r.Reason, "reason", "", "`text` that says why, kept beside the rows")
	f.StringVar(&queue, "task-queue", workflows.TaskQueue, "`queue` of the workers")
	return c
}

// handIn checks and stores the rows, and says what was done.
func handIn(ctx context.Context, e *env, b *store.Bucket, r quarantine.Request) error {
	if _, err := loadRegistry(ctx, b, r.Pipeline); err != nil {
		return err
	}
	out, err := quarantine.Replay(ctx, b, formats, r)
	var refused *quarantine.RefusedError
	if errors.As(err, &refused) {
		printRefused(e, refused.Refused)
		more := ""
		if int64(len(refused.Refused)) < refused.Rows {
			more = "; --partial hands the others in"
		}
		return blockedError{fmt.Errorf("%d of %d rows cannot be handed in, so none was%s", len(refused.Refused), refused.Rows, more)}
	}
	if err != nil {
		return plain(err)
	}
	printRefused(e, out.Refused)
	how := "handed in"
	if out.Already {
		how = "handed in before"
	}
	fmt.Fprintf(e.stdout, "%s %s: %s %s, %d refused\n", r.Pipeline, r.Batch, figure.Things(out.Rows, "corrected row"), how, len(out.Refused))
	if out.Skipped > 0 {
		fmt.Fprintf(e.stdout, "%s left out: marked as replaced, their correction is scored already\n", figure.Things(out.Skipped, "row"))
	}
	if len(out.Filled) > 0 {
		fmt.Fprintf(e.stdout, "from the delivery: %s\n", strings.Join(out.Filled, ", "))
	}
	fmt.Fprintf(e.stdout, "stored as %s\n", out.Key)
	return nil
}

// printRefused prints rows that are not handed in, without their values.
func printRefused(e *env, rows []quarantine.Refused) {
	for _, row := range rows[:min(maxRefused, len(rows))] {
		fmt.Fprintf(e.stdout, "refused row %d (from 0): %s\n", row.Row, strings.Join(row.Reasons, ", "))
	}
	if more := len(rows) - maxRefused; more > 0 {
		fmt.Fprintf(e.stdout, "and %s\n", figure.Things(more, "other"))
	}
}
