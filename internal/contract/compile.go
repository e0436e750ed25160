package contract

import (
	"fmt"
	"math"
	"math/big"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/decimal128"
	"github.com/apache/arrow/go/v17/arrow/decimal256"
)

// A compiled rule is a rule's test with its place in the contract.
type compiled struct {
	rule int
	test test
}

// A scanner checks the values of one column of a record.
type scanner func(arr arrow.Array, s *sink)

// compile makes the scanner for a physical type, or nil if the rules ask for
// nothing but nulls.
func compile(rules []compiled, t arrow.DataType) (scanner, error) {
	if len(rules) == 0 {
		return nil, nil
	}
	number := func(l literal) *big.Rat { return l.num }
	switch t := t.(type) {
	case *arrow.Int8Type:
		return signed(rules, number, (*array.Int8).Int8Values), nil
	case *arrow.Int16Type:
		return signed(rules, number, (*array.Int16).Int16Values), nil
	case *arrow.Int32Type:
		return signed(rules, number, (*array.Int32).Int32Values), nil
	case *arrow.Int64Type:
		return signed(rules, number, (*array.Int64).Int64Values), nil
	case *arrow.Uint8Type:
		return signed(rules, number, (*array.Uint8).Uint8Values), nil
	case *arrow.Uint16Type:
		return signed(rules, number, (*array.Uint16).Uint16Values), nil
	case *arrow.Uint32Type:
		return signed(rules, number, (*array.Uint32).Uint32Values), nil
	case *arrow.Uint64Type:
		k := integers[uint64](rules, 0, math.MaxUint64, number)
		return func(a arrow.Array, s *sink) { scan(k, a.(*array.Uint64).Uint64Values(), a, s) }, nil
	case *arrow.Float16Type:
		return halves(floats(rules, true)), nil
	case *arrow.Float32Type:
		k := floats(rules, true)
		return func(a arrow.Array, s *sink) { scan(k, a.(*array.Float32).Float32Values(), a, s) }, nil
	case *arrow.Float64Type:
		k := floats(rules, false)
		return func(a arrow.Array, s *sink) { scan(k, a.(*array.Float64).Float64Values(), a, s) }, nil
	case *arrow.Decimal128Type:
		k := decimals(rules, t.Scale, 127, decimal128.FromBigInt, decimal128.Num.Cmp, decimal128.Num.BigInt)
		return func(a arrow.Array, s *sink) { scanDecimals(k, a.(*array.Decimal128).Values(), a, s) }, nil
	case *arrow.Decimal256Type:
		k := decimals(rules, t.Scale, 255, decimal256.FromBigInt, decimal256.Num.Cmp, decimal256.Num.BigInt)
		return func(a arrow.Array, s *sink) { scanDecimals(k, a.(*array.Decimal256).Values(), a, s) }, nil
	case *arrow.BooleanType:
		return booleans(rules), nil
	}
	if s := compileTemporal(rules, t); s != nil {
		return s, nil
	}
	if s := compileText(rules, t); s != nil {
		return s, nil
	}
	return nil, fmt.Errorf("no rule can be checked on type %s", t)
}

func compileTemporal(rules []compiled, t arrow.DataType) scanner {
	in := func(unit time.Duration) func(literal) *big.Rat {
		return func(l literal) *big.Rat { return new(big.Rat).Quo(l.num, big.NewRat(int64(unit), 1)) }
	}
	switch t := t.(type) {
	case *arrow.Date32Type:
		return signed(rules, in(24*time.Hour), (*array.Date32).Date32Values)
	case *arrow.Date64Type:
		return signed(rules, in(time.Millisecond), (*array.Date64).Date64Values)
	case *arrow.Time32Type:
		return signed(rules, in(t.Unit.Multiplier()), (*array.Time32).Time32Values)
	case *arrow.Time64Type:
		return signed(rules, in(t.Unit.Multiplier()), (*array.Time64).Time64Values)
	case *arrow.TimestampType:
		instant := in(t.Unit.Multiplier())
		rat := instant
		if t.TimeZone == "" { // the file has clock readings, and so the limits are too
			rat = func(l literal) *big.Rat { return instant(literal{num: l.wall}) }
		}
		return signed(rules, rat, (*array.Timestamp).TimestampValues)
	}
	return nil
}

