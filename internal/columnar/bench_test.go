package columnar

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// featureTable is what scoring reads: an id, 28 doubles, two strings of few values.
func featureTable(rows, nullEvery int) arrow.Record {
	fields := []arrow.Field{{Name: "id", Type: arrow.PrimitiveTypes.Int64, Nullable: true}}
	for i := range 28 {
		fields = append(fields, arrow.Field{Name: fmt.Sprintf("x%02d", i), Type: arrow.PrimitiveTypes.Float64, Nullable: true})
	}
	fields = append(fields, arrow.Field{Name: "few", Type: arrow.BinaryTypes.String, Nullable: true}, arrow.Field{Name: "few2", Type: arrow.BinaryTypes.String, Nullable: true})
	b := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema(fields, nil))
	defer b.Release()
	seed := uint64(1)
	for r := range rows {
		for i := range fields {
			seed = seed*6364136223846793005 + 1442695040888963407
			null := nullEvery > 0 && seed>>33%uint64(nullEvery) == 0
			switch b := b.Field(i).(type) {
			case *array.Int64Builder:
				b.Append(int64(r))
			case *array.Float64Builder:
				if null {
					b.AppendNull()
				} else {
					b.Append(float64(seed>>11) / (1 << 53))
				}
			case *array.StringBuilder:
				b.Append([]string{"bronze", "silver", "gold"}[seed>>40%3])
			}
		}
	}
	return b.NewRecord()
}

func recordBytes(rec arrow.Record) (n int64) {
	for _, c := range rec.Columns() {
		for _, b := range c.Data().Buffers() {
			if b != nil {
				n += int64(b.Len())
			}
		}
	}
	return n
}

func BenchmarkRead(b *testing.B) {
	for _, nulls := range []int{0, 20} {
		rec := featureTable(200_000, nulls)
		for _, codec := range []string{"none", "snappy", "zstd"} {
			file := writeFile(b, rec, &Options{Compression: codec})
			b.Run(fmt.Sprintf("%s/null1in%d", codec, nulls), func(b *testing.B) {
				b.SetBytes(recordBytes(rec))
				b.ReportAllocs()
				for b.Loop() {
					f := openBytes(b, file, nil)
					for _, err := range f.Records(context.Background(), ReadOptions{}) {
						if err != nil {
							b.Fatal(err)
						}
					}
				}
				b.ReportMetric(float64(rec.NumRows())*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mrows/s")
			})
		}
		rec.Release()
	}
}

func BenchmarkWrite(b *testing.B) {
	rec := featureTable(200_000, 20)
	defer rec.Release()
	for _, codec := range []string{"none", "snappy", "zstd"} {
		b.Run(codec, func(b *testing.B) {
			b.SetBytes(recordBytes(rec))
			b.ReportAllocs()
			for b.Loop() {
				w, err := Create(io.Discard, rec.Schema(), &Options{Compression: codec})
				if err != nil {
					b.Fatal(err)
				}
				if err := w.Write(rec); err != nil {
					b.Fatal(err)
				}
				if err := w.Close(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(rec.NumRows())*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mrows/s")
		})
	}
}

func TestSameValuesSameBytes(t *testing.T) {
	rec := makeRecord(everyType(), 5000, 4, func(i int) bool { return i%13 == 0 })
	defer rec.Release()
	want := writeFile(t, rec, &Options{RowGroup: 3000})
	for _, cut := range []int64{1, 100, 256, 999} {
		var b bytes.Buffer
		w, err := Create(&b, rec.Schema(), &Options{RowGroup: 3000})
		if err != nil {
			t.Fatal(err)
		}
		for at := int64(0); at < rec.NumRows(); at += cut {
			part := rec.NewSlice(at, min(at+cut, rec.NumRows()))
			if err := w.Write(part); err != nil {
				t.Fatal(err)
			}
			part.Release()
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(b.Bytes(), want) {
			t.Errorf("records of %d rows make other bytes", cut)
		}
	}
}
