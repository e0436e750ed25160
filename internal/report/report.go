// Package report turns what is known of a run into a page: typed facts go in, and a
// [page.Page], or the same facts as JSON, come out.
//
// [Batch] is one month, [Training] one training. Each has a method Page. The package knows
// neither storage nor time: package dossier gathers the facts from the papers of a store,
// and equal facts give equal bytes.
//
// A page begins with what happened, whether it may be trusted and who must act. It shows no
// number without its interval where there is one, and says of each how it was computed.
package report

import (
	"fmt"
	"strings"

	"headgate/internal/evaluate"
	"headgate/internal/figure"
	"headgate/internal/report/chart"
	"headgate/internal/report/page"
)

// Format is the version of the JSON of this package.
const Format = 1

// A Version is a model version.
type Version struct {
	Digest string `json:"digest"`         // of its bundle
	Note   string `json:"note,omitempty"` // what the registry says of it
}

// An Input is something that was read, and the digest that names it.
type Input struct {
	What   string `json:"what"`
	Name   string `json:"name,omitempty"`
	Digest string `json:"digest,omitempty"`
	Note   string `json:"note,omitempty"`
}

// lineage lists what a page rests on.
func lineage(inputs []Input) *page.Table {
	t := &page.Table{Caption: "What this rests on", Columns: page.Columns("What", "Name", "Digest", "")}
	for _, i := range inputs {
		t.Rows = append(t.Rows, page.Row{{Text: page.Text(i.What)}, {Text: page.Text(i.Name)}, {Text: digest(i.Digest)}, {Text: page.Text(i.Note)}})
	}
	return t
}

func digest(d string) page.Words {
	if d == "" {
		return nil
	}
	return page.Digest(d)
}

// commands shows how to look for oneself.
func commands(caption string, lines []string) page.Block {
	return &page.CodeBlock{Caption: caption, Text: strings.Join(lines, "\n") + "\n"}
}

// share writes a share with its interval.
func share(e evaluate.Estimate) string {
	return figure.Percent(e.Value) + " " + shareSpan(e)
}

// shareSpan writes the interval of a share.
func shareSpan(e evaluate.Estimate) string {
	return "[" + figure.Percent(e.Low) + ", " + figure.Percent(e.High) + "]"
}

func interval(e evaluate.Estimate) chart.Interval {
	return chart.Interval{Low: e.Low, Value: e.Value, High: e.High}
}

// list writes names as a person would: a, b and c; of many the first ones.
func list(names []string, most int) string {
	more := ""
	if len(names) > most {
		more = fmt.Sprintf(" and %d more", len(names)-most)
		names = names[:most]
	}
	if more == "" && len(names) > 1 {
		return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
	}
	return strings.Join(names, ", ") + more
}

// points makes a list of sentences as our papers have them: without a capital letter and a
// full stop.
func points(lines []string) *page.List {
	l := &page.List{}
	for _, s := range lines {
		l.Items = append(l.Items, page.Text(s))
	}
	return l
}

// verdictTone says how good news a verdict of a gate or of an evaluation is.
func verdictTone(verdict string) page.Tone {
	switch verdict {
	case "pass":
		return page.Good
	case "block":
		return page.Bad
	}
	return page.Warn
}
