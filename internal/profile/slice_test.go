package profile_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"headgate/internal/profile"
)

// table returns a record of columns that fill makes row by row.
func table(rows int, fields []arrow.Field, fill func(row int, b *array.RecordBuilder)) arrow.Record {
	for i := range fields {
		fields[i].Nullable = true
	}
	b := array.NewRecordBuilder(memory.NewGoAllocator(), arrow.NewSchema(fields, nil))
	for row := range rows {
		fill(row, b)
	}
	return b.NewRecord()
}

// slice returns the slice of a value, or fails.
func slice(t *testing.T, p *profile.Profile, column, value string) *profile.Slice {
	t.Helper()
	for _, s := range p.SliceColumn(column).Slices {
		if s.Value == value && !s.Null && !s.Others {
			return s
		}
	}
	t.Fatalf("%s has no slice %q", column, value)
	return nil
}

func TestSlicesDescribeTheRowsWithAValue(t *testing.T) {
	rec := table(7, []arrow.Field{
		{Name: "segment", Type: arrow.BinaryTypes.String}, {Name: "score", Type: arrow.PrimitiveTypes.Float64},
		{Name: "orders", Type: arrow.PrimitiveTypes.Int32}, {Name: "city", Type: arrow.BinaryTypes.String},
	}, func(row int, b *array.RecordBuilder) {
		segment := []string{"gift", "", "gift", "null", "gift", "gift", "student"}[row]
		if segment == "null" {
			b.Field(0).AppendNull()
		} else {
			b.Field(0).(*array.StringBuilder).Append(segment)
		}
		b.Field(1).(*array.Float64Builder).Append([]float64{0.25, 1, 0.75, 2, math.NaN(), math.Inf(-1), 3}[row])
		if row == 5 {
			b.Field(2).AppendNull()
		} else {
			b.Field(2).(*array.Int32Builder).Append(int32(row) - 2)
		}
		b.Field(3).(*array.StringBuilder).Append("Bonn")
	})
	p := build(t, &profile.Options{Slices: []string{"segment", "region"}, Scores: []string{"score"}}, rec)
	if len(p.Slices) != 1 || !p.SliceColumn("segment").Complete() {
		t.Fatalf("got %d slice columns, want segment alone, which is complete", len(p.Slices))
	}
	var got []string
	for _, s := range p.Slices[0].Slices {
		got = append(got, fmt.Sprintf("%q %v %d", s.Value, s.Null, s.Rows))
	}
	if want := []string{`"" false 1`, `"gift" false 4`, `"student" false 1`, `"" true 1`}; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got slices %v, want %v", got, want)
	}
	gift := slice(t, p, "segment", "gift")
	score := gift.Cell("score")
	mean, std := score.MeanStd()
	if score.Rows != 4 || score.NaNs != 1 || score.Infs != 1 || score.Values() != 2 || mean != 0.5 || std != 0.25 {
		t.Errorf("got score %+v with mean %g and std %g", score, mean, std)
	}
	if q := score.Quantiles.Quantile(1); math.Abs(q-0.75) > 0.75/257 {
		t.Errorf("got highest score %g, want 0.75", q)
	}
	orders := gift.Cell("orders")
	if mean, std := orders.MeanStd(); orders.Nulls != 1 || mean != 0 || std != math.Sqrt(8.0/3) || orders.Quantiles != nil {
		t.Errorf("got orders %+v with mean %g and std %g", orders, mean, std)
	}
	city := gift.Cell("city")
	if mean, _ := city.MeanStd(); city.Rows != 4 || !math.IsNaN(mean) {
		t.Errorf("got city %+v with mean %g, want counts only", city, mean)
	}
	if gift.Cell("region") != nil || p.SliceColumn("region") != nil {
		t.Error("got slices of a column that is not there")
	}
}

