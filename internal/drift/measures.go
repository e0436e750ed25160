package drift

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mathext"
)

// ErrBins means that two sides cannot be compared: they do not have the same bins,
// a count is negative, or a side has no rows at all.
var ErrBins = errors.New("drift: bins that cannot be compared")

// totals returns the rows of both sides.
func totals(ref, cur []int64) (n, m int64, err error) {
	if len(ref) != len(cur) {
		return 0, 0, fmt.Errorf("%d and %d bins: %w", len(ref), len(cur), ErrBins)
	}
	for i := range ref {
		if ref[i] < 0 || cur[i] < 0 {
			return 0, 0, fmt.Errorf("bin %d has %d and %d rows: %w", i, ref[i], cur[i], ErrBins)
		}
		n += ref[i]
		m += cur[i]
	}
	if n == 0 || m == 0 {
		return 0, 0, fmt.Errorf("%d and %d rows: %w", n, m, ErrBins)
	}
	return n, m, nil
}

// PSI returns the population stability index of cur against ref,
//
//	Σᵢ (cᵢ − rᵢ) · ln(cᵢ / rᵢ),
//
// in nats. It is at least 0 and has no upper bound; the sides may be exchanged.
//
// ref and cur count the rows in the same k ≥ 1 bins, in the same order; their
// totals may differ. A bin's share is (count + ½) / (total + k/2), so an empty bin
// gives a large value and not an infinite one. PSI returns [ErrBins] if the bins
// differ, or if either side has no rows.
//
// Source: the divergence J of Kullback and Leibler, "On Information and
// Sufficiency", 1951; the half row is Krichevsky and Trofimov's, 1981.
func PSI(ref, cur []int64) (float64, error) { return psi(ref, cur, 0.5) }

// RawPSI is [PSI] of the shares as they are, count / total. A bin that is empty on
// both sides adds nothing, one that is empty on one side makes it +Inf.
func RawPSI(ref, cur []int64) (float64, error) { return psi(ref, cur, 0) }

// psi is PSI with extra rows in each bin.
func psi(ref, cur []int64, extra float64) (float64, error) {
	n, m, err := totals(ref, cur)
	if err != nil {
		return 0, err
	}
	k := float64(len(ref))
	sum := 0.0
	for i := range ref {
		r := (float64(ref[i]) + extra) / (float64(n) + extra*k)
		c := (float64(cur[i]) + extra) / (float64(m) + extra*k)
		if r != c { // 0·ln(0/0) is 0
			sum += float64((c - r) * math.Log(c/r))
		}
	}
	return sum, nil
}

// ExpectedPSI is the mean of [PSI] over k bins when both sides, of n and m rows,
// come from one distribution: (1/n + 1/m)·(k−1). At 100 rows a side and ten bins
// that is 0.18. It is 0 for one bin, and for sides without rows.
//
// Source: Yurdakul, "Statistical Properties of Population Stability Index", 2018.
func ExpectedPSI(n, m int64, k int) float64 {
	if n <= 0 || m <= 0 || k < 2 {
		return 0
	}
	return (1/float64(n) + 1/float64(m)) * float64(k-1)
}

// PSIP returns the probability, in [0, 1], that [PSI] over k bins is psi or more
// when both sides, of n and m rows, come from one distribution. It is that of a χ²
// of k−1 degrees of freedom, times 1/n + 1/m; good if every bin expects at least
// five rows. With one bin it is 1.
//
// Source: Yurdakul, 2018.
func PSIP(psi float64, n, m int64, k int) float64 {
	scale := ExpectedPSI(n, m, 2)
	if scale == 0 || k < 2 {
		return 1
	}
	return chiSquareP(psi/scale, k-1)
}

// chiSquareP is the probability that a χ² of df degrees of freedom is x or more.
func chiSquareP(x float64, df int) float64 {
	switch {
	case df < 1 || !(x > 0):
		return 1
	case math.IsInf(x, 1):
		return 0
	}
	return mathext.GammaIncRegComp(float64(df)/2, x/2)
}

