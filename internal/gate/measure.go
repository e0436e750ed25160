package gate

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"headgate/internal/evaluate"
)

// Paired are rows that both models have scored and that have labels, of all batches
// that count.
type Paired struct {
	// Data has labels (NaN if not known), weights and clusters; its scores are not read.
	Data      evaluate.Data
	Champion  []float64
	Candidate []float64
	Slices    []evaluate.Dimension // the columns that the policy's slices name

	Batches []string // that the rows are of, in order
	// Past are the looks before, [Outcome.Past] of the decision before on this candidate
	// for the same subject; nil for the first.
	Past  []Look
	Tried int // challengers that were tried before this one in the same year
}

// Measure makes evidence of rows, with intervals as wide as the policy's α grants
// after so many looks. subject is [Advance] or [Reverse]. What cannot be measured is
// in [Outcome.Missing]; an error means that the rows make no sense, and is an
// [*evaluate.InputError] if one of them does not.
//
// A look at as many batches as a past one takes its place: its labels were revised.
func Measure(p *Policy, subject Subject, in Paired) (*Outcome, error) {
	if err := in.check(p, subject); err != nil {
		return nil, err
	}
	d, unlabelled := in.observed()
	o := &Outcome{Batches: in.Batches, Rows: int64(len(d.Champion)), Unlabelled: unlabelled, Looks: p.looks(subject),
		Tried: in.Tried, Budget: p.Challengers, Metrics: map[evaluate.Metric]Metric{}}
	for _, y := range d.Data.Labels {
		if y == 1 && p.Kind == Binary {
			o.Positives++
		}
	}
	o.Clusters = distinct(d.Data.Clusters)
	o.Past = slices.DeleteFunc(slices.Clone(in.Past), func(l Look) bool { return l.Batches >= len(in.Batches) })
	now := Look{Batches: len(in.Batches), Rows: o.Rows}
	if err := o.grant(p, subject, now); err != nil {
		return nil, err
	}
	if err := o.measure(p, subject, d); err != nil {
		return nil, err
	}
	for _, m := range p.success(subject) {
		e := o.Metrics[m].Success
		switch {
		case e == nil:
		case gain(m, *e).Low > 0:
			now.Superior = append(now.Superior, m)
		case gain(m, *e).High < 0:
			now.Worse = append(now.Worse, m)
		}
	}
	o.Past = append(o.Past, now)
	return o, nil
}

// check refuses what no rows can be.
func (in Paired) check(p *Policy, subject Subject) error {
	n := len(in.Data.Labels)
	switch {
	case p == nil:
		return fmt.Errorf("gate: there is no policy to measure by")
	case subject != Advance && subject != Reverse:
		return fmt.Errorf("gate: labels are no evidence for %q", subject)
	case len(in.Batches) == 0:
		return fmt.Errorf("gate: rows without a batch are no evidence")
	case len(in.Champion) != n || len(in.Candidate) != n:
		return fmt.Errorf("gate: there are %d labels, %d scores of the champion and %d of the candidate", n, len(in.Champion), len(in.Candidate))
	case in.Data.Weights != nil && len(in.Data.Weights) != n || in.Data.Clusters != nil && len(in.Data.Clusters) != n:
		return fmt.Errorf("gate: there are %d labels, %d weights and %d clusters", n, len(in.Data.Weights), len(in.Data.Clusters))
	}
	for _, dim := range in.Slices {
		if len(dim.Values) != n {
			return fmt.Errorf("gate: there are %d labels and %d values of %s", n, len(dim.Values), dim.Name)
		}
	}
	return nil
}

// observed returns the rows whose label is known.
func (in Paired) observed() (Paired, int64) {
	var rows []int32
	for i, y := range in.Data.Labels {
		if !math.IsNaN(y) {
			rows = append(rows, int32(i))
		}
	}
	if len(rows) == len(in.Data.Labels) {
		return in, 0
	}
	return in.at(rows), int64(len(in.Data.Labels) - len(rows))
}

