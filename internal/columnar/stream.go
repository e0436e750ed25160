package columnar

import "io"

// A stream reads a stretch of a file from front to back through one window, or
// from memory if it was fetched before.
type stream struct {
	r        io.ReaderAt
	off, end int64 // what has not been read from r yet
	window   int   // bytes to read at a time
	buf      []byte
	from, to int // what is left of buf
	owned    bool
}

// fetched is a stream over bytes that somebody else owns. Their capacity must
// extend padding bytes beyond their length.
func fetched(b []byte) *stream { return &stream{buf: b, to: len(b)} }

// windowed is a stream over length bytes of r at off.
func windowed(r io.ReaderAt, off, length int64, window int) *stream {
	return &stream{r: r, off: off, end: off + length, window: int(min(int64(window), length)), owned: true}
}

// left returns how many bytes follow.
func (s *stream) left() int64 { return int64(s.to-s.from) + s.end - s.off }

// peek returns the next n bytes, or all if fewer are left, without consuming
// them. They are valid until the next call.
func (s *stream) peek(n int) ([]byte, error) {
	n = int(min(int64(n), s.left()))
	if have := s.to - s.from; have < n {
		if err := s.fill(n); err != nil {
			return nil, err
		}
	}
	return s.buf[s.from : s.from+n], nil
}

// next consumes n bytes. They are valid until the next call.
func (s *stream) next(n int) ([]byte, error) {
	if int64(n) > s.left() {
		return nil, corrupt("a page of %d bytes where %d are left", n, s.left())
	}
	b, err := s.peek(n)
	s.from += len(b)
	return b, err
}

// fill makes the buffer hold at least n bytes; more, up to a window, if that
// costs no further read.
func (s *stream) fill(n int) error {
	have := s.to - s.from
	want := int(min(int64(max(n, s.window)), s.left()))
	if cap(s.buf) < want+padding {
		grown := pooled{}.Allocate(want + padding)
		copy(grown, s.buf[s.from:s.to])
		pooled{}.Free(s.buf)
		s.buf = grown[:cap(grown)]
	} else {
		s.buf = s.buf[:cap(s.buf)]
		copy(s.buf, s.buf[s.from:s.to])
	}
	s.from, s.to = 0, have
	if err := readFull(s.r, s.buf[have:want], s.off); err != nil {
		return err
	}
	s.off += int64(want - have)
	s.to = want
	return nil
}

func (s *stream) close() {
	if s.owned {
		pooled{}.Free(s.buf)
	}
	s.buf, s.from, s.to = nil, 0, 0
}
