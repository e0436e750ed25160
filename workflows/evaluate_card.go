package workflows

import (
	"fmt"
	"strings"
	"time"

	"headgate/activities"
	"headgate/internal/evaluate"
	"headgate/internal/evidence"
	"headgate/internal/figure"
	papers "headgate/internal/run"
)

// An EvaluationCard is what a person wants to know of a batch whose labels are waited
// for, and of what they said. The run's page in the Temporal Web UI shows it as Markdown;
// the query "scorecard" returns it as JSON.
type EvaluationCard struct {
	Pipeline string   `json:"pipeline"`
	Batch    string   `json:"batch"`
	Stage    string   `json:"stage"`
	Verdict  string   `json:"verdict,omitempty"`
	Reasons  []string `json:"reasons,omitempty"`
	Notes    []string `json:"notes,omitempty"`
	Model    string   `json:"model,omitempty"`
	Run      string   `json:"run,omitempty"`

	Due     string `json:"due,omitempty"`   // when labels are mature
	Until   string `json:"until,omitempty"` // when nobody waits any longer
	Next    string `json:"next,omitempty"`  // when they are looked for again
	Where   string `json:"where,omitempty"`
	Looks   int    `json:"looks,omitempty"`
	Files   int    `json:"files"`
	Rows    int64  `json:"rows"`             // of labels
	Marker  string `json:"marker,omitempty"` // "there", "missing", or empty if none is needed
	Problem string `json:"problem,omitempty"`

	Forecast   []evaluate.Measured `json:"forecast,omitempty"`   // without labels
	Distrusted string              `json:"distrusted,omitempty"` // the batch whose forecast was off

	Counts  *evidence.RowCount          `json:"counts,omitempty"`
	Known   *evaluate.Estimate          `json:"known,omitempty"`
	Models  []activities.EvaluatedModel `json:"models,omitempty"`
	Trusted *bool                       `json:"trusted,omitempty"` // whether labels have borne the forecast out
	Paper   string                      `json:"paper,omitempty"`
	Anchor  string                      `json:"anchor,omitempty"`

	Triggers []string `json:"triggers,omitempty"` // of a training
	NotYet   []string `json:"notYet,omitempty"`   // why it has to wait
}

// Estimated reports whether it is known what scores alone say; that may be nothing.
func (c *EvaluationCard) Estimated() bool {
	return c.Stage != "" && c.Stage != "ResolveLabels" && c.Stage != "Forecast"
}

func (c *EvaluationCard) resolved(r activities.ResolveLabelsOutput) {
	c.Due, c.Until, c.Where = r.Due.Format(time.RFC3339), r.Until.Format(time.RFC3339), r.Files
	c.Model, c.Run = papers.Short(r.Model), papers.Short(r.Run)
	if r.Marker != "" {
		c.Marker = "missing"
	}
}

func (c *EvaluationCard) found(f activities.FindLabelsOutput, looks int) {
	c.Looks, c.Files, c.Rows, c.Problem = looks, f.Files, f.Rows, f.Problem
	if f.Marker {
		c.Marker = "there"
	}
}

func (c *EvaluationCard) evaluated(out activities.EvaluateScoresOutput) {
	c.Verdict, c.Reasons, c.Notes, c.Run = out.Verdict, out.Reasons, out.Notes, papers.Short(out.Run)
	c.Counts, c.Known, c.Models, c.Paper, c.Anchor = &out.Rows, &out.Known, out.Models, papers.Short(out.Paper), out.Anchor
	if out.Forecast != nil {
		c.Trusted = &out.Trusted
	}
}

// Markdown returns the card as a heading, tables, and the reasons.
func (c EvaluationCard) Markdown() string {
	var b strings.Builder
	b.WriteString(fmt.Sprintf("### %s %s: %s\n\n| Stage | %s |\n|---|---|\n", c.Pipeline, c.Batch, c.headline(), c.Stage))
	row := func(name, format string, args ...any) {
		b.WriteString(fmt.Sprintf("| %s | %s |\n", name, fmt.Sprintf(format, args...)))
	}
	if c.Due != "" {
		row("Labels are due", "%s, and waited for until %s", c.Due, c.Until)
		row("Label files", "`%s`: %s, %s rows", code(c.Where), figure.Things(c.Files, "file"), figure.Count(c.Rows))
	}
	if c.Marker != "" {
		row("Marker of completeness", "%s", c.Marker)
	}
	if c.Next != "" {
		row("Looked for again", "%s", c.Next)
		row("Who acts", "whoever writes the labels; it looks by itself")
	}
	if n := c.Counts; n != nil {
		row("Rows", "%s judged of %s scored; %s without an outcome, %s treated", figure.Count(n.Judged), figure.Count(n.Scored), figure.Count(n.Missing), figure.Count(n.Treated))
		row("Outcome known", "%s", figure.Percent(c.Known.Value))
	}
	if c.Model != "" {
		row("Champion", "`%s`", c.Model)
		row("Run", "`%s`", c.Run)
	}
	if c.Paper != "" {
		row("Evaluation", "blob `%s`", c.Paper)
	}
	c.models(&b)
	c.forecast(&b)
	list(&b, "Why", texts(c.Reasons))
	list(&b, "Notes", texts(c.Notes))
	list(&b, "Speaks for a training", texts(c.Triggers))
	list(&b, "And against one now", texts(c.NotYet))
	if c.Problem != "" {
		list(&b, "Problem", []string{plain(c.Problem)})
	}
	if c.Next != "" {
		orders(&b, "Are the labels there", []order{{UpdateRetryNow, person, "looks for them at once"}})
		b.WriteString(fmt.Sprintf("\nOr run `starter retry %s --batch %s --labels --reason …`.\n", c.Pipeline, c.Batch))
	}
	return b.String()
}

// models has a line for each model.
func (c EvaluationCard) models(b *strings.Builder) {
	if len(c.Models) == 0 {
		return
	}
	b.WriteString("\n| Model | Rows | AUC | Log loss | Calibration slope |\n|---|---|---|---|---|\n")
	for _, m := range c.Models {
		auc := figure.Estimate(m.AUC)
		if m.Problem != "" {
			auc = plain(m.Problem)
		}
		b.WriteString(fmt.Sprintf("| %s `%s` | %s | %s | %s | %s |\n", m.Role, papers.Short(m.Model), figure.Count(m.Rows), auc, figure.Estimate(m.LogLoss), figure.Estimate(m.Slope)))
	}
}

// forecast says what scores alone expected.
func (c EvaluationCard) forecast(b *strings.Builder) {
	if len(c.Forecast) == 0 {
		return
	}
	var lines []string
	for _, m := range c.Forecast {
		lines = append(lines, fmt.Sprintf("%s %s", m.Metric, figure.Estimate(&m.Estimate)))
	}
	title := "Expected without labels, if the scores are calibrated"
	switch {
	case c.Trusted != nil && *c.Trusted:
		title += " (labels bear it out)"
	case c.Trusted != nil:
		title += " (labels say otherwise)"
	case c.Distrusted != "":
		title += fmt.Sprintf(" (not to be trusted: for %s it was off)", c.Distrusted)
	}
	list(b, title, lines)
}

// headline is the answer in a few words.
func (c EvaluationCard) headline() string {
	switch c.Verdict {
	case "":
		return "waits for labels"
	case "pass":
		return "evaluated"
	case "inconclusive":
		return "evaluated, **no evidence**"
	case "block":
		return "**labels refused**"
	case "none":
		return "**no labels came**"
	}
	return "**" + c.Verdict + "**"
}
