package columnar

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
)

// A slowReader remembers what was asked of it.
type slowReader struct {
	*bytes.Reader
	mu    sync.Mutex
	reads []place
	fail  error // from the second read on
}

func (r *slowReader) ReadAt(p []byte, off int64) (int, error) {
	r.mu.Lock()
	r.reads = append(r.reads, place{off, int64(len(p))})
	fail := r.fail != nil && len(r.reads) > 1
	r.mu.Unlock()
	if fail {
		return 0, r.fail
	}
	return r.Reader.ReadAt(p, off)
}

func (r *slowReader) largest() int64 {
	return slices.MaxFunc(r.reads, func(a, b place) int { return int(a.length - b.length) }).length
}

// wideRecord has n float columns.
func wideRecord(columns, rows int) arrow.Record {
	fields := make([]arrow.Field, columns)
	for i := range fields {
		fields[i] = arrow.Field{Name: fmt.Sprintf("x%02d", i), Type: arrow.PrimitiveTypes.Float64, Nullable: true}
	}
	return makeRecord(fields, rows, 1, func(i int) bool { return i%10 == 0 })
}

func TestReadsAreCoalesced(t *testing.T) {
	small := wideRecord(20, 3000)
	defer small.Release()
	smallFile := writeFile(t, small, &Options{RowGroup: 1000})
	// Each column chunk takes 1.4 MB, so that gaps are too wide to be read.
	large := wideRecord(20, 400_000)
	defer large.Release()
	largeFile := writeFile(t, large, &Options{RowGroup: 200_000, Compression: "none"})
	some := []string{"x00", "x01", "x02", "x10", "x19"}
	cases := []struct {
		name    string
		file    []byte
		want    arrow.Record
		columns []string
		options OpenOptions
		reads   int // all, and one of them for the footer
		largest int64
	}{
		{"all columns: one read for each row group", smallFile, small, nil, OpenOptions{}, 1 + 3, 8 << 20},
		{"narrow gaps are read over", smallFile, small, some, OpenOptions{}, 1 + 3, 8 << 20},
		{"wide gaps are not", largeFile, large, some, OpenOptions{}, 1 + 2*3, 8 << 20},
		{"long stretches are read in parts", largeFile, large, nil, OpenOptions{}, 1 + 2*4, 8 << 20},
		{"no room to prefetch", largeFile, large, some, OpenOptions{InFlight: 8 << 20}, 1 + 2*3, 8 << 20},
		{"no room for a row group: windows", largeFile, large, some, OpenOptions{InFlight: 5 << 20}, 1 + 2*5*2, 1 << 20},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := &slowReader{Reader: bytes.NewReader(c.file)}
			c.options.Remote = true
			f, err := Open(r, int64(len(c.file)), &c.options)
			if err != nil {
				t.Fatal(err)
			}
			compare(t, f, ReadOptions{Columns: c.columns}, c.want)
			if len(r.reads) != c.reads || r.largest() > c.largest {
				t.Errorf("%d reads of up to %d bytes, want %d of up to %d: %v", len(r.reads), r.largest(), c.reads, c.largest, r.reads)
			}
		})
	}
}

func TestLocalReadsAreLarge(t *testing.T) {
	rec := wideRecord(5, 400_000)
	defer rec.Release()
	b := writeFile(t, rec, &Options{RowGroup: 200_000, Compression: "none"})
	r := &slowReader{Reader: bytes.NewReader(b)}
	f, err := Open(r, int64(len(b)), nil)
	if err != nil {
		t.Fatal(err)
	}
	compare(t, f, ReadOptions{}, rec)
	// Two reads for each chunk of 1.4 MB, and one for the footer.
	if len(r.reads) != 1+2*5*2 || r.largest() != maxWindow {
		t.Errorf("%d reads of up to %d bytes, want 21 of up to %d", len(r.reads), r.largest(), maxWindow)
	}
}

func TestReadingAtOnce(t *testing.T) {
	rec := makeRecord(everyType(), 4000, 7, func(i int) bool { return i%6 == 0 })
	defer rec.Release()
	b := writeFile(t, rec, &Options{RowGroup: 1000})
	for _, remote := range []bool{false, true} {
		f := openBytes(t, b, &OpenOptions{Remote: remote})
		var all sync.WaitGroup
		for g := range 4 {
			all.Go(func() {
				part := rec.NewSlice(int64(g)*1000, int64(g+1)*1000)
				defer part.Release()
				at := int64(0)
				for got, err := range f.Records(context.Background(), ReadOptions{FirstGroup: g, Groups: 1, Rows: 300}) {
					if err != nil {
						t.Error(err)
						return
					}
					for i, c := range got.Columns() {
						want := array.NewSlice(part.Column(i), at, at+got.NumRows())
						for r := range c.Len() {
							if c.ValueStr(r) != want.ValueStr(r) {
								t.Errorf("row group %d, %s, row %d: %s, want %s", g, got.ColumnName(i), r, c.ValueStr(r), want.ValueStr(r))
							}
						}
						want.Release()
					}
					at += got.NumRows()
				}
			})
		}
		all.Wait()
	}
}

func TestRowGroupRange(t *testing.T) {
	rec := wideRecord(2, 1000)
	defer rec.Release()
	b := writeFile(t, rec, &Options{RowGroup: 100})
	for _, remote := range []bool{false, true} {
		f := openBytes(t, b, &OpenOptions{Remote: remote})
		compare(t, f, ReadOptions{FirstGroup: 3, Groups: 4}, rec.NewSlice(300, 700))
		compare(t, f, ReadOptions{FirstGroup: 9}, rec.NewSlice(900, 1000))
		compare(t, f, ReadOptions{FirstGroup: 10}, rec.NewSlice(1000, 1000))
		for _, err := range f.Records(context.Background(), ReadOptions{FirstGroup: 8, Groups: 3}) {
			if err == nil {
				t.Error("row groups beyond the end were read")
			}
		}
	}
}

func TestSourceErrorsPassThrough(t *testing.T) {
	rec := wideRecord(3, 1000)
	defer rec.Release()
	b := writeFile(t, rec, &Options{RowGroup: 300})
	gone := errors.New("connection reset")
	for _, remote := range []bool{false, true} {
		r := &slowReader{Reader: bytes.NewReader(b), fail: gone}
		f, err := Open(r, int64(len(b)), &OpenOptions{Remote: remote})
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, err = range f.Records(context.Background(), ReadOptions{}) {
			n++
		}
		if n != 1 || !errors.Is(err, gone) || errors.Is(err, ErrCorrupt) {
			t.Errorf("remote %v: %d steps, error %v; want one step and the source's error", remote, n, err)
		}
	}
}

func TestStopping(t *testing.T) {
	rec := wideRecord(3, 1000)
	defer rec.Release()
	b := writeFile(t, rec, &Options{RowGroup: 100})
	for _, remote := range []bool{false, true} {
		f := openBytes(t, b, &OpenOptions{Remote: remote})
		n := 0
		for range f.Records(context.Background(), ReadOptions{}) {
			if n++; n == 2 {
				break
			}
		}
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		var last error
		for _, err := range f.Records(ctx, ReadOptions{}) {
			last = err
			cancel()
		}
		if !errors.Is(last, context.Canceled) {
			t.Errorf("remote %v: after a cancel %v, want context.Canceled", remote, last)
		}
	}
}
