package workflows

import (
	"fmt"
	"strings"
	"time"

	"headgate/activities"
	rollout "headgate/internal/release"
	papers "headgate/internal/run"
	"headgate/internal/store"
)

// A ReleaseCard is what a person wants to know of a pipeline's releases. The run's page
// in the Temporal Web UI shows it as Markdown; the query "scorecard" returns it as JSON.
type ReleaseCard struct {
	Pipeline string `json:"pipeline"`
	Stage    string `json:"stage"`
	activities.ReleaseFacts
	Next    rollout.Action `json:"next"`
	Trouble string         `json:"trouble,omitempty"` // why it does not go on, or ended
	Anchor  string         `json:"anchor,omitempty"`
}

// Markdown returns the card as a heading, a table, the question if there is one, and
// what has happened.
func (c ReleaseCard) Markdown() string {
	var b strings.Builder
	name := c.Pipeline
	if c.Release != "" {
		name += " release " + c.Release
	}
	b.WriteString(fmt.Sprintf("### %s: %s\n\n| Stage | %s |\n|---|---|\n", name, c.headline(), c.Stage))
	row := func(name, value string) {
		if value != "" {
			b.WriteString(fmt.Sprintf("| %s | %s |\n", name, strings.ReplaceAll(value, "|", `\|`)))
		}
	}
	if c.Champion != "" {
		row("Champion", "`"+papers.Short(c.Champion)+"`")
	}
	for _, m := range c.Candidates {
		learned := ""
		if m.Learned != "" {
			learned = ", learned up to " + m.Learned
		}
		row("Candidate", fmt.Sprintf("`%s`%s: %s", short(m.Model), learned, m.Stands))
	}
	row("Strategy", c.plan())
	row("Routing", c.routing())
	row("Waits for", c.waits())
	row("Held", c.Held)
	row("Trouble", c.Trouble)
	row("Queue", strings.Join(c.Queue, ", "))
	if seq, hash, ok := strings.Cut(c.Anchor, ":"); ok {
		row("Registry", "entry "+seq+", `"+papers.Short(store.Digest(hash))+"`")
	}
	c.question(&b)
	var trail []string
	for _, t := range c.Trail {
		trail = append(trail, fmt.Sprintf("%d, %s: %s", t.Seq, t.At.UTC().Format(time.DateTime), t.Text))
	}
	list(&b, "What happened", trail)
	return b.String()
}

// headline is how the release stands, in a few words.
func (c ReleaseCard) headline() string {
	switch {
	case c.Stage == "Failed":
		return "**failed**"
	case c.Stage == "Cancelled":
		return "**cancelled**"
	case c.Trouble != "":
		return "**in trouble**"
	case c.Held != "":
		return "**held**"
	case c.Next.Kind == rollout.DoAsk:
		return "**waits for an answer**"
	case c.Open:
		return "running"
	case c.Outcome != "":
		return c.Outcome
	}
	return "nothing to release"
}

// verdict is the headline for the list view.
func (c ReleaseCard) verdict() string { return strings.Trim(c.headline(), "*") }

// plan writes the strategy and its steps, the one in force in bold.
func (c ReleaseCard) plan() string {
	var steps []string
	for _, s := range c.Steps {
		if s == c.Step {
			s = "**" + s + "**"
		}
		steps = append(steps, s)
	}
	if c.Strategy == "" {
		return ""
	}
	return c.Strategy + ": " + strings.Join(steps, " → ")
}

// routing writes who scores whom.
func (c ReleaseCard) routing() string {
	var parts []string
	for _, arm := range c.Arms {
		parts = append(parts, fmt.Sprintf("`%s` %s", short(arm.Model), rollout.StepName(arm.Share)))
	}
	for _, m := range c.Shadow {
		parts = append(parts, fmt.Sprintf("`%s` in shadow", short(m)))
	}
	return strings.Join(parts, ", ")
}

// waits says what the release waits for, "nothing" while it does not.
func (c ReleaseCard) waits() string {
	switch {
	case c.Next.Kind == rollout.DoAsk:
		return "an answer for step " + c.Next.Step
	case c.Next.Kind == rollout.DoNothing && c.Next.WaitsFor != "":
		return c.Next.WaitsFor
	}
	return "nothing"
}

// question says what is asked and how to answer.
func (c ReleaseCard) question(b *strings.Builder) {
	n := c.Next
	if n.Kind != rollout.DoAsk {
		return
	}
	b.WriteString(fmt.Sprintf("\n**Asks**: may `%s` enter step %s? %s\n", short(n.Model), n.Step, n.Reason))
	if n.Need > 1 {
		said := "nobody yet"
		if len(n.Approved) > 0 {
			said = strings.Join(n.Approved, ", ")
		}
		b.WriteString(fmt.Sprintf("\n%d persons must say yes; so far: %s\n", n.Need, said))
	}
	until := "Somebody may answer"
	if !n.Until.IsZero() {
		until = "Until " + n.Until.UTC().Format(time.RFC3339) + " somebody may answer"
	}
	b.WriteString(fmt.Sprintf("\n%s: press *Update* above, choose `%s` or `%s` and paste\n\n", until, UpdateApprove, UpdateReject))
	b.WriteString(fmt.Sprintf("    {\"by\": \"your name\", \"reason\": \"why\", \"decision\": \"%s\", \"nonce\": \"%s\"}\n\n", short(n.Decision), n.Nonce))
	b.WriteString(fmt.Sprintf("or run `starter approve %[1]s --release --reason …`, or `starter reject %[1]s --release --reason …`.\n", c.Pipeline))
}
