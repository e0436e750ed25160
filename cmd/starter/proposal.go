package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"headgate/internal/change"
	"headgate/internal/contract"
	"headgate/internal/registration"
)

// carry carries out a proposal.
type carry struct {
	url      string
	proposal int64
}

// out prints what the proposal changes and puts its files in force.
func (p *carry) out(ctx context.Context, e *env, pipeline string, r reply) error {
	if r.batch != "" || strings.TrimSpace(r.Reason) == "" {
		return usageError{errors.New("approve --proposal needs --reason, and takes no --batch; see starter approve --help")}
	}
	b, _, err := openRegistry(ctx, e, p.url, pipeline)
	if err != nil {
		return err
	}
	defer b.Close()
	out, err := registration.Approval{Pipeline: pipeline, Proposal: p.proposal, By: r.By, Reason: r.Reason,
		At: time.Now().UTC().Truncate(time.Millisecond)}.Do(ctx, b)
	if err != nil {
		return plain(err)
	}
	printChange(e, out.Change)
	fmt.Fprintf(e.stdout, "approved by %s: the files are in force\nregistry  %s\n", r.By, out.Anchor)
	return nil
}

// printChange prints the difference of each file, and of a contract whom it breaks.
func printChange(e *env, c *change.Change) {
	if c == nil {
		return
	}
	for _, f := range []*change.File{c.Pipeline, c.Contract, c.Output, c.Labels} {
		if f == nil {
			continue
		}
		fmt.Fprint(e.stdout, f.Text)
		for _, one := range f.Changes {
			fmt.Fprintf(e.stdout, "%s (%s)\n", one.What, breaks(one))
		}
		fmt.Fprintln(e.stdout)
	}
}

// breaks says whom a change of a contract breaks.
func breaks(c contract.Change) string {
	switch producer, consumer := c.Producer == contract.Breaking, c.Consumer == contract.Breaking; {
	case producer && consumer:
		return "breaks producers and consumers"
	case producer:
		return "breaks producers"
	case consumer:
		return "breaks consumers"
	}
	return "breaks nobody"
}

func newWaiveCommand(e *env) *cobra.Command {
	var url, until string
	var w registration.Waiver
	c := &cobra.Command{
		Use:   "waive PIPELINE --rule ID --until DATE --reason TEXT",
		Short: "Let a rule of the gates go, for a while and on the record",
		Long: `waive lets one rule of the pipeline's gates go until a day. Verdicts that are given
meanwhile name the waiver, and status and log show it for ever, with who gave it and why.

The id of a rule is in the verdict that it stopped. The waiver holds up to the beginning
of --until, in UTC. If the pipeline file in force names people under release.approve,
only they can give one.`,
		Example: `  starter waive retailer --rule slice/segment --until 2024-09-01 --reason "the app is new; agreed with risk"`,
		Args:    arguments(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			if strings.TrimSpace(w.Rule) == "" || until == "" || strings.TrimSpace(w.Reason) == "" {
				return usageError{errors.New("waive needs --rule, --until and --reason; see starter waive --help")}
			}
			end, err := time.Parse(time.DateOnly, until)
			if err != nil {
				return usageError{fmt.Errorf("--until %q is no day; write it as 2024-09-01", until)}
			}
			b, _, err := openRegistry(c.Context(), e, url, args[0])
			if err != nil {
				return err
			}
			defer b.Close()
			w.Pipeline, w.Until, w.At = args[0], end, time.Now().UTC().Truncate(time.Millisecond)
			entry, anchor, err := w.Do(c.Context(), b)
			if err != nil {
				return plain(err)
			}
			fmt.Fprintf(e.stdout, "waiver    entry %d: %s\nregistry  %s\n", entry.Seq, details(entry), anchor)
			return nil
		},
	}
	storeFlag(c, &url)
	c.Flags().StringVar(&w.Rule, "rule", "", "`id` of the rule")
	c.Flags().StringVar(&until, "until", "", "`day` on which it ends, as 2024-09-01")
	c.Flags().StringVar(&w.Reason, "reason", "", "`text` that says why, for the audit trail")
	c.Flags().StringVar(&w.By, "by", who(e), "`name` of who waives, for the audit trail")
	return c
}
