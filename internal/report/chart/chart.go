// Package chart draws small statistical charts as SVG.
//
// Every function takes plain numbers and returns a [Chart]: a drawing with a title, a
// description for those who cannot see it, and its numbers as a table. Colours are
// classes that [CSS] gives a value in a light and a dark theme; no series is told by its
// colour alone. Equal input gives equal bytes.
//
// Three sizes exist. Cards ([Distribution], [Bars], [Reliability], [Curves], [Trend],
// [Matrix]) are 340 units wide, so that one fits a telephone and three a desk.
// Cells ([Spark], [Bar], [Forest.Row]) stand in a row of a table. [Timeline] takes the
// whole column.
package chart

import (
	"html"
	"math"
	"strconv"
	"strings"
)

// A Chart is a drawing and what it shows.
type Chart struct {
	Title string // short, for the SVG's title
	Desc  string // what there is to see, in a sentence
	// Head and Rows are the numbers behind the drawing, as text. A chart in a row of a
	// table has none: the row says them.
	Head []string
	Rows [][]string

	width, height float64
	body          string
}

// Empty reports whether there is nothing to draw.
func (c Chart) Empty() bool { return c.body == "" }

// Wide reports whether the chart needs the whole column.
func (c Chart) Wide() bool { return c.width > cardWidth }

// SVG returns the drawing as an element that can stand in HTML. id is unique in the
// page.
func (c Chart) SVG(id string) string {
	var b strings.Builder
	b.WriteString(`<svg role="img" aria-labelledby="` + id + `-t`)
	if c.Desc != "" {
		b.WriteString(" " + id + "-d")
	}
	b.WriteString(`" viewBox="0 0 ` + coordinate(c.width) + " " + coordinate(c.height) + `" width="` + coordinate(c.width) + `" height="` + coordinate(c.height) + `">`)
	b.WriteString(`<title id="` + id + `-t">` + html.EscapeString(c.Title) + `</title>`)
	if c.Desc != "" {
		b.WriteString(`<desc id="` + id + `-d">` + html.EscapeString(c.Desc) + `</desc>`)
	}
	b.WriteString(c.body)
	b.WriteString(`</svg>`)
	return b.String()
}

// A Series says how what it draws looks: its colour, and its dashes.
type Series string

// The series, in the roles that they have on all pages.
const (
	Now Series = "now" // the batch, or the champion: solid
	Ref Series = "ref" // what it is compared with: grey and dashed
	Old Series = "old" // the month before: dotted
	Alt Series = "alt" // a challenger: solid, another colour
)

// An Interval is a number and how sure one can be of it. Low and High are NaN if nobody
// knows.
type Interval struct{ Low, Value, High float64 }

const (
	cardWidth   = 340.0
	textSize    = 11.0
	letterWidth = 5.8 // of the text size, on average: to keep labels apart
)

// A canvas gathers the elements of a drawing.
type canvas struct{ strings.Builder }

func (c *canvas) rect(x, y, w, h float64, class string) {
	c.WriteString(`<rect x="` + coordinate(x) + `" y="` + coordinate(y) + `" width="` + coordinate(max(w, 0)) + `" height="` + coordinate(max(h, 0)) + `" class="` + class + `"/>`)
}

func (c *canvas) line(x1, y1, x2, y2 float64, class string) {
	c.WriteString(`<line x1="` + coordinate(x1) + `" y1="` + coordinate(y1) + `" x2="` + coordinate(x2) + `" y2="` + coordinate(y2) + `" class="` + class + `"/>`)
}

func (c *canvas) circle(x, y, r float64, class string) {
	c.WriteString(`<circle cx="` + coordinate(x) + `" cy="` + coordinate(y) + `" r="` + coordinate(r) + `" class="` + class + `"/>`)
}

func (c *canvas) path(d, class string) {
	c.WriteString(`<path d="` + d + `" class="` + class + `"/>`)
}

// text writes a label. anchor is start, middle or end.
func (c *canvas) text(x, y float64, anchor, class, s string) {
	c.WriteString(`<text x="` + coordinate(x) + `" y="` + coordinate(y) + `"`)
	if anchor != "start" {
		c.WriteString(` text-anchor="` + anchor + `"`)
	}
	if class != "" {
		c.WriteString(` class="` + class + `"`)
	}
	c.WriteString(`>` + html.EscapeString(s) + `</text>`)
}

// A named series stands in a legend.
type named struct {
	series Series
	name   string
}

// legend writes the names of the series in a line from x on, each after a piece of how it
// is drawn.
func (c *canvas) legend(x, y float64, entries []named) {
	for _, e := range entries {
		c.line(x, y-3.5, x+16, y-3.5, "line "+string(e.series))
		c.text(x+20, y, "start", "", e.name)
		x += 20 + textWidth(e.name) + 14
	}
}

func textWidth(s string) float64 { return letterWidth * float64(len([]rune(s))) }

// polyline returns the path through points, with a gap where one is not finite.
func polyline(points [][2]float64) string {
	var b strings.Builder
	pen := "M"
	for _, p := range points {
		if math.IsNaN(p[0]) || math.IsNaN(p[1]) {
			pen = "M"
			continue
		}
		b.WriteString(pen + coordinate(p[0]) + " " + coordinate(p[1]))
		pen = "L"
	}
	return b.String()
}

// coordinate writes a number with at most one decimal. What is no number, or far outside of
// any drawing, is kept within reach.
func coordinate(x float64) string {
	const far = 1e5
	if math.IsNaN(x) {
		x = 0
	}
	x = min(max(x, -far), far)
	s := strconv.FormatFloat(x, 'f', 1, 64)
	s = strings.TrimSuffix(s, ".0")
	if s == "-0" {
		return "0"
	}
	return s
}
