package pass

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"slices"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"headgate/internal/columnar"
	"headgate/internal/contract"
)

// ColumnFallback says in the published table why a row's score is not the model's of
// this batch: "last" or "constant". Rows that the model scored have none.
const ColumnFallback = "fallback"

// FallbackInput is what the rows of customers are made of whom the model could not
// score in this batch.
type FallbackInput struct {
	// Sources have the customers: rows in quarantine, and the rows that are published
	// for the batch before. The first row of a key counts. They are read one after the
	// other, and no further than the last key that is found.
	Sources  iter.Seq2[*columnar.File, error]
	Keys     []Key              // who gets a row, ascending
	Entity   []string           // entity key
	Keep     []string           // kept columns
	Scored   *columnar.File     // scored rows of the batch: the fallback rows' columns are of the same types
	Outputs  int                // of the model
	Constant *float64           // the score; nil: the score of the source, which is the batch before
	Output   *contract.Contract // what the rows must keep; may be nil
	Contract string             // digest of the contract
	Run      string             // digest of the plan
	Hidden   []string           // columns whose bounds statistics must not show

	Compression string // zstd (also ""), snappy or none
}

// AssembleFallback writes a row for each key that a source has. Its columns are those
// of [Assemble] and [ColumnFallback]; a constant has no raw score and no model. Columns
// that a source does not have are null. Rows that break the contract of the scores are
// left out: their customers have no row.
func AssembleFallback(ctx context.Context, in FallbackInput) (*Assembled, error) {
	f := &fallback{FallbackInput: in, out: newTable(int64(len(in.Keys)), in.Compression), stats: newStats(in.Hidden),
		done: make([]bool, len(in.Keys)), left: len(in.Keys)}
	for _, name := range append(slices.Clone(in.Entity), in.Keep...) {
		field, ok := in.Scored.Schema().FieldsByName(name)
		if !ok {
			return nil, fmt.Errorf("fallback: the scored rows have no column %s", name)
		}
		f.fields = append(f.fields, field[0])
	}
	if in.Output != nil {
		f.checker = in.Output.NewChecker()
	}
	for source, err := range in.Sources {
		if err == nil {
			err = f.read(ctx, source)
		}
		if err != nil {
			return nil, err
		}
		if f.left == 0 {
			break
		}
	}
	data, err := f.out.close()
	if err != nil || data == nil {
		return &Assembled{}, err
	}
	return finished(ctx, data, f.rows, f.stats)
}

// A fallback is an AssembleFallback at work.
type fallback struct {
	FallbackInput
	fields  []arrow.Field     // entity key and kept columns
	checker *contract.Checker // nil without a contract of the scores
	out     *table
	stats   *fileStats
	rows    int64
	done    []bool // by key
	left    int    // keys that are not done
}

// read takes the rows of a source that are wanted, in runs. Without scores there is no
// last one, so such a source has nothing.
func (f *fallback) read(ctx context.Context, source *columnar.File) error {
	has := func(name string) bool { return len(source.Schema().FieldIndices(name)) > 0 }
	columns := slices.Clone(f.Entity)
	for _, field := range f.fields[len(f.Entity):] {
		if at := source.Schema().FieldIndices(field.Name); len(at) > 0 && sameKind(source.Schema().Field(at[0]).Type, field.Type) {
			columns = append(columns, field.Name)
		}
	}
	if f.Constant == nil {
		for o := range f.Outputs {
			score, raw := ScoreColumns(o, f.Outputs)[0], ScoreColumns(o, f.Outputs)[1]
			if !has(score.Name) {
				return nil
			}
			if columns = append(columns, score.Name); has(raw.Name) {
				columns = append(columns, raw.Name)
			}
		}
		if has("model") {
			columns = append(columns, "model")
		}
	}
	for rec, err := range source.Records(ctx, columnar.ReadOptions{Columns: columns}) {
		if err != nil {
			return err
		}
		if err := f.record(rec); err != nil {
			return err
		}
	}
	return nil
}

// sameKind reports whether values of both types fit into one column of a file.
func sameKind(a, b arrow.DataType) bool {
	return arrow.TypeEqual(plain(a), plain(b))
}

// plain returns the type of a column's values.
func plain(t arrow.DataType) arrow.DataType {
	if d, ok := t.(*arrow.DictionaryType); ok {
		return d.ValueType
	}
	return t
}

// record writes the wanted rows of a record.
func (f *fallback) record(rec arrow.Record) error {
	wanted := f.wanted(rec)
	return runs(len(wanted), func(i int) bool { return wanted[i] }, func(from, to int) error {
		slice := rec.NewSlice(int64(from), int64(to))
		defer slice.Release()
		rows := f.published(slice)
		defer rows.Release()
		return f.write(rows)
	})
}

