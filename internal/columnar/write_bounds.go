package columnar

import (
	"bytes"
	"encoding/binary"
	"math"

	"github.com/apache/arrow/go/v17/arrow/bitutil"
	"github.com/parquet-go/parquet-go/format"
)

// order is how the values of a column compare.
type order uint8

const (
	orderNone order = iota
	orderSigned
	orderUnsigned
	orderFloat
	orderBytes
	orderDecimal // big-endian two's complement
	orderBool
)

// maxBound is the longest string that is written as a bound; longer ones have none.
const maxBound = 256

// bounds finds the least and the greatest value of a column chunk.
type bounds struct {
	order  order
	width  int
	some   bool
	lo, hi int64
	ulo    uint64
	uhi    uint64
	flo    float64
	fhi    float64
	blo    []byte
	bhi    []byte
}

func (b *bounds) init(e *format.SchemaElement) {
	*b = bounds{width: widthOf(e), blo: b.blo[:0], bhi: b.bhi[:0]}
	switch e.Type.V {
	case format.Boolean:
		b.order = orderBool
	case format.Int32, format.Int64:
		b.order = orderSigned
	case format.Float, format.Double:
		b.order = orderFloat
	case format.ByteArray, format.FixedLenByteArray:
		b.order = orderBytes
	}
	switch t := e.LogicalType.Value.(type) {
	case *format.IntType:
		if !t.IsSigned {
			b.order = orderUnsigned
		}
	case *format.DecimalType:
		if b.order == orderBytes {
			b.order = orderDecimal
		}
	case *format.Float16Type, *format.NullType:
		b.order = orderNone
	}
}

// add takes plain-encoded values of a fixed width.
func (b *bounds) add(values []byte) {
	switch {
	case len(values) == 0 || b.order == orderNone:
	case b.order == orderFloat && b.width == 8:
		b.flo, b.fhi, b.some = floats(view[float64](values), b.flo, b.fhi, b.some)
	case b.order == orderFloat:
		for _, x := range view[float32](values) {
			one := [1]float64{float64(x)}
			b.flo, b.fhi, b.some = floats(one[:], b.flo, b.fhi, b.some)
		}
	case b.order == orderSigned && b.width == 8:
		b.lo, b.hi, b.some = extremes(view[int64](values), b.lo, b.hi, b.some)
	case b.order == orderSigned:
		lo, hi, _ := extremes(view[int32](values), 0, 0, false)
		b.lo, b.hi, b.some = extremes([]int64{int64(lo), int64(hi)}, b.lo, b.hi, b.some)
	case b.order == orderUnsigned && b.width == 8:
		b.ulo, b.uhi, b.some = extremes(view[uint64](values), b.ulo, b.uhi, b.some)
	case b.order == orderUnsigned:
		lo, hi, _ := extremes(view[uint32](values), 0, 0, false)
		b.ulo, b.uhi, b.some = extremes([]uint64{uint64(lo), uint64(hi)}, b.ulo, b.uhi, b.some)
	default:
		for i := 0; i < len(values); i += b.width {
			b.addBytes(values[i : i+b.width])
		}
	}
}

func extremes[T int32 | int64 | uint32 | uint64](values []T, lo, hi T, some bool) (T, T, bool) {
	if !some {
		lo, hi = values[0], values[0]
	}
	for _, x := range values {
		lo, hi = min(lo, x), max(hi, x)
	}
	return lo, hi, true
}

// floats is extremes without NaN, which has no place in an order.
func floats(values []float64, lo, hi float64, some bool) (float64, float64, bool) {
	for _, x := range values {
		switch {
		case math.IsNaN(x):
		case !some:
			lo, hi, some = x, x, true
		case x < lo:
			lo = x
		case x > hi:
			hi = x
		}
	}
	return lo, hi, some
}

func (b *bounds) addBytes(v []byte) {
	if !b.some {
		b.blo, b.bhi, b.some = append(b.blo[:0], v...), append(b.bhi[:0], v...), true
		return
	}
	if b.compare(v, b.blo) < 0 {
		b.blo = append(b.blo[:0], v...)
	}
	if b.compare(v, b.bhi) > 0 {
		b.bhi = append(b.bhi[:0], v...)
	}
}

func (b *bounds) compare(x, y []byte) int {
	if b.order == orderDecimal && x[0]>>7 != y[0]>>7 {
		return int(y[0]>>7) - int(x[0]>>7) // the negative one is less
	}
	return bytes.Compare(x, y)
}

func (b *bounds) addBools(bitmap []byte, at, n int) {
	set := int64(bitutil.CountSetBits(bitmap, at, n))
	pair := []int64{min(set, 1), min(set, 1)}
	if set < int64(n) {
		pair[0] = 0
	}
	b.lo, b.hi, b.some = extremes(pair, b.lo, b.hi, b.some)
}

// encode returns the bounds plain-encoded, or nil where there are none.
func (b *bounds) encode() (least, most []byte) {
	if !b.some {
		return nil, nil
	}
	switch b.order {
	case orderBool:
		return []byte{byte(b.lo)}, []byte{byte(b.hi)}
	case orderSigned:
		return b.integer(uint64(b.lo)), b.integer(uint64(b.hi))
	case orderUnsigned:
		return b.integer(b.ulo), b.integer(b.uhi)
	case orderFloat:
		return b.float(b.flo, math.Copysign(0, -1)), b.float(b.fhi, 0)
	}
	if len(b.blo) > maxBound || len(b.bhi) > maxBound {
		return nil, nil
	}
	return bytes.Clone(b.blo), bytes.Clone(b.bhi)
}

func (b *bounds) integer(x uint64) []byte {
	if b.width == 4 {
		return binary.LittleEndian.AppendUint32(nil, uint32(x))
	}
	return binary.LittleEndian.AppendUint64(nil, x)
}

// float encodes a bound; zero gets the sign that includes both zeros, as the
// format demands.
func (b *bounds) float(x, zero float64) []byte {
	if x == 0 {
		x = zero
	}
	if b.width == 4 {
		return binary.LittleEndian.AppendUint32(nil, math.Float32bits(float32(x)))
	}
	return binary.LittleEndian.AppendUint64(nil, math.Float64bits(x))
}
