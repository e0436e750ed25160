package chart

import (
	"math"
	"slices"
	"strconv"

	"headgate/internal/figure"
)

// A Histogram is the shares of one series in bins.
type Histogram struct {
	Series Series
	Name   string
	Shares []float64 // one for each bin, in [0, 1]
}

// A Distributed is histograms of one column over the same bins. The first is drawn as
// bars, the others as lines on top of them.
type Distributed struct {
	Title string
	Label string    // of the x axis: what the values are
	Edges []float64 // ascending, one more than there are bins
	// Text writes an edge, if not as a number.
	Text       func(float64) string
	Histograms []Histogram
	// Blind hides the edges: only the shape is shown.
	Blind bool
	Tall  bool // as high as [Curves], to stand beside them
}

// Distribution draws histograms over one another.
func Distribution(d Distributed) Chart {
	bins := len(d.Edges) - 1
	if bins < 1 || len(d.Histograms) == 0 {
		return Chart{}
	}
	top := 0.0
	for _, h := range d.Histograms {
		for _, s := range h.Shares {
			top = max(top, s)
		}
	}
	height := 188.0
	if d.Tall {
		height = squareHeight
	}
	p := newPlot(height, 38, [2]float64{d.Edges[0], d.Edges[bins]}, [2]float64{0, max(top*1.05, 1e-6)})
	yt := ticks(0, p.y.high, 4)
	p.yAxis(yt, percentTicks(yt))
	for i, h := range d.Histograms {
		if i == 0 {
			p.bars(d.Edges, h)
		}
	}
	for _, h := range slices.Backward(d.Histograms) {
		p.path(polyline(p.steps(d.Edges, h.Shares)), "line thin "+string(h.Series))
	}
	p.distributionAxis(d)
	p.legend(p.x.from, 12, names(d.Histograms))
	return p.chart(d.Title, distributionText(d), distributionHead(d), distributionRows(d))
}

func (p *plot) bars(edges []float64, h Histogram) {
	for i, s := range h.Shares {
		x, right, y := p.x.at(edges[i]), p.x.at(edges[i+1]), p.y.at(s)
		if s > 0 {
			p.rect(x, y, right-x, p.y.from-y, "fill "+string(h.Series))
		}
	}
}

func (p *plot) steps(edges, shares []float64) [][2]float64 {
	var points [][2]float64
	for i, s := range shares {
		y := p.y.at(s)
		points = append(points, [2]float64{p.x.at(edges[i]), y}, [2]float64{p.x.at(edges[i+1]), y})
	}
	return points
}

func (p *plot) distributionAxis(d Distributed) {
	if d.Blind {
		p.xAxis(nil, nil, d.Label)
		return
	}
	n := 5
	if d.Text != nil {
		n = 3
	}
	t := ticks(p.x.low, p.x.high, n)
	text := plainTicks(t)
	if d.Text != nil {
		text = d.Text
	}
	p.xAxis(t, text, d.Label)
}

func names(hs []Histogram) []named {
	var n []named
	for _, h := range hs {
		n = append(n, named{h.Series, h.Name})
	}
	return n
}

func (d Distributed) edge(x float64) string {
	if d.Text != nil {
		return d.Text(x)
	}
	return figure.Number(x)
}

func distributionText(d Distributed) string {
	s := "Histogram of " + d.Label
	for i, h := range d.Histograms {
		at := 0
		for j, share := range h.Shares {
			if share > h.Shares[at] {
				at = j
			}
		}
		sep := ": "
		if i > 0 {
			sep = "; "
		}
		s += sep + h.Name + " is highest "
		if d.Blind {
			s += "in bin " + strconv.Itoa(at+1)
		} else {
			s += "from " + d.edge(d.Edges[at]) + " to " + d.edge(d.Edges[at+1])
		}
	}
	return s + "."
}

func distributionHead(d Distributed) []string {
	head := []string{"From", "To"}
	if d.Blind {
		head = []string{"Bin"}
	}
	for _, h := range d.Histograms {
		head = append(head, h.Name)
	}
	return head
}

func distributionRows(d Distributed) [][]string {
	var rows [][]string
	for i := range len(d.Edges) - 1 {
		row := []string{d.edge(d.Edges[i]), d.edge(d.Edges[i+1])}
		if d.Blind {
			row = []string{strconv.Itoa(i + 1)}
		}
		for _, h := range d.Histograms {
			row = append(row, figure.Percent(h.Shares[i]))
		}
		rows = append(rows, row)
	}
	return rows
}

// Grouped are bars of several series for each of some categories.
type Grouped struct {
	Title      string
	Labels     []string // categories, in their order
	Histograms []Histogram
}

const (
	longLabel = 16 // characters of a category that are shown
	barHeight = 9.0
)

// Bars draws categories as horizontal bars, one for each series, with their shares.
func Bars(g Grouped) Chart {
	if len(g.Labels) == 0 || len(g.Histograms) == 0 {
		return Chart{}
	}
	top := 0.0
	for _, h := range g.Histograms {
		for _, s := range h.Shares {
			top = max(top, s)
		}
	}
	group := float64(len(g.Histograms))*(barHeight+2) + 7
	p := &plot{width: cardWidth, height: 24 + group*float64(len(g.Labels))}
	p.x = scale{low: 0, high: max(top, 1e-6), from: 104, to: cardWidth - 48}
	for i, label := range g.Labels {
		y := 24 + group*float64(i)
		p.text(p.x.from-6, y+(group-7)/2+3, "end", "", short(label))
		for j, h := range g.Histograms {
			at := y + float64(j)*(barHeight+2)
			end := p.x.at(h.Shares[i])
			p.rect(p.x.from, at, max(end-p.x.from, 0.8), barHeight, "area "+string(h.Series))
			p.text(end+4, at+barHeight-0.5, "start", "tick", figure.Percent(h.Shares[i]))
		}
	}
	p.line(p.x.from, 20, p.x.from, p.height-4, "axis")
	p.legend(4, 12, names(g.Histograms))
	head := []string{"Value"}
	for _, h := range g.Histograms {
		head = append(head, h.Name)
	}
	var rows [][]string
	for i, label := range g.Labels {
		row := []string{label}
		for _, h := range g.Histograms {
			row = append(row, figure.Percent(h.Shares[i]))
		}
		rows = append(rows, row)
	}
	return p.chart(g.Title, "Bars of the share of rows with each value.", head, rows)
}

func short(s string) string {
	if r := []rune(s); len(r) > longLabel {
		return string(r[:longLabel-1]) + "…"
	}
	return s
}

// finite reports whether a value can be drawn.
func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
