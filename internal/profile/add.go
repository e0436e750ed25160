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
	case *array.Uint64:
		c.addUint64s(a)
		return
	case *array.Boolean:
		c.addBooleans(a)
		return
	}
	for from := 0; from < a.Len(); from += pieceRows {
		p := s.piece(a, from)
		c.addWholes(p, s)
		c.addFloats(p)
	}
	c.addSmalls(s)
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

// addFloats reads the floating-point numbers of a piece.
func (c *Column) addFloats(p piece) {
	for i, v := range p.floats {
		if p.valid == nil || p.valid[i] {
			c.addFloat(v)
		}
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
	if !c.Confidential {
		c.Frequent.Add(hash, 1)
	}
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
	c.Quantiles.Add(v)
	if c.Confidential {
		return
	}
	if !c.ranged {
		c.ranged, c.Min, c.Max = true, v, v
	}
	if v < c.Min {
		c.Min = v
	}
	if v > c.Max {
		c.Max = v
	}
	c.moments.Add(v)
}

// addBig reads a whole number that v only comes near to. Its digits tell it from
// its neighbours.
func (c *Column) addBig(v float64, digits string) {
	c.addNumber(v)
	hash := xxh3.HashString(digits)
	c.Distinct.Add(hash)
	if !c.Confidential {
		c.Frequent.AddText(hash, digits, 1)
	}
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
	if c.Kind == Text {
		length = uint64(utf8.RuneCountInString(text))
	}
	if length == 0 {
		c.Zeros += int64(n)
	}
	c.Quantiles.AddN(float64(length), n)
	hash := xxh3.HashString(text)
	c.Distinct.Add(hash)
	if c.Confidential {
		return
	}
	c.moments.AddWhole(length, n)
	if c.Kind == Binary {
		c.Frequent.Add(hash, n)
		return
	}
	c.Frequent.AddText(hash, text, n)
	low := text[:min(len(text), maxText)]
	c.extendText(!c.ranged, low, low)
	c.ranged = true
}
