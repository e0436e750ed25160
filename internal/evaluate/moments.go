package evaluate

import (
	"fmt"
	"math"
	"slices"

	"headgate/internal/sketch"
)

// Moments judges any number of rows whose labels are amounts, in memory that does not
// depend on how many they are: it keeps sums of losses and of their products. The
// values are exact. Intervals are those of [Regression], except that clusters are put
// into 128 groups by hash, as in [Sketch]. Moments of parts can be merged; another
// order can change the last bits.
type Moments struct {
	losses   []loss
	grouped  bool
	rows     int64
	sums     []total         // of weight × term
	products []total         // of weight² × term × term, the lower triangle
	members  [groups][]total // of weight × term, if there are clusters
	missing  map[int]string  // why losses do not exist
}

// A loss is pinball's or Tweedie's.
type loss struct {
	name     Metric
	argument float64
}

// The terms of a row, before those of the metrics.
const (
	termOne = iota
	termScore
	termError
	termAbsolute
	termSquare
	termLabel
	termLabelSquare
	terms
)

// NewMoments returns moments without rows. clustered says that all rows have
// [Data.Clusters]; the options say for which quantiles and powers losses are added up.
func NewMoments(clustered bool, o *Options) (*Moments, error) {
	options, err := o.checked()
	if err != nil {
		return nil, err
	}
	m := &Moments{grouped: clustered, missing: map[int]string{}}
	for _, q := range options.Quantiles {
		if !(q > 0 && q < 1) {
			return nil, &InputError{-1, fmt.Sprintf("the quantile %g is outside of (0, 1)", q)}
		}
		m.losses = append(m.losses, loss{Pinball, q})
	}
	for _, p := range options.Powers {
		if !(p == 0 || p >= 1 && p <= 10) {
			return nil, &InputError{-1, fmt.Sprintf("the power of Tweedie's deviance is %g, and must be 0 or from 1 to 10", p)}
		}
		m.losses = append(m.losses, loss{Tweedie, p})
	}
	n := terms + len(m.losses)
	m.sums, m.products = make([]total, n), make([]total, n*(n+1)/2)
	if clustered {
		for g := range m.members {
			m.members[g] = make([]total, n)
		}
	}
	return m, nil
}

// Add adds rows. After an *[InputError] none of them is added.
func (m *Moments) Add(d Data) error {
	if len(d.Scores) == 0 {
		return nil
	}
	if err := d.check(); err != nil {
		return err
	}
	if m.grouped != (d.Clusters != nil) {
		return &InputError{-1, fmt.Sprintf("the moments have clusters: %t; the rows have: %t", m.grouped, d.Clusters != nil)}
	}
	row := make([]float64, len(m.sums))
	for i, score := range d.Scores {
		w := 1.0
		if d.Weights != nil {
			w = d.Weights[i]
		}
		if w == 0 {
			continue
		}
		m.rows++
		m.terms(row, score, d.Labels[i])
		m.add(row, w)
		if m.grouped {
			members := m.members[sketch.Mix(d.Clusters[i])%groups]
			for k, x := range row {
				members[k].add(float64(w * x))
			}
		}
	}
	return nil
}

// terms sets the terms of a row.
func (m *Moments) terms(row []float64, score, label float64) {
	d := score - label
	row[termOne], row[termScore], row[termError] = 1, score, d
	row[termAbsolute], row[termSquare] = math.Abs(d), float64(d*d)
	row[termLabel], row[termLabelSquare] = label, float64(label*label)
	for k, loss := range m.losses {
		row[terms+k] = 0
		if loss.name == Pinball {
			row[terms+k] = pinballLoss(label, score, loss.argument)
		} else if fault := outside(label, score, loss.argument); fault != "" {
			m.missing[k] = "a row has " + fault
		} else {
			row[terms+k] = deviance(label, score, loss.argument)
		}
	}
}

// add adds the terms of a row and their products.
func (m *Moments) add(row []float64, w float64) {
	at := 0
	for k, x := range row {
		x = float64(w * x)
		m.sums[k].add(x)
		for _, y := range row[:k+1] {
			m.products[at].add(float64(x * float64(w*y)))
			at++
		}
	}
}

// Merge adds what other has added. Both must have been made alike.
func (m *Moments) Merge(other *Moments) error {
	if m.grouped != other.grouped || !slices.Equal(m.losses, other.losses) {
		return &InputError{-1, fmt.Sprintf("moments with clusters %t and losses %v, and with %t and %v, cannot be merged", m.grouped, m.losses, other.grouped, other.losses)}
	}
	m.rows += other.rows
	merge(m.sums, other.sums)
	merge(m.products, other.products)
	for g := range m.members {
		merge(m.members[g], other.members[g])
	}
	for k, reason := range other.missing {
		m.missing[k] = reason
	}
	return nil
}

