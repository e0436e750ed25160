package columnar

import (
	"math/bits"

	"github.com/apache/arrow/go/v17/arrow/bitutil"
)

// spread puts dense values into the slots of dst whose bits are set in valid, from
// bit off on, and null into the others. A nil bitmap means that no slot is null.
// src must hold at least as many values as there are bits.
func spread[T any](dst, src []T, valid []byte, off int, null T) {
	if valid == nil {
		copy(dst, src)
		return
	}
	for i := 0; i < len(dst); i += 64 {
		part := dst[i:min(i+64, len(dst))]
		w := word(valid, off+i, len(part))
		n := bits.OnesCount64(w)
		switch {
		case n == len(part):
			copy(part, src)
		case n == 0:
			for k := range part {
				part[k] = null
			}
		default:
			spreadWord(part, src[:n], w, null)
		}
		src = src[n:]
	}
}

// spreadWord spreads up to 64 values, a run of values at a time.
func spreadWord[T any](dst, src []T, w uint64, null T) {
	for i := 0; i < len(dst); {
		gap := min(bits.TrailingZeros64(w), len(dst)-i)
		for k := range gap {
			dst[i+k] = null
		}
		i += gap
		w >>= uint(gap)
		run := min(bits.TrailingZeros64(^w), len(dst)-i)
		for k, x := range src[:run] {
			dst[i+k] = x
		}
		i += run
		src = src[run:]
		w >>= uint(run)
	}
}

// gather is spread through a dictionary. Every index must be inside dict.
func gather[T any](dst, dict []T, index []int32, valid []byte, off int, null T) {
	if valid == nil {
		for i, k := range index[:len(dst)] {
			dst[i] = dict[k]
		}
		return
	}
	for i := 0; i < len(dst); i += 64 {
		n := min(64, len(dst)-i)
		w := word(valid, off+i, n)
		for k := range n {
			if w>>uint(k)&1 == 0 {
				dst[i+k] = null
				continue
			}
			dst[i+k] = dict[index[0]]
			index = index[1:]
		}
	}
}

// spreadRows is spread for values of any number of bytes; nulls become zeros.
func spreadRows(dst, src []byte, width int, valid []byte, off int) {
	if valid == nil {
		copy(dst, src)
		return
	}
	for i := range len(dst) / width {
		slot := dst[i*width : (i+1)*width]
		if bitutil.BitIsNotSet(valid, off+i) {
			clear(slot)
			continue
		}
		copy(slot, src)
		src = src[width:]
	}
}

// gatherRows is gather for values of any number of bytes; nulls become zeros.
func gatherRows(dst, dict []byte, index []int32, width int, valid []byte, off int) {
	for i := range len(dst) / width {
		slot := dst[i*width : (i+1)*width]
		if valid != nil && bitutil.BitIsNotSet(valid, off+i) {
			clear(slot)
			continue
		}
		at := int(index[0]) * width
		copy(slot, dict[at:at+width])
		index = index[1:]
	}
}

// spreadBits is spread for bitmaps; nulls become false.
func spreadBits(dst []byte, at, n int, src []byte, from int, valid []byte, off int) {
	if valid == nil {
		bitutil.CopyBitmap(src, from, n, dst, at)
		return
	}
	for i := range n {
		set := bitutil.BitIsSet(valid, off+i)
		if set {
			set = bitutil.BitIsSet(src, from)
			from++
		}
		bitutil.SetBitTo(dst, at+i, set)
	}
}
