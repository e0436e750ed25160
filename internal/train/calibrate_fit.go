package train

import (
	"cmp"
	"errors"
	"math"
	"slices"

	"headgate/internal/model"
)

// isotonic returns the points of the function that never falls and is nearest to the
// targets, by the weighted sum of squares: pools of neighbouring rows that violate the
// order have their mean. Each pool gives its lowest and its highest raw score. Rows with
// a weight of 0 count for nothing.
//
// Source: Ayer et al., "An Empirical Distribution Function for Sampling with Incomplete
// Information", 1955: pool adjacent violators.
func isotonic(raw, targets, weights []float64) (points, values []float64) {
	type pool struct{ low, high, sum, weight float64 }
	var pools []pool
	for _, i := range byValue(raw, weights) {
		w := 1.0
		if weights != nil {
			w = weights[i]
		}
		p := pool{raw[i], raw[i], float64(w * targets[i]), w}
		if last := len(pools) - 1; last >= 0 && pools[last].high == p.low {
			// Rows with one raw score have one prediction.
			p = pool{pools[last].low, p.high, pools[last].sum + p.sum, pools[last].weight + p.weight}
			pools = pools[:last]
		}
		pools = append(pools, p)
	}
	merged := pools[:0]
	for _, p := range pools {
		for last := len(merged) - 1; last >= 0 && merged[last].sum/merged[last].weight >= p.sum/p.weight; last-- {
			p = pool{merged[last].low, p.high, merged[last].sum + p.sum, merged[last].weight + p.weight}
			merged = merged[:last]
		}
		merged = append(merged, p)
	}
	for _, p := range merged {
		points, values = append(points, p.low), append(values, p.sum/p.weight)
		if p.high != p.low {
			points, values = append(points, p.high), append(values, p.sum/p.weight)
		}
	}
	return points, values
}

// byValue returns the rows that count, in the order of their values.
func byValue(values, weights []float64) []int {
	var order []int
	for i := range values {
		if weights == nil || weights[i] > 0 {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(values[i], values[j]) })
	return order
}

// plattSteps bounds Newton's method, which takes about ten.
const plattSteps = 100

// platt returns intercept and slope of the logistic regression of targets in (0, 1) on
// raw scores, by Newton's method. A step is halved until the gradient is smaller, so
// neither logarithms nor the loss are needed.
//
// Source: Lin, Lin and Weng, "A Note on Platt's Probabilistic Outputs for Support Vector
// Machines", 2007.
func platt(raw, targets, weights []float64) (intercept, slope float64, err error) {
	at := gradientAt(raw, targets, weights, 0, 0)
	for range plattSteps {
		det := float64(at.aa*at.bb) - float64(at.ab*at.ab)
		if at.norm() == 0 || !(det > 0) {
			break
		}
		da := (float64(at.bb*at.a) - float64(at.ab*at.b)) / det
		db := (float64(at.aa*at.b) - float64(at.ab*at.a)) / det
		step := 1.0
		next := at
		for ; step > 1e-10; step /= 2 {
			next = gradientAt(raw, targets, weights, intercept-float64(step*da), slope-float64(step*db))
			if next.norm() < at.norm() {
				break
			}
		}
		if !(next.norm() < at.norm()) {
			break
		}
		intercept, slope, at = intercept-float64(step*da), slope-float64(step*db), next
	}
	switch {
	case math.IsNaN(intercept) || math.IsNaN(slope):
		return 0, 0, errors.New("the raw scores are not finite")
	case slope < 0:
		return 0, 0, errors.New("the label is rarer where the raw score is higher; the model ranks the wrong way round, which no calibration mends")
	}
	return intercept, slope, nil
}

// A gradient is that of the logistic loss, with its second derivatives.
type gradient struct{ a, b, aa, ab, bb float64 }

func (g gradient) norm() float64 { return float64(g.a*g.a) + float64(g.b*g.b) }

func gradientAt(raw, targets, weights []float64, intercept, slope float64) gradient {
	var g gradient
	for i, x := range raw {
		w := 1.0
		if weights != nil {
			w = weights[i]
		}
		p := 1 / (1 + model.Exp(-(intercept + float64(slope*x))))
		d, dd := float64(w*(p-targets[i])), float64(w*float64(p*(1-p)))
		g.a, g.b = g.a+d, g.b+float64(d*x)
		g.aa, g.ab, g.bb = g.aa+dd, g.ab+float64(dd*x), g.bb+float64(float64(dd*x)*x)
	}
	return g
}
