package report

import (
	"cmp"
	"math"
	"slices"

	"headgate/internal/profile"
	"headgate/internal/report/chart"
	"headgate/internal/sketch"
)

// A Histogram is a column of the batch, of its reference, and of the batch before, in the
// same bins. Shares are of the rows that have a value. The bins at the ends also hold what
// lies beyond them.
type Histogram struct {
	Kind profile.Kind `json:"kind"`
	// Edges are of the bins of numbers, ascending, one more than bins; nil for categories,
	// and for confidential columns, whose bins are tenths of the reference.
	Edges  []float64 `json:"edges,omitempty"`
	Values []string  `json:"values,omitempty"` // categories, the most frequent first

	Current   []float64 `json:"current"`
	Reference []float64 `json:"reference,omitempty"`
	Before    []float64 `json:"before,omitempty"`
}

const (
	numberBins  = 24
	scoreBins   = 40
	mostValues  = 7
	otherValues = "all others"
)

// HistogramOf returns the histogram of a column. ref and before may be nil. It is nil if no
// value of the column may be shown, or if it has too many texts to tell what is frequent.
func HistogramOf(cur, ref, before *profile.Column) *Histogram {
	if cur == nil {
		return nil
	}
	sides := []*profile.Column{cur, ref, before}
	for i, c := range sides {
		if c != nil && (c.Restricted || c.Kind != cur.Kind || c.Values() == 0) {
			sides[i] = nil
		}
	}
	if sides[0] == nil {
		return nil
	}
	confidential := slices.ContainsFunc(sides, func(c *profile.Column) bool { return c != nil && c.Confidential })
	switch cur.Kind {
	case profile.Number, profile.Date, profile.Timestamp, profile.Time:
		if confidential {
			return blind(sides)
		}
		return numbers(sides, numberBins)
	case profile.Boolean:
		if confidential {
			return nil
		}
		return booleans(sides)
	case profile.Text:
		if confidential || slices.ContainsFunc(sides, func(c *profile.Column) bool { return c != nil && !c.Exact() }) {
			return nil
		}
		return categories(sides)
	}
	return nil
}

// ScoreHistogramOf is HistogramOf for a column of scores, with finer bins.
func ScoreHistogramOf(cur, ref, before *profile.Column) *Histogram {
	if cur == nil || cur.Values() == 0 || cur.Kind != profile.Number || cur.Restricted || cur.Confidential {
		return nil
	}
	return numbers([]*profile.Column{cur, ref, before}, scoreBins)
}

// shares returns the histogram of all sides by what counts one.
func shares(h *Histogram, sides []*profile.Column, count func(*profile.Column) []float64) *Histogram {
	out := [3][]float64{}
	for i, c := range sides {
		if c != nil {
			out[i] = count(c)
		}
	}
	h.Current, h.Reference, h.Before = out[0], out[1], out[2]
	return h
}

func numbers(sides []*profile.Column, most int) *Histogram {
	edges := edgesOf(sides, most)
	return shares(&Histogram{Kind: sides[0].Kind, Edges: edges}, sides, func(c *profile.Column) []float64 {
		return fill(c, edges)
	})
}

// edgesOf returns edges of bins of one width, between the tails of all sides. Whole numbers
// that are few have a bin each.
func edgesOf(sides []*profile.Column, most int) []float64 {
	low, high, integral := math.Inf(1), math.Inf(-1), true
	for _, c := range sides {
		if c == nil {
			continue
		}
		low, high = min(low, c.Quantile(0.002)), max(high, c.Quantile(0.998))
		integral = integral && c.Integral
	}
	if integral && high-low <= float64(2*most) && high-low < 256 {
		low, high = math.Round(low)-0.5, math.Round(high)+0.5
		width := math.Ceil((high - low) / float64(most))
		most = int(math.Ceil((high - low) / width))
		high = low + width*float64(most)
	}
	if !(high > low) {
		low, high = low-0.5, low+0.5
		most = 1
	}
	edges := make([]float64, most+1)
	for i := range edges {
		edges[i] = low + (high-low)*float64(i)/float64(most)
	}
	return edges
}

