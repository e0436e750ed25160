package evaluate

import (
	"errors"
	"fmt"
	"math"
)

// A Parity says how differently a decision treats the groups of a dimension. It says
// nothing of why.
type Parity struct {
	Dimension string  `json:"dimension"`
	Threshold float64 `json:"threshold"`
	Groups    []Group `json:"groups"` // by value
	// DemographicParity is the largest difference of two selection rates, and
	// ParityRatio the lowest rate over the highest.
	DemographicParity *Estimate `json:"demographicParityDifference,omitempty"`
	ParityRatio       *Estimate `json:"demographicParityRatio,omitempty"`
	// EqualisedOdds is the largest difference of two true positive rates, or of two
	// false positive rates if that is larger.
	EqualisedOdds *Estimate `json:"equalisedOddsDifference,omitempty"`
	Missing       []Missing `json:"missing,omitempty"`
}

// A Group has the rates of the rows with one value. What it does not have is nil.
type Group struct {
	Value         string    `json:"value"`
	Rows          int64     `json:"rows"`
	TooFew        bool      `json:"tooFew,omitempty"` // rows to be compared: inconclusive
	SelectionRate *Estimate `json:"selectionRate,omitempty"`
	TruePositive  *Estimate `json:"truePositiveRate,omitempty"`
	FalsePositive *Estimate `json:"falsePositiveRate,omitempty"`
}

// The metrics of [Parity.Missing].
const (
	DemographicParity Metric = "demographicParityDifference"
	ParityRatio       Metric = "demographicParityRatio"
	EqualisedOdds     Metric = "equalisedOddsDifference"
)

// Fairness compares the groups of a dimension at a threshold, from which rows are
// selected. Groups with fewer than minRows rows are listed and not compared; 0 means
// 100. A difference cannot be below 0, so chance alone makes it larger than the
// truth: its interval begins at 0 unless chance would rarely give as much. Errors are
// as in [Of].
//
// Source: Hardt, Price and Srebro, "Equality of Opportunity in Supervised Learning",
// 2016; the names and the maximum are those of fairlearn.
func Fairness(d Data, by Dimension, threshold float64, minRows int64, o *Options) (*Parity, error) {
	options, err := o.checked()
	if err != nil {
		return nil, err
	}
	if math.IsNaN(threshold) || math.IsInf(threshold, 0) {
		return nil, &InputError{-1, fmt.Sprintf("the threshold is %g, and must be a finite number", threshold)}
	}
	if len(by.Values) != len(d.Scores) {
		return nil, &InputError{-1, fmt.Sprintf("there are %d scores and %d values of %s", len(d.Scores), len(by.Values), by.Name)}
	}
	if minRows == 0 {
		minRows = 100
	}
	if d.Weights != nil && len(d.Weights) == len(by.Values) {
		by.Values = pick(by.Values, positive(d.Weights))
	}
	s, _, err := d.sample(nil)
	if err != nil {
		return nil, err
	}
	if err := s.zeroOrOne(); err != nil {
		return nil, &InputError{-1, withoutKind(err)}
	}
	p := &Parity{Dimension: by.Name, Threshold: threshold}
	group := p.group(s, by, minRows, options)
	return p, p.compare(s, group, options)
}

// group lists the groups, and returns that of each row among those that are compared,
// −1 if none.
func (p *Parity) group(s *sample, by Dimension, minRows int64, o *Options) []int32 {
	group := make([]int32, len(by.Values))
	for i := range group {
		group[i] = -1
	}
	compared := int32(0)
	selected := s.selected(p.Threshold)
	for _, value := range by.distinct() {
		in := by.in(value)
		g := Group{Value: value, Rows: count(in)}
		g.TooFew = g.Rows < minRows
		rate := func(of func(int) float64) *Estimate {
			m, err := s.ratio(
				func(i int) float64 { return float64(one(in[i]) * float64(of(i)*selected(i))) },
				func(i int) float64 { return float64(one(in[i]) * of(i)) })
			if err != nil {
				return nil
			}
			e := s.linear(m, o)
			return &e
		}
		if !g.TooFew {
			g.SelectionRate, g.TruePositive, g.FalsePositive = rate(all), rate(s.label), rate(s.negative)
			for i, x := range in {
				if x {
					group[i] = compared
				}
			}
			compared++
		}
		p.Groups = append(p.Groups, g)
	}
	return group
}

// compare measures how far the groups are apart.
func (p *Parity) compare(s *sample, group []int32, o *Options) error {
	selected := s.selected(p.Threshold)
	rates := func(of func(int) float64) *rates { return newRates(s, group, of, selected) }
	everyone, positives, negatives := rates(all), rates(s.label), rates(s.negative)
	for _, part := range []struct {
		metric  Metric
		out     **Estimate
		measure func() (*measurement, error)
	}{
		{DemographicParity, &p.DemographicParity, func() (*measurement, error) { return widest(s, everyone) }},
		{ParityRatio, &p.ParityRatio, func() (*measurement, error) { return s.parityRatio(everyone, p.compared()) }},
		{EqualisedOdds, &p.EqualisedOdds, func() (*measurement, error) { return widest(s, positives, negatives) }},
	} {
		m, err := part.measure()
		if errors.Is(err, ErrUndefined) {
			p.Missing = append(p.Missing, missing(part.metric, err))
			continue
		}
		if err != nil {
			return err
		}
		e := s.estimates([]*measurement{m}, o)[0]
		*part.out = &e
	}
	return nil
}

