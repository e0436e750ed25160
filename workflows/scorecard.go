package workflows

import (
	"fmt"
	"slices"
	"strings"

	"headgate/activities"
	"headgate/internal/figure"
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

	Failing []Failing `json:"failing,omitempty"` // what has failed and waits
	Skipped []string  `json:"skipped,omitempty"` // shards that a person left out
	Window  string    `json:"window,omitempty"`  // workflow that scores or assembles shards for this one now
}

// Markdown returns the scorecard as a heading, a table, and the reasons.
func (c Scorecard) Markdown() string {
	var b strings.Builder
	b.WriteString(fmt.Sprintf("### %s %s: %s\n\n", c.Pipeline, c.Batch, c.headline()))
	c.question(&b)
	failing(&b, c.Failing)
	b.WriteString(fmt.Sprintf("| Stage | %s |\n|---|---|\n", c.Stage))
	row := func(name, value string) {
		if value != "" {
			b.WriteString(fmt.Sprintf("| %s | %s |\n", name, value))
		}
	}
	c.input(row)
	row("Who acts", c.acts())
	c.world(row)
	row("Published", c.published())
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
		rules = append(rules, fmt.Sprintf("`%s`: %s rows", code(r.Rule), figure.Count(r.Rows)))
	}
	c.drifted(&b)
	list(&b, "Why", texts(c.Reasons))
	list(&b, "Left out", texts(c.Skipped))
	list(&b, "In quarantine by rule", rules)
	list(&b, "Warnings", texts(c.Warnings))
	list(&b, "Not judged", texts(c.Notes))
	c.commands(&b)
	return b.String()
}

// windowed says what the window does.
func (c Scorecard) windowed() string {
	if c.Stage == "ScoreShards" {
		return "Scored by"
	}
	return "Assembled by"
}

// input says what was read, and how much of it went to quarantine.
func (c Scorecard) input(row func(name, value string)) {
	if c.Run == "" {
		return
	}
	row("Input", fmt.Sprintf("%s in %s, %s", figure.Things(c.Rows, "row"), figure.Things(c.Files, "file"), figure.Bytes(c.Bytes)))
	row("Shards", fmt.Sprintf("%d of %d done, %s rows read", c.ShardsDone, c.Shards, figure.Count(c.RowsDone)))
	if c.Window != "" {
		row(c.windowed(), "`"+c.Window+"`")
	}
	quarantine := figure.Things(c.Quarantined, "row")
	if c.Budget > 0 {
		quarantine += fmt.Sprintf(" of %s allowed (%s of the budget)", figure.Count(c.Budget), figure.Percent(float64(c.Quarantined-c.Replaced)/float64(c.Budget)))
	}
	if c.Replaced > 0 {
		quarantine += ", of which " + figure.Count(c.Replaced) + " were corrected and count no more"
	}
	row("Quarantine", quarantine)
}

// published says what was published; nothing before that.
func (c Scorecard) published() string {
	if c.Publication == 0 {
		return ""
	}
	published := fmt.Sprintf("%s rows as publication %d, table version %d", figure.Count(c.Published), c.Publication, c.TableVersion)
	if c.Fallback > 0 {
		published += fmt.Sprintf(" (%s with a fallback score)", figure.Count(c.Fallback))
	}
	if c.Unchanged {
		published += " (the same bytes as before: no new commit)"
	}
	return published
}

// world says how the batch compares with others.
func (c Scorecard) world(row func(name, value string)) {
	if k := c.Keys; k != nil && k.Before != "" {
		row("Customers", fmt.Sprintf("%s delivered, %s new and %s gone since %s, %s without a score",
			figure.Count(k.Delivered), figure.Count(k.New), figure.Count(k.Vanished), k.Before, figure.Count(k.Unscored)))
	}
	if d := c.Drift; d != nil {
		what := d.Level
		if len(d.Columns) > 0 {
			what = fmt.Sprintf("**%s**: %s", d.Level, plain(strings.Join(d.Columns[:min(8, len(d.Columns))], ", ")))
			if more := len(d.Columns) - 8; more > 0 {
				what += fmt.Sprintf(" and %d more", more)
			}
		}
		row("Drift", fmt.Sprintf("%s (against %s)", what, d.Reference))
	}
	if c.Answered != "" {
		row("Answered", plain(c.Answered))
	}
}

