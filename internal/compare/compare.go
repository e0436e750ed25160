// Package compare says what would change if a challenger scored in the champion's
// place.
//
// It compares scores of the same rows: how far they moved, whose decision flips,
// what that costs. It sees labels only where outcomes are known. Whether the change
// is wanted, a gate says. Start at [Scores]; [Align] lines rows up by key.
package compare

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"headgate/internal/evaluate"
)

// Data are the rows that all models have scored. All slices are as long as Champion,
// or nil.
type Data struct {
	Keys        []string // of the entities, for the biggest movers
	Champion    []float64
	Challengers []Challenger
	Labels      []float64            // 0 or 1, where outcomes are known; NaN where not
	Weights     []float64            // above 0; as in [evaluate.Data]
	Clusters    []uint64             // as in [evaluate.Data]
	Dimensions  []evaluate.Dimension // to compare slices of
}

// A Challenger is a model that may replace the champion.
type Challenger struct {
	Name   string
	Scores []float64
}

// Options say what to compare. The zero value has no threshold, and so no decisions.
type Options struct {
	Threshold           *float64 // score of the champion from which a row is selected
	ChallengerThreshold *float64 // the same of the challengers; nil means Threshold
	Costs               *Costs   // of decisions; nil means none
	// Metrics are those to take the difference of, where labels are known. nil means
	// AUC, log loss and Brier score.
	Metrics  []evaluate.Metric
	Movers   int              // how many of the biggest to name; 0 means 20
	MinRows  int64            // that a slice needs; 0 means 100
	Evaluate evaluate.Options // level, seed and replicates
}

// Costs are what a decision costs, by what happens then. A gain is negative.
type Costs struct {
	TruePositive  float64 `json:"truePositive"`
	FalsePositive float64 `json:"falsePositive"`
	FalseNegative float64 `json:"falseNegative"`
	TrueNegative  float64 `json:"trueNegative"`
}

// A Result has one comparison for each challenger, in their order.
type Result struct {
	Rows        int64        `json:"rows"`
	Labels      int64        `json:"labels"` // rows whose outcome is known
	Challengers []Comparison `json:"challengers"`
}

// A Comparison is what one challenger would change.
type Comparison struct {
	Challenger string              `json:"challenger"`
	PSI        evaluate.Estimate   `json:"psi"` // of its scores, in the champion's deciles; rows count once, whatever they weigh
	Spearman   *evaluate.Estimate  `json:"spearman,omitempty"`
	Shift      evaluate.Estimate   `json:"shift"`    // mean change of the score
	Distance   evaluate.Estimate   `json:"distance"` // mean absolute change of the score
	Migration  Migration           `json:"migration"`
	Decisions  *Decisions          `json:"decisions,omitempty"`
	Cost       *CostChange         `json:"cost,omitempty"`
	Metrics    []evaluate.Measured `json:"metrics,omitempty"` // of the challenger less those of the champion, where labels are known
	Missing    []evaluate.Missing  `json:"missing,omitempty"`
	Movers     []string            `json:"movers,omitempty"` // keys whose score changed most, the largest change first
	Slices     []Slice             `json:"slices,omitempty"`
}

// A Slice is a comparison of the rows with one value. Its intervals hold for all
// slices at once. Comparison is nil if there are too few rows: inconclusive.
type Slice struct {
	Dimension  string      `json:"dimension"`
	Value      string      `json:"value"`
	Rows       int64       `json:"rows"`
	Comparison *Comparison `json:"comparison,omitempty"`
}

// An Error says which model cannot be compared.
type Error struct {
	Model string
	Err   error
}

func (e *Error) Error() string { return fmt.Sprintf("compare: %s: %v", e.Model, e.Err) }
func (e *Error) Unwrap() error { return e.Err }

