package retailer

import "math"

// The functions of package math are assembly on some machines and Go on others,
// and differ in the last bit. These are plain Go with explicit rounding. They
// are good to about 1e-14, which is plenty here.

const (
	ln2High = 6.93147180369123816490e-01
	ln2Low  = 1.90821492927058770002e-10
)

// exp returns e to the power x, for x in about ±700.
func exp(x float64) float64 {
	x = float64(x) // a product must not be fused into the subtraction below
	k := math.Floor(float64(x/math.Ln2) + 0.5)
	r := x - float64(k*ln2High)
	r -= float64(k * ln2Low)
	s := 1.0
	for i := 13; i > 0; i-- {
		s = float64(float64(s*r)*reciprocal[i]) + 1
	}
	return s * math.Float64frombits(uint64(1023+int64(k))<<52)
}

// reciprocal holds 1/i.
var reciprocal = func() (r [14]float64) {
	for i := 1; i < len(r); i++ {
		r[i] = 1 / float64(i)
	}
	return r
}()

// log returns the natural logarithm of a positive, normal x.
func log(x float64) float64 {
	bits := math.Float64bits(x)
	k := float64(int64(bits>>52) - 1023)
	m := math.Float64frombits(bits&(1<<52-1) | 1023<<52)
	if m > math.Sqrt2 {
		m /= 2
		k++
	}
	// log(m) = 2·atanh(s), s = (m−1)/(m+1), |s| ≤ 0.172.
	s := (m - 1) / (m + 1)
	r := float64(s * s)
	t := 0.0
	for i := 19; i > 1; i -= 2 {
		t = float64(r * (t + oddReciprocal[i/2]))
	}
	high := float64(2*s) + float64(float64(2*s)*t)
	return float64(k*ln2High) + (high + float64(k*ln2Low))
}

// oddReciprocal holds 1/(2i+1).
var oddReciprocal = func() (r [10]float64) {
	for i := range r {
		r[i] = 1 / float64(2*i+1)
	}
	return r
}()

// logistic returns 1/(1 + e^−x).
func logistic(x float64) float64 { return 1 / (1 + exp(-x)) }

// round returns x to the given number of units per 1: round(x, 100) has two
// decimals.
func round(x, units float64) float64 { return math.Floor(float64(x*units)+0.5) / units }
