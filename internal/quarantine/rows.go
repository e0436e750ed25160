package quarantine

import (
	"bytes"
	"context"
	"iter"
	"slices"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"headgate/internal/columnar"
	"headgate/internal/pass"
	"headgate/internal/run"
)

// ColumnReplaced says of a row that its corrected row is scored.
const ColumnReplaced = "headgate_replaced"

// ours are the columns that come before those of the contract.
var ours = []arrow.Field{
	{Name: pass.ColumnRules, Type: arrow.BinaryTypes.String},
	{Name: pass.ColumnFile, Type: arrow.BinaryTypes.String},
	{Name: pass.ColumnRow, Type: arrow.PrimitiveTypes.Int64},
	{Name: ColumnReplaced, Type: arrow.FixedWidthTypes.Boolean},
}

// Schema returns the columns of [Quarantine.Records]: the ids of the broken rules, file,
// row in the file and whether a corrected row has taken the place, and then those of the
// contract. Columns that are restricted and no key are in no quarantine.
func (q *Quarantine) Schema(ctx context.Context) (*arrow.Schema, error) {
	have := map[string]arrow.DataType{}
	add := func(s *arrow.Schema) {
		for _, f := range s.Fields() {
			if have[f.Name] == nil {
				have[f.Name] = f.Type
			}
		}
	}
	for i, r := range q.results {
		if r.Quarantine != nil {
			s, err := q.schemaOf(ctx, r.Quarantine.Key)
			if err != nil {
				return nil, err
			}
			add(s)
		}
		if file := q.Plan.Shards[i].File; q.lateIn(i) && !q.gone[file] {
			f, err := q.open(ctx, q.Plan.Files[file])
			if err != nil {
				return nil, err
			}
			add(f.Schema())
			f.close()
		}
	}
	fields := slices.Clone(ours)
	for _, name := range q.shown() {
		if t := have[name]; t != nil {
			fields = append(fields, arrow.Field{Name: name, Type: t, Nullable: true})
		}
	}
	return arrow.NewSchema(fields, nil), nil
}

// shown lists the columns whose values a quarantine has.
func (q *Quarantine) shown() []string {
	var names []string
	entity := q.Contract.Entity()
	for _, c := range q.Contract.Columns {
		if !c.Restricted() || slices.Contains(entity, c.Name) {
			names = append(names, c.Name)
		}
	}
	return names
}

// schemaOf reads the footer of a file in the store.
func (q *Quarantine) schemaOf(ctx context.Context, key string) (*arrow.Schema, error) {
	r, err := q.bucket.Reader(ctx, key)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	f, err := columnar.Open(r, r.Size(), &columnar.OpenOptions{Name: key, Remote: !r.Local()})
	if err != nil {
		return nil, err
	}
	return f.Schema(), nil
}

func (q *Quarantine) lateIn(shard int) bool {
	return slices.ContainsFunc(q.Data.Late, func(l run.Late) bool { return l.Shard == shard })
}

// Records yields the rows in quarantine, shard by shard: first those that break a rule
// by themselves, then those that only the whole batch showed to be bad, whose values
// are read from the delivery. Their columns are those of schema, which is
// [Quarantine.Schema] or a part of it. A record is valid until the next iteration.
func (q *Quarantine) Records(ctx context.Context, schema *arrow.Schema) iter.Seq2[arrow.Record, error] {
	return func(yield func(arrow.Record, error) bool) {
		for shard := range q.results {
			for rec, err := range q.shard(ctx, shard) {
				if err == nil {
					rec, err = fit(rec, schema)
				}
				if !yield(rec, err) || err != nil {
					return
				}
			}
		}
	}
}

// shard yields the rows of one shard, with the columns that there are.
func (q *Quarantine) shard(ctx context.Context, shard int) iter.Seq2[arrow.Record, error] {
	return func(yield func(arrow.Record, error) bool) {
		if o := q.results[shard].Quarantine; o != nil {
			data, err := run.Load(ctx, q.bucket, *o)
			if err != nil {
				yield(nil, err)
				return
			}
			f, err := columnar.Open(bytes.NewReader(data), int64(len(data)), &columnar.OpenOptions{Name: o.Key})
			if err != nil {
				yield(nil, err)
				return
			}
			for rec, err := range f.Records(ctx, columnar.ReadOptions{}) {
				if err == nil {
					rec = q.marked(rec, shard)
				}
				if !yield(rec, err) || err != nil {
					return
				}
			}
		}
		if !q.lateIn(shard) {
			return
		}
		for rec, err := range q.lateRows(ctx, shard) {
			if !yield(rec, err) || err != nil {
				return
			}
		}
	}
}

// marked adds the column that says which rows are replaced.
func (q *Quarantine) marked(rec arrow.Record, shard int) arrow.Record {
	rows := rec.Column(rec.Schema().FieldIndices(pass.ColumnRow)[0]).(*array.Int64)
	b := array.NewBooleanBuilder(memory.DefaultAllocator)
	for i := range int(rec.NumRows()) {
		_, replaced := q.replaced[place{shard, rows.Value(i) - q.Plan.Shards[shard].FirstRow}]
		b.Append(replaced)
	}
	fields := append(slices.Clone(rec.Schema().Fields()), ours[3])
	return array.NewRecord(arrow.NewSchema(fields, nil), append(slices.Clone(rec.Columns()), b.NewArray()), rec.NumRows())
}

// lateRows yields the late rows of a shard one by one, with their values from the
// delivery.
func (q *Quarantine) lateRows(ctx context.Context, shard int) iter.Seq2[arrow.Record, error] {
	return func(yield func(arrow.Record, error) bool) {
		s := q.Plan.Shards[shard]
		file := q.Plan.Files[s.File]
		if q.gone[s.File] {
			for _, l := range q.Data.Late {
				if l.Shard == shard && !yield(q.lateRow(nil, 0, shard, l.Row), nil) {
					return
				}
			}
			return
		}
		f, err := q.open(ctx, file)
		if err != nil {
			yield(nil, err)
			return
		}
		defer f.close()
		columns := f.having(q.shown())
		var first int64
		for rec, err := range f.Records(ctx, columnar.ReadOptions{Columns: columns, FirstGroup: s.FirstGroup, Groups: s.Groups}) {
			if err != nil {
				yield(nil, err)
				return
			}
			for i := range rec.NumRows() {
				if _, late := q.late[place{shard, first + i}]; late && !yield(q.lateRow(rec, i, shard, first+i), nil) {
					return
				}
			}
			first += rec.NumRows()
		}
	}
}

// lateRow returns row i of a record as the quarantine shows it. Without a record it has
// no values.
func (q *Quarantine) lateRow(rec arrow.Record, i int64, shard int, row int64) arrow.Record {
	s := q.Plan.Shards[shard]
	fields, cols := slices.Clone(ours[:3]), []arrow.Array{
		columnar.Repeat(q.late[place{shard, row}], 1), columnar.Repeat(q.Plan.Files[s.File].Key, 1), columnar.Int64s([]int64{s.FirstRow + row})}
	fields[0].Type, fields[1].Type = columnar.DictionaryType, columnar.DictionaryType
	if rec != nil {
		slice := rec.NewSlice(i, i+1)
		fields, cols = append(fields, slice.Schema().Fields()...), append(cols, slice.Columns()...)
	}
	return q.marked(array.NewRecord(arrow.NewSchema(fields, nil), cols, 1), shard)
}
