package report_test

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"headgate/internal/profile"
	"headgate/internal/report"
)

// profiled is the profile of a column of doubles, whole numbers, texts and booleans.
func profiled(t *testing.T, shift int, o *profile.Options) *profile.Profile {
	t.Helper()
	pool := memory.NewGoAllocator()
	b := array.NewRecordBuilder(pool, arrow.NewSchema([]arrow.Field{
		{Name: "amount", Type: arrow.PrimitiveTypes.Float64, Nullable: true}, {Name: "orders", Type: arrow.PrimitiveTypes.Int64},
		{Name: "region", Type: arrow.BinaryTypes.String}, {Name: "app", Type: arrow.FixedWidthTypes.Boolean}}, nil))
	defer b.Release()
	for i := range 1000 {
		if i%10 == 0 {
			b.Field(0).AppendNull()
		} else {
			b.Field(0).(*array.Float64Builder).Append(7123.25 + float64(i+shift))
		}
		b.Field(1).(*array.Int64Builder).Append(int64(i % 5))
		b.Field(2).(*array.StringBuilder).Append("region-" + string(rune('a'+(i*i+shift)%20)))
		b.Field(3).(*array.BooleanBuilder).Append(i%4 == 0)
	}
	rec := b.NewRecord()
	defer rec.Release()
	builder := profile.NewBuilder(o)
	if err := builder.Add(rec); err != nil {
		t.Fatal(err)
	}
	return builder.Profile()
}

func TestHistogramsHaveSharesOfTheRowsWithAValue(t *testing.T) {
	cur, ref := profiled(t, 100, nil), profiled(t, 0, nil)
	for _, name := range []string{"amount", "orders", "region", "app"} {
		h := report.HistogramOf(cur.Column(name), ref.Column(name), nil)
		if h == nil {
			t.Fatalf("%s: no histogram", name)
		}
		for side, shares := range map[string][]float64{"current": h.Current, "reference": h.Reference} {
			sum := 0.0
			for _, s := range shares {
				sum += s
			}
			if math.Abs(sum-1) > 1e-9 {
				t.Errorf("%s: shares of the %s side add up to %g", name, side, sum)
			}
		}
	}
	if h := report.HistogramOf(cur.Column("orders"), ref.Column("orders"), nil); !slices.Equal(h.Edges, []float64{-0.5, 0.5, 1.5, 2.5, 3.5, 4.5}) || math.Abs(h.Current[2]-0.2) > 1e-9 {
		t.Errorf("few whole numbers: edges %v, shares %v; want a bin of 0.2 for each", h.Edges, h.Current)
	}
	if h := report.HistogramOf(cur.Column("region"), ref.Column("region"), nil); h.Values[len(h.Values)-1] != "all others" && len(h.Values) > 8 {
		t.Errorf("many categories: %v; want the most frequent and all others", h.Values)
	}
	if h := report.HistogramOf(cur.Column("app"), nil, nil); !slices.Equal(h.Current, []float64{0.25, 0.75}) || h.Reference != nil {
		t.Errorf("booleans: %+v", h)
	}
}

func TestHistogramsShowNoClassifiedValue(t *testing.T) {
	all := []string{"amount", "orders", "region", "app"}
	for _, test := range []struct {
		name     string
		cur, ref *profile.Options
	}{
		{"both sides confidential", &profile.Options{Confidential: all}, &profile.Options{Confidential: all}},
		{"the reference alone confidential", nil, &profile.Options{Confidential: all}},
		{"both sides restricted", &profile.Options{Restricted: all}, &profile.Options{Restricted: all}},
	} {
		t.Run(test.name, func(t *testing.T) {
			cur, ref := profiled(t, 100, test.cur), profiled(t, 0, test.ref)
			for _, name := range all {
				h := report.HistogramOf(cur.Column(name), ref.Column(name), nil)
				if h == nil {
					continue
				}
				if len(h.Edges) > 0 || len(h.Values) > 0 {
					t.Errorf("%s: edges %v, values %v; want shares alone", name, h.Edges, h.Values)
				}
				text, err := json.Marshal(h)
				if err != nil {
					t.Fatal(err)
				}
				if strings.Contains(string(text), "region-") || strings.Contains(string(text), "71") && strings.Contains(string(text), "712") {
					t.Errorf("%s: %s", name, text)
				}
			}
			if test.cur != nil && len(test.cur.Restricted) > 0 && report.HistogramOf(cur.Column("amount"), ref.Column("amount"), nil) != nil {
				t.Error("a restricted column has a histogram")
			}
		})
	}
}

func TestHistogramsOfNothing(t *testing.T) {
	empty := &profile.Column{Name: "x", Kind: profile.Number}
	if h := report.HistogramOf(empty, empty, nil); h != nil {
		t.Errorf("no values: %+v", h)
	}
	if h := report.HistogramOf(nil, empty, nil); h != nil {
		t.Errorf("no column: %+v", h)
	}
	if h := report.ScoreHistogramOf(nil, nil, nil); h != nil {
		t.Errorf("no column: %+v", h)
	}
}
