package chart

import "headgate/internal/figure"

// A Curve is a line through points, with a band if Low and High are as long as Y.
type Curve struct {
	Series    Series
	Name      string
	X, Y      []float64
	Low, High []float64
}

// A Square is curves in the unit square: ROC, precision and recall.
type Square struct {
	Title, XLabel, YLabel string
	Desc                  string
	Curves                []Curve
	Diagonal              bool     // chance lies there
	Level                 *float64 // chance lies at this height
}

// squareHeight makes the unit square a square in a card.
const squareHeight = 300.0

// Curves draws curves in the unit square with their bands.
func Curves(s Square) Chart {
	if len(s.Curves) == 0 {
		return Chart{}
	}
	p := newPlot(squareHeight, 38, [2]float64{0, 1}, [2]float64{0, 1})
	quarter := []float64{0, 0.25, 0.5, 0.75, 1}
	p.yAxis(quarter, plainTicks(quarter))
	if s.Diagonal {
		p.line(p.x.at(0), p.y.at(0), p.x.at(1), p.y.at(1), "chance")
	}
	if s.Level != nil {
		p.line(p.x.at(0), p.y.at(*s.Level), p.x.at(1), p.y.at(*s.Level), "chance")
		p.text(p.x.from+6, p.y.at(*s.Level)+12, "start", "dim", "chance: "+figure.Percent(*s.Level))
	}
	var legend []named
	for _, c := range s.Curves {
		if len(c.Low) == len(c.X) && len(c.High) == len(c.X) {
			p.band(c.X, c.Low, c.High, c.Series)
		}
	}
	for _, c := range s.Curves {
		p.path(polyline(p.points(c.X, c.Y)), "line "+string(c.Series))
		legend = append(legend, named{c.Series, c.Name})
	}
	p.xAxis(quarter, plainTicks(quarter), s.XLabel)
	p.text(p.x.from+6, p.y.to+12, "start", "dim", s.YLabel)
	p.legend(p.x.from, 12, legend)
	return p.chart(s.Title, s.Desc, curveHead(s), curveRows(s))
}

func (p *plot) points(xs, ys []float64) [][2]float64 {
	points := make([][2]float64, len(xs))
	for i := range xs {
		points[i] = [2]float64{p.x.at(xs[i]), p.y.at(ys[i])}
	}
	return points
}

func (p *plot) band(xs, low, high []float64, series Series) {
	forth, back := p.points(xs, high), p.points(xs, low)
	for i := len(back) - 1; i >= 0; i-- {
		forth = append(forth, back[i])
	}
	p.path(polyline(forth)+"Z", "band "+string(series))
}

func curveHead(s Square) []string {
	return []string{"Series", s.XLabel, s.YLabel, "Low", "High"}
}

// curveRows lists some ten points of each curve.
func curveRows(s Square) [][]string {
	var rows [][]string
	for _, c := range s.Curves {
		step := max((len(c.X)+9)/10, 1)
		for i := 0; i < len(c.X); i += step {
			row := []string{c.Name, figure.Number(c.X[i]), figure.Number(c.Y[i]), "–", "–"}
			if len(c.Low) == len(c.X) && len(c.High) == len(c.X) {
				row[3], row[4] = figure.Number(c.Low[i]), figure.Number(c.High[i])
			}
			rows = append(rows, row)
		}
	}
	return rows
}

// A Predicted is a group of neighbouring scores and what came of it.
type Predicted struct {
	Score float64 // mean
	Rate  Interval
	Rows  int64
}

// A Calibrated is the reliability table of one series.
type Calibrated struct {
	Series Series
	Name   string
	Groups []Predicted // by score
}

// Reliability draws what was predicted against what happened. On the diagonal both are
// the same.
func Reliability(title string, tables []Calibrated) Chart {
	top := 0.0
	for _, t := range tables {
		for _, g := range t.Groups {
			top = max(top, g.Score, g.Rate.Value, min(g.Rate.High, g.Rate.Value*2))
		}
	}
	if top == 0 {
		return Chart{}
	}
	top = min(top*1.06, 1)
	p := newPlot(squareHeight, 38, [2]float64{0, top}, [2]float64{0, top})
	t := ticks(0, top, 5)
	p.yAxis(t, percentTicks(t))
	p.line(p.x.at(0), p.y.at(0), p.x.at(top), p.y.at(top), "chance")
	var legend []named
	var rows [][]string
	for _, table := range tables {
		var line [][2]float64
		for _, g := range table.Groups {
			x := p.x.at(g.Score)
			p.line(x, p.y.inside(g.Rate.Low), x, p.y.inside(g.Rate.High), "whisker "+string(table.Series))
			line = append(line, [2]float64{x, p.y.at(g.Rate.Value)})
			rows = append(rows, []string{table.Name, figure.Percent(g.Score), figure.Percent(g.Rate.Value), figure.Percent(g.Rate.Low), figure.Percent(g.Rate.High), figure.Count(g.Rows)})
		}
		p.path(polyline(line), "line thin "+string(table.Series))
		for _, at := range line {
			p.circle(at[0], at[1], 3, "dot "+string(table.Series))
		}
		legend = append(legend, named{table.Series, table.Name})
	}
	p.xAxis(t, percentTicks(t), "predicted")
	p.text(p.x.from+6, p.y.to+12, "start", "dim", "happened")
	p.legend(p.x.from, 12, legend)
	return p.chart(title, "Share of positive outcomes against the mean score, in groups of equal size. Points on the diagonal are perfectly calibrated.",
		[]string{"Series", "Predicted", "Happened", "Low", "High", "Rows"}, rows)
}
