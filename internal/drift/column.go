package drift

import (
	"math"
	"slices"
	"strconv"

	"headgate/internal/profile"
	"headgate/internal/sketch"
)

// A comparison is a column on both sides while it is compared.
type comparison struct {
	*Column
	ref, cur *profile.Column
	exact    bool // both sides know every value
	hide     bool // no value may be shown
	codes    bool // numbers are codes of categories
}

// compareColumn measures a column of the same kind that has rows on both sides.
// The verdict is not in it yet.
func compareColumn(ref, cur *profile.Column, policy Policy) Column {
	out := Column{Name: cur.Name, Kind: cur.Kind, N: ref.Rows, M: cur.Rows, Level: None, Size: Small}
	c := &comparison{
		Column: &out, ref: ref, cur: cur, exact: ref.Exact() && cur.Exact(), codes: policy.Codes,
		hide: policy.Hide || ref.Confidential || cur.Confidential || cur.Kind == profile.Binary,
	}
	out.Restricted = ref.Restricted || cur.Restricted
	out.Missing = proportion(ref.Nulls+ref.NaNs, ref.Rows, cur.Nulls+cur.NaNs, cur.Rows)
	switch {
	case out.Restricted || cur.Kind == profile.Opaque:
		c.byMissing()
	case cur.Kind == profile.Text || cur.Kind == profile.Binary:
		c.texts()
	case cur.Kind == profile.Boolean:
		c.booleans()
	default:
		c.numbers()
	}
	return out
}

// byMissing compares only how many values there are.
func (c *comparison) byMissing() {
	c.Basis = ByMissing
	c.measure([]cell{{"a value", c.ref.Values(), c.cur.Values()}})
}

// booleans compares how often false and true are.
func (c *comparison) booleans() {
	ref, cur := c.ref.Values()-c.ref.Zeros, c.cur.Values()-c.cur.Zeros
	c.True = proportion(ref, c.ref.Values(), cur, c.cur.Values())
	c.Basis = ByValue
	c.measure([]cell{{"false", c.ref.Zeros, c.cur.Zeros}, {"true", ref, cur}})
}

// numbers compares numbers, dates and times. If both sides know each value, so do
// the bins; else they are those of the sketches.
func (c *comparison) numbers() {
	ref, cur := c.ref.Quantiles.Bins(), c.cur.Quantiles.Bins()
	if c.exact {
		ref, cur = points(&c.ref.Frequent), points(&c.cur.Frequent)
	}
	c.spread(ref, cur)
	if n := count(cur); n > 0 && c.ref.Values() > 0 && !c.ref.Confidential {
		outside := int64(0)
		for _, b := range cur {
			if b.High < c.ref.Min || b.Low > c.ref.Max {
				outside += int64(b.Count)
			}
		}
		c.OutOfRange = rounded(float64(outside) / float64(n))
	}
	if c.codes && c.countable() {
		c.byValue()
		return
	}
	format := func(x float64) string { return c.cur.FormatNumber(round(x)) }
	c.Basis = ByDecile
	cells := eachValue(ref, cur, format)
	switch {
	case len(cells) > few:
		cells = deciles(ref, cur, format)
	case c.exact:
		c.Basis = ByValue
	}
	c.measure(cells)
	if !c.exact && !c.ref.Confidential && !c.cur.Confidential {
		c.means()
	}
}

// means compares the means, which are exact, where values lie so close together
// that the bins of the sketches do not tell them apart: temperatures in kelvin, or
// dates. The Kullback–Leibler J of two normal distributions of equal spread is the
// square of their distance in standard deviations, and so stands in for PSI.
func (c *comparison) means() {
	a, s := c.ref.MeanStd()
	b, u := c.cur.MeanStd()
	n, m := float64(c.ref.Values()), float64(c.cur.Values())
	variance := (n*s*s + m*u*u) / (n + m)
	if !(variance > 0) || math.IsInf(variance, 0) || math.Sqrt(variance) > math.Abs(a)/32 {
		return
	}
	effect := round(max((b-a)*(b-a)/variance-ExpectedPSI(int64(n), int64(m), 2), 0))
	if effect > c.Effect {
		z := (b - a) / math.Sqrt(s*s/n+u*u/m)
		c.Basis, c.Effect, c.P = ByMean, effect, rounded(math.Erfc(math.Abs(z)/math.Sqrt2))
	}
}

