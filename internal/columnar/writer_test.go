package columnar

import (
	"context"
	"errors"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/decimal128"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// oneColumn makes a record of one column by appending to a builder.
func oneColumn(f arrow.Field, fill func(array.Builder)) arrow.Record {
	b := array.NewBuilder(memory.DefaultAllocator, f.Type)
	defer b.Release()
	fill(b)
	arr := b.NewArray()
	return array.NewRecord(arrow.NewSchema([]arrow.Field{f}, nil), []arrow.Array{arr}, int64(arr.Len()))
}

// firstColumn reads the first record of a file.
func firstColumn(t *testing.T, b []byte) arrow.Array {
	t.Helper()
	for rec, err := range openBytes(t, b, nil).Records(context.Background(), ReadOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		rec.Column(0).Retain()
		return rec.Column(0)
	}
	t.Fatal("no record")
	return nil
}

func TestDictionariesStayDictionaries(t *testing.T) {
	for _, index := range []arrow.DataType{arrow.PrimitiveTypes.Int8, arrow.PrimitiveTypes.Uint16, arrow.PrimitiveTypes.Int32, arrow.PrimitiveTypes.Int64} {
		f := arrow.Field{Name: "s", Nullable: true, Type: &arrow.DictionaryType{IndexType: index, ValueType: arrow.BinaryTypes.String}}
		rec := oneColumn(f, func(b array.Builder) {
			d := b.(*array.BinaryDictionaryBuilder)
			for i := range 1000 {
				if i%9 == 0 {
					d.AppendNull()
				} else if err := d.AppendString([]string{"a", "bb", ""}[i%3]); err != nil {
					t.Fatal(err)
				}
			}
		})
		part := rec.NewSlice(10, 990)
		got := firstColumn(t, writeFile(t, part, nil))
		d, ok := got.(*array.Dictionary)
		if !ok || d.Dictionary().Len() != 3 {
			t.Fatalf("index %s: a column of %s, want a dictionary of 3", index, got.DataType())
		}
		compareColumn(t, index.String(), 0, got, part.Column(0))
	}
}

func TestManyDifferentStringsArePlain(t *testing.T) {
	rec := makeRecord([]arrow.Field{{Name: "many", Type: arrow.BinaryTypes.String}}, 5000, 1, func(int) bool { return false })
	if got := firstColumn(t, writeFile(t, rec, nil)); got.DataType().ID() != arrow.STRING {
		t.Errorf("a column of %s, want utf8", got.DataType())
	}
}

func TestNullFloatsAreNaN(t *testing.T) {
	for _, f := range everyType() {
		if !arrow.IsFloating(f.Type.ID()) {
			continue
		}
		rec := oneColumn(f, func(b array.Builder) { b.AppendNulls(100) })
		a := firstColumn(t, writeFile(t, rec, nil))
		switch a := a.(type) {
		case *array.Float64:
			if !math.IsNaN(a.Value(50)) {
				t.Errorf("a null float64 slot holds %v", a.Value(50))
			}
		case *array.Float32:
			if x := float64(a.Value(50)); !math.IsNaN(x) {
				t.Errorf("a null float32 slot holds %v", x)
			}
		case *array.Float16:
			if !a.Value(50).IsNaN() {
				t.Errorf("a null float16 slot holds %v", a.Value(50))
			}
		}
	}
}

func TestLargeTypesAreWritten(t *testing.T) {
	rec := oneColumn(arrow.Field{Name: "s", Type: arrow.BinaryTypes.LargeString}, func(b array.Builder) {
		b.(*array.LargeStringBuilder).AppendValues([]string{"x", "", "yy"}, nil)
	})
	compareColumn(t, "s", 0, firstColumn(t, writeFile(t, rec, nil)), rec.Column(0))
}

func TestStatistics(t *testing.T) {
	rec := makeRecord(everyType(), 3000, 8, func(i int) bool { return i%4 == 0 })
	f := openBytes(t, writeFile(t, rec, &Options{RowGroup: 1000}), nil)
	compareStats(t, f, rec)
	for _, name := range []string{"bool", "int8", "uint64", "float64", "date", "ts_ns", "dec9", "dec38", "dec76", "few", "many"} {
		if st := f.RowGroups()[0].Columns[name]; st.Min == nil || st.Max == nil || st.Nulls != 250 {
			t.Errorf("%s: %+v, want bounds and 250 nulls", name, st)
		}
	}
	nan := oneColumn(arrow.Field{Name: "x", Type: arrow.PrimitiveTypes.Float64}, func(b array.Builder) {
		b.(*array.Float64Builder).AppendValues([]float64{math.NaN(), 0, math.NaN(), 2}, nil)
	})
	st := openBytes(t, writeFile(t, nan, nil), nil).RowGroups()[0].Columns["x"]
	if !math.Signbit(st.Min.(float64)) || st.Min != math.Copysign(0, -1) || st.Max != 2.0 {
		t.Errorf("bounds with NaN: %v and %v, want −0 and 2", st.Min, st.Max)
	}
}

func TestWriterRefuses(t *testing.T) {
	number := arrow.Field{Name: "n", Type: arrow.PrimitiveTypes.Int64}
	decimal := arrow.Field{Name: "d", Type: &arrow.Decimal128Type{Precision: 5, Scale: 2}}
	cases := []struct {
		name   string
		schema arrow.Field
		rec    arrow.Record
		err    string
	}{
		{"a null that may not be", number, oneColumn(number, func(b array.Builder) { b.AppendNull() }), `row group 0: column "n": unsupported: a null in a field that is not nullable`},
		{"another name", number, oneColumn(arrow.Field{Name: "m", Type: number.Type}, func(array.Builder) {}), `column "n": the record has "m" in its place`},
		{"another type", number, oneColumn(arrow.Field{Name: "n", Type: arrow.PrimitiveTypes.Int32}, func(array.Builder) {}), `column "n": the record has type int32, the file int64`},
		{"a decimal that does not fit", decimal, oneColumn(decimal, func(b array.Builder) {
			b.(*array.Decimal128Builder).Append(decimal128.FromI64(1 << 40))
		}), `column "d": unsupported: a decimal with more digits than decimal(5, 2)`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w, err := Create(io.Discard, arrow.NewSchema([]arrow.Field{c.schema}, nil), nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := w.Write(c.rec); err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("got %v, want %s", err, c.err)
			}
			if err := w.Close(); !errors.Is(err, ErrClosed) {
				t.Errorf("Close after an error: %v, want ErrClosed", err)
			}
		})
	}
	if _, err := Create(io.Discard, arrow.NewSchema([]arrow.Field{number, number}, nil), nil); !errors.Is(err, ErrUnsupported) {
		t.Errorf("two columns of one name: %v, want ErrUnsupported", err)
	}
	list := arrow.Field{Name: "l", Type: arrow.ListOf(arrow.PrimitiveTypes.Int64)}
	if _, err := Create(io.Discard, arrow.NewSchema([]arrow.Field{list}, nil), nil); !errors.Is(err, ErrUnsupported) {
		t.Errorf("a list: %v, want ErrUnsupported", err)
	}
	if _, err := Create(io.Discard, arrow.NewSchema([]arrow.Field{number}, nil), &Options{Compression: "rar"}); !errors.Is(err, ErrUnsupported) {
		t.Errorf("rar: %v, want ErrUnsupported", err)
	}
}