// Scores compares every challenger with the champion. It returns an *[Error] or an
// *[evaluate.InputError] if rows or options cannot be compared.
func Scores(d Data, o *Options) (*Result, error) {
	options := Options{}
	if o != nil {
		options = *o
	}
	if err := d.check(&options); err != nil {
		return nil, err
	}
	if options.Metrics == nil {
		options.Metrics = []evaluate.Metric{evaluate.AUC, evaluate.LogLoss, evaluate.Brier}
	}
	options.Movers = cmp.Or(options.Movers, 20)
	options.MinRows = cmp.Or(options.MinRows, 100)
	r := &Result{Rows: int64(len(d.Champion)), Challengers: []Comparison{}}
	for _, y := range d.Labels {
		if !math.IsNaN(y) {
			r.Labels++
		}
	}
	for _, c := range d.Challengers {
		found, err := d.compare(c, &options)
		if err == nil {
			found.Movers = d.movers(c.Scores, options.Movers)
			found.Slices, err = d.slices(c, &options)
		}
		if err != nil {
			return nil, &Error{c.Name, err}
		}
		r.Challengers = append(r.Challengers, *found)
	}
	return r, nil
}

// check refuses rows and options that cannot be compared.
func (d Data) check(o *Options) error {
	n := len(d.Champion)
	for _, f := range []struct {
		name   string
		length int
		given  bool
	}{
		{"keys", len(d.Keys), d.Keys != nil},
		{"labels", len(d.Labels), d.Labels != nil},
	} {
		if f.given && f.length != n {
			return &evaluate.InputError{Row: -1, Reason: fmt.Sprintf("the champion has %d scores, and there are %d %s", n, f.length, f.name)}
		}
	}
	for _, dim := range d.Dimensions {
		if len(dim.Values) != n {
			return &evaluate.InputError{Row: -1, Reason: fmt.Sprintf("the champion has %d scores, and there are %d values of %s", n, len(dim.Values), dim.Name)}
		}
	}
	for i, y := range d.Labels {
		if y != 0 && y != 1 && !math.IsNaN(y) {
			return &evaluate.InputError{Row: i, Reason: fmt.Sprintf("the label is %g, which is neither 0 nor 1 nor missing", y)}
		}
	}
	for i, w := range d.Weights {
		if w == 0 {
			return &evaluate.InputError{Row: i, Reason: "the weight is 0; leave the row out"}
		}
	}
	if _, err := evaluate.Mean(d.Champion, d.rows(), &o.Evaluate); err != nil {
		return &Error{"champion", err}
	}
	for _, c := range d.Challengers {
		if len(c.Scores) != n {
			return &Error{c.Name, fmt.Errorf("it has %d scores, and the champion %d; align them by key first", len(c.Scores), n)}
		}
	}
	for _, m := range o.Metrics {
		if err := m.Check(); err != nil {
			return err
		}
	}
	return o.checkDecisions()
}

// checkDecisions refuses thresholds and costs that make no sense.
func (o *Options) checkDecisions() error {
	var numbers []float64
	for _, t := range []*float64{o.Threshold, o.ChallengerThreshold} {
		if t != nil {
			numbers = append(numbers, *t)
		}
	}
	if o.Costs != nil {
		numbers = append(numbers, o.Costs.TruePositive, o.Costs.FalsePositive, o.Costs.FalseNegative, o.Costs.TrueNegative)
	}
	for _, x := range numbers {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return &evaluate.InputError{Row: -1, Reason: fmt.Sprintf("a threshold or cost is %g, and must be a finite number", x)}
		}
	}
	if o.Threshold == nil && (o.Costs != nil || o.ChallengerThreshold != nil) {
		return &evaluate.InputError{Row: -1, Reason: "there is no threshold, so there are no decisions"}
	}
	return nil
}

// rows returns what the rows are for package evaluate: weights and clusters, with the
// champion's scores in both places.
func (d Data) rows() evaluate.Data {
	return evaluate.Data{Scores: d.Champion, Labels: d.Champion, Weights: d.Weights, Clusters: d.Clusters}
}

