package evaluate

import (
	"fmt"
	"math"
	"slices"
)

// A sample is rows that have been checked. A row of weight 0 is not in it.
type sample struct {
	scores, labels []float64
	weights        []float64
	queries        []uint64 // nil if there are none

	cluster  []int32 // of a row, from 0; nil if rows are independent
	clusters int     // how many

	weight total
	rows   int64
	order  []int32 // rows by score, the highest first
	ties   []int32 // where in order each group of equal scores ends
}

// where returns the rows that keep names.
func (d Data) where(keep []bool) Data {
	return Data{
		Scores:   pick(d.Scores, keep),
		Labels:   pick(d.Labels, keep),
		Weights:  pick(d.Weights, keep),
		Clusters: pick(d.Clusters, keep),
		Queries:  pick(d.Queries, keep),
	}
}

// pick returns the values that keep names; what keep has no room for is left alone,
// so that the lengths are still wrong when they are checked.
func pick[T any](values []T, keep []bool) []T {
	if values == nil || len(values) != len(keep) {
		return values
	}
	var out []T
	for i, v := range values {
		if keep[i] {
			out = append(out, v)
		}
	}
	return out
}

// InversePropensity returns the weight of each untreated row, 1/(1 − p), where p in
// [0, 1) is the propensity: the probability with which the row could have been
// treated. So the untreated stand for all. Leave the treated out: their outcomes
// are what the treatment made of them. A p of 1 or outside of [0, 1) is an
// *[InputError]: no untreated row can have it.
//
// Source: Horvitz and Thompson, "A Generalization of Sampling Without Replacement
// from a Finite Universe", 1952.
func InversePropensity(propensities []float64) ([]float64, error) {
	weights := make([]float64, len(propensities))
	for i, p := range propensities {
		if !(p >= 0 && p < 1) {
			return nil, &InputError{i, fmt.Sprintf("an untreated row has propensity %g, which is outside of [0, 1)", p)}
		}
		weights[i] = 1 / (1 - p)
	}
	return weights, nil
}

// check refuses rows that nobody can judge.
func (d Data) check() error {
	n := len(d.Scores)
	if n == 0 {
		return &InputError{-1, "there are no rows"}
	}
	if n > math.MaxInt32 {
		return &InputError{-1, fmt.Sprintf("%d rows are more than the %d that can be judged; give a sample of them", n, math.MaxInt32)}
	}
	for _, f := range []struct {
		name   string
		length int
		given  bool
	}{
		{"labels", len(d.Labels), true},
		{"weights", len(d.Weights), d.Weights != nil},
		{"clusters", len(d.Clusters), d.Clusters != nil},
		{"queries", len(d.Queries), d.Queries != nil},
	} {
		if f.given && f.length != n {
			return &InputError{-1, fmt.Sprintf("there are %d scores and %d %s", n, f.length, f.name)}
		}
	}
	if err := finite("score", d.Scores); err != nil {
		return err
	}
	for i, y := range d.Labels {
		if math.IsNaN(y) {
			return &InputError{i, "the label is NaN; leave out rows whose outcome is not known"}
		}
	}
	if err := finite("label", d.Labels); err != nil {
		return err
	}
	return checkWeights(d.Weights)
}

// finite refuses NaN and infinities.
func finite(what string, values []float64) error {
	for i, x := range values {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return &InputError{i, fmt.Sprintf("the %s is %g, and must be a finite number", what, x)}
		}
	}
	return nil
}

// checkWeights refuses weights that are negative, not finite or out of all
// proportion.
func checkWeights(weights []float64) error {
	for i, w := range weights {
		// Squares of weights, and their sums, must be numbers too.
		if w != 0 && !(w >= 1e-100 && w <= 1e100) {
			return &InputError{i, fmt.Sprintf("the weight is %g, and must be 0 or a number from 1e-100 to 1e100", w)}
		}
	}
	return nil
}

