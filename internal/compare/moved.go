package compare

import (
	"fmt"
	"math"
	"slices"

	"headgate/internal/evaluate"
)

// A Pair is what champion and challenger said of the same rows. All slices are equally
// long; Clusters may be nil.
type Pair struct {
	Champion   []float64
	Challenger []float64
	Clusters   []uint64 // as in [evaluate.Data]; equal ones on both sides of a movement are one
}

// A Movement says by how much a challenger is not what it was beside the champion: all
// of it is 0 if it is.
type Movement struct {
	PSI   evaluate.Estimate  `json:"psi"`             // of the challenger's scores against those that were to be expected, in nats
	Shift evaluate.Estimate  `json:"shift"`           // of the mean difference to the champion
	Flips *evaluate.Estimate `json:"flips,omitempty"` // of the share of rows that the champion decides otherwise
}

// Moved holds what a challenger says of some rows now against what it said of others
// before. A challenger may differ from the champion on purpose, and rows may differ from
// month to month; neither is counted. What is to be expected now follows from both: of
// rows in one decile of the champion's scores (of before), as many as before are in each
// decile of the challenger's. Expected shares of all rows add these up as the champion's
// deciles are filled now:
//
//	e_b = Σₛ mₛ/m · n_sb/nₛ
//
// for n_sb rows before and mₛ rows now in the champion's decile s and the challenger's b.
// A challenger that only has another calibration is where it was to be expected,
// whatever the rows. What a change of the rows does to the challenger alone is counted.
//
// Only thresholds and the options of package evaluate are read. The error is an
// *[evaluate.InputError] if a side has no rows or something is no number.
//
// Source: direct standardization; Kitagawa, "Components of a Difference Between Two
// Rates", 1955.
func Moved(before, now Pair, o *Options) (*Movement, error) {
	options := Options{}
	if o != nil {
		options = *o
	}
	if err := options.checkDecisions(); err != nil {
		return nil, err
	}
	for _, p := range []Pair{before, now} {
		if err := p.check(); err != nil {
			return nil, err
		}
	}
	s := standardize(before, now)
	out := &Movement{}
	var err error
	if out.PSI, err = s.psi().Estimate(s.rows, &options.Evaluate); err != nil {
		return nil, err
	}
	differ := func(i int) float64 { return s.challenger[i] - s.rows.Scores[i] }
	if out.Shift, err = s.excess(differ).Estimate(s.rows, &options.Evaluate); err != nil {
		return nil, err
	}
	if options.Threshold == nil {
		return out, nil
	}
	theirs := *options.Threshold
	if options.ChallengerThreshold != nil {
		theirs = *options.ChallengerThreshold
	}
	flips, err := s.excess(func(i int) float64 {
		if (s.rows.Scores[i] >= *options.Threshold) != (s.challenger[i] >= theirs) {
			return 1
		}
		return 0
	}).Estimate(s.rows, &options.Evaluate)
	out.Flips = &flips
	return out, err
}

// check refuses rows that are none.
func (p Pair) check() error {
	n := len(p.Champion)
	switch {
	case n == 0:
		return &evaluate.InputError{Row: -1, Reason: "there are no rows to compare"}
	case len(p.Challenger) != n || p.Clusters != nil && len(p.Clusters) != n:
		return &evaluate.InputError{Row: -1, Reason: fmt.Sprintf("the champion has %d scores, the challenger %d, and there are %d clusters", n, len(p.Challenger), len(p.Clusters))}
	}
	for i := range n {
		if x := p.Champion[i] + p.Challenger[i]; math.IsNaN(x) || math.IsInf(x, 0) {
			return &evaluate.InputError{Row: i, Reason: "a score is not a finite number"}
		}
	}
	return nil
}

// A standard is the rows of both sides, those of before first, by the champion's deciles
// and the challenger's.
type standard struct {
	before     int // rows
	rows       evaluate.Data
	challenger []float64
	stratum    []int // the champion's decile
	bin        []int // the challenger's
	strata     int
	bins       int
}

func standardize(before, now Pair) *standard {
	s := &standard{before: len(before.Champion), challenger: slices.Concat(before.Challenger, now.Challenger)}
	s.rows.Scores = slices.Concat(before.Champion, now.Champion)
	s.rows.Labels = s.rows.Scores
	if before.Clusters != nil && now.Clusters != nil {
		s.rows.Clusters = slices.Concat(before.Clusters, now.Clusters)
	}
	mine, theirs := edges(before.Champion), edges(before.Challenger)
	s.bins = len(theirs) + 1
	for i := range s.rows.Scores {
		s.stratum, s.bin = append(s.stratum, bin(mine, s.rows.Scores[i])), append(s.bin, bin(theirs, s.challenger[i]))
	}
	// Where many scores are the largest, none of before is above the last edge.
	last := slices.Max(s.stratum[:s.before])
	for i := range s.stratum {
		s.stratum[i] = min(s.stratum[i], last)
	}
	s.strata = last + 1
	return s
}