// models says what the challengers said, and whose scores are published.
func (c Scorecard) models(row func(name, value string)) {
	for _, m := range c.Compared {
		what := fmt.Sprintf("`%s`: ", papers.Short(m.Model))
		if m.Failed != "" {
			row("Challenger", what+"**failed**: "+plain(m.Failed))
			continue
		}
		what += figure.Things(m.Rows, "row") + " compared"
		for _, x := range []struct {
			name  string
			value *float64
		}{{"PSI", m.PSI}, {"mean change", m.Shift}, {"decisions that change", m.Flips}, {"PSI since the shadow", m.Moved}} {
			if x.value != nil {
				what += ", " + x.name + " " + figure.Number(*x.value)
			}
		}
		row("Challenger", what)
	}
	for _, a := range c.Advance {
		row("Gate", fmt.Sprintf("`%s`: **%s**", papers.Short(a.Model), a.Verdict))
	}
	var serves []string
	for _, m := range c.Serves {
		serves = append(serves, fmt.Sprintf("`%s` %s rows", papers.Short(m.Model), figure.Count(m.Rows)))
	}
	if len(serves) > 0 {
		row("Serves", strings.Join(serves, ", "))
	}
	if c.Taken != "" {
		row("Champion alone", plain(c.Taken))
	}
}

// asks reports whether a person is asked whether the batch may be published.
func (c Scorecard) asks() bool { return c.Until != "" && c.Verdict == string(papers.Ask) }

// acts says who must do something so that the batch goes on.
func (c Scorecard) acts() string {
	asked := slices.ContainsFunc(c.Failing, func(f Failing) bool { return f.Asks })
	switch {
	case c.asks():
		return "anybody: answer until " + c.Until
	case asked:
		return "anybody: skip the shard or have it tried again"
	case len(c.Failing) > 0:
		return "nobody has to: it is tried again by itself"
	case c.Verdict == "" && c.Run != "":
		return "nobody: it goes on by itself"
	}
	return ""
}

// question says what is asked and how to answer.
func (c Scorecard) question(b *strings.Builder) {
	if !c.asks() {
		return
	}
	b.WriteString("**Asks**: may it be published as it is?\n\n")
	for _, why := range c.Asks {
		b.WriteString(fmt.Sprintf("- %s\n", plain(why)))
	}
	b.WriteString("\n**Anybody may answer.** ")
	paste(b, fmt.Sprintf("the name `%s`", UpdateAnswer),
		fmt.Sprintf("{\"approve\": true, \"by\": \"your name\", \"reason\": \"why\",\n     \"decision\": \"%s\"}", c.Decision))
	b.WriteString(fmt.Sprintf("(`false` blocks it: nothing is published), or run `starter approve %[1]s --batch %[2]s --reason …`, or `starter reject %[1]s --batch %[2]s --reason …`. If nobody has answered by %[3]s, the batch is blocked.\n\n", c.Pipeline, c.Batch, c.Until))
}

// drifted has a line for each of the columns that moved most.
func (c Scorecard) drifted(b *strings.Builder) {
	if c.Drift == nil || len(c.Drift.Worst) == 0 {
		return
	}
	b.WriteString("\n| Drifted most | Effect | Why |\n|---|---|---|\n")
	for _, m := range c.Drift.Worst {
		b.WriteString(fmt.Sprintf("| `%s` | %s | %s |\n", code(m.Column), figure.Number(m.Effect), plain(m.Reason)))
	}
}

// commands says where there is more to see.
func (c Scorecard) commands(b *strings.Builder) {
	var more []string
	if c.Quarantined > 0 {
		more = append(more, fmt.Sprintf("`starter quarantine show %s --batch %s`", c.Pipeline, c.Batch))
	}
	switch c.Verdict {
	case string(papers.Pass):
		more = append(more, fmt.Sprintf("`starter why %s %s KEY`", c.Pipeline, c.Batch), fmt.Sprintf("`starter verify %s --batch %s`", c.Pipeline, c.Batch))
	case string(papers.Block), "failed", "cancelled":
		more = append(more, fmt.Sprintf("once the data is right: `starter score %s --batch %s`", c.Pipeline, c.Batch))
	}
	list(b, "More", more)
}

// headline is the answer in a word or two.
func (c Scorecard) headline() string {
	switch c.Verdict {
	case "":
		if slices.ContainsFunc(c.Failing, func(f Failing) bool { return f.Asks }) {
			return "**waits for a person**"
		}
		if len(c.Failing) > 0 {
			return "running, **and something fails**"
		}
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
