package chart

import "headgate/internal/figure"

// A Line is a value for each batch, with an interval where there is one.
type Line struct {
	Series Series
	Name   string
	Values []Interval // one for each label; a Value of NaN is a gap
}

// A Trended is values over batches.
type Trended struct {
	Title  string
	YLabel string
	Labels []string // batches, oldest first
	Lines  []Line
	Bound  *float64 // a line across: what is asked for
	Text   func(float64) string
	Tall   bool // as high as [Curves], to stand beside them
}

// mostDots is how many values have a dot of their own; more than that are a line.
const mostDots = 24

// Trend draws values over batches with their intervals as bands.
func Trend(t Trended) Chart {
	low, high, any := trendRange(t)
	if len(t.Labels) == 0 || !any {
		return Chart{}
	}
	n := len(t.Labels)
	height := 188.0
	if t.Tall {
		height = squareHeight
	}
	p := newPlot(height, 42, [2]float64{0, float64(max(n-1, 1))}, [2]float64{low, high})
	p.x.from, p.x.to = p.x.from+6, p.x.to-6
	yt := ticks(low, high, 4)
	text := plainTicks(yt)
	if t.Text != nil {
		text = t.Text
	}
	p.yAxis(yt, text)
	if t.Bound != nil {
		p.line(p.x.from, p.y.at(*t.Bound), p.x.to, p.y.at(*t.Bound), "bound")
	}
	var legend []named
	for _, l := range t.Lines {
		p.trendBand(l)
	}
	for _, l := range t.Lines {
		var points [][2]float64
		for i, v := range l.Values {
			points = append(points, [2]float64{p.x.at(float64(i)), p.y.at(v.Value)})
		}
		p.path(polyline(points), "line "+string(l.Series))
		for i, v := range l.Values {
			if finite(v.Value) && n <= mostDots {
				p.circle(points[i][0], points[i][1], 2.4, "dot "+string(l.Series))
			}
		}
		legend = append(legend, named{l.Series, l.Name})
	}
	p.batchAxis(t.Labels)
	p.text(p.x.from, p.height-5, "start", "dim", t.YLabel)
	p.legend(p.x.from, 12, legend)
	return p.chart(t.Title, t.YLabel+" by batch, with intervals.", trendHead(t), trendRows(t))
}

// batchAxis labels the first, the last and some batches between.
func (p *plot) batchAxis(labels []string) {
	p.line(p.x.from-6, p.y.from, p.x.to+6, p.y.from, "axis")
	n := len(labels)
	step := max((n+3)/4, 1)
	for i := n - 1; i >= 0; i -= step {
		x := p.x.at(float64(i))
		p.line(x, p.y.from, x, p.y.from+3, "axis")
		p.text(p.centred(x, labels[i]), p.y.from+14, "middle", "tick", labels[i])
	}
}

// trendBand draws the interval of each run of neighbouring values as a band, or as a
// whisker where a value stands alone.
func (p *plot) trendBand(l Line) {
	var xs, lows, highs []float64
	flush := func() {
		switch {
		case len(xs) == 1:
			x := p.x.at(xs[0])
			p.line(x, p.y.inside(lows[0]), x, p.y.inside(highs[0]), "whisker "+string(l.Series))
		case len(xs) > 1:
			p.band(xs, lows, highs, l.Series)
		}
		xs, lows, highs = nil, nil, nil
	}
	for i, v := range l.Values {
		if !finite(v.Value) || !finite(v.Low) || !finite(v.High) {
			flush()
			continue
		}
		xs, lows, highs = append(xs, float64(i)), append(lows, v.Low), append(highs, v.High)
	}
	flush()
}

func trendRange(t Trended) (low, high float64, any bool) {
	see := func(v float64) {
		if !finite(v) {
			return
		}
		if !any {
			low, high, any = v, v, true
		}
		low, high = min(low, v), max(high, v)
	}
	for _, l := range t.Lines {
		for _, v := range l.Values {
			if finite(v.Value) {
				see(v.Value)
				see(v.Low)
				see(v.High)
			}
		}
	}
	if t.Bound != nil {
		see(*t.Bound)
	}
	room := (high - low) * 0.08
	if room == 0 {
		room = max(high*0.05, 1e-3)
	}
	return low - room, high + room, any
}

func trendHead(t Trended) []string {
	head := []string{"Batch"}
	for _, l := range t.Lines {
		head = append(head, l.Name, "Low", "High")
	}
	return head
}

func trendRows(t Trended) [][]string {
	var rows [][]string
	for i, label := range t.Labels {
		row := []string{label}
		for _, l := range t.Lines {
			v := l.Values[i]
			row = append(row, figure.Number(v.Value), figure.Number(v.Low), figure.Number(v.High))
		}
		rows = append(rows, row)
	}
	return rows
}

// A Span is a piece of a lane, from one place to another, both counted in labels.
type Span struct {
	From, To float64
	Text     string
	Series   Series
}

// A Moment is a point of a lane at which something happened.
type Moment struct {
	At   float64
	Text string
	Bad  bool
}

// A Lane is a line of a timeline: a model, say, and when it served.
type Lane struct {
	Name    string
	Spans   []Span
	Moments []Moment
}

// A Timed is lanes over the same labels.
type Timed struct {
	Title, Desc string
	Labels      []string // of the places 0, 1, …: batches, or days
	Lanes       []Lane
}

// Timeline draws who did what and when, on the whole width of the page.
func Timeline(t Timed) Chart {
	const width, left, lane = 1060.0, 150.0, 46.0
	if len(t.Labels) == 0 || len(t.Lanes) == 0 {
		return Chart{}
	}
	p := &plot{width: width, height: lane*float64(len(t.Lanes)) + 34}
	p.x = scale{low: 0, high: float64(len(t.Labels)), from: left, to: width - 10}
	bottom := p.height - 26
	for i, label := range t.Labels {
		x := p.x.at(float64(i))
		p.line(x, 4, x, bottom, "grid")
		p.text((x+p.x.at(float64(i+1)))/2, p.height-8, "middle", "tick", label)
	}
	var rows [][]string
	for i, l := range t.Lanes {
		y := 6 + lane*float64(i)
		p.text(left-10, y+16, "end", "", l.Name)
		for _, s := range l.Spans {
			x, w := p.x.at(s.From), p.x.at(s.To)-p.x.at(s.From)
			p.rect(x+1, y+4, w-2, 16, "area "+string(s.Series))
			if textWidth(s.Text) < w-6 {
				p.text(x+6, y+16, "start", "on "+string(s.Series), s.Text)
			}
			rows = append(rows, []string{l.Name, t.label(s.From), t.label(s.To - 1e-9), s.Text})
		}
		rows = append(rows, p.moments(t, l, y)...)
	}
	p.line(left, bottom, p.x.to, bottom, "axis")
	return p.chart(t.Title, t.Desc, []string{"Lane", "From", "To", "What"}, rows)
}

func (p *plot) moments(t Timed, l Lane, y float64) [][]string {
	var rows [][]string
	for _, m := range l.Moments {
		class := "dot now"
		if m.Bad {
			class = "dot over"
		}
		x := p.x.at(m.At)
		p.circle(x, y+12, 4.5, class)
		p.text(p.centred(x, m.Text), y+35, "middle", "tick", m.Text)
		rows = append(rows, []string{l.Name, t.label(m.At), t.label(m.At), m.Text})
	}
	return rows
}

func (t Timed) label(at float64) string {
	return t.Labels[min(max(int(at), 0), len(t.Labels)-1)]
}
