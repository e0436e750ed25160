package evidence

import (
	"errors"
	"math"

	"headgate/internal/evaluate"
)

// How far an estimate without labels may be off, beyond chance, before it is distrusted:
// in points for shares and the AUC, and as a share of it for losses.
const (
	offBy       = 0.02
	offByOfLoss = 0.05
	offLevel    = 0.99 // of the interval that chance may leave
)

// Forecast says what labels will say of the scores of the first model, from these alone.
// It is nil if they are no probabilities.
func Forecast(rows *Rows, o *EvaluateOptions) (*Guess, error) {
	options := o.Evaluate
	if o.Threshold > 0 {
		options.Thresholds = []float64{o.Threshold}
	}
	return forecast(rows, &options)
}

func forecast(rows *Rows, o *evaluate.Options) (*Guess, error) {
	scored := rows.Where(func(i int) bool { return !math.IsNaN(rows.Scores[0][i]) })
	r, err := evaluate.Expected(evaluate.Data{Scores: scored.Scores[0]}, o)
	if input := new(evaluate.InputError); errors.As(err, &input) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &Guess{Forecast: r.Metrics}, nil
}

// guess holds what was expected without labels against the truth. Both are of the rows
// that count, with their weights: what is left between them is chance, or scores that are
// not calibrated.
func (e *Evaluation) guess(rows *Rows, o *evaluate.Options) error {
	g, err := forecast(rows, o)
	if err != nil || g == nil || e.Models[0].Report == nil {
		e.CBPE = g
		return err
	}
	strict := *o
	strict.Level = offLevel
	expected, err := evaluate.Expected(rows.of(0).Data(0), &strict)
	if err != nil {
		return err
	}
	e.CBPE, g.Trusted = g, true
	for _, m := range expected.Metrics {
		found, ok := e.Models[0].Report.Get(m.Metric)
		if !ok {
			continue
		}
		c := Check{Metric: m.Metric, Expected: m.Estimate, Found: found}
		most := offBy
		if m.Metric == evaluate.LogLoss || m.Metric == evaluate.Brier {
			most = float64(offByOfLoss * m.Value)
		}
		outside := found.Value < m.Low || found.Value > m.High
		c.Off = outside && math.Abs(found.Value-m.Value) > most
		g.Checks, g.Trusted = append(g.Checks, c), g.Trusted && !c.Off
	}
	return nil
}
