package evaluate

import (
	"errors"
	"fmt"
)

// Binary judges scores of labels that are 0 or 1: how well they rank, and, if they
// are probabilities, how well these hold. Metrics that these rows do not have are in
// [Report.Missing] with the reason; an *[InputError] means that nothing can be judged.
func Binary(d Data, o *Options) (*Report, error) {
	options, err := o.checked()
	if err != nil {
		return nil, err
	}
	s, _, err := d.sample(nil)
	if err != nil {
		return nil, err
	}
	return s.binary(options)
}

func (s *sample) binary(o *Options) (*Report, error) {
	if err := s.zeroOrOne(); err != nil {
		return nil, &InputError{-1, withoutKind(err)}
	}
	metrics := []Metric{
		Prevalence, MeanScore, AUC, Gini, KS, PRAUC, LogLoss, Brier, Reliability, Resolution,
		Uncertainty, WithinBins, ECE, Slope, Intercept, InTheLarge,
	}
	for _, share := range o.TopShares {
		metrics = append(metrics, At(Lift, share), At(Capture, share))
	}
	metrics = append(metrics, s.ranked(o)...)
	for _, t := range o.Thresholds {
		for _, m := range []Metric{SelectionRate, Accuracy, Precision, Recall, Specificity, F1, MCC} {
			metrics = append(metrics, At(m, t))
		}
	}
	r, err := s.report(metrics, o)
	if err != nil {
		return nil, err
	}
	rows, _ := s.classes()
	r.Positives = rows[1]
	for _, t := range o.Thresholds {
		r.Confusion = append(r.Confusion, s.confusion(t))
	}
	if s.probabilities() == nil {
		r.Reliability, err = s.reliabilityTable(o)
	}
	return r, err
}

// Regression judges scores of labels that are amounts. Errors are as in [Binary].
func Regression(d Data, o *Options) (*Report, error) {
	options, err := o.checked()
	if err != nil {
		return nil, err
	}
	s, _, err := d.sample(nil)
	if err != nil {
		return nil, err
	}
	metrics := []Metric{MeanScore, Bias, MAE, RMSE, R2}
	for _, q := range options.Quantiles {
		metrics = append(metrics, At(Pinball, q))
	}
	for _, p := range options.Powers {
		metrics = append(metrics, At(Tweedie, p))
	}
	return s.report(append(metrics, s.ranked(options)...), options)
}

// ranked returns the metrics of rows that are ranked in lists.
func (s *sample) ranked(o *Options) (metrics []Metric) {
	if s.queries != nil {
		for _, k := range o.Places {
			metrics = append(metrics, At(NDCG, float64(k)))
		}
	}
	return metrics
}

// report measures metrics.
func (s *sample) report(metrics []Metric, o *Options) (*Report, error) {
	r := &Report{Rows: s.rows, Weight: s.weight.value(), Clusters: int64(s.clusters), Metrics: []Measured{}}
	var names []Metric
	var found []*measurement
	for _, m := range metrics {
		one, err := s.measure(m, o)
		switch {
		case errors.Is(err, ErrUndefined):
			r.Missing = append(r.Missing, missing(m, err))
		case err != nil:
			return nil, err
		default:
			names, found = append(names, m), append(found, one)
		}
	}
	for i, e := range s.estimates(found, o) {
		if err := e.finite(); err != nil {
			r.Missing = append(r.Missing, missing(names[i], err))
			continue
		}
		r.Metrics = append(r.Metrics, Measured{Metric: names[i], Estimate: e})
	}
	return r, nil
}

// missing says why a metric does not exist.
func missing(m Metric, err error) Missing {
	reason := withoutKind(err)
	if prefix := string(m) + ": "; len(reason) > len(prefix) && reason[:len(prefix)] == prefix {
		reason = reason[len(prefix):]
	}
	return Missing{m, reason}
}

// withoutKind returns the words of an error that wraps [ErrUndefined].
func withoutKind(err error) string {
	text, kind := err.Error(), ": "+ErrUndefined.Error()
	if len(text) > len(kind) && text[len(text)-len(kind):] == kind {
		return text[:len(text)-len(kind)]
	}
	return text
}

// confusion counts decisions at a threshold.
func (s *sample) confusion(threshold float64) Confusion {
	var cells [2][2]total // [selected][label]
	for i, y := range s.labels {
		cells[int(one(s.scores[i] >= threshold))][int(y)].add(s.weights[i])
	}
	return Confusion{threshold, cells[1][1].value(), cells[1][0].value(), cells[0][1].value(), cells[0][0].value()}
}

// String is the estimate with its interval.
func (e Estimate) String() string { return fmt.Sprintf("%.4g [%.4g, %.4g]", e.Value, e.Low, e.High) }
