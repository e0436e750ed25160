package page

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"strconv"
	"strings"

	"headgate/internal/report/chart"
)

//go:embed page.html
var layout string

//go:embed page.css
var style string

// HTML renders a page as one file that needs nothing else. The error names what cannot be
// rendered: a link that leaves the pages, or a row with more cells than the table has
// columns.
func HTML(p *Page) ([]byte, error) {
	r := &renderer{notes: map[string]int{}}
	t, err := template.New("page").Funcs(template.FuncMap{
		"render": r.render, "svg": r.svg, "note": r.note, "words": r.words, "table": r.numbers,
		"css": func() template.CSS { return template.CSS(style + chart.CSS) }, "footnotes": func() []string { return r.order },
		"id": slug, "inc": func(i int) int { return i + 1 }, "tone": toneName,
	}).Parse(layout)
	if err != nil {
		return nil, err
	}
	r.layout = t
	var b bytes.Buffer
	if err := t.Execute(&b, p); err != nil {
		return nil, fmt.Errorf("page %q: %w", p.Title, err)
	}
	return b.Bytes(), nil
}

// A renderer holds what blocks of one page share: numbers of footnotes and of drawings.
type renderer struct {
	layout *template.Template
	notes  map[string]int
	order  []string
	charts int
}

func (r *renderer) render(b Block) (template.HTML, error) {
	if t, ok := b.(*Table); ok {
		for i, row := range t.Rows {
			if len(row) > len(t.Columns) {
				return "", fmt.Errorf("table %q: row %d has %d cells, and there are %d columns", t.Caption, i+1, len(row), len(t.Columns))
			}
		}
	}
	var out bytes.Buffer
	if err := r.layout.ExecuteTemplate(&out, b.block(), b); err != nil {
		return "", err
	}
	return template.HTML(out.String()), nil
}

func (r *renderer) svg(c chart.Chart) template.HTML {
	r.charts++
	return template.HTML(c.SVG("c" + strconv.Itoa(r.charts)))
}

// numbers returns the table behind a chart.
func (r *renderer) numbers(c chart.Chart) *Table {
	if len(c.Rows) == 0 {
		return nil
	}
	t := &Table{Caption: "Numbers of: " + c.Title}
	for i, name := range c.Head {
		t.Columns = append(t.Columns, Column{Name: name, Number: i > 0})
	}
	for _, row := range c.Rows {
		t.Rows = append(t.Rows, Cells(row...))
	}
	return t
}

// note returns the mark of a footnote, nothing for an empty one.
func (r *renderer) note(how string) template.HTML {
	if how == "" {
		return ""
	}
	n, seen := r.notes[how]
	back := ""
	if !seen {
		r.order = append(r.order, how)
		n = len(r.order)
		r.notes[how] = n
		back = fmt.Sprintf(` id="from-%d"`, n)
	}
	return template.HTML(fmt.Sprintf(`<sup><a class="note" href="#note-%d"%s aria-label="How this was computed: note %d">%d</a></sup>`, n, back, n, n))
}

func (r *renderer) words(w Words) (template.HTML, error) {
	var b strings.Builder
	for _, word := range w {
		// A number and its unit stay on one line.
		text := strings.ReplaceAll(template.HTMLEscapeString(word.Text), " %", "&nbsp;%")
		switch word.Style {
		case CodeText:
			title := ""
			if word.Title != "" {
				title = ` title="` + template.HTMLEscapeString(word.Title) + `"`
			}
			b.WriteString("<code" + title + ">" + text + "</code>")
		case LinkText:
			if err := checkHref(word.Href); err != nil {
				return "", err
			}
			b.WriteString(`<a href="` + template.HTMLEscapeString(word.Href) + `">` + text + "</a>")
		default:
			b.WriteString(text)
		}
	}
	return template.HTML(b.String()), nil
}

// toneName says a tone in words, for those who do not see colours.
func toneName(t Tone) string {
	switch t {
	case Good:
		return "good"
	case Warn:
		return "attention"
	case Bad:
		return "problem"
	}
	return ""
}

// slug makes the id of a section of its title.
func slug(title string) string {
	return strings.Trim(strings.Map(func(c rune) rune {
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
			return c
		case c >= 'A' && c <= 'Z':
			return c + 'a' - 'A'
		}
		return '-'
	}, title), "-")
}
