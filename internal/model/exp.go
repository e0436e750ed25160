package model

import "math"

// Exp returns e to the power of x, the same bits on every machine, and nearly
// always the double that is nearest to the true value. [math.Exp] is neither: it
// differs between processors, and scores are compared byte by byte.
//
// With x = k·ln 2 + r, e**x = 2**k · e**r. The first three terms of the series of
// e**r are summed with their rounding errors, the others are too small to matter
// by theirs: the error is below 0.53 ulp.
func Exp(x float64) float64 {
	const (
		ln2Hi = 6.93147180369123816490e-01 // 32 bits, so that k·ln2Hi is exact
		ln2Lo = 1.90821492927058770002e-10
	)
	switch {
	case x != x || x > 710:
		return x + math.Inf(1)
	case x < -746:
		return 0
	}
	k := math.RoundToEven(float64(x * math.Log2E))
	hi := x - float64(k*ln2Hi)
	lo := float64(k * ln2Lo)
	r := hi - lo
	rest := float64(hi-r) - lo // r + rest is the argument, to twice the precision

	square := float64(r * r)
	squareRest := math.FMA(r, r, -square)
	tail := 0.0
	for _, c := range inverseFactorials {
		tail = math.FMA(tail, r, c)
	}
	tail = float64(tail * float64(square*r))

	one := 1 + r
	oneRest := r - (one - 1)
	half := square / 2
	sum := one + half
	sumRest := half - (sum - one)
	small := oneRest + sumRest + float64(rest+float64(rest*r)) + squareRest/2 + tail
	return math.Ldexp(sum+small, int(k))
}

// inverseFactorials are 1/14!, …, 1/3!.
var inverseFactorials = [...]float64{
	1.0 / 87178291200, 1.0 / 6227020800, 1.0 / 479001600, 1.0 / 39916800, 1.0 / 3628800, 1.0 / 362880,
	1.0 / 40320, 1.0 / 5040, 1.0 / 720, 1.0 / 120, 1.0 / 24, 1.0 / 6,
}
