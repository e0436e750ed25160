package registration

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"headgate/internal/bundle"
	"headgate/internal/columnar"
	"headgate/internal/contract"
	"headgate/internal/model"
)

// sampleRows is how many rows of Sample become golden rows; maxGoldenRows is the
// most that Golden may have.
const (
	sampleRows    = 32
	maxGoldenRows = 4096
)

// goldenFiles reads golden rows and the scores that they had where the model was trained.
func (r Request) goldenFiles(ctx context.Context, s model.Scorer) (*bundle.GoldenRows, error) {
	rows, err := readRows(ctx, r.Golden, s.Inputs())
	if err != nil {
		return nil, err
	}
	var columns []model.Input
	for _, f := range model.Schema(s.Outputs()).Fields() {
		columns = append(columns, model.Input{Name: f.Name})
	}
	scores, err := readRows(ctx, r.Expected, columns)
	if err != nil {
		return nil, err
	}
	defer scores.Release()
	if rows.NumRows() != scores.NumRows() {
		return nil, fmt.Errorf("%s has %d rows and %s has %d", r.Golden, rows.NumRows(), r.Expected, scores.NumRows())
	}
	n, k := int(rows.NumRows()), s.Outputs()
	expected := new(model.Scores)
	expected.Resize(n, k)
	for o := range k {
		raw, ok1 := scores.Column(o).(*array.Float64)
		pred, ok2 := scores.Column(k + o).(*array.Float64)
		if !ok1 || !ok2 {
			return nil, fmt.Errorf("%s: scores must be doubles", r.Expected)
		}
		for i := range n {
			expected.Raw[i*k+o], expected.Pred[i*k+o] = raw.Value(i), pred.Value(i)
		}
	}
	source := r.Source
	if source == "" {
		source = "the training library"
	}
	return &bundle.GoldenRows{Rows: rows, Expected: expected, Source: source}, nil
}

// goldenSample makes golden rows of the first rows of a file.
func (r Request) goldenSample(ctx context.Context, s model.Scorer, c *contract.Contract) (*bundle.GoldenRows, error) {
	rows, err := readRows(ctx, r.Sample, s.Inputs())
	if err != nil {
		return nil, err
	}
	return Sample(rows, s, c)
}

// Sample scores the first rows of a record now and remembers the scores. Golden rows are
// kept for as long as the model, and no one person can be erased from them: inputs that
// the contract classifies are left empty. It takes over rows, which have the model's
// inputs and no other column.
func Sample(rows arrow.Record, s model.Scorer, c *contract.Contract) (*bundle.GoldenRows, error) {
	if rows.NumRows() > sampleRows {
		first := rows.NewSlice(0, sampleRows)
		rows.Release()
		rows = first
	}
	return bundle.Remember(s, withoutClassified(rows, c))
}

// withoutClassified returns the rows with nulls in the columns that are classified. It
// takes the place of rows, which it releases.
func withoutClassified(rows arrow.Record, c *contract.Contract) arrow.Record {
	defer rows.Release()
	fields, cols := slices.Clone(rows.Schema().Fields()), slices.Clone(rows.Columns())
	for i, f := range fields {
		col, _ := c.Column(f.Name)
		if !col.Classified() {
			continue
		}
		t := f.Type
		if d, ok := t.(*arrow.DictionaryType); ok {
			t = d.ValueType
		}
		fields[i] = arrow.Field{Name: f.Name, Type: t, Nullable: true}
		cols[i] = array.MakeArrayOfNull(memory.DefaultAllocator, t, int(rows.NumRows()))
		defer cols[i].Release()
	}
	return array.NewRecord(arrow.NewSchema(fields, nil), cols, rows.NumRows())
}

// explain says where the scores are that do not come out here.
func (r Request) explain(err error) error {
	var e *model.GoldenError
	if !errors.As(err, &e) {
		return err
	}
	return fmt.Errorf("%s: %w (rows count from 0); the model scores otherwise here, so nothing is registered", r.Expected, e)
}

// readRows reads the first rows of a CSV or Parquet file, as one record.
func readRows(ctx context.Context, name string, inputs []model.Input) (arrow.Record, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if strings.EqualFold(filepath.Ext(name), ".csv") {
		return first(name, model.ReadCSV(f, inputs, maxGoldenRows))
	}
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	parquet, err := columnar.Open(f, info.Size(), &columnar.OpenOptions{Name: name})
	if err != nil {
		return nil, err
	}
	var columns []string
	for _, in := range inputs {
		if len(parquet.Schema().FieldIndices(in.Name)) == 0 {
			return nil, fmt.Errorf("%s has no flat column %s", name, in.Name)
		}
		columns = append(columns, in.Name)
	}
	return first(name, parquet.Records(ctx, columnar.ReadOptions{Columns: columns, Rows: maxGoldenRows}))
}

// first returns the first record, which the caller releases.
func first(name string, records func(func(arrow.Record, error) bool)) (arrow.Record, error) {
	for rec, err := range records {
		var named *columnar.Error
		if errors.As(err, &named) {
			return nil, err
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		rec.Retain()
		return rec, nil
	}
	return nil, fmt.Errorf("%s has no rows", name)
}
