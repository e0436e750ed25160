// Package figure writes numbers and digests for people: the same way in what commands
// print, on the cards of workflows and on the pages of reports. Programs read JSON, which
// has every digit; what a paper in the store says of itself is not rounded here.
package figure

import (
	"math"
	"strconv"
	"strings"

	"headgate/internal/evaluate"
)

// Digits is how many hexadecimal digits of a digest are shown.
const Digits = 16

// Short names a digest to a person: its first 16 hexadecimal digits, by which every command
// finds it again.
func Short[D ~string](digest D) string {
	hex := strings.TrimPrefix(string(digest), "sha256:")
	return hex[:min(Digits, len(hex))]
}

// Count writes a whole number with commas: 20,000.
func Count[N ~int | ~int64](n N) string {
	s := strconv.FormatInt(int64(n), 10)
	sign := ""
	if n < 0 {
		sign, s = "−", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}

// Things counts things by their name in the singular: 1 row, 20,000 rows, 2 batches.
func Things[N ~int | ~int64](n N, name string) string {
	switch {
	case n == 1:
	case strings.HasSuffix(name, "ch"):
		name += "es"
	default:
		name += "s"
	}
	return Count(n) + " " + name
}

// Bytes writes a size in the largest decimal unit that it reaches: 512 B, 1.2 MB.
func Bytes(n int64) string {
	if n < 1000 {
		return Count(n) + " B"
	}
	size, units := float64(n)/1000, []string{"kB", "MB", "GB"}
	for _, unit := range units {
		if size < 1000 {
			return Fixed(size, 1) + " " + unit
		}
		size /= 1000
	}
	return Fixed(size, 1) + " TB"
}

// Number writes a number with four significant digits, below one with four decimals, and from
// 1,000 on as a whole number with commas: metrics of two models may differ in the fourth. A
// minus is a true minus, so that columns line up.
func Number(x float64) string {
	switch a := math.Abs(x); {
	case math.IsNaN(x):
		return "–"
	case x == 0:
		return "0"
	case math.IsInf(x, 0):
		return strings.Replace(strconv.FormatFloat(x, 'f', 0, 64), "-", "−", 1)
	case a >= 1e15, a < 1e-4 && a > 0:
		return strings.Replace(strconv.FormatFloat(x, 'e', 1, 64), "-", "−", -1)
	case a >= 999.95:
		return Count(int64(math.Round(x)))
	default:
		return Fixed(x, decimals(a))
	}
}

// Bound writes a number that somebody has set, as it was set: 0.25.
func Bound(x float64) string {
	return strings.Replace(strconv.FormatFloat(x, 'g', -1, 64), "-", "−", -1)
}

// decimals returns how many digits after the point a number of this size gets.
func decimals(a float64) int {
	switch {
	case a >= 99.995:
		return 1
	case a >= 9.9995:
		return 2
	case a >= 0.99995:
		return 3
	}
	return 4
}

// Estimate writes a value with its interval: 0.7381 [0.7302, 0.7460]. One that does not
// exist is a dash.
func Estimate(e *evaluate.Estimate) string {
	if e == nil {
		return "–"
	}
	return Number(e.Value) + " " + Interval(*e)
}

// Interval writes the interval of an estimate: [0.7302, 0.7460].
func Interval(e evaluate.Estimate) string {
	return "[" + Number(e.Low) + ", " + Number(e.High) + "]"
}

// Percent writes a share: 12.3 %, 0.04 %, 1,250 %. What is neither none nor all is never
// written as if it were.
func Percent(share float64) string {
	p := 100 * share
	a := math.Abs(p)
	switch {
	case math.IsNaN(p):
		return "–"
	case a == 0 || a == 100:
		return Fixed(p, 0) + " %"
	case a > 100:
		return Number(p) + " %"
	case a < 0.01:
		return "<0.01 %"
	case a > 99.99 && a < 100:
		return ">99.99 %"
	case a < 1, a > 99 && a < 100:
		return Fixed(p, 2) + " %"
	default:
		return Fixed(p, 1) + " %"
	}
}

// Signed writes a difference with its sign.
func Signed(x float64) string {
	if x > 0 {
		return "+" + Number(x)
	}
	return Number(x)
}

// Probability writes a p-value: three decimals, or that it is smaller.
func Probability(p float64) string {
	if p < 0.001 {
		return "<0.001"
	}
	return Fixed(p, 3)
}

// Fixed writes a number with as many decimals, and none below zero that rounds to zero.
func Fixed(x float64, decimals int) string {
	s := strconv.FormatFloat(x, 'f', decimals, 64)
	if t, minus := strings.CutPrefix(s, "-"); minus {
		if strings.Trim(t, "0.") == "" {
			return t
		}
		return "−" + t
	}
	return s
}
