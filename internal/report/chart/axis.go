package chart

import (
	"math"

	"headgate/internal/figure"
)

// A scale maps values to places on the drawing.
type scale struct {
	low, high float64 // values
	from, to  float64 // places
}

func (s scale) at(v float64) float64 {
	if s.high == s.low {
		return (s.from + s.to) / 2
	}
	return s.from + (v-s.low)/(s.high-s.low)*(s.to-s.from)
}

// inside is at, for values that may be beyond the ends: these stay at the end.
func (s scale) inside(v float64) float64 {
	return s.at(min(max(v, s.low), s.high))
}

// ticks returns at most n round values within [low, high], evenly spaced.
func ticks(low, high float64, n int) []float64 {
	if !(high > low) || math.IsInf(high-low, 0) {
		return []float64{low}
	}
	step := math.Pow(10, math.Floor(math.Log10((high-low)/float64(n))))
	for _, m := range []float64{1, 2, 2.5, 5, 10, 20, 25, 50} {
		first := math.Ceil(low/(step*m) - 1e-9)
		last := math.Floor(high/(step*m) + 1e-9)
		if math.Abs(first) > 1e15 || math.Abs(last) > 1e15 {
			break // neighbouring steps are the same double
		}
		if last-first+1 <= float64(n) {
			var t []float64
			for i := first; i <= last; i++ {
				t = append(t, round(i*step*m, step*m))
			}
			if len(t) > 0 {
				return t
			}
		}
	}
	return []float64{low, high}
}

// round takes away what multiplication left behind a tick's last digit.
func round(x, step float64) float64 {
	p := math.Pow(10, 2-math.Floor(math.Log10(step)))
	if math.IsInf(p, 0) || p == 0 {
		return x
	}
	return math.Round(x*p) / p
}

// tickText writes a tick with as few digits as tell it from the next.
func tickText(v, step float64) string {
	if v == 0 {
		return "0"
	}
	if math.Abs(v) >= 1000 && step >= 1 {
		switch a := math.Abs(v); {
		case a >= 1e6 && math.Mod(v, 1e5) == 0:
			return figure.Fixed(v/1e6, places(step/1e6)) + "M"
		case a >= 1e4 && math.Mod(v, 100) == 0:
			return figure.Fixed(v/1e3, places(step/1e3)) + "k"
		}
		return figure.Count(int64(math.Round(v)))
	}
	if a := math.Abs(step); a < 1e-5 {
		return figure.Number(v)
	}
	return figure.Fixed(v, places(step))
}

// places returns how many decimals a step has.
func places(step float64) int {
	for p := range 6 {
		if s := step * math.Pow(10, float64(p)); math.Abs(s-math.Round(s)) < 1e-6*s {
			return p
		}
	}
	return 6
}

func stepOf(t []float64) float64 {
	if len(t) < 2 {
		return math.Abs(t[0])
	}
	return t[1] - t[0]
}

// A plot is the part of a drawing between its axes.
type plot struct {
	canvas
	x, y          scale
	height, width float64
}

// newPlot returns a plot in a card of a height. Left is the room for the labels of the y
// axis.
func newPlot(height, left float64, x, y [2]float64) *plot {
	return &plot{
		width: cardWidth, height: height,
		x: scale{low: x[0], high: x[1], from: left, to: cardWidth - 8},
		y: scale{low: y[0], high: y[1], from: height - 34, to: 24},
	}
}

// yAxis draws thin lines across and their labels.
func (p *plot) yAxis(t []float64, text func(float64) string) {
	for _, v := range t {
		y := p.y.at(v)
		p.line(p.x.from, y, p.x.to, y, "grid")
		p.text(p.x.from-5, y+3.5, "end", "tick", text(v))
	}
}

// xAxis draws the base line, the labels below it, and what is counted.
func (p *plot) xAxis(t []float64, text func(float64) string, label string) {
	p.line(p.x.from, p.y.from, p.x.to, p.y.from, "axis")
	for _, v := range t {
		x := p.x.at(v)
		p.line(x, p.y.from, x, p.y.from+3, "axis")
		s := text(v)
		p.text(p.centred(x, s), p.y.from+14, "middle", "tick", s)
	}
	p.text((p.x.from+p.x.to)/2, p.height-5, "middle", "dim", label)
}

// centred moves the middle of a label so that it stays within the card.
func (p *plot) centred(x float64, s string) float64 {
	half := textWidth(s) / 2
	return min(max(x, half), p.width-half-1)
}

func (p *plot) chart(title, desc string, head []string, rows [][]string) Chart {
	return Chart{Title: title, Desc: desc, Head: head, Rows: rows, width: p.width, height: p.height, body: p.String()}
}

func plainTicks(t []float64) func(float64) string {
	step := stepOf(t)
	return func(v float64) string { return tickText(v, step) }
}

func percentTicks(t []float64) func(float64) string {
	step := 100 * stepOf(t)
	return func(v float64) string { return tickText(100*v, step) + " %" }
}
