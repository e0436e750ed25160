package quarantine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"headgate/internal/columnar"
	"headgate/internal/contract"
	"headgate/internal/model"
	"headgate/internal/pass"
	"headgate/internal/run"
)

// A corrected file is one that is handed in.
type corrected struct {
	q      *Quarantine
	output *contract.Contract // of the scores; nil if there is none
	scorer model.Scorer

	table arrow.Record       // the rows with the columns of the delivery
	rows  []int64            // their ordinals in the file
	whom  []origin           // the delivered row that each one says it corrects
	keys  [][]byte           // key lists of table, by [pass.KeyTuples]
	wrong map[int64][]string // why a row of table stays out
}

// An origin is a row of a file of the plan.
type origin struct {
	file int   // index into the plan's files; −1 if it is not known
	row  int64 // ordinal in the file, from 0
}

// read reads the file: only columns that a run reads, in the types of the delivery.
func (c *corrected) read(ctx context.Context, name string, out *Result) error {
	local, err := os.Open(name)
	if err != nil {
		return err
	}
	defer local.Close()
	info, err := local.Stat()
	if err != nil {
		return err
	}
	f, err := columnar.Open(local, info.Size(), &columnar.OpenOptions{Name: name})
	if err != nil {
		return err
	}
	schema, err := c.schema(ctx)
	if err != nil {
		return err
	}
	placed := has(f, pass.ColumnFile) && has(f, pass.ColumnRow)
	var lacking, columns []string
	for _, field := range schema.Fields() {
		if has(f, field.Name) {
			columns = append(columns, field.Name)
		} else {
			lacking = append(lacking, field.Name)
		}
	}
	if len(lacking) > 0 && !placed {
		return fmt.Errorf("%s lacks %s; keep the columns %s and %s of the quarantine, and they are taken from the delivery",
			name, strings.Join(lacking, ", "), pass.ColumnFile, pass.ColumnRow)
	}
	for _, own := range []string{pass.ColumnFile, pass.ColumnRow, ColumnReplaced} {
		if has(f, own) {
			columns = append(columns, own)
		}
	}
	if err := c.collect(ctx, f, columns, schema, out); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	out.Filled = lacking
	if err := c.fill(ctx, lacking); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

func has(f *columnar.File, column string) bool { return len(f.Schema().FieldIndices(column)) > 0 }

// schema returns the columns that a run reads of the delivery.
func (c *corrected) schema(ctx context.Context) (*arrow.Schema, error) {
	f, err := c.q.open(ctx, c.q.Plan.Base().Files[0])
	if err != nil {
		return nil, err
	}
	defer f.close()
	names, err := pass.Columns(f.File, c.q.Contract, c.scorer, c.q.Config.Scores.Keep)
	if err != nil {
		return nil, err
	}
	var fields []arrow.Field
	for _, name := range names {
		field := f.Schema().Field(f.Schema().FieldIndices(name)[0])
		field.Nullable = true
		fields = append(fields, field)
	}
	return arrow.NewSchema(fields, nil), nil
}

// collect gathers the rows of the file, but for those that were replaced already.
func (c *corrected) collect(ctx context.Context, f *columnar.File, columns []string, schema *arrow.Schema, out *Result) error {
	var parts []arrow.Record
	var row int64
	for rec, err := range f.Records(ctx, columnar.ReadOptions{Columns: columns}) {
		if err != nil {
			return err
		}
		fitted, err := fit(rec, schema)
		var wrongType *TypeError
		if errors.As(err, &wrongType) {
			wrongType.Row += row
		}
		if err != nil {
			return err
		}
		whom, err := c.origins(rec)
		if err != nil {
			return err
		}
		for i := range int(rec.NumRows()) {
			if isTrue(rec, ColumnReplaced, i) {
				out.Skipped++
				continue
			}
			parts = append(parts, fitted.NewSlice(int64(i), int64(i)+1))
			c.rows, c.whom = append(c.rows, row+int64(i)), append(c.whom, whom[i])
		}
		row += rec.NumRows()
	}
	if len(parts) == 0 {
		return errors.New("there is no row to hand in")
	}
	var err error
	c.table, err = concatenate(schema, parts)
	return err
}

// concatenate makes one record of many.
func concatenate(schema *arrow.Schema, parts []arrow.Record) (arrow.Record, error) {
	var cols []arrow.Array
	for i := range schema.Fields() {
		var same []arrow.Array
		for _, p := range parts {
			same = append(same, p.Column(i))
		}
		col, err := array.Concatenate(same, memory.DefaultAllocator)
		if err != nil {
			return nil, err
		}
		cols = append(cols, col)
	}
	return array.NewRecord(schema, cols, int64(len(parts))), nil
}

func isTrue(rec arrow.Record, column string, i int) bool {
	at := rec.Schema().FieldIndices(column)
	if len(at) == 0 {
		return false
	}
	b, ok := rec.Column(at[0]).(*array.Boolean)
	return ok && b.IsValid(i) && b.Value(i)
}

// origins returns which delivered row each row of a record says it corrects.
func (c *corrected) origins(rec arrow.Record) ([]origin, error) {
	origins := make([]origin, rec.NumRows())
	for i := range origins {
		origins[i].file = -1
	}
	file, row := rec.Schema().FieldIndices(pass.ColumnFile), rec.Schema().FieldIndices(pass.ColumnRow)
	if len(file) == 0 || len(row) == 0 {
		return origins, nil
	}
	ordinals, err := convert(pass.ColumnRow, rec.Column(row[0]), arrow.PrimitiveTypes.Int64)
	if err != nil {
		return nil, err
	}
	names := rec.Column(file[0])
	for i := range origins {
		if names.IsNull(i) || ordinals.IsNull(i) {
			continue
		}
		key := text(names, i)
		at := slices.IndexFunc(c.q.Plan.Files, func(f run.File) bool { return f.Key == key })
		origins[i] = origin{at, ordinals.(*array.Int64).Value(i)}
	}
	return origins, nil
}

// fill takes the values of columns from the delivered rows.
func (c *corrected) fill(ctx context.Context, columns []string) error {
	if len(columns) == 0 {
		return nil
	}
	values, err := c.delivered(ctx, columns)
	if err != nil {
		return err
	}
	cols := slices.Clone(c.table.Columns())
	for i, name := range columns {
		at := c.table.Schema().FieldIndices(name)[0]
		b := array.NewBuilder(memory.DefaultAllocator, c.table.Schema().Field(at).Type)
		for row := range values {
			if values[row][i] == nil {
				b.AppendNull()
			} else if err := appendText(b, *values[row][i]); err != nil {
				// The error has the value, which may be restricted.
				return fmt.Errorf("row %d (from 0): column %s is of another type in the file that the row is from; give all columns", c.rows[row], name)
			}
		}
		cols[at] = b.NewArray()
	}
	c.table = array.NewRecord(c.table.Schema(), cols, c.table.NumRows())
	return nil
}

// delivered reads columns of the delivered rows, as text, by row of the table.
func (c *corrected) delivered(ctx context.Context, columns []string) ([][]*string, error) {
	wanted := map[int]map[int64][]int{} // rows of the table, by file and row in it
	for i, at := range c.whom {
		if at.file < 0 {
			return nil, fmt.Errorf("row %d (from 0) lacks %s, and its %s and %s name no delivered row",
				c.rows[i], strings.Join(columns, ", "), pass.ColumnFile, pass.ColumnRow)
		}
		if wanted[at.file] == nil {
			wanted[at.file] = map[int64][]int{}
		}
		wanted[at.file][at.row] = append(wanted[at.file][at.row], i)
	}
	values := make([][]*string, len(c.whom))
	for file, want := range c.q.Plan.Files {
		if wanted[file] == nil {
			continue
		}
		if err := c.deliveredIn(ctx, want, columns, wanted[file], values); err != nil {
			return nil, err
		}
	}
	for i, v := range values {
		if v == nil {
			return nil, fmt.Errorf("row %d (from 0): the delivery has no such row", c.rows[i])
		}
	}
	return values, nil
}

func (c *corrected) deliveredIn(ctx context.Context, file run.File, columns []string, wanted map[int64][]int, values [][]*string) error {
	f, err := c.q.open(ctx, file)
	if err != nil {
		return err
	}
	defer f.close()
	var row int64
	for rec, err := range f.Records(ctx, columnar.ReadOptions{Columns: columns}) {
		if err != nil {
			return err
		}
		for i := range int(rec.NumRows()) {
			for _, at := range wanted[row+int64(i)] {
				values[at] = texts(rec, i)
			}
		}
		row += rec.NumRows()
	}
	return nil
}

// texts returns the values of a row; nil is null.
func texts(rec arrow.Record, i int) []*string {
	out := make([]*string, rec.NumCols())
	for k, col := range rec.Columns() {
		if col.IsValid(i) {
			value := strings.Clone(text(col, i)) // the record goes, its text stays
			out[k] = &value
		}
	}
	return out
}

// encode writes records as a Parquet file.
func encode(schema *arrow.Schema, records ...arrow.Record) ([]byte, error) {
	var buf bytes.Buffer
	w, err := columnar.Create(&buf, schema, nil)
	if err != nil {
		return nil, err
	}
	for _, rec := range records {
		if err := w.Write(rec); err != nil {
			return nil, err
		}
	}
	err = w.Close() // before the bytes are there
	return buf.Bytes(), err
}
