package columnar

import (
	"encoding/binary"

	"github.com/parquet-go/parquet-go/format"
)

// decodeValues decodes n values.
func (c *chunk) decodeValues(enc format.Encoding, n int, data []byte) error {
	v := &c.vals
	v.coded, v.count = false, n
	if c.col.form == formNull {
		return nil
	}
	if enc == format.RLEDictionary || enc == plainDictionary {
		return c.startIndex(n, data)
	}
	if c.col.physical == format.ByteArray {
		if err := c.decodeBytes(enc, n, data); err != nil {
			return err
		}
		if c.col.form == formBig {
			v.fixed = v.third.take(n * c.col.out)
			return bigEndianRun(v.fixed, &v.bytes, c.col.out)
		}
		return nil
	}
	if c.col.form == formBool {
		return c.decodeBools(enc, n, data)
	}
	raw, err := c.decodeFixed(enc, n, data)
	if err != nil {
		return err
	}
	v.fixed, err = c.col.convert(raw, n, &v.second)
	return err
}

func (c *chunk) startIndex(n int, data []byte) error {
	if !c.dict.loaded {
		return corrupt("dictionary indices without a dictionary")
	}
	c.vals.coded = true
	if n == 0 {
		return nil
	}
	if len(data) == 0 || data[0] > 32 {
		return corrupt("dictionary indices are cut short")
	}
	c.vals.index.reset(data[1:], int(data[0]))
	return nil
}

func (c *chunk) decodeBools(enc format.Encoding, n int, data []byte) error {
	switch enc {
	case format.Plain:
		if len(data) != (n+7)/8 {
			return corrupt("%d booleans in %d bytes", n, len(data))
		}
		c.vals.bools = data
		return nil
	case format.RLE:
		c.vals.bools = c.vals.first.take((n + 7) / 8)
		if n == 0 {
			return nil
		}
		if len(data) < 4 || uint64(binary.LittleEndian.Uint32(data)) != uint64(len(data)-4) {
			return corrupt("booleans are cut short")
		}
		return decodeBits(c.vals.bools, n, data[4:])
	}
	return unsupported("booleans encoded as %s", enc)
}

func (c *chunk) decodeBytes(enc format.Encoding, n int, data []byte) error {
	v := &c.vals
	if enc != format.Plain && int64(n) > c.maxPage/8 {
		return tooLarge("a page of %d values", n)
	}
	switch enc {
	case format.Plain:
		return v.bytes.decodePlain(n, data, &v.second)
	case format.DeltaLengthByteArray:
		return v.bytes.decodeLengths(n, padded(data, &v.first))
	case format.DeltaByteArray:
		return v.bytes.decodePrefixes(n, padded(data, &v.first), c.maxPage, &v.prefixes, &v.second)
	}
	return unsupported("byte arrays encoded as %s", enc)
}

// decodeFixed returns n physical values of the column's width.
func (c *chunk) decodeFixed(enc format.Encoding, n int, data []byte) ([]byte, error) {
	v, width := &c.vals, c.col.width
	if enc != format.Plain && int64(n) > c.maxPage/8 {
		return nil, tooLarge("a page of %d values", n)
	}
	switch enc {
	case format.Plain:
		return data, exactly(n, width, data)
	case format.ByteStreamSplit:
		if err := exactly(n, width, data); err != nil {
			return nil, err
		}
		dst := v.first.take(n * width)
		splitBytes(dst, data, width)
		return dst, nil
	case format.DeltaBinaryPacked:
		if c.col.physical != format.Int32 && c.col.physical != format.Int64 {
			break
		}
		v.prefixes = grow(v.prefixes, n)
		if _, err := decodeDelta(v.prefixes, padded(data, &v.first)); err != nil {
			return nil, err
		}
		dst := v.first.take(n * width)
		if width == 8 {
			copy(view[int64](dst), v.prefixes)
			return dst, nil
		}
		for i, x := range v.prefixes {
			view[int32](dst)[i] = int32(x)
		}
		return dst, nil
	case format.DeltaByteArray:
		if err := v.bytes.decodePrefixes(n, padded(data, &v.first), c.maxPage, &v.prefixes, &v.second); err != nil {
			return nil, err
		}
		for i := range n {
			if v.bytes.offsets[i+1] != int64((i+1)*width) {
				return nil, corrupt("a value that is not %d bytes long", width)
			}
		}
		dst := v.first.take(n * width)
		copy(dst, v.bytes.data)
		return dst, nil
	}
	return nil, unsupported("%s encoded as %s", c.col.physical, enc)
}

// exactly checks that a page holds the values that its header promises.
func exactly(n, width int, data []byte) error {
	if len(data) != n*width {
		return corrupt("%d values of %d bytes in %d", n, width, len(data))
	}
	return nil
}

// padded returns b with padding bytes of capacity behind it, so that a bit
// unpacker may read on.
func padded(b []byte, room *scratch) []byte {
	if cap(b)-len(b) >= padding/2 {
		return b
	}
	dst := room.take(len(b))
	copy(dst, b)
	return dst
}
