package evaluate

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// measures are the metrics that need no argument but the number of bins.
var measures = map[Metric]func(s *sample, bins int) (*measurement, error){
	AUC:         plain(auc),
	Gini:        plain(gini),
	KS:          plain(ks),
	PRAUC:       plain(prAUC),
	LogLoss:     plain(logLoss),
	Brier:       plain(brier),
	Reliability: reliability,
	Resolution:  resolution,
	Uncertainty: plain(uncertainty),
	WithinBins:  withinBins,
	Slope:       plain(slope),
	Intercept:   plain(intercept),
	InTheLarge:  plain(inTheLarge),
	ECE:         ece,
	Prevalence:  plain(prevalence),
	MeanScore:   plain(meanScore),
	RMSE:        plain(rmse),
	MAE:         plain(mae),
	Bias:        plain(bias),
	R2:          plain(r2),
	Poisson:     plain(poisson),
}

// argued are the metrics that need an argument.
var argued = map[Metric]func(s *sample, argument float64) (*measurement, error){
	Accuracy:      accuracy,
	Precision:     precision,
	Recall:        recall,
	Specificity:   specificity,
	F1:            f1,
	MCC:           mcc,
	SelectionRate: selectionRate,
	Lift:          lift,
	Capture:       capture,
	Pinball:       pinball,
	Tweedie:       tweedie,
	NDCG:          ndcg,
}

func plain(of func(*sample) (*measurement, error)) func(*sample, int) (*measurement, error) {
	return func(s *sample, _ int) (*measurement, error) { return of(s) }
}

// At returns m with its argument: At(Precision, 0.5) is "precision@0.5".
func At(m Metric, argument float64) Metric {
	return m + "@" + Metric(strconv.FormatFloat(argument, 'g', -1, 64))
}

// Argument returns the metric without its argument, and the argument; ok is false if
// it has none.
func (m Metric) Argument() (name Metric, argument float64, ok bool) {
	name, text, ok := m.cut()
	if !ok {
		return m, 0, false
	}
	argument, err := strconv.ParseFloat(text, 64)
	return name, argument, err == nil && !math.IsNaN(argument) && !math.IsInf(argument, 0)
}

func (m Metric) cut() (name Metric, text string, ok bool) {
	before, text, ok := strings.Cut(string(m), "@")
	return Metric(before), text, ok
}

// Check says what is wrong with a name that is no metric of [Data], as a gate's
// configuration might have it.
func (m Metric) Check() error {
	name, text, at := m.cut()
	_, argument, ok := m.Argument()
	switch {
	case measures[name] != nil && at:
		return &InputError{-1, fmt.Sprintf("metric %q takes no argument; write %q", m, name)}
	case measures[name] != nil:
		return nil
	case argued[name] == nil:
		return &InputError{-1, fmt.Sprintf("there is no metric %q", name)}
	case !at:
		return &InputError{-1, fmt.Sprintf("metric %q needs an argument, as in %q", m, At(name, 0.5))}
	case !ok:
		return &InputError{-1, fmt.Sprintf("the argument of metric %q is %q, which is no number", m, text)}
	}
	_ = argument
	return nil
}

// measure measures a metric.
func (s *sample) measure(m Metric, o *Options) (*measurement, error) {
	if err := m.Check(); err != nil {
		return nil, err
	}
	name, argument, ok := m.Argument()
	var found *measurement
	var err error
	if ok {
		found, err = argued[name](s, argument)
	} else {
		found, err = measures[m](s, o.Bins)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", m, err)
	}
	return found, nil
}

// finite refuses an estimate that JSON could not carry.
func (e Estimate) finite() error {
	for _, x := range []float64{e.Value, e.Low, e.High} {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return undefined("the numbers are too large or too small to compute with")
		}
	}
	return nil
}

// Of measures one metric. It returns an *[InputError] if rows or options cannot be
// judged, or m is no metric, and an error that wraps [ErrUndefined] if these rows do
// not have that metric.
func Of(m Metric, d Data, o *Options) (Estimate, error) {
	options, err := o.checked()
	if err != nil {
		return Estimate{}, err
	}
	s, _, err := d.sample(nil)
	if err != nil {
		return Estimate{}, err
	}
	return s.of(m, options)
}

func (s *sample) of(m Metric, o *Options) (Estimate, error) {
	found, err := s.measure(m, o)
	if err != nil {
		return Estimate{}, err
	}
	e := s.estimates([]*measurement{found}, o)[0]
	if err := e.finite(); err != nil {
		return Estimate{}, fmt.Errorf("%s: %w", m, err)
	}
	return e, nil
}

// Difference returns by how much a metric is higher for the challenger's scores than
// for d.Scores, on the same rows: so the interval is narrower than those of both
// suggest. Of the AUC it is DeLong's paired comparison. Errors are as in [Of].
func Difference(m Metric, d Data, challenger []float64, o *Options) (Estimate, error) {
	options, err := o.checked()
	if err != nil {
		return Estimate{}, err
	}
	s, other, err := d.sample(challenger)
	if err != nil {
		return Estimate{}, err
	}
	if challenger == nil {
		return Estimate{}, &InputError{-1, "there are no scores of a challenger"}
	}
	before, err := s.measure(m, options)
	if err != nil {
		return Estimate{}, fmt.Errorf("champion: %w", err)
	}
	after, err := s.with(other).measure(m, options)
	if err != nil {
		return Estimate{}, fmt.Errorf("challenger: %w", err)
	}
	e := s.estimates([]*measurement{after.minus(before)}, options)[0]
	if err := e.finite(); err != nil {
		return Estimate{}, fmt.Errorf("%s: %w", m, err)
	}
	return e, nil
}

// minus measures m − other, on the same rows.
func (m *measurement) minus(other *measurement) *measurement {
	d := &measurement{value: m.value - other.value, added: m.added / 2, missed: other.added / 2, influence: make([]float64, len(m.influence)), rows: max(m.rows, other.rows), perClass: m.perClass}
	for i := range m.influence {
		d.influence[i] = m.influence[i] - other.influence[i]
	}
	if m.redo() != nil && m.behind == 0 { // biases of maxima cancel
		first, second := m.redo(), other.redo()
		d.again = func(w []float64) replicate { return replicate{first(w) - second(w), -1} }
	}
	return d
}

// redo returns what computes a metric with other weights, or nil.
func (m *measurement) redo() func([]float64) float64 {
	if m.inner != nil {
		inner := m.inner.redo()
		if inner == nil {
			return nil
		}
		return func(w []float64) float64 { return m.outer(inner(w)) }
	}
	if m.again == nil {
		return nil
	}
	return func(w []float64) float64 { return m.again(w).value }
}
