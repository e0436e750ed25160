package columnar

import (
	"encoding/binary"
	"math"
	"math/bits"

	"github.com/parquet-go/parquet-go/format"
)

// convert turns n physical values of a fixed width into Arrow's, in room if they
// differ.
func (c *column) convert(src []byte, n int, room *scratch) ([]byte, error) {
	if c.form == formCopy {
		return src, nil
	}
	dst := room.take(n * c.out)
	switch c.form {
	case formCut:
		for i, x := range view[uint32](src) {
			if c.out == 1 {
				dst[i] = byte(x)
			} else {
				view[uint16](dst)[i] = uint16(x)
			}
		}
		return dst, nil
	case formInt96:
		return dst, int96Run(view[int64](dst), src)
	case formSign:
		signRun(dst, src, c.physical, c.out)
		return dst, nil
	}
	for i := range n {
		if err := bigEndian(dst[i*c.out:(i+1)*c.out], src[i*c.width:(i+1)*c.width]); err != nil {
			return nil, err
		}
	}
	return dst, nil
}

const (
	julianEpoch = 2440588 // the Julian day of 1970-01-01
	dayNanos    = 24 * 60 * 60 * 1e9
)

// int96Run turns INT96 timestamps into nanoseconds since 1970. Years outside
// 1677–2262 have no such number, and a timestamp that wrapped would be a lie.
func int96Run(dst []int64, src []byte) error {
	for i := range dst {
		nanos := int64(binary.LittleEndian.Uint64(src[12*i:]))
		day := int64(binary.LittleEndian.Uint32(src[12*i+8:])) - julianEpoch
		hi, lo := bits.Mul64(uint64(max(day, -day)), dayNanos)
		t := int64(lo)
		if day < 0 {
			t = -t
		}
		sum := t + nanos
		if hi != 0 || lo > math.MaxInt64 || (t > 0) == (nanos > 0) && (sum > 0) != (t > 0) && t != 0 && nanos != 0 {
			return unsupported("an INT96 timestamp outside the years 1677 to 2262")
		}
		dst[i] = sum
	}
	return nil
}

// signRun widens integers to decimals of 16 or 32 bytes, little-endian.
func signRun(dst, src []byte, physical format.Type, out int) {
	words := view[int64](dst)
	step := out / 8
	for i := range len(words) / step {
		var x int64
		if physical == format.Int32 {
			x = int64(view[int32](src)[i])
		} else {
			x = view[int64](src)[i]
		}
		words[i*step] = x
		for k := 1; k < step; k++ {
			words[i*step+k] = x >> 63
		}
	}
}

// bigEndian turns one big-endian two's complement number into a little-endian one
// of len(dst) bytes.
func bigEndian(dst, src []byte) error {
	var sign byte
	if len(src) > 0 && src[0] >= 0x80 {
		sign = 0xff
	}
	for len(src) > len(dst) {
		if src[0] != sign || src[1]&0x80 != sign&0x80 {
			return corrupt("a decimal of more digits than its type has")
		}
		src = src[1:]
	}
	for i, b := range src {
		dst[len(src)-1-i] = b
	}
	for i := len(src); i < len(dst); i++ {
		dst[i] = sign
	}
	return nil
}

// bigEndianRun is bigEndian for numbers of varying length.
func bigEndianRun(dst []byte, src *byteRun, out int) error {
	for i := range len(dst) / out {
		if err := bigEndian(dst[i*out:(i+1)*out], src.data[src.offsets[i]:src.offsets[i+1]]); err != nil {
			return err
		}
	}
	return nil
}
