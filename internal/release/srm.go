package release

import "math"

// enough is the count that each arm must expect for χ² to be near its distribution, by
// the usual rule (Cochran 1954).
const enough = 5

// SRM returns how likely counts at least as far from the shares are if entities were
// drawn by them: the p-value of Pearson's χ² test of a sample ratio mismatch, with one
// degree of freedom less than there are arms with a share. counts and shares are of the
// same arms; shares are weights, basis points for example, and need not add up.
//
// ok is false, and p is 1, if there is nothing to test: less than two arms, lengths that
// differ, a negative number, or an arm that expects fewer than 5. A count in an arm
// without a share cannot be by chance: p is 0.
//
// Below .001 outcomes per arm must not be read (Fabijan et al., "Diagnosing Sample Ratio
// Mismatch in Online Controlled Experiments", KDD 2019).
func SRM(counts []int64, shares []int) (p float64, ok bool) {
	if len(counts) != len(shares) {
		return 1, false
	}
	var n, weight, arms int64
	for i, c := range counts {
		if c < 0 || shares[i] < 0 {
			return 1, false
		}
		if shares[i] == 0 && c > 0 {
			return 0, true
		}
		if shares[i] > 0 {
			arms++
		}
		n += c
		weight += int64(shares[i])
	}
	if arms < 2 {
		return 1, false
	}
	var x float64
	for i, c := range counts {
		if shares[i] == 0 {
			continue
		}
		want := float64(n) * (float64(shares[i]) / float64(weight))
		if want < enough {
			return 1, false
		}
		d := float64(c) - want
		x += float64(d*d) / want
	}
	return chiSquareTail(x, int(arms-1)), true
}

// chiSquareTail returns the probability that χ² with df ≥ 1 degrees of freedom is at
// least x. It is the upper incomplete gamma function Q(df/2, x/2), summed from Q(1/2, y)
// = erfc √y or Q(1, y) = e^−y by Q(a+1, y) = Q(a, y) + y^a e^−y / Γ(a+1).
//
// Source: Abramowitz and Stegun, 26.4.4, 26.4.5 and 26.4.8.
func chiSquareTail(x float64, df int) float64 {
	y := x / 2
	a, q := 1.0, math.Exp(-y)
	if df%2 == 1 {
		a, q = 0.5, math.Erfc(math.Sqrt(y))
	}
	for ; 2*a < float64(df); a++ {
		if y > 0 {
			gamma, _ := math.Lgamma(a + 1)
			q += math.Exp(float64(a*math.Log(y)) - y - gamma)
		}
	}
	return min(q, 1)
}
