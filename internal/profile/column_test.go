package profile_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/decimal128"
	"github.com/apache/arrow/go/v17/arrow/float16"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"headgate/internal/profile"
)

// column returns the profile of one column that add fills.
func column[B array.Builder](t *testing.T, typ arrow.DataType, o *profile.Options, add func(B)) *profile.Column {
	t.Helper()
	b := array.NewBuilder(memory.NewGoAllocator(), typ)
	add(b.(B))
	a := b.NewArray()
	schema := arrow.NewSchema([]arrow.Field{{Name: "x", Type: typ, Nullable: true}}, nil)
	return build(t, o, array.NewRecord(schema, []arrow.Array{a}, int64(a.Len()))).Column("x")
}

func TestNumbers(t *testing.T) {
	c := column(t, arrow.PrimitiveTypes.Float64, nil, func(b *array.Float64Builder) {
		b.AppendValues([]float64{3, 0, math.Copysign(0, -1), -5, math.NaN(), math.Inf(1), math.Inf(1), math.Inf(-1), 8}, nil)
		b.AppendNull()
	})
	if c.Rows != 10 || c.Nulls != 1 || c.NaNs != 1 || c.PosInfs != 2 || c.NegInfs != 1 || c.Zeros != 2 || c.Values() != 5 {
		t.Errorf("got counts %+v", c.Summary(0))
	}
	mean, std := c.MeanStd()
	if c.Min != -5 || c.Max != 8 || mean != 1.2 || math.Abs(std-math.Sqrt(18.16)) > 1e-15 {
		t.Errorf("got min %g, max %g, mean %g, std %g", c.Min, c.Max, mean, std)
	}
	if got := c.Distincts(); got != 4 {
		t.Errorf("got %g distinct values, want 4: 0 and -0 are one", got)
	}
	if got := c.Quantile(0.5); got != 0 {
		t.Errorf("got median %g, want 0", got)
	}
}

func TestWholeNumbersBeyondFloat64StayApart(t *testing.T) {
	c := column(t, arrow.PrimitiveTypes.Int64, nil, func(b *array.Int64Builder) {
		for i := range int64(3000) {
			b.Append(math.MaxInt64 - i)
		}
	})
	if got := c.Distincts(); math.Abs(got-3000) > 100 {
		t.Errorf("got %g distinct values, want 3000", got)
	}
	c = column(t, arrow.PrimitiveTypes.Uint64, nil, func(b *array.Uint64Builder) {
		b.AppendValues([]uint64{math.MaxUint64, math.MaxUint64 - 1, 7}, nil)
	})
	if got := c.Distincts(); got != 3 || c.Max != math.MaxUint64 {
		t.Errorf("got %g distinct values up to %g", got, c.Max)
	}
}

func TestDistinctValuesAreExactUpToAThousand(t *testing.T) {
	for _, n := range []int{1, 999, 1000, 1001, 5000} {
		c := column(t, arrow.PrimitiveTypes.Float64, nil, func(b *array.Float64Builder) {
			for i := range 3 * n {
				b.Append(float64(i%n) / 8)
			}
		})
		got := c.Distincts()
		if n <= 1000 && (got != float64(n) || !c.Exact()) {
			t.Errorf("got %g values, exact %v; want %d, exactly", got, c.Exact(), n)
		}
		if n > 1000 && (math.Abs(got-float64(n)) > 4*0.0081*float64(n) || c.Exact()) {
			t.Errorf("got %g values, exact %v; want about %d", got, c.Exact(), n)
		}
	}
}

