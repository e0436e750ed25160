package bundle

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"headgate/internal/columnar"
	"headgate/internal/model"
)

// maxGolden bounds the golden rows of a bundle. They are scored before each first
// use, so they should be few.
const maxGolden = 4096

// GoldenRows are rows of model inputs and the scores that they must get.
type GoldenRows struct {
	Rows     arrow.Record // columns by name; every model input is among them
	Expected *model.Scores
	Source   string // for example "LightGBM 4.6.0"
}

// Remember scores rows with s now and makes the result the expectation, so that a
// later change of this program cannot go unnoticed. It says nothing about the
// library that trained the model; expected scores from there are better.
func Remember(s model.Scorer, rows arrow.Record) (*GoldenRows, error) {
	var got model.Scores
	if err := s.Score(&got, rows); err != nil {
		return nil, err
	}
	return &GoldenRows{Rows: rows, Expected: &got, Source: "headgate at registration"}, nil
}

func (g *GoldenRows) check(s model.Scorer) error {
	if g == nil || g.Rows.NumRows() == 0 {
		return errors.New("bundle: a model version needs golden rows")
	}
	if n := g.Rows.NumRows(); n > maxGolden {
		return fmt.Errorf("bundle: %d golden rows; at most %d are kept", n, maxGolden)
	}
	return model.CheckGolden(s, g.Rows, g.Expected)
}

// encode writes the rows and their scores as one Parquet file.
func (g *GoldenRows) encode() ([]byte, error) {
	fields := append([]arrow.Field{}, g.Rows.Schema().Fields()...)
	cols := append([]arrow.Array{}, g.Rows.Columns()...)
	n, k := int(g.Rows.NumRows()), g.Expected.Outputs
	for o := range k {
		for _, side := range []struct {
			name   string
			values []float64
		}{{"raw", g.Expected.Raw}, {"pred", g.Expected.Pred}} {
			col := make([]float64, n)
			for i := range n {
				col[i] = side.values[i*k+o]
			}
			fields = append(fields, arrow.Field{Name: fmt.Sprintf("%s_%d", side.name, o), Type: arrow.PrimitiveTypes.Float64})
			cols = append(cols, columnar.Float64s(col))
		}
	}
	rec := array.NewRecord(arrow.NewSchema(fields, nil), cols, g.Rows.NumRows())
	defer rec.Release()
	var buf bytes.Buffer
	w, err := columnar.Create(&buf, rec.Schema(), nil)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(w.Write(rec), w.Close()); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

func decodeGolden(ctx context.Context, data []byte, s model.Scorer) (*GoldenRows, error) {
	f, err := columnar.Open(bytes.NewReader(data), int64(len(data)), &columnar.OpenOptions{Name: "golden rows"})
	if err != nil {
		return nil, err
	}
	n := int(f.NumRows())
	if n == 0 || n > maxGolden {
		return nil, fmt.Errorf("%d golden rows, want 1 to %d", n, maxGolden)
	}
	g := &GoldenRows{Expected: new(model.Scores)}
	g.Expected.Resize(n, s.Outputs())
	for rec, err := range f.Records(ctx, columnar.ReadOptions{Rows: maxGolden}) {
		if err != nil {
			return nil, err
		}
		if int(rec.NumRows()) != n {
			return nil, fmt.Errorf("%d golden rows in one record, want %d", rec.NumRows(), n)
		}
		rec.Retain()
		g.Rows = rec
	}
	k := s.Outputs()
	for o := range k {
		for name, dst := range map[string][]float64{"raw": g.Expected.Raw, "pred": g.Expected.Pred} {
			at := g.Rows.Schema().FieldIndices(fmt.Sprintf("%s_%d", name, o))
			if len(at) != 1 {
				return nil, fmt.Errorf("golden rows have no column %s_%d", name, o)
			}
			col, ok := g.Rows.Column(at[0]).(*array.Float64)
			if !ok {
				return nil, fmt.Errorf("golden column %s_%d is not double", name, o)
			}
			for i := range n {
				dst[i*k+o] = col.Value(i)
			}
		}
	}
	return g, nil
}
