package main

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"headgate/internal/alert"
	"headgate/workflows"
)

func newAlertCommand(e *env) *cobra.Command {
	c := &cobra.Command{
		Use:   "alert",
		Short: "Try receivers of alerts, and acknowledge open ones",
		Long: `alert shows who would be told of what, sends a sample to a receiver, lists the alerts that
are open, and says that you take care of one. What raises which alert, and what to do
about it, is in docs/alerts.md.`,
		Example: `  starter alert test pipeline.yaml --receiver team --dry-run
  starter alert test pipeline.yaml --receiver team
  starter alert list retailer
  starter alert ack retailer 7bc329e2150f9c15 --reason "I call the supplier"`,
		Args: knownCommand,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },

		SuggestionsMinimumDistance: 2,
	}
	c.AddCommand(newAlertTestCommand(e), newAlertListCommand(e), newAlertWordCommand(e, workflows.UpdateAcknowledge), newAlertWordCommand(e, workflows.UpdateResolve))
	return c
}

// An openAlert is one that runs.
type openAlert struct {
	id, run string
	workflows.AlertOutput
}

func newAlertListCommand(e *env) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "list [PIPELINE]",
		Short: "List the alerts that are open",
		Long: `list shows the alerts that are open, of one pipeline or of all, the longest first: what
happened, since when, who has acknowledged it, and whether receivers could be reached. It
asks the workflows, so a worker must run.`,
		Example: `  starter alert list
  starter alert list retailer --json`,
		Args: arguments(cobra.MaximumNArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			t, err := dial(c.Context())
			if err != nil {
				return err
			}
			defer t.Close()
			open, err := openAlerts(c.Context(), t, strings.Join(args, ""))
			if err != nil {
				return err
			}
			if asJSON {
				type listed struct {
					Fingerprint string `json:"fingerprint"` // as ack and resolve take it
					workflows.AlertOutput
				}
				all := []listed{}
				for _, o := range open {
					all = append(all, listed{o.Alert.Fingerprint(), o.AlertOutput})
				}
				return printJSON(e, all)
			}
			return printAlerts(e, open)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

// openAlerts asks the alerts that run, of one pipeline or of all if that is empty.
func openAlerts(ctx context.Context, t client.Client, pipeline string) ([]openAlert, error) {
	if strings.ContainsAny(pipeline, `'"\`) {
		return nil, usageError{fmt.Errorf("%q is no name of a pipeline", pipeline)}
	}
	query := workflows.OpenAlerts(pipeline).Query
	var open []openAlert
	var next []byte
	for {
		page, err := t.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{Query: query, NextPageToken: next})
		if err != nil {
			return nil, fmt.Errorf("list alerts: %w", err)
		}
		for _, info := range page.Executions {
			o := openAlert{id: info.Execution.WorkflowId, run: info.Execution.RunId}
			value, err := t.QueryWorkflow(ctx, o.id, o.run, "alert")
			if err == nil {
				err = value.Get(&o.AlertOutput)
			}
			if err != nil {
				return nil, fmt.Errorf("%s does not answer: is a worker running? %w", o.id, err)
			}
			open = append(open, o)
		}
		if next = page.NextPageToken; len(next) == 0 {
			return open, nil
		}
	}
}

func printAlerts(e *env, open []openAlert) error {
	if len(open) == 0 {
		fmt.Fprintln(e.stdout, "no alert is open")
		return nil
	}
	w := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "PIPELINE\tALERT\tSEVERITY\tSINCE\tFOUND\tSTANDS\tWHAT")
	for _, o := range open {
		a := o.Alert
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%s\t%s\n", a.Pipeline, a.Fingerprint(), a.Severity, o.Since.UTC().Format(time.DateTime), o.Count, stands(o.State), a.Title)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(e.stdout, "\nyou take care of one: starter alert ack PIPELINE ALERT --reason TEXT")
	return nil
}

// stands says how an alert stands, in a word or two.
func stands(s alert.State) string {
	if s.Resolved != nil {
		return "over"
	}
	if s.Acknowledged != nil {
		return s.Acknowledged.By
	}
	failed := 0
	for _, d := range s.Deliveries {
		if d.State == alert.Failed {
			failed++
		}
	}
	if failed > 0 {
		return fmt.Sprintf("open, %d of %d not reached", failed, len(s.Deliveries))
	}
	return "open"
}

// newAlertWordCommand makes ack or resolve.
func newAlertWordCommand(e *env, update string) *cobra.Command {
	var in workflows.Word
	name, reason, short, long := "ack", "I call the supplier", "Say that you take care of an alert", `ack says that you take care of an alert: nobody is reminded of it or told instead of you.
It stays open until its cause is gone. What merely has happened, a release that was
rolled back, is over when you have acknowledged it.`
	if update == workflows.UpdateResolve {
		name, reason, short, long = "resolve", "the supplier has gone", "Say that an alert is over", `resolve ends an alert whose cause is gone and of which no workflow finds that out. Most
alerts end by themselves: a blocked batch when it is published, a question when it is
answered.`
	}
	c := &cobra.Command{
		Use:     name + " PIPELINE ALERT --reason TEXT",
		Short:   short,
		Long:    long + "\n\nALERT is the alert's 16 digits, as receivers get them and starter alert list shows them.",
		Example: fmt.Sprintf("  starter alert %s retailer 7bc329e2150f9c15 --reason %q", name, reason),
		Args:    arguments(cobra.ExactArgs(2)),
		RunE: func(c *cobra.Command, args []string) error {
			if strings.TrimSpace(in.Reason) == "" {
				return usageError{fmt.Errorf("alert %s needs --reason; see starter alert %s --help", name, name)}
			}
			return sayOfAlert(c.Context(), e, update, args[0], args[1], in)
		},
	}
	c.Flags().StringVar(&in.Reason, "reason", "", "what you do about it, in a `sentence`")
	c.Flags().StringVar(&in.By, "by", who(e), "`name` of whoever says so")
	return c
}

// sayOfAlert sends an Update to an alert that is open.
func sayOfAlert(ctx context.Context, e *env, update, pipeline, fingerprint string, in workflows.Word) error {
	t, err := dial(ctx)
	if err != nil {
		return err
	}
	defer t.Close()
	id := workflows.AlertID(pipeline, fingerprint)
	var word alert.Word
	if err := sendUpdate(ctx, t, id, update, in, &word); err != nil {
		return unheard(err, id, fmt.Sprintf("pipeline %s has no open alert %s; see starter alert list %s", pipeline, fingerprint, pipeline))
	}
	fmt.Fprintf(e.stdout, "%s of alert %s by %s at %s\n", update, fingerprint, word.By, word.At.Format(time.RFC3339))
	return nil
}