// signed makes the scanner of an array type whose values fit int64.
func signed[A arrow.Array, E element](rules []compiled, rat func(literal) *big.Rat, values func(A) []E) scanner {
	k := integers[int64](rules, math.MinInt64, math.MaxInt64, rat)
	return func(a arrow.Array, s *sink) { scan(k, values(a.(A)), a, s) }
}

func halves(k *kernel[float64]) scanner {
	var buf []float32
	return func(a arrow.Array, s *sink) {
		buf = buf[:0]
		for _, h := range a.(*array.Float16).Values() {
			buf = append(buf, h.Float32())
		}
		scan(k, buf, a, s)
	}
}

func booleans(rules []compiled) scanner {
	yes := func(l literal) *big.Rat {
		if l.yes {
			return big.NewRat(1, 1)
		}
		return new(big.Rat)
	}
	k := integers[int64](rules, math.MinInt64, math.MaxInt64, yes)
	var buf []int8
	return func(a arrow.Array, s *sink) {
		b := a.(*array.Boolean)
		buf = buf[:0]
		for i := range b.Len() {
			v := int8(0)
			if b.Value(i) {
				v = 1
			}
			buf = append(buf, v)
		}
		scan(k, buf, a, s)
	}
}

// decimals compiles rules for exact decimals of a scale. They are compared as the
// whole numbers that the file has, with the limits multiplied by 10^scale.
func decimals[N comparable](rules []compiled, scale int32, bits int, from func(*big.Int) N, cmp func(N, N) int, to func(N) *big.Int) []valueTest[N] {
	unit := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(scale, -scale))), nil))
	if scale < 0 {
		unit.Inv(unit)
	}
	scaled := func(r *big.Rat) *big.Rat { return new(big.Rat).Mul(r, unit) }
	var out []valueTest[N]
	add := func(rule int, bad func(N) bool) { out = append(out, valueTest[N]{rule, bad}) }
	for _, r := range rules {
		switch t := r.test.(type) {
		case bound:
			add(r.rule, decimalBound(t.kind, scaled(t.limit.num), bits, from, cmp))
		case within:
			low := decimalBound(KindMinimum, scaled(t.lo), bits, from, cmp)
			high := decimalBound(KindMaximum, scaled(t.hi), bits, from, cmp)
			add(r.rule, func(v N) bool { return low(v) || high(v) })
		case multiple:
			p := scaled(t.of).Num()
			add(r.rule, func(v N) bool { return new(big.Int).Rem(to(v), p).Sign() != 0 })
		case missing:
			set := decimalSet(t.values, scaled, bits, from)
			add(r.rule, func(v N) bool { return set[v] })
		case invalid:
			set := decimalSet(t.values, scaled, bits, from)
			add(r.rule, func(v N) bool { return !set[v] })
		}
	}
	return out
}

func decimalBound[N comparable](kind Kind, r *big.Rat, bits int, from func(*big.Int) N, cmp func(N, N) int) func(N) bool {
	floor := new(big.Int).Div(r.Num(), r.Denom())
	lower := kind == KindMinimum || kind == KindExclusiveMinimum
	if floor.BitLen() >= bits-1 {
		all := lower == (floor.Sign() > 0)
		return func(N) bool { return all }
	}
	limit := from(floor)
	switch {
	case kind == KindMinimum && r.IsInt():
		return func(v N) bool { return cmp(v, limit) < 0 }
	case lower:
		return func(v N) bool { return cmp(v, limit) <= 0 }
	case kind == KindExclusiveMaximum && r.IsInt():
		return func(v N) bool { return cmp(v, limit) >= 0 }
	}
	return func(v N) bool { return cmp(v, limit) > 0 }
}

func decimalSet[N comparable](values []literal, scaled func(*big.Rat) *big.Rat, bits int, from func(*big.Int) N) map[N]bool {
	set := map[N]bool{}
	for _, lit := range values {
		if lit.nan {
			continue
		}
		if r := scaled(lit.num); r.IsInt() && r.Num().BitLen() < bits {
			set[from(r.Num())] = true
		}
	}
	return set
}

func scanDecimals[N any](tests []valueTest[N], vals []N, a arrow.Array, s *sink) {
	null := a.NullN() > 0
	for i, v := range vals {
		if null && a.IsNull(i) {
			continue
		}
		judge(tests, v, i, s)
	}
}
