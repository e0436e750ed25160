package evaluate

import (
	"fmt"
	"math"
)

// Classes are rows of several classes to judge.
type Classes struct {
	K             int       // classes, at least 2
	Probabilities []float64 // of each class, row by row: rows × K
	Labels        []int     // the class that happened, in [0, K)
	Weights       []float64 // as in [Data]
	Clusters      []uint64  // as in [Data]
}

// Multiclass judges probabilities of several classes: log loss, accuracy of the most
// probable class, and the AUC, as the mean over classes and as that of all pairs of row
// and class. Errors are as in [Binary].
func Multiclass(c Classes, o *Options) (*Report, error) {
	options, err := o.checked()
	if err != nil {
		return nil, err
	}
	s, err := c.sample()
	if err != nil {
		return nil, err
	}
	r := &Report{Rows: s.rows, Weight: s.weight.value(), Clusters: int64(s.clusters), Metrics: []Measured{}}
	for _, metric := range []struct {
		name    Metric
		measure func() (*measurement, error)
	}{
		{MulticlassLogLoss, s.logLoss},
		{MulticlassAccuracy, s.accuracy},
		{MacroAUC, s.macroAUC},
		{MicroAUC, s.microAUC},
	} {
		m, err := metric.measure()
		if err != nil {
			r.Missing = append(r.Missing, missing(metric.name, err))
			continue
		}
		e := s.estimates([]*measurement{m}, options)[0]
		if err := e.finite(); err != nil {
			r.Missing = append(r.Missing, missing(metric.name, err))
			continue
		}
		r.Metrics = append(r.Metrics, Measured{Metric: metric.name, Estimate: e})
	}
	return r, nil
}

// A multi is a sample of several classes. The scores of its sample are the
// probabilities of what happened, the labels are which class that is.
type multi struct {
	*sample
	k             int
	probabilities []float64
}

// sample checks the rows and returns those that have a weight.
func (c Classes) sample() (*multi, error) {
	n := len(c.Labels)
	switch {
	case c.K < 2:
		return nil, &InputError{-1, fmt.Sprintf("there are %d classes, and must be at least 2", c.K)}
	case len(c.Probabilities) != n*c.K:
		return nil, &InputError{-1, fmt.Sprintf("there are %d probabilities, and must be %d for %d rows of %d classes", len(c.Probabilities), n*c.K, n, c.K)}
	}
	d := Data{Scores: make([]float64, n), Labels: make([]float64, n), Weights: c.Weights, Clusters: c.Clusters}
	probabilities := make([]float64, 0, len(c.Probabilities))
	for i, label := range c.Labels {
		if label < 0 || label >= c.K {
			return nil, &InputError{i, fmt.Sprintf("the label is class %d of %d, counted from 0", label, c.K)}
		}
		row := c.Probabilities[i*c.K : (i+1)*c.K]
		sum := 0.0
		for k, p := range row {
			if !(p >= 0 && p <= 1) {
				return nil, &InputError{i, fmt.Sprintf("the probability of class %d is %g, which is outside of [0, 1]", k, p)}
			}
			sum += p
		}
		if math.Abs(sum-1) > 1e-6 {
			return nil, &InputError{i, fmt.Sprintf("the probabilities add up to %g, and must to 1", sum)}
		}
		d.Scores[i], d.Labels[i] = row[label], float64(label)
		if len(c.Weights) != n || c.Weights[i] > 0 {
			probabilities = append(probabilities, row...)
		}
	}
	s, _, err := d.sample(nil)
	return &multi{s, c.K, probabilities}, err
}

func (s *multi) logLoss() (*measurement, error) {
	m := s.mean(func(i int) float64 { return -log(inside(s.scores[i])) })
	m.high = math.MaxFloat64
	return m, nil
}

// accuracy measures the share of rows whose class is the most probable one, the first
// of them if there are several.
func (s *multi) accuracy() (*measurement, error) {
	return s.ratio(func(i int) float64 {
		best := 0
		for k, p := range s.row(i) {
			if p > s.row(i)[best] {
				best = k
			}
		}
		return one(best == int(s.labels[i]))
	}, all)
}

func (s *multi) row(i int) []float64 { return s.probabilities[i*s.k : (i+1)*s.k] }

// one returns the sample of class k against the rest.
func (s *multi) against(k int) *sample {
	out := *s.sample
	out.scores, out.labels = make([]float64, len(s.labels)), make([]float64, len(s.labels))
	for i, y := range s.labels {
		out.scores[i], out.labels[i] = s.row(i)[k], one(int(y) == k)
	}
	return &out
}

// macroAUC measures the mean, over classes, of the AUC of one class against the rest.
func (s *multi) macroAUC() (*measurement, error) {
	m := &measurement{influence: make([]float64, len(s.labels)), rows: s.rows, scale: logOdds, high: 1}
	for k := range s.k {
		part, err := auc(s.against(k))
		if err != nil {
			return nil, fmt.Errorf("class %d against the rest: %w", k, err)
		}
		m.value += part.value / float64(s.k)
		for i, f := range part.influence {
			m.influence[i] += f / float64(s.k)
		}
	}
	return m, nil
}

// microAUC measures the AUC of all pairs of row and class, where the label is whether
// that class happened. The pairs of one row depend on each other.
func (s *multi) microAUC() (*measurement, error) {
	pairs := &sample{scores: s.probabilities, labels: make([]float64, len(s.probabilities)), weights: make([]float64, len(s.probabilities)), rows: s.rows * int64(s.k)}
	for i, y := range s.labels {
		for k := range s.k {
			pairs.labels[i*s.k+k] = one(int(y) == k)
			pairs.weights[i*s.k+k] = s.weights[i]
		}
	}
	inner, err := auc(pairs)
	if err != nil {
		return nil, err
	}
	m := &measurement{value: inner.value, influence: make([]float64, len(s.labels)), rows: s.rows, scale: logOdds, high: 1}
	for i := range s.labels {
		for k := range s.k {
			m.influence[i] += inner.influence[i*s.k+k]
		}
	}
	return m, nil
}