// A table counts rows, each as often as its weight says.
type table struct {
	before, now   float64   // rows
	was, is       []float64 // by stratum, before and now
	landed, lands []float64 // by bin
	cells         []float64 // of before, by stratum and bin
}

func (s *standard) count(w []float64) *table {
	t := &table{was: make([]float64, s.strata), is: make([]float64, s.strata), landed: make([]float64, s.bins),
		lands: make([]float64, s.bins), cells: make([]float64, s.strata*s.bins)}
	for i, x := range w {
		if i < s.before {
			t.before += x
			t.was[s.stratum[i]] += x
			t.landed[s.bin[i]] += x
			t.cells[s.stratum[i]*s.bins+s.bin[i]] += x
		} else {
			t.now += x
			t.is[s.stratum[i]] += x
			t.lands[s.bin[i]] += x
		}
	}
	return t
}

// share returns which share of a stratum's rows was in a bin before. Of a stratum that a
// draw has no rows of, all rows speak.
func (t *table) share(stratum, bin int) float64 {
	if t.was[stratum] == 0 {
		return t.landed[bin] / t.before
	}
	return t.cells[stratum*len(t.lands)+bin] / t.was[stratum]
}

// expected returns how many rows were to be expected in each bin now.
func (t *table) expected() []float64 {
	out := make([]float64, len(t.lands))
	for s, rows := range t.is {
		for b := range out {
			out[b] += float64(rows * t.share(s, b))
		}
	}
	return out
}

// index is the population stability index of what is there against what was expected,
// with half a row more in each bin, as in [drift.PSI]. A draw may have rows of one side
// only; then there is none.
func (t *table) index() float64 {
	if t.before == 0 || t.now == 0 {
		return math.NaN()
	}
	total, sum := t.now+float64(len(t.lands))/2, 0.0
	for b, rows := range t.expected() {
		e, o := (rows+0.5)/total, (t.lands[b]+0.5)/total
		sum += float64((o - e) * math.Log(o/e))
	}
	return round(sum)
}

// psi returns the index with the influence of each row: of those now by where they are,
// of those before by what they lead to expect.
func (s *standard) psi() evaluate.Statistic {
	t := s.count(ones(len(s.stratum)))
	out := evaluate.Statistic{Value: t.index(), Again: func(w []float64) float64 { return s.count(w).index() },
		Distance: true, Influence: make([]float64, len(s.stratum))}
	expected := t.expected()
	r, c := make([]float64, s.bins), make([]float64, s.bins)
	mean := 0.0
	for b := range r {
		r[b], c[b] = slope(expected[b], t.lands[b])
		mean += float64(r[b]*expected[b]) + float64(c[b]*t.lands[b])
	}
	mean /= t.now
	ahead := make([]float64, s.strata) // mean of r where the rows of a stratum are expected
	for k := range ahead {
		for b := range r {
			ahead[k] += float64(r[b] * t.share(k, b))
		}
	}
	for i := range out.Influence {
		k, b := s.stratum[i], s.bin[i]
		if i < s.before {
			out.Influence[i] = round(t.is[k] / t.now * (r[b] - ahead[k]) / t.was[k])
		} else {
			out.Influence[i] = round((c[b] + ahead[k] - mean) / t.now)
		}
	}
	return out
}

// excess returns by how much the mean of a value is larger now than was to be expected.
func (s *standard) excess(value func(row int) float64) evaluate.Statistic {
	t := s.count(ones(len(s.stratum)))
	was, is := make([]float64, s.strata), 0.0
	for i, k := range s.stratum {
		if i < s.before {
			was[k] += value(i) / t.was[k]
		} else {
			is += value(i) / t.now
		}
	}
	expected := 0.0
	for k, rows := range t.is {
		expected += float64(rows / t.now * was[k])
	}
	out := evaluate.Statistic{Value: is - expected, Influence: make([]float64, len(s.stratum))}
	for i, k := range s.stratum {
		if i < s.before {
			out.Influence[i] = float64(t.is[k] / t.now * (was[k] - value(i)) / t.was[k])
		} else {
			out.Influence[i] = (value(i) - is - (was[k] - expected)) / t.now
		}
	}
	return out
}

func ones(n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = 1
	}
	return out
}
