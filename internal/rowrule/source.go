package rowrule

import (
	"encoding/hex"
	"math"
	"math/big"
	"slices"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
)

// states tells where a column has no value; nil if it has one in every row.
func states(f *frame, a arrow.Array, buf []truth) []truth {
	if a.NullN() == 0 {
		return nil
	}
	out := buf[:f.n]
	for i := range out {
		out[i] = null * of(a.IsNull(f.from+i))
	}
	return out
}

// read reads a column value by value.
func read[A arrow.Array, T any](place int, value func(a A, i int) T) vector[T] {
	buf, state := make([]T, chunk), make([]truth, chunk)
	return func(f *frame) ([]T, []truth) {
		a := f.columns[place].(A)
		out := buf[:f.n]
		for i := range out {
			out[i] = value(a, f.from+i)
		}
		return out, states(f, a, state)
	}
}

// tryRead is read of values that may not fit; then the row fails.
func tryRead[A arrow.Array, T any](place int, value func(a A, i int) (T, bool)) vector[T] {
	buf, state, fits := make([]T, chunk), make([]truth, chunk), make([]truth, chunk)
	return func(f *frame) ([]T, []truth) {
		a := f.columns[place].(A)
		out, s := buf[:f.n], fits[:f.n]
		for i := range out {
			v, ok := value(a, f.from+i)
			out[i], s[i] = v, failed*of(!ok)
		}
		return out, join(s, s, states(f, a, state))
	}
}

// slice reads a column whose values lie in memory as they are wanted.
func slice[A arrow.Array, T any](place int, values func(A) []T) vector[T] {
	state := make([]truth, chunk)
	return func(f *frame) ([]T, []truth) {
		a := f.columns[place].(A)
		return values(a)[f.from : f.from+f.n], states(f, a, state)
	}
}

// convert reads a column of numbers of another width.
func convert[A arrow.Array, E int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64 | float32, T int64 | float64](place int, values func(A) []E) vector[T] {
	return map1(slice(place, values), func(e E) T { return T(e) })
}

// integers reads a column of whole numbers, or returns nil.
func integers(place int, t arrow.DataType) vector[int64] {
	switch t.(type) {
	case *arrow.Int64Type:
		return slice(place, (*array.Int64).Int64Values)
	case *arrow.Uint64Type:
		return tryRead(place, func(a *array.Uint64, i int) (int64, bool) {
			v := a.Value(i)
			return int64(v), v <= math.MaxInt64
		})
	case *arrow.Decimal128Type:
		return tryRead(place, func(a *array.Decimal128, i int) (int64, bool) { return fits(a.Value(i).BigInt()) })
	case *arrow.Decimal256Type:
		return tryRead(place, func(a *array.Decimal256, i int) (int64, bool) { return fits(a.Value(i).BigInt()) })
	}
	return small[int64](place, t)
}

func fits(v *big.Int) (int64, bool) { return v.Int64(), v.IsInt64() }

// small reads a column of whole numbers that every wanted type holds, or returns nil.
func small[T int64 | float64](place int, t arrow.DataType) vector[T] {
	switch t.(type) {
	case *arrow.Int8Type:
		return convert[*array.Int8, int8, T](place, (*array.Int8).Int8Values)
	case *arrow.Int16Type:
		return convert[*array.Int16, int16, T](place, (*array.Int16).Int16Values)
	case *arrow.Int32Type:
		return convert[*array.Int32, int32, T](place, (*array.Int32).Int32Values)
	case *arrow.Uint8Type:
		return convert[*array.Uint8, uint8, T](place, (*array.Uint8).Uint8Values)
	case *arrow.Uint16Type:
		return convert[*array.Uint16, uint16, T](place, (*array.Uint16).Uint16Values)
	case *arrow.Uint32Type:
		return convert[*array.Uint32, uint32, T](place, (*array.Uint32).Uint32Values)
	}
	return nil
}

// numbers reads a column of numbers as doubles, or returns nil. What a double does
// not hold is rounded to the nearest one.
func numbers(place int, t arrow.DataType) vector[float64] {
	switch t := t.(type) {
	case *arrow.Float64Type:
		return slice(place, (*array.Float64).Float64Values)
	case *arrow.Float32Type:
		return convert[*array.Float32, float32, float64](place, (*array.Float32).Float32Values)
	case *arrow.Float16Type:
		return read(place, func(a *array.Float16, i int) float64 { return float64(a.Value(i).Float32()) })
	case *arrow.Int64Type:
		return convert[*array.Int64, int64, float64](place, (*array.Int64).Int64Values)
	case *arrow.Uint64Type:
		return convert[*array.Uint64, uint64, float64](place, (*array.Uint64).Uint64Values)
	case *arrow.Decimal128Type:
		return read(place, func(a *array.Decimal128, i int) float64 { return decimal(a.Value(i).BigInt(), t.Scale) })
	case *arrow.Decimal256Type:
		return read(place, func(a *array.Decimal256, i int) float64 { return decimal(a.Value(i).BigInt(), t.Scale) })
	}
	return small[float64](place, t)
}

// single reports whether a column has less precision than a double.
func single(t arrow.DataType) bool { return t.ID() == arrow.FLOAT32 || t.ID() == arrow.FLOAT16 }

