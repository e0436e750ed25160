package columnar

import (
	"encoding/binary"
	"math/bits"

	"github.com/apache/arrow/go/v17/arrow/bitutil"
	"github.com/parquet-go/bitpack"
)

// runs decodes Parquet's hybrid of repeated and bit-packed runs, a few values at
// a time, so that a run length that lies costs nothing.
type runs struct {
	src      []byte // unread; its capacity extends padding bytes beyond what it holds
	width    int    // bits of a value, at most 32
	repeated int    // values left in a repeated run
	value    int32
	packed   int // values left in a bit-packed run
	bits     []byte
	block    [64]int32 // unpacked from bits, for what does not end on a multiple of eight
	from, to int       // what is left of block
}

func (r *runs) reset(src []byte, width int) {
	r.src, r.width = src, width
	r.repeated, r.packed, r.from, r.to = 0, 0, 0, 0
}

// next fills dst.
func (r *runs) next(dst []int32) error {
	for len(dst) > 0 {
		switch {
		case r.from < r.to:
			n := copy(dst, r.block[r.from:r.to])
			r.from += n
			dst = dst[n:]
		case r.repeated > 0:
			n := min(len(dst), r.repeated)
			for i := range dst[:n] {
				dst[i] = r.value
			}
			r.repeated -= n
			dst = dst[n:]
		case r.packed > 0:
			dst = r.unpack(dst)
		default:
			if err := r.start(); err != nil {
				return err
			}
		}
	}
	return nil
}

// start reads the header of the next run.
func (r *runs) start() error {
	head, n := binary.Uvarint(r.src)
	if n <= 0 {
		return corrupt("runs end early")
	}
	r.src = r.src[n:]
	count := head >> 1
	if head&1 == 0 {
		size := (r.width + 7) / 8
		if len(r.src) < size || count == 0 || count > 1<<31 {
			return corrupt("a run of %d repeated values", count)
		}
		var v uint32
		for i := range size {
			v |= uint32(r.src[i]) << (8 * i)
		}
		r.value, r.repeated, r.src = int32(v), int(count), r.src[size:]
		return nil
	}
	// The last run may be padded to a multiple of eight without the bytes for it.
	size := min(count*uint64(r.width), uint64(len(r.src)))
	if count == 0 || count > 1<<28 || size == 0 && r.width > 0 {
		return corrupt("a run of %d packed groups", count)
	}
	r.bits, r.packed, r.src = r.src[:size], int(count)*8, r.src[size:]
	if r.width > 0 {
		r.packed = min(r.packed, int(size)*8/r.width)
	}
	return nil
}

// unpack decodes from a bit-packed run and returns what is left of dst.
func (r *runs) unpack(dst []int32) []int32 {
	if r.width == 0 {
		n := min(len(dst), r.packed)
		clear(dst[:n])
		r.packed -= n
		return dst[n:]
	}
	if n := min(len(dst), r.packed) &^ 7; n > 0 {
		r.take(dst[:n])
		return dst[n:]
	}
	n := min(len(r.block), r.packed)
	r.take(r.block[:n])
	r.from, r.to = 0, n
	return dst
}

// take unpacks values to out: a multiple of eight, or the last of the run.
func (r *runs) take(out []int32) {
	bitpack.Unpack(out, r.bits, uint(r.width))
	r.packed -= len(out)
	r.bits = r.bits[min(len(r.bits), len(out)*r.width/8):]
}

// decodeBits decodes n values of one bit into a bitmap. Bit-packed runs of width
// one are Arrow bitmaps already.
func decodeBits(dst []byte, n int, src []byte) error {
	pos := 0
	for pos < n {
		head, k := binary.Uvarint(src)
		if k <= 0 || head>>1 == 0 {
			return corrupt("levels end after %d of %d", pos, n)
		}
		src = src[k:]
		count := int(min(head>>1, 1<<31))
		if head&1 == 0 {
			if len(src) == 0 || src[0] > 1 {
				return corrupt("a level outside 0 and 1")
			}
			count = min(count, n-pos)
			bitutil.SetBitsTo(dst, int64(pos), int64(count), src[0] == 1)
			pos, src = pos+count, src[1:]
			continue
		}
		size := min(count, len(src))
		count = min(size*8, n-pos)
		if count == 0 {
			return corrupt("levels end after %d of %d", pos, n)
		}
		bitutil.CopyBitmap(src, 0, count, dst, pos)
		pos, src = pos+count, src[size:]
	}
	return nil
}

// reverseBits decodes the old BIT_PACKED levels, which start at the high bit.
func reverseBits(dst []byte, n int, src []byte) error {
	size := (n + 7) / 8
	if len(src) < size {
		return corrupt("levels end early")
	}
	for i, b := range src[:size] {
		dst[i] = bits.Reverse8(b)
	}
	return nil
}

// word returns up to 64 bits of a bitmap from bit off on; bits beyond n are zero.
func word(bitmap []byte, off, n int) uint64 {
	i, shift := off>>3, uint(off&7)
	var w uint64
	if i+9 <= len(bitmap) {
		w = binary.LittleEndian.Uint64(bitmap[i:])>>shift | uint64(bitmap[i+8])<<(64-shift)
	} else {
		for k := min(len(bitmap), i+9) - 1; k >= i; k-- {
			if at := (k-i)*8 - int(shift); at >= 0 {
				w |= uint64(bitmap[k]) << at
			} else {
				w |= uint64(bitmap[k]) >> -at
			}
		}
	}
	if n < 64 {
		w &= 1<<uint(n) - 1
	}
	return w
}
