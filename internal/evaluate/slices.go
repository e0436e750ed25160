package evaluate

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
)

// A Dimension cuts rows into slices: those that have the same value.
type Dimension struct {
	Name   string
	Values []string // of each row
}

// SliceOptions say which slices are judged. The zero value is good.
type SliceOptions struct {
	Metrics []Metric // nil means AUC, log loss and Brier score
	MinRows int64    // that a slice needs; 0 means 100
}

// A Slice is what there is to say about the rows that have one value.
type Slice struct {
	Dimension string        `json:"dimension"`
	Value     string        `json:"value"`
	Rows      int64         `json:"rows"`
	Metrics   []SliceMetric `json:"metrics"`
	// Missing are the metrics that the slice does not have. That is inconclusive, and
	// not a pass.
	Missing []Missing `json:"missing,omitempty"`
}

// A SliceMetric is a metric of a slice. Its interval holds for all slices at once:
// that one of them misses is no likelier than 1 − the level that was asked for.
type SliceMetric struct {
	Measured
	// Gap is by how much the metric is above that of all other rows, at the level of
	// one interval. It is nil if these do not have it.
	Gap *Estimate `json:"gap,omitempty"`
	// P is the probability that chance gives such a gap somewhere among all slices, by
	// Holm's method; 1 without a gap.
	P           float64 `json:"p"`
	Significant bool    `json:"significant"` // P is below 1 − the level
}

// BySlice judges every slice of every dimension that has enough rows, in the order of
// the dimensions and of the values. Errors are as in [Of].
//
// Source: Bonferroni for the intervals; Holm, "A Simple Sequentially Rejective
// Multiple Test Procedure", 1979, for the gaps.
func BySlice(d Data, dimensions []Dimension, so *SliceOptions, o *Options) ([]Slice, error) {
	options, err := o.checked()
	if err != nil {
		return nil, err
	}
	if err := d.check(); err != nil {
		return nil, err
	}
	settings := so.filled()
	for _, m := range settings.Metrics {
		if err := m.Check(); err != nil {
			return nil, err
		}
	}
	var found []Slice
	var rows [][]bool
	for _, dim := range dimensions {
		if len(dim.Values) != len(d.Scores) {
			return nil, &InputError{-1, fmt.Sprintf("there are %d scores and %d values of %s", len(d.Scores), len(dim.Values), dim.Name)}
		}
		for _, value := range dim.distinct() {
			in := dim.in(value)
			found = append(found, Slice{Dimension: dim.Name, Value: value, Rows: count(in), Metrics: []SliceMetric{}})
			rows = append(rows, in)
		}
	}
	judged := 0
	for _, slice := range found {
		if slice.Rows >= settings.MinRows {
			judged++
		}
	}
	for i := range found {
		if err := found[i].judge(d, rows[i], settings, options, max(judged, 1)); err != nil {
			return nil, err
		}
	}
	holm(found, settings.Metrics, 1-options.Level)
	return found, nil
}

func (so *SliceOptions) filled() SliceOptions {
	out := SliceOptions{}
	if so != nil {
		out = *so
	}
	if out.Metrics == nil {
		out.Metrics = []Metric{AUC, LogLoss, Brier}
	}
	out.MinRows = cmp.Or(out.MinRows, 100)
	return out
}

// distinct returns the values, sorted.
func (dim Dimension) distinct() []string {
	seen := map[string]bool{}
	var values []string
	for _, v := range dim.Values {
		if !seen[v] {
			seen[v] = true
			values = append(values, v)
		}
	}
	slices.Sort(values)
	return values
}

func (dim Dimension) in(value string) []bool {
	in := make([]bool, len(dim.Values))
	for i, v := range dim.Values {
		in[i] = v == value
	}
	return in
}

func count(in []bool) (n int64) {
	for _, x := range in {
		if x {
			n++
		}
	}
	return n
}

