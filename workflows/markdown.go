package workflows

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"go.temporal.io/sdk/workflow"
)

// What Temporal shows of a text, in bytes.
const (
	maxSummary = 200
	maxDetails = 20_000
)

// setDetails puts Markdown onto the page of a run.
func setDetails(ctx workflow.Context, markdown string) {
	workflow.SetCurrentDetails(ctx, fit(markdown))
}

// fit shortens Markdown that is too long by whole lines, and says so.
func fit(markdown string) string {
	if len(markdown) <= maxDetails {
		return markdown
	}
	const more = "\n\nThere is more: the queries of the run and its result have all of it.\n"
	kept := cut(markdown, maxDetails-len(more))
	if end := strings.LastIndexByte(kept, '\n'); end >= 0 {
		kept = kept[:end]
	}
	return kept + more
}

// line makes a text a summary: one line of at most maxSummary bytes.
func line(text string) string {
	return cut(strings.Join(strings.Fields(text), " "), maxSummary)
}

// cut shortens a text to at most so many bytes, without breaking a character.
func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	const dots = "…"
	at := most - len(dots)
	for at > 0 && !utf8.RuneStart(text[at]) {
		at--
	}
	return text[:at] + dots
}

// escape keeps what people and data say from being taken for Markdown: a reason shall be
// read, and not end a table or be a link.
var escape = strings.NewReplacer(`\`, `\\`, "`", "\\`", "|", `\|`, "*", `\*`, "[", `\[`, "]", `\]`, "<", `\<`, "~", `\~`, "\n", " ", "\r", " ")

// flags are options of commands, whose dashes the Web UI would make one long dash.
var flags = regexp.MustCompile(`--[a-z][a-z-]*`)

// plain writes a text as it is.
func plain(text string) string {
	return flags.ReplaceAllString(escape.Replace(text), "`$0`")
}

// code makes a text fit between backticks in a cell.
func code(text string) string {
	return strings.NewReplacer("`", "'", "|", "¦", "\n", " ").Replace(text)
}

// codes writes names between backticks.
func codes(names []string) string {
	var out []string
	for _, name := range names {
		out = append(out, "`"+code(name)+"`")
	}
	return strings.Join(out, ", ")
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

// texts writes texts as they are.
func texts(all []string) []string {
	var out []string
	for _, text := range all {
		out = append(out, plain(text))
	}
	return out
}

// paste says which Update answers a question, and with what data.
func paste(b *strings.Builder, which, data string) {
	b.WriteString(fmt.Sprintf("Choose *More Actions*, *Send an Update*, %s, and paste as its data\n\n    %s\n\n", which, data))
}

// An order is an Update that a person may send, with what to paste as its data.
type order struct {
	update, data, effect string
}

// person is the data of an Update that needs no more than who and why.
const person = `{"by": "your name", "reason": "why"}`

// orders lists what may be sent now.
func orders(b *strings.Builder, title string, all []order) {
	if len(all) == 0 {
		return
	}
	b.WriteString(fmt.Sprintf("\n**%s**: *More Actions*, *Send an Update*\n\n| Name | Data to paste | What it does |\n|---|---|---|\n", title))
	for _, o := range all {
		b.WriteString(fmt.Sprintf("| `%s` | `%s` | %s |\n", o.update, o.data, o.effect))
	}
}