// decimal returns the double nearest to v / 10^scale.
func decimal(v *big.Int, scale int32) float64 {
	// Up to 2^53 and 10^22 both sides are exact, and one division rounds once.
	if scale >= 0 && scale <= 22 && v.IsInt64() {
		if n := v.Int64(); n > -1<<53 && n < 1<<53 {
			return float64(n) / tens[scale]
		}
	}
	power := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(scale, -scale))), nil)
	r := new(big.Rat).SetInt(v)
	if scale < 0 {
		r.Mul(r, new(big.Rat).SetInt(power))
	} else {
		r.Quo(r, new(big.Rat).SetInt(power))
	}
	f, _ := r.Float64()
	return f
}

var tens = [23]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22}

// booleans reads a column of booleans.
func booleans(place int) logic {
	buf, state := make([]truth, chunk), make([]truth, chunk)
	return func(f *frame) []truth {
		a := f.columns[place].(*array.Boolean)
		out := buf[:f.n]
		for i := range out {
			out[i] = of(a.Value(f.from + i))
		}
		return unknown(out, states(f, a, state), nil)
	}
}

// characters reads a column of texts, or returns nil. Bytes are read as UTF-8, and
// 16 of them as a UUID.
func characters(place int, t arrow.DataType) vector[string] {
	switch t := t.(type) {
	case *arrow.StringType:
		return read(place, (*array.String).Value)
	case *arrow.LargeStringType:
		return read(place, (*array.LargeString).Value)
	case *arrow.BinaryType:
		return read(place, (*array.Binary).ValueString)
	case *arrow.LargeBinaryType:
		return read(place, (*array.LargeBinary).ValueString)
	case *arrow.FixedSizeBinaryType:
		if t.ByteWidth == 16 {
			return read(place, func(a *array.FixedSizeBinary, i int) string { return uuid(a.Value(i)) })
		}
		return read(place, func(a *array.FixedSizeBinary, i int) string { return string(a.Value(i)) })
	case *arrow.DictionaryType:
		return dictionary(place)
	}
	return nil
}

func uuid(b []byte) string {
	h := hex.EncodeToString(b)
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// dictionary reads a column of texts that are numbered.
func dictionary(place int) vector[string] {
	buf, state := make([]string, chunk), make([]truth, chunk)
	return func(f *frame) ([]string, []truth) {
		a := f.columns[place].(*array.Dictionary)
		value := textOf(a.Dictionary())
		out := buf[:f.n]
		numbers, fast := a.Indices().(*array.Int32)
		for i := range out {
			switch at := f.from + i; {
			case a.IsNull(at):
				out[i] = ""
			case fast:
				out[i] = value(int(numbers.Value(at)))
			default:
				out[i] = value(a.GetValueIndex(at))
			}
		}
		return out, states(f, a, state)
	}
}

// dictionaryTest applies a condition to each value of a dictionary that a row refers
// to, once for each record.
func dictionaryTest(place int, is func(string) bool) logic {
	buf, state := make([]truth, chunk), make([]truth, chunk)
	var verdicts []truth // by number; null means not known yet
	return func(f *frame) []truth {
		a := f.columns[place].(*array.Dictionary)
		value, n := textOf(a.Dictionary()), a.Dictionary().Len()
		if f.from == 0 {
			verdicts = slices.Grow(verdicts[:0], n)[:n]
			for i := range verdicts {
				verdicts[i] = null
			}
		}
		unknowns := states(f, a, state)
		numbers, fast := a.Indices().(*array.Int32)
		out := buf[:f.n]
		for i := range out {
			if unknowns != nil && unknowns[i] != no {
				out[i] = null
				continue
			}
			number := 0
			if fast {
				number = int(numbers.Value(f.from + i))
			} else {
				number = a.GetValueIndex(f.from + i)
			}
			if verdicts[number] == null {
				verdicts[number] = of(is(value(number)))
			}
			out[i] = verdicts[number]
		}
		return out
	}
}

func textOf(a arrow.Array) func(int) string {
	switch a := a.(type) {
	case *array.LargeString:
		return a.Value
	case *array.Binary:
		return a.ValueString
	}
	return a.(*array.String).Value
}

// instants reads a column of dates or timestamps, or returns nil. A clock reading
// without a zone counts as UTC.
func instants(place int, t arrow.DataType) vector[moment] {
	switch t := t.(type) {
	case *arrow.Date32Type:
		return read(place, func(a *array.Date32, i int) moment { return moment{seconds: int64(a.Value(i)) * 86_400} })
	case *arrow.Date64Type:
		return read(place, func(a *array.Date64, i int) moment { return momentIn(int64(a.Value(i)), time.Millisecond) })
	case *arrow.TimestampType:
		unit := t.Unit.Multiplier()
		return read(place, func(a *array.Timestamp, i int) moment { return momentIn(int64(a.Value(i)), unit) })
	}
	return nil
}

// momentIn returns the instant of v units since 1970.
func momentIn(v int64, unit time.Duration) moment {
	perSecond := int64(time.Second / unit)
	s, rest := v/perSecond, v%perSecond
	if rest < 0 {
		s, rest = s-1, rest+perSecond
	}
	return moment{seconds: s, nanos: int32(rest * int64(unit))}
}

// timesOfDay reads a column of times of day, or returns nil.
func timesOfDay(place int, t arrow.DataType) vector[int64] {
	switch t := t.(type) {
	case *arrow.Time32Type:
		unit := int64(t.Unit.Multiplier())
		return read(place, func(a *array.Time32, i int) int64 { return int64(a.Value(i)) * unit })
	case *arrow.Time64Type:
		unit := int64(t.Unit.Multiplier())
		return read(place, func(a *array.Time64, i int) int64 { return int64(a.Value(i)) * unit })
	}
	return nil
}
