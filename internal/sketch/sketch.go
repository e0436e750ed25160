// Package sketch has mergeable summaries of one column: exact sums, quantiles,
// distinct values, frequent values.
//
// Every summary is a function of the multiset of values that it has seen. The
// order of adding and merging never matters, not even in the last bit: shards
// may be profiled on any machines and merged in any order, and the bytes of
// MarshalBinary are the same. So a profile can be named by its digest.
//
// A summary knows nothing of types or nulls; package profile counts those.
package sketch

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// ErrFormat means that bytes are not what MarshalBinary writes.
var ErrFormat = errors.New("sketch: malformed bytes")

// Mix turns 64 bits that name a value into a hash of it. It is a bijection: two
// numbers never share a hash.
//
// Source: the finalizer of SplitMix64, Steele, Lea and Flood, 2014.
func Mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}

// A reader takes values off the front of bytes. After the first failure it
// returns zeros; err tells.
type reader struct {
	data []byte
	err  error
}

// fail keeps the first error.
func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: %s", ErrFormat, fmt.Sprintf(format, args...))
	}
	r.data = nil
}

// uvarint reads an unsigned number in its shortest form.
func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.data)
	if n <= 0 || n > 1 && r.data[n-1] == 0 {
		r.fail("number at %d bytes before the end", len(r.data))
		return 0
	}
	r.data = r.data[n:]
	return v
}

// count reads a number of things that take at least size bytes each.
func (r *reader) count(size int) int {
	n := r.uvarint()
	if n > uint64(len(r.data)/size) {
		r.fail("%d things of %d bytes in %d bytes", n, size, len(r.data))
		return 0
	}
	return int(n)
}

// bytes reads n bytes.
func (r *reader) bytes(n int) []byte {
	if n > len(r.data) {
		r.fail("%d bytes wanted, %d left", n, len(r.data))
		return make([]byte, n)
	}
	b := r.data[:n]
	r.data = r.data[n:]
	return b
}

// end returns the first error, or one if bytes are left.
func (r *reader) end() error {
	if r.err == nil && len(r.data) > 0 {
		r.fail("%d bytes too many", len(r.data))
	}
	return r.err
}
