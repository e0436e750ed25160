package columnar

import (
	"encoding/binary"

	"github.com/parquet-go/bitpack"
)

// decodeDelta decodes DELTA_BINARY_PACKED into dst, which must be filled exactly,
// and returns the bytes that follow. src must have padding bytes of capacity
// beyond its length.
func decodeDelta(dst []int64, src []byte) ([]byte, error) {
	var head [3]uint64 // block size, miniblocks in a block, values
	for i := range head {
		v, n := binary.Uvarint(src)
		if n <= 0 {
			return nil, corrupt("delta header ends early")
		}
		head[i], src = v, src[n:]
	}
	value, n := binary.Varint(src)
	if n <= 0 {
		return nil, corrupt("delta header ends early")
	}
	src = src[n:]
	block, minis := head[0], head[1]
	if block == 0 || block > 1<<16 || minis == 0 || minis > block || block%minis != 0 || block/minis%8 != 0 {
		return nil, corrupt("delta blocks of %d values in %d parts", block, minis)
	}
	if head[2] != uint64(len(dst)) {
		return nil, corrupt("%d delta values where %d belong", head[2], len(dst))
	}
	if len(dst) == 0 {
		return src, nil
	}
	dst[0] = value
	dst = dst[1:]
	for len(dst) > 0 {
		var err error
		if dst, src, value, err = deltaBlock(dst, src, value, int(block/minis), int(minis)); err != nil {
			return nil, err
		}
	}
	return src, nil
}

func deltaBlock(dst []int64, src []byte, value int64, size, minis int) ([]int64, []byte, int64, error) {
	least, n := binary.Varint(src)
	if n <= 0 || len(src)-n < minis {
		return nil, nil, 0, corrupt("a delta block ends early")
	}
	widths := src[n : n+minis]
	src = src[n+minis:]
	for _, width := range widths {
		if len(dst) == 0 {
			break
		}
		bytes := size * int(width) / 8
		k := min(size, len(dst))
		// Writers may cut the last part short after its last value.
		if width > 64 || len(src) < (k*int(width)+7)/8 {
			return nil, nil, 0, corrupt("a delta block ends early")
		}
		if width == 0 {
			clear(dst[:k])
		} else {
			bitpack.Unpack(dst[:k], src, uint(width))
		}
		for i, d := range dst[:k] {
			value += least + d
			dst[i] = value
		}
		dst, src = dst[k:], src[min(bytes, len(src)):]
	}
	return dst, src, value, nil
}

// A byteRun is a page of byte arrays, back to back.
type byteRun struct {
	offsets []int64 // one more than values
	data    []byte
}

// decodeLengths decodes DELTA_LENGTH_BYTE_ARRAY. The data stays in src.
func (p *byteRun) decodeLengths(n int, src []byte) error {
	p.offsets = grow(p.offsets, n+1)
	p.offsets[0] = 0
	data, err := decodeDelta(p.offsets[1:], src)
	if err != nil {
		return err
	}
	end, err := sumLengths(p.offsets)
	if err != nil {
		return err
	}
	if end != int64(len(data)) {
		return corrupt("byte arrays of %d bytes in %d", end, len(data))
	}
	p.data = data
	return nil
}

// sumLengths turns lengths, after a leading zero, into offsets.
func sumLengths(offsets []int64) (end int64, err error) {
	for i, length := range offsets {
		if length < 0 || length > 1<<31 {
			return 0, corrupt("a byte array of %d bytes", length)
		}
		end += length
		offsets[i] = end
	}
	return end, nil
}

// decodePrefixes decodes DELTA_BYTE_ARRAY: each value shares a prefix with the one
// before. At most limit bytes come out.
func (p *byteRun) decodePrefixes(n int, src []byte, limit int64, prefixes *[]int64, room *scratch) error {
	*prefixes = grow(*prefixes, n)
	rest, err := decodeDelta(*prefixes, src)
	if err != nil {
		return err
	}
	p.offsets = grow(p.offsets, n+1)
	p.offsets[0] = 0
	suffixes, err := decodeDelta(p.offsets[1:], rest)
	if err != nil {
		return err
	}
	total, before := int64(0), int64(0)
	for i, prefix := range *prefixes {
		suffix := p.offsets[i+1]
		if prefix < 0 || prefix > before || suffix < 0 || suffix > int64(len(suffixes)) {
			return corrupt("a byte array with a prefix of %d after one of %d bytes", prefix, before)
		}
		before = prefix + suffix
		if total += before; total > limit {
			return tooLarge("byte arrays of more than %d bytes in a page", limit)
		}
	}
	p.data = room.take(int(total))
	end := int64(0)
	last := int64(0)
	for i, prefix := range *prefixes {
		suffix := p.offsets[i+1]
		if suffix > int64(len(suffixes)) {
			return corrupt("byte arrays end early")
		}
		copy(p.data[end:], p.data[last:last+prefix])
		copy(p.data[end+prefix:], suffixes[:suffix])
		suffixes = suffixes[suffix:]
		last, end = end, end+prefix+suffix
		p.offsets[i+1] = end
	}
	if len(suffixes) != 0 {
		return corrupt("%d bytes after the last byte array", len(suffixes))
	}
	return nil
}

// decodePlain finds the byte arrays of a PLAIN page: each is its length and then
// its bytes. The result is compacted into room.
func (p *byteRun) decodePlain(n int, src []byte, room *scratch) error {
	if len(src) < 4*n {
		return corrupt("%d byte arrays in %d bytes", n, len(src))
	}
	p.offsets = grow(p.offsets, n+1)
	p.offsets[0] = 0
	p.data = room.take(len(src) - 4*n)
	end := 0
	for i := range n {
		if len(src) < 4 {
			return corrupt("byte array %d of %d is cut short", i, n)
		}
		length := int(binary.LittleEndian.Uint32(src))
		src = src[4:]
		if length > len(src) || length > len(p.data)-end {
			return corrupt("byte array %d of %d is cut short", i, n)
		}
		end += copy(p.data[end:], src[:length])
		src = src[length:]
		p.offsets[i+1] = int64(end)
	}
	if len(src) != 0 {
		return corrupt("%d bytes after the last byte array", len(src))
	}
	return nil
}

// splitBytes undoes BYTE_STREAM_SPLIT: first all first bytes, then all second ones.
func splitBytes(dst, src []byte, width int) {
	n := len(src) / width
	for k := range width {
		for i, b := range src[k*n : (k+1)*n] {
			dst[i*width+k] = b
		}
	}
}

// grow returns a slice of n values with arbitrary content.
func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, n+n/4)
	}
	return s[:n]
}
