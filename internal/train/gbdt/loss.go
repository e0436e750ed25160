package gbdt

import (
	"fmt"
	"math"
	"strconv"
)

// objectiveNames maps LightGBM's spellings of the objectives to the ones in its
// model files.
var objectiveNames = map[string]string{
	"binary":     "binary",
	"regression": "regression", "regression_l2": "regression", "l2": "regression", "mean_squared_error": "regression",
	"mse": "regression", "l2_root": "regression", "root_mean_squared_error": "regression", "rmse": "regression",
	"regression_l1": "regression_l1", "l1": "regression_l1", "mean_absolute_error": "regression_l1", "mae": "regression_l1",
	"huber": "huber", "quantile": "quantile", "poisson": "poisson", "tweedie": "tweedie",
	"multiclass": "multiclass", "softmax": "multiclass",
}

// A pair is the first and the second derivative of a row's loss.
type pair struct{ g, h float32 }

// A loss is what boosting makes small: a sum over the rows of a function of label
// and score. Weights of rows are not its business.
type loss interface {
	// text is the model's objective line.
	text() string
	// check says what is wrong with a label, or "".
	check(label float32) string
	// start is the best constant score of a class.
	start(labels, weights []float32, class int) float64
	// derive writes the derivatives by a class's score for rows from … to−1.
	// score is the class's.
	derive(dst []pair, labels []float32, score []float64, class, from, to int)
	// flat reports whether the second derivative is 1 everywhere.
	flat() bool
	// quantile is which quantile of the residuals the leaves take instead of the
	// step that the derivatives suggest; 0 if they take the step.
	quantile() float64
}

// newLoss returns the loss of the parameters. Labels decide how much the classes
// weigh if is_unbalance is set.
func newLoss(p *Params, labels []float32) loss {
	switch p.Objective {
	case "binary":
		return newLogistic(p, labels)
	case "regression_l1":
		return absolute{}
	case "huber":
		return huber{p.Alpha}
	case "quantile":
		return pinball{p.Alpha}
	case "poisson":
		return poisson{exp(p.PoissonDelta)}
	case "tweedie":
		return tweedie{p.TweediePower}
	case "multiclass":
		return &softmax{p.NumClass, make([]float64, len(labels))}
	}
	return squared{}
}

// mean is the weighted mean of some values of the rows.
func mean(weights []float32, rows int, value func(row int) float64) float64 {
	sum, all := 0.0, 0.0
	for i := range rows {
		w := 1.0
		if weights != nil {
			w = float64(weights[i])
		}
		sum += float64(w * value(i))
		all += w
	}
	return sum / all
}

func meanLabel(labels, weights []float32) float64 {
	return mean(weights, len(labels), func(i int) float64 { return float64(labels[i]) })
}

// squared is ½ (score − label)².
type squared struct{}

func (squared) text() string         { return "regression" }
func (squared) check(float32) string { return "" }
func (squared) flat() bool           { return true }
func (squared) quantile() float64    { return 0 }

func (squared) start(labels, weights []float32, _ int) float64 { return meanLabel(labels, weights) }

func (squared) derive(dst []pair, labels []float32, score []float64, _, from, to int) {
	for i := from; i < to; i++ {
		dst[i] = pair{float32(score[i] - float64(labels[i])), 1}
	}
}

// absolute is |score − label|.
type absolute struct{ squared }

func (absolute) text() string      { return "regression_l1" }
func (absolute) quantile() float64 { return 0.5 }

func (absolute) start(labels, weights []float32, _ int) float64 {
	return quantileOf(residuals(labels, weights), 0.5, weights != nil)
}

func (absolute) derive(dst []pair, labels []float32, score []float64, _, from, to int) {
	for i := from; i < to; i++ {
		d := score[i] - float64(labels[i])
		g := float32(0)
		if d > 0 {
			g = 1
		} else if d < 0 {
			g = -1
		}
		dst[i] = pair{g, 1}
	}
}

