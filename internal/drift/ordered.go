package drift

import (
	"cmp"
	"fmt"
	"math"

	"headgate/internal/sketch"
)

// order says which of two bins lies further left. Bins of one sketch are equal or
// do not overlap; a single value is a bin whose Low and High are equal.
func order(a, b sketch.Bin) int {
	if c := cmp.Compare(a.Low, b.Low); c != 0 {
		return c
	}
	return cmp.Compare(a.High, b.High)
}

// count returns how many values bins hold.
func count(bins []sketch.Bin) (n int64) {
	for _, b := range bins {
		n += int64(b.Count)
	}
	return n
}

// checkBins returns an error unless both sides have values, in ascending bins.
func checkBins(ref, cur []sketch.Bin) error {
	for _, side := range [][]sketch.Bin{ref, cur} {
		if count(side) <= 0 {
			return fmt.Errorf("a side without values: %w", ErrBins)
		}
		for i := 1; i < len(side); i++ {
			if order(side[i-1], side[i]) >= 0 {
				return fmt.Errorf("bin %d is not above the one before: %w", i, ErrBins)
			}
		}
	}
	return nil
}

// walk visits the bins of both sides from the lowest to the highest, equal ones at
// once. n and m count the values in the bin.
func walk(ref, cur []sketch.Bin, visit func(b sketch.Bin, n, m int64)) {
	for len(ref) > 0 || len(cur) > 0 {
		switch {
		case len(cur) == 0 || len(ref) > 0 && order(ref[0], cur[0]) < 0:
			visit(ref[0], int64(ref[0].Count), 0)
			ref = ref[1:]
		case len(ref) == 0 || order(ref[0], cur[0]) > 0:
			visit(cur[0], 0, int64(cur[0].Count))
			cur = cur[1:]
		default:
			visit(ref[0], int64(ref[0].Count), int64(cur[0].Count))
			ref, cur = ref[1:], cur[1:]
		}
	}
}

// KolmogorovSmirnov tests whether two samples come from one continuous
// distribution. D is the largest difference of their distribution functions, P is
// Smirnov's for the two-sided test; if values are tied, it is too large.
//
// The samples come as bins in ascending order, either of a [sketch.Quantiles] or
// with single values, where Low and High are equal. Of a sketch D is a lower bound:
// inside a bin, which is at most 1/128 as wide as its values, the functions may be
// further apart. High is the upper bound. It returns [ErrBins] if a side has no
// values or bins out of order.
//
// Source: Smirnov, 1939; P with the correction of Stephens, 1970, as in Press et
// al., "Numerical Recipes", §14.3.
func KolmogorovSmirnov(ref, cur []sketch.Bin) (Smirnov, error) {
	if err := checkBins(ref, cur); err != nil {
		return Smirnov{}, err
	}
	n, m := float64(count(ref)), float64(count(cur))
	var s Smirnov
	var f, g int64
	walk(ref, cur, func(b sketch.Bin, r, c int64) {
		before, beside := float64(f)/n, float64(g)/m
		f, g = f+r, g+c
		after, aside := float64(f)/n, float64(g)/m
		s.D = max(s.D, math.Abs(after-aside))
		if b.Low != b.High {
			s.High = max(s.High, after-beside, aside-before)
		}
	})
	s.High = max(s.High, s.D)
	en := math.Sqrt(n * m / (n + m))
	s.P = kolmogorovP((en + 0.12 + 0.11/en) * s.D)
	return s, nil
}

// kolmogorovP is the probability that Kolmogorov's statistic is x or more:
// 2 Σ (−1)^(k−1) exp(−2k²x²), or for small x, where that converges slowly, one
// minus √(2π)/x Σ exp(−(2k−1)²π²/8x²).
func kolmogorovP(x float64) float64 {
	if x < 0.04 {
		return 1
	}
	if x < 1.18 {
		sum := 0.0
		for k := 1.0; k <= 9; k += 2 {
			sum += math.Exp(-k * k * math.Pi * math.Pi / (8 * x * x))
		}
		return min(max(1-math.Sqrt(2*math.Pi)/x*sum, 0), 1)
	}
	sum, sign := 0.0, 1.0
	for k := 1.0; k <= 4; k++ {
		sum += sign * math.Exp(-2*k*k*x*x)
		sign = -sign
	}
	return min(max(2*sum, 0), 1)
}

// Wasserstein returns the distance by which the values of ref must move on average
// to become those of cur: ∫|F − G| dx, at least 0, in the unit of the values. The
// sides may be exchanged.
//
// Bins are as in [KolmogorovSmirnov], and so are the errors. Each value of a sketch
// is taken to be the middle of its bin, so the result is wrong by at most 1/257
// (0.39 %) of the mean magnitude of ref plus that of cur.
//
// Source: Vallender, "Calculation of the Wasserstein Distance Between Probability
// Distributions on the Line", 1974.
func Wasserstein(ref, cur []sketch.Bin) (float64, error) {
	if err := checkBins(ref, cur); err != nil {
		return 0, err
	}
	n, m := float64(count(ref)), float64(count(cur))
	var f, g int64
	sum, last := 0.0, math.NaN()
	walk(ref, cur, func(b sketch.Bin, r, c int64) {
		x := b.Mid()
		if d := math.Abs(float64(f)/n - float64(g)/m); d > 0 {
			sum += float64(d*x) - float64(d*last) // x − last may overflow
		}
		f, g, last = f+r, g+c, x
	})
	return sum, nil
}
