package store

import (
	"context"
	"fmt"
	"io"
)

// A Reader reads one object at any offset, as it was when the reader was opened.
// If the object is replaced or removed meanwhile, a read returns [ErrChanged] or
// the old bytes, never bytes of both. A file in a directory that is written in
// place is recognised by its size and modification time.
//
// A Reader is safe for concurrent use. In an object store each ReadAt is one
// request for just that range, so read much at once.
type Reader struct {
	ctx    context.Context
	bucket *Bucket
	source source
	attrs  Attrs
}

// A source is an open object of a driver.
type source interface {
	// readAt fills p from off; the caller keeps both within the object.
	readAt(ctx context.Context, p []byte, off int64) error
	close() error
}

// Reader opens an object for reading at any offset, or returns [ErrNotFound].
// Reads stop with the context's error when ctx ends.
func (b *Bucket) Reader(ctx context.Context, key string) (*Reader, error) {
	if err := b.ready(ctx, "open", key); err != nil {
		return nil, err
	}
	source, attrs, err := b.driver.open(ctx, key)
	if err != nil {
		return nil, b.failed("open", key, err)
	}
	return &Reader{ctx: ctx, bucket: b, source: source, attrs: attrs}, nil
}

// ReadAt reads len(p) bytes from offset off, as [io.ReaderAt] says: fewer only
// at the end of the object, with io.EOF, or with another error. Only n bytes of
// p are then what the object holds.
func (r *Reader) ReadAt(p []byte, off int64) (n int, err error) {
	if off < 0 {
		return 0, r.bucket.failed("read", r.attrs.Key, fmt.Errorf("offset %d is negative", off))
	}
	if off >= r.attrs.Size {
		if len(p) == 0 {
			return 0, nil
		}
		return 0, io.EOF
	}
	var atEnd error
	if rest := r.attrs.Size - off; int64(len(p)) > rest {
		p, atEnd = p[:rest], io.EOF
	}
	if len(p) == 0 {
		return 0, nil
	}
	if err := r.ctx.Err(); err != nil {
		return 0, r.bucket.failed("read", r.attrs.Key, err)
	}
	if err := r.source.readAt(r.ctx, p, off); err != nil {
		return 0, r.bucket.failed("read", r.attrs.Key, err)
	}
	return len(p), atEnd
}

// Attrs returns the attributes that the object had when it was opened.
func (r *Reader) Attrs() Attrs { return r.attrs }

// Size returns the object's size in bytes.
func (r *Reader) Size() int64 { return r.attrs.Size }

// Local reports whether reads are cheap, however small: from a disk or from
// memory and not over a network.
func (r *Reader) Local() bool { return r.bucket.driver.local() }

// Close frees the reader.
func (r *Reader) Close() error { return r.source.close() }
