package evaluate

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// A measurement is a metric of a sample, before it has an interval.
type measurement struct {
	value float64
	// influence says for each row by how much the metric grows per unit of weight that
	// is added to it. So the sum of weight × influence is 0, and the sum of the squares
	// of weight × influence is the variance.
	//
	// Source: Hampel, "The Influence Curve and Its Role in Robust Estimation", 1974.
	influence []float64
	rows      int64 // that it rests on
	perClass  bool  // both classes were sampled apart, so each loses a degree of freedom
	scale     scale // on which it is close to normal

	low, high float64 // that it cannot leave; both 0 if there are none
	// certain is the interval if the influence of all rows is 0, because all agree:
	// what could still have been. nil if that is the value alone.
	certain func(level float64) (low, high float64)
	// base reports whether a share counts a row. nil means all.
	base func(row int) bool

	// inner is what the interval is made for, and outer, which only rises or only
	// falls, turns it into one for the metric. nil if that is the metric itself.
	inner *measurement
	outer func(float64) float64

	// again computes the metric with other weights, for the bootstrap. nil if the metric
	// has a closed form.
	again func(weights []float64) replicate
	// behind says that chance makes the metric larger, and how many times as much as it
	// makes replicates larger than the metric.
	behind float64
	// added is by how much chance makes the value larger on average, and the lower end
	// of the interval lower for it; missed is the same of the upper end.
	added, missed float64
	// chance is the p quantile of noise, if there are too many rows for a bootstrap.
	chance func(p float64) float64
}

// A replicate is what a metric is with the weights of a bootstrap. noise is by how much chance could move the metric if the
// truth were 0; negative if that question makes no sense.
type replicate struct{ value, noise float64 }

// A scale is a function of a metric.
type scale int

const (
	identity  scale = iota
	logOdds         // of a metric in (0, 1)
	logarithm       // of one above 0
	fisher          // the inverse hyperbolic tangent, of one in (−1, 1)
	wilson          // a share, by Wilson's interval
)

// checked fills in the options and refuses those that make no sense.
func (o *Options) checked() (*Options, error) {
	out := Options{}
	if o != nil {
		out = *o
	}
	out.Level = cmp.Or(out.Level, 0.95)
	out.Replicates = cmp.Or(out.Replicates, 2000)
	out.Bins = cmp.Or(out.Bins, 10)
	if out.TopShares == nil {
		out.TopShares = []float64{0.01, 0.05, 0.1, 0.2}
	}
	if out.Places == nil {
		out.Places = []int{10}
	}
	switch {
	case !(out.Level > 0 && out.Level < 1):
		return nil, &InputError{-1, fmt.Sprintf("the level of intervals is %g, and must be between 0 and 1", out.Level)}
	case out.Replicates < 100 || out.Replicates > 1_000_000:
		return nil, &InputError{-1, fmt.Sprintf("%d replicates of the bootstrap; it takes 100 to 1,000,000", out.Replicates)}
	case out.Bins < 2 || out.Bins > 1000:
		return nil, &InputError{-1, fmt.Sprintf("%d bins of the reliability table; there must be 2 to 1,000", out.Bins)}
	}
	return &out, nil
}

// variance returns the variance of a measurement and its degrees of freedom. Rows of
// one cluster are one observation.
func (s *sample) variance(m *measurement) (float64, int) {
	var sum total
	if s.clustered() {
		for _, x := range s.sums(m.influence) {
			sum.add(float64(x * x))
		}
		return sum.value() * bessel(int64(s.clusters)), max(1, s.clusters-1)
	}
	df := int(min(s.rows-1, 1<<30))
	if !m.perClass {
		for i, f := range m.influence {
			sum.add(float64(s.square(i) * float64(f*f)))
		}
		return sum.value() * bessel(s.rows), max(1, df)
	}
	rows, _ := s.classes()
	factor := [2]float64{bessel(rows[0]), bessel(rows[1])}
	for i, f := range m.influence {
		sum.add(float64(factor[int(s.labels[i])] * float64(s.square(i)*float64(f*f))))
	}
	return sum.value(), max(1, df)
}

