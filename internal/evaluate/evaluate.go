// Package evaluate says how good scores are, and how sure one can be of it.
//
// Every number is an [Estimate]: a value with an interval. Intervals come from the
// influence that each row has on the metric (of the AUC that is DeLong's method), or
// from a seeded bootstrap where no such form exists. Rows that depend on each other,
// as those of one customer in several months, are named by [Data.Clusters] and make
// the intervals wider. Weights count everywhere.
//
// The package compares scores with outcomes. It does not know models, files or
// time, and it decides nothing: what is good enough, a gate says. Equal input gives
// equal bits on every machine; the only randomness is [Options.Seed].
//
// Start at [Binary]; [Of] has a single metric, [Difference] compares two models on
// the same rows.
package evaluate

import (
	"errors"
	"fmt"
)

// An Estimate is a number with its confidence interval. All of it is finite.
type Estimate struct {
	Value float64 `json:"value"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
	Level float64 `json:"level"` // of the interval, in (0, 1)
	N     int64   `json:"n"`     // rows that it rests on
}

// Data are the rows to judge. All slices are as long as Scores, or nil.
type Data struct {
	Scores []float64 // what the model said: a probability, an amount; higher is more
	// Labels are what happened: 0 or 1, or an amount. An outcome that nobody could
	// observe is missing, never 0: leave its row out.
	Labels []float64
	// Weights say for how many rows a row stands, at least 0; nil means 1 each. Where
	// scores cause actions, judge the untreated, weighted by [InversePropensity].
	Weights []float64
	// Clusters name what rows have in common, if that makes them depend on each other:
	// a customer, a day. Any number or hash will do. nil means that none do.
	Clusters []uint64
	// Queries name the list in which a row is ranked. Only [NDCG] reads them.
	Queries []uint64
}

// Options tune how [Data] are judged. The zero value is good.
type Options struct {
	Level float64 // of the intervals, in (0, 1); 0 means 0.95

	// Thresholds are scores from which a row is positive, for the metrics of a
	// decision, such as [Precision]. nil means none.
	Thresholds []float64
	// TopShares are shares of the rows, in (0, 1], for [Lift] and [Capture]. nil means
	// 0.01, 0.05, 0.1 and 0.2.
	TopShares []float64
	// Quantiles are in (0, 1), for [Pinball]. nil means none.
	Quantiles []float64
	// Powers are those of [Tweedie], 0 or from 1 on. nil means none.
	Powers []float64
	// Places are the lengths of lists, at least 1, for [NDCG]. nil means 10.
	Places []int

	Bins       int    // of the reliability table, with the same weight each; 0 means 10
	Seed       uint64 // of the bootstrap
	Replicates int    // of the bootstrap; 0 means 2,000
}

// A Metric is the name of a number that says how good scores are. Those that need
// an argument carry it after an @: "precision@0.5", as [At] writes it.
type Metric string

// Metrics of scores and labels that are 0 or 1. The Brier score is Reliability −
// Resolution + Uncertainty + WithinBins.
const (
	AUC           Metric = "auc"                   // area under the ROC curve, in [0, 1]; ties count one half
	Gini          Metric = "gini"                  // 2·AUC − 1
	KS            Metric = "ks"                    // largest distance of the score distributions of both classes, in [0, 1]
	PRAUC         Metric = "prAUC"                 // average precision, in [0, 1]
	LogLoss       Metric = "logLoss"               // mean of −ln of the probability given to what happened
	Brier         Metric = "brier"                 // mean squared error of a probability, in [0, 1]
	Reliability   Metric = "brierReliability"      // part of the Brier score that calibration would remove
	Resolution    Metric = "brierResolution"       // part by which scores tell rows apart; more is better
	Uncertainty   Metric = "brierUncertainty"      // part that no model can remove
	WithinBins    Metric = "brierWithinBins"       // what is left of the Brier score, because scores differ within bins
	Slope         Metric = "calibrationSlope"      // of the label's log odds on the score's; 1 is best
	Intercept     Metric = "calibrationIntercept"  // of the same regression; 0 is best
	InTheLarge    Metric = "calibrationInTheLarge" // its intercept if the slope is 1; 0 is best
	ECE           Metric = "ece"                   // expected calibration error over bins of equal weight, in [0, 1]
	Prevalence    Metric = "prevalence"            // share of positive labels
	MeanScore     Metric = "meanScore"
	Accuracy      Metric = "accuracy"      // @threshold: share of right decisions
	Precision     Metric = "precision"     // @threshold: share of positive labels among positive decisions
	Recall        Metric = "recall"        // @threshold: share of positive decisions among positive labels
	Specificity   Metric = "specificity"   // @threshold: share of negative decisions among negative labels
	F1            Metric = "f1"            // @threshold: harmonic mean of precision and recall
	MCC           Metric = "mcc"           // @threshold: Matthews' correlation, in [−1, 1]
	SelectionRate Metric = "selectionRate" // @threshold: share of positive decisions
	Lift          Metric = "lift"          // @share: precision among the highest scores, over the prevalence
	Capture       Metric = "capture"       // @share: recall of the highest scores
)

// Metrics of scores and labels that are amounts.
const (
	RMSE    Metric = "rmse"    // root of the mean squared error
	MAE     Metric = "mae"     // mean absolute error
	Bias    Metric = "bias"    // mean of score − label
	R2      Metric = "r2"      // share of the labels' variance that scores explain, at most 1
	Pinball Metric = "pinball" // @quantile: mean loss of a forecast of that quantile
	Poisson Metric = "poisson" // mean Poisson deviance
	Tweedie Metric = "tweedie" // @power: mean Tweedie deviance
	NDCG    Metric = "ndcg"    // @places: normalised discounted cumulative gain, mean over queries
)

// Metrics of several classes.
const (
	MulticlassLogLoss  Metric = "multiclassLogLoss"
	MulticlassAccuracy Metric = "multiclassAccuracy" // share of rows whose class has the highest probability
	MacroAUC           Metric = "macroAUC"           // mean over classes of the AUC of one against the rest
	MicroAUC           Metric = "microAUC"           // AUC of all pairs of row and class
)

// ErrUndefined means that a metric does not exist for these rows: there is one
// class, or nothing was decided. The error that wraps it says why.
var ErrUndefined = errors.New("undefined")

// An InputError means that rows or options cannot be judged at all.
type InputError struct {
	Row    int // from 0; −1 if it is not about one row
	Reason string
}

func (e *InputError) Error() string {
	if e.Row < 0 {
		return "evaluate: " + e.Reason
	}
	return fmt.Sprintf("evaluate: row %d: %s", e.Row, e.Reason)
}

// A Report is what there is to say about a model on some rows.
type Report struct {
	Rows      int64      `json:"rows"`
	Positives int64      `json:"positives,omitempty"` // rows whose label is 1, of binary models
	Weight    float64    `json:"weight"`              // sum
	Clusters  int64      `json:"clusters,omitempty"`
	Metrics   []Measured `json:"metrics"`
	// Missing are the metrics that do not exist for these rows. A gate that asks for
	// one has no answer, which is not a pass.
	Missing     []Missing   `json:"missing,omitempty"`
	Reliability []Bin       `json:"reliability,omitempty"` // by score, the lowest first
	Confusion   []Confusion `json:"confusion,omitempty"`   // one for each threshold
}

// A Measured is a metric and its estimate.
type Measured struct {
	Metric Metric `json:"metric"`
	Estimate
}

// A Missing is a metric that rows do not have, and why.
type Missing struct {
	Metric Metric `json:"metric"`
	Reason string `json:"reason"`
}

// A Bin is a row of a reliability table: neighbouring scores.
type Bin struct {
	N      int64    `json:"n"`
	Weight float64  `json:"weight"`
	Low    float64  `json:"lowScore"`
	High   float64  `json:"highScore"`
	Score  float64  `json:"meanScore"`
	Label  Estimate `json:"label"` // share of positive labels
}

// A Confusion counts decisions at a threshold, by weight.
type Confusion struct {
	Threshold      float64 `json:"threshold"`
	TruePositives  float64 `json:"truePositives"`
	FalsePositives float64 `json:"falsePositives"`
	FalseNegatives float64 `json:"falseNegatives"`
	TrueNegatives  float64 `json:"trueNegatives"`
}

// Get returns the estimate of a metric, and whether there is one.
func (r *Report) Get(m Metric) (Estimate, bool) {
	for _, found := range r.Metrics {
		if found.Metric == m {
			return found.Estimate, true
		}
	}
	return Estimate{}, false
}
