package evaluate

import (
	"fmt"
	"math"
)

// undefined is an [ErrUndefined] with its reason.
func undefined(format string, args ...any) error {
	return fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), ErrUndefined)
}

// twoClasses refuses labels that are not 0 or 1, or only one of them.
func (s *sample) twoClasses() error {
	if err := s.zeroOrOne(); err != nil {
		return err
	}
	rows, _ := s.classes()
	switch {
	case rows[1] == 0:
		return undefined("no row has label 1")
	case rows[0] == 0:
		return undefined("no row has label 0")
	}
	return nil
}

// zeroOrOne refuses labels that are not 0 or 1.
func (s *sample) zeroOrOne() error {
	for i, y := range s.labels {
		if y != 0 && y != 1 {
			return undefined("row %d has label %g, which is neither 0 nor 1", i, y)
		}
	}
	return nil
}

// auc measures the area under the ROC curve: the probability that a positive row has
// a higher score than a negative one, ties counting one half. The influence of a row
// is DeLong's structural component, so the variance is DeLong's; of rows in clusters
// it is Obuchowski's, and of weighted rows their natural extension. Time is that of
// sorting.
//
// Source: DeLong, DeLong and Clarke-Pearson, "Comparing the Areas under Two or More
// Correlated Receiver Operating Characteristic Curves", 1988; Sun and Xu, "Fast
// Implementation of DeLong's Algorithm", 2014; Obuchowski, "Nonparametric Analysis of
// Clustered ROC Curve Data", 1997.
func auc(s *sample) (*measurement, error) {
	if err := s.twoClasses(); err != nil {
		return nil, err
	}
	rows, weight := s.classes()
	if rows[0] < 2 || rows[1] < 2 {
		return nil, undefined("%d rows have label 1 and %d label 0; an interval takes two of each", rows[1], rows[0])
	}
	m := &measurement{influence: make([]float64, len(s.scores)), rows: s.rows, perClass: true, scale: logOdds, high: 1}
	var area total
	above := [2]float64{}
	for _, group := range s.groups {
		tied := s.weigh(group)
		// The share of the other class that a row beats.
		won := [2]float64{
			(above[1] + float64(tied[1]/2)) / weight[1],
			(weight[0] - above[0] - float64(tied[0]/2)) / weight[0],
		}
		for _, i := range group {
			m.influence[i] = won[int(s.labels[i])]
		}
		area.add(float64(tied[1] * won[1]))
		above[0], above[1] = above[0]+tied[0], above[1]+tied[1]
	}
	m.value = min(area.value()/weight[1], 1)
	for i, y := range s.labels {
		m.influence[i] = (m.influence[i] - m.value) / weight[int(y)]
	}
	m.certain = s.separated(m.value)
	return m, nil
}

// separated returns the interval of an AUC if the score separates the classes of all
// rows. Of k pairs of rows without a row in common all are then in order, which
// happens with probability AUCᵏ at most: an AUC below (α/2)^(1/k) would be chance.
func (s *sample) separated(value float64) func(float64) (float64, float64) {
	if value > 0 && value < 1 {
		return nil
	}
	return func(level float64) (low, high float64) {
		n := s.clustersOf()
		pairs := min(n[0], n[1])
		if s.clustered() {
			pairs = max(1, min(pairs, int64(s.clusters/2)))
		}
		bound := exp(log((1-level)/2) / float64(pairs))
		if value == 1 {
			return bound, 1
		}
		return 0, 1 - bound
	}
}

// weigh returns the weight of each class in some rows.
func (s *sample) weigh(rows []int32) (weight [2]float64) {
	for _, i := range rows {
		weight[int(s.labels[i])] += s.weights[i]
	}
	return weight
}

// gini measures 2·AUC − 1.
func gini(s *sample) (*measurement, error) {
	inner, err := auc(s)
	if err != nil {
		return nil, err
	}
	return inner.mapped(func(a float64) float64 { return float64(2*a) - 1 }, 2), nil
}

// mapped returns outer of a measurement, where slope is the derivative of outer.
func (m *measurement) mapped(outer func(float64) float64, slope float64) *measurement {
	influence := make([]float64, len(m.influence))
	for i, f := range m.influence {
		influence[i] = float64(slope * f)
	}
	return &measurement{value: outer(m.value), influence: influence, rows: m.rows, perClass: m.perClass, inner: m, outer: outer}
}

