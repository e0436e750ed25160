package evaluate

import (
	"errors"
	"fmt"
)

// A Pair is a metric of two models on the same rows, and by how much they differ.
type Pair struct {
	Metric     Metric
	Champion   Estimate
	Challenger Estimate
	// Differences are the challenger's metric less the champion's, as of [Difference],
	// once for each level that was asked for.
	Differences []Estimate
	// Relatives are the same as a share of the champion's metric, whose own error
	// counts. nil if that is 0, or the metric has no closed form.
	Relatives []Estimate
}

// Pairs measures metrics of the champion's scores, which are d.Scores, and of the
// challenger's, as [Of] and [Difference] do, and sorts the rows once for all of them.
// Differences come at each of levels, which are in (0, 1); all else has the level of
// the options. Metrics that the rows do not have are in missing. Errors are as in [Of].
func Pairs(metrics []Metric, d Data, challenger []float64, levels []float64, o *Options) (pairs []Pair, missing []Missing, err error) {
	options, err := o.checked()
	if err != nil {
		return nil, nil, err
	}
	at := make([]*Options, len(levels))
	for i, level := range levels {
		with := *options
		with.Level = level
		if at[i], err = with.checked(); err != nil || level == 0 {
			return nil, nil, &InputError{-1, fmt.Sprintf("the level of a difference is %g, and must be between 0 and 1", level)}
		}
	}
	if challenger == nil {
		return nil, nil, &InputError{-1, "there are no scores of a challenger"}
	}
	s, other, err := d.sample(challenger)
	if err != nil {
		return nil, nil, err
	}
	second := s.with(other)
	for _, m := range metrics {
		p, err := pair(m, s, second, at, options)
		switch {
		case errors.Is(err, ErrUndefined):
			missing = append(missing, Missing{m, err.Error()})
		case err != nil:
			return nil, nil, err
		default:
			pairs = append(pairs, p)
		}
	}
	return pairs, missing, nil
}

// pair measures one metric of both samples, whose rows are the same.
func pair(m Metric, first, second *sample, levels []*Options, o *Options) (Pair, error) {
	before, err := first.measure(m, o)
	if err != nil {
		return Pair{}, fmt.Errorf("champion: %w", err)
	}
	after, err := second.measure(m, o)
	if err != nil {
		return Pair{}, fmt.Errorf("challenger: %w", err)
	}
	p := Pair{Metric: m, Champion: first.estimates([]*measurement{before}, o)[0], Challenger: second.estimates([]*measurement{after}, o)[0]}
	difference, relative := after.minus(before), after.over(before)
	for _, at := range levels {
		p.Differences = append(p.Differences, first.estimates([]*measurement{difference}, at)[0])
		if relative != nil {
			p.Relatives = append(p.Relatives, first.estimates([]*measurement{relative}, at)[0])
		}
	}
	for _, e := range append([]Estimate{p.Champion, p.Challenger}, append(p.Differences, p.Relatives...)...) {
		if err := e.finite(); err != nil {
			return Pair{}, fmt.Errorf("%s: %w", m, err)
		}
	}
	return p, nil
}

// over measures m / other − 1, on the same rows, or returns nil if that has no closed
// form.
//
// Source: the delta method; Fieller, 1954, for what it leaves out if other is near 0.
func (m *measurement) over(other *measurement) *measurement {
	if m.redo() != nil || other.value == 0 {
		return nil
	}
	ratio := m.value / other.value
	d := &measurement{value: (m.value - other.value) / other.value, influence: make([]float64, len(m.influence)), rows: max(m.rows, other.rows), perClass: m.perClass}
	for i := range m.influence {
		d.influence[i] = (m.influence[i] - float64(ratio*other.influence[i])) / other.value
	}
	return d
}
