package main

import (
	"fmt"
	"math"
	"os"
	"path/filepath"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"headgate/internal/columnar"
)

// writeJudged writes judged.parquet, whose rows have scores of two models and what
// happened, and challenger.parquet, which has other rows too.
func writeJudged(dir string) error {
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "id", Type: arrow.PrimitiveTypes.Int64},
		{Name: "customer", Type: arrow.PrimitiveTypes.Int32},
		{Name: "region", Type: arrow.BinaryTypes.String, Nullable: true},
		{Name: "pred_0", Type: arrow.PrimitiveTypes.Float64},
		{Name: "new", Type: arrow.PrimitiveTypes.Float64},
		{Name: "bought", Type: arrow.FixedWidthTypes.Boolean, Nullable: true},
		{Name: "spent", Type: arrow.PrimitiveTypes.Float64},
		{Name: "treated", Type: arrow.FixedWidthTypes.Boolean},
		{Name: "propensity", Type: arrow.PrimitiveTypes.Float64},
	}, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	for i := range 400 {
		p := even(i, 0.6180339887498949)
		b.Field(0).(*array.Int64Builder).Append(int64(i))
		b.Field(1).(*array.Int32Builder).Append(int32(i / 4))
		if i%9 == 0 {
			b.Field(2).AppendNull()
		} else {
			b.Field(2).(*array.StringBuilder).Append([]string{"north", "south"}[i%2])
		}
		b.Field(3).(*array.Float64Builder).Append(p)
		b.Field(4).(*array.Float64Builder).Append(min(max(p+even(i, 0.5698402909980532)/4-0.1, 0), 1))
		if i%50 == 0 {
			b.Field(5).AppendNull()
		} else {
			b.Field(5).(*array.BooleanBuilder).Append(even(i, 0.7548776662466927) < p)
		}
		b.Field(6).(*array.Float64Builder).Append(10 * even(i, 0.7548776662466927) * p)
		b.Field(7).(*array.BooleanBuilder).Append(i%5 == 0)
		b.Field(8).(*array.Float64Builder).Append(0.2)
	}
	judged := b.NewRecord()
	other := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema(schema.Fields()[:1], nil))
	for i := range 401 {
		other.Field(0).(*array.Int64Builder).Append(int64(max(i, 2)))
	}
	keys := other.NewRecord()
	scores := make([]float64, 401)
	for i := range scores {
		scores[i] = min(max(even(max(i, 2), 0.6180339887498949)+even(i, 0.5698402909980532)/4-0.1, 0), 1)
	}
	challenger := array.NewRecord(arrow.NewSchema([]arrow.Field{schema.Field(0), schema.Field(3)}, nil),
		[]arrow.Array{keys.Column(0), columnar.Float64s(scores)}, 401)
	for name, rec := range map[string]arrow.Record{"judged.parquet": judged, "challenger.parquet": challenger} {
		if err := writeRecord(filepath.Join(dir, name), rec); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// even is a number in [0, 1) that is spread evenly over i.
func even(i int, step float64) float64 { return math.Mod(float64(i)*step, 1) }

func writeRecord(name string, rec arrow.Record) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer f.Close()
	w, err := columnar.Create(f, rec.Schema(), nil)
	if err != nil {
		return err
	}
	if err := w.Write(rec); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	return f.Close()
}
