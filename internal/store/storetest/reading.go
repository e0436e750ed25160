package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"testing"
	"testing/iotest"

	"headgate/internal/store"
)

func testRanges(t *testing.T, b *store.Bucket) {
	ctx := context.Background()
	data := noise(1, 5000)
	put(t, b, "r", data)
	r, err := b.Reader(ctx, "r")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	tests := []struct {
		off  int64
		n    int
		want int
		err  error
	}{
		{0, 5000, 5000, nil},
		{0, 1, 1, nil},
		{4999, 1, 1, nil},
		{1234, 2000, 2000, nil},
		{0, 5001, 5000, io.EOF},
		{4990, 100, 10, io.EOF},
		{5000, 1, 0, io.EOF},
		{9999, 1, 0, io.EOF},
		{100, 0, 0, nil},
	}
	for _, test := range tests {
		p := make([]byte, test.n)
		n, err := r.ReadAt(p, test.off)
		if n != test.want || err != test.err {
			t.Errorf("ReadAt(%d bytes, %d) = %d, %v, want %d, %v", test.n, test.off, n, err, test.want, test.err)
			continue
		}
		if off := min(test.off, 5000); !bytes.Equal(p[:n], data[off:off+int64(n)]) {
			t.Errorf("ReadAt(%d bytes, %d) has other bytes", test.n, test.off)
		}
	}
	if _, err := r.ReadAt(make([]byte, 1), -1); err == nil || errors.Is(err, io.EOF) {
		t.Errorf("ReadAt(-1): %v", err)
	}
	if err := iotest.TestReader(io.NewSectionReader(r, 0, 300), data[:300]); err != nil {
		t.Error(err)
	}
	put(t, b, "r0", nil)
	empty, err := b.Reader(ctx, "r0")
	if err != nil {
		t.Fatal(err)
	}
	defer empty.Close()
	if n, err := empty.ReadAt(make([]byte, 1), 0); n != 0 || err != io.EOF {
		t.Errorf("ReadAt of an empty object = %d, %v", n, err)
	}
}

func testRangesAtOnce(t *testing.T, b *store.Bucket) {
	data := noise(2, 1<<20)
	put(t, b, "r", data)
	r, err := b.Reader(context.Background(), "r")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var group sync.WaitGroup
	for g := range 8 {
		group.Go(func() {
			p := make([]byte, 64<<10)
			for i := range 8 {
				off := ((g*31 + i*7) % 16) * len(p)
				if n, err := r.ReadAt(p, int64(off)); n != len(p) || err != nil && err != io.EOF {
					t.Errorf("ReadAt(%d) = %d, %v", off, n, err)
				} else if !bytes.Equal(p, data[off:off+n]) {
					t.Errorf("ReadAt(%d) has other bytes", off)
				}
			}
		})
	}
	group.Wait()
}

func testReplacedWhileRead(t *testing.T, b *store.Bucket) {
	ctx := context.Background()
	first, second := bytes.Repeat([]byte("1"), 1000), bytes.Repeat([]byte("2"), 1000)
	for _, replace := range []bool{true, false} {
		t.Run(fmt.Sprintf("replaced %v", replace), func(t *testing.T) {
			key := fmt.Sprintf("replaced-%v", replace)
			put(t, b, key, first)
			r, err := b.Reader(ctx, key)
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			p := make([]byte, 500)
			if _, err := r.ReadAt(p, 0); err != nil {
				t.Fatal(err)
			}
			wants(t, "Delete", b.Delete(ctx, key), nil)
			if replace {
				put(t, b, key, second)
			}
			// A directory still has the old bytes, which is as good.
			_, err = r.ReadAt(p, 500)
			switch {
			case err == nil && !bytes.Equal(p, first[500:]):
				t.Error("the second read returned bytes of another object")
			case err != nil && !errors.Is(err, store.ErrChanged):
				t.Errorf("the second read: %v, want ErrChanged or the old bytes", err)
			}
		})
	}
}

func testCancelled(t *testing.T, b *store.Bucket) {
	put(t, b, "there", []byte("x"))
	ctx, cancel := context.WithCancel(context.Background())
	r, err := b.Reader(ctx, "there")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cancel()
	calls := []struct {
		name string
		call func() error
	}{
		{"Put", func() error { return b.Put(ctx, "new", []byte("x")) }},
		{"Get", func() error { _, err := b.Get(ctx, "there"); return err }},
		{"Stat", func() error { _, err := b.Stat(ctx, "there"); return err }},
		{"Reader", func() error { _, err := b.Reader(ctx, "there"); return err }},
		{"ReadAt", func() error { _, err := r.ReadAt(make([]byte, 1), 0); return err }},
		{"Delete", func() error { return b.Delete(ctx, "there") }},
		{"Probe", func() error { return b.Probe(ctx) }},
		{"Folders", func() error { _, err := b.Folders(ctx, ""); return err }},
		{"List", func() (last error) {
			for _, err := range b.List(ctx, "") {
				last = err
			}
			return last
		}},
	}
	for _, c := range calls {
		wants(t, c.name, c.call(), context.Canceled)
	}
	if got := Keys(t, b); len(got) != 1 || got[0] != "there" {
		t.Errorf("the store now has %q", got)
	}
}

func testProbe(t *testing.T, b *store.Bucket) {
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for range 2 {
				wants(t, "Probe", b.Probe(context.Background()), nil)
			}
		})
	}
	group.Wait()
	if got := Keys(t, b); len(got) != 1 || got[0] != store.ProbeKey {
		t.Errorf("a probe leaves %q", got)
	}
}
