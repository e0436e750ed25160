package contract

import (
	"math"
	"math/big"

	"github.com/apache/arrow/go/v17/arrow"
)

// A domain is a Go type that values of many physical types are compared in.
type domain interface{ int64 | uint64 | float64 }

// An element is a physical type that converts to a domain without loss.
type element interface {
	~int8 | ~int16 | ~int32 | ~int64 | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~float32 | ~float64
}

// A valueTest is one rule, compiled: bad reports whether a value breaks it.
type valueTest[T any] struct {
	rule int // index in Contract.Rules
	bad  func(T) bool
}

// A kernel checks the values of one ordered column. A value in [lo, hi] keeps all
// of the ranges, so a column without violations costs two comparisons a value.
type kernel[T domain] struct {
	lo, hi T
	ranges []valueTest[T]
	others []valueTest[T]
}

// scan checks vals, which are the values of arr; slots of nulls hold anything.
func scan[E element, T domain](k *kernel[T], vals []E, arr arrow.Array, s *sink) {
	null := arr.NullN() > 0
	if len(k.ranges) > 0 {
		lo, hi := k.lo, k.hi
		for i, e := range vals {
			v := T(e)
			if v >= lo && v <= hi || null && arr.IsNull(i) {
				continue
			}
			judge(k.ranges, v, i, s)
		}
	}
	if len(k.others) > 0 {
		for i, e := range vals {
			if null && arr.IsNull(i) {
				continue
			}
			judge(k.others, T(e), i, s)
		}
	}
}

// judge tells the sink which of the tests the value of row i breaks.
func judge[T any](tests []valueTest[T], v T, i int, s *sink) {
	for _, t := range tests {
		if t.bad(v) {
			s.hit(t.rule, i)
		}
	}
}

// A span is a range of a domain; with none, no value is inside.
type span[T domain] struct {
	lo, hi T
	none   bool
}

func (sp span[T]) bad(v T) bool { return sp.none || !(v >= sp.lo && v <= sp.hi) }

// add adds a range to the kernel.
func (k *kernel[T]) add(rule int, sp span[T]) {
	k.ranges = append(k.ranges, valueTest[T]{rule, sp.bad})
	if sp.none {
		k.lo, k.hi = 1, 0
		return
	}
	k.lo, k.hi = max(k.lo, sp.lo), min(k.hi, sp.hi)
}

// integers compiles rules for a column whose values are whole numbers, from least
// to most. rat gives a literal in the unit of the column.
func integers[T int64 | uint64](rules []compiled, least, most T, rat func(literal) *big.Rat) *kernel[T] {
	k := &kernel[T]{lo: least, hi: most}
	full := span[T]{lo: least, hi: most}
	for _, r := range rules {
		switch t := r.test.(type) {
		case bound:
			k.add(r.rule, integerSpan(full, t.kind, rat(t.limit)))
		case within:
			low := integerSpan(full, KindMinimum, t.lo)
			high := integerSpan(full, KindMaximum, t.hi)
			k.add(r.rule, span[T]{lo: low.lo, hi: high.hi, none: low.none || high.none})
		case multiple:
			// v is a multiple of p/q in lowest terms if and only if p divides v.
			p, fits := toDomain[T](t.of.Num())
			k.others = append(k.others, valueTest[T]{r.rule, func(v T) bool {
				return v != 0 && (!fits || v%p != 0)
			}})
		case missing:
			set := integerSet[T](t.values, rat)
			k.others = append(k.others, valueTest[T]{r.rule, func(v T) bool { return set[v] }})
		case invalid:
			set := integerSet[T](t.values, rat)
			k.others = append(k.others, valueTest[T]{r.rule, func(v T) bool { return !set[v] }})
		}
	}
	return k
}

