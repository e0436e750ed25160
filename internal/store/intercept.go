package store

import "context"

// Names of the calls that an [Interceptor] sees.
const (
	CallPut     = "put"
	CallGet     = "get"
	CallStat    = "stat"
	CallList    = "list"    // one per List, whatever its pages
	CallFolders = "folders" // one per Folders, whatever its pages
	CallDelete  = "delete"
	CallOpen    = "open" // of a Reader
	CallRead    = "read" // a range of a Reader
)

// A Call is one request of a [Bucket] to its storage.
type Call struct {
	Name string // one of CallPut …
	Key  string // or the prefix of a list or of folders
	Size int64  // bytes to put or to read
}

// An Interceptor stands between a [Bucket] and its storage. It may call do, which
// makes the request, at most once, and returns what the bucket is to believe:
//
//	return do()                              // what really happened
//	return errLost                           // failed, and not written
//	do(); return errLost                     // failed, yet written
type Interceptor func(ctx context.Context, call Call, do func() error) error

// Intercept returns a bucket over the same storage whose requests all pass through
// f: to lose answers, to count, to wait. Several goroutines may call f at once.
// Closing either bucket closes both.
func (b *Bucket) Intercept(f Interceptor) *Bucket {
	return &Bucket{url: b.url, driver: &intercepted{below: b.driver, f: f}}
}

type intercepted struct {
	below driver
	f     Interceptor
}

func (d *intercepted) local() bool { return d.below.local() }

func (d *intercepted) close() error { return d.below.close() }

func (d *intercepted) put(ctx context.Context, key string, data []byte) error {
	return d.f(ctx, Call{CallPut, key, int64(len(data))}, func() error {
		return d.below.put(ctx, key, data)
	})
}

func (d *intercepted) get(ctx context.Context, key string) (data []byte, err error) {
	err = d.f(ctx, Call{Name: CallGet, Key: key}, func() error {
		data, err = d.below.get(ctx, key)
		return err
	})
	return data, err
}

func (d *intercepted) stat(ctx context.Context, key string) (attrs Attrs, err error) {
	err = d.f(ctx, Call{Name: CallStat, Key: key}, func() error {
		attrs, err = d.below.stat(ctx, key)
		return err
	})
	return attrs, err
}

func (d *intercepted) list(ctx context.Context, prefix string) (found []Attrs, err error) {
	err = d.f(ctx, Call{Name: CallList, Key: prefix}, func() error {
		found, err = d.below.list(ctx, prefix)
		return err
	})
	return found, err
}

func (d *intercepted) folders(ctx context.Context, prefix string) (found []string, err error) {
	err = d.f(ctx, Call{Name: CallFolders, Key: prefix}, func() error {
		found, err = d.below.folders(ctx, prefix)
		return err
	})
	return found, err
}

func (d *intercepted) remove(ctx context.Context, key string) error {
	return d.f(ctx, Call{Name: CallDelete, Key: key}, func() error { return d.below.remove(ctx, key) })
}

func (d *intercepted) open(ctx context.Context, key string) (s source, attrs Attrs, err error) {
	err = d.f(ctx, Call{Name: CallOpen, Key: key}, func() error {
		s, attrs, err = d.below.open(ctx, key)
		return err
	})
	if err != nil {
		if s != nil {
			s.close()
		}
		return nil, Attrs{}, err
	}
	return &interceptedSource{source: s, key: key, f: d.f}, attrs, nil
}

type interceptedSource struct {
	source
	key string
	f   Interceptor
}

func (s *interceptedSource) readAt(ctx context.Context, p []byte, off int64) error {
	return s.f(ctx, Call{CallRead, s.key, int64(len(p))}, func() error {
		return s.source.readAt(ctx, p, off)
	})
}
