package profile

import (
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/zeebo/xxh3"

	"headgate/internal/sketch"
)

// add reads an array of the column's kind.
func (c *Column) add(a arrow.Array, s *scratch) {
	if d, ok := a.(*array.Dictionary); ok {
		c.addDictionary(d, s)
		return
	}
	n := int64(a.Len())
	switch c.Kind {
	case Text, Binary:
		c.addTexts(a)
	case Opaque:
	default:
		c.addArray(a, s)
	}
	c.Rows += n
	c.Nulls += int64(a.NullN())
}

// addArray reads an array whose values are numbers to us. Rows and nulls are
// counted by the caller.
func (c *Column) addArray(a arrow.Array, s *scratch) {
	switch a := a.(type) {
	case *array.Float64:
		addNumbers(c, a, a.Float64Values(), s, func(v float64) float64 { return v })
	case *array.Float32:
		addNumbers(c, a, a.Float32Values(), s, func(v float32) float64 { return float64(v) })
	case *array.Int32:
		addWholes(c, a, a.Int32Values(), s)
	case *array.Int64:
		addWholes(c, a, a.Int64Values(), s)
	case *array.Uint64:
		c.addUint64s(a)
	case *array.Int16:
		addWholes(c, a, a.Int16Values(), s)
	case *array.Int8:
		addWholes(c, a, a.Int8Values(), s)
	case *array.Uint32:
		addWholes(c, a, a.Uint32Values(), s)
	case *array.Uint16:
		addWholes(c, a, a.Uint16Values(), s)
	case *array.Uint8:
		addWholes(c, a, a.Uint8Values(), s)
	case *array.Boolean:
		c.addBooleans(a)
	default:
		c.addRare(a, s)
	}
}

// addRare is addArray for dates, times, decimals and half floats.
func (c *Column) addRare(a arrow.Array, s *scratch) {
	switch a := a.(type) {
	case *array.Date32:
		addWholes(c, a, a.Date32Values(), s)
	case *array.Date64:
		addNumbers(c, a, a.Date64Values(), s, func(v arrow.Date64) float64 { return math.Floor(float64(v) / 86_400_000) })
	case *array.Timestamp:
		unit := a.DataType().(*arrow.TimestampType).Unit
		addNumbers(c, a, a.TimestampValues(), s, func(v arrow.Timestamp) float64 { return micros(int64(v), unit) })
	case *array.Time32:
		unit := a.DataType().(*arrow.Time32Type).Unit
		addNumbers(c, a, a.Time32Values(), s, func(v arrow.Time32) float64 { return micros(int64(v), unit) })
	case *array.Time64:
		unit := a.DataType().(*arrow.Time64Type).Unit
		addNumbers(c, a, a.Time64Values(), s, func(v arrow.Time64) float64 { return micros(int64(v), unit) })
	case *array.Decimal128:
		scale := a.DataType().(*arrow.Decimal128Type).Scale
		c.addEach(a, func(i int) float64 { return a.Value(i).ToFloat64(scale) })
	case *array.Decimal256:
		scale := a.DataType().(*arrow.Decimal256Type).Scale
		c.addEach(a, func(i int) float64 { return a.Value(i).ToFloat64(scale) })
	case *array.Float16:
		c.addEach(a, func(i int) float64 { return float64(a.Value(i).Float32()) })
	}
}

// micros returns a time in microseconds. Nanoseconds are rounded down.
func micros(v int64, unit arrow.TimeUnit) float64 {
	switch unit {
	case arrow.Second:
		return float64(v) * 1e6
	case arrow.Millisecond:
		return float64(v) * 1e3
	case arrow.Nanosecond:
		return float64((v - (v%1000+1000)%1000) / 1000)
	}
	return float64(v)
}

// addNumbers reads values that convert to float64 without loss, in pieces that
// stay in the cache.
func addNumbers[T any](c *Column, a arrow.Array, values []T, s *scratch, number func(T) float64) {
	for from := 0; from < len(values); from += len(s.numbers) {
		piece := values[from:min(from+len(s.numbers), len(values))]
		n := 0
		if a.NullN() == 0 {
			for i, v := range piece {
				s.numbers[i] = number(v)
			}
			n = len(piece)
		} else {
			for i, v := range piece {
				if a.IsValid(from + i) {
					s.numbers[n] = number(v)
					n++
				}
			}
		}
		c.addFloats(s.numbers[:n])
	}
}

