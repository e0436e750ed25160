package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"time"

	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"
)

// A cloud is a bucket of gocloud.dev: memory or a service.
type cloud struct {
	bucket   *blob.Bucket
	dialect  dialect
	shared   bool          // outlives close
	patience time.Duration // see [patience]; 0 means a minute
}

func (c *cloud) local() bool { return c.dialect.local }

func (c *cloud) close() error {
	if c.shared {
		return nil
	}
	return c.bucket.Close()
}

func (c *cloud) put(ctx context.Context, key string, data []byte) error {
	ctx, wait := c.newPatience(ctx)
	defer wait.stop()
	wait.extend(int64(len(data)))
	o := &blob.WriterOptions{
		IfNotExist:  true,
		ContentType: contentType(key),
		BufferSize:  c.dialect.buffer(len(data)),
		BeforeWrite: func(as func(any) bool) error {
			c.dialect.prepare(c.bucket, as)
			return nil
		},
	}
	// Not WriteAll: azureblob's panics when the key is taken.
	err := c.bucket.Upload(ctx, key, bytes.NewReader(data), o)
	if err == nil {
		return nil
	}
	if gcerrors.Code(err) == gcerrors.FailedPrecondition || c.dialect.conflict(err) {
		return fmt.Errorf("%w: %w", errConflict, oneLine(err))
	}
	return wait.told(oneLine(err))
}

// contentType is for people who look at the bucket.
func contentType(key string) string {
	switch path.Ext(key) {
	case ".json":
		return "application/json"
	case ".parquet":
		return "application/vnd.apache.parquet"
	case ".html":
		return "text/html; charset=utf-8"
	}
	return "application/octet-stream"
}

// told turns the errors of a missing object into ErrNotFound. It does not ask
// gcerrors.Code, which says "not found" of a forbidden Google bucket and of an
// Azure account whose name does not resolve: a store that is out of reach would
// look like an empty one.
func (c *cloud) told(err error) error {
	if c.dialect.missing(err) {
		return ErrNotFound
	}
	return oneLine(err)
}

// pin makes a read fail unless the object has that version; "" is any.
func (c *cloud) pin(version string) func(func(any) bool) error {
	return func(as func(any) bool) error {
		c.dialect.pin(as, version)
		return nil
	}
}

func (c *cloud) get(ctx context.Context, key string) ([]byte, error) {
	ctx, wait := c.newPatience(ctx)
	defer wait.stop()
	r, err := c.bucket.NewReader(ctx, key, &blob.ReaderOptions{BeforeRead: c.pin("")})
	if err != nil {
		return nil, wait.told(c.told(err))
	}
	wait.extend(r.Size())
	data := make([]byte, r.Size())
	_, err = io.ReadFull(r, data)
	return data, wait.told(errors.Join(err, r.Close()))
}

func (c *cloud) stat(ctx context.Context, key string) (Attrs, error) {
	ctx, wait := c.newPatience(ctx)
	defer wait.stop()
	a, err := c.bucket.Attributes(ctx, key)
	if err != nil {
		return Attrs{}, wait.told(c.told(err))
	}
	attrs := Attrs{Key: key, Size: a.Size, ModTime: a.ModTime}
	attrs.Version = c.dialect.attributesVersion(a)
	return attrs, nil
}

func (c *cloud) list(ctx context.Context, prefix string) ([]Attrs, error) {
	var found []Attrs
	err := c.pages(ctx, &blob.ListOptions{Prefix: prefix}, func(o *blob.ListObject) {
		attrs := Attrs{Key: o.Key, Size: o.Size, ModTime: o.ModTime}
		attrs.Version = c.dialect.listVersion(o)
		found = append(found, attrs)
	})
	return found, err
}

func (c *cloud) folders(ctx context.Context, prefix string) ([]string, error) {
	var found []string
	err := c.pages(ctx, &blob.ListOptions{Prefix: prefix, Delimiter: "/"}, func(o *blob.ListObject) {
		if o.IsDir {
			found = append(found, o.Key)
		}
	})
	return found, err
}

// pages shows each name of a listing, page by page.
func (c *cloud) pages(ctx context.Context, o *blob.ListOptions, show func(*blob.ListObject)) error {
	ctx, wait := c.newPatience(ctx)
	defer wait.stop()
	names := c.bucket.List(o)
	for {
		wait.extend(0) // a page has a thousand names
		name, err := names.Next(ctx)
		if err == io.EOF { // and not errors.Is: the error of a broken connection wraps one
			return nil
		}
		if err != nil {
			return wait.told(oneLine(err))
		}
		show(name)
	}
}

func (c *cloud) remove(ctx context.Context, key string) error {
	if err := c.bucket.Delete(ctx, key); err != nil && !c.dialect.missing(err) {
		return oneLine(err)
	}
	return nil
}

func (c *cloud) open(ctx context.Context, key string) (source, Attrs, error) {
	attrs, err := c.stat(ctx, key)
	return &object{cloud: c, attrs: attrs}, attrs, err
}

// An object is read by requests that name the version it had when it was opened.
type object struct {
	cloud *cloud
	attrs Attrs
}

func (o *object) close() error { return nil }

// readAt asks again for what is missing when a connection breaks in the middle.
// Whether to ask again for what never began is the business of the client below.
func (o *object) readAt(ctx context.Context, p []byte, off int64) error {
	const breaks = 3
	for i := 0; ; i++ {
		n, err := o.readPart(ctx, p, off)
		if err == nil || n == 0 || i == breaks || ctx.Err() != nil {
			return err
		}
		p, off = p[n:], off+int64(n)
	}
}

// readPart makes one request and says how much of p it filled.
func (o *object) readPart(ctx context.Context, p []byte, off int64) (n int, err error) {
	d := o.cloud.dialect
	ctx, wait := o.cloud.newPatience(ctx)
	defer wait.stop()
	wait.extend(int64(len(p)))
	options := &blob.ReaderOptions{BeforeRead: o.cloud.pin(o.attrs.Version)}
	r, err := o.cloud.bucket.NewRangeReader(ctx, o.attrs.Key, off, int64(len(p)), options)
	if err != nil {
		if d.missing(err) || gcerrors.Code(err) == gcerrors.FailedPrecondition {
			return 0, fmt.Errorf("%w: version %s is gone", ErrChanged, o.attrs.Version)
		}
		return 0, wait.told(oneLine(err))
	}
	defer func() { err = wait.told(errors.Join(err, r.Close())) }()
	if r.Size() != o.attrs.Size || !d.unchanged(r, o.attrs) {
		return 0, fmt.Errorf("%w: version %s is gone", ErrChanged, o.attrs.Version)
	}
	return io.ReadFull(r, p)
}
