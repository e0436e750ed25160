package learn

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"headgate/internal/columnar"
	"headgate/internal/labels"
	"headgate/internal/pass"
	"headgate/internal/run"
	"headgate/internal/train"
)

// fileRows is how many rows a file of a set has at most, but for one record.
const fileRows = 250_000

// A Join writes the scored rows of a batch with their labels. Rows come in by
// [Join.Add], shard by shard; files go out by Emit as they fill up. It holds one file,
// compressed, and one record.
type Join struct {
	Entity  []string // columns of the entity key
	Columns []string // to keep, in their order; without the label
	Label   string   // name of the column that gets the outcome
	Weight  string   // column that says how much a row counts, or ""
	// Weighted says that the files have [ColumnWeight].
	Weighted bool

	// Lookup returns what is known of an entity.
	Lookup func(key pass.Key) labels.Label
	// Mine says whether this pass is about an entity. Several passes share the labels of
	// a batch that are too many for one; nil means that there is one.
	Mine func(key pass.Key) bool
	// Emit takes a finished file.
	Emit func(data []byte, rows int64) error

	Counts Counts

	buf  bytes.Buffer
	out  *columnar.Writer
	rows int64 // in the file
}

// A Source is a shard of a batch.
type Source struct {
	File  *columnar.File
	Shard run.Shard
	// Scored are the ordinals, in the input file, of the rows that were published,
	// ascending.
	Scored []int64
}

// Add takes the rows of a shard. First counts rows without a key, which no pass is
// about.
func (j *Join) Add(ctx context.Context, s Source, first bool) error {
	columns := slices.Clone(j.Columns)
	for _, name := range append(slices.Clone(j.Entity), j.Weight) {
		if name != "" && !slices.Contains(columns, name) {
			columns = append(columns, name)
		}
	}
	at, scored := s.Shard.FirstRow, s.Scored
	options := columnar.ReadOptions{Columns: columns, FirstGroup: s.Shard.FirstGroup, Groups: s.Shard.Groups}
	for rec, err := range s.File.Records(ctx, options) {
		if err != nil {
			return err
		}
		keep := make([]bool, rec.NumRows())
		for i := range keep {
			if len(scored) > 0 && scored[0] == at+int64(i) {
				keep[i], scored = true, scored[1:]
			}
		}
		at += rec.NumRows()
		if err := j.record(rec, keep, first); err != nil {
			return err
		}
	}
	if len(scored) > 0 {
		return fmt.Errorf("learn: %d rows of the shard at row %d were scored, and the file does not have them", len(scored), s.Shard.FirstRow)
	}
	return j.flush() // the next file may have other types
}

// record joins the rows of a record.
func (j *Join) record(rec arrow.Record, keep []bool, first bool) error {
	joined, err := j.attach(rec, keep, first)
	if err != nil || joined == nil {
		return err
	}
	defer joined.Release()
	return j.write(joined)
}

// Rows yields rows with their labels: those whose outcome is known. Nothing is written.
func (j *Join) Rows(rows train.Rows) train.Rows {
	return func(yield func(arrow.Record, error) bool) {
		for rec, err := range rows {
			var joined arrow.Record
			if err == nil {
				joined, err = j.attach(rec, slices.Repeat([]bool{true}, int(rec.NumRows())), true)
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if joined == nil {
				continue
			}
			more := yield(joined, nil)
			joined.Release()
			if !more {
				return
			}
		}
	}
}

// attach returns the rows of a record that are kept and have an outcome, with it beside
// them, or nil if there are none.
func (j *Join) attach(rec arrow.Record, keep []bool, first bool) (arrow.Record, error) {
	keys, err := pass.Keys(rec, j.Entity)
	if err != nil {
		return nil, err
	}
	own, err := weights(rec, j.Weight)
	if err != nil {
		return nil, err
	}
	var outcome, weight []float64
	for i := range keep {
		if !keep[i] {
			continue
		}
		key, ok := keys(i)
		switch {
		case !ok:
			keep[i] = false
			if first {
				j.Counts.Scored++
				j.Counts.Keyless++
			}
			continue
		case j.Mine != nil && !j.Mine(key):
			keep[i] = false
			continue
		}
		l := j.Lookup(key)
		if keep[i] = j.counts(l); keep[i] {
			outcome = append(outcome, l.Value)
			weight = append(weight, float64(own(i)*l.Weight)/(1-l.Propensity))
		}
	}
	if len(outcome) == 0 {
		return nil, nil
	}
	kept, err := columnar.Take(rec, keep)
	if err != nil {
		return nil, err
	}
	defer kept.Release()
	return j.beside(kept, outcome, weight), nil
}

// counts counts a row with a label, and reports whether it is learned from. An untreated
// row that was sure to be treated stands for infinitely many.
func (j *Join) counts(l labels.Label) bool {
	j.Counts.Scored++
	switch {
	case l.Treated:
		j.Counts.Treated++
	case math.IsNaN(l.Value) || l.Propensity >= 1:
		j.Counts.Unknown++
	default:
		j.Counts.Rows++
		return true
	}
	return false
}

// beside returns a record with the columns to keep, outcomes and weights.
func (j *Join) beside(rec arrow.Record, outcome, weight []float64) arrow.Record {
	var fields []arrow.Field
	var cols []arrow.Array
	for _, name := range j.Columns {
		at := rec.Schema().FieldIndices(name)[0]
		f := rec.Schema().Field(at)
		fields = append(fields, arrow.Field{Name: name, Type: f.Type, Nullable: true})
		cols = append(cols, rec.Column(at))
	}
	fields = append(fields, arrow.Field{Name: j.Label, Type: arrow.PrimitiveTypes.Float64})
	cols = append(cols, columnar.Float64s(outcome))
	if j.Weighted {
		fields = append(fields, arrow.Field{Name: ColumnWeight, Type: arrow.PrimitiveTypes.Float64})
		cols = append(cols, columnar.Float64s(weight))
	}
	return array.NewRecord(arrow.NewSchema(fields, nil), cols, int64(len(outcome)))
}

// write appends rows to the file.
func (j *Join) write(joined arrow.Record) error {
	if j.out == nil {
		var err error
		if j.out, err = columnar.Create(&j.buf, joined.Schema(), nil); err != nil {
			return err
		}
	}
	if err := j.out.Write(joined); err != nil {
		return err
	}
	if j.rows += joined.NumRows(); j.rows >= fileRows {
		return j.flush()
	}
	return nil
}

// flush ends the file, if one is open.
func (j *Join) flush() error {
	if j.out == nil {
		return nil
	}
	if err := j.out.Close(); err != nil {
		return err
	}
	err := j.Emit(bytes.Clone(j.buf.Bytes()), j.rows)
	j.buf.Reset()
	j.out, j.rows = nil, 0
	return err
}

// weights returns the reader of a column of weights; without a column they are 1.
func weights(rec arrow.Record, name string) (func(row int) float64, error) {
	if name == "" {
		return func(int) float64 { return 1 }, nil
	}
	values, err := train.Numbers(rec, name)
	if err != nil {
		return nil, err
	}
	return func(row int) float64 { return values[row] }, nil
}
