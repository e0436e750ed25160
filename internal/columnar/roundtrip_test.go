package columnar

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/decimal128"
	"github.com/apache/arrow/go/v17/arrow/decimal256"
	"github.com/apache/arrow/go/v17/arrow/float16"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// everyType lists one field of each type that a reader can return.
func everyType() []arrow.Field {
	types := []struct {
		name string
		t    arrow.DataType
	}{
		{"null", arrow.Null},
		{"bool", arrow.FixedWidthTypes.Boolean},
		{"int8", arrow.PrimitiveTypes.Int8},
		{"int16", arrow.PrimitiveTypes.Int16},
		{"int32", arrow.PrimitiveTypes.Int32},
		{"int64", arrow.PrimitiveTypes.Int64},
		{"uint8", arrow.PrimitiveTypes.Uint8},
		{"uint16", arrow.PrimitiveTypes.Uint16},
		{"uint32", arrow.PrimitiveTypes.Uint32},
		{"uint64", arrow.PrimitiveTypes.Uint64},
		{"float16", arrow.FixedWidthTypes.Float16},
		{"float32", arrow.PrimitiveTypes.Float32},
		{"float64", arrow.PrimitiveTypes.Float64},
		{"date", arrow.FixedWidthTypes.Date32},
		{"time_ms", arrow.FixedWidthTypes.Time32ms},
		{"time_us", arrow.FixedWidthTypes.Time64us},
		{"time_ns", arrow.FixedWidthTypes.Time64ns},
		{"ts_ms", &arrow.TimestampType{Unit: arrow.Millisecond}},
		{"ts_us", &arrow.TimestampType{Unit: arrow.Microsecond}},
		{"ts_ns", &arrow.TimestampType{Unit: arrow.Nanosecond}},
		{"ts_ms_utc", &arrow.TimestampType{Unit: arrow.Millisecond, TimeZone: "UTC"}},
		{"ts_us_utc", &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}},
		{"ts_ns_utc", &arrow.TimestampType{Unit: arrow.Nanosecond, TimeZone: "UTC"}},
		{"dec9", &arrow.Decimal128Type{Precision: 9, Scale: 2}},
		{"dec18", &arrow.Decimal128Type{Precision: 18, Scale: 3}},
		{"dec38", &arrow.Decimal128Type{Precision: 38, Scale: 10}},
		{"dec76", &arrow.Decimal256Type{Precision: 76, Scale: 20}},
		{"few", arrow.BinaryTypes.String},
		{"many", arrow.BinaryTypes.String},
		{"binary", arrow.BinaryTypes.Binary},
		{"fixed5", &arrow.FixedSizeBinaryType{ByteWidth: 5}},
		{"uuid", &arrow.FixedSizeBinaryType{ByteWidth: 16}},
	}
	fields := make([]arrow.Field, len(types))
	for i, t := range types {
		fields[i] = arrow.Field{Name: t.name, Type: t.t, Nullable: true}
	}
	return fields
}

// makeValues fills a column with n values, some of them extreme; null says which are null.
func makeValues(f arrow.Field, n int, rng *rand.Rand, null func(int) bool) arrow.Array {
	b := array.NewBuilder(memory.DefaultAllocator, f.Type)
	defer b.Release()
	for i := range n {
		if null(i) || f.Type.ID() == arrow.NULL {
			b.AppendNull()
			continue
		}
		appendRandom(b, f.Name, rng)
	}
	return b.NewArray()
}

func appendRandom(b array.Builder, name string, rng *rand.Rand) {
	x := rng.Int64() >> rng.IntN(64)
	if rng.IntN(2) == 0 {
		x = -x
	}
	switch b := b.(type) {
	case *array.BooleanBuilder:
		b.Append(x&1 == 0)
	case *array.Int8Builder:
		b.Append(int8(x))
	case *array.Int16Builder:
		b.Append(int16(x))
	case *array.Int32Builder:
		b.Append(int32(x))
	case *array.Int64Builder:
		b.Append(x)
	case *array.Uint8Builder:
		b.Append(uint8(x))
	case *array.Uint16Builder:
		b.Append(uint16(x))
	case *array.Uint32Builder:
		b.Append(uint32(x))
	case *array.Uint64Builder:
		b.Append(uint64(x))
	case *array.Float16Builder:
		b.Append(float16.New(float32(x % 1000)))
	case *array.Float32Builder:
		b.Append([]float32{float32(x) / 3, float32(math.Inf(1)), 0, float32(math.Copysign(0, -1))}[rng.IntN(4)])
	case *array.Float64Builder:
		b.Append([]float64{float64(x) / 3, math.Inf(-1), math.MaxFloat64, rng.NormFloat64()}[rng.IntN(4)])
	case *array.Date32Builder:
		b.Append(arrow.Date32(x % 1_000_000)) // DuckDB's calendar is shorter than 32 bits
	case *array.Time32Builder:
		b.Append(arrow.Time32(uint32(x) % 86_400_000))
	case *array.Time64Builder:
		b.Append(arrow.Time64(uint64(x) % 86_400_000_000))
	case *array.TimestampBuilder:
		if name == "ts_ms" || name == "ts_ms_utc" {
			x >>= 16 // DuckDB counts microseconds
		}
		b.Append(arrow.Timestamp(x))
	case *array.Decimal128Builder:
		digits := map[string]int64{"dec9": 999_999_999, "dec18": 999_999_999_999_999_999}
		if most, ok := digits[name]; ok {
			b.Append(decimal128.FromI64(x % most))
		} else {
			b.Append(decimal128.New(x>>4, rng.Uint64()))
		}
	case *array.Decimal256Builder:
		b.Append(decimal256.New(uint64(x)>>6, rng.Uint64(), rng.Uint64(), rng.Uint64()))
	case *array.StringBuilder:
		if name == "few" {
			b.Append([]string{"", "red", "green", "blue", "ümlaut"}[rng.IntN(5)])
		} else {
			b.Append(fmt.Sprintf("value %x", rng.Uint64()>>rng.IntN(64)))
		}
	case *array.BinaryBuilder:
		b.Append(randomBytes(rng, rng.IntN(20)))
	case *array.FixedSizeBinaryBuilder:
		b.Append(randomBytes(rng, b.Type().(*arrow.FixedSizeBinaryType).ByteWidth))
	default:
		panic(fmt.Sprintf("no values for %T", b))
	}
}

