package profile_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/zeebo/xxh3"

	"headgate/internal/profile"
	"headgate/internal/sketch"
)

// canary is a value that must not be found.
const canary = "canary-17-robin"

const canaryNumber = 73_912_345.678901

// planted returns a record with canaries in each column but the first.
func planted() arrow.Record {
	return table(20, []arrow.Field{
		{Name: "region", Type: arrow.BinaryTypes.String}, {Name: "name", Type: arrow.BinaryTypes.String},
		{Name: "account", Type: arrow.PrimitiveTypes.Int64}, {Name: "income", Type: arrow.PrimitiveTypes.Float64},
		{Name: "token", Type: arrow.BinaryTypes.Binary},
	}, func(row int, b *array.RecordBuilder) {
		b.Field(0).(*array.StringBuilder).Append(fmt.Sprint("R", row)) // each slice has one row
		b.Field(1).(*array.StringBuilder).Append(canary)
		b.Field(2).(*array.Int64Builder).Append(math.MaxInt64 - 5)
		b.Field(3).(*array.Float64Builder).Append(canaryNumber)
		b.Field(4).(*array.BinaryBuilder).Append([]byte(canary))
	})
}

// traces are the forms in which the canaries could be found.
func traces() map[string][]byte {
	word := func(x uint64) []byte { return binary.LittleEndian.AppendUint64(nil, x) }
	var sum sketch.Moments
	sum.Add(canaryNumber)
	one, err := sum.Sum.MarshalBinary()
	if err != nil {
		panic(err)
	}
	return map[string][]byte{
		"text":           []byte(canary[:4]),
		"hash of text":   word(xxh3.HashString(canary)),
		"number":         word(math.Float64bits(canaryNumber)),
		"hash of number": word(sketch.Mix(math.Float64bits(canaryNumber))),
		"sum of one":     one,
		"digits":         []byte(fmt.Sprint(math.MaxInt64 - 5)[:6]),
		"hash of digits": word(xxh3.HashString(fmt.Sprint(math.MaxInt64 - 5))),
	}
}

// leaks returns which traces of the canaries the profile holds, in its bytes or
// its summaries.
func leaks(t *testing.T, p *profile.Profile) []string {
	t.Helper()
	data := marshal(t, p)
	for _, c := range p.Columns {
		text, err := json.Marshal(c.Summary(10))
		if err != nil {
			t.Fatal(err)
		}
		data = append(data, text...)
	}
	var found []string
	for name, trace := range traces() {
		if bytes.Contains(data, trace) {
			found = append(found, name)
		}
	}
	return found
}

func TestClassifiedValuesLeaveNoTrace(t *testing.T) {
	names := []string{"name", "account", "income", "token"}
	slices := []string{"region", "name", "account"}
	scores := []string{"income"}
	if got := leaks(t, build(t, &profile.Options{Slices: slices}, planted())); len(got) < len(traces()) {
		t.Errorf("of open columns only %q is found: the test does not look in the right places", got)
	}
	open := build(t, &profile.Options{Slices: slices, Scores: scores}, planted())
	for label, o := range map[string]*profile.Options{
		"confidential": {Slices: slices, Scores: scores, Confidential: names},
		"restricted":   {Slices: slices, Scores: scores, Restricted: names},
		"both":         {Slices: slices, Scores: scores, Restricted: names, Confidential: names},
	} {
		t.Run(label, func(t *testing.T) {
			closed := build(t, o, planted())
			for _, pair := range [][2]*profile.Profile{{closed, {}}, {closed, open}, {open, closed}, {closed, closed}} {
				p, err := profile.Merge(pair[0], pair[1])
				if err != nil {
					t.Fatal(err)
				}
				if got := leaks(t, p); len(got) > 0 {
					t.Errorf("found %q", got)
				}
				if len(p.Slices) != 1 || p.SliceColumn("region") == nil {
					t.Errorf("got %d slice columns, want region alone", len(p.Slices))
				}
				for _, v := range p.Slices[0].Slices {
					if mean, _ := v.Cell("income").MeanStd(); !math.IsNaN(mean) || v.Cell("income").Quantiles != nil {
						t.Errorf("slice %s shows an income of %g", v.Value, mean)
					}
				}
			}
		})
	}
}

func TestConfidentialColumnsKeepBins(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	values := make([]float64, 5000)
	for i := range values {
		values[i] = 100 + 20*rng.NormFloat64()
	}
	fill := func(b *array.Float64Builder) { b.AppendValues(values, nil); b.AppendNull() }
	open := column(t, arrow.PrimitiveTypes.Float64, nil, fill)
	c := column(t, arrow.PrimitiveTypes.Float64, &profile.Options{Confidential: []string{"x"}}, fill)
	wantMean, wantStd := open.MeanStd()
	mean, std := c.MeanStd()
	if math.Abs(mean-wantMean) > wantMean/257 || math.Abs(std-wantStd) > 2*wantMean/257 || mean == wantMean {
		t.Errorf("got mean %g and std %g, want near %g and %g", mean, std, wantMean, wantStd)
	}
	for _, p := range []float64{0, 0.01, 0.5, 1} {
		if got, want := c.Quantile(p), open.Quantile(p); math.Abs(got-want) > want/128 {
			t.Errorf("quantile %g: got %g, want %g", p, got, want)
		}
	}
	if got := c.Distincts(); math.Abs(got-5000) > 4*0.0081*5000 || c.Exact() {
		t.Errorf("got %g distinct values, exact %v", got, c.Exact())
	}
	s := c.Summary(5)
	if s.Min != nil || s.Max != nil || s.Top != nil || s.Exact || !s.Confidential || s.Mean == nil || s.Median == nil || s.Nulls != 1 {
		t.Errorf("got summary %+v", s)
	}
}

func TestConfidentialSmallIntegersHaveTheirMean(t *testing.T) {
	c := column(t, arrow.PrimitiveTypes.Int32, &profile.Options{Confidential: []string{"x"}}, func(b *array.Int32Builder) {
		b.AppendValues([]int32{-40, 0, 17, 103, 255}, nil)
	})
	if mean, std := c.MeanStd(); math.Abs(mean-67) > 1e-12 || math.Abs(std-math.Sqrt(11_015.6)) > 1e-9 {
		t.Errorf("got mean %g and std %g, want 67 and %g", mean, std, math.Sqrt(11_015.6))
	}
	if low, high := c.Quantile(0), c.Quantile(1); low != -40 || math.Abs(high-255) > 1 {
		t.Errorf("got %g to %g, want -40 to 255", low, high)
	}
}

func TestConfidentialTextsShowLengthsOnly(t *testing.T) {
	o := &profile.Options{Confidential: []string{"x"}}
	c := column(t, arrow.BinaryTypes.String, o, func(b *array.StringBuilder) { b.AppendValues([]string{canary, canary, ""}, nil) })
	if mean, _ := c.MeanStd(); mean != 10 || c.Zeros != 1 || c.Quantile(1) != 15 || c.Distincts() != 2 || c.MaxText != "" || c.Top(3) != nil {
		t.Errorf("got %+v", c.Summary(3))
	}
}
