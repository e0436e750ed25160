package gbdt

import (
	"context"
	"iter"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"headgate/internal/model"
	"headgate/internal/model/lightgbm"
)

// table is a stream of one record with columns of doubles; NaN is null.
func table(names []string, columns ...[]float64) iter.Seq2[arrow.Record, error] {
	fields := make([]arrow.Field, len(names))
	arrays := make([]arrow.Array, len(names))
	for i, name := range names {
		b := array.NewFloat64Builder(memory.DefaultAllocator)
		for _, v := range columns[i] {
			if v != v {
				b.AppendNull()
			} else {
				b.Append(v)
			}
		}
		arrays[i] = b.NewArray()
		fields[i] = arrow.Field{Name: name, Type: arrow.PrimitiveTypes.Float64, Nullable: true}
	}
	rec := array.NewRecord(arrow.NewSchema(fields, nil), arrays, int64(len(columns[0])))
	return func(yield func(arrow.Record, error) bool) { yield(rec, nil) }
}

func TestOwnParserReads(t *testing.T) {
	draw := rand.New(rand.NewPCG(1, 2))
	n := 20000
	cols := make([][]float64, 6)
	for f := range cols {
		cols[f] = make([]float64, n)
		for i := range n {
			cols[f][i] = draw.NormFloat64()
			if f == 2 && draw.IntN(5) == 0 {
				cols[f][i] = math.NaN()
			}
		}
	}
	for i := range n {
		x := cols[0][i] + cols[1][i]*cols[3][i]
		cols[5][i] = oneIf(x+draw.NormFloat64() > 0)
	}
	names := []string{"a", "b", "c", "d", "e", "y"}
	p, err := ParseParams(map[string]string{"objective": "binary", "num_iterations": "20"})
	if err != nil {
		t.Fatal(err)
	}
	var in []model.Input
	for _, name := range names[:5] {
		in = append(in, model.Input{Name: name})
	}
	ctx := context.Background()
	recs := table(names, cols...)
	d, err := Load(ctx, recs, Columns{Features: in, Label: "y"}, p, nil)
	if err != nil {
		t.Fatal(err)
	}
	v, err := d.Validation(ctx, recs, nil)
	if err != nil {
		t.Fatal(err)
	}
	m, err := Train(ctx, d, v, p, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Log(m.Values, m.Stopped)
	s, err := lightgbm.Parse(m.Text, model.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var scores model.Scores
	for rec, _ := range recs {
		if err := s.Score(&scores, rec); err != nil {
			t.Fatal(err)
		}
	}
	b, _ := newBooster(d, v, p, nil)
	b.run(ctx)
	for i := range n {
		if scores.Raw[i] != b.scores[0][i] || scores.Raw[i] != b.others[0][i] {
			t.Fatal(i, scores.Raw[i], b.scores[0][i], b.others[0][i])
		}
	}
}