// TestManyValues compares the slices of a column with more values than can be
// slices with the truth, row by row.
func TestManyValues(t *testing.T) {
	const rows, values = 20_000, 300
	rng := rand.New(rand.NewPCG(8, 8))
	groups, amounts := make([]int, rows), make([]float64, rows)
	rec := table(rows, []arrow.Field{{Name: "shop", Type: arrow.PrimitiveTypes.Int16}, {Name: "amount", Type: arrow.PrimitiveTypes.Float64}},
		func(row int, b *array.RecordBuilder) {
			groups[row], amounts[row] = rng.IntN(values)-100, rng.NormFloat64()
			b.Field(0).(*array.Int16Builder).Append(int16(groups[row]))
			b.Field(1).(*array.Float64Builder).Append(amounts[row])
		})
	var pieces []arrow.Record
	for from := int64(0); from < rows; from += 50 {
		pieces = append(pieces, rec.NewSlice(from, from+50))
	}
	p := build(t, &profile.Options{Slices: []string{"shop"}}, pieces...)
	s := p.SliceColumn("shop")
	if len(s.Slices) != 65 || s.Complete() || !s.Slices[64].Others {
		t.Fatalf("got %d slices, want 64 values and the others", len(s.Slices))
	}
	rest := rows
	for _, v := range s.Slices[:64] {
		var of []float64
		for i, g := range groups {
			if fmt.Sprint(g) == v.Value {
				of = append(of, amounts[i])
			}
		}
		rest -= len(of)
		wantMean, wantStd := meanStd(of)
		mean, std := v.Cell("amount").MeanStd()
		if v.Rows != int64(len(of)) || math.Abs(mean-wantMean) > 1e-13 || math.Abs(std-wantStd) > 1e-13 {
			t.Errorf("shop %s: got %d rows, mean %g, std %g; want %d, %g, %g", v.Value, v.Rows, mean, std, len(of), wantMean, wantStd)
		}
	}
	if s.Slices[64].Rows != int64(rest) {
		t.Errorf("got %d other rows, want %d", s.Slices[64].Rows, rest)
	}
}

// meanStd returns mean and population standard deviation in two passes.
func meanStd(values []float64) (mean, std float64) {
	for _, v := range values {
		mean += v / float64(len(values))
	}
	for _, v := range values {
		std += (v - mean) * (v - mean) / float64(len(values))
	}
	return mean, math.Sqrt(std)
}

func TestSlicesAddUpToTheColumn(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 9))
	p := build(t, &profile.Options{Slices: []string{"region", "id", "app", "items"}, Scores: []string{"amount"}}, wild(rng, 5000))
	for _, s := range p.Slices {
		for _, c := range p.Columns {
			var rows, nulls, values int64
			var scored uint64
			for _, v := range s.Slices {
				cell := v.Cell(c.Name)
				rows, nulls, values = rows+cell.Rows, nulls+cell.Nulls, values+cell.Values()
				if c.Score {
					scored += cell.Quantiles.Count()
				}
			}
			if rows != c.Rows || nulls != c.Nulls || c.Kind != profile.Text && values != c.Values() || c.Score && scored != c.Quantiles.Count() {
				t.Errorf("%s by %s: got %d rows, %d nulls, %d values, %d scored", c.Name, s.Name, rows, nulls, values, scored)
			}
		}
	}
}

func TestDictionariesAndTextsHaveTheSameSlices(t *testing.T) {
	var profiles [2]*profile.Profile
	for k, typ := range []arrow.DataType{arrow.BinaryTypes.String, dictionary} {
		profiles[k] = build(t, &profile.Options{Slices: []string{"x"}}, table(500, []arrow.Field{{Name: "x", Type: typ}, {Name: "y", Type: arrow.FixedWidthTypes.Date32}},
			func(row int, b *array.RecordBuilder) {
				if row%7 == 0 {
					b.Field(0).AppendNull()
				} else if err := b.Field(0).AppendValueFromString(names[row%90]); err != nil {
					t.Fatal(err)
				}
				b.Field(1).(*array.Date32Builder).Append(arrow.Date32(row))
			}))
	}
	if a, b := marshal(t, profiles[0]), marshal(t, profiles[1]); string(a) != string(b) {
		t.Error("the bytes differ")
	}
}

