package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"headgate/activities"
	"headgate/internal/release"
	papers "headgate/internal/run"
	"headgate/internal/store"
	"headgate/workflows"
)

func newReleaseCommand(e *env) *cobra.Command {
	c := &cobra.Command{
		Use:   "release",
		Short: "Bring a model version into production step by step, or see how far it is",
		Long: `release is about how a model version becomes the champion: in shadow on batches whose
labels are known, then for a share of the customers, then for all, each step behind a
gate, and behind a person where the pipeline file says so. approve, reject, hold, resume
and rollback are commands of their own.`,
		Example: `  starter release plan retailer
  starter release start retailer --model 9f2c41d0 --reason "learned after the price change"
  starter release status retailer`,
		Args:                       knownCommand,
		RunE:                       func(c *cobra.Command, _ []string) error { return c.Help() },
		SuggestionsMinimumDistance: 2,
	}
	c.AddCommand(newReleasePlanCommand(e), newReleaseStartCommand(e), newReleaseStatusCommand(e))
	return c
}

func newReleaseStatusCommand(e *env) *cobra.Command {
	var url string
	c := &cobra.Command{
		Use:   "status PIPELINE",
		Short: "Show how far a release is and what it waits for",
		Long: `status shows the champion, the candidates, who scores whom, what the release waits
for, and what has happened. It reads the store only.`,
		Example: "  starter release status retailer",
		Args:    arguments(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			return withReleases(c.Context(), e, url, args[0], func(b *store.Bucket, r *activities.Releases) error {
				next := release.Next(r.State, r.Settings, time.Now().UTC())
				printRelease(e.stdout, args[0], r.Facts(next), next)
				fmt.Fprintf(e.stdout, "registry   %s\n", r.Log.Anchor())
				return nil
			})
		},
	}
	storeFlag(c, &url)
	return c
}

// withReleases reads the releases of a pipeline.
func withReleases(ctx context.Context, e *env, url, pipeline string, do func(*store.Bucket, *activities.Releases) error) error {
	b, _, err := openRegistry(ctx, e, url, pipeline)
	if err != nil {
		return err
	}
	defer b.Close()
	r, err := activities.OpenReleases(ctx, b, pipeline)
	if err != nil {
		return plain(err)
	}
	return do(b, r)
}

// printRelease prints how the releases of a pipeline stand.
func printRelease(w io.Writer, pipeline string, f activities.ReleaseFacts, next release.Action) {
	fmt.Fprintf(w, "pipeline   %s\nchampion   %s\n", pipeline, papers.Short(f.Champion))
	if f.Release == "" {
		fmt.Fprintln(w, "release    none yet")
	} else {
		fmt.Fprintf(w, "release    %s%s\n", f.Release, ended(f.Outcome))
	}
	for _, m := range f.Candidates {
		fmt.Fprintf(w, "candidate  %s, %s\n", papers.Short(store.Digest(m.Model)), m.Stands)
	}
	for _, arm := range f.Arms {
		fmt.Fprintf(w, "scores     %s of the entities by %s\n", release.StepName(arm.Share), papers.Short(store.Digest(arm.Model)))
	}
	for _, m := range f.Shadow {
		fmt.Fprintf(w, "shadow     %s\n", papers.Short(store.Digest(m)))
	}
	if f.Held != "" {
		fmt.Fprintf(w, "held       %s\n", f.Held)
	}
	printNext(w, pipeline, next)
	for _, name := range f.Queue {
		fmt.Fprintf(w, "queue      %s\n", name)
	}
	for _, t := range f.Trail {
		fmt.Fprintf(w, "%-10d %s  %s\n", t.Seq, t.At.UTC().Format(time.DateTime), t.Text)
	}
}

// printNext prints what comes next.
func printNext(w io.Writer, pipeline string, next release.Action) {
	switch next.Kind {
	case release.DoAsk:
		fmt.Fprintf(w, "asks       may %s enter step %s? %s\n", papers.Short(store.Digest(next.Model)), next.Step, next.Reason)
		fmt.Fprintf(w, "           %d of %d have said yes; decision %s, nonce %s%s\n", len(next.Approved), next.Need, papers.Short(store.Digest(next.Decision)), next.Nonce, until(next.Until))
		fmt.Fprintf(w, "           answer: starter approve %[1]s --release --reason TEXT, or starter reject %[1]s --release --reason TEXT\n", pipeline)
	case release.DoNothing:
		fmt.Fprintf(w, "waits for  %s\n", next.WaitsFor)
	default:
		fmt.Fprintf(w, "next       %s: %s\n", next.Kind, next.Reason)
	}
}