// compared returns the values of the groups that are compared.
func (p *Parity) compared() (values []string) {
	for _, g := range p.Groups {
		if !g.TooFew {
			values = append(values, g.Value)
		}
	}
	return values
}

// rates are shares of selected rows among those of each group that count.
type rates struct {
	group         []int32
	n             int
	base, hit     []float64 // of each row: whether it counts, and whether it is selected then
	rate, weights []float64 // of each group
	logarithm     bool      // rate is the logarithm of the share
}

func newRates(s *sample, group []int32, of, selected func(int) float64) *rates {
	r := &rates{group: group, base: make([]float64, len(group)), hit: make([]float64, len(group))}
	for i, g := range group {
		r.n = max(r.n, int(g)+1)
		r.base[i] = of(i)
		r.hit[i] = float64(of(i) * selected(i))
	}
	r.rate, r.weights = r.by(s.weights)
	return r
}

// by returns the share and the weight of each group. A group without rows has the
// share that it has in all rows.
func (r *rates) by(w []float64) (rate, weights []float64) {
	rate, weights = make([]float64, r.n), make([]float64, r.n)
	for i, g := range r.group {
		if g >= 0 {
			rate[g] += float64(w[i] * r.hit[i])
			weights[g] += float64(w[i] * r.base[i])
		}
	}
	for g := range rate {
		switch {
		case weights[g] > 0:
			rate[g] /= weights[g]
		case r.rate != nil:
			rate[g] = r.rate[g]
		}
		if r.logarithm && weights[g] > 0 {
			// Half a row, so that a draw without hits is far away and not infinitely so.
			rate[g] = log(max(rate[g], 0.5/float64(len(r.group))))
		}
	}
	return rate, weights
}

// spread returns the largest difference of two values, and between which.
func spread(values []float64) (width float64, low, high int) {
	for g, v := range values {
		if v < values[low] {
			low = g
		}
		if v > values[high] {
			high = g
		}
	}
	return values[high] - values[low], low, high
}

// widest measures the largest difference of two groups in any of some rates.
func widest(s *sample, of ...*rates) (*measurement, error) {
	m := &measurement{influence: make([]float64, len(s.labels)), value: -1, high: 1}
	if of[0].logarithm {
		m.high = math.MaxFloat64
	}
	if of[0].n < 2 {
		return nil, undefined("fewer than two groups have enough rows")
	}
	for _, g := range of[0].group {
		if g >= 0 {
			m.rows++
		}
	}
	for _, r := range of {
		for _, w := range r.weights {
			if w == 0 {
				return nil, undefined("a group has rows of one label only")
			}
		}
		if width, low, high := spread(r.rate); width > m.value {
			m.value = width
			for i, g := range r.group {
				m.influence[i] = 0
				switch {
				case int(g) == high && low != high:
					m.influence[i] = r.influence(i)
				case int(g) == low && low != high:
					m.influence[i] = -r.influence(i)
				}
			}
		}
	}
	m.behind = 1
	m.again = func(w []float64) (out replicate) {
		for _, r := range of {
			moved, _ := r.by(w)
			width, _, _ := spread(moved)
			for g := range moved {
				moved[g] -= r.rate[g]
			}
			gap, _, _ := spread(moved)
			out.value, out.noise = max(out.value, width), max(out.noise, gap)
		}
		return out
	}
	m.chance = func(p float64) float64 { return chanceSpread(s, of, p) }
	return m, nil
}

// influence returns that of a row on the rate of its group.
func (r *rates) influence(i int) float64 {
	g := r.group[i]
	if !r.logarithm {
		return (r.hit[i] - float64(r.base[i]*r.rate[g])) / r.weights[g]
	}
	share := exp(r.rate[g])
	return (r.hit[i] - float64(r.base[i]*share)) / float64(r.weights[g]*share)
}

// chanceSpread bounds the p quantile of the largest difference if there is none in
// truth, by Bonferroni over all pairs of groups.
func chanceSpread(s *sample, of []*rates, p float64) float64 {
	pairs := float64(of[0].n*(of[0].n-1)) * float64(len(of))
	z := normalQuantile(1 - (1-p)/pairs)
	bound := 0.0
	for _, r := range of {
		var first, second float64 // largest variances
		for g := range r.n {
			m := &measurement{influence: make([]float64, len(r.group))}
			for i, of := range r.group {
				if int(of) == g {
					m.influence[i] = r.influence(i)
				}
			}
			v, _ := s.variance(m)
			if v > first {
				first, second = v, first
			} else {
				second = max(second, v)
			}
		}
		bound = max(bound, float64(z*math.Sqrt(first+second)))
	}
	return bound
}

// parityRatio measures the lowest rate over the highest, as e to the power of minus
// the largest difference of their logarithms.
func (s *sample) parityRatio(r *rates, values []string) (*measurement, error) {
	for g, rate := range r.rate {
		if rate == 0 {
			return nil, undefined("no row of group %q is selected, so the ratio is 0 and has no interval", values[g])
		}
	}
	logs := *r
	logs.logarithm = true
	logs.rate, logs.weights = logs.by(s.weights)
	inner, err := widest(s, &logs)
	if err != nil {
		return nil, err
	}
	return inner.mapped(func(x float64) float64 { return exp(-x) }, -exp(-inner.value)), nil
}
