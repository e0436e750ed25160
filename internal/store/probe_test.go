package store

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
)

// A lenient store replaces objects, as some servers do that do not know the
// condition.
type lenient struct{ driver }

func (l lenient) put(ctx context.Context, key string, data []byte) error {
	if err := l.driver.remove(ctx, key); err != nil {
		return err
	}
	return l.driver.put(ctx, key, data)
}

func TestProbeRefusesAStoreWithoutConditions(t *testing.T) {
	b := &Bucket{driver: lenient{openMemory("")}, url: "s3://lenient"}
	for range 2 {
		err := b.Probe(ctx)
		if !errors.Is(err, ErrUnconditional) || !strings.Contains(err.Error(), "s3://lenient") {
			t.Errorf("Probe: %v", err)
		}
	}
}

// An odd store answers every conditional put of a new key with an error, as some
// servers do that do not know the condition.
type odd struct{ driver }

var errOdd = errors.New("501 NotImplemented")

func (odd) put(context.Context, string, []byte) error { return errOdd }

func TestProbeTellsTheCause(t *testing.T) {
	b := &Bucket{driver: odd{openMemory("")}, url: "s3://odd"}
	if err := b.Probe(ctx); !errors.Is(err, errOdd) || !strings.Contains(err.Error(), "s3://odd") {
		t.Errorf("Probe: %v", err)
	}
	if err := b.driver.(odd).driver.put(ctx, ProbeKey, []byte("headgate\n")); err != nil {
		t.Fatal(err)
	}
	if err := b.Probe(ctx); !errors.Is(err, errOdd) {
		t.Errorf("Probe of a store that it has written before: %v", err)
	}
}

func TestProbeRefusesAReadOnlyStore(t *testing.T) {
	b, d := openTemp(t)
	d.root += "/file/below"
	if err := b.Put(ctx, "x", nil); err != nil {
		t.Fatal(err)
	}
	d.root += "/x"
	d.known.Clear()
	if err := b.Probe(ctx); err == nil || !strings.Contains(err.Error(), "not a directory") {
		t.Errorf("Probe: %v", err)
	}
}

// A busy store refuses the first puts of a key that is not there: another put is
// under way, and then fails.
type busy struct {
	driver
	left atomic.Int32
}

func (b *busy) put(ctx context.Context, key string, data []byte) error {
	if b.left.Add(-1) >= 0 {
		return errConflict
	}
	return b.driver.put(ctx, key, data)
}

func TestPutTriesAgainWhileAnotherIsUnderWay(t *testing.T) {
	d := &busy{driver: openMemory("")}
	b := &Bucket{driver: d}
	d.left.Store(2)
	if err := b.Put(ctx, "x", []byte("x")); err != nil {
		t.Errorf("Put: %v", err)
	}
	d.left.Store(1000)
	err := b.Put(ctx, "y", []byte("y"))
	if !errors.Is(err, errConflict) || errors.Is(err, ErrExists) {
		t.Errorf("Put of a key that stays busy: %v", err)
	}
	stopped, cancel := context.WithCancel(ctx)
	cancel()
	if err := b.Put(stopped, "z", nil); !errors.Is(err, context.Canceled) {
		t.Errorf("Put: %v", err)
	}
}

// A volatile store has written, but cannot say that it will last.
type volatile struct{ driver }

func (v volatile) put(ctx context.Context, key string, data []byte) error {
	if err := v.driver.put(ctx, key, data); err != nil {
		return err
	}
	return errVolatile
}

func TestPutDoesNotTrustWhatMayNotLast(t *testing.T) {
	b := &Bucket{driver: volatile{openMemory("")}}
	if err := b.Put(ctx, "x", []byte("x")); !errors.Is(err, errVolatile) {
		t.Errorf("Put: %v, want an error although the bytes are there", err)
	}
}

func TestNamedMemoryIsShared(t *testing.T) {
	one, err := Open(ctx, "mem://shared-by-a-test")
	if err != nil {
		t.Fatal(err)
	}
	if err := one.Put(ctx, "x", []byte("x")); err != nil {
		t.Fatal(err)
	}
	if err := one.Close(); err != nil {
		t.Fatal(err)
	}
	two, err := Open(ctx, "mem://shared-by-a-test")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := two.Get(ctx, "x"); err != nil {
		t.Error(err)
	}
	own, err := Open(ctx, "mem://")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := own.Get(ctx, "x"); !errors.Is(err, ErrNotFound) {
		t.Errorf("Get from other memory: %v", err)
	}
}

func TestReaderOfMemorySeesAReplacement(t *testing.T) {
	b, err := Open(ctx, "mem://")
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Put(ctx, "x", []byte("one")); err != nil {
		t.Fatal(err)
	}
	r, err := b.Reader(ctx, "x")
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Delete(ctx, "x"); err != nil {
		t.Fatal(err)
	}
	if err := b.Put(ctx, "x", []byte("two")); err != nil {
		t.Fatal(err)
	}
	if _, err := r.ReadAt(make([]byte, 3), 0); !errors.Is(err, ErrChanged) {
		t.Errorf("ReadAt: %v, want ErrChanged", err)
	}
}