// ks measures the largest distance between the shares of both classes that have a
// score or more: the statistic of Kolmogorov and Smirnov.
//
// Source: Kim and Pollard, "Cube Root Asymptotics", 1990, for the bias of the maximum.
func ks(s *sample) (*measurement, error) {
	if err := s.twoClasses(); err != nil {
		return nil, err
	}
	_, weight := s.classes()
	var distances []float64
	best, at := 0.0, 0
	above := [2]float64{}
	for g, group := range s.groups {
		tied := s.weigh(group)
		above[0], above[1] = above[0]+tied[0], above[1]+tied[1]
		d := above[1]/weight[1] - above[0]/weight[0]
		distances = append(distances, d)
		if math.Abs(d) > math.Abs(best) {
			best, at = d, g
		}
	}
	m := &measurement{value: min(math.Abs(best), 1), influence: make([]float64, len(s.scores)), rows: s.rows, perClass: true, scale: identity, high: 1}
	s.reach(m.influence, at, math.Copysign(1, best), weight)
	m.chance = s.smirnov(m)
	m.again = func(w []float64) replicate { return s.distance(w, distances) }
	// The highest point of a rough curve over a smooth one is too high by the power 2/3
	// of the variance. Replicates are twice as rough, and higher by 2^(2/3) − 1 as much.
	m.behind = 1.7024
	return m, nil
}

// reach sets the influence of rows on the distance of the classes after a group.
func (s *sample) reach(influence []float64, at int, sign float64, weight [2]float64) {
	var share [2]float64
	for g, group := range s.groups {
		for _, i := range group {
			if g <= at {
				influence[i] = 1
				share[int(s.labels[i])] += s.weights[i] / weight[int(s.labels[i])]
			}
		}
	}
	signs := [2]float64{-sign, sign}
	for i, y := range s.labels {
		c := int(y)
		influence[i] = float64(signs[c]*(influence[i]-share[c])) / weight[c]
	}
}

// distance is ks with other weights, and how far the distances moved.
func (s *sample) distance(w, distances []float64) (r replicate) {
	var weight, above [2]float64
	for i, y := range s.labels {
		weight[int(y)] += w[i]
	}
	for g, group := range s.groups {
		for _, i := range group {
			above[int(s.labels[i])] += w[i]
		}
		d := above[1]/weight[1] - above[0]/weight[0]
		r.value = max(r.value, math.Abs(d))
		r.noise = max(r.noise, math.Abs(d-distances[g]))
	}
	return r
}

// smirnov returns the quantiles of the distance of two classes that do not differ, in
// large samples, wider by as much as weights and clusters widen the interval.
//
// Source: Smirnov, "Table for Estimating the Goodness of Fit of Empirical
// Distributions", 1948, the first term.
func (s *sample) smirnov(m *measurement) func(float64) float64 {
	return func(p float64) float64 {
		var squares [2]total
		_, weight := s.classes()
		for i, y := range s.labels {
			squares[int(y)].add(s.square(i))
		}
		n := squares[0].value()/float64(weight[0]*weight[0]) + squares[1].value()/float64(weight[1]*weight[1])
		if s.clustered() {
			apart := *s
			apart.cluster = nil
			together, _ := s.variance(m)
			if alone, _ := apart.variance(m); alone > 0 {
				n *= max(1, together/alone)
			}
		}
		return math.Sqrt(float64(n*-log((1-p)/2)) / 2)
	}
}

// prAUC measures the average precision: the mean, over positive rows, of the
// precision among the rows with the same score or a higher one. It is the area under
// the curve of precision over recall without interpolation.
//
// Source: Davis and Goadrich, "The Relationship between Precision-Recall and ROC
// Curves", 2006, for why not to interpolate.
func prAUC(s *sample) (*measurement, error) {
	if err := s.twoClasses(); err != nil {
		return nil, err
	}
	_, weight := s.classes()
	m := &measurement{rows: s.rows, scale: logOdds, high: 1}
	m.value = s.averagePrecision(s.weights)
	m.influence = s.precisionInfluence(m.value, weight[1])
	m.again = func(w []float64) replicate { return replicate{s.averagePrecision(w), -1} }
	return m, nil
}

func (s *sample) averagePrecision(w []float64) float64 {
	var above [2]float64
	var sum float64
	for _, group := range s.groups {
		before := above[1]
		for _, i := range group {
			above[int(s.labels[i])] += w[i]
		}
		if above[1] > before {
			sum += float64((above[1] - before) * (above[1] / (above[0] + above[1])))
		}
	}
	return min(sum/above[1], 1)
}

// precisionInfluence returns the influence of each row on the average precision: a
// row has part in the precision at all scores that are not above its own.
func (s *sample) precisionInfluence(value, positives float64) []float64 {
	influence := make([]float64, len(s.scores))
	var above [2]float64
	s.sorted()
	type place struct{ precision, positive, negative float64 }
	places := make([]place, len(s.ties))
	for g, group := range s.groups {
		tied := s.weigh(group)
		above[0], above[1] = above[0]+tied[0], above[1]+tied[1]
		all := above[0] + above[1]
		gain := tied[1] / float64(all*all)
		places[g] = place{above[1] / all, float64(gain * above[0]), float64(gain * above[1])}
	}
	for g := len(places) - 2; g >= 0; g-- {
		places[g].positive += places[g+1].positive
		places[g].negative += places[g+1].negative
	}
	for g, group := range s.groups {
		p := places[g]
		of := [2]float64{-p.negative / positives, (p.precision - value + p.positive) / positives}
		for _, i := range group {
			influence[i] = of[int(s.labels[i])]
		}
	}
	return influence
}
