package alert

import (
	"fmt"
	"strings"
	"time"
)

// A slackMessage is the body of an incoming webhook: https://docs.slack.dev/reference/block-kit/blocks.
type slackMessage struct {
	Text        string            `json:"text"` // for notifications and for programs that know no blocks
	Attachments []slackAttachment `json:"attachments"`
}

type slackAttachment struct {
	Color  string       `json:"color"`
	Blocks []slackBlock `json:"blocks"`
}

type slackBlock struct {
	Type     string      `json:"type"`
	Text     *slackText  `json:"text,omitempty"`
	Elements []slackText `json:"elements,omitempty"`
}

type slackText struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

// maxSlack is how long the text of a section may be, in characters.
const maxSlack = 3000

// Colours of the bar beside a message; the words say the same.
var colours = map[Severity]string{Critical: "#b3261e", Warning: "#b26a00", Info: "#3b6ea5"}

const colourOver = "#2e7d32"

// slackEscape escapes what Slack would take for markup.
var slackEscape = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// Slack returns the notice as the body of an incoming webhook of Slack.
func (n Notice) Slack() []byte {
	a := n.Alert
	colour := colours[a.Severity]
	if n.over() {
		colour = colourOver
	}
	blocks := []slackBlock{
		{Type: "header", Text: &slackText{"plain_text", line(n.Headline(), maxTitle)}},
		section(n.slackText()),
	}
	if steps := n.steps(); len(steps) > 0 {
		lines := []string{"*Who acts:* " + slackEscape.Replace(a.Who)}
		for _, s := range steps {
			lines = append(lines, s.slack())
		}
		blocks = append(blocks, section(strings.Join(lines, "\n")))
	}
	foot := fmt.Sprintf("%s · since %s · %s", a.Kind, n.Since.UTC().Format(time.RFC3339), a.Fingerprint())
	if a.Link != "" {
		foot = fmt.Sprintf("<%s|%s> · %s", a.Link, slackEscape.Replace(a.Workflow.ID), foot)
	}
	blocks = append(blocks, slackBlock{Type: "context", Elements: []slackText{{"mrkdwn", foot}}})
	return encode(slackMessage{Text: slackEscape.Replace(n.Headline()), Attachments: []slackAttachment{{colour, blocks}}})
}

// slackText returns what happened.
func (n Notice) slackText() string {
	lines := []string{slackEscape.Replace(n.Alert.Text)}
	if story := n.story(); story != "" {
		lines = append([]string{"*" + slackEscape.Replace(story) + "*"}, lines...)
	}
	for _, r := range n.Alert.Reasons {
		lines = append(lines, "• "+slackEscape.Replace(r))
	}
	return strings.Join(lines, "\n")
}

func (s Step) slack() string {
	text := slackEscape.Replace(s.Text)
	switch {
	case s.Command != "":
		return fmt.Sprintf("%s: `%s`", text, slackEscape.Replace(s.Command))
	case s.Update != nil:
		return fmt.Sprintf("%s: Update `%s` of `%s`\n```%s```", text, s.Update.Name, slackEscape.Replace(s.Update.Workflow), slackEscape.Replace(s.Update.Input))
	}
	return text
}

// section returns a block of text that Slack takes.
func section(text string) slackBlock {
	if runes := []rune(text); len(runes) > maxSlack {
		text = string(runes[:maxSlack-1]) + "…"
	}
	return slackBlock{Type: "section", Text: &slackText{"mrkdwn", text}}
}
