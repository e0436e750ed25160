package evaluate

import (
	"fmt"
	"math"
)

// mse measures the mean squared error.
func mse(s *sample) *measurement {
	m := s.mean(func(i int) float64 {
		d := s.scores[i] - s.labels[i]
		return float64(d * d)
	})
	m.scale = logarithm
	return m
}

// rmse measures the root of the mean squared error. Its interval is that of the mean
// squared error, on the scale of the logarithm.
func rmse(s *sample) (*measurement, error) {
	inner := mse(s)
	slope := 0.0
	if inner.value > 0 {
		slope = 0.5 / math.Sqrt(inner.value)
	}
	return inner.mapped(func(x float64) float64 { return math.Sqrt(max(x, 0)) }, slope), nil
}

func mae(s *sample) (*measurement, error) {
	m := s.mean(func(i int) float64 { return math.Abs(s.scores[i] - s.labels[i]) })
	m.high = math.MaxFloat64
	return m, nil
}

func bias(s *sample) (*measurement, error) {
	return s.mean(func(i int) float64 { return s.scores[i] - s.labels[i] }), nil
}

// r2 measures 1 − Q, where Q is the mean squared error over the variance of the
// labels. The interval is that of Q, on the scale of the logarithm.
func r2(s *sample) (*measurement, error) {
	level := s.mean(func(i int) float64 { return s.labels[i] }).value
	variance := s.mean(func(i int) float64 {
		d := s.labels[i] - level
		return float64(d * d)
	})
	if variance.value == 0 {
		return nil, undefined("all labels are alike")
	}
	inner := mse(s)
	inner.value /= variance.value
	for i, f := range inner.influence {
		inner.influence[i] = (f - float64(inner.value*variance.influence[i])) / variance.value
	}
	return inner.mapped(func(q float64) float64 { return 1 - q }, -1), nil
}

// pinball measures the mean loss of a forecast of the q quantile: q·(y − s) if the
// label is above the score, else (1 − q)·(s − y).
//
// Source: Koenker and Bassett, "Regression Quantiles", 1978.
func pinball(s *sample, q float64) (*measurement, error) {
	if !(q > 0 && q < 1) {
		return nil, undefined("the quantile %g is outside of (0, 1)", q)
	}
	m := s.mean(func(i int) float64 { return pinballLoss(s.labels[i], s.scores[i], q) })
	m.high = math.MaxFloat64
	return m, nil
}

func pinballLoss(label, score, q float64) float64 {
	d := label - score
	return max(float64(q*d), float64((q-1)*d))
}

// poisson measures the mean Poisson deviance, 2·(y·ln(y/s) − y + s).
func poisson(s *sample) (*measurement, error) { return tweedie(s, 1) }

// tweedie measures the mean deviance of Tweedie's distribution of a power: 0 is the
// normal, 1 Poisson's, 2 gamma's, and between 1 and 2 amounts that are often 0.
//
// Source: Jørgensen, "The Theory of Dispersion Models", 1997.
func tweedie(s *sample, p float64) (*measurement, error) {
	if !(p == 0 || p >= 1 && p <= 10) {
		return nil, undefined("the power of Tweedie's deviance is %g, and must be 0 or from 1 to 10", p)
	}
	for i, y := range s.labels {
		if fault := outside(y, s.scores[i], p); fault != "" {
			return nil, undefined("row %d has %s", i, fault)
		}
	}
	m := s.mean(func(i int) float64 { return deviance(s.labels[i], s.scores[i], p) })
	m.high = math.MaxFloat64
	return m, nil
}

// outside says why a label or score has no deviance of power p, or "".
func outside(label, score, p float64) string {
	switch {
	case p > 0 && score <= 0:
		return fmt.Sprintf("score %g, and Tweedie's deviance of power %g takes scores above 0", score, p)
	case p > 0 && label < 0, p >= 2 && label == 0:
		return fmt.Sprintf("label %g, which Tweedie's distribution of power %g cannot have", label, p)
	}
	return ""
}

// deviance returns the unit deviance of Tweedie's distribution.
func deviance(y, mean, p float64) float64 {
	switch {
	case p == 0:
		return float64((y - mean) * (y - mean))
	case p == 1 && y == 0:
		return 2 * mean
	case p == 1:
		return max(0, float64(2*(float64(y*log(y/mean))-y+mean)))
	case p == 2:
		return max(0, float64(2*(log(mean/y)+y/mean-1)))
	}
	first := 0.0
	if y > 0 {
		first = power(y, 2-p) / float64((1-p)*(2-p))
	}
	second := float64(y*power(mean, 1-p)) / (1 - p)
	return max(0, float64(2*(first-second+power(mean, 2-p)/(2-p))))
}
