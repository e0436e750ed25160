package evaluate

import (
	"math"
)

// probabilities refuses scores that are not in [0, 1], and labels that are not 0 or 1.
func (s *sample) probabilities() error {
	for i, p := range s.scores {
		if p < 0 || p > 1 {
			return undefined("row %d has score %g, which is no probability", i, p)
		}
	}
	return s.zeroOrOne()
}

// mean measures the mean of a value of each row.
func (s *sample) mean(value func(row int) float64) *measurement {
	m := &measurement{influence: make([]float64, len(s.scores)), rows: s.rows}
	var sum total
	for i, w := range s.weights {
		m.influence[i] = value(i)
		sum.add(float64(w * m.influence[i]))
	}
	weight := s.weight.value()
	m.value = sum.value() / weight
	for i, v := range m.influence {
		m.influence[i] = (v - m.value) / weight
	}
	return m
}

// smallest is how near to 0 and 1 a probability is taken to come, as scikit-learn
// does for float64.
const smallest = 1.0 / (1 << 52)

// inside returns a probability away from 0 and 1.
func inside(p float64) float64 { return min(max(p, smallest), 1-smallest) }

func meanScore(s *sample) (*measurement, error) {
	return s.mean(func(i int) float64 { return s.scores[i] }), nil
}

// logLoss measures the mean of −ln p, where p is the probability that was given to
// what happened, and at least 2⁻⁵².
func logLoss(s *sample) (*measurement, error) {
	if err := s.probabilities(); err != nil {
		return nil, err
	}
	m := s.mean(func(i int) float64 {
		p := inside(s.scores[i])
		if s.labels[i] == 0 {
			p = 1 - p
		}
		return -log(p)
	})
	m.high = math.MaxFloat64
	return m, nil
}

// brier measures the mean squared difference of probability and label.
//
// Source: Brier, "Verification of Forecasts Expressed in Terms of Probability", 1950.
func brier(s *sample) (*measurement, error) {
	if err := s.probabilities(); err != nil {
		return nil, err
	}
	m := s.mean(func(i int) float64 {
		d := s.scores[i] - s.labels[i]
		return float64(d * d)
	})
	m.high = 1
	return m, nil
}

// uncertainty measures the variance of the labels, ȳ(1 − ȳ).
func uncertainty(s *sample) (*measurement, error) {
	m, err := prevalence(s)
	if err != nil {
		return nil, err
	}
	slope := 1 - float64(2*m.value)
	// Not mapped: the function rises and falls.
	out := m.mapped(func(p float64) float64 { return float64(p * (1 - p)) }, slope)
	out.inner, out.outer = nil, nil
	out.high = 0.25
	return out, nil
}

// slope measures the slope of the logistic regression of the label on the log odds
// of the score. 1 is best; less means that scores are too extreme.
//
// Source: Cox, "Two Further Applications of a Model for Binary Regression", 1958; the
// variance is the sandwich of Huber, 1967.
func slope(s *sample) (*measurement, error) { return s.calibration(1) }

// intercept measures the intercept of the regression of [slope].
func intercept(s *sample) (*measurement, error) { return s.calibration(0) }

// calibration fits the regression and measures coefficient which.
func (s *sample) calibration(which int) (*measurement, error) {
	x, err := s.logOdds()
	if err != nil {
		return nil, err
	}
	var b [2]float64
	b[1] = 1
	for range 100 {
		gradient, h := s.newton(x, b)
		det := float64(h[0]*h[2]) - float64(h[1]*h[1])
		if !(det > 1e-12*float64(h[0]*h[2])) {
			return nil, undefined("the scores are all alike, or separate the labels")
		}
		d0 := (float64(h[2]*gradient[0]) - float64(h[1]*gradient[1])) / det
		d1 := (float64(h[0]*gradient[1]) - float64(h[1]*gradient[0])) / det
		size := max(math.Abs(d0)/10, math.Abs(d1)/2, 1) // a long step could overshoot
		b[0], b[1] = b[0]+d0/size, b[1]+d1/size
		if math.Abs(d0)+math.Abs(d1) > float64(1e-13*(1+math.Abs(b[0])+math.Abs(b[1]))) {
			continue
		}
		m := &measurement{value: b[which], influence: make([]float64, len(x)), rows: s.rows}
		for i := range x {
			e := s.labels[i] - logistic(b[0]+float64(b[1]*x[i]))
			if which == 0 {
				m.influence[i] = float64(e*(h[2]-float64(h[1]*x[i]))) / det
			} else {
				m.influence[i] = float64(e*(float64(h[0]*x[i])-h[1])) / det
			}
		}
		return m, nil
	}
	return nil, undefined("the regression of labels on scores does not converge: scores separate the labels")
}

// newton returns the gradient of the log likelihood and its negative second
// derivatives: of the intercept, mixed, of the slope.
func (s *sample) newton(x []float64, b [2]float64) (gradient [2]float64, h [3]float64) {
	var g0, g1, h0, h1, h2 total
	for i, w := range s.weights {
		p := logistic(b[0] + float64(b[1]*x[i]))
		e := float64(w * (s.labels[i] - p))
		v := float64(w * float64(p*(1-p)))
		g0.add(e)
		g1.add(float64(e * x[i]))
		h0.add(v)
		h1.add(float64(v * x[i]))
		h2.add(float64(v * float64(x[i]*x[i])))
	}
	return [2]float64{g0.value(), g1.value()}, [3]float64{h0.value(), h1.value(), h2.value()}
}

// logOdds returns the log odds of all scores.
func (s *sample) logOdds() ([]float64, error) {
	if err := s.probabilities(); err != nil {
		return nil, err
	}
	if err := s.twoClasses(); err != nil {
		return nil, err
	}
	x := make([]float64, len(s.scores))
	for i, p := range s.scores {
		x[i] = logit(inside(p))
	}
	return x, nil
}

// inTheLarge measures by how much the log odds of all scores are too low on the whole:
// the intercept of the regression of [slope] if the slope is 1.
func inTheLarge(s *sample) (*measurement, error) {
	x, err := s.logOdds()
	if err != nil {
		return nil, err
	}
	b := 0.0
	for range 200 {
		gradient, h := s.newton(x, [2]float64{b, 1})
		if !(h[0] > 0) {
			return nil, undefined("all scores are 0 or 1")
		}
		step := gradient[0] / h[0]
		b += min(max(step, -1), 1)
		if math.Abs(step) > float64(1e-13*(1+math.Abs(b))) {
			continue
		}
		m := &measurement{value: b, influence: make([]float64, len(x)), rows: s.rows}
		for i := range x {
			m.influence[i] = (s.labels[i] - logistic(b+x[i])) / h[0]
		}
		return m, nil
	}
	return nil, undefined("no intercept makes these scores right on the whole")
}
