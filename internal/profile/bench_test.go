package profile_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"headgate/internal/profile"
)

// BenchmarkAdd prints what a value costs, by the kind of column.
func BenchmarkAdd(b *testing.B) {
	const rows = 16384
	rng := rand.New(rand.NewPCG(1, 2))
	for _, bench := range []struct {
		name   string
		typ    arrow.DataType
		append func(array.Builder)
	}{
		{"continuous", arrow.PrimitiveTypes.Float64, func(to array.Builder) { to.(*array.Float64Builder).Append(rng.NormFloat64()) }},
		{"small numbers", arrow.PrimitiveTypes.Int32, func(to array.Builder) { to.(*array.Int32Builder).Append(rng.Int32N(20)) }},
		{"booleans", arrow.FixedWidthTypes.Boolean, func(to array.Builder) { to.(*array.BooleanBuilder).Append(rng.IntN(2) == 0) }},
		{"dictionary of 400", dictionary, func(to array.Builder) {
			_ = to.(*array.BinaryDictionaryBuilder).AppendString(names[rng.IntN(400)])
		}},
		{"keys", arrow.BinaryTypes.String, func(to array.Builder) { to.(*array.StringBuilder).Append(names[rng.IntN(len(names))]) }},
	} {
		b.Run(bench.name, func(b *testing.B) {
			to := array.NewBuilder(memory.NewGoAllocator(), bench.typ)
			for range rows {
				bench.append(to)
			}
			a := to.NewArray()
			rec := array.NewRecord(arrow.NewSchema([]arrow.Field{{Name: "x", Type: bench.typ}}, nil), []arrow.Array{a}, rows)
			builder := profile.NewBuilder(nil)
			for b.Loop() {
				if err := builder.Add(rec); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rows, "ns/value")
		})
	}
}

// BenchmarkSlices prints what a row of one number costs with its slices, by how many
// slice columns there are.
func BenchmarkSlices(b *testing.B) {
	const rows = 16384
	rng := rand.New(rand.NewPCG(1, 2))
	for _, typ := range []arrow.DataType{arrow.PrimitiveTypes.Float64, arrow.PrimitiveTypes.Int32} {
		rec := table(rows, []arrow.Field{{Name: "region", Type: dictionary}, {Name: "segment", Type: dictionary}, {Name: "x", Type: typ}},
			func(_ int, to *array.RecordBuilder) {
				_ = to.Field(0).(*array.BinaryDictionaryBuilder).AppendString(names[rng.IntN(20)])
				_ = to.Field(1).(*array.BinaryDictionaryBuilder).AppendString(names[rng.IntN(8)])
				switch to := to.Field(2).(type) {
				case *array.Float64Builder:
					to.Append(rng.ExpFloat64())
				case *array.Int32Builder:
					to.Append(rng.Int32N(20))
				}
			})
		for n := range 3 {
			b.Run(fmt.Sprint(typ, " by ", n), func(b *testing.B) {
				builder := profile.NewBuilder(&profile.Options{Slices: []string{"region", "segment"}[:n]})
				for b.Loop() {
					if err := builder.Add(rec); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rows, "ns/row")
			})
		}
	}
}

// names are 100,000 different keys of 14 letters.
var names = func() []string {
	out := make([]string, 100_000)
	for i := range out {
		key := []byte("customer-00000")
		for j, n := 13, i; n > 0; j, n = j-1, n/10 {
			key[j] = byte('0' + n%10)
		}
		out[i] = string(key)
	}
	return out
}()