// huber is ½ d² for |d| ≤ alpha, and alpha (|d| − ½ alpha) beyond; d is score − label.
type huber struct{ alpha float64 }

func (huber) text() string         { return "huber" }
func (huber) check(float32) string { return "" }
func (huber) flat() bool           { return true }
func (huber) quantile() float64    { return 0 }

func (huber) start(labels, weights []float32, _ int) float64 { return meanLabel(labels, weights) }

func (l huber) derive(dst []pair, labels []float32, score []float64, _, from, to int) {
	for i := from; i < to; i++ {
		d := score[i] - float64(labels[i])
		dst[i] = pair{float32(max(-l.alpha, min(l.alpha, d))), 1}
	}
}

// pinball is alpha (label − score) below the label, and (1 − alpha) (score − label)
// above it.
type pinball struct{ alpha float64 }

func (pinball) text() string         { return "quantile" }
func (pinball) check(float32) string { return "" }
func (pinball) flat() bool           { return true }
func (l pinball) quantile() float64  { return l.alpha }

func (l pinball) start(labels, weights []float32, _ int) float64 {
	return quantileOf(residuals(labels, weights), l.alpha, weights != nil)
}

func (l pinball) derive(dst []pair, labels []float32, score []float64, _, from, to int) {
	for i := from; i < to; i++ {
		g := -l.alpha
		if score[i] >= float64(labels[i]) {
			g = 1 - l.alpha
		}
		dst[i] = pair{float32(g), 1}
	}
}

// poisson is e**score − label · score. As in LightGBM the second derivative is taken
// larger than it is, so that no step is too long.
type poisson struct{ safety float64 }

func (poisson) text() string { return "poisson" }
func (poisson) check(label float32) string {
	return unless(label >= 0, float64(label), "from 0 on for this objective")
}
func (poisson) flat() bool        { return false }
func (poisson) quantile() float64 { return 0 }

func (poisson) start(labels, weights []float32, _ int) float64 {
	return log(max(meanLabel(labels, weights), 1e-300))
}

func (l poisson) derive(dst []pair, labels []float32, score []float64, _, from, to int) {
	for i := from; i < to; i++ {
		e := exp(score[i])
		dst[i] = pair{float32(e - float64(labels[i])), float32(e * l.safety)}
	}
}

// tweedie is −label · e**((1−ρ) score) / (1−ρ) + e**((2−ρ) score) / (2−ρ).
type tweedie struct{ power float64 }

func (l tweedie) text() string {
	return "tweedie tweedie_variance_power:" + strconv.FormatFloat(l.power, 'g', -1, 64)
}
func (tweedie) check(label float32) string { return poisson{}.check(label) }
func (tweedie) flat() bool                 { return false }
func (tweedie) quantile() float64          { return 0 }

func (tweedie) start(labels, weights []float32, class int) float64 {
	return poisson{}.start(labels, weights, class)
}

func (l tweedie) derive(dst []pair, labels []float32, score []float64, _, from, to int) {
	a, b := 1-l.power, 2-l.power
	for i := from; i < to; i++ {
		ea := float64(float64(labels[i]) * exp(float64(a*score[i])))
		eb := exp(float64(b * score[i]))
		dst[i] = pair{float32(eb - ea), float32(float64(b*eb) - float64(a*ea))}
	}
}

// checkLabels checks every label, and that they are not all the same.
func checkLabels(d *Dataset, l loss) error {
	low, high := float32(math.Inf(1)), float32(math.Inf(-1))
	for i, label := range d.labels {
		if reason := l.check(label); reason != "" {
			return &RowError{int64(i), d.columns.Label, reason}
		}
		low, high = min(low, label), max(high, label)
	}
	if low == high && d.origin == nil {
		return fmt.Errorf("training data: label %q is %g in all %d rows; there is nothing to tell apart", d.columns.Label, low, d.rows)
	}
	return nil
}
