package gate

import (
	"errors"
	"slices"
	"strings"

	"headgate/internal/evaluate"
	"headgate/internal/strictyaml"
)

// higher are the metrics of which more is better, and lower those of which less is. No
// other metric can be one of success or a guardrail.
var (
	higher = []evaluate.Metric{evaluate.AUC, evaluate.Gini, evaluate.KS, evaluate.PRAUC, evaluate.Resolution, evaluate.Accuracy,
		evaluate.Precision, evaluate.Recall, evaluate.Specificity, evaluate.F1, evaluate.MCC, evaluate.Lift, evaluate.Capture, evaluate.R2, evaluate.NDCG}
	lower = []evaluate.Metric{evaluate.LogLoss, evaluate.Brier, evaluate.Reliability, evaluate.ECE, evaluate.RMSE, evaluate.MAE,
		evaluate.Pinball, evaluate.Poisson, evaluate.Tweedie}
)

// direction returns 1 for a metric of which more is better, −1 for one of which less
// is, and 0 for others.
func direction(m evaluate.Metric) float64 {
	name, _, _ := m.Argument()
	switch {
	case slices.Contains(higher, name):
		return 1
	case slices.Contains(lower, name):
		return -1
	}
	return 0
}

// unknown says what is wrong with a name that is no metric, or "".
func unknown(m evaluate.Metric) string {
	err := m.Check()
	input := new(evaluate.InputError)
	if !errors.As(err, &input) {
		return ""
	}
	if name, _, _ := strings.Cut(string(m), "@"); !slices.Contains(metricNames(), name) {
		return input.Reason + strictyaml.Hint(name, metricNames())
	}
	return input.Reason
}

func metricNames() []string {
	var names []string
	for _, m := range append(slices.Clone(higher), lower...) {
		names = append(names, string(m))
	}
	return append(names, string(evaluate.Slope), string(evaluate.Intercept), string(evaluate.InTheLarge), string(evaluate.Prevalence), string(evaluate.MeanScore), string(evaluate.Bias))
}

// gain turns a difference into one of which more is better.
func gain(m evaluate.Metric, e evaluate.Estimate) evaluate.Estimate {
	if direction(m) < 0 {
		e.Value, e.Low, e.High = -e.Value, -e.High, -e.Low
	}
	return e
}
