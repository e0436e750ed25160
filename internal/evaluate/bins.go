package evaluate

import "math"

// A table is the rows in bins of neighbouring scores.
type table struct {
	s   *sample
	n   int     // bins
	bin []int32 // of each row, the lowest scores in bin 0
}

// table puts the rows into at most n bins of nearly the same weight. Equal scores are
// never parted.
func (s *sample) table(n int) *table {
	t := &table{s: s, bin: make([]int32, len(s.scores))}
	weight, above := s.weight.value(), 0.0
	last := -1
	for _, group := range s.groups {
		tied := 0.0
		for _, i := range group {
			tied += s.weights[i]
		}
		if place := int(float64(float64(n)*(above+float64(tied/2))) / weight); place != last {
			last = place
			t.n++
		}
		for _, i := range group {
			t.bin[i] = int32(-t.n) // from the top; turned round below
		}
		above += tied
	}
	for i := range t.bin {
		t.bin[i] += int32(t.n)
	}
	return t
}

// A norm is Σ share·|v|^p over the bins of a table, where v is the mean of values in
// a bin, less that of all rows if centred. It cannot be below 0, so chance alone makes
// it larger than the truth, which may be 0: the lower end of its interval is lower by
// what chance adds on average, and 0 unless chance would rarely give as much.
type norm struct {
	*table
	values  []float64 // of the rows
	centred bool
	p       int // 1 or 2
}

// means returns v and the share of each bin, by some weights. An empty bin has v = 0.
func (t *norm) means(w []float64) (v, share []float64) {
	v, share = make([]float64, t.n), make([]float64, t.n)
	for i, bin := range t.bin {
		v[bin] += float64(w[i] * t.values[i])
		share[bin] += w[i]
	}
	var sum, weight float64
	for bin := range v {
		sum += v[bin]
		weight += share[bin]
	}
	centre := 0.0
	if t.centred {
		centre = sum / weight
	}
	for bin := range v {
		if share[bin] > 0 {
			v[bin] = v[bin]/share[bin] - centre
		}
		share[bin] /= weight
	}
	return v, share
}

// length returns Σ share·|v|^p.
func (t *norm) length(v, share []float64) float64 {
	sum := 0.0
	for bin, x := range v {
		if t.p == 2 {
			x = float64(x * x)
		}
		sum += float64(share[bin] * math.Abs(x))
	}
	return min(sum, 1)
}

// measure measures the norm.
func (t *norm) measure() *measurement {
	v, share := t.means(t.s.weights)
	m := &measurement{value: t.length(v, share), influence: make([]float64, len(t.bin)), rows: t.s.rows, high: 1}
	weight := t.s.weight.value()
	centre := 0.0
	if t.centred {
		for i, w := range t.s.weights {
			centre += float64(w*t.values[i]) / weight
		}
	}
	squares := t.squares(v, centre)
	// How much v counts, in a bin where its sign may be chance.
	slope := make([]float64, t.n)
	for bin, x := range v {
		slope[bin] = float64(2 * x)
		if t.p == 1 {
			mean, rise := folded(float64(x*share[bin]), math.Sqrt(squares[bin]))
			slope[bin] = rise
			m.added += float64(2 * (mean - float64(math.Abs(x)*share[bin])))
		} else if t.centred {
			m.added += squares[bin] / share[bin]
		}
	}
	for i, bin := range t.bin {
		z, x := t.values[i]-centre, v[bin]
		f := float64(slope[bin]*(z-x)) - m.value
		if t.p == 1 {
			f += math.Abs(x)
		} else {
			f += float64(x * x)
		}
		m.influence[i] = f / weight
	}
	m.chance = func(p float64) float64 { return t.chance(squares, share, p) }
	return m
}

// folded returns the mean of |x| for a normal x, and by how much it grows with the
// mean of x.
func folded(mean, deviation float64) (absolute, slope float64) {
	if deviation == 0 {
		return math.Abs(mean), math.Copysign(1, mean)
	}
	z := mean / deviation
	slope = 1 - float64(2*normalCDF(-z))
	density := exp(-float64(z*z)/2) * math.Sqrt(2/math.Pi)
	return float64(deviation*density) + float64(mean*slope), slope
}

