package workflows

import (
	"fmt"
	"slices"
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

// Markdown returns the card as a heading, the question if there is one, a table, what may
// be ordered, and what has happened.
func (c ReleaseCard) Markdown() string {
	var b strings.Builder
	name := c.Pipeline
	if c.Release != "" {
		name += " release `" + code(c.Release) + "`" // the Web UI would make a fraction of it
	}
	b.WriteString(fmt.Sprintf("### %s: %s\n\n", name, c.headline()))
	c.question(&b)
	b.WriteString(fmt.Sprintf("| Stage | %s |\n|---|---|\n", c.Stage))
	row := func(name, value string) {
		if value != "" {
			b.WriteString(fmt.Sprintf("| %s | %s |\n", name, value))
		}
	}
	if c.Champion != "" {
		row("Champion", "`"+papers.Short(c.Champion)+"`")
	}
	for _, m := range c.Candidates {
		learned := ""
		if m.Learned != "" {
			learned = ", learned up to " + plain(m.Learned)
		}
		row("Candidate", fmt.Sprintf("`%s`%s: %s", short(m.Model), learned, plain(m.Stands)))
	}
	row("Strategy", c.plan())
	row("Routing", c.routing())
	row("Waits for", c.waits())
	row("Who acts", c.acts())
	row("Held", plain(c.Held))
	row("Trouble", plain(c.Trouble))
	row("Queue", codes(c.Queue))
	if seq, hash, ok := strings.Cut(c.Anchor, ":"); ok {
		row("Registry", "entry "+seq+", `"+papers.Short(store.Digest(hash))+"`")
	}
	if c.Next.Kind == rollout.DoAsk {
		list(&b, "What the gate found", texts(c.Findings))
	}
	c.orders(&b)
	var trail []string
	for _, t := range c.Trail {
		trail = append(trail, fmt.Sprintf("%d, %s: %s", t.Seq, t.At.UTC().Format(time.DateTime), plain(t.Text)))
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

// serving writes who scores whom for the list.
func (c ReleaseCard) serving() string {
	if len(c.Arms) == 0 {
		return short(string(c.Champion)) + " 100%"
	}
	var parts []string
	for _, arm := range c.Arms {
		if arm.Share > 0 {
			parts = append(parts, short(arm.Model)+" "+rollout.StepName(arm.Share))
		}
	}
	return strings.Join(parts, ", ")
}

// who returns whom the release waits for: nobody if it goes on by itself.
func (c ReleaseCard) who() []string {
	switch {
	case c.ended():
		return nil
	case c.Next.Kind == rollout.DoAsk && len(c.People) > 0:
		return slices.DeleteFunc(slices.Clone(c.People), func(name string) bool { return slices.Contains(c.Next.Approved, name) })
	case c.Next.Kind == rollout.DoAsk, c.Open && (c.Held != "" || c.Next.Stopped):
		return []string{anybody}
	}
	return nil
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

// acts says who must do something so that the release goes on.
func (c ReleaseCard) acts() string {
	switch {
	case c.Next.Kind == rollout.DoAsk && c.Who != "":
		return plain(c.Who)
	case c.Next.Kind == rollout.DoAsk:
		return "whoever answers"
	case c.Held != "" || c.Next.Stopped:
		return "whoever resumes it"
	case c.Open && !c.ended():
		return "nobody: it goes on by itself"
	}
	return ""
}

// ended reports whether the workflow hears nobody any more.
func (c ReleaseCard) ended() bool {
	return c.Stage == "Done" || c.Stage == "Failed" || c.Stage == "Cancelled"
}

// orders says what may be ordered now, and how.
func (c ReleaseCard) orders(b *strings.Builder) {
	if c.Stage == "Done" && c.Outcome == "released" {
		b.WriteString(fmt.Sprintf("\nNobody hears an Update any more. `starter rollback %s --reason …` brings the champion before back.\n", c.Pipeline))
	}
	if c.ended() || !c.Open {
		return
	}
	var can []order
	add := func(update, effect string) { can = append(can, order{update, person, effect}) }
	if c.Held != "" || c.Next.Stopped {
		add(UpdateResume, "lets the release go on")
	}
	if c.Held == "" {
		add(UpdateHold, "stops the release where it is, until somebody resumes")
	}
	waiting := slices.ContainsFunc(c.Candidates, func(m activities.CandidateFact) bool { return m.Stands == "candidate" })
	if waiting && !c.Signed && c.Next.Kind != rollout.DoAsk {
		add(UpdateReject, "rejects the candidate for ever")
	}
	switch serves := slices.ContainsFunc(c.Arms, func(arm rollout.Arm) bool { return arm.Share > 0 && arm.Model != string(c.Champion) }); {
	case serves:
		add(UpdateRollback, "takes the candidate back: it is rejected, and the champion's scores are published for its rows")
	case !waiting:
		add(UpdateRollback, "brings the champion before back")
	}
	if c.Next.Kind == rollout.DoNothing || c.Trouble != "" {
		add(UpdateRetryNow, "looks at the registry now, and tries again what failed")
	}
	orders(b, "Orders, at any time", can)
}

// question says what is asked and how to answer.
func (c ReleaseCard) question(b *strings.Builder) {
	n := c.Next
	if n.Kind != rollout.DoAsk {
		return
	}
	b.WriteString(fmt.Sprintf("**Asks**: may `%s` enter step %s? %s\n\n", short(n.Model), n.Step, plain(n.Reason)))
	if n.Need > 1 {
		said := "nobody yet"
		if len(n.Approved) > 0 {
			said = plain(strings.Join(n.Approved, ", "))
		}
		b.WriteString(fmt.Sprintf("%d persons must say yes; so far: %s\n\n", n.Need, said))
	}
	if c.Who != "" {
		b.WriteString(fmt.Sprintf("**%s may answer.** ", plain(c.Who)))
	}
	if c.Signed {
		b.WriteString(fmt.Sprintf("Sign the answer: `starter approve %[1]s --release --key ~/.ssh/id_ed25519 --reason …`, or `starter reject` with the same.\n\n", c.Pipeline))
	} else {
		paste(b, fmt.Sprintf("the name `%s` or `%s`", UpdateApprove, UpdateReject),
			fmt.Sprintf("{\"by\": \"your name\", \"reason\": \"why\",\n     \"decision\": \"%s\",\n     \"nonce\": \"%s\"}", short(n.Decision), n.Nonce))
		b.WriteString(fmt.Sprintf("or run `starter approve %[1]s --release --reason …`, or `starter reject %[1]s --release --reason …`.\n\n", c.Pipeline))
	}
	if !n.Until.IsZero() {
		b.WriteString("If nobody has answered by " + n.Until.UTC().Format(time.RFC3339) + ", it stays where it is until somebody resumes.\n\n")
	}
}
