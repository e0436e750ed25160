package pass

import (
	"fmt"
	"slices"
	"strings"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"headgate/internal/columnar"
	"headgate/internal/model"
)

// Columns that Headgate adds to quarantined rows and to score files.
const (
	ColumnRules = "headgate_rules" // ids of the broken rules, separated by spaces
	ColumnFile  = "headgate_file"  // key of the input file
	ColumnRow   = "headgate_row"   // ordinal of the row in its input file, from 0
)

// numbers are the columns that a pass makes for each record, in memory that is used
// again for the next one.
type numbers struct {
	rows    []int64
	outputs [][]float64 // raw_0, pred_0, raw_1, …
}

// scoreRecord returns the rows of a score file: entity key, kept columns, the row's
// ordinal, and raw_i and pred_i for each output of the model. It is valid until the
// next call.
func (p *pass) scoreRecord(rec arrow.Record) arrow.Record {
	fields, cols := pick(rec, TableColumns(p.in.Contract, p.in.Keep))
	n := int(rec.NumRows())
	fields = append(fields, arrow.Field{Name: ColumnRow, Type: arrow.PrimitiveTypes.Int64})
	cols = append(cols, columnar.Int64s(p.ordinals(n)))
	p.numbers.read(&p.scores)
	for o := range p.scores.Outputs {
		fields = append(fields, floatField(fmt.Sprintf("raw_%d", o)), floatField(fmt.Sprintf("pred_%d", o)))
		cols = append(cols, columnar.Float64s(p.numbers.outputs[2*o]), columnar.Float64s(p.numbers.outputs[2*o+1]))
	}
	return array.NewRecord(arrow.NewSchema(fields, nil), cols, int64(n))
}

// read takes the scores of a record apart, by output.
func (n *numbers) read(s *model.Scores) {
	k := s.Outputs
	if n.outputs == nil {
		n.outputs = make([][]float64, 2*k)
	}
	for o := range k {
		raw, pred := &n.outputs[2*o], &n.outputs[2*o+1]
		*raw, *pred = strided(*raw, s.Raw, o, k), strided(*pred, s.Pred, o, k)
	}
}

// ordinals returns the ordinals of the next n rows within the input file. They are
// valid until the next record.
func (p *pass) ordinals(n int) []int64 {
	p.numbers.rows = p.numbers.rows[:0]
	for i := range n {
		p.numbers.rows = append(p.numbers.rows, p.in.Shard.FirstRow+p.row+int64(i))
	}
	return p.numbers.rows
}

// ScoreName names output o of a model with k outputs in profiles: headgate_score, or
// headgate_score_0, headgate_score_1, …
func ScoreName(o, k int) string {
	if k == 1 {
		return "headgate_score"
	}
	return fmt.Sprintf("headgate_score_%d", o)
}

// withScores returns the record with the transformed score of each output beside its
// columns. outputs are raw_0, pred_0, raw_1, …
func withScores(rec arrow.Record, outputs [][]float64) arrow.Record {
	fields, cols := slices.Clone(rec.Schema().Fields()), slices.Clone(rec.Columns())
	k := len(outputs) / 2
	for o := range k {
		fields = append(fields, floatField(ScoreName(o, k)))
		cols = append(cols, columnar.Float64s(outputs[2*o+1]))
	}
	return array.NewRecord(arrow.NewSchema(fields, nil), cols, rec.NumRows())
}

func floatField(name string) arrow.Field {
	return arrow.Field{Name: name, Type: arrow.PrimitiveTypes.Float64}
}

// strided copies output o of a row-major matrix with k columns over dst.
func strided(dst, values []float64, o, k int) []float64 {
	dst = dst[:0]
	for i := o; i < len(values); i += k {
		dst = append(dst, values[i])
	}
	return dst
}

// badRecord returns the rows as quarantine shows them: rules, file, row, and the
// contract's columns. Columns that are restricted and no key are left out. It comes
// after scoreRecord, whose ordinals it shows.
func (p *pass) badRecord(rec arrow.Record, marks rowMarks) (arrow.Record, error) {
	n := int(rec.NumRows())
	rules := array.NewStringBuilder(memory.DefaultAllocator)
	defer rules.Release()
	for i := range n {
		if marks.Bad(i) {
			rules.Append(strings.Join(marks.Rules(i), " "))
		} else {
			rules.AppendEmptyValue() // never written
		}
	}
	fields := []arrow.Field{
		{Name: ColumnRules, Type: arrow.BinaryTypes.String},
		{Name: ColumnFile, Type: columnar.DictionaryType},
		{Name: ColumnRow, Type: arrow.PrimitiveTypes.Int64},
	}
	cols := []arrow.Array{rules.NewArray(), columnar.Repeat(p.in.Name, n), columnar.Int64s(p.numbers.rows)}
	entity := p.in.Contract.Entity()
	var shown []string
	for _, c := range p.in.Contract.Columns {
		if len(rec.Schema().FieldIndices(c.Name)) > 0 && (c.Classification != "restricted" || slices.Contains(entity, c.Name)) {
			shown = append(shown, c.Name)
		}
	}
	f, c := pick(rec, shown)
	return array.NewRecord(arrow.NewSchema(append(fields, f...), nil), append(cols, c...), int64(n)), nil
}
