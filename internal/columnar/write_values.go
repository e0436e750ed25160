package columnar

import (
	"encoding/binary"
	"math/bits"
	"slices"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/bitutil"
	"github.com/parquet-go/parquet-go/format"
)

// appendValues appends the present ones among n values of arr, plain-encoded. A nil
// bitmap means that all are; else its bits start at off.
func (c *columnWriter) appendValues(arr arrow.Array, from, n, present int, bitmap []byte, off int) error {
	switch a := arr.(type) {
	case *array.Dictionary:
		return c.appendCodes(a, from, n, bitmap, off)
	case *array.Boolean:
		c.appendBools(a.Data(), from, n, present, bitmap, off)
		return nil
	case *array.String, *array.LargeString, *array.Binary, *array.LargeBinary:
		value, err := bytesOf(arr)
		if err != nil {
			return err
		}
		c.appendText(value, from, n, bitmap, off)
		return nil
	}
	data := arr.Data()
	width := data.DataType().(arrow.FixedWidthDataType).Bytes()
	start := (data.Offset() + from) * width
	src := data.Buffers()[1].Bytes()[start : start+n*width]
	before := len(c.values)
	if _, decimal := c.element.LogicalType.Value.(*format.DecimalType); width == c.width && !decimal {
		c.values = appendSet(c.values, src, width, bitmap, off, n)
	} else {
		c.wide = appendSet(c.wide[:0], src, width, bitmap, off, n)
		var err error
		if c.values, err = c.appendConverted(c.values, c.wide, data.DataType(), width); err != nil {
			return err
		}
	}
	c.bounds.add(c.values[before:])
	return nil
}

// appendSet appends those values, of width bytes each, whose bits are set.
func appendSet(dst, src []byte, width int, bitmap []byte, off, n int) []byte {
	if bitmap == nil {
		return append(dst, src...)
	}
	for i := 0; i < n; i += 64 {
		k := min(64, n-i)
		w := word(bitmap, off+i, k)
		for at := i; w != 0; {
			gap := bits.TrailingZeros64(w)
			w >>= uint(gap)
			run := bits.TrailingZeros64(^w)
			at += gap
			dst = append(dst, src[at*width:(at+run)*width]...)
			at += run
			w >>= uint(run)
		}
	}
	return dst
}

// appendConverted appends values whose Arrow form is not Parquet's: small integers
// grow to 32 bits, decimals become integers or big-endian bytes.
func (c *columnWriter) appendConverted(dst, src []byte, t arrow.DataType, width int) ([]byte, error) {
	for i := 0; i < len(src); i += width {
		b := src[i : i+width]
		switch t.ID() {
		case arrow.INT8:
			dst = binary.LittleEndian.AppendUint32(dst, uint32(int32(int8(b[0]))))
		case arrow.UINT8:
			dst = append(dst, b[0], 0, 0, 0)
		case arrow.INT16:
			dst = binary.LittleEndian.AppendUint32(dst, uint32(int32(int16(binary.LittleEndian.Uint16(b)))))
		case arrow.UINT16:
			dst = append(dst, b[0], b[1], 0, 0)
		default:
			// A decimal: little-endian two's complement.
			keep := b[:c.width]
			sign := byte(int8(keep[len(keep)-1]) >> 7)
			for _, x := range b[c.width:] {
				if x != sign {
					return dst, unsupported("a decimal with more digits than %s", t)
				}
			}
			dst = append(dst, keep...)
			if c.element.Type.V == format.FixedLenByteArray {
				slices.Reverse(dst[len(dst)-c.width:])
			}
		}
	}
	return dst, nil
}

// appendBools appends bits behind the c.count bits that there are.
func (c *columnWriter) appendBools(data arrow.ArrayData, from, n, present int, bitmap []byte, off int) {
	src, at := data.Buffers()[1].Bytes(), data.Offset()+from
	size := (c.count + present + 7) / 8
	c.values = slices.Grow(c.values, size-len(c.values))[:size]
	if bitmap == nil {
		bitutil.CopyBitmap(src, at, n, c.values, c.count)
	} else {
		to := c.count
		for i := range n {
			if bitutil.BitIsSet(bitmap, off+i) {
				bitutil.SetBitTo(c.values, to, bitutil.BitIsSet(src, at+i))
				to++
			}
		}
	}
	// The bits after the last value are part of the page.
	end := c.count + present
	bitutil.SetBitsTo(c.values, int64(end), int64(size*8-end), false)
	c.bounds.addBools(c.values, c.count, present)
}

// bytesOf returns access to the values of a string or binary array.
func bytesOf(arr arrow.Array) (func(int) []byte, error) {
	switch a := arr.(type) {
	case *array.String:
		return sliced(a.ValueOffset, a.Data()), nil
	case *array.LargeString:
		return sliced(func(i int) int { return int(a.ValueOffset(i)) }, a.Data()), nil
	case *array.Binary:
		return a.Value, nil
	case *array.LargeBinary:
		return a.Value, nil
	}
	return nil, unsupported("a dictionary of %s", arr.DataType())
}

func sliced(offset func(int) int, data arrow.ArrayData) func(int) []byte {
	var text []byte
	if b := data.Buffers()[2]; b != nil {
		text = b.Bytes()
	}
	return func(i int) []byte { return text[offset(i):offset(i+1)] }
}
