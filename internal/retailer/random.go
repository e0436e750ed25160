package retailer

import "math"

// A source is a stream of independent draws that is fully determined by the
// values it was made from. The same draw number always gives the same value, so
// a new draw never moves the others.
type source uint64

// newSource returns the source of a seed and of what the draws are about.
func newSource(seed uint64, about ...uint64) source {
	h := mix(seed ^ 0x6a09e667f3bcc908)
	for _, a := range about {
		h = mix(h ^ mix(a+0x9e3779b97f4a7c15))
	}
	return source(h)
}

// mix is the finalizer of SplitMix64: a bijection whose output bits each depend
// on all input bits.
//
// Source: Steele, Lea and Flood, "Fast Splittable Pseudorandom Number
// Generators", 2014; constants by Stafford (variant 13).
func mix(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}

// uniform returns a value in (0, 1), never 0 and never 1.
func (s source) uniform(n draw) float64 {
	h := mix(uint64(s) + uint64(n+1)*0x9e3779b97f4a7c15)
	return (float64(h>>12) + 0.5) / (1 << 52)
}

// exponential returns a draw from Exp with mean 1.
func (s source) exponential(n draw) float64 { return -log(s.uniform(n)) }

// normal returns a draw from N(0, 1).
func (s source) normal(n draw) float64 { return normalQuantile(s.uniform(n)) }

// chance reports whether something of probability p happens.
func (s source) chance(n draw, p float64) bool { return s.uniform(n) < p }

// normalQuantile returns the p quantile of N(0, 1) for p in (0, 1), with a
// relative error below 1.2e-9.
//
// Source: Acklam, "An algorithm for computing the inverse normal cumulative
// distribution function", 2003.
func normalQuantile(p float64) float64 {
	const tail = 0.02425
	switch {
	case p < tail:
		return normalTail(p)
	case p > 1-tail:
		return -normalTail(1 - p)
	}
	q := p - 0.5
	r := float64(q * q)
	num := horner(r, -3.969683028665376e+01, 2.209460984245205e+02, -2.759285104469687e+02, 1.383577518672690e+02, -3.066479806614716e+01, 2.506628277459239e+00)
	den := horner(r, -5.447609879822406e+01, 1.615858368580409e+02, -1.556989798598866e+02, 6.680131188771972e+01, -1.328068155288572e+01, 1)
	return float64(q*num) / den
}

// normalTail is normalQuantile in the lower tail.
func normalTail(p float64) float64 {
	q := math.Sqrt(-2 * log(p))
	num := horner(q, -7.784894002430293e-03, -3.223964580411365e-01, -2.400758277161838e+00, -2.549732539343734e+00, 4.374664141464968e+00, 2.938163982698783e+00)
	den := horner5(q, 7.784695709041462e-03, 3.224671290700398e-01, 2.445134137142996e+00, 3.754408661907416e+00, 1)
	return num / den
}

// horner returns ((((a·x + b)·x + c)·x + d)·x + e)·x + f, rounded after every
// product so that no CPU fuses it into the sum.
func horner(x, a, b, c, d, e, f float64) float64 {
	return float64(horner5(x, a, b, c, d, e)*x) + f
}

// horner5 is horner for five coefficients.
func horner5(x, a, b, c, d, e float64) float64 {
	s := float64(a*x) + b
	s = float64(s*x) + c
	s = float64(s*x) + d
	return float64(s*x) + e
}
