package profile_test

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"headgate/internal/profile"
)

var dictionary = &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: arrow.BinaryTypes.String}

var schema = arrow.NewSchema([]arrow.Field{
	{Name: "amount", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
	{Name: "items", Type: arrow.PrimitiveTypes.Int32, Nullable: true},
	{Name: "account", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
	{Name: "region", Type: dictionary, Nullable: true},
	{Name: "id", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "app", Type: arrow.FixedWidthTypes.Boolean, Nullable: true},
	{Name: "birthday", Type: arrow.FixedWidthTypes.Date32, Nullable: true},
	{Name: "seen", Type: arrow.FixedWidthTypes.Timestamp_ns, Nullable: true},
}, nil)

// wild returns a record with values that are hard to sum up.
func wild(rng *rand.Rand, rows int) arrow.Record {
	b := array.NewRecordBuilder(memory.NewGoAllocator(), schema)
	for range rows {
		for i := range schema.NumFields() {
			if rng.IntN(10) == 0 {
				b.Field(i).AppendNull()
				continue
			}
			appendWild(b.Field(i), rng)
		}
	}
	return b.NewRecord()
}

// appendWild appends one value.
func appendWild(to array.Builder, rng *rand.Rand) {
	switch to := to.(type) {
	case *array.Float64Builder:
		special := []float64{math.NaN(), math.Inf(1), math.Inf(-1), 0, math.Copysign(0, -1), math.MaxFloat64, -math.MaxFloat64, 5e-324, 1e-300}
		if i := rng.IntN(60); i < len(special) {
			to.Append(special[i])
			return
		}
		to.Append(rng.NormFloat64() * math.Pow(10, float64(rng.IntN(40)-20)))
	case *array.Int32Builder:
		to.Append(int32(rng.IntN(50)))
	case *array.Int64Builder:
		to.Append(math.MaxInt64 - int64(rng.IntN(2000)))
	case *array.BinaryDictionaryBuilder:
		if err := to.AppendString(fmt.Sprint("R", rng.IntN(20))); err != nil {
			panic(err)
		}
	case *array.StringBuilder:
		to.Append(fmt.Sprint("customer ", rng.IntN(5000)))
	case *array.BooleanBuilder:
		to.Append(rng.IntN(3) == 0)
	case *array.Date32Builder:
		to.Append(arrow.Date32(rng.IntN(20000)))
	case *array.TimestampBuilder:
		to.Append(arrow.Timestamp(rng.Int64()))
	}
}

// build returns the profile of the records.
func build(t testing.TB, o *profile.Options, records ...arrow.Record) *profile.Profile {
	t.Helper()
	b := profile.NewBuilder(o)
	for _, rec := range records {
		if err := b.Add(rec); err != nil {
			t.Fatal(err)
		}
	}
	return b.Profile()
}

// marshal returns the bytes of a profile.
func marshal(t testing.TB, p *profile.Profile) []byte {
	t.Helper()
	data, err := p.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// read returns the profile of the bytes.
func read(t testing.TB, data []byte) *profile.Profile {
	t.Helper()
	p := new(profile.Profile)
	if err := p.UnmarshalBinary(data); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestAnySplitAndOrderGivesTheSameBytes(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, tt := range []struct {
		name string
		o    profile.Options
	}{
		{name: "a restricted column", o: profile.Options{Restricted: []string{"birthday"}}},
		{name: "confidential columns", o: profile.Options{Confidential: []string{"amount", "account", "id", "app"}}},
		{name: "slices by few and by many values", o: profile.Options{
			Slices: []string{"region", "id", "account", "items", "app"}, Scores: []string{"amount", "items"},
			Restricted: []string{"birthday"}, Confidential: []string{"seen"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, rows := range []int{0, 1, 100, 6000} {
				records := []arrow.Record{wild(rng, rows), without(wild(rng, rows/2), "amount", "region")}
				want := marshal(t, build(t, &tt.o, records...))
				for trial := range 6 {
					got := marshal(t, mergeInRandomOrder(t, rng, &tt.o, split(rng, records)))
					if !bytes.Equal(got, want) {
						t.Fatalf("%d rows, trial %d: the bytes differ", rows, trial)
					}
				}
			}
		})
	}
}

// without returns the record without some columns.
func without(rec arrow.Record, names ...string) arrow.Record {
	var fields []arrow.Field
	var columns []arrow.Array
	for i, f := range rec.Schema().Fields() {
		if !slices.Contains(names, f.Name) {
			fields, columns = append(fields, f), append(columns, rec.Column(i))
		}
	}
	return array.NewRecord(arrow.NewSchema(fields, nil), columns, rec.NumRows())
}

// split cuts records into random pieces.
func split(rng *rand.Rand, records []arrow.Record) []arrow.Record {
	pieces := slices.Clone(records) // of a record without rows only the schema counts
	for i, rec := range records {
		pieces[i] = rec.NewSlice(0, 0)
		for from := int64(0); from < rec.NumRows(); {
			to := min(rec.NumRows(), from+1+rng.Int64N(rec.NumRows()/2+1))
			pieces = append(pieces, rec.NewSlice(from, to))
			from = to
		}
	}
	rng.Shuffle(len(pieces), func(i, j int) { pieces[i], pieces[j] = pieces[j], pieces[i] })
	return pieces
}

// mergeInRandomOrder profiles a few pieces together, writes and reads some of the
// profiles, and merges random pairs until one is left.
func mergeInRandomOrder(t *testing.T, rng *rand.Rand, o *profile.Options, pieces []arrow.Record) *profile.Profile {
	t.Helper()
	var all []*profile.Profile
	for len(pieces) > 0 {
		n := 1 + rng.IntN(min(3, len(pieces)))
		p := build(t, o, pieces[:n]...)
		pieces = pieces[n:]
		if rng.IntN(2) == 0 {
			p = read(t, marshal(t, p))
		}
		all = append(all, p)
	}
	for len(all) > 1 {
		rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		p, err := profile.Merge(all[0], all[1])
		if err != nil {
			t.Fatal(err)
		}
		all = append(all[2:], p)
	}
	return all[0]
}