// sample checks the rows and returns those that have a weight. Scores of another
// model on the same rows come back in the same order; other may be nil.
func (d Data) sample(other []float64) (*sample, []float64, error) {
	if err := d.check(); err != nil {
		return nil, nil, err
	}
	if other != nil && len(other) != len(d.Scores) {
		return nil, nil, &InputError{-1, fmt.Sprintf("there are %d scores of one model and %d of the other", len(d.Scores), len(other))}
	}
	if err := finite("challenger's score", other); err != nil {
		return nil, nil, err
	}
	if slices.Contains(d.Weights, 0) {
		keep := make([]bool, len(d.Weights))
		for i, w := range d.Weights {
			keep[i] = w > 0
		}
		d, other = d.where(keep), pick(other, keep)
	}
	s := &sample{scores: d.Scores, labels: d.Labels, weights: d.Weights, queries: d.Queries, rows: int64(len(d.Scores))}
	s.setWeights()
	if s.cluster, s.clusters = numbered(d.Clusters); d.Clusters == nil {
		s.cluster, s.clusters = numbered(d.Queries) // rows of one list depend on each other
	}
	switch {
	case s.rows == 0:
		return nil, nil, &InputError{-1, "all weights are 0"}
	case s.rows == 1:
		return nil, nil, &InputError{-1, "there is one row with a weight, and an interval takes two"}
	case s.clustered() && s.clusters == 1:
		return nil, nil, &InputError{-1, "all rows are of one cluster, and an interval takes two"}
	}
	return s, other, nil
}

// setWeights makes weights of 1 where there are none, and adds them up.
func (s *sample) setWeights() {
	if s.weights == nil {
		s.weights = make([]float64, len(s.scores))
		for i := range s.weights {
			s.weights[i] = 1
		}
	}
	for _, w := range s.weights {
		s.weight.add(w)
	}
}

// numbered gives each name a number from 0, in the order in which they come.
func numbered(names []uint64) ([]int32, int) {
	if names == nil {
		return nil, 0
	}
	numbers := make([]int32, len(names))
	seen := make(map[uint64]int32, len(names)/2)
	for i, name := range names {
		n, ok := seen[name]
		if !ok {
			n = int32(len(seen))
			seen[name] = n
		}
		numbers[i] = n
	}
	return numbers, len(seen)
}

// with returns the same rows with the scores of another model.
func (s *sample) with(scores []float64) *sample {
	t := *s
	t.scores, t.order, t.ties = scores, nil, nil
	return &t
}

// sorted makes order and ties.
func (s *sample) sorted() {
	if s.order != nil {
		return
	}
	s.order = descending(s.scores)
	for i, row := range s.order {
		if i+1 == len(s.order) || s.scores[s.order[i+1]] != s.scores[row] {
			s.ties = append(s.ties, int32(i+1))
		}
	}
}

// groups yields the rows of each group of equal scores, the highest scores first.
func (s *sample) groups(yield func(int, []int32) bool) {
	s.sorted()
	start := int32(0)
	for g, end := range s.ties {
		if !yield(g, s.order[start:end]) {
			return
		}
		start = end
	}
}

// square returns the square of the weight of a row.
func (s *sample) square(i int) float64 { return float64(s.weights[i] * s.weights[i]) }

// clustered reports whether rows depend on each other.
func (s *sample) clustered() bool { return s.cluster != nil }

// sums returns, for each cluster, the sum of weight × value over its rows.
func (s *sample) sums(values []float64) []float64 {
	sums := make([]float64, s.clusters)
	for i, v := range values {
		sums[s.cluster[i]] += float64(s.weights[i] * v)
	}
	return sums
}

// classes returns rows and weight of each label of a sample whose labels are 0 or 1.
func (s *sample) classes() (rows [2]int64, weight [2]float64) {
	for i, y := range s.labels {
		rows[int(y)]++
		weight[int(y)] += s.weights[i]
	}
	return rows, weight
}

// clustersOf returns how many clusters have rows of each label, or how many rows if
// rows are independent.
func (s *sample) clustersOf() (n [2]int64) {
	if !s.clustered() {
		n, _ = s.classes()
		return n
	}
	for class := range 2 {
		has := make([]float64, len(s.labels))
		for i, y := range s.labels {
			if int(y) == class {
				has[i] = 1
			}
		}
		for _, sum := range s.sums(has) {
			if sum > 0 {
				n[class]++
			}
		}
	}
	return n
}
