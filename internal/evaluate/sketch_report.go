package evaluate

import (
	"fmt"
	"math"
)

// Report judges the rows that were counted, as [Binary] does. Thresholds are those of
// [NewSketch]; those of the options are not read.
func (s *Sketch) Report(o *Options) (*Report, error) {
	options, err := o.checked()
	if err != nil {
		return nil, err
	}
	rows, err := s.sample()
	if err != nil {
		return nil, err
	}
	options.Thresholds = s.thresholds
	r, err := rows.binary(options)
	if err != nil {
		return nil, err
	}
	for i := range r.Metrics {
		rows.widen(&r.Metrics[i])
	}
	return r, nil
}

// widen says how far a metric can be from its exact value, and makes the interval
// wider by it.
func (s *sample) widen(m *Measured) {
	name, share, _ := m.Metric.Argument()
	low, high := 0.0, 1.0
	switch name {
	case AUC:
		m.Within = s.unordered()
	case Gini:
		m.Within, low = 2*s.unordered(), -1
	case KS:
		m.Within = s.largestCell()
	case PRAUC:
		m.Within = s.precisionWithin(m.Value)
	case Capture:
		m.Within = s.atCut(share)
	case Lift:
		m.Within, high = s.atCut(share)/share, 1/share
	default:
		return
	}
	m.Low, m.High = max(low, m.Low-m.Within), min(high, m.High+m.Within)
}

// unordered returns half the share of the pairs of a positive and a negative row that
// are in one cell.
func (s *sample) unordered() float64 {
	_, weight := s.classes()
	sum := 0.0
	for _, group := range s.groups {
		tied := s.weigh(group)
		sum += float64(tied[0] / weight[0] * (tied[1] / weight[1]))
	}
	return sum / 2
}

// largestCell returns the largest share of a class that is in one cell: by so much the
// distance of the classes can be larger within it.
func (s *sample) largestCell() float64 {
	_, weight := s.classes()
	largest := 0.0
	for _, group := range s.groups {
		tied := s.weigh(group)
		if tied[0] > 0 && tied[1] > 0 {
			largest = max(largest, tied[0]/weight[0], tied[1]/weight[1])
		}
	}
	return largest
}

// precisionWithin returns how far the average precision is from those of the best and
// the worst order within cells.
func (s *sample) precisionWithin(value float64) float64 {
	var above [2]float64
	var low, high float64
	for _, group := range s.groups {
		tied := s.weigh(group)
		after := [2]float64{above[0] + tied[0], above[1] + tied[1]}
		if tied[1] > 0 {
			low += s.worst(group, above[1], after[1], after[0])
			high += float64(tied[1] * (after[1] / (after[1] + above[0])))
		}
		above = after
	}
	return max(value-low/above[1], high/above[1]-value, 0)
}

// worst returns what the positive rows of a cell add to the average precision at least,
// where so much of each class comes before them.
func (s *sample) worst(group []int32, before, after, negatives float64) float64 {
	positives := int64(0)
	for _, i := range group {
		positives += int64(s.labels[i]) * s.count(int(i))
	}
	switch {
	case negatives == 0:
		return after - before
	case positives == 1:
		return float64((after - before) * (after / (after + negatives)))
	}
	// The integral of x/(x + negatives) is below any sum over rows.
	return after - before - float64(negatives*log((after+negatives)/(before+negatives)))
}

// atCut returns the share of the positive rows that are in the cell at the cut.
func (s *sample) atCut(share float64) float64 {
	_, weight := s.classes()
	cut, above := float64(share*s.weight.value()), 0.0
	for _, group := range s.groups {
		tied := s.weigh(group)
		if above += tied[0] + tied[1]; above >= cut {
			return tied[1] / weight[1]
		}
	}
	return 0
}

// Difference returns by how much a metric is higher for the challenger, whose sketch
// must have counted the same rows with the same clusters. Rows that have none can be
// given their keys as clusters. Errors are as in [Of].
func (s *Sketch) Difference(m Metric, challenger *Sketch, o *Options) (Estimate, error) {
	options, err := o.checked()
	if err != nil {
		return Estimate{}, err
	}
	if !s.grouped || !challenger.grouped {
		return Estimate{}, &InputError{-1, "sketches can only be compared if rows have clusters; their keys will do"}
	}
	var sides [2]*sample
	var found [2]*measurement
	for i, sketch := range []*Sketch{s, challenger} {
		if sides[i], err = sketch.sample(); err != nil {
			return Estimate{}, err
		}
		if found[i], err = sides[i].measure(m, options); err != nil {
			return Estimate{}, err
		}
	}
	if err := sides[0].sameRows(sides[1]); err != nil {
		return Estimate{}, err
	}
	before, after := sides[0].sums(found[0].influence), sides[1].sums(found[1].influence)
	var sum total
	for g := range before {
		d := after[g] - before[g]
		sum.add(float64(d * d))
	}
	half := float64(critical(options.Level, groups-1) * math.Sqrt(float64(sum.value()*bessel(groups))))
	within := 0.0
	for i := range sides {
		one := Measured{Metric: m, Estimate: Estimate{Value: found[i].value}}
		sides[i].widen(&one)
		within += one.Within
	}
	value := found[1].value - found[0].value
	e := Estimate{Value: value, Low: value - half - within, High: value + half + within, Level: options.Level, N: found[0].rows}
	return e, e.finite()
}

// sameRows refuses a sample whose groups do not weigh the same.
func (s *sample) sameRows(other *sample) error {
	if s.rows != other.rows {
		return &InputError{-1, fmt.Sprintf("one sketch has %d rows and the other %d", s.rows, other.rows)}
	}
	for class := range 2 {
		var weights [2][]float64
		for i, side := range []*sample{s, other} {
			has := make([]float64, len(side.labels))
			for row, y := range side.labels {
				has[row] = one(int(y) == class)
			}
			weights[i] = side.sums(has)
		}
		for g, w := range weights[0] {
			if math.Abs(w-weights[1][g]) > float64(1e-9*w) {
				return &InputError{-1, "the sketches have not counted the same rows, labels and clusters"}
			}
		}
	}
	return nil
}
