package gbdt

import (
	"fmt"
	"slices"
)

// Params are LightGBM's parameters, by LightGBM's names. [DefaultParams] has
// LightGBM's defaults, [ParseParams] reads them from texts.
type Params struct {
	Objective string // binary, regression, regression_l1, huber, quantile, poisson, tweedie, multiclass
	Metric    string // of the validation part; empty for the objective's own
	NumClass  int    // of multiclass; 1 otherwise
	Seed      int64  // of every draw: sample, bags, features

	NumIterations      int
	LearningRate       float64
	BoostFromAverage   bool    // start at the best constant
	EarlyStopping      int     // rounds without improvement; 0 for never
	EarlyStoppingDelta float64 // an improvement is larger than this

	NumLeaves       int
	MaxDepth        int // 0 or less for no limit
	MinDataInLeaf   int
	MinSumHessian   float64 // in a leaf
	MinGainToSplit  float64
	LambdaL1        float64
	LambdaL2        float64
	MaxDeltaStep    float64 // largest leaf value before the learning rate; 0 for no limit
	Monotone        []int   // one per feature: 1 rises, −1 falls, 0 free; empty for none
	BaggingFraction float64
	BaggingFreq     int // a new bag every so many rounds; 0 for no bags
	FeatureFraction float64

	MaxBin        int
	MinDataInBin  int
	SampleRows    int // from which the bins are made
	MaxCatOneHot  int // up to so many bins, one category against all others
	MaxCat        int // categories on one side of a split
	CatSmooth     float64
	CatL2         float64
	MinPerGroup   int // rows of the categories that a split adds at a time
	IsUnbalance   bool
	PosWeight     float64 // scale_pos_weight
	Sigmoid       float64 // of binary
	Alpha         float64 // of huber and quantile
	PoissonDelta  float64 // poisson_max_delta_step
	TweediePower  float64 // tweedie_variance_power
	MetricOnTrain bool    // report the metric of the training rows if there is no validation part
}

// DefaultParams returns LightGBM's defaults.
func DefaultParams() Params {
	return Params{
		Objective: "regression", NumClass: 1,
		NumIterations: 100, LearningRate: 0.1, BoostFromAverage: true,
		NumLeaves: 31, MaxDepth: -1, MinDataInLeaf: 20, MinSumHessian: 1e-3,
		BaggingFraction: 1, FeatureFraction: 1,
		MaxBin: 255, MinDataInBin: 3, SampleRows: 200_000,
		MaxCatOneHot: 4, MaxCat: 32, CatSmooth: 10, CatL2: 10, MinPerGroup: 100,
		PosWeight: 1, Sigmoid: 1, Alpha: 0.9, PoissonDelta: 0.7, TweediePower: 1.5,
	}
}

// A ParamError says what is wrong with a parameter, and what to do.
type ParamError struct {
	Name   string // as LightGBM calls it, or as it was given
	Reason string
}

func (e *ParamError) Error() string { return fmt.Sprintf("parameter %s: %s", e.Name, e.Reason) }

func paramError(name, format string, args ...any) error {
	return &ParamError{name, fmt.Sprintf(format, args...)}
}

// check checks the parameters against each other, and each in its range.
func (p *Params) check() error {
	for i := range parameters {
		if reason := parameters[i].check(p); reason != "" {
			return &ParamError{parameters[i].name, reason}
		}
	}
	multi := p.Objective == "multiclass"
	switch {
	case multi && p.NumClass < 2:
		return paramError("num_class", "is %d; the objective multiclass needs at least 2", p.NumClass)
	case !multi && p.NumClass != 1:
		return paramError("num_class", "is %d; only the objective multiclass has classes", p.NumClass)
	case p.IsUnbalance && p.PosWeight != 1:
		return paramError("is_unbalance", "and scale_pos_weight both weigh the classes; choose one")
	case p.Objective != "binary" && (p.IsUnbalance || p.PosWeight != 1):
		return paramError("scale_pos_weight", "and is_unbalance belong to the objective binary; give %s a weight column", p.Objective)
	case p.BaggingFraction < 1 && p.BaggingFreq == 0:
		return paramError("bagging_freq", "is 0, so bagging_fraction would do nothing; set it to 1 or more")
	case p.Objective == "quantile" && p.Alpha >= 1:
		return paramError("alpha", "is %g; a quantile lies below 1", p.Alpha)
	case p.monotone() && (p.Objective == "regression_l1" || p.Objective == "quantile"):
		return paramError("monotone_constraints", "cannot be kept by the objective %s, whose leaves are quantiles", p.Objective)
	}
	return p.checkMetric()
}

// monotone reports whether a feature is constrained.
func (p *Params) monotone() bool {
	return slices.ContainsFunc(p.Monotone, func(m int) bool { return m != 0 })
}

// checkMetric checks that the metric fits the objective.
func (p *Params) checkMetric() error {
	fit := metricsOf[p.Objective]
	if p.Metric == "" || slices.Contains(fit, p.Metric) {
		return nil
	}
	return paramError("metric", "is %s; the objective %s has %v", p.Metric, p.Objective, fit)
}
