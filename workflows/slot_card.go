package workflows

import (
	"fmt"
	"strings"

	"headgate/activities"
	"headgate/internal/figure"
)

// A SlotCard is what a person wants to know of a slot. The run's page in the Temporal Web
// UI shows it as Markdown; the query "slot" returns it as JSON.
type SlotCard struct {
	Pipeline string `json:"pipeline"`
	Batch    string `json:"batch"`
	Stage    string `json:"stage"`
	Due      string `json:"due"`             // by the clocks of the calendar's zone
	Moved    string `json:"moved,omitempty"` // why it is not on its day by the rule
	Data     string `json:"data"`            // until then data may come
	Publish  string `json:"publish"`         // until then the batch must be published
	Left     int    `json:"left"`            // slots that the scheduler knows after this one; −1 if there is no need for more

	Files       int      `json:"files"`
	Bytes       int64    `json:"bytes"`
	Verdict     string   `json:"verdict,omitempty"` // last one over the batch
	Reasons     []string `json:"reasons,omitempty"`
	Blind       string   `json:"blind,omitempty"` // why the last look saw nothing
	Outcome     string   `json:"outcome,omitempty"`
	Publication int64    `json:"publication,omitempty"`

	Earlier []activities.Missing `json:"earlier,omitempty"` // batches that may be named
	Missed  []activities.Missing `json:"missed,omitempty"`  // batches that were named
}

// fewLeft is from how many coming slots on the card asks for more.
const fewLeft = 3

// Markdown returns the card as a heading, a table, and what to do.
func (c SlotCard) Markdown() string {
	var b strings.Builder
	b.WriteString(fmt.Sprintf("### %s %s: %s\n\n| Stage | %s |\n|---|---|\n", c.Pipeline, c.Batch, c.headline(), c.Stage))
	row := func(name, value string) { b.WriteString(fmt.Sprintf("| %s | %s |\n", name, value)) }
	due := c.Due
	if c.Moved != "" {
		due += " (moved: " + plain(c.Moved) + ")"
	}
	row("Due", due)
	row("Data may come until", c.Data)
	row("To be published by", c.Publish)
	switch {
	case c.Blind != "":
		row("Data", "**nobody could look**: "+plain(c.Blind))
	case c.Files > 0:
		row("Data", fmt.Sprintf("%s, %s", figure.Things(c.Files, "file"), figure.Bytes(c.Bytes)))
	case c.Outcome == SlotMissed:
		row("Data", "none")
	default:
		row("Data", "none yet")
	}
	if c.Verdict != "" {
		row("Last verdict", c.Verdict)
	}
	if c.Publication > 0 {
		row("Published", fmt.Sprintf("as publication %d", c.Publication))
	}
	if len(c.Reasons) > 0 && c.Outcome != SlotPublished {
		list(&b, "Why", texts(c.Reasons))
	}
	list(&b, "Missing", lines(c.Missed))
	if c.Outcome == "" || len(c.Earlier) > 0 {
		list(&b, "Not published, and soon named as missing", lines(c.Earlier))
	}
	c.next(&b)
	return b.String()
}

// headline is the answer in a word or two.
func (c SlotCard) headline() string {
	switch {
	case c.Outcome == SlotMissed:
		return "**missing**"
	case c.Outcome == SlotPublished:
		return "published"
	case c.Stage == "WaitForPublication" && c.Verdict == "ask":
		return "**waits for an answer**"
	case c.Stage == "WaitForPublication" && c.Verdict == "block":
		return "**blocked**, and may be delivered again"
	case c.Stage == "WaitForPublication":
		return "being scored"
	}
	return "waits for its data"
}

// lines says in a line each what is missing.
func lines(missing []activities.Missing) []string {
	var all []string
	for _, m := range missing {
		all = append(all, fmt.Sprintf("**%s**: %s", m.Batch, plain(m.Reason)))
	}
	return all
}

// next says who has to do what.
func (c SlotCard) next(b *strings.Builder) {
	if c.Verdict == "ask" && c.Outcome != SlotPublished {
		b.WriteString(fmt.Sprintf("\nSomebody has to answer: open `%s`, or run `starter approve %s --batch %s --help`.\n", ScoreID(c.Pipeline, c.Batch), c.Pipeline, c.Batch))
	}
	if len(c.Missed) > 0 {
		b.WriteString(fmt.Sprintf("\nHave the data delivered, then run `starter schedule trigger %s --batch %s`. A publication closes what is missing.\n", c.Pipeline, c.Missed[0].Batch))
	}
	if c.Left >= 0 && c.Left <= fewLeft {
		b.WriteString(fmt.Sprintf("\nThe schedule knows %s more: look into its holidays, and run `starter schedule apply` again.\n", figure.Things(c.Left, "slot")))
	}
}
