// Package page is what a report looks like: a small model of a document, and its
// rendering as one self-contained HTML file or as Markdown.
//
// A [Page] begins with its [Verdict]: what happened, may it be trusted, who must act.
// Facts, sections with blocks, and footnotes follow. The HTML needs no script, no network
// and no font of its own; it has a light and a dark theme, prints, and can be read with a
// keyboard and with a screen reader. The same page gives the same bytes.
//
//	p := &page.Page{Kind: "Batch", Title: "retailer 2024-07", Verdict: page.Verdict{
//		Tone: page.Good, Word: "Published", Happened: page.Text("20,000 rows were scored."),
//		…
//	}}
//	p.Add("Drift", "What moved, and by how much.",
//		&page.Table{Caption: "Columns by effect", Columns: …, Rows: …})
//	html, err := page.HTML(p)
//	text := page.Markdown(p)
//
// Running text is [Words]: [Text], [Code] and [Link], joined by [Join]. Blocks
// are [Heading], [Paragraph], [List], [Table], [Callout], [Figures], [CodeBlock], [FactList] and
// [Details]; charts are of package chart. How a number was computed stands in the How of a fact, a table or a figure;
// equal footnotes are printed once.
//
// Pages may link to each other by relative addresses. Whatever has a scheme or a host is an
// error of [HTML].
package page

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"headgate/internal/figure"
	"headgate/internal/report/chart"
)

// A Tone is how good or bad news is. It is always said in words too.
type Tone string

// The tones.
const (
	Plain Tone = ""
	Good  Tone = "good"
	Warn  Tone = "warn" // somebody should look
	Bad   Tone = "bad"
)

// A Page is a document.
type Page struct {
	Kind    string // what it is about, above the title: "Batch report"
	Title   string
	Trail   []Words // the way here, in a navigation: links of an index
	Verdict Verdict
	Facts   []Fact
	// Sections are in the order of the reader's questions. Those with a title are in the
	// contents.
	Sections []Section
	// End says what the page rests on and how to check it, in the footer.
	End []Words
}

// Add appends a section. Figures without a drawing are left out, and so is a section
// without blocks.
func (p *Page) Add(title, lead string, blocks ...Block) {
	s := Section{Title: title, Lead: Text(lead)}
	for _, b := range blocks {
		if f, ok := b.(*Figures); !ok || f.drawn() {
			s.Blocks = append(s.Blocks, b)
		}
	}
	if len(s.Blocks) > 0 {
		p.Sections = append(p.Sections, s)
	}
}

// A Verdict answers what everybody asks first.
type Verdict struct {
	Tone Tone
	Word string // in one or two: "Published", "Blocked by its contract"
	// Happened, Trust and Act say what happened, whether it may be trusted and why, and
	// who must do what. Empty ones are left out.
	Happened, Trust, Act Words
}

// A Fact is a name and a value.
type Fact struct {
	Name  string
	Value Words
	Note  string // small, below the value
	Tone  Tone
	How   string // how it was computed
}

// A Section is a chapter of the page.
type Section struct {
	Title  string
	Lead   Words // what there is to see
	Blocks []Block
}

// A Block is a part of a section.
type Block interface{ block() string }

// A Heading begins a part of a section.
type Heading struct{ Text string }

// A Paragraph is running text.
type Paragraph struct{ Text Words }

// A List is points, one below the other.
type List struct{ Items []Words }

// A Callout is a short text that must not be overlooked.
type Callout struct {
	Tone  Tone
	Title string
	Text  Words
}

// A Table has a caption and, in each row, a cell for each column. The first cell of a row
// is its head.
type Table struct {
	Caption string
	Columns []Column
	Rows    []Row
	How     string // how the numbers were computed
}

// A Column is the head of a column.
type Column struct {
	Name   string
	Number bool         // aligned to the right
	Axis   *chart.Chart // scale of the charts below
}

// A Row is a row of a table.
type Row []Cell

// A Cell is text, or a chart that the other cells of its row explain, or both.
type Cell struct {
	Text  Words
	Tone  Tone
	Chart *chart.Chart
}

// Figures are charts side by side, each with its numbers as a table below it.
type Figures struct {
	Charts []chart.Chart // empty ones are left out
	How    string
}

// drawn reports whether there is a chart to show.
func (f *Figures) drawn() bool {
	return slices.ContainsFunc(f.Charts, func(c chart.Chart) bool { return !c.Empty() })
}

// A CodeBlock is commands or documents, verbatim. What stands in Caption says what for.
type CodeBlock struct {
	Caption string
	Text    string
}

// A FactList is names and values within a section.
type FactList struct{ Facts []Fact }

// Details are blocks that are folded until they are asked for.
type Details struct {
	Summary string
	Blocks  []Block
}

func (*Heading) block() string   { return "heading" }
func (*Paragraph) block() string { return "paragraph" }
func (*List) block() string      { return "list" }
func (*Callout) block() string   { return "callout" }
func (*Table) block() string     { return "table" }
func (*Figures) block() string   { return "figures" }
func (*CodeBlock) block() string { return "code" }
func (*FactList) block() string  { return "facts" }
func (*Details) block() string   { return "details" }

// A Word is a piece of running text.
type Word struct {
	Text  string
	Style Style
	Href  string // relative; of links only
	Title string // whole text, if Text is cut
}

// A Style says how a piece of text is set.
type Style string

// The styles; the zero one is that of running text.
const (
	CodeText Style = "code"
	LinkText Style = "link"
)

// Words are running text.
type Words []Word

// Text is plain text.
func Text(s string) Words {
	if s == "" {
		return nil
	}
	return Words{{Text: s}}
}

// Textf is plain text with values, as of fmt.Sprintf.
func Textf(format string, args ...any) Words { return Text(fmt.Sprintf(format, args...)) }

// Code is a name that people type or look up.
func Code(s string) Words { return Words{{Text: s, Style: CodeText}} }

// Link is text that leads to another page, by a relative address, or to a part of this
// one.
func Link(text, href string) Words {
	return Words{{Text: text, Style: LinkText, Href: href}}
}

// Digest is a digest, cut to what tells it from others; the whole of it is shown to whoever
// points at it, and is in the Markdown.
func Digest(d string) Words {
	name := figure.Short(d)
	if name == strings.TrimPrefix(d, "sha256:") {
		return Code(d)
	}
	return Words{{Text: name, Style: CodeText, Title: d}}
}

// Join puts texts together as they are.
func Join(parts ...Words) Words {
	var all Words
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

// String returns the text alone.
func (w Words) String() string {
	var b strings.Builder
	for _, word := range w {
		b.WriteString(word.Text)
	}
	return b.String()
}

// Cells makes a row of plain texts.
func Cells(texts ...string) Row {
	row := make(Row, len(texts))
	for i, t := range texts {
		row[i] = Cell{Text: Text(t)}
	}
	return row
}

// Columns makes the heads of columns. A name that begins with # is of numbers.
func Columns(names ...string) []Column {
	columns := make([]Column, len(names))
	for i, n := range names {
		name, number := strings.CutPrefix(n, "#")
		columns[i] = Column{Name: name, Number: number}
	}
	return columns
}

// checkHref refuses addresses that leave the directory of the pages.
func checkHref(href string) error {
	u, err := url.Parse(href)
	if err != nil {
		return fmt.Errorf("link to %q: %w", href, err)
	}
	if u.IsAbs() || u.Host != "" || strings.HasPrefix(href, "/") {
		return fmt.Errorf("link to %q: want a relative address, so that the page needs no network", href)
	}
	return nil
}
