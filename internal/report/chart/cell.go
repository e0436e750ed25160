package chart

import (
	"strconv"

	"headgate/internal/figure"
)

// Spark draws values over batches as a line of text height, with a dot at the last one.
// NaN is a gap. Bound, if it is above 0, is a dashed line: the value from which there is
// something to do.
func Spark(title string, values []float64, bound float64) Chart {
	const width, height = 120.0, 30.0
	if len(values) == 0 {
		return Chart{}
	}
	high, low := max(bound*1.1, 1e-9), 0.0
	for _, v := range values {
		if finite(v) {
			high, low = max(high, v), min(low, v)
		}
	}
	var c canvas
	x := scale{low: 0, high: float64(max(len(values)-1, 1)), from: 4, to: width - 5}
	y := scale{low: low, high: high, from: height - 4, to: 4}
	if bound > 0 {
		c.line(2, y.at(bound), width-2, y.at(bound), "bound")
	}
	points := make([][2]float64, len(values))
	for i, v := range values {
		points[i] = [2]float64{x.at(float64(i)), y.at(v)}
	}
	c.path(polyline(points), "line thin now")
	for i, v := range values {
		at := points[i]
		switch {
		case !finite(v):
		case bound > 0 && v >= bound:
			c.circle(at[0], at[1], 2.4, "dot over")
		case i == len(values)-1:
			c.circle(at[0], at[1], 2.4, "dot now")
		}
	}
	return Chart{Title: title, width: width, height: height, body: c.String()}
}

// Bar draws a value as a part of the largest one. Over marks it as beyond its bound.
func Bar(title string, value, largest float64, over bool) Chart {
	const width, height = 120.0, 14.0
	var c canvas
	class := "area now"
	if over {
		class = "area over"
	}
	s := scale{low: 0, high: max(largest, 1e-12), from: 0, to: width}
	c.rect(0, 2, width, height-4, "track")
	if value > 0 {
		c.rect(0, 2, max(s.inside(value), 1), height-4, class)
	}
	return Chart{Title: title, width: width, height: height, body: c.String()}
}

// Strip draws two histograms of the same bins in text height: the reference as a line over
// the bars of the batch.
func Strip(title string, ref, cur []float64) Chart {
	const width, height = 132.0, 34.0
	if len(cur) == 0 || len(ref) != len(cur) {
		return Chart{}
	}
	top := 1e-9
	for i := range cur {
		top = max(top, cur[i], ref[i])
	}
	p := &plot{width: width, height: height}
	p.x = scale{low: 0, high: float64(len(cur)), from: 1, to: width - 1}
	p.y = scale{low: 0, high: top, from: height - 2, to: 2}
	edges := make([]float64, len(cur)+1)
	for i := range edges {
		edges[i] = float64(i)
	}
	p.bars(edges, Histogram{Series: Now, Shares: cur})
	p.path(polyline(p.steps(edges, cur)), "line hair now")
	p.path(polyline(p.steps(edges, ref)), "line hair ref")
	p.line(1, p.y.from, width-1, p.y.from, "axis")
	return Chart{Title: title, width: width, height: height, body: p.String()}
}

// A Forest draws intervals of several rows of a table on one scale.
type Forest struct {
	Low, High float64 // ends of the scale
	// Zero is what means "no difference": a line in every row. NaN is none.
	Zero float64
}

const (
	forestWidth  = 260.0
	forestHeight = 26.0
)

func (f Forest) scale() scale {
	return scale{low: f.Low, high: f.High, from: 8, to: forestWidth - 8}
}

// Axis draws the scale, for the head of the column.
func (f Forest) Axis(title string) Chart {
	var c canvas
	s := f.scale()
	t := ticks(f.Low, f.High, 5)
	text := plainTicks(t)
	c.line(s.from, forestHeight-2, s.to, forestHeight-2, "axis")
	for _, v := range t {
		label := text(v)
		half := textWidth(label) / 2
		c.line(s.at(v), forestHeight-6, s.at(v), forestHeight-2, "axis")
		c.text(min(max(s.at(v), half), forestWidth-half), forestHeight-9, "middle", "tick", label)
	}
	return Chart{Title: title, width: forestWidth, height: forestHeight, body: c.String()}
}

