package columnar

import (
	"math/bits"
	"sync"
	"unsafe"
)

const (
	smallest = 64
	largest  = 256 << 20 // what is larger is left to the garbage collector

	// padding is what bit unpackers may read, and ignore, after the end of their input.
	padding = 64
)

// pooled is an Arrow allocator that neither clears nor forgets: buffers go back
// to a pool by size, so memory does not grow with the file. A buffer that is
// never released is simply garbage.
type pooled struct{}

var pools [4 * 32]sync.Pool // of *byte, the first of a whole buffer

// class returns the pool for n bytes and the size of its buffers: a power of two
// or one and a quarter, a half, or three quarters of one.
func class(n int) (pool, size int) {
	n = max(n, smallest)
	e := bits.Len(uint(n-1)) - 1
	step := 1 << (e - 2)
	q := (n - 1<<e + step - 1) / step
	return 4*e + q, 1<<e + q*step
}

// Allocate returns n bytes with arbitrary content.
func (pooled) Allocate(n int) []byte {
	if n == 0 {
		return nil
	}
	if n > largest {
		return make([]byte, n)
	}
	pool, size := class(n)
	if p, ok := pools[pool].Get().(*byte); ok {
		return unsafe.Slice(p, size)[:n]
	}
	return make([]byte, size)[:n]
}

// Reallocate keeps the first bytes of b.
func (p pooled) Reallocate(n int, b []byte) []byte {
	if n <= cap(b) {
		return b[:n]
	}
	grown := p.Allocate(n)
	copy(grown, b)
	p.Free(b)
	return grown
}

// Free gives b back. b must come from Allocate, whole.
func (pooled) Free(b []byte) {
	n := cap(b)
	if n < smallest || n > largest {
		return
	}
	if pool, size := class(n); size == n {
		pools[pool].Put(unsafe.SliceData(b[:1]))
	}
}

// A scratch is a buffer that is reused from page to page. It always has padding
// bytes of capacity beyond its length.
type scratch struct{ b []byte }

// take returns n bytes with arbitrary content.
func (s *scratch) take(n int) []byte {
	if cap(s.b) < n+padding {
		pooled{}.Free(s.b)
		s.b = pooled{}.Allocate(n + padding)
	}
	s.b = s.b[:n]
	return s.b
}

func (s *scratch) free() {
	pooled{}.Free(s.b)
	s.b = nil
}

// view reinterprets bytes as values of a fixed size. Trailing bytes are dropped.
func view[T any](b []byte) []T {
	var zero T
	n := len(b) / int(unsafe.Sizeof(zero))
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(b))), n)
}