// A failingWriter takes n bytes.
type failingWriter struct{ n int }

var errFull = errors.New("disk full")

func (w *failingWriter) Write(p []byte) (int, error) {
	if w.n -= len(p); w.n < 0 {
		return 0, errFull
	}
	return len(p), nil
}

func TestFailedWritesAreReported(t *testing.T) {
	rec := makeRecord(everyType(), 100, 2, func(int) bool { return false })
	whole := len(writeFile(t, rec, nil))
	for _, n := range []int{0, 4, 1000, whole - 1} {
		w, err := Create(&failingWriter{n}, rec.Schema(), nil)
		if err == nil {
			err = w.Write(rec)
		}
		if err == nil {
			err = w.Close()
		}
		if !errors.Is(err, errFull) {
			t.Errorf("room for %d of %d bytes: %v, want %v", n, whole, err, errFull)
		}
	}
}

func TestFilesWithoutRows(t *testing.T) {
	rec := makeRecord(everyType(), 0, 1, nil)
	f := openBytes(t, writeFile(t, rec, nil), nil)
	if f.NumRows() != 0 || len(f.RowGroups()) != 0 || f.Schema().NumFields() != rec.Schema().NumFields() {
		t.Errorf("%d rows, %d row groups, %d columns", f.NumRows(), len(f.RowGroups()), f.Schema().NumFields())
	}
	compare(t, f, ReadOptions{}, rec)
}

func TestRetainedRecordsKeepTheirValues(t *testing.T) {
	rec := makeRecord(everyType(), 5000, 6, func(i int) bool { return i%3 == 0 })
	f := openBytes(t, writeFile(t, rec, &Options{RowGroup: 500}), nil)
	var kept []arrow.Record
	for r, err := range f.Records(context.Background(), ReadOptions{Rows: 200}) {
		if err != nil {
			t.Fatal(err)
		}
		r.Retain()
		kept = append(kept, r)
	}
	at := int64(0)
	for _, r := range kept {
		for i, c := range r.Columns() {
			compareColumn(t, r.ColumnName(i), at, c, array.NewSlice(rec.Column(i), at, at+r.NumRows()))
		}
		at += r.NumRows()
		r.Release()
	}
}

func TestFooterDigestPinsAFile(t *testing.T) {
	rec := makeRecord(everyType(), 100, 6, func(int) bool { return false })
	a, b := openBytes(t, writeFile(t, rec, nil), nil), openBytes(t, writeFile(t, rec.NewSlice(0, 99), nil), nil)
	if a.FooterDigest() != openBytes(t, writeFile(t, rec, nil), nil).FooterDigest() || a.FooterDigest() == b.FooterDigest() {
		t.Error("footer digests do not tell files apart")
	}
}
