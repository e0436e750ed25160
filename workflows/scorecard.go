package workflows

import (
	"fmt"
	"strconv"
	"strings"

	"headgate/activities"
	papers "headgate/internal/run"
	"headgate/internal/store"
)

// A Scorecard is what a person wants to know of a batch while it runs and after.
// The run's page in the Temporal Web UI shows it as Markdown; the query "scorecard"
// returns it as JSON.
type Scorecard struct {
	Pipeline     string                 `json:"pipeline"`
	Batch        string                 `json:"batch"`
	Stage        string                 `json:"stage"`
	Verdict      string                 `json:"verdict,omitempty"`
	Reasons      []string               `json:"reasons,omitempty"`
	Warnings     []string               `json:"warnings,omitempty"`
	Model        string                 `json:"model,omitempty"`
	Run          string                 `json:"run,omitempty"`
	Files        int                    `json:"files"`
	Bytes        int64                  `json:"bytes"`
	Rows         int64                  `json:"rows"`
	RowsDone     int64                  `json:"rows_done"`
	Shards       int                    `json:"shards"`
	ShardsDone   int                    `json:"shards_done"`
	Quarantined  int64                  `json:"quarantined"`
	Budget       int64                  `json:"budget"`
	Rules        []activities.RuleCount `json:"rules,omitempty"` // rows in quarantine by rule
	Published    int64                  `json:"published"`
	Publication  int64                  `json:"publication"`
	TableVersion int64                  `json:"table_version"`
	Unchanged    bool                   `json:"unchanged"`
	Anchor       string                 `json:"anchor,omitempty"`

	Replaced int64         `json:"replaced,omitempty"`
	Keys     *papers.Keys  `json:"keys,omitempty"`
	Drift    *papers.Drift `json:"drift,omitempty"`
	Fallback int64         `json:"fallback,omitempty"`
	Notes    []string      `json:"notes,omitempty"`

	Asks     []string `json:"asks,omitempty"`     // why a person decides
	Decision string   `json:"decision,omitempty"` // first digits of the verdict that asks
	Until    string   `json:"until,omitempty"`    // when the time for an answer is up
	Answered string   `json:"answered,omitempty"`

	Compared []activities.ComparedModel `json:"compared,omitempty"` // models that scored beside the champion
	Advance  []activities.Advance       `json:"advance,omitempty"`
	Serves   []papers.ModelRows         `json:"serves,omitempty"` // published rows by model
	Taken    string                     `json:"taken,omitempty"`  // why the champion serves all rows after all
}

// Markdown returns the scorecard as a heading, a table, and the reasons.
func (c Scorecard) Markdown() string {
	var b strings.Builder
	b.WriteString(fmt.Sprintf("### %s %s: %s\n\n| Stage | %s |\n|---|---|\n", c.Pipeline, c.Batch, c.headline(), c.Stage))
	row := func(name, value string) {
		b.WriteString(fmt.Sprintf("| %s | %s |\n", name, value))
	}
	if c.Run != "" {
		row("Input", fmt.Sprintf("%s rows in %s, %s", thousands(c.Rows), count(c.Files, "file"), bytes(c.Bytes)))
		row("Shards", fmt.Sprintf("%d of %d done, %s rows read", c.ShardsDone, c.Shards, thousands(c.RowsDone)))
		quarantine := thousands(c.Quarantined) + " rows"
		if c.Budget > 0 {
			quarantine += " of " + thousands(c.Budget) + " allowed"
		}
		if c.Replaced > 0 {
			quarantine += ", of which " + thousands(c.Replaced) + " were corrected and count no more"
		}
		row("Quarantine", quarantine)
	}
	c.world(row)
	if c.Publication > 0 {
		published := fmt.Sprintf("%s rows as publication %d, table version %d", thousands(c.Published), c.Publication, c.TableVersion)
		if c.Fallback > 0 {
			published += fmt.Sprintf(" (%s with a fallback score)", thousands(c.Fallback))
		}
		if c.Unchanged {
			published += " (the same bytes as before: no new commit)"
		}
		row("Published", published)
	}
	c.models(row)
	if c.Model != "" {
		row("Champion", "`"+c.Model+"`")
		row("Run", "`"+c.Run+"`")
	}
	if c.Anchor != "" {
		seq, hash, _ := strings.Cut(c.Anchor, ":")
		row("Registry", "entry "+seq+", `"+papers.Short(store.Digest(hash))+"`")
	}
	var rules []string
	for _, r := range c.Rules {
		rules = append(rules, fmt.Sprintf("`%s`: %s rows", r.Rule, thousands(r.Rows)))
	}
	c.question(&b)
	list(&b, "Why", c.Reasons)
	list(&b, "In quarantine by rule", rules)
	list(&b, "Warnings", c.Warnings)
	list(&b, "Not judged", c.Notes)
	return b.String()
}