// TestQuantilesAreNearTheSortedValues compares with the definition: the value of
// rank ⌊p·(n−1)⌋.
func TestQuantilesAreNearTheSortedValues(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 6))
	for name, draw := range map[string]func() float64{
		"scores":    func() float64 { return 1 / (1 + math.Exp(2-rng.NormFloat64())) },
		"amounts":   func() float64 { return math.Round(100*math.Exp(3+rng.NormFloat64())) / 100 },
		"both ways": rng.NormFloat64,
	} {
		values := make([]float64, 20_000)
		for i := range values {
			values[i] = draw()
		}
		c := column(t, arrow.PrimitiveTypes.Float64, nil, func(b *array.Float64Builder) { b.AppendValues(values, nil) })
		slices.Sort(values)
		for i := range 101 {
			p := float64(i) / 100
			got, want := c.Quantile(p), values[int(p*float64(len(values)-1))]
			if math.Abs(got-want) > math.Abs(want)*0.0039 {
				t.Errorf("%s, quantile %g: got %g, want %g", name, p, got, want)
			}
		}
		mean, std := c.MeanStd()
		if wantMean, wantStd := meanStd(values); math.Abs(mean-wantMean) > 1e-9*wantStd || math.Abs(std/wantStd-1) > 1e-9 {
			t.Errorf("%s: got mean %g and std %g, want %g and %g", name, mean, std, wantMean, wantStd)
		}
	}
}

func TestTexts(t *testing.T) {
	c := column(t, arrow.BinaryTypes.String, nil, func(b *array.StringBuilder) {
		b.AppendValues([]string{"bär", "", "zebra", "bär"}, nil)
		b.AppendNull()
	})
	mean, _ := c.MeanStd()
	if c.MinText != "" || c.MaxText != "zebra" || c.Zeros != 1 || c.Nulls != 1 || mean != 2.75 {
		t.Errorf("got %q to %q, %d empty, mean length %g", c.MinText, c.MaxText, c.Zeros, mean)
	}
	if got := c.Top(1); len(got) != 1 || got[0] != (profile.Count{Value: "bär", Count: 2}) {
		t.Errorf("got %v", got)
	}
	if got := c.Quantile(1); got != 5 {
		t.Errorf("got longest text %g, want 5", got)
	}
}

func TestDictionariesAndTextsAreTheSame(t *testing.T) {
	values := []string{"a", "b", "a", "c", "a"}
	plain := column(t, arrow.BinaryTypes.String, nil, func(b *array.StringBuilder) { b.AppendValues(values, nil); b.AppendNull() })
	coded := column(t, dictionary, nil, func(b *array.BinaryDictionaryBuilder) {
		for _, v := range values {
			if err := b.AppendString(v); err != nil {
				t.Fatal(err)
			}
		}
		b.AppendNull()
	})
	a := marshal(t, &profile.Profile{Rows: 6, Columns: []*profile.Column{plain}})
	b := marshal(t, &profile.Profile{Rows: 6, Columns: []*profile.Column{coded}})
	if !bytes.Equal(a, b) {
		t.Errorf("got %+v and %+v", plain.Summary(3), coded.Summary(3))
	}
}

func TestOtherTypes(t *testing.T) {
	day := column(t, arrow.FixedWidthTypes.Date32, nil, func(b *array.Date32Builder) { b.Append(19723) })
	if day.Kind != profile.Date || day.Top(1)[0].Value != "2024-01-01" {
		t.Errorf("date: got %+v", day.Summary(1))
	}
	same := column(t, arrow.FixedWidthTypes.Date64, nil, func(b *array.Date64Builder) { b.Append(19723 * 86_400_000) })
	if same.Min != day.Min {
		t.Errorf("date64: got %g, want %g", same.Min, day.Min)
	}
	at := column(t, arrow.FixedWidthTypes.Timestamp_ns, nil, func(b *array.TimestampBuilder) { b.Append(-1) })
	if at.Min != -1 {
		t.Errorf("timestamp: got %g µs, want -1", at.Min)
	}
	yes := column(t, arrow.FixedWidthTypes.Boolean, nil, func(b *array.BooleanBuilder) { b.AppendValues([]bool{true, false, true}, nil) })
	if mean, _ := yes.MeanStd(); yes.Zeros != 1 || mean != 2.0/3 || yes.Top(1)[0].Value != "true" {
		t.Errorf("boolean: got %+v", yes.Summary(1))
	}
	price := column(t, &arrow.Decimal128Type{Precision: 9, Scale: 2}, nil, func(b *array.Decimal128Builder) { b.Append(decimal128.FromI64(1250)) })
	if price.Min != 12.5 {
		t.Errorf("decimal: got %g, want 12.5", price.Min)
	}
	half := column(t, arrow.FixedWidthTypes.Float16, nil, func(b *array.Float16Builder) { b.Append(float16.New(0.5)) })
	if half.Min != 0.5 {
		t.Errorf("float16: got %g, want 0.5", half.Min)
	}
	raw := column(t, arrow.BinaryTypes.Binary, nil, func(b *array.BinaryBuilder) { b.Append([]byte{0, 255}); b.Append([]byte{0, 255}) })
	if raw.Kind != profile.Binary || raw.Distincts() != 1 || raw.Quantile(1) != 2 || raw.Top(1) != nil {
		t.Errorf("binary: got %+v", raw.Summary(1))
	}
	list := column(t, arrow.ListOf(arrow.PrimitiveTypes.Int32), nil, func(b *array.ListBuilder) { b.AppendNull(); b.Append(true) })
	if list.Kind != profile.Opaque || list.Rows != 2 || list.Nulls != 1 {
		t.Errorf("list: got %+v", list.Summary(1))
	}
}