// addEach reads the values that are not null one by one.
func (c *Column) addEach(a arrow.Array, value func(int) float64) {
	for i := range a.Len() {
		if a.IsValid(i) {
			v := [1]float64{value(i)}
			c.addFloats(v[:])
		}
	}
}

// exact is the largest n such that all whole numbers up to it are float64s.
const exact = 1 << 53

// addUint64s is addWholes for the type that int64 does not hold.
func (c *Column) addUint64s(a *array.Uint64) {
	if c.Restricted {
		return
	}
	for i, v := range a.Uint64Values() {
		switch {
		case a.IsNull(i):
		case v <= exact:
			c.addFloat(float64(v))
		default:
			c.addBig(float64(v), strconv.FormatUint(v, 10))
		}
	}
}

// addFloats reads numbers that are not null.
func (c *Column) addFloats(values []float64) {
	for _, v := range values {
		c.addFloat(v)
	}
}

// addFloat reads a number that is not null.
func (c *Column) addFloat(v float64) {
	if v-v != 0 { // NaN or infinite
		c.addSpecial(v)
		return
	}
	if c.Restricted {
		return
	}
	if v == 0 {
		v = 0 // and not −0
		c.Zeros++
	}
	c.addNumber(v)
	hash := sketch.Mix(math.Float64bits(v))
	c.Distinct.Add(hash)
	c.Frequent.Add(hash, 1)
}

// addSpecial counts NaN and the infinities.
func (c *Column) addSpecial(v float64) {
	switch {
	case math.IsInf(v, 1):
		c.PosInfs++
	case math.IsInf(v, -1):
		c.NegInfs++
	default:
		c.NaNs++
	}
}

// addNumber adds v to all that depends on its size.
func (c *Column) addNumber(v float64) {
	if !c.ranged {
		c.ranged, c.Min, c.Max = true, v, v
	}
	if v < c.Min {
		c.Min = v
	}
	if v > c.Max {
		c.Max = v
	}
	c.sum.Add(v)
	c.squares.AddSquare(v)
	c.Quantiles.Add(v)
}

// addBig reads a whole number that v only comes near to. Its digits tell it from
// its neighbours.
func (c *Column) addBig(v float64, digits string) {
	c.addNumber(v)
	hash := xxh3.HashString(digits)
	c.Distinct.Add(hash)
	c.Frequent.AddText(hash, digits, 1)
}

// addTexts reads an array of texts or bytes.
func (c *Column) addTexts(a arrow.Array) {
	if c.Restricted {
		return
	}
	value := textOf(a)
	for i := range a.Len() {
		if a.IsValid(i) {
			c.addText(value(i), 1)
		}
	}
}

// textOf returns how to read the texts or bytes of an array.
func textOf(a arrow.Array) func(int) string {
	switch a := a.(type) {
	case *array.String:
		return a.Value
	case *array.LargeString:
		return a.Value
	case *array.Binary:
		return a.ValueString
	case *array.LargeBinary:
		return a.ValueString
	case *array.FixedSizeBinary:
		return func(i int) string { return string(a.Value(i)) }
	}
	return a.ValueStr
}

// addText reads a text or bytes that occur n times.
func (c *Column) addText(text string, n uint64) {
	length := uint64(len(text))
	hash := xxh3.HashString(text)
	c.Distinct.Add(hash)
	if c.Kind == Text {
		length = uint64(utf8.RuneCountInString(text))
		c.Frequent.AddText(hash, text, n)
		low := text[:min(len(text), maxText)]
		c.extendText(!c.ranged, low, low)
		c.ranged = true
	} else {
		c.Frequent.Add(hash, n)
	}
	if length == 0 {
		c.Zeros += int64(n)
	}
	c.Quantiles.AddN(float64(length), n)
	c.sum.AddProduct(length, n)
	c.squares.AddProduct(length*length, n)
}
