package workflows

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"headgate/internal/alert"
)

// An AlertCard is what a person wants to know of an alert. The run's page in the Temporal
// Web UI shows it as Markdown.
type AlertCard struct {
	alert.State
	Plan  alert.Plan
	Stage string
}

// waits says who must act.
func (c AlertCard) waits() string {
	if c.Stage == "Open" {
		return c.Alert.Who
	}
	return "nothing"
}

// Markdown returns the card as a heading, what to do, a table, and who was told.
func (c AlertCard) Markdown() string {
	a := c.Alert
	var b strings.Builder
	b.WriteString(fmt.Sprintf("### %s: **%s**\n\n%s\n", plain(a.Title), strings.ToLower(c.Stage), plain(a.Text)))
	var reasons []string
	for _, r := range a.Reasons {
		reasons = append(reasons, plain(r))
	}
	list(&b, "Why", reasons)
	if c.Stage != "Resolved" && c.Stage != "Done" {
		c.steps(&b)
	}
	b.WriteString(fmt.Sprintf("\n| Stage | %s |\n|---|---|\n", c.Stage))
	row := func(name, value string) {
		if value != "" {
			b.WriteString(fmt.Sprintf("| %s | %s |\n", name, plain(value)))
		}
	}
	row("Kind", fmt.Sprintf("%s, %s", a.Kind, a.Severity))
	row("Who acts", a.Who)
	row("Since", fmt.Sprintf("%s, found %s", c.Since.UTC().Format(time.RFC3339), times(c.Count)))
	row("Found by", a.Workflow.ID)
	if w := c.Acknowledged; w != nil {
		row("Acknowledged", fmt.Sprintf("%s by %s (claimed): %s", w.At.Format(time.RFC3339), w.By, w.Reason))
	}
	if w := c.Resolved; w != nil {
		row("Over", fmt.Sprintf("%s, says %s: %s", w.At.Format(time.RFC3339), w.By, w.Reason))
	}
	row("Next", c.next())
	if len(c.Plan.Levels) == 0 && c.Told.IsZero() && c.Stage == "Done" {
		row("Told", "nobody: so says the pipeline file")
	}
	if len(c.Deliveries) > 0 {
		b.WriteString("\n| Receiver | Last told | When | Arrived |\n|---|---|---|---|\n")
		for _, d := range c.Deliveries {
			b.WriteString(fmt.Sprintf("| %s | %s | %s | %s |\n", d.Receiver, d.Event, d.At.Format(time.RFC3339), c.arrived(d)))
		}
	}
	return b.String()
}

// next says whom the alert goes to if nobody acknowledges it.
func (c AlertCard) next() string {
	if c.Stage != "Open" || c.Level+1 >= len(c.Plan.Levels) {
		return ""
	}
	l := c.Plan.Levels[c.Level+1]
	return fmt.Sprintf("%s, at %s", strings.Join(l.To, ", "), c.LevelAt.Add(l.After).Format(time.RFC3339))
}

// arrived says whether a notice has arrived.
func (c AlertCard) arrived(d alert.Delivery) string {
	switch {
	case d.State == alert.Arrived:
		return "yes"
	case d.State == alert.Failed:
		return "**no**: " + plain(d.Why)
	case d.Why != "":
		return "not yet: " + plain(d.Why)
	}
	return "not yet"
}

// steps says what to do, and how to acknowledge the alert on its page.
func (c AlertCard) steps(b *strings.Builder) {
	b.WriteString("\n**What to do**\n\n")
	for i, s := range c.Alert.Steps {
		b.WriteString(fmt.Sprintf("%d. %s", i+1, plain(s.Text)))
		switch {
		case s.Command != "":
			b.WriteString(fmt.Sprintf(": `%s`", s.Command))
		case s.Update != nil:
			b.WriteString(fmt.Sprintf(": Update `%s` of `%s`, with\n\n       %s", s.Update.Name, s.Update.Workflow, s.Update.Input))
		}
		b.WriteString("\n")
	}
	if c.Stage == "Open" {
		b.WriteString(fmt.Sprintf("\n**You take care of it?** Choose *More Actions*, *Send an Update*, the name `%s`, and paste as its data\n\n    {\"by\": \"your name\", \"reason\": \"what you do\"}\n\nor run `starter alert ack %s %s --reason …`. If it is over and nobody noticed, the name is `%s`.\n",
			UpdateAcknowledge, c.Alert.Pipeline, c.Alert.Fingerprint(), UpdateResolve))
	}
}

// times writes how often.
func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// link returns the address of a run's page in the Web UI; "" without its address.
func link(console string, e alert.Execution) string {
	if console == "" {
		return ""
	}
	return fmt.Sprintf("%s/namespaces/%s/workflows/%s/%s/history", strings.TrimSuffix(console, "/"), url.PathEscape(e.Namespace), url.PathEscape(e.ID), url.PathEscape(e.Run))
}
