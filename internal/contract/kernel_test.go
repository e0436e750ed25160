package contract

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow/go/v17/arrow/decimal128"
)

var boundKinds = []Kind{KindMinimum, KindMaximum, KindExclusiveMinimum, KindExclusiveMaximum}

// breaks is what the standard says, in exact arithmetic.
func breaks(kind Kind, v, limit *big.Rat) bool {
	c := v.Cmp(limit)
	switch kind {
	case KindMinimum:
		return c < 0
	case KindMaximum:
		return c > 0
	case KindExclusiveMinimum:
		return c <= 0
	}
	return c >= 0
}

// limits are hard cases and some random ones.
func limits(r *rand.Rand) []*big.Rat {
	out := []*big.Rat{}
	for _, s := range []string{"0", "-1", "1/3", "-1/3", "5/2", "-5/2", "9223372036854775807", "9223372036854775808", "-9223372036854775808",
		"-9223372036854775809", "18446744073709551615", "18446744073709551616", "9223372036854775806.5", "1e30", "-1e30"} {
		limit, _ := new(big.Rat).SetString(s)
		out = append(out, limit)
	}
	for range 200 {
		out = append(out, big.NewRat(r.Int64N(80)-40, 1+r.Int64N(7)))
	}
	return out
}

// Compiled limits agree with exact arithmetic, for every kind of limit.
func TestLimitsAreExact(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, limit := range limits(r) {
		for _, kind := range boundKinds {
			rules := []compiled{{test: bound{kind: kind, limit: literal{num: limit}}}}
			number := func(l literal) *big.Rat { return l.num }
			signed := integers[int64](rules, math.MinInt64, math.MaxInt64, number)
			unsigned := integers[uint64](rules, 0, math.MaxUint64, number)
			decimal := decimals(rules, 2, 127, decimal128.FromBigInt, decimal128.Num.Cmp, decimal128.Num.BigInt)
			for _, v := range append(around(limit), math.MinInt64, math.MaxInt64, 0) {
				agree(t, fmt.Sprintf("%d %s %s", v, kind, limit), inKernel(signed, v), breaks(kind, big.NewRat(v, 1), limit))
				u := uint64(v)
				exact := new(big.Rat).SetInt(new(big.Int).SetUint64(u))
				agree(t, fmt.Sprintf("%d %s %s", u, kind, limit), inKernel(unsigned, u), breaks(kind, exact, limit))
				agree(t, fmt.Sprintf("%d/100 %s %s", v, kind, limit), decimal[0].bad(decimal128.FromI64(v)), breaks(kind, big.NewRat(v, 100), limit))
			}
		}
	}
}

// around returns whole numbers at and beside a limit, and a hundred times it.
func around(limit *big.Rat) []int64 {
	f, _ := limit.Float64()
	at := int64(max(min(f, 9e18), -9e18))
	hundred := int64(max(min(100*f, 9e18), -9e18))
	return []int64{at - 1, at, at + 1, hundred - 1, hundred, hundred + 1}
}

// inKernel asks a kernel as scan does: the span first, then the rule.
func inKernel[T domain](k *kernel[T], v T) bool {
	fast := v >= k.lo && v <= k.hi
	slow := k.ranges[0].bad(v)
	if fast && slow {
		panic("the span of a kernel hides a violation")
	}
	return !fast && slow
}

func agree(t *testing.T, what string, got, want bool) {
	t.Helper()
	if got != want {
		t.Errorf("%s: broken is %v, want %v", what, got, want)
	}
}

// Limits of floating-point columns agree with exact arithmetic on the limit that
// is rounded to the column's precision.
func TestFloatLimits(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, limit := range limits(r) {
		for _, kind := range boundKinds {
			for _, single := range []bool{false, true} {
				at := toFloat(limit, single)
				rounded, finite := new(big.Rat), !math.IsInf(at, 0)
				if !finite {
					continue
				}
				rounded.SetFloat64(at)
				k := floats([]compiled{{test: bound{kind: kind, limit: literal{num: limit}}}}, single)
				for _, v := range []float64{at, nextFloat(at, math.Inf(1), single), nextFloat(at, math.Inf(-1), single), 0, -at} {
					agree(t, fmt.Sprintf("%v %s %s single %v", v, kind, limit, single), inKernel(k, v), breaks(kind, new(big.Rat).SetFloat64(v), rounded))
				}
				agree(t, fmt.Sprintf("NaN %s %s", kind, limit), inKernel(k, math.NaN()), true)
			}
		}
	}
}