// squares returns the variance of each share·v.
func (t *norm) squares(v []float64, centre float64) []float64 {
	squares := make([]float64, t.n)
	one := &measurement{influence: make([]float64, len(t.bin))}
	weight := t.s.weight.value()
	for bin := range v {
		for i, b := range t.bin {
			one.influence[i] = 0
			if int(b) == bin {
				one.influence[i] = (t.values[i] - centre - v[bin]) / weight
			}
		}
		squares[bin], _ = t.s.variance(one)
	}
	return squares
}

// chance returns the p quantile of the norm when all v are 0 in truth, if each is
// close to normal.
func (t *norm) chance(squares, share []float64, p float64) float64 {
	var mean, variance float64
	for bin, square := range squares {
		if t.p == 1 {
			mean += math.Sqrt(float64(square * 2 / math.Pi))
			variance += float64(square * (1 - 2/math.Pi))
		} else {
			square /= share[bin]
			mean += square
			variance += float64(2 * float64(square*square))
		}
	}
	return mean + float64(normalQuantile(p)*math.Sqrt(variance))
}

// errors returns score − label of each row.
func (s *sample) errors() []float64 {
	errors := make([]float64, len(s.scores))
	for i, p := range s.scores {
		errors[i] = p - s.labels[i]
	}
	return errors
}

// ece measures the expected calibration error: the mean over bins of equal weight of
// the distance between mean score and share of positive labels.
//
// Source: Naeini, Cooper and Hauskrecht, "Obtaining Well Calibrated Probabilities
// Using Bayesian Binning", 2015; bins of equal mass as in Nguyen and O'Connor, 2015.
func ece(s *sample, bins int) (*measurement, error) {
	if err := s.probabilities(); err != nil {
		return nil, err
	}
	n := norm{table: s.table(bins), values: s.errors(), p: 1}
	return n.measure(), nil
}

// reliability measures the part of the Brier score that calibrating each bin would
// remove: the mean squared distance of mean score and share of positive labels.
//
// Source: Murphy, "A New Vector Partition of the Probability Score", 1973.
func reliability(s *sample, bins int) (*measurement, error) {
	if err := s.probabilities(); err != nil {
		return nil, err
	}
	n := norm{table: s.table(bins), values: s.errors(), p: 2}
	return n.measure(), nil
}

// resolution measures how far the bins' shares of positive labels are from the share
// of all rows: the mean squared distance.
//
// Source: Murphy, 1973.
func resolution(s *sample, bins int) (*measurement, error) {
	if err := s.zeroOrOne(); err != nil {
		return nil, err
	}
	n := norm{table: s.table(bins), values: s.labels, centred: true, p: 2}
	return n.measure(), nil
}

// withinBins measures what is left of the Brier score: the variance of the scores
// within the bins, less twice their covariance with the labels.
//
// Source: Stephenson, Coelho and Jolliffe, "Two Extra Components in the Brier Score
// Decomposition", 2008.
func withinBins(s *sample, bins int) (*measurement, error) {
	if err := s.probabilities(); err != nil {
		return nil, err
	}
	t := s.table(bins)
	scores := (&norm{table: t, values: s.scores})
	labels := (&norm{table: t, values: s.labels})
	score, _ := scores.means(s.weights)
	label, _ := labels.means(s.weights)
	return s.mean(func(i int) float64 {
		d := s.scores[i] - score[t.bin[i]]
		return float64(d*d) - float64(2*float64(d*(s.labels[i]-label[t.bin[i]])))
	}), nil
}

// reliabilityTable returns the bins of the calibration error.
func (s *sample) reliabilityTable(o *Options) ([]Bin, error) {
	t := s.table(o.Bins)
	bins := make([]Bin, t.n)
	for i, bin := range t.bin {
		b := &bins[bin]
		if b.N == 0 {
			b.Low, b.High = s.scores[i], s.scores[i]
		}
		b.N++
		b.Weight += s.weights[i]
		b.Score += float64(s.weights[i] * s.scores[i])
		b.Low, b.High = min(b.Low, s.scores[i]), max(b.High, s.scores[i])
	}
	for bin := range bins {
		bins[bin].Score /= bins[bin].Weight
		m, err := s.ratio(
			func(i int) float64 { return float64(s.labels[i] * one(int(t.bin[i]) == bin)) },
			func(i int) float64 { return one(int(t.bin[i]) == bin) })
		if err != nil {
			return nil, err
		}
		bins[bin].Label = s.linear(m, o)
	}
	return bins, nil
}