// at returns some of the rows.
func (in Paired) at(rows []int32) Paired {
	out := in
	out.Champion, out.Candidate = pick(in.Champion, rows), pick(in.Candidate, rows)
	out.Data = evaluate.Data{Labels: pick(in.Data.Labels, rows), Weights: pick(in.Data.Weights, rows), Clusters: pick(in.Data.Clusters, rows)}
	out.Slices = nil
	for _, dim := range in.Slices {
		out.Slices = append(out.Slices, evaluate.Dimension{Name: dim.Name, Values: pick(dim.Values, rows)})
	}
	return out
}

func pick[T any](values []T, rows []int32) []T {
	if values == nil {
		return nil
	}
	out := make([]T, len(rows))
	for i, row := range rows {
		out[i] = values[row]
	}
	return out
}

func distinct(clusters []uint64) int64 {
	seen := make(map[uint64]bool, len(clusters)/2)
	for _, c := range clusters {
		seen[c] = true
	}
	return int64(len(seen))
}

// grant fills in what this look may err by.
func (o *Outcome) grant(p *Policy, subject Subject, now Look) error {
	var times, information []float64
	for _, l := range append(slices.Clone(o.Past), now) {
		t := min(1, float64(l.Batches)/float64(o.Looks))
		if len(times) > 0 && times[len(times)-1] == 1 {
			break // beyond the plan
		}
		known := float64(max(l.Rows, 1))
		if len(information) > 0 {
			known = max(known, information[len(information)-1]+1)
		}
		times, information = append(times, t), append(information, known)
	}
	var err error
	if o.Alpha.Guard, err = nominal(p.Alpha, times, information); err != nil {
		return err
	}
	o.Alpha.Slice = p.Alpha
	if success := p.alpha(subject, o.Tried); success > 0 && len(times) == len(o.Past)+1 {
		o.Alpha.Success, err = nominal(success, times, information)
	}
	return err
}

// alpha returns what may be spent on one metric of success in one release.
func (p *Policy) alpha(subject Subject, tried int) float64 {
	n := float64(len(p.success(subject)))
	switch {
	case n == 0, subject == Advance && tried >= p.Challengers:
		return 0
	case subject == Advance:
		return p.Alpha / float64(p.Challengers) / n
	}
	return p.Alpha / n
}

// success returns the metrics in which one model must be better.
func (p *Policy) success(subject Subject) []evaluate.Metric {
	if subject == Reverse {
		return p.Reverse.Metrics
	}
	return p.Advance.Success
}

func (p *Policy) looks(subject Subject) int {
	if subject == Reverse {
		return max(1, p.Reverse.Looks)
	}
	return max(1, p.Looks)
}

// wanted returns the metrics that a gate looks at, each once.
func (p *Policy) wanted(subject Subject) ([]evaluate.Metric, error) {
	out := slices.Clone(p.success(subject))
	if subject == Advance {
		for _, g := range p.Advance.Guardrails {
			out = append(out, g.Metric)
		}
	}
	for _, r := range p.rules(subject) {
		c, err := compile(subject, r.Rule)
		if err != nil {
			return nil, fmt.Errorf("gate: rule %s: %w", r.ID, err)
		}
		out = append(out, c.metrics...)
	}
	var unique []evaluate.Metric
	for _, m := range out {
		if !slices.Contains(unique, m) {
			unique = append(unique, m)
		}
	}
	return unique, nil
}

// measure fills in metrics, calibration and slices.
func (o *Outcome) measure(p *Policy, subject Subject, in Paired) error {
	metrics, err := p.wanted(subject)
	if err != nil {
		return err
	}
	levels := []float64{1 - 2*o.Alpha.Guard}
	if o.Alpha.Success > 0 {
		levels = append(levels, 1-2*o.Alpha.Success)
	}
	found, missing, err := o.pairs(metrics, in, levels, nil)
	if err != nil {
		return err
	}
	o.Missing = missing
	for _, f := range found {
		m := metricOfPair(f)
		if o.Alpha.Success > 0 && slices.Contains(p.success(subject), f.Metric) {
			m.Success = &f.Differences[1]
		}
		o.Metrics[f.Metric] = m
	}
	if subject == Reverse {
		return nil
	}
	if p.Advance.Calibration != nil {
		if err := o.calibrate(in, levels[:1]); err != nil {
			return err
		}
	}
	return o.slice(p, in)
}