// A Row is an interval in a forest.
type Row struct {
	Title    string
	Interval Interval
	// Bounds are where a rule draws its lines, NaN for none: what lies beyond is not let
	// through.
	Bounds [2]float64
	Fails  bool // the rule is not met
	Series Series
}

// Row draws one interval. An end beyond the scale becomes an arrow.
func (f Forest) Row(r Row) Chart {
	var c canvas
	s := f.scale()
	y := forestHeight / 2
	for i, b := range r.Bounds {
		if !finite(b) {
			continue
		}
		from, to := s.from, s.inside(b)
		if i == 1 {
			from, to = s.inside(b), s.to
		}
		c.rect(from, 0, to-from, forestHeight, "beyond")
		c.line(s.inside(b), 0, s.inside(b), forestHeight, "bound")
	}
	if finite(f.Zero) {
		c.line(s.at(f.Zero), 0, s.at(f.Zero), forestHeight, "axis")
	}
	class := string(r.Series)
	if r.Fails {
		class = "over"
	}
	c.whiskers(s, r.Interval, y, class)
	c.circle(s.inside(r.Interval.Value), y, 4, "dot "+class)
	return Chart{Title: r.Title, width: forestWidth, height: forestHeight, body: c.String()}
}

// whiskers draws the interval at a height, with an arrow where it goes on.
func (c *canvas) whiskers(s scale, i Interval, y float64, class string) {
	if !finite(i.Low) || !finite(i.High) {
		return
	}
	low, high := s.inside(i.Low), s.inside(i.High)
	c.line(low, y, high, y, "whisker "+class)
	if i.Low < s.low {
		c.path(polyline([][2]float64{{low + 5, y - 4}, {low, y}, {low + 5, y + 4}}), "whisker "+class)
	} else {
		c.line(low, y-4, low, y+4, "whisker "+class)
	}
	if i.High > s.high {
		c.path(polyline([][2]float64{{high - 5, y - 4}, {high, y}, {high - 5, y + 4}}), "whisker "+class)
	} else {
		c.line(high, y-4, high, y+4, "whisker "+class)
	}
}

// A Grid is counts by row and column, both from 1 on.
type Grid struct {
	Title, RowLabel, ColumnLabel string
	Desc                         string
	Counts                       [][]int64
}

// Matrix draws counts as a grid of shades with the share of each row.
func Matrix(g Grid) Chart {
	n := len(g.Counts)
	if n == 0 {
		return Chart{}
	}
	const left, top, size = 34.0, 22.0, 30.0
	p := &plot{width: cardWidth, height: top + size*float64(n) + 30}
	head := []string{g.RowLabel + " / " + g.ColumnLabel}
	var rows [][]string
	largest := 0.0
	for _, counts := range g.Counts {
		for _, c := range counts {
			largest = max(largest, float64(c)/float64(max(sum(counts), 1)))
		}
	}
	for i, counts := range g.Counts {
		total := max(sum(counts), 1)
		head = append(head, strconv.Itoa(i+1))
		row := []string{strconv.Itoa(i + 1)}
		y := top + size*float64(n-1-i)
		p.text(left-6, y+size/2+4, "end", "tick", strconv.Itoa(i+1))
		p.text(left+size*(float64(i)+0.5), top+size*float64(n)+13, "middle", "tick", strconv.Itoa(i+1))
		for j, c := range counts {
			share := float64(c) / float64(total)
			row = append(row, figure.Count(c))
			p.cell(left+size*float64(j), y, size, share, largest)
		}
		rows = append(rows, row)
	}
	p.text(left, 12, "start", "dim", g.RowLabel+" up, "+g.ColumnLabel+" across, % of the row")
	return p.chart(g.Title, g.Desc, head, rows)
}

func sum(counts []int64) int64 {
	total := int64(0)
	for _, c := range counts {
		total += c
	}
	return total
}

func (c *canvas) cell(x, y, size, share, largest float64) {
	shade := min(int(share/max(largest, 1e-9)*5+0.999), 5)
	c.rect(x+0.5, y+0.5, size-1, size-1, "shade"+strconv.Itoa(shade))
	if share >= 0.005 {
		c.text(x+size/2, y+size/2+3.5, "middle", "on"+strconv.Itoa(shade), strconv.Itoa(int(100*share+0.5)))
	}
}