// world says how the batch compares with others.
func (c Scorecard) world(row func(name, value string)) {
	if k := c.Keys; k != nil && k.Before != "" {
		row("Customers", fmt.Sprintf("%s delivered, %s new and %s gone since %s, %s without a score",
			thousands(k.Delivered), thousands(k.New), thousands(k.Vanished), k.Before, thousands(k.Unscored)))
	}
	if d := c.Drift; d != nil {
		what := d.Level
		if len(d.Columns) > 0 {
			what = fmt.Sprintf("**%s**: %s", d.Level, strings.Join(d.Columns[:min(8, len(d.Columns))], ", "))
		}
		row("Drift", fmt.Sprintf("%s (against %s)", what, d.Reference))
	}
	if c.Answered != "" {
		row("Answered", cell(c.Answered))
	}
}

// models says what the challengers said, and whose scores are published.
func (c Scorecard) models(row func(name, value string)) {
	for _, m := range c.Compared {
		what := fmt.Sprintf("`%s`: ", papers.Short(m.Model))
		if m.Failed != "" {
			row("Challenger", what+"**failed**: "+cell(m.Failed))
			continue
		}
		what += thousands(m.Rows) + " rows compared"
		for _, x := range []struct {
			name  string
			value *float64
		}{{"PSI", m.PSI}, {"mean change", m.Shift}, {"decisions that change", m.Flips}, {"PSI since the shadow", m.Moved}} {
			if x.value != nil {
				what += fmt.Sprintf(", %s %.3g", x.name, *x.value)
			}
		}
		row("Challenger", what)
	}
	for _, a := range c.Advance {
		row("Gate", fmt.Sprintf("`%s`: **%s**", papers.Short(a.Model), a.Verdict))
	}
	var serves []string
	for _, m := range c.Serves {
		serves = append(serves, fmt.Sprintf("`%s` %s rows", papers.Short(m.Model), thousands(m.Rows)))
	}
	if len(serves) > 0 {
		row("Serves", strings.Join(serves, ", "))
	}
	if c.Taken != "" {
		row("Champion alone", cell(c.Taken))
	}
}

// cell makes a text fit into a cell of a table: it must not end it.
func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ").Replace(text)
}

// question says what is asked and how to answer.
func (c Scorecard) question(b *strings.Builder) {
	if c.Until == "" {
		return
	}
	list(b, "Asks", c.Asks)
	b.WriteString(fmt.Sprintf("\nUntil %s somebody may answer: press *Update* above, choose `%s` and paste\n\n", c.Until, UpdateAnswer))
	b.WriteString(fmt.Sprintf("    {\"approve\": true, \"by\": \"your name\", \"reason\": \"why\", \"decision\": \"%s\"}\n\n", c.Decision))
	b.WriteString(fmt.Sprintf("or run `starter approve %s --batch %s --reason …`, or `starter reject …`. Then the batch is blocked.\n", c.Pipeline, c.Batch))
}

// headline is the answer in a word or two.
func (c Scorecard) headline() string {
	switch c.Verdict {
	case "":
		return "running"
	case "pass":
		return "published"
	case "block":
		return "**blocked**, nothing was published"
	case "ask":
		return "**waits for an answer**"
	}
	return "**" + c.Verdict + "**"
}

func list(b *strings.Builder, title string, items []string) {
	if len(items) == 0 {
		return
	}
	b.WriteString(fmt.Sprintf("\n**%s**\n\n", title))
	for _, item := range items {
		b.WriteString(fmt.Sprintf("- %s\n", item))
	}
}

// count writes a number of things: 1 file, 2 files.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// thousands writes n with thin groups of three digits: 1 234 567.
func thousands(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "\u202f" + s[i:]
	}
	return s
}

// bytes writes a size in the largest unit below it.
func bytes(n int64) string {
	units := []string{"B", "kB", "MB", "GB", "TB"}
	f := float64(n)
	i := 0
	for f >= 1000 && i < len(units)-1 {
		f /= 1000
		i++
	}
	if i == 0 {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.1f %s", f, units[i])
}