// few is how many values numbers may have, so that each is a bin of its own: codes
// of categories come as numbers too, and tenths could hide what happens to one.
const few = 20

// eachValue makes a cell of each bin, or a few more than few.
func eachValue(ref, cur []sketch.Bin, format func(float64) string) []cell {
	ref, cur = ref[:min(len(ref), few+1)], cur[:min(len(cur), few+1)]
	var cells []cell
	walk(ref, cur, func(b sketch.Bin, n, m int64) { cells = append(cells, cell{format(b.Mid()), n, m}) })
	return cells
}

// points returns the values as bins without width.
func points(f *sketch.Frequent) []sketch.Bin {
	var out []sketch.Bin
	for _, v := range f.Values() {
		x := math.Float64frombits(sketch.Unmix(v.Hash))
		if v.Text != "" { // a whole number that float64 does not hold
			x, _ = strconv.ParseFloat(v.Text, 64)
		}
		out = append(out, sketch.Bin{Low: x, High: x, Count: v.Count})
	}
	slices.SortFunc(out, order)
	// Big neighbours may be the same float64.
	merged := out[:0]
	for _, b := range out {
		if last := len(merged) - 1; last >= 0 && order(merged[last], b) == 0 {
			merged[last].Count += b.Count
		} else {
			merged = append(merged, b)
		}
	}
	return merged
}

// spread adds the measures of ordered values, if both sides have any.
func (c *comparison) spread(ref, cur []sketch.Bin) {
	ks, err := KolmogorovSmirnov(ref, cur)
	if err != nil {
		return
	}
	c.KS = &Smirnov{round(ks.D), round(ks.High), round(ks.P)}
	if mean, std := c.ref.MeanStd(); std > 0 {
		moved, _ := c.cur.MeanStd()
		c.MeanShift = rounded((moved - mean) / std)
		if distance, err := Wasserstein(ref, cur); err == nil {
			c.Wasserstein = rounded(distance / std)
		}
	}
}

// often is how many rows a value must have on average, so that very many values
// are categories and not keys.
const often = 20

// texts compares texts and bytes.
func (c *comparison) texts() {
	if c.countable() {
		c.byValue()
		return
	}
	c.Basis = ByLength
	ref, cur := c.ref.Quantiles.Bins(), c.cur.Quantiles.Bins()
	c.spread(ref, cur)
	c.measure(deciles(ref, cur, func(x float64) string { return strconv.FormatFloat(math.Floor(x), 'f', -1, 64) + " long" }))
}

// countable reports whether values can be compared one by one: all are known, or
// those of a sample are and occur often.
func (c *comparison) countable() bool {
	return c.exact || !c.ref.Confidential && !c.cur.Confidential && repeats(c.ref) && repeats(c.cur)
}

// repeats reports whether values occur often, or there are none.
func repeats(c *profile.Column) bool {
	return float64(c.Values()) >= often*c.Distincts()
}

// byValue compares texts, bytes and codes value by value.
func (c *comparison) byValue() {
	values, sample := pairs(&c.ref.Frequent, &c.cur.Frequent)
	var cells []cell
	for _, v := range values {
		cells = append(cells, cell{c.label(v.Value), v.ref, v.cur})
	}
	if c.Basis = ByValue; sample {
		c.Basis = BySample
	} else {
		c.New = c.categories(values, c.cur.Rows, func(v pair) (n, other int64) { return v.cur, v.ref })
		c.Vanished = c.categories(values, c.ref.Rows, func(v pair) (n, other int64) { return v.ref, v.cur })
	}
	c.measure(cells)
}

// label writes a value, if it may be shown and there is something to write.
func (c *comparison) label(v sketch.Value) string {
	if c.hide {
		return ""
	}
	if c.Kind == profile.Text {
		return strconv.Quote(c.cur.Format(v))
	}
	return c.cur.Format(v)
}

// most is how many values or bins a report shows.
const most = 5

// categories returns the values that one side has and the other has not.
func (c *comparison) categories(values []pair, rows int64, side func(pair) (n, other int64)) *Categories {
	var found []pair
	total := int64(0)
	for _, v := range values {
		if n, other := side(v); n > 0 && other == 0 {
			found, total = append(found, v), total+n
		}
	}
	slices.SortStableFunc(found, func(a, b pair) int {
		return int(max(-1, min(1, (b.ref+b.cur)-(a.ref+a.cur))))
	})
	out := &Categories{Count: len(found), Share: round(float64(total) / float64(rows))}
	if !c.hide {
		for _, v := range found[:min(most, len(found))] {
			out.Values = append(out.Values, c.cur.Format(v.Value))
		}
	}
	return out
}

