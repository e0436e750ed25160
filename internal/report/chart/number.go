package chart

import (
	"math"
	"strconv"
	"strings"
)

// Count writes a whole number with commas: 20,000.
func Count(n int64) string {
	s := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, s = "−", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}

// Number writes a number with three significant digits, or as a whole number with commas
// from 1,000 on. A minus is a true minus, so that columns line up.
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
	case a >= 999.5:
		return Count(int64(math.Round(x)))
	default:
		return fixed(x, decimals(a))
	}
}

// decimals returns how many digits after the point give three significant ones, and at
// most four.
func decimals(a float64) int {
	switch {
	case a >= 99.95:
		return 0
	case a >= 9.995:
		return 1
	case a >= 0.9995:
		return 2
	case a >= 0.01:
		return 3
	}
	return 4
}

// Percent writes a share: 12.3 %, 0.04 %. What is neither none nor all is never written as
// if it were.
func Percent(share float64) string {
	p := 100 * share
	a := math.Abs(p)
	switch {
	case math.IsNaN(p):
		return "–"
	case a == 0 || a == 100:
		return fixed(p, 0) + " %"
	case a < 0.01:
		return "<0.01 %"
	case a > 99.99 && a < 100:
		return ">99.99 %"
	case a < 1, a > 99 && a < 100:
		return fixed(p, 2) + " %"
	default:
		return fixed(p, 1) + " %"
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
	return fixed(p, 3)
}

func fixed(x float64, decimals int) string {
	s := strconv.FormatFloat(x, 'f', decimals, 64)
	if t, minus := strings.CutPrefix(s, "-"); minus {
		if strings.Trim(t, "0.") == "" {
			return t
		}
		return "−" + t
	}
	return s
}
