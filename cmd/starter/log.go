package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"headgate/internal/figure"
	"headgate/internal/registry"
	papers "headgate/internal/run"
)

func newLogCommand(e *env) *cobra.Command {
	var url string
	var asJSON bool
	c := &cobra.Command{
		Use:   "log PIPELINE",
		Short: "Print the audit trail",
		Long: `log prints every entry of the registry, oldest first, after checking that each one
continues the chain of hashes. --json prints one entry a line, as it is stored.`,
		Example: "  starter log retailer\n  starter log retailer --json | jq 'select(.kind==\"published\")'",
		Args:    arguments(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			b, log, err := openRegistry(c.Context(), e, url, args[0])
			if err != nil {
				return err
			}
			defer b.Close()
			return printLog(e, log, asJSON)
		},
	}
	storeFlag(c, &url)
	c.Flags().BoolVar(&asJSON, "json", false, "one JSON object a line")
	return c
}

func printLog(e *env, log *registry.Log, asJSON bool) error {
	if asJSON {
		enc := json.NewEncoder(e.stdout)
		enc.SetEscapeHTML(false)
		for _, entry := range log.Entries() {
			if err := enc.Encode(entry); err != nil {
				return err
			}
		}
		return nil
	}
	w := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "SEQ\tWHEN (UTC)\tWHAT\tBY\tDETAILS")
	for _, entry := range log.Entries() {
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\n", entry.Seq, entry.At.UTC().Format(time.DateTime), entry.Kind, entry.By, details(entry))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "\nanchor %s\n", log.Anchor())
	return nil
}

// details says in one line what an entry changed.
func details(entry registry.Entry) string {
	text := what(entry)
	if entry.Kind == registry.KindVerdict && entry.Reason != "" { // a person's answer, and what was asked
		return fmt.Sprintf("%s, %s; asked: %s", text, entry.Reason, strings.Join(entry.Reasons, "; "))
	}
	for _, r := range entry.Reasons {
		text += "; " + r
	}
	if entry.Reason != "" {
		text += " (" + entry.Reason + ")"
	}
	return text
}

// what says what an entry changed, without the reasons.
func what(entry registry.Entry) string {
	model, paper := papers.Short(entry.Model), papers.Short(entry.Paper)
	switch entry.Kind {
	case registry.KindPipeline:
		return filesOf(entry)
	case registry.KindProposal:
		return filesOf(entry) + " wait for a second person"
	case registry.KindRegister:
		return "model version " + model
	case registry.KindPromote:
		return fmt.Sprintf("%s is model version %s", entry.Alias, model)
	case registry.KindRejected:
		return fmt.Sprintf("model version %s may not serve", model)
	case registry.KindVerdict:
		return fmt.Sprintf("%s: %s", entry.Batch, entry.Verdict)
	case registry.KindPublished, registry.KindRestored:
		text := fmt.Sprintf("%s: publication %d by model %s, run %s, table version %d",
			entry.Batch, entry.Publication, model, papers.Short(entry.Run), *entry.TableVersion)
		if entry.Publication > 1 {
			text += fmt.Sprintf(", supersedes %d", entry.Publication-1)
		}
		if entry.Changed != nil {
			text += fmt.Sprintf(" and changes %s", figure.Things(*entry.Changed, "key"))
		}
		if entry.Restated {
			text += ", restated"
		}
		return text
	case registry.KindShadow:
		return fmt.Sprintf("%s: model version %s scored run %s in shadow, scores %s", entry.Batch, model, papers.Short(entry.Run), paper)
	case registry.KindEvaluated:
		return fmt.Sprintf("%s: labels %s held against run %s of model version %s, evaluation %s",
			entry.Batch, papers.Short(entry.Labels), papers.Short(entry.Run), model, paper)
	case registry.KindSkipped:
		return fmt.Sprintf("%s: a shard of run %s is left out, see %s", entry.Batch, papers.Short(entry.Run), paper)
	case registry.KindTraining:
		return fmt.Sprintf("%s is the last batch it learned from: %s, evidence %s", entry.Batch, entry.Verdict, paper)
	case registry.KindSchedule:
		if entry.Until != nil {
			return "no batch is expected any more"
		}
		return "batches are expected by calendar " + paper
	case registry.KindMissed:
		return fmt.Sprintf("%s: not published in time, due at %s", entry.Batch, entry.Slot.UTC().Format(time.DateTime))
	}
	return step(entry)
}

// step says what an entry of a release changed.
func step(entry registry.Entry) string {
	model, paper := papers.Short(entry.Model), papers.Short(entry.Paper)
	at := entry.Release
	if entry.Step != "" {
		at += ", step " + entry.Step
	}
	switch entry.Kind {
	case registry.KindCandidate:
		return fmt.Sprintf("%s: model version %s asks to be released", at, model)
	case registry.KindAdvance:
		return fmt.Sprintf("%s: %s for model version %s, decision %s", at, entry.Verdict, model, paper)
	case registry.KindApproval:
		return fmt.Sprintf("%s: %s, approval %s", at, entry.Answer, paper)
	case registry.KindRouting:
		return fmt.Sprintf("%s: routing %s", at, paper)
	case registry.KindControl:
		if at == "" {
			return entry.Control
		}
		return fmt.Sprintf("%s: %s", at, entry.Control)
	case registry.KindWaiver:
		return fmt.Sprintf("rule %s is let go until %s", entry.Rule, entry.Until.UTC().Format(time.DateTime))
	}
	return ""
}

// filesOf names the files that a pipeline entry or a proposal is about.
func filesOf(entry registry.Entry) string {
	text := fmt.Sprintf("pipeline file %s, contract %s", papers.Short(entry.Pipeline), papers.Short(entry.Contract))
	if entry.Output != "" {
		text += ", contract of the scores " + papers.Short(entry.Output)
	}
	if entry.LabelsContract != "" {
		text += ", contract of the labels " + papers.Short(entry.LabelsContract)
	}
	if entry.Paper != "" {
		text += ", change " + papers.Short(entry.Paper)
	}
	if entry.Proposal > 0 {
		text += fmt.Sprintf(", as proposal %d", entry.Proposal)
	}
	return text
}