// measure adds the measures of bins. cells are those of the values that are
// neither null, NaN nor infinite, which get cells of their own. If cells hold a
// sample, these are thinned as the sample is, so that shares stay.
func (c *comparison) measure(cells []cell) {
	var n, m int64
	for _, cell := range cells {
		n, m = n+cell.ref, m+cell.cur
	}
	thin := func(rows, sampled, values int64) int64 {
		if sampled == values || values == 0 {
			return rows
		}
		return int64(math.Round(float64(rows) * float64(sampled) / float64(values)))
	}
	for _, special := range []cell{
		{"null", c.ref.Nulls, c.cur.Nulls},
		{"NaN", c.ref.NaNs, c.cur.NaNs},
		{"+infinite", c.ref.PosInfs, c.cur.PosInfs},
		{"-infinite", c.ref.NegInfs, c.cur.NegInfs},
	} {
		special.ref = thin(special.ref, n, c.ref.Values())
		special.cur = thin(special.cur, m, c.cur.Values())
		cells = append(cells, special)
	}
	for i := range cells {
		if c.hide && i < len(cells)-4 {
			cells[i].label = "bin " + strconv.Itoa(i+1)
		}
	}
	c.index(cells)
}

// index adds PSI, Jensen–Shannon, L∞ and χ², unless a side is left without rows.
func (c *comparison) index(cells []cell) {
	ref, cur := counts(cells)
	n, m, err := totals(ref, cur)
	if err != nil {
		return
	}
	cells = pool(cells)
	ref, cur = counts(cells)
	value, _ := PSI(ref, cur) // pooling keeps the totals, so there is no error from here on
	raw, _ := RawPSI(ref, cur)
	bits, _ := JensenShannon(ref, cur)
	largest, _ := LInfinity(ref, cur)
	chi, _ := ChiSquare(ref, cur)
	expected := ExpectedPSI(n, m, len(cells))
	c.PSI = &Index{round(value), rounded(raw), round(expected), len(cells)}
	c.Effect = round(max(value-expected, 0))
	c.P = rounded(PSIP(value, n, m, len(cells)))
	c.JS = &Distance{round(bits), round(math.Sqrt(bits))}
	c.LInfinity = rounded(largest)
	c.ChiSquare = &Homogeneity{round(chi.Statistic), chi.DF, round(chi.P), round(chi.V)}
	c.Moves = moves(cells, n, m)
}

// moves returns the bins that moved most.
func moves(cells []cell, n, m int64) []Move {
	type moved struct {
		Move
		weight float64
	}
	var all []moved
	for _, c := range cells {
		r, q := float64(c.ref)/float64(n), float64(c.cur)/float64(m)
		if r == q {
			continue
		}
		r2, q2 := (float64(c.ref)+0.5)/float64(n), (float64(c.cur)+0.5)/float64(m)
		all = append(all, moved{Move{c.label, round(r), round(q)}, round((q2 - r2) * math.Log(q2/r2))})
	}
	slices.SortStableFunc(all, func(a, b moved) int {
		switch {
		case a.weight > b.weight:
			return -1
		case a.weight < b.weight:
			return 1
		}
		return 0
	})
	var out []Move
	for _, a := range all[:min(most, len(all))] {
		out = append(out, a.Move)
	}
	return out
}

// proportion is [TwoProportion] for a report, nil if a side has no rows.
func proportion(a, n, b, m int64) *Proportion {
	p, err := TwoProportion(a, n, b, m)
	if err != nil {
		return nil
	}
	return &Proportion{round(p.Reference), round(p.Current), round(p.Z), round(p.P)}
}

// round keeps six significant digits.
func round(x float64) float64 {
	r, err := strconv.ParseFloat(strconv.FormatFloat(x, 'g', 6, 64), 64)
	if err != nil { // rounding the largest numbers overflows
		return x
	}
	return r + 0 // and not −0
}

// rounded is round as a pointer, nil for what JSON cannot hold.
func rounded(x float64) *float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return nil
	}
	x = round(x)
	return &x
}
