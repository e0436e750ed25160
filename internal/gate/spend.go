package gate

import (
	"fmt"
	"math"
)

// least is the smallest error that a look is granted if it is granted any, so that
// intervals stay numbers.
const least = 1e-10

// Spend returns what of alpha is spent by time t in [0, 1], as O'Brien and Fleming
// would: 2 − 2Φ(z / √t), where Φ(z) is 1 − alpha/2. That is little at first and all
// at the end.
//
// Source: Lan and DeMets, "Discrete Sequential Boundaries for Clinical Trials", 1983.
func Spend(alpha, t float64) float64 {
	switch {
	case t <= 0:
		return 0
	case t >= 1:
		return alpha
	}
	return 2 * tail(quantile(alpha/2)/math.Sqrt(t))
}

// Boundaries returns, for each look, how many standard errors an estimate must be above
// 0 to be so beyond doubt, on one side, if all looks together may err with
// probability alpha in (0, 1). times say which part of the plan each look is at: they
// rise and are in (0, 1]; what has been spent by then is [Spend]. information is how
// much each look knows, in any unit, as rows: it rises. Looks share what they know,
// so their joint distribution is that of sums of independent parts; its integrals are
// numerical, good to 1e-6, and the boundaries rounded up to that.
//
// Source: Armitage, McPherson and Rowe, "Repeated Significance Tests on Accumulating
// Data", 1969; Lan and DeMets, "Group Sequential Procedures: Calendar Versus
// Information Time", 1989.
func Boundaries(alpha float64, times, information []float64) ([]float64, error) {
	if !(alpha > 0 && alpha < 1) || len(times) != len(information) {
		return nil, fmt.Errorf("gate: %g is to be spent at %d times with information of %d looks", alpha, len(times), len(information))
	}
	var out []float64
	var before *density
	spent, time, known := 0.0, 0.0, 0.0
	for k, t := range times {
		if !(t > time && t <= 1) || !(information[k] > known) || math.IsInf(information[k], 0) {
			return nil, fmt.Errorf("gate: look %d is at time %g with information %g, after time %g with %g; both must rise, and time to 1 at most", k+1, t, information[k], time, known)
		}
		by := Spend(alpha, t)
		d := &density{at: math.Sqrt(information[k]), step: math.Sqrt(information[k] - known), before: before}
		d.upper = d.at * boundary(d, max(by-spent, least))
		d.fill()
		out = append(out, d.upper/d.at)
		before, spent, time, known = d, by, t, information[k]
	}
	return out, nil
}

// boundary returns the z whose crossing at this look, and none before, has a
// probability. It is found by halving, to 1e-6 and rounded up.
func boundary(d *density, probability float64) float64 {
	low, high := -8.0, 8.0
	for high-low > 1e-7 {
		if z := (low + high) / 2; d.above(z*d.at) > probability {
			low = z
		} else {
			high = z
		}
	}
	return math.Ceil(high*1e6) / 1e6
}

// A density is that of the score, √information × z, at a look, of those paths that have
// not crossed before, on the points of Simpson's rule.
type density struct {
	at, step, upper float64 // standard deviations of the score and of its last part; the boundary
	before          *density
	points, weights []float64 // weights are Simpson's × the density
}

// above returns the probability of being above x at this look.
func (d *density) above(x float64) float64 {
	if d.before == nil {
		return tail(x / d.at)
	}
	sum := 0.0
	for i, u := range d.before.points {
		sum += d.before.weights[i] * tail((x-u)/d.step)
	}
	return sum
}

// fill makes the points from far below up to the boundary, close enough together for
// the last part, however small it is.
func (d *density) fill() {
	lower := -8 * d.at
	n := 2 * int(math.Ceil(min(max((d.upper-lower)/d.step*4, 100), 1000)))
	h := (d.upper - lower) / float64(n)
	for i := range n + 1 {
		x := lower + float64(i)*h
		w := h / 3
		if i > 0 && i < n {
			w *= float64(2 + 2*(i%2))
		}
		d.points, d.weights = append(d.points, x), append(d.weights, w*d.of(x))
	}
}

func (d *density) of(x float64) float64 {
	if d.before == nil {
		return bell(x/d.at) / d.at
	}
	sum := 0.0
	for i, u := range d.before.points {
		sum += d.before.weights[i] * bell((x-u)/d.step)
	}
	return sum / d.step
}

// bell is the density of a standard normal.
func bell(z float64) float64 { return math.Exp(-z*z/2) / math.Sqrt(2*math.Pi) }

// tail is the probability that a standard normal is above z.
func tail(z float64) float64 { return math.Erfc(z/math.Sqrt2) / 2 }

// quantile returns the z whose tail is p in (0, 1).
func quantile(p float64) float64 {
	low, high := -40.0, 40.0
	for range 100 {
		if z := (low + high) / 2; tail(z) > p {
			low = z
		} else {
			high = z
		}
	}
	return high
}

// nominal returns what the last of so many looks may err by on one side: the tail of
// its boundary, rounded so that it is the same on every machine.
func nominal(alpha float64, times, information []float64) (float64, error) {
	z, err := Boundaries(alpha, times, information)
	if err != nil || len(z) == 0 {
		return 0, err
	}
	p := tail(z[len(z)-1])
	digits := math.Pow10(9 - int(math.Floor(math.Log10(p))))
	return max(math.Floor(p*digits)/digits, least), nil
}