func ended(outcome string) string {
	if outcome == "" {
		return ""
	}
	return ", " + outcome
}

func until(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return ", until " + t.UTC().Format(time.RFC3339)
}

func newReleasePlanCommand(e *env) *cobra.Command {
	var url, learned string
	c := &cobra.Command{
		Use:   "plan PIPELINE",
		Short: "Print the steps of a release and their earliest dates",
		Long: `plan prints the steps that the pipeline file gives a release, what each waits for, and
when each can begin and end at the earliest for a candidate that asks now: if every
verdict is a pass at the first look, every approval comes at once, and every batch and
its labels are there when they are due. It reads the store only.`,
		Example: "  starter release plan retailer --learned 2024-06",
		Args:    arguments(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			return withReleases(c.Context(), e, url, args[0], func(b *store.Bucket, r *activities.Releases) error {
				return printPlan(c.Context(), e.stdout, b, r, learned, time.Now().UTC())
			})
		},
	}
	storeFlag(c, &url)
	c.Flags().StringVar(&learned, "learned", "", "last `batch` that the candidate has learned from (default: none that there is counts as evidence)")
	return c
}

// printPlan prints the steps of a release and when each can begin and end.
func printPlan(ctx context.Context, out io.Writer, b *store.Bucket, r *activities.Releases, learned string, now time.Time) error {
	steps, err := release.Plan(r.Settings)
	if err != nil {
		return err
	}
	calendar, err := r.Calendar(ctx, b)
	if err != nil {
		return plain(err)
	}
	dates := release.Dates(steps, calendar, learned, now)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "STEP\tSERVES\tBATCHES\tBEGINS\tENDS\tASKS")
	for i, s := range steps {
		batches, begins, ends, asks := fmt.Sprint(s.Batches), "–", "–", "no"
		if i < len(dates) {
			batches, begins, ends = strings.Join(dates[i].Batches, " "), day(dates[i].Begin), day(dates[i].End)
		}
		if s.Approve {
			asks = "a person"
		}
		if s.Batches == 0 {
			batches = "–"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", s.Name, release.StepName(s.Share), batches, begins, ends, asks)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	switch {
	case len(calendar) == 0:
		fmt.Fprintln(out, "no batch was scored yet, so nobody can tell the dates")
	case len(dates) < len(steps):
		fmt.Fprintln(out, "steps without a date wait for batches that cannot be told from the names of those before")
	}
	return nil
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }

func newReleaseStartCommand(e *env) *cobra.Command {
	var in workflows.ReleaseStart
	var queue string
	c := &cobra.Command{
		Use:   "start PIPELINE --model DIGEST --reason TEXT",
		Short: "Ask for the release of a registered model version",
		Long: `start makes a registered model version a candidate: it goes through the steps of the
pipeline file, and becomes the champion only if every gate and every person lets it.
Evidence are batches later than --batch; without it, those that are scored from now on.`,
		Example: `  starter release start retailer --model 9f2c41d0 --batch 2024-06 --reason "learned after the price change"`,
		Args:    arguments(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			if in.Model == "" || strings.TrimSpace(in.Reason) == "" {
				return usageError{errors.New("start needs --model and --reason; see starter release start --help")}
			}
			var out activities.AddCandidateOutput
			if err := tellRelease(c.Context(), e, queue, args[0], workflows.UpdateStart, in, &out); err != nil {
				return err
			}
			fmt.Fprintf(e.stdout, "%s is a candidate: release %s\nwatch it: starter release status %s\nregistry %s\n", papers.Short(out.Model), out.Release, args[0], out.Anchor)
			return nil
		},
	}
	c.Flags().StringVar(&in.Model, "model", "", "`digest` of the model version, or its first digits")
	c.Flags().StringVar(&in.Batch, "batch", "", "last `batch` that it has learned from or was calibrated on")
	orderFlags(c, e, &in.By, &in.Reason, &queue)
	return c
}

// orderFlags adds what all orders that workers carry out have.
func orderFlags(c *cobra.Command, e *env, by, reason, queue *string) {
	c.Flags().StringVar(reason, "reason", "", "`text` that says why, for the audit trail")
	c.Flags().StringVar(by, "by", who(e), "`name` of who asks, for the audit trail")
	c.Flags().StringVar(queue, "task-queue", workflows.TaskQueue, "`queue` of the workers")
}