// write writes the rows that keep the contract of the scores.
func (f *fallback) write(rows arrow.Record) error {
	keeps := func(int) bool { return true }
	if f.checker != nil {
		marks, err := f.checker.Add(f.promised(rows))
		if err != nil {
			return fmt.Errorf("fallback scores: %w", err)
		}
		keeps = func(i int) bool { return !marks.Bad(i) }
	}
	return runs(int(rows.NumRows()), keeps, func(from, to int) error {
		slice := rows.NewSlice(int64(from), int64(to))
		defer slice.Release()
		f.stats.add(slice)
		f.rows += slice.NumRows()
		return f.out.write(slice)
	})
}

// promised returns the rows with the columns that a contract of the scores may speak of:
// a constant has no raw score.
func (f *fallback) promised(rows arrow.Record) arrow.Record {
	if f.Constant == nil {
		return rows
	}
	fields, cols := slices.Clone(rows.Schema().Fields()), slices.Clone(rows.Columns())
	fields = append(fields, nullable("raw_score", arrow.PrimitiveTypes.Float64))
	cols = append(cols, array.MakeArrayOfNull(memory.DefaultAllocator, arrow.PrimitiveTypes.Float64, int(rows.NumRows())))
	return array.NewRecord(arrow.NewSchema(fields, nil), cols, rows.NumRows())
}

// runs calls do for each longest run of rows in [0, n) for which keep is true.
func runs(n int, keep func(i int) bool, do func(from, to int) error) error {
	for from := 0; from < n; {
		to := from + 1
		for to < n && keep(to) == keep(from) {
			to++
		}
		if keep(from) {
			if err := do(from, to); err != nil {
				return err
			}
		}
		from = to
	}
	return nil
}

// wanted marks the first row of each key that has none yet.
func (f *fallback) wanted(rec arrow.Record) []bool {
	keys := NewKeyer(rec, f.Entity)
	wanted := make([]bool, rec.NumRows())
	for i := range wanted {
		key, ok := keys.Key(i)
		if !ok {
			continue
		}
		at, ok := slices.BinarySearchFunc(f.Keys, key, func(a, b Key) int { return bytes.Compare(a[:], b[:]) })
		if ok && !f.done[at] {
			f.done[at], wanted[i] = true, true
			f.left--
		}
	}
	return wanted
}

// published returns the rows as the table has them.
func (f *fallback) published(rec arrow.Record) arrow.Record {
	n := int(rec.NumRows())
	var fields []arrow.Field
	var cols []arrow.Array
	add := func(name string, col arrow.Array) {
		fields, cols = append(fields, nullable(name, col.DataType())), append(cols, col)
	}
	take := func(name string, t arrow.DataType) {
		if at := rec.Schema().FieldIndices(name); len(at) > 0 {
			add(name, rec.Column(at[0]))
		} else {
			add(name, array.MakeArrayOfNull(memory.DefaultAllocator, plain(t), n))
		}
	}
	for _, field := range f.fields {
		take(field.Name, field.Type)
	}
	why := "constant"
	if f.Constant == nil {
		why = "last"
		for o := range f.Outputs {
			for _, c := range ScoreColumns(o, f.Outputs) {
				take(c.Name, arrow.PrimitiveTypes.Float64)
			}
		}
		take("model", arrow.BinaryTypes.String)
	} else {
		add("score", columnar.Float64s(slices.Repeat([]float64{*f.Constant}, n)))
	}
	for _, same := range [][2]string{{"contract", f.Contract}, {"run", f.Run}, {ColumnFallback, why}} {
		add(same[0], columnar.Repeat(same[1], n))
	}
	return array.NewRecord(arrow.NewSchema(fields, nil), cols, int64(n))
}

func nullable(name string, t arrow.DataType) arrow.Field {
	return arrow.Field{Name: name, Type: t, Nullable: true}
}

// finished is what an assembled file is, after it was read back.
func finished(ctx context.Context, data []byte, rows int64, stats *fileStats) (*Assembled, error) {
	out := &Assembled{Data: data, Rows: rows}
	var err error
	if out.Stats, err = stats.encode(rows); err != nil {
		return nil, err
	}
	f, err := columnar.Open(bytes.NewReader(data), int64(len(data)), &columnar.OpenOptions{Name: "assembled rows"})
	if err != nil {
		return nil, err
	}
	out.Schema = f.Schema()
	out.Values, err = Values(ctx, f)
	return out, err
}
