package pass

import (
	"bytes"
	"context"
	"slices"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/zeebo/xxh3"

	"headgate/internal/columnar"
)

// ColumnFallback says in the published table why a row's score is not the model's of
// this batch: "last" or "constant". Rows that the model scored have none.
const ColumnFallback = "fallback"

// FallbackInput is what the rows of customers are made of whom the model could not
// score in this batch.
type FallbackInput struct {
	// Sources have the customers: rows in quarantine, and the rows that are published
	// for the batch before. The first row of a key counts.
	Sources  []*columnar.File
	Keys     []Key    // who gets a row, ascending
	Entity   []string // entity key
	Keep     []string // kept columns, as far as a source has them
	Outputs  int      // of the model
	Constant *float64 // the score; nil: the score of the source, which is the batch before
	Contract string   // digest of the contract
	Run      string   // digest of the plan
	Hidden   []string // columns whose bounds statistics must not show

	Compression string // zstd (also ""), snappy or none
}

// AssembleFallback writes a row for each key that a source has. Its columns are those
// of [Assemble] and [ColumnFallback]; a constant has no raw score and no model.
func AssembleFallback(ctx context.Context, in FallbackInput) (*Assembled, error) {
	f := &fallback{FallbackInput: in, out: newTable(int64(len(in.Keys)), in.Compression), stats: newStats(in.Hidden), done: make([]bool, len(in.Keys))}
	for _, source := range in.Sources {
		if err := f.read(ctx, source); err != nil {
			return nil, err
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
	out   *table
	stats *fileStats
	rows  int64
	done  []bool // by key
	buf   []byte
}

// read takes the rows of a source that are wanted, in runs.
func (f *fallback) read(ctx context.Context, source *columnar.File) error {
	columns, keep := slices.Clone(f.Entity), []string{}
	for _, name := range f.Keep {
		if len(source.Schema().FieldIndices(name)) > 0 {
			keep = append(keep, name)
		}
	}
	columns = append(columns, keep...)
	if f.Constant == nil {
		for o := range f.Outputs {
			for _, c := range ScoreColumns(o, f.Outputs) {
				columns = append(columns, c.Name)
			}
		}
		columns = append(columns, "model")
	}
	for rec, err := range source.Records(ctx, columnar.ReadOptions{Columns: columns}) {
		if err != nil {
			return err
		}
		if err := f.record(rec, keep); err != nil {
			return err
		}
	}
	return nil
}

// record writes the wanted rows of a record.
func (f *fallback) record(rec arrow.Record, keep []string) error {
	wanted := f.wanted(rec)
	for from := 0; from < len(wanted); {
		to := from + 1
		for to < len(wanted) && wanted[to] == wanted[from] {
			to++
		}
		if wanted[from] {
			slice := rec.NewSlice(int64(from), int64(to))
			row := f.published(slice, keep)
			slice.Release()
			f.stats.add(row)
			f.rows += row.NumRows()
			err := f.out.write(row)
			row.Release()
			if err != nil {
				return err
			}
		}
		from = to
	}
	return nil
}

// wanted marks the first row of each key that has none yet.
func (f *fallback) wanted(rec arrow.Record) []bool {
	_, cols := pick(rec, f.Entity)
	var put []func([]byte, int) []byte
	for _, col := range cols {
		put = append(put, valueAppender(col))
	}
	wanted := make([]bool, rec.NumRows())
rows:
	for i := range wanted {
		f.buf = f.buf[:0]
		for c, col := range cols {
			if col.IsNull(i) {
				continue rows
			}
			f.buf = put[c](f.buf, i)
		}
		at, ok := slices.BinarySearchFunc(f.Keys, Key(xxh3.Hash128(f.buf).Bytes()), func(a, b Key) int { return bytes.Compare(a[:], b[:]) })
		if ok && !f.done[at] {
			f.done[at], wanted[i] = true, true
		}
	}
	return wanted
}

// published returns the rows as the table has them.
func (f *fallback) published(rec arrow.Record, keep []string) arrow.Record {
	fields, cols := pick(rec, append(slices.Clone(f.Entity), keep...))
	n := int(rec.NumRows())
	why := "constant"
	if f.Constant == nil {
		why = "last"
		for o := range f.Outputs {
			for _, c := range ScoreColumns(o, f.Outputs) {
				field, col := pick(rec, []string{c.Name})
				fields, cols = append(fields, field...), append(cols, col...)
			}
		}
		field, col := pick(rec, []string{"model"})
		fields, cols = append(fields, field...), append(cols, col...)
	} else {
		fields = append(fields, floatField("score"))
		cols = append(cols, columnar.Float64s(slices.Repeat([]float64{*f.Constant}, n)))
	}
	for _, same := range [][2]string{{"contract", f.Contract}, {"run", f.Run}, {ColumnFallback, why}} {
		fields = append(fields, arrow.Field{Name: same[0], Type: columnar.DictionaryType})
		cols = append(cols, columnar.Repeat(same[1], n))
	}
	return array.NewRecord(arrow.NewSchema(fields, nil), cols, int64(n))
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
