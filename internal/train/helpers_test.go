package train_test

import (
	"iter"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"headgate/internal/model"
	"headgate/internal/model/lightgbm"
	"headgate/internal/train"
)

// nan stands for null in a table, and inf is what no model can learn.
var nan, inf = math.NaN(), math.Inf(1)

var formats = model.Formats{"lightgbm": lightgbm.Format}

// A table is columns by name, in the order of names: of float64 (NaN is null), string
// ("" is null), int64 or time.Time, which is a date.
type table struct {
	names   []string
	columns map[string]any
}

func newTable(pairs ...any) *table {
	t := &table{columns: map[string]any{}}
	for i := 0; i < len(pairs); i += 2 {
		t.set(pairs[i].(string), pairs[i+1])
	}
	return t
}

// set adds or replaces a column.
func (t *table) set(name string, values any) *table {
	if _, there := t.columns[name]; !there {
		t.names = append(t.names, name)
	}
	t.columns[name] = values
	return t
}

func (t *table) schema() *arrow.Schema {
	var fields []arrow.Field
	for _, name := range t.names {
		f := arrow.Field{Name: name, Nullable: true}
		switch t.columns[name].(type) {
		case []float64:
			f.Type = arrow.PrimitiveTypes.Float64
		case []int64:
			f.Type = arrow.PrimitiveTypes.Int64
		case []string:
			f.Type = arrow.BinaryTypes.String
		case []time.Time:
			f.Type = arrow.FixedWidthTypes.Date32
		}
		fields = append(fields, f)
	}
	return arrow.NewSchema(fields, nil)
}

func (t *table) rows() int {
	switch c := t.columns[t.names[0]].(type) {
	case []float64:
		return len(c)
	case []int64:
		return len(c)
	case []string:
		return len(c)
	case []time.Time:
		return len(c)
	}
	return 0
}

// stream is the table as records of up to 1000 rows.
func (t *table) stream() iter.Seq2[arrow.Record, error] {
	return func(yield func(arrow.Record, error) bool) {
		b := array.NewRecordBuilder(memory.DefaultAllocator, t.schema())
		defer b.Release()
		for from := 0; from < t.rows(); from += 1000 {
			for i, name := range t.names {
				appendTo(b.Field(i), t.columns[name], from, min(from+1000, t.rows()))
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

func appendTo(b array.Builder, column any, from, to int) {
	for i := from; i < to; i++ {
		switch c := column.(type) {
		case []float64:
			if c[i] == c[i] {
				b.(*array.Float64Builder).Append(c[i])
				continue
			}
		case []int64:
			b.(*array.Int64Builder).Append(c[i])
			continue
		case []string:
			if c[i] != "" {
				b.(*array.StringBuilder).Append(c[i])
				continue
			}
		case []time.Time:
			if !c[i].IsZero() {
				b.(*array.Date32Builder).Append(arrow.Date32FromTime(c[i]))
				continue
			}
		}
		b.AppendNull()
	}
}

// day is a day of 2024, counted from its first.
func day(n int) time.Time { return time.Date(2024, 1, 1+n, 0, 0, 0, 0, time.UTC) }

// shop is a table of rows whose label y follows from age and city, as far as noise lets
// it: half of it is 1. id names 1 of 200 customers, on is a day in January 2024, noise is
// of no use, and amount is a number that follows from the same.
func shop(rows int, seed uint64) *table {
	draw := rand.New(rand.NewPCG(seed, 0))
	age, noise, y, amount := make([]float64, rows), make([]float64, rows), make([]float64, rows), make([]float64, rows)
	city, id, on := make([]string, rows), make([]int64, rows), make([]time.Time, rows)
	for i := range rows {
		town := draw.IntN(5)
		age[i], noise[i] = draw.NormFloat64(), draw.NormFloat64()
		score := age[i] + float64(town)/2 - 1
		if score+draw.NormFloat64() > 0 {
			y[i] = 1
		}
		amount[i] = score + draw.NormFloat64()/2
		if draw.IntN(10) == 0 {
			noise[i] = math.NaN()
		}
		city[i], id[i], on[i] = string(rune('A'+town)), int64(draw.IntN(200)), day(draw.IntN(31))
	}
	return newTable("id", id, "on", on, "age", age, "city", city, "noise", noise, "y", y, "amount", amount)
}

// shopManifest is the manifest of a training on a shop.
func shopManifest() train.Manifest {
	return train.Manifest{Format: train.ManifestFormat, Seed: 1, Label: "y", EventTime: "on", Entity: []string{"id"},
		Parameters: map[string]string{"num_iterations": "20", "min_data_in_leaf": "50"},
		Features:   []train.Feature{{Name: "age", Kind: "numeric"}, {Name: "city", Kind: "categorical"}, {Name: "noise", Kind: "numeric"}}}
}

// shopJob is a training on a shop.
func shopJob() train.Job {
	return train.Job{Manifest: shopManifest(), Train: shop(4000, 1).stream(), Valid: shop(2000, 2).stream(), Formats: formats}
}

// done trains, or fails.
func done(t *testing.T, trainer train.Trainer, j train.Job) *train.Result {
	t.Helper()
	r, err := trainer.Train(t.Context(), j)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// integers are the values of a column of integers.
func integers(rec arrow.Record, name string) []int64 {
	return rec.Column(rec.Schema().FieldIndices(name)[0]).(*array.Int64).Int64Values()
}
