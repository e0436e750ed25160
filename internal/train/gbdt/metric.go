package gbdt

import (
	"cmp"
	"math"
	"slices"
)

// metricsOf lists the metrics of each objective, its own first.
var metricsOf = map[string][]string{
	"binary":        {"binary_logloss", "auc", "binary_error"},
	"regression":    {"l2", "rmse", "l1", "huber", "quantile"},
	"regression_l1": {"l1", "l2", "rmse", "huber", "quantile"},
	"huber":         {"huber", "l2", "rmse", "l1", "quantile"},
	"quantile":      {"quantile", "l2", "rmse", "l1", "huber"},
	"poisson":       {"poisson", "l2", "rmse", "l1"},
	"tweedie":       {"tweedie", "l2", "rmse", "l1"},
	"multiclass":    {"multi_logloss", "multi_error"},
}

// metricNames maps LightGBM's spellings of the metrics to one each.
var metricNames = map[string]string{
	"": "", "binary_logloss": "binary_logloss", "auc": "auc", "binary_error": "binary_error",
	"l2": "l2", "mean_squared_error": "l2", "mse": "l2", "regression_l2": "l2", "regression": "l2",
	"rmse": "rmse", "root_mean_squared_error": "rmse", "l2_root": "rmse",
	"l1": "l1", "mean_absolute_error": "l1", "mae": "l1", "regression_l1": "l1",
	"huber": "huber", "quantile": "quantile", "poisson": "poisson", "tweedie": "tweedie", "binary": "binary_logloss",
	"multi_logloss": "multi_logloss", "multiclass": "multi_logloss", "softmax": "multi_logloss", "multi_error": "multi_error",
}

// metric is the one that the parameters ask for.
func (p *Params) metric() string {
	if p.Metric != "" {
		return p.Metric
	}
	return metricsOf[p.Objective][0]
}

// Better reports whether a value of a metric is better than another.
func Better(metric string, a, b float64) bool { return better(metric, a, b, 0) }

// better reports whether a metric's value a is better than b by more than delta.
func better(metric string, a, b, delta float64) bool {
	if metric == "auc" {
		return a > b+delta
	}
	return a < b-delta
}

// measure returns a metric of raw scores, which there are of each class for all rows.
func measure(metric string, p *Params, d *Dataset, scores [][]float64) float64 {
	switch metric {
	case "auc":
		return areaUnderCurve(d.labels, d.weights, scores[0])
	case "rmse":
		return math.Sqrt(measure("l2", p, d, scores))
	}
	return mean(d.weights, d.rows, pointMetric(metric, p, d.labels, scores))
}

// pointMetric returns a metric's value for one row; the metric is its mean.
func pointMetric(metric string, p *Params, labels []float32, scores [][]float64) func(row int) float64 {
	predict := func(i int) float64 { return scores[0][i] }
	if p.Objective == "poisson" || p.Objective == "tweedie" {
		predict = func(i int) float64 { return exp(scores[0][i]) }
	}
	rest := func(i int) float64 { return float64(labels[i]) - predict(i) }
	switch metric {
	case "binary_logloss":
		return func(i int) float64 {
			y := -p.Sigmoid
			if labels[i] > 0 {
				y = p.Sigmoid
			}
			return -log(max(1/(1+exp(float64(-y*scores[0][i]))), 1e-15))
		}
	case "binary_error":
		return func(i int) float64 { return oneIf((scores[0][i] > 0) != (labels[i] > 0)) }
	case "l1":
		return func(i int) float64 { return math.Abs(rest(i)) }
	case "huber":
		return func(i int) float64 {
			d := math.Abs(rest(i))
			if d <= p.Alpha {
				return float64(d*d) / 2
			}
			return float64(p.Alpha * (d - p.Alpha/2))
		}
	case "quantile":
		return func(i int) float64 { d := rest(i); return max(float64(p.Alpha*d), float64((p.Alpha-1)*d)) }
	case "poisson":
		return func(i int) float64 { return exp(scores[0][i]) - float64(float64(labels[i])*scores[0][i]) }
	case "tweedie":
		return func(i int) float64 {
			a, b := 1-p.TweediePower, 2-p.TweediePower
			return exp(float64(b*scores[0][i]))/b - tweedieFirst(float64(labels[i]), a, scores[0][i])
		}
	case "multi_logloss":
		return func(i int) float64 { return -log(max(shareOf(scores, i, int(labels[i])), 1e-15)) }
	case "multi_error":
		return func(i int) float64 {
			own := scores[int(labels[i])][i]
			// A tie is an error, as in LightGBM: another class is no worse.
			better := 0
			for _, s := range scores {
				better += int(oneIf(s[i] >= own))
			}
			return oneIf(better > 1)
		}
	}
	return func(i int) float64 { d := rest(i); return float64(d * d) } // l2
}

// tweedieFirst is label · e**(a score) / a, or its limit for a = 0.
func tweedieFirst(label, a, score float64) float64 {
	if a == 0 {
		return float64(label * score)
	}
	return float64(label*exp(float64(a*score))) / a
}

func oneIf(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// shareOf is a class's share of Σ e**score of a row.
func shareOf(scores [][]float64, row, class int) float64 {
	top := math.Inf(-1)
	for _, s := range scores {
		top = max(top, s[row])
	}
	sum := 0.0
	for _, s := range scores {
		sum += exp(s[row] - top)
	}
	return exp(scores[class][row]-top) / sum
}

// areaUnderCurve is the chance that a row with label 1 scores above one with label 0,
// ties counting half. It is 1 if a label is not there, as in LightGBM.
//
// Source: Hanley and McNeil, "The meaning and use of the area under a receiver
// operating characteristic (ROC) curve", 1982.
func areaUnderCurve(labels, weights []float32, score []float64) float64 {
	order := make([]int32, len(score))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int {
		return cmp.Or(cmp.Compare(score[a], score[b]), cmp.Compare(a, b))
	})
	var below, above, pairs float64 // weights of labels 0 and 1 so far
	for i := 0; i < len(order); {
		var tied [2]float64
		first := score[order[i]]
		for ; i < len(order) && score[order[i]] == first; i++ {
			w := 1.0
			if weights != nil {
				w = float64(weights[order[i]])
			}
			tied[int(labels[order[i]])] += w
		}
		pairs += float64(tied[1] * (below + tied[0]/2))
		below += tied[0]
		above += tied[1]
	}
	if below == 0 || above == 0 {
		return 1
	}
	return pairs / (below * above)
}
