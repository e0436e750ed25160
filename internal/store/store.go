// Package store keeps bytes by key, each written once.
//
// A [Bucket] is a directory, memory, S3, Google Cloud Storage or Azure Blob
// Storage. All of them answer one question the same way: of many writers that
// put the same key, exactly one wins, and a writer whose answer got lost can
// put the same bytes again and learns whether it had won. The registry and the
// published scores are built on that and on nothing else.
//
// The package decides what "exists" means. It never interprets the bytes, never
// replaces an object and never logs.
//
// Start at [Open], [Bucket.Put] and [Bucket.Get]; package storetest says in code
// what every store has to do.
package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"time"
)

// Errors of a [Bucket]. They come wrapped in the call, the key and the store.
var (
	// ErrNotFound means that there is no object of that key.
	ErrNotFound = errors.New("not found")

	// ErrExists means that the key is taken by other bytes. No retry helps.
	ErrExists = errors.New("exists with other bytes")

	// ErrChanged means that an object was replaced or removed while a [Reader]
	// had it open.
	ErrChanged = errors.New("changed while it was read")

	// ErrKey means that a string cannot be a key; see [CheckKey].
	ErrKey = errors.New("not a key")
)

// Attrs say which object a key names at the moment.
type Attrs struct {
	Key  string
	Size int64 // bytes

	// Version differs between any two objects that one key ever named: the ETag
	// on S3 and Azure, the generation on Google Cloud Storage, size and
	// modification time in nanoseconds elsewhere. It says nothing across stores.
	Version string

	ModTime time.Time
}

// A Bucket is a flat space of keys. It is safe for concurrent use.
type Bucket struct {
	driver driver
	url    string // without secrets
}

// A driver is one kind of storage. Keys and prefixes are checked before they get
// here. A missing object is ErrNotFound, bare; other errors are as they come.
type driver interface {
	// put writes an object unless the key is taken, which is errConflict. After
	// any other error the object may have been written or not.
	put(ctx context.Context, key string, data []byte) error
	get(ctx context.Context, key string) ([]byte, error)
	stat(ctx context.Context, key string) (Attrs, error)
	list(ctx context.Context, prefix string) ([]Attrs, error)     // in any order
	folders(ctx context.Context, prefix string) ([]string, error) // in any order
	remove(ctx context.Context, key string) error                 // nil if missing
	open(ctx context.Context, key string) (source, Attrs, error)
	local() bool
	close() error
}

// errConflict means that a driver found the key taken, by whatever bytes.
var errConflict = errors.New("the key is taken")

// errVolatile means that an object is in place but might not survive a crash.
// Its bytes are no evidence of success.
var errVolatile = errors.New("written, but not safely on disk")

// Close frees what the bucket holds. Readers must be closed before.
func (b *Bucket) Close() error { return b.driver.close() }

// URL names the store as it was given to [Open], without secrets: whatever might
// be one is replaced by "REDACTED".
func (b *Bucket) URL() string { return b.url }

// Put stores data under a key that is not taken yet. It succeeds as well if the
// key holds the same bytes already, so that a caller who does not know whether
// an earlier call took place can call again. Other bytes give [ErrExists].
//
// After an error of the store, Put reads the object back to learn what happened.
// Any error that it returns except ErrExists and [ErrKey] means that the object
// was not there when Put looked, or that Put could not look: try again.
// data is not kept.
func (b *Bucket) Put(ctx context.Context, key string, data []byte) error {
	if err := b.ready(ctx, "put", key); err != nil {
		return err
	}
	const attempts = 5
	for attempt := 1; ; attempt++ {
		err := b.driver.put(ctx, key, data)
		if err == nil {
			return nil
		}
		if errors.Is(err, errVolatile) {
			return b.failed("put", key, err)
		}
		have, getErr := b.driver.get(ctx, key)
		switch {
		case getErr == nil && bytes.Equal(have, data):
			return nil
		case getErr == nil:
			return b.failed("put", key, ErrExists)
		case !errors.Is(getErr, ErrNotFound):
			return b.failed("put", key, unread(err, getErr))
		case !errors.Is(err, errConflict) || attempt == attempts:
			return b.failed("put", key, err)
		}
		// Refused, yet absent: S3 answers 409 while another put is under way.
		if err := sleep(ctx, 20*time.Millisecond<<attempt); err != nil {
			return b.failed("put", key, err)
		}
	}
}