func TestOnlyNullsInADictionary(t *testing.T) {
	p := build(t, &profile.Options{Slices: []string{"x"}}, table(3, []arrow.Field{{Name: "x", Type: dictionary}},
		func(_ int, b *array.RecordBuilder) { b.Field(0).AppendNull() }))
	if s := p.SliceColumn("x").Slices; len(s) != 1 || !s[0].Null || s[0].Rows != 3 || s[0].Cell("x").Nulls != 3 {
		t.Errorf("got %+v, want three nulls", s)
	}
}

func TestNumbersInADictionaryHaveMoments(t *testing.T) {
	typ := &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.PrimitiveTypes.Int64}
	p := build(t, &profile.Options{Slices: []string{"x"}}, table(4, []arrow.Field{{Name: "x", Type: typ}},
		func(row int, b *array.RecordBuilder) {
			if err := b.Field(0).(*array.Int64DictionaryBuilder).Append(int64(row%2) * 5); err != nil {
				t.Fatal(err)
			}
		}))
	if mean, std := slice(t, p, "x", "5").Cell("x").MeanStd(); mean != 5 || std != 0 {
		t.Errorf("got mean %g and std %g, want 5 and 0", mean, std)
	}
}

func TestWholeNumbersOfAnySizeInSlices(t *testing.T) {
	big := []int64{math.MaxInt64, math.MinInt64, 1 << 23, -1 << 23, 1<<23 + 1, 0, -1}
	p := build(t, &profile.Options{Slices: []string{"g"}}, table(len(big)*20_000, []arrow.Field{
		{Name: "g", Type: arrow.FixedWidthTypes.Boolean}, {Name: "x", Type: arrow.PrimitiveTypes.Int64}},
		func(row int, b *array.RecordBuilder) {
			b.Field(0).(*array.BooleanBuilder).Append(true)
			b.Field(1).(*array.Int64Builder).Append(big[row%len(big)])
		}))
	mean, std := slice(t, p, "g", "true").Cell("x").MeanStd()
	if wantMean, wantStd := p.Column("x").MeanStd(); mean != wantMean || std != wantStd {
		t.Errorf("got mean %g and std %g, want those of the column: %g and %g", mean, std, wantMean, wantStd)
	}
}

func TestMergingWithWhatWasProfiledOtherwise(t *testing.T) {
	rec := wild(rand.New(rand.NewPCG(2, 1)), 100)
	scored := build(t, &profile.Options{Slices: []string{"app"}, Scores: []string{"amount"}}, rec)
	for name, other := range map[string]*profile.Profile{
		"no scores": build(t, &profile.Options{Slices: []string{"app"}}, rec),
		"no slices": build(t, nil, rec),
	} {
		ab, err := profile.Merge(scored, other)
		if err != nil {
			t.Fatal(err)
		}
		ba, err := profile.Merge(other, scored)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(marshal(t, ab), marshal(t, ba)) {
			t.Errorf("%s: the order matters", name)
		}
		if cell := slice(t, ab, "app", "true").Cell("amount"); ab.Column("amount").Score || cell.Quantiles != nil {
			t.Errorf("%s: got quantiles of a part of the rows", name)
		}
	}
}

func TestWhatCannotBeASlice(t *testing.T) {
	for _, name := range []string{"amount", "birthday", "seen"} {
		err := profile.NewBuilder(&profile.Options{Slices: []string{name}}).Add(wild(rand.New(rand.NewPCG(1, 1)), 5))
		if !errors.Is(err, profile.ErrSlice) {
			t.Errorf("%s: got %v, want ErrSlice", name, err)
		}
	}
	for name, o := range map[string]*profile.Options{
		"restricted":   {Slices: []string{"region"}, Restricted: []string{"region"}},
		"confidential": {Slices: []string{"region"}, Confidential: []string{"region"}},
		"not profiled": {Slices: []string{"region"}, Columns: []string{"amount"}},
	} {
		if p := build(t, o, wild(rand.New(rand.NewPCG(1, 1)), 50)); len(p.Slices) != 0 {
			t.Errorf("%s: got slices", name)
		}
	}
}
