package workflows

import (
	"fmt"
	"slices"
	"strings"

	"go.temporal.io/sdk/workflow"

	"headgate/activities"
	"headgate/internal/trigger"
)

// A TrainingCard is what there is to see of a training.
type TrainingCard struct {
	Pipeline   string         `json:"pipeline"`
	Stage      string         `json:"stage"`
	Kind       trigger.Kind   `json:"kind,omitempty"`
	By         string         `json:"by"`
	Reason     string         `json:"reason"`
	Idle       []string       `json:"idle,omitempty"`
	Batches    []string       `json:"batches,omitempty"`
	Rows       int64          `json:"rows"` // with a label that is learned from
	Windows    []TrainingLine `json:"windows,omitempty"`
	Verdict    string         `json:"verdict,omitempty"`
	Reasons    []string       `json:"reasons,omitempty"`
	Notes      []string       `json:"notes,omitempty"`
	Release    string         `json:"release,omitempty"`
	Candidates int            `json:"candidates"`
	Anchor     string         `json:"anchor,omitempty"`
}

// A TrainingLine is what came of one window.
type TrainingLine struct {
	Window  string `json:"window"`
	Rounds  int    `json:"rounds"`
	Measure string `json:"measure,omitempty"`
	Verdict string `json:"verdict"`
}

func (c *TrainingCard) resolved(p activities.ResolveTrainingOutput) {
	c.Kind, c.Idle, c.Batches, c.Notes = p.Kind, p.Idle, p.Batches, p.Notes
}

// window adds what came of a window.
func (c *TrainingCard) window(name string, rounds int, verdict string, reasons []string, measure string) {
	c.Windows = append(c.Windows, TrainingLine{Window: name, Rounds: rounds, Verdict: verdict, Measure: measure})
	c.Reasons = append(c.Reasons, reasons...)
}

// Markdown returns the card for the page of the run.
func (c *TrainingCard) Markdown() string {
	var b strings.Builder
	b.WriteString(fmt.Sprintf("# Training of %s\n\n", c.Pipeline))
	switch {
	case len(c.Idle) > 0:
		b.WriteString(fmt.Sprintf("**Nothing is trained:** %s\n", strings.Join(c.Idle, "; ")))
		return b.String()
	case c.Verdict != "":
		b.WriteString(fmt.Sprintf("**%s**", strings.ToUpper(c.Verdict)))
		if c.Release != "" {
			b.WriteString(fmt.Sprintf(": %s of release `%s`; nothing is promoted before later batches speak for it", count(c.Candidates, "candidate"), c.Release))
		}
		b.WriteString("\n\n")
	default:
		b.WriteString(fmt.Sprintf("Stage: %s\n\n", c.Stage))
	}
	b.WriteString(fmt.Sprintf("- Why: %s (%s, claimed)\n", c.Reason, c.By))
	if n := len(c.Batches); n > 0 {
		b.WriteString(fmt.Sprintf("- %s from %s to %s (%d): %s rows with a label\n", c.Kind, c.Batches[0], c.Batches[n-1], n, thousands(c.Rows)))
	}
	for _, note := range c.Notes {
		b.WriteString(fmt.Sprintf("- %s\n", note))
	}
	if len(c.Windows) > 0 {
		b.WriteString("\n| Window | Rounds | On entities it never saw | Verdict |\n|---|---|---|---|\n")
		for _, w := range c.Windows {
			b.WriteString(fmt.Sprintf("| %s | %d | %s | %s |\n", w.Window, w.Rounds, w.Measure, w.Verdict))
		}
	}
	if len(c.Reasons) > 0 {
		b.WriteString("\nWhy not:\n\n")
		for _, reason := range slices.Compact(slices.Clone(c.Reasons)) {
			b.WriteString(fmt.Sprintf("- %s\n", reason))
		}
	}
	if c.Anchor != "" {
		b.WriteString(fmt.Sprintf("\nRegistry `%s`\n", c.Anchor))
	}
	return b.String()
}

// show sets what the run's page and list entry say.
func (r *retraining) show(ctx workflow.Context, stage string) error {
	r.card.Stage = stage
	workflow.SetCurrentDetails(ctx, r.card.Markdown())
	if r.card.Verdict == "" {
		return workflow.UpsertTypedSearchAttributes(ctx, attrStage.ValueSet(stage))
	}
	return workflow.UpsertTypedSearchAttributes(ctx, attrStage.ValueSet(stage), attrVerdict.ValueSet(r.card.Verdict))
}