// bessel is n/(n−1): a mean was taken from the same rows. With one row it is 1.
func bessel(n int64) float64 {
	if n < 2 {
		return 1
	}
	return float64(n) / float64(n-1)
}

// critical returns how many standard errors an interval has on each side: of a
// normal if rows are independent and many, else of Student's t.
func critical(level float64, df int) float64 { return studentQuantile((1+level)/2, df) }

// linear gives a measurement its interval from the influence of the rows.
func (s *sample) linear(m *measurement, o *Options) Estimate {
	variance, df := s.variance(m)
	e := Estimate{Value: m.value, Level: o.Level, N: m.rows}
	if m.scale == wilson {
		e.Low, e.High = s.wilson(m, variance, o.Level)
		m.clip(&e)
		return e
	}
	if variance == 0 && m.certain != nil {
		e.Low, e.High = m.certain(o.Level)
	} else {
		e.Low, e.High = m.scale.around(m.value, float64(critical(o.Level, df)*math.Sqrt(variance)))
	}
	e.Low, e.High = e.Low-m.added, e.High+m.missed
	if m.chance != nil && m.value <= m.chance((1+o.Level)/2) {
		e.Low = 0
	}
	m.clip(&e)
	return e
}

// clip keeps an interval within the bounds of its metric, and around the value.
func (m *measurement) clip(e *Estimate) {
	if m.low < m.high {
		e.Low, e.High = max(e.Low, m.low), min(e.High, m.high)
	}
	e.Low, e.High = min(e.Low, e.Value), max(e.High, e.Value)
}

// around returns value ± half, where half is on the identity scale, after
// transforming to the scale and back.
func (c scale) around(value, half float64) (low, high float64) {
	switch c {
	case logOdds:
		if spread := float64(value * (1 - value)); spread > 0 {
			centre := logit(value)
			return logistic(centre - half/spread), logistic(centre + half/spread)
		}
	case logarithm:
		if value > 0 {
			factor := exp(half / value)
			return value / factor, value * factor
		}
	case fisher:
		if rest := float64((1 - value) * (1 + value)); rest > 0 {
			centre := float64(log((1+value)/(1-value)) / 2)
			return hyperbolic(centre - half/rest), hyperbolic(centre + half/rest)
		}
	}
	return value - half, value + half
}

// hyperbolic is the hyperbolic tangent.
func hyperbolic(x float64) float64 { return float64(2*logistic(2*x)) - 1 }

// wilson returns Wilson's interval of a share. If rows have weights or clusters, it
// rests on as many independent rows as would have the same variance.
//
// Source: Wilson, 1927; Korn and Graubard, "Confidence Intervals for Proportions
// with Small Expected Number of Positive Counts", 1998, for the number of rows.
func (s *sample) wilson(m *measurement, variance, level float64) (low, high float64) {
	p := m.value
	within := float64(p * (1 - p))
	n := s.effective(m, s.clustered() && variance == 0)
	if variance > 0 && (s.clustered() || s.weighted()) {
		n = min(n, within/variance)
	}
	z := normalQuantile((1 + level) / 2)
	if s.clustered() {
		z = critical(level, max(1, s.clusters-1))
	}
	square := float64(z*z) / n
	centre := (p + float64(square/2)) / (1 + square)
	half := float64(z*math.Sqrt(within/n+float64(square/4)/n)) / (1 + square)
	return max(0, centre-half), min(1, centre+half)
}

// effective returns how many rows of equal weight would know as much as those that a
// share counts; if together, how many clusters of equal weight.
//
// Source: Kish, "Survey Sampling", 1965.
func (s *sample) effective(m *measurement, together bool) float64 {
	var sum, squares total
	base := make([]float64, len(s.weights))
	for i, w := range s.weights {
		if m.base == nil || m.base(i) {
			base[i] = 1
			sum.add(w)
			squares.add(s.square(i))
		}
	}
	if together {
		squares = total{}
		for _, w := range s.sums(base) {
			squares.add(float64(w * w))
		}
	}
	return float64(sum.value()*sum.value()) / squares.value()
}

// weighted reports whether rows have different weights.
func (s *sample) weighted() bool {
	return slices.ContainsFunc(s.weights, func(w float64) bool { return w != s.weights[0] })
}
