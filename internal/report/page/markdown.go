package page

import (
	"fmt"
	"strconv"
	"strings"

	"headgate/internal/report/chart"
)

// Markdown renders a page as CommonMark with GitHub's tables. Charts are their numbers.
func Markdown(p *Page) []byte {
	m := &markdown{notes: map[string]int{}}
	m.line("# %s", escape(p.Title))
	m.line("%s", escape(p.Kind))
	m.verdict(p.Verdict)
	m.facts(p.Facts)
	for _, s := range p.Sections {
		if s.Title != "" {
			m.line("## %s", escape(s.Title))
		}
		if len(s.Lead) > 0 {
			m.line("%s", inline(s.Lead))
		}
		m.blocks(s.Blocks)
	}
	if len(m.order) > 0 {
		m.line("## How the numbers were computed")
		for i, n := range m.order {
			m.line("%d. %s", i+1, escape(n))
		}
	}
	if len(p.End) > 0 {
		m.line("---")
	}
	for _, w := range p.End {
		m.line("%s", inline(w))
	}
	return []byte(strings.TrimRight(m.String(), "\n") + "\n")
}

type markdown struct {
	strings.Builder
	notes map[string]int
	order []string
}

// line writes a paragraph.
func (m *markdown) line(format string, args ...any) {
	fmt.Fprintf(m, format+"\n\n", args...)
}

func (m *markdown) verdict(v Verdict) {
	m.line("**%s**", escape(v.Word))
	for _, part := range []struct {
		name string
		text Words
	}{{"What happened", v.Happened}, {"May it be trusted", v.Trust}, {"Who must act", v.Act}} {
		if len(part.text) > 0 {
			m.line("*%s:* %s", part.name, inline(part.text))
		}
	}
}

func (m *markdown) facts(facts []Fact) {
	if len(facts) == 0 {
		return
	}
	m.WriteString("| fact | value | |\n| --- | --- | --- |\n")
	for _, f := range facts {
		m.row([]string{escape(f.Name) + m.note(f.How), inline(f.Value), escape(f.Note)})
	}
	m.WriteString("\n")
}

func (m *markdown) blocks(blocks []Block) {
	for _, b := range blocks {
		switch b := b.(type) {
		case *Heading:
			m.line("### %s", escape(b.Text))
		case *Paragraph:
			m.line("%s", inline(b.Text))
		case *List:
			for _, item := range b.Items {
				m.WriteString("- " + inline(item) + "\n")
			}
			m.WriteString("\n")
		case *Callout:
			title := ""
			if b.Title != "" {
				title = "**" + escape(b.Title) + "** "
			}
			m.line("> %s%s", title, inline(b.Text))
		case *Table:
			m.table(b)
		case *Figures:
			m.figures(b)
		case *CodeBlock:
			m.line("%s", escape(b.Caption))
			fence := fenceFor(b.Text)
			m.line("%s\n%s\n%s", fence, strings.TrimRight(b.Text, "\n"), fence)
		case *FactList:
			m.facts(b.Facts)
		case *Details:
			m.line("*%s*", escape(b.Summary))
			m.blocks(b.Blocks)
		}
	}
}

// table writes a table. A column that has charts and no text is left out: the numbers of
// its charts are in the others.
func (m *markdown) table(t *Table) {
	m.line("*%s*%s", escape(t.Caption), m.note(t.How))
	var shown []int
	for i := range t.Columns {
		if !drawn(t, i) {
			shown = append(shown, i)
		}
	}
	var head, rule []string
	for _, i := range shown {
		head = append(head, escape(t.Columns[i].Name))
		if t.Columns[i].Number {
			rule = append(rule, "---:")
		} else {
			rule = append(rule, "---")
		}
	}
	m.row(head)
	m.row(rule)
	for _, r := range t.Rows {
		var cells []string
		for _, i := range shown {
			text := ""
			if i < len(r) {
				text = inline(r[i].Text)
			}
			cells = append(cells, text)
		}
		m.row(cells)
	}
	m.WriteString("\n")
}

func drawn(t *Table, column int) bool {
	charts := false
	for _, r := range t.Rows {
		if column >= len(r) {
			continue
		}
		if len(r[column].Text) > 0 {
			return false
		}
		charts = charts || r[column].Chart != nil
	}
	return charts
}

func (m *markdown) figures(f *Figures) {
	for _, c := range f.Charts {
		if c.Empty() {
			continue
		}
		m.line("*%s*%s", escape(c.Title), m.note(f.How))
		if c.Desc != "" {
			m.line("%s", escape(c.Desc))
		}
		m.numbers(c)
	}
}

func (m *markdown) numbers(c chart.Chart) {
	if len(c.Rows) == 0 {
		return
	}
	rule := make([]string, len(c.Head))
	head := make([]string, len(c.Head))
	for i, h := range c.Head {
		head[i], rule[i] = escape(h), "---:"
		if i == 0 {
			rule[i] = "---"
		}
	}
	m.row(head)
	m.row(rule)
	for _, r := range c.Rows {
		cells := make([]string, len(r))
		for i, s := range r {
			cells[i] = escape(s)
		}
		m.row(cells)
	}
	m.WriteString("\n")
}

func (m *markdown) row(cells []string) {
	m.WriteString("| " + strings.Join(cells, " | ") + " |\n")
}

func (m *markdown) note(how string) string {
	if how == "" {
		return ""
	}
	n, seen := m.notes[how]
	if !seen {
		m.order = append(m.order, how)
		n = len(m.order)
		m.notes[how] = n
	}
	return " [" + strconv.Itoa(n) + "]"
}

func inline(w Words) string {
	var b strings.Builder
	for _, word := range w {
		switch word.Style {
		case CodeText:
			text := word.Text
			if word.Title != "" {
				text = word.Title
			}
			b.WriteString(codeSpan(text))
		case LinkText:
			b.WriteString("[" + escape(word.Text) + "](<" + strings.NewReplacer("<", "%3C", ">", "%3E", "\n", "").Replace(word.Href) + ">)")
		default:
			b.WriteString(escape(word.Text))
		}
	}
	return b.String()
}

// codeSpan quotes text with more backticks than it has.
func codeSpan(s string) string {
	s = strings.ReplaceAll(strings.ReplaceAll(s, "\n", " "), "|", `\|`)
	if !strings.Contains(s, "`") {
		return "`" + s + "`"
	}
	return "`` " + strings.ReplaceAll(s, "``", "` `") + " ``"
}

// fenceFor returns a fence that the text does not contain.
func fenceFor(s string) string {
	fence := "```"
	for strings.Contains(s, fence) {
		fence += "`"
	}
	return fence
}

var escaper = strings.NewReplacer("\\", "\\\\", "`", "\\`", "*", "\\*", "_", "\\_", "[", "\\[", "]", "\\]", "<", "&lt;", "|", "\\|", "\r", " ", "\n", " ")

// escape makes text that Markdown shows as it is.
func escape(s string) string { return escaper.Replace(s) }
