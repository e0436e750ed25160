package gbdt

import (
	"math"

	"headgate/internal/model"
)

// The functions of package math are assembly on some machines and Go on others,
// and differ in the last bit. These are plain Go with explicit rounding, and much
// faster than [model.Exp], at errors of about 1e-15.

const (
	expSteps   = 64 // in the table, between two powers of two
	expPerStep = expSteps * math.Log2E
	// ln 2 / 64 in two parts, of which the first has 32 bits.
	expStepHi = 6.93147180369123816490e-01 / expSteps
	expStepLo = 1.90821492927058770002e-10 / expSteps
	// expRound brings the integer part of a double into its last bits.
	expRound = 3 << 51
)

// expTable holds 2**(i/64), with i taken off its exponent so that an integer k can
// be added to the bits: table[k%64] + k<<46 is 2**(k/64).
var expTable = func() (t [expSteps]uint64) {
	for i := range t {
		t[i] = math.Float64bits(model.Exp(float64(float64(i)*(math.Ln2/expSteps)))) - uint64(i)<<46
	}
	return t
}()

// exp returns e**x. It is 0 below −708, and e**709 above 709.
func exp(x float64) float64 {
	if x < -708 {
		return 0
	}
	if !(x < 709) {
		x = 709
	}
	shifted := float64(x*expPerStep) + expRound
	k := math.Float64bits(shifted)
	whole := shifted - expRound
	r := x - float64(whole*expStepHi) - float64(whole*expStepLo)
	// |r| ≤ ln 2 / 128: the series' next term is below 1e-16.
	s := float64(r*r) * (0.5 + float64(r*(1.0/6+float64(r*(1.0/24+float64(r*(1.0/120)))))))
	power := math.Float64frombits(expTable[k%expSteps] + k<<46)
	return power + float64(power*(r+s))
}

// log returns the natural logarithm of a positive, normal x.
func log(x float64) float64 {
	const ln2Hi, ln2Lo = 6.93147180369123816490e-01, 1.90821492927058770002e-10
	bits := math.Float64bits(x)
	k := float64(int64(bits>>52) - 1023)
	m := math.Float64frombits(bits&(1<<52-1) | 1023<<52)
	if m > math.Sqrt2 {
		m /= 2
		k++
	}
	// log(m) = 2·atanh(s), s = (m−1)/(m+1), |s| ≤ 0.172.
	s := (m - 1) / (m + 1)
	square := float64(s * s)
	t := 0.0
	for i := 21; i > 1; i -= 2 {
		t = float64(square * (t + 1/float64(i)))
	}
	return float64(k*ln2Hi) + (float64(2*s) + float64(float64(2*s)*t) + float64(k*ln2Lo))
}
