package evaluate

import (
	"fmt"
	"math"
)

// A Statistic is a number of some rows that this package does not know, with what it
// takes to give it an interval.
type Statistic struct {
	Value float64
	// Influence says for each row by how much the statistic grows per unit of weight
	// that is added to it; the sum of weight × influence is 0.
	Influence []float64
	// Again computes the statistic with other weights, from several goroutines at once.
	// If it is not nil, intervals of up to 100,000 rows come from a bootstrap.
	Again func(weights []float64) float64
	// Low and High are what the statistic cannot leave; both 0 if nothing is.
	Low, High float64
	// Distance says that the statistic is 0 if nothing differs and never below, so that
	// chance alone makes it larger: as much as that of a draw is larger than it.
	Distance bool
	// Correlation says that it is one, in [−1, 1], whose interval is made on Fisher's
	// scale.
	Correlation bool
}

// Estimate gives a statistic its interval, from the weights and clusters of d. The
// scores and labels of d are only checked. It returns an *[InputError] if rows or
// options cannot be judged.
func (t Statistic) Estimate(d Data, o *Options) (Estimate, error) {
	options, err := o.checked()
	if err != nil {
		return Estimate{}, err
	}
	if err := d.check(); err != nil {
		return Estimate{}, err
	}
	if len(t.Influence) != len(d.Scores) {
		return Estimate{}, &InputError{-1, fmt.Sprintf("there are %d rows, and the influence of %d", len(d.Scores), len(t.Influence))}
	}
	for i, w := range d.Weights {
		if w == 0 {
			return Estimate{}, &InputError{i, "the row has weight 0; leave it out"}
		}
	}
	s, _, err := d.sample(nil)
	if err != nil {
		return Estimate{}, err
	}
	m := &measurement{value: t.Value, influence: t.Influence, rows: s.rows, low: t.Low, high: t.High}
	if t.Correlation {
		m.scale, m.low, m.high = fisher, -1, 1
	}
	if t.Distance {
		m.behind, m.high = 1, math.MaxFloat64
	}
	if t.Again != nil {
		m.again = func(w []float64) replicate { return replicate{t.Again(w), -1} }
	}
	e := s.estimates([]*measurement{m}, options)[0]
	return e, e.finite()
}

// Mean estimates the mean of a value of each row, with the weights and clusters of d,
// whose scores and labels are not read.
func Mean(values []float64, d Data, o *Options) (Estimate, error) {
	d.Scores, d.Labels = values, values
	return Of(MeanScore, d, o)
}

// Share estimates the share of rows that have something, with the weights and
// clusters of d, whose scores and labels are not read. Its interval is Wilson's.
func Share(has []bool, d Data, o *Options) (Estimate, error) {
	values := make([]float64, len(has))
	for i, x := range has {
		values[i] = one(x)
	}
	d.Scores, d.Labels = values, values
	return Of(Prevalence, d, o)
}