// JensenShannon returns the Jensen–Shannon divergence of cur and ref,
//
//	½ Σᵢ rᵢ·log₂(rᵢ/aᵢ) + ½ Σᵢ cᵢ·log₂(cᵢ/aᵢ),  aᵢ = ½ (rᵢ + cᵢ),
//
// in bits: 0 for equal shares, 1 for shares without a common bin. The sides may be
// exchanged. Its square root is a metric; in nats it is ln 2 times as large.
// Bins are as in [PSI], and so are the errors; empty ones need no correction.
//
// Source: Lin, "Divergence Measures Based on the Shannon Entropy", 1991. TensorFlow
// Data Validation reports this divergence, NannyML its square root, Evidently the
// square root of that in nats.
func JensenShannon(ref, cur []int64) (float64, error) {
	n, m, err := totals(ref, cur)
	if err != nil {
		return 0, err
	}
	sum := 0.0
	for i := range ref {
		r, c := float64(ref[i])/float64(n), float64(cur[i])/float64(m)
		sum += float64(part(r, c)/2) + float64(part(c, r)/2)
	}
	return min(max(sum, 0), 1), nil
}

// part is p·log₂(p/a) for a halfway between p and q.
func part(p, q float64) float64 {
	if p == 0 {
		return 0
	}
	return p * math.Log2(2*p/(p+q))
}

// LInfinity returns the largest difference of a bin's shares, max |cᵢ − rᵢ|, in
// [0, 1]. Bins are as in [PSI], and so are the errors.
//
// Source: TensorFlow Data Validation, the L-infinity norm of categorical features.
func LInfinity(ref, cur []int64) (float64, error) {
	n, m, err := totals(ref, cur)
	if err != nil {
		return 0, err
	}
	largest := 0.0
	for i := range ref {
		largest = max(largest, math.Abs(float64(cur[i])/float64(m)-float64(ref[i])/float64(n)))
	}
	return largest, nil
}

// ChiSquare tests whether both sides have the same shares: Pearson's χ² of the
// table of two rows and k columns, with k−1 degrees of freedom, and Cramér's V,
// √(χ²/(n+m)), which is its size in [0, 1].
//
// Both sides are samples, so neither is taken to be exact. Bins in which either
// side expects fewer than five rows are one bin together; if fewer than two bins
// are left, the statistic is 0 and p is 1. Bins are as in [PSI], and so are the
// errors.
//
// Source: Pearson, 1900; Cramér, "Mathematical Methods of Statistics", 1946, §30.
func ChiSquare(ref, cur []int64) (Homogeneity, error) {
	if _, _, err := totals(ref, cur); err != nil {
		return Homogeneity{}, err
	}
	cells := make([]cell, len(ref))
	for i := range ref {
		cells[i] = cell{ref: ref[i], cur: cur[i]}
	}
	ref, cur = counts(pool(cells))
	n, m, err := totals(ref, cur)
	if err != nil {
		return Homogeneity{}, err
	}
	h := Homogeneity{DF: len(ref) - 1}
	for i := range ref {
		// The squares of both rows of the table, over their expectations.
		d := float64(ref[i])/float64(n) - float64(cur[i])/float64(m)
		h.Statistic += float64(d * d / float64(ref[i]+cur[i]))
	}
	h.Statistic *= float64(n) * float64(m)
	h.P = chiSquareP(h.Statistic, h.DF)
	h.V = min(math.Sqrt(h.Statistic/float64(n+m)), 1)
	return h, nil
}

// TwoProportion tests whether two shares are equal: a of n rows, and b of m. Z is
// (b/m − a/n) over its standard error, with the variance of both sides together; P
// is two-sided. If all rows are alike, Z is 0 and P is 1. It returns [ErrBins]
// unless 0 ≤ a ≤ n, 0 ≤ b ≤ m, and both sides have rows.
//
// Source: the pooled two-proportion z test, as in Fleiss, "Statistical Methods for
// Rates and Proportions", 1981, without correction for continuity.
func TwoProportion(a, n, b, m int64) (Proportion, error) {
	if a < 0 || b < 0 || a > n || b > m || n <= 0 || m <= 0 {
		return Proportion{}, fmt.Errorf("%d of %d and %d of %d rows: %w", a, n, b, m, ErrBins)
	}
	p := Proportion{Reference: float64(a) / float64(n), Current: float64(b) / float64(m), P: 1}
	all := float64(a+b) / float64(n+m)
	if variance := float64(all*(1-all)) * ExpectedPSI(n, m, 2); variance > 0 {
		p.Z = (p.Current - p.Reference) / math.Sqrt(variance)
		p.P = math.Erfc(math.Abs(p.Z) / math.Sqrt2)
	}
	return p, nil
}
