package gbdt

import (
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"headgate/internal/model"
	"headgate/internal/model/lightgbm"
)

// A column is one of a test's table: doubles, of which NaN is null, or texts, of
// which "" is null.
type column struct {
	name    string
	numbers []float64
	texts   []string
}

// stream is the columns as records of up to 1000 rows.
func stream(columns ...column) iter.Seq2[arrow.Record, error] {
	fields := make([]arrow.Field, len(columns))
	for i, c := range columns {
		fields[i] = arrow.Field{Name: c.name, Type: arrow.PrimitiveTypes.Float64, Nullable: true}
		if c.texts != nil {
			fields[i].Type = arrow.BinaryTypes.String
		}
	}
	schema := arrow.NewSchema(fields, nil)
	rows := max(len(columns[0].numbers), len(columns[0].texts))
	return func(yield func(arrow.Record, error) bool) {
		b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
		defer b.Release()
		for from := 0; from < rows; from += 1000 {
			for i := range columns {
				columns[i].appendTo(b.Field(i), from, min(from+1000, rows))
			}
			rec := b.NewRecord()
			more := yield(rec, nil)
			rec.Release()
			if !more {
				return
			}
		}
	}
}

func (c *column) appendTo(b array.Builder, from, to int) {
	for i := from; i < to; i++ {
		switch {
		case c.texts != nil && c.texts[i] != "":
			b.(*array.StringBuilder).Append(c.texts[i])
		case c.texts == nil && c.numbers[i] == c.numbers[i]:
			b.(*array.Float64Builder).Append(c.numbers[i])
		default:
			b.AppendNull()
		}
	}
}

// mixed is a table with numeric, skewed, coarse, missing and categorical features, of
// which the shop has more categories than a byte can tell apart, a
// weight, and a label for every objective: y is 0 or 1, amount from 0 on, class from
// 0 to 2.
func mixed(rows int, seed uint64) []column {
	draw := rand.New(rand.NewPCG(seed, 0))
	names := []string{"a", "b", "skewed", "coarse", "gaps", "weight", "y", "amount", "class"}
	columns := make([]column, len(names))
	for i, name := range names {
		columns[i] = column{name: name, numbers: make([]float64, rows)}
	}
	city := column{name: "city", texts: make([]string, rows)}
	shop := column{name: "shop", texts: make([]string, rows)}
	for i := range rows {
		a, b := draw.NormFloat64(), draw.NormFloat64()
		town := int(12 * draw.Float64() * draw.Float64())
		gaps, number := draw.NormFloat64(), draw.IntN(400)
		score := a + 0.5*a*b + float64(town%5)/2 - 1 + 0.3*gaps + float64(number%3)/2
		if draw.IntN(4) == 0 {
			score++
			gaps = math.NaN()
		}
		amount := math.Max(0, math.Round(math.Exp(score/2+draw.NormFloat64()/2)))
		values := []float64{a, b, math.Exp(2 * draw.NormFloat64()), math.Round(2 * b), gaps, 0.5 + draw.Float64(),
			oneIf(score+draw.NormFloat64() > 0), amount, math.Min(2, math.Max(0, math.Round(score+1)))}
		for c, v := range values {
			columns[c].numbers[i] = v
		}
		city.texts[i], shop.texts[i] = string(rune('A'+town)), fmt.Sprint("s", number)
	}
	return slices.Concat([]column{city}, columns[:5], []column{shop}, columns[5:])
}

// mixedColumns are the roles of mixed's columns.
func mixedColumns(label, weight string) Columns {
	return Columns{Label: label, Weight: weight, Features: []model.Input{
		{Name: "city", Kind: model.Categorical}, {Name: "a"}, {Name: "b"}, {Name: "skewed"}, {Name: "coarse"}, {Name: "gaps"}, {Name: "shop", Kind: model.Categorical}}}
}

// params are parsed from pairs of name and value.
func params(t *testing.T, pairs ...string) Params {
	t.Helper()
	values := map[string]string{}
	for i := 0; i+1 < len(pairs); i += 2 {
		values[pairs[i]] = pairs[i+1]
	}
	p, err := ParseParams(values)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// load loads or fails.
func load(t *testing.T, records iter.Seq2[arrow.Record, error], c Columns, p Params) *Dataset {
	t.Helper()
	d, err := Load(t.Context(), records, c, p, nil)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// scorer reads a model with the parser that scores.
func scorer(t *testing.T, m *Model) *lightgbm.Model {
	t.Helper()
	categories := map[string][]string{}
	for _, in := range m.Inputs {
		if in.Categories != nil {
			categories[in.Name] = in.Categories
		}
	}
	s, err := lightgbm.Parse(m.Text, model.Options{Categories: categories})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// rawScores are a model's raw scores, row by row.
func rawScores(t *testing.T, m *Model, records iter.Seq2[arrow.Record, error]) []float64 {
	t.Helper()
	s := scorer(t, m)
	var all []float64
	var scores model.Scores
	for rec, err := range records {
		if err == nil {
			err = s.Score(&scores, rec)
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, scores.Raw...)
	}
	return all
}
