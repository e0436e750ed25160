package workflows

import (
	"fmt"
	"slices"
	"strings"

	"go.temporal.io/sdk/workflow"

	"headgate/activities"
	"headgate/internal/figure"
	papers "headgate/internal/run"
	"headgate/internal/store"
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
	Failing    []Failing      `json:"failing,omitempty"` // what has failed and waits
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

// Markdown returns the card as a heading, a table, the windows, and the reasons.
func (c *TrainingCard) Markdown() string {
	var b strings.Builder
	b.WriteString(fmt.Sprintf("### %s training: %s\n\n", c.Pipeline, c.headline()))
	failing(&b, c.Failing)
	b.WriteString(fmt.Sprintf("| Stage | %s |\n|---|---|\n", c.Stage))
	row := func(name, value string) {
		if value != "" {
			b.WriteString(fmt.Sprintf("| %s | %s |\n", name, value))
		}
	}
	row("Why", fmt.Sprintf("%s (%s, claimed)", plain(c.Reason), plain(c.By)))
	if n := len(c.Batches); n > 0 {
		row("Learns from", fmt.Sprintf("%s, %s to %s: %s rows with a label", figure.Things(n, "batch"), c.Batches[0], c.Batches[n-1], figure.Count(c.Rows)))
		row("Kind", string(c.Kind))
	}
	if c.Verdict == "" && len(c.Idle) == 0 {
		row("Who acts", "nobody: it goes on by itself")
	}
	if c.Release != "" {
		row("Candidates", fmt.Sprintf("%s of release `%s`; nothing is promoted before later batches speak for it", figure.Things(c.Candidates, "candidate"), code(c.Release)))
	}
	if seq, hash, ok := strings.Cut(c.Anchor, ":"); ok {
		row("Registry", "entry "+seq+", `"+papers.Short(store.Digest(hash))+"`")
	}
	c.windows(&b)
	list(&b, "Nothing is trained", texts(c.Idle))
	list(&b, "Why not", texts(slices.Compact(slices.Clone(c.Reasons))))
	list(&b, "Notes", texts(c.Notes))
	if c.Release != "" {
		list(&b, "More", []string{fmt.Sprintf("`starter release status %s`", c.Pipeline), fmt.Sprintf("the release: workflow `%s`", ReleaseID(c.Pipeline))})
	}
	return b.String()
}

// headline is the answer in a few words.
func (c *TrainingCard) headline() string {
	switch {
	case len(c.Idle) > 0:
		return "nothing is trained"
	case c.Verdict == string(papers.Pass):
		return "done"
	case c.Verdict == string(papers.Block):
		return "**blocked**, no candidate"
	case c.Verdict != "":
		return "**" + c.Verdict + "**"
	case len(c.Failing) > 0:
		return "running, **and something fails**"
	}
	return "running"
}

// windows has a line for each window.
func (c *TrainingCard) windows(b *strings.Builder) {
	if len(c.Windows) == 0 {
		return
	}
	b.WriteString("\n| Window | Rounds | On entities it never saw | Verdict |\n|---|---|---|---|\n")
	for _, w := range c.Windows {
		b.WriteString(fmt.Sprintf("| %s | %d | %s | %s |\n", plain(w.Window), w.Rounds, plain(w.Measure), w.Verdict))
	}
}

// patient lets the stages of a training that fail wait where a person can see and hurry
// them, see [batch.patient].
func (r *retraining) patient(ctx workflow.Context) workflow.Context {
	if r.plan.OnFail == "" {
		return ctx
	}
	r.trials.begin(r.plan.OnFail, 0, func(ctx workflow.Context) error { return r.show(ctx, r.card.Stage) })
	return patient(ctx, &r.trials)
}

// show sets what the run's page and list entry say.
func (r *retraining) show(ctx workflow.Context, stage string) error {
	r.card.Stage, r.card.Failing = stage, r.trials.cards()
	setDetails(ctx, r.card.Markdown())
	updates := append(r.waiting.updates(r.trials.waits()), attrStage.ValueSet(stage))
	if r.card.Verdict != "" {
		updates = append(updates, attrVerdict.ValueSet(r.card.Verdict))
	}
	return workflow.UpsertTypedSearchAttributes(ctx, updates...)
}