// Get returns an object's bytes, or [ErrNotFound].
func (b *Bucket) Get(ctx context.Context, key string) ([]byte, error) {
	if err := b.ready(ctx, "get", key); err != nil {
		return nil, err
	}
	data, err := b.driver.get(ctx, key)
	if err != nil {
		return nil, b.failed("get", key, err)
	}
	return data, nil
}

// Stat returns an object's attributes, or [ErrNotFound].
func (b *Bucket) Stat(ctx context.Context, key string) (Attrs, error) {
	if err := b.ready(ctx, "stat", key); err != nil {
		return Attrs{}, err
	}
	attrs, err := b.driver.stat(ctx, key)
	if err != nil {
		return Attrs{}, b.failed("stat", key, err)
	}
	return attrs, nil
}

// List yields the objects whose keys begin with prefix, however deep, in the
// order of their keys' bytes. The prefix may end within a name; "" lists all.
// It yields one error at most, as the last thing. A prefix that matches nothing
// yields nothing. What is written while List runs may be missing.
//
// A directory may hold files whose names are no keys (see [CheckKey]). They are
// listed, so that nobody overlooks them; Get refuses them.
func (b *Bucket) List(ctx context.Context, prefix string) iter.Seq2[Attrs, error] {
	return func(yield func(Attrs, error) bool) {
		if err := checkPrefix(prefix); err != nil {
			yield(Attrs{}, err)
			return
		}
		// The stores sort, each by its own rules; a test sorts by ours.
		var found []Attrs
		err := ctx.Err()
		if err == nil {
			found, err = b.driver.list(ctx, prefix)
		}
		if err != nil {
			yield(Attrs{}, b.failed("list", prefix, err))
			return
		}
		slices.SortFunc(found, func(a, b Attrs) int { return strings.Compare(a.Key, b.Key) })
		for _, attrs := range found {
			if !yield(attrs, nil) {
				return
			}
		}
	}
}

// Folders returns the folders whose paths begin with prefix, up to the first "/" after
// it, in the order of their bytes: "registry/flights/" and "registry/retailer/" for
// "registry/", whatever lies in them. Each can be the prefix of another call. As in
// [Bucket.List], the prefix may end within a name, "" is the whole store, a prefix that
// matches nothing has none, and what is written meanwhile may be missing.
//
// It costs as much as there are names on that level, however many objects lie below. A
// folder is where an object lies: an empty directory is none.
func (b *Bucket) Folders(ctx context.Context, prefix string) ([]string, error) {
	if err := checkPrefix(prefix); err != nil {
		return nil, err
	}
	err := ctx.Err()
	var found []string
	if err == nil {
		found, err = b.driver.folders(ctx, prefix)
	}
	if err != nil {
		return nil, b.failed("list the folders of", prefix, err)
	}
	slices.Sort(found)
	return found, nil
}

// Delete removes an object; a missing one is no error. Nothing that Headgate
// keeps is ever deleted: this is for tests and for cleaning up.
func (b *Bucket) Delete(ctx context.Context, key string) error {
	if err := b.ready(ctx, "delete", key); err != nil {
		return err
	}
	if err := b.driver.remove(ctx, key); err != nil {
		return b.failed("delete", key, err)
	}
	return nil
}

// unread is the error of a put whose outcome stays unknown.
func unread(err, getErr error) error {
	return &shownError{
		text: err.Error() + "; reading it back to see whether it was written did not work either",
		errs: []error{err, getErr},
	}
}

// ready returns why a call cannot even begin.
func (b *Bucket) ready(ctx context.Context, call, key string) error {
	if err := CheckKey(key); err != nil {
		return err
	}
	// Memory and directories would not notice.
	if err := ctx.Err(); err != nil {
		return b.failed(call, key, err)
	}
	return nil
}

// failed says what was attempted, and where, without secrets.
func (b *Bucket) failed(call, key string, err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = &brokenError{err}
	}
	return fmt.Errorf("store: %s %q in %s: %w", call, key, b.url, withoutSecrets(err))
}

// A brokenError is a connection that ended before the answer did. It is no io.EOF: a
// caller would take a store out of reach for the end of a list, or for a file that was
// cut short.
type brokenError struct{ err error }

func (e *brokenError) Error() string      { return "the connection broke: " + e.err.Error() }
func (e *brokenError) As(target any) bool { return errors.As(e.err, target) }
func (e *brokenError) Is(target error) bool {
	return target != io.EOF && target != io.ErrUnexpectedEOF && errors.Is(e.err, target)
}

// sleep waits, or returns the context's error.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