// fill returns the shares of a column's numbers in bins.
func fill(c *profile.Column, edges []float64) []float64 {
	n := len(edges) - 1
	out := make([]float64, n)
	total := float64(c.Quantiles.Count())
	for _, b := range c.Quantiles.Bins() {
		at, _ := slices.BinarySearch(edges, b.Mid())
		out[min(max(at-1, 0), n-1)] += float64(b.Count) / total
	}
	return out
}

// blind is numbers by the tenths of the reference, whose limits are not told.
func blind(sides []*profile.Column) *Histogram {
	ref := sides[1]
	if ref == nil {
		return nil
	}
	var edges []float64
	for i := range 11 {
		q := sketch.At(ref.Quantiles.Bins(), float64(i)/10)
		if len(edges) == 0 || q > edges[len(edges)-1] {
			edges = append(edges, q)
		}
	}
	if len(edges) < 3 {
		return nil
	}
	return shares(&Histogram{Kind: sides[0].Kind}, sides, func(c *profile.Column) []float64 { return fill(c, edges) })
}

func booleans(sides []*profile.Column) *Histogram {
	return shares(&Histogram{Kind: profile.Boolean, Values: []string{"true", "false"}}, sides, func(c *profile.Column) []float64 {
		no := float64(c.Zeros) / float64(c.Values())
		return []float64{1 - no, no}
	})
}

// categories is the most frequent values of either side, and all others together.
func categories(sides []*profile.Column) *Histogram {
	largest := map[string]float64{}
	counted := map[*profile.Column]map[string]float64{}
	for _, c := range sides {
		if c == nil {
			continue
		}
		counted[c] = map[string]float64{}
		for _, v := range c.Frequent.Values() {
			name, s := c.Format(v), float64(v.Count)/float64(c.Values())
			counted[c][name] += s
			largest[name] = max(largest[name], counted[c][name])
		}
	}
	names := make([]string, 0, len(largest))
	for name := range largest {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(largest[b], largest[a]), cmp.Compare(a, b))
	})
	others := len(names) > mostValues+1
	if others {
		names = names[:mostValues]
	}
	h := &Histogram{Kind: profile.Text, Values: names}
	if others {
		h.Values = append(slices.Clone(names), otherValues)
	}
	return shares(h, sides, func(c *profile.Column) []float64 {
		out := make([]float64, len(h.Values))
		rest := 1.0
		for i, name := range names {
			out[i] = counted[c][name]
			rest -= out[i]
		}
		if others {
			out[len(out)-1] = max(rest, 0)
		}
		return out
	})
}

// chart draws the histogram, tall if it stands beside squares.
func (h *Histogram) chart(title, label string, series [3]string, tall bool) chart.Chart {
	var drawn []chart.Histogram
	for i, side := range [][]float64{h.Current, h.Reference, h.Before} {
		if side != nil {
			drawn = append(drawn, chart.Histogram{Series: [3]chart.Series{chart.Now, chart.Ref, chart.Old}[i], Name: series[i], Shares: side})
		}
	}
	if h.Values != nil {
		return chart.Bars(chart.Grouped{Title: title, Labels: h.Values, Histograms: drawn})
	}
	d := chart.Distributed{Title: title, Label: label, Edges: h.Edges, Histograms: drawn, Tall: tall}
	if h.Edges == nil {
		d.Blind, d.Label = true, "tenths of the reference, without their limits"
		for i := range len(h.Current) + 1 {
			d.Edges = append(d.Edges, float64(i))
		}
	}
	if h.Kind != profile.Number {
		d.Text = (&profile.Column{Kind: h.Kind}).FormatNumber
	}
	return chart.Distribution(d)
}