func randomBytes(rng *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return b
}

// makeRecord fills a record of the fields; the null pattern is the same for all.
func makeRecord(fields []arrow.Field, n int, seed uint64, null func(int) bool) arrow.Record {
	rng := rand.New(rand.NewPCG(seed, 1))
	arrays := make([]arrow.Array, len(fields))
	for i, f := range fields {
		arrays[i] = makeValues(f, n, rng, null)
	}
	return array.NewRecord(arrow.NewSchema(fields, nil), arrays, int64(n))
}

func writeFile(t testing.TB, rec arrow.Record, o *Options) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := Create(&b, rec.Schema(), o)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(rec); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func openBytes(t testing.TB, b []byte, o *OpenOptions) *File {
	t.Helper()
	f, err := Open(bytes.NewReader(b), int64(len(b)), o)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// compare checks that the records of f, one after the other, hold the values of want.
func compare(t testing.TB, f *File, o ReadOptions, want arrow.Record) {
	t.Helper()
	at := int64(0)
	for rec, err := range f.Records(context.Background(), o) {
		if err != nil {
			t.Fatal(err)
		}
		if at+rec.NumRows() > want.NumRows() {
			t.Fatalf("more than %d rows", want.NumRows())
		}
		for i := range int(rec.NumCols()) {
			name := rec.ColumnName(i)
			k := want.Schema().FieldIndices(name)[0]
			part := array.NewSlice(want.Column(k), at, at+rec.NumRows())
			compareColumn(t, name, at, rec.Column(i), part)
			part.Release()
		}
		at += rec.NumRows()
	}
	if at != want.NumRows() {
		t.Fatalf("%d rows, want %d", at, want.NumRows())
	}
}

func compareColumn(t testing.TB, name string, at int64, got, want arrow.Array) {
	t.Helper()
	if got.NullN() != want.NullN() {
		t.Fatalf("%s from row %d: %d nulls, want %d", name, at, got.NullN(), want.NullN())
	}
	// Text tells 0 from −0, but takes long.
	if got.Len() > 1000 && arrow.TypeEqual(got.DataType(), want.DataType()) && array.Equal(got, want) {
		return
	}
	for r := range got.Len() {
		g, w := got.ValueStr(r), want.ValueStr(r)
		if got.IsNull(r) != want.IsNull(r) || g != w {
			t.Fatalf("%s, row %d: %s, want %s", name, at+int64(r), g, w)
		}
	}
}

func TestRoundTrip(t *testing.T) {
	patterns := []struct {
		name string
		null func(int) bool
	}{
		{"no row is null", func(int) bool { return false }},
		{"every row is null", func(int) bool { return true }},
		{"every third row is null", func(i int) bool { return i%3 == 0 }},
		{"a few rows are null", func(i int) bool { return i%97 == 5 }},
		{"long stretches are null", func(i int) bool { return i/300%2 == 1 }},
		{"the first row alone is present", func(i int) bool { return i > 0 }},
	}
	for _, p := range patterns {
		for _, rows := range []int{1, 64, 2003} {
			rec := makeRecord(everyType(), rows, uint64(rows), p.null)
			for _, group := range []int{100, 777, 0} {
				b := writeFile(t, rec, &Options{RowGroup: group, Compression: "snappy"})
				for _, o := range []ReadOptions{{}, {Rows: 33}} {
					t.Run(fmt.Sprintf("%s: %d rows, groups of %d, records of %d", p.name, rows, group, o.Rows), func(t *testing.T) {
						compare(t, openBytes(t, b, nil), o, rec)
					})
				}
			}
			rec.Release()
		}
	}
}

func TestRequiredRoundTrip(t *testing.T) {
	fields := everyType()[1:]
	for i := range fields {
		fields[i].Nullable = false
	}
	rec := makeRecord(fields, 5000, 3, func(int) bool { return false })
	for _, codec := range []string{"zstd", "snappy", "gzip", "lz4", "none"} {
		t.Run("compressed by "+codec, func(t *testing.T) {
			f := openBytes(t, writeFile(t, rec, &Options{RowGroup: 1500, Compression: codec}), nil)
			for _, field := range f.Schema().Fields() {
				if field.Nullable {
					t.Errorf("%s may be null", field.Name)
				}
			}
			compare(t, f, ReadOptions{}, rec)
		})
	}
}

func TestManyPages(t *testing.T) {
	fields := []arrow.Field{
		{Name: "few", Type: arrow.BinaryTypes.String, Nullable: true},
		{Name: "many", Type: arrow.BinaryTypes.String, Nullable: true},
		{Name: "float64", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
		{Name: "bool", Type: arrow.FixedWidthTypes.Boolean, Nullable: true},
	}
	rec := makeRecord(fields, 300_000, 5, func(i int) bool { return i%11 == 0 })
	defer rec.Release()
	compare(t, openBytes(t, writeFile(t, rec, &Options{RowGroup: 250_000}), nil), ReadOptions{}, rec)
}