// judge measures the metrics of a slice, one of so many that are judged.
func (slice *Slice) judge(d Data, in []bool, so SliceOptions, o *Options, judged int) error {
	if slice.Rows < so.MinRows {
		for _, m := range so.Metrics {
			slice.Missing = append(slice.Missing, Missing{m, fmt.Sprintf("%d rows are fewer than the %d that it takes", slice.Rows, so.MinRows)})
		}
		return nil
	}
	out := make([]bool, len(in))
	for i, x := range in {
		out[i] = !x
	}
	together := *o
	together.Level = 1 - (1-o.Level)/float64(judged)
	for _, m := range so.Metrics {
		e, err := Of(m, d.where(in), &together)
		if errors.Is(err, ErrUndefined) {
			slice.Missing = append(slice.Missing, missing(m, err))
			continue
		}
		if err != nil {
			// The rows of the slice may all have weight 0, which is no fault of the rest.
			slice.Missing = append(slice.Missing, Missing{m, err.Error()})
			continue
		}
		metric := SliceMetric{Measured: Measured{Metric: m, Estimate: e}, P: 1}
		gap, p, err := gapOf(m, d, in, out, o)
		if err == nil {
			metric.Gap, metric.P = &gap, p
		} else if input := new(InputError); !errors.Is(err, ErrUndefined) && !errors.As(err, &input) {
			return err
		}
		slice.Metrics = append(slice.Metrics, metric)
	}
	return nil
}

// gapOf returns by how much a metric of some rows is above that of the others, and
// the probability that chance gives such a gap. Clusters may be on both sides.
func gapOf(m Metric, d Data, in, out []bool, o *Options) (Estimate, float64, error) {
	whole, _, err := d.sample(nil)
	if err != nil {
		return Estimate{}, 0, err
	}
	g := &measurement{influence: make([]float64, len(d.Scores))}
	variance := 0.0
	for _, side := range []struct {
		rows []bool
		sign float64
	}{{in, 1}, {out, -1}} {
		s, _, err := d.where(side.rows).sample(nil)
		if err != nil {
			return Estimate{}, 0, err
		}
		part, err := s.measure(m, o)
		if err != nil {
			return Estimate{}, 0, err
		}
		v, _ := s.variance(part)
		variance += v
		g.value += float64(side.sign * part.value)
		g.rows += part.rows
		at := 0
		for i, x := range side.rows {
			if x && (d.Weights == nil || d.Weights[i] > 0) {
				g.influence[i] = float64(side.sign * part.influence[at])
				at++
			}
		}
	}
	df := 1 << 30
	if whole.clustered() {
		if d.Weights != nil {
			g.influence = pick(g.influence, positive(d.Weights))
		}
		variance, df = whole.variance(g)
	}
	half := float64(critical(o.Level, df) * math.Sqrt(variance))
	e := Estimate{Value: g.value, Low: g.value - half, High: g.value + half, Level: o.Level, N: g.rows}
	p := 1.0
	switch {
	case variance > 0:
		p = twoSided(math.Abs(g.value)/math.Sqrt(variance), df)
	case g.value != 0:
		p = 0
	}
	return e, p, e.finite()
}

func positive(weights []float64) []bool {
	has := make([]bool, len(weights))
	for i, w := range weights {
		has[i] = w > 0
	}
	return has
}

// holm corrects the probabilities of each metric for the number of slices: the k-th
// smallest of n is multiplied by n − k + 1, and none is below the one before it.
func holm(found []Slice, metrics []Metric, alpha float64) {
	for _, m := range metrics {
		var tests []*SliceMetric
		for i := range found {
			for j := range found[i].Metrics {
				if t := &found[i].Metrics[j]; t.Metric == m && t.Gap != nil {
					tests = append(tests, t)
				}
			}
		}
		slices.SortStableFunc(tests, func(a, b *SliceMetric) int { return cmp.Compare(a.P, b.P) })
		least := 0.0
		for k, t := range tests {
			least = max(least, min(1, float64(t.P*float64(len(tests)-k))))
			t.P, t.Significant = least, least < alpha
		}
	}
}