func TestRestrictedColumnsKeepCountsOnly(t *testing.T) {
	o := &profile.Options{Restricted: []string{"x"}}
	secret := column(t, arrow.BinaryTypes.String, o, func(b *array.StringBuilder) { b.Append("secret"); b.AppendNull() })
	data := marshal(t, &profile.Profile{Rows: 2, Columns: []*profile.Column{secret}})
	if secret.Rows != 2 || secret.Nulls != 1 || bytes.Contains(data, []byte("secret")) || secret.Distincts() != 0 || len(data) > 40 {
		t.Errorf("got %+v in %d bytes", secret.Summary(5), len(data))
	}
	open := column(t, arrow.BinaryTypes.String, nil, func(b *array.StringBuilder) { b.Append("secret") })
	for _, pair := range [][2]*profile.Column{{secret, open}, {open, secret}} {
		p, err := profile.Merge(&profile.Profile{Rows: 2, Columns: pair[:1]}, &profile.Profile{Rows: 1, Columns: pair[1:]})
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(marshal(t, p), []byte("secret")) || !p.Column("x").Restricted || p.Column("x").Rows != 3 {
			t.Error("merging shows what is restricted")
		}
	}
	number := column(t, arrow.PrimitiveTypes.Float64, o, func(b *array.Float64Builder) { b.AppendValues([]float64{1, math.NaN()}, nil) })
	if mean, _ := number.MeanStd(); number.NaNs != 1 || number.Max != 0 || !math.IsNaN(mean) {
		t.Errorf("number: got %+v", number.Summary(5))
	}
}

func TestKindsMustNotMix(t *testing.T) {
	number := column(t, arrow.PrimitiveTypes.Float64, nil, func(b *array.Float64Builder) { b.Append(1) })
	text := column(t, arrow.BinaryTypes.String, nil, func(b *array.StringBuilder) { b.Append("1") })
	_, err := profile.Merge(&profile.Profile{Columns: []*profile.Column{number}}, &profile.Profile{Columns: []*profile.Column{text}})
	if !errors.Is(err, profile.ErrKind) {
		t.Errorf("got %v, want ErrKind", err)
	}
}

func TestOnlyTheChosenColumns(t *testing.T) {
	rec := wild(rand.New(rand.NewPCG(1, 1)), 10)
	p := build(t, &profile.Options{Columns: []string{"region", "app"}}, rec)
	if len(p.Columns) != 2 || p.Columns[0].Name != "app" || p.Column("amount") != nil || p.Rows != 10 {
		t.Errorf("got %d columns of %d rows", len(p.Columns), p.Rows)
	}
}

func TestSummariesAreJSON(t *testing.T) {
	for _, rows := range []int{0, 1, 5000} {
		for _, c := range build(t, nil, wild(rand.New(rand.NewPCG(2, 2)), rows)).Columns {
			if _, err := json.Marshal(c.Summary(5)); err != nil {
				t.Errorf("%d rows, %s: %v", rows, c.Name, err)
			}
		}
	}
}
