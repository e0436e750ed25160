package model

import (
	"slices"
	"strconv"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// Scores are the predictions for some rows, row-major: output k of row i is at
// i × Outputs + k.
type Scores struct {
	Outputs int
	Raw     []float64 // before the objective's transformation: margins, log-odds
	Pred    []float64 // after it: probabilities, counts, amounts
}

// Resize makes room for rows × outputs values and keeps none. It allocates only
// when the scores have never been that large.
func (s *Scores) Resize(rows, outputs int) {
	n := rows * outputs
	s.Outputs = outputs
	s.Raw = slices.Grow(s.Raw[:0], n)[:n]
	s.Pred = slices.Grow(s.Pred[:0], n)[:n]
}

// Rows is the number of rows scored.
func (s *Scores) Rows() int {
	if s.Outputs == 0 {
		return 0
	}
	return len(s.Raw) / s.Outputs
}

// Schema returns the columns of [Scores.Record]: raw_0 …, then pred_0 …, doubles
// without nulls.
func Schema(outputs int) *arrow.Schema {
	fields := make([]arrow.Field, 0, 2*outputs)
	for _, prefix := range []string{"raw_", "pred_"} {
		for k := range outputs {
			fields = append(fields, arrow.Field{Name: prefix + strconv.Itoa(k), Type: arrow.PrimitiveTypes.Float64})
		}
	}
	return arrow.NewSchema(fields, nil)
}

// Record returns a copy of the scores as Arrow columns; see [Schema].
func (s *Scores) Record() arrow.Record {
	rows := s.Rows()
	columns := make([]arrow.Array, 0, 2*s.Outputs)
	for _, values := range [][]float64{s.Raw, s.Pred} {
		for k := range s.Outputs {
			b := array.NewFloat64Builder(memory.DefaultAllocator)
			b.Reserve(rows)
			for i := range rows {
				b.UnsafeAppend(values[i*s.Outputs+k])
			}
			columns = append(columns, b.NewArray())
			b.Release()
		}
	}
	return array.NewRecord(Schema(s.Outputs), columns, int64(rows))
}