// integerSpan returns the whole numbers of full that keep a bound.
func integerSpan[T int64 | uint64](full span[T], kind Kind, r *big.Rat) span[T] {
	floor := new(big.Int).Div(r.Num(), r.Denom()) // Euclidean: rounds down, as the denominator is positive
	limit := floor
	switch {
	case kind == KindExclusiveMinimum, kind == KindMinimum && !r.IsInt():
		limit = new(big.Int).Add(floor, big.NewInt(1))
	case kind == KindExclusiveMaximum && r.IsInt():
		limit = new(big.Int).Sub(floor, big.NewInt(1))
	}
	lower := kind == KindMinimum || kind == KindExclusiveMinimum
	v, fits := toDomain[T](limit)
	switch {
	case fits && lower:
		full.lo = v
	case fits:
		full.hi = v
	default:
		full.none = lower == (limit.Sign() > 0)
	}
	return full
}

func toDomain[T int64 | uint64](x *big.Int) (T, bool) {
	var zero T
	if zero-1 > zero { // unsigned
		return T(x.Uint64()), x.IsUint64()
	}
	return T(x.Int64()), x.IsInt64()
}

func integerSet[T int64 | uint64](values []literal, rat func(literal) *big.Rat) map[T]bool {
	set := map[T]bool{}
	for _, lit := range values {
		if lit.nan || !rat(lit).IsInt() {
			continue
		}
		if v, fits := toDomain[T](rat(lit).Num()); fits {
			set[v] = true
		}
	}
	return set
}

// floats compiles rules for floating-point columns. Limits are rounded to the
// precision of the column, so that a float column with 0.1 keeps maximum: 0.1.
// NaN is in no range.
func floats(rules []compiled, single bool) *kernel[float64] {
	k := &kernel[float64]{lo: math.Inf(-1), hi: math.Inf(1)}
	for _, r := range rules {
		switch t := r.test.(type) {
		case bound:
			k.add(r.rule, floatSpan(t.kind, t.limit.num, single))
		case multiple:
			of, tolerance := toFloat(t.of, false), 1e-9
			if single {
				tolerance = 1e-6
			}
			k.others = append(k.others, valueTest[float64]{r.rule, func(v float64) bool {
				nearest := float64(math.Round(v/of) * of)
				return !(math.Abs(v-nearest) <= tolerance*max(math.Abs(v), of))
			}})
		case missing:
			set, nan := floatSet(t.values, single)
			k.others = append(k.others, valueTest[float64]{r.rule, func(v float64) bool { return set[v] || nan && v != v }})
		case invalid:
			set, nan := floatSet(t.values, single)
			k.others = append(k.others, valueTest[float64]{r.rule, func(v float64) bool { return !(set[v] || nan && v != v) }})
		}
	}
	return k
}

func floatSpan(kind Kind, r *big.Rat, single bool) span[float64] {
	sp := span[float64]{lo: math.Inf(-1), hi: math.Inf(1)}
	f := toFloat(r, single)
	switch kind {
	case KindMinimum:
		sp.lo = f
	case KindMaximum:
		sp.hi = f
	case KindExclusiveMinimum:
		sp.lo, sp.none = nextFloat(f, math.Inf(1), single), math.IsInf(f, 1)
	case KindExclusiveMaximum:
		sp.hi, sp.none = nextFloat(f, math.Inf(-1), single), math.IsInf(f, -1)
	}
	return sp
}

func toFloat(r *big.Rat, single bool) float64 {
	if single {
		f, _ := r.Float32()
		return float64(f)
	}
	f, _ := r.Float64()
	return f
}

func nextFloat(f, towards float64, single bool) float64 {
	if single {
		return float64(math.Nextafter32(float32(f), float32(towards)))
	}
	return math.Nextafter(f, towards)
}

func floatSet(values []literal, single bool) (set map[float64]bool, nan bool) {
	set = map[float64]bool{}
	for _, lit := range values {
		if lit.nan {
			nan = true
			continue
		}
		set[toFloat(lit.num, single)] = true
	}
	return set, nan
}