// compare compares one challenger on all rows.
func (d Data) compare(c Challenger, o *Options) (*Comparison, error) {
	out := &Comparison{Challenger: c.Name}
	shift, distance := make([]float64, len(c.Scores)), make([]float64, len(c.Scores))
	for i, s := range c.Scores {
		shift[i] = s - d.Champion[i]
		distance[i] = math.Abs(shift[i])
	}
	var err error
	if out.Shift, err = evaluate.Mean(shift, d.rows(), &o.Evaluate); err != nil {
		return nil, err
	}
	if out.Distance, err = evaluate.Mean(distance, d.rows(), &o.Evaluate); err != nil {
		return nil, err
	}
	for _, part := range []func(Challenger, *Comparison, *Options) error{d.psi, d.spearman, d.migrate, d.decide, d.differ} {
		if err := part(c, out, o); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// differ takes the difference of metrics, where labels are known.
func (d Data) differ(c Challenger, out *Comparison, o *Options) error {
	if d.Labels == nil {
		return nil
	}
	known := make([]bool, len(d.Labels))
	for i, y := range d.Labels {
		known[i] = !math.IsNaN(y)
	}
	with := d.where(known)
	judged := with.rows()
	judged.Labels = with.Labels
	scores := pick(c.Scores, known)
	for _, m := range o.Metrics {
		if len(scores) < 2 {
			out.Missing = append(out.Missing, evaluate.Missing{Metric: m, Reason: "fewer than two rows have a label"})
			continue
		}
		e, err := evaluate.Difference(m, judged, scores, &o.Evaluate)
		if errors.Is(err, evaluate.ErrUndefined) {
			out.Missing = append(out.Missing, evaluate.Missing{Metric: m, Reason: err.Error()})
			continue
		}
		if err != nil {
			return err
		}
		out.Metrics = append(out.Metrics, evaluate.Measured{Metric: m, Estimate: e})
	}
	return nil
}

// movers returns the keys of the rows whose score changed most. Rows whose score did
// not change are not among them.
func (d Data) movers(scores []float64, n int) []string {
	if d.Keys == nil {
		return nil
	}
	moved := func(i int32) float64 { return math.Abs(scores[i] - d.Champion[i]) }
	var rows []int32
	for i := range scores {
		if moved(int32(i)) > 0 {
			rows = append(rows, int32(i))
		}
	}
	slices.SortFunc(rows, func(a, b int32) int {
		return cmp.Or(cmp.Compare(moved(b), moved(a)), cmp.Compare(d.Keys[a], d.Keys[b]), cmp.Compare(a, b))
	})
	var keys []string
	for _, i := range rows[:min(n, len(rows))] {
		keys = append(keys, d.Keys[i])
	}
	return keys
}

// slices compares every slice that has enough rows, at a level that makes all
// intervals hold at once.
func (d Data) slices(c Challenger, o *Options) ([]Slice, error) {
	var out []Slice
	var rows [][]bool
	judged := 0
	for _, dim := range d.Dimensions {
		values := slices.Compact(slices.Sorted(slices.Values(dim.Values)))
		for _, value := range values {
			in := make([]bool, len(dim.Values))
			slice := Slice{Dimension: dim.Name, Value: value}
			for i, v := range dim.Values {
				if in[i] = v == value; in[i] {
					slice.Rows++
				}
			}
			if slice.Rows >= o.MinRows {
				judged++
			}
			out, rows = append(out, slice), append(rows, in)
		}
	}
	together := *o
	level := cmp.Or(o.Evaluate.Level, 0.95)
	together.Evaluate.Level = 1 - (1-level)/float64(max(judged, 1))
	for i := range out {
		if out[i].Rows < o.MinRows {
			continue
		}
		found, err := d.where(rows[i]).compare(Challenger{c.Name, pick(c.Scores, rows[i])}, &together)
		var input *evaluate.InputError
		if errors.As(err, &input) {
			continue // one cluster: as inconclusive as too few rows
		}
		if err != nil {
			return nil, err
		}
		out[i].Comparison = found
	}
	return out, nil
}

// where returns the rows that keep names, without challengers and dimensions.
func (d Data) where(keep []bool) Data {
	return Data{
		Keys:     pick(d.Keys, keep),
		Champion: pick(d.Champion, keep),
		Labels:   pick(d.Labels, keep),
		Weights:  pick(d.Weights, keep),
		Clusters: pick(d.Clusters, keep),
	}
}

func pick[T any](values []T, keep []bool) []T {
	if values == nil {
		return nil
	}
	out := []T{}
	for i, v := range values {
		if keep[i] {
			out = append(out, v)
		}
	}
	return out
}