func metricOfPair(f evaluate.Pair) Metric {
	m := Metric{Champion: f.Champion, Candidate: f.Challenger, Difference: f.Differences[0]}
	if f.Relatives != nil {
		m.Relative = &f.Relatives[0]
	}
	return m
}

// pairs measures metrics of both models. That there are too few rows for an interval is
// no error: all metrics are missing then.
func (o *Outcome) pairs(metrics []evaluate.Metric, in Paired, levels []float64, options *evaluate.Options) ([]evaluate.Pair, []evaluate.Missing, error) {
	d := in.Data
	d.Scores = in.Champion
	found, missing, err := evaluate.Pairs(metrics, d, in.Candidate, levels, options)
	if input := new(evaluate.InputError); errors.As(err, &input) && input.Row < 0 {
		for _, m := range metrics {
			missing = append(missing, evaluate.Missing{Metric: m, Reason: input.Reason})
		}
		return nil, missing, nil
	}
	return found, missing, err
}

func (o *Outcome) calibrate(in Paired, levels []float64) error {
	metrics := []evaluate.Metric{evaluate.Slope, evaluate.InTheLarge}
	found, missing, err := o.pairs(metrics, in, levels, &evaluate.Options{Level: levels[0]})
	if err != nil {
		return err
	}
	o.Missing = append(o.Missing, missing...)
	o.Calibration = &CalibrationOutcome{}
	for _, f := range found {
		m := metricOfPair(f)
		m.Relative = nil
		if f.Metric == evaluate.Slope {
			o.Calibration.Slope = &m
		} else {
			o.Calibration.InTheLarge = &m
		}
	}
	return nil
}

// slice measures the slices of the policy, in its order and that of the values.
func (o *Outcome) slice(p *Policy, in Paired) error {
	for _, s := range p.Advance.Slices {
		rows := map[string][]int32{}
		for _, dim := range in.Slices {
			if dim.Name == s.By {
				for i, value := range dim.Values {
					rows[value] = append(rows[value], int32(i))
				}
			}
		}
		values := s.Values
		if len(values) == 0 {
			values = slices.Sorted(maps.Keys(rows))
		}
		if len(values) == 0 {
			o.Slices = append(o.Slices, SliceOutcome{By: s.By, Metric: s.Metric, Missing: "no row has a value of " + s.By})
		}
		for _, value := range values {
			found, err := o.oneSlice(s, value, rows[value], in)
			if err != nil {
				return err
			}
			o.Slices = append(o.Slices, found)
		}
	}
	return nil
}

func (o *Outcome) oneSlice(s SlicePolicy, value string, rows []int32, in Paired) (SliceOutcome, error) {
	out := SliceOutcome{By: s.By, Value: value, Metric: s.Metric, Rows: int64(len(rows))}
	if out.Rows < s.MinRows {
		out.Missing = fmt.Sprintf("%d rows are fewer than the %d that it takes", out.Rows, s.MinRows)
		return out, nil
	}
	found, missing, err := o.pairs([]evaluate.Metric{s.Metric}, in.at(rows), []float64{1 - 2*o.Alpha.Slice}, nil)
	switch {
	case err != nil:
		return out, err
	case len(missing) > 0:
		out.Missing = missing[0].Reason
	case !s.Relative:
		out.Difference = &found[0].Differences[0]
	case found[0].Relatives == nil:
		out.Missing = "the difference has no interval as a share of the champion's metric"
	default:
		out.Difference = &found[0].Relatives[0]
	}
	return out, nil
}