func merge(sums, others []total) {
	for i, o := range others {
		sums[i].add(o.sum)
		sums[i].rest += o.rest
	}
}

// Report judges the rows that were added, as [Regression] does. The quantiles and
// powers are those of [NewMoments].
func (m *Moments) Report(o *Options) (*Report, error) {
	options, err := o.checked()
	if err != nil {
		return nil, err
	}
	if m.rows < 2 {
		return nil, &InputError{-1, fmt.Sprintf("there are %d rows, and an interval takes two", m.rows)}
	}
	weight := m.sums[termOne].value()
	mean := make([]float64, len(m.sums))
	for k := range mean {
		mean[k] = m.sums[k].value() / weight
	}
	r := &Report{Rows: m.rows, Weight: weight, Metrics: []Measured{}}
	positive := &measurement{high: math.MaxFloat64}
	m.report(r, MeanScore, &measurement{}, mean, gradient{termScore: 1}, options)
	m.report(r, Bias, &measurement{}, mean, gradient{termError: 1}, options)
	m.report(r, MAE, positive, mean, gradient{termAbsolute: 1}, options)
	root := &measurement{inner: &measurement{scale: logarithm}, outer: math.Sqrt}
	m.report(r, RMSE, root, mean, gradient{termSquare: 1}, options)
	variance := mean[termLabelSquare] - float64(mean[termLabel]*mean[termLabel])
	if q := mean[termSquare] / variance; variance > float64(1e-13*mean[termLabelSquare]) {
		rest := &measurement{inner: &measurement{value: q, scale: logarithm}, outer: func(q float64) float64 { return 1 - q }}
		m.report(r, R2, rest, mean, gradient{termSquare: 1 / variance, termLabelSquare: -q / variance, termLabel: float64(2*float64(q*mean[termLabel])) / variance}, options)
	} else {
		r.Missing = append(r.Missing, Missing{R2, "all labels are alike"})
	}
	for k, loss := range m.losses {
		metric := At(loss.name, loss.argument)
		if reason := m.missing[k]; reason != "" {
			r.Missing = append(r.Missing, Missing{metric, reason})
			continue
		}
		m.report(r, metric, positive, mean, gradient{terms + k: 1}, options)
	}
	return r, nil
}

// A gradient is by how much a metric grows with the means of terms.
type gradient map[int]float64

// report adds a metric to a report: the mean of the one term of its gradient, unless
// it has a value, and outer of that.
func (m *Moments) report(r *Report, metric Metric, as *measurement, mean []float64, by gradient, o *Options) {
	inner := *as
	if as.inner != nil {
		inner = *as.inner
	}
	if len(by) == 1 {
		for k := range by {
			inner.value = mean[k]
		}
	}
	inner.rows = m.rows
	variance, df := m.variance(mean, by)
	e := inner.interval(variance, df, o)
	if as.inner != nil {
		outer := &measurement{value: as.outer(inner.value), inner: &inner, outer: as.outer}
		e = outer.through(e)
	}
	if err := e.finite(); err != nil {
		r.Missing = append(r.Missing, missing(metric, err))
		return
	}
	r.Metrics = append(r.Metrics, Measured{Metric: metric, Estimate: e})
}

// variance returns that of a metric and its degrees of freedom.
func (m *Moments) variance(mean []float64, by gradient) (float64, int) {
	weight := m.sums[termOne].value()
	whole := make([]float64, len(mean)) // the gradient, and at 1 what centres it
	for k := range whole {
		whole[k] = by[k]
		whole[termOne] -= float64(by[k] * mean[k])
	}
	var sum total
	if m.grouped {
		for _, members := range m.members {
			part := 0.0
			for k, x := range whole {
				part += float64(x * members[k].value())
			}
			sum.add(float64(part * part))
		}
		return sum.value() / float64(weight*weight) * bessel(groups), groups - 1
	}
	at := 0
	for k, x := range whole {
		for l, y := range whole[:k+1] {
			factor := 2.0
			if l == k {
				factor = 1
			}
			sum.add(float64(factor * float64(float64(x*y)*m.products[at].value())))
			at++
		}
	}
	return max(0, sum.value()) / float64(weight*weight) * bessel(m.rows), int(max(1, min(m.rows-1, 1<<30)))
}
