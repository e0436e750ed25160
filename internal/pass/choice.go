package pass

import (
	"context"
	"fmt"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"headgate/internal/columnar"
)

// A choice gives each row of a shard the score of one model.
type choice struct {
	in     *AssembleInput
	others []otherScores
	at     int     // rows of the shard so far
	rows   []int64 // published by model
}

// otherScores are the scores of one model for all rows of a shard.
type otherScores struct {
	ordinals []int64
	outputs  [][]float64 // pred_0, raw_0, pred_1, …
}

// chosen are the columns of a record that depend on the model.
type chosen struct {
	values []arrow.Array // score and raw score of each output
	ranks  []arrow.Array // of each output
	model  arrow.Array
}

func newChoice(ctx context.Context, in *AssembleInput) (*choice, error) {
	c := &choice{in: in, rows: make([]int64, 1+len(in.Others))}
	for _, o := range in.Others {
		s, err := readOther(ctx, o, in.Outputs)
		if err != nil {
			return nil, fmt.Errorf("scores of model %s: %w", o.Model, err)
		}
		c.others = append(c.others, s)
	}
	return c, nil
}

// readOther reads the scores of a model. It needs 8 bytes for each row and column.
func readOther(ctx context.Context, o Other, outputs int) (s otherScores, err error) {
	columns := []string{ColumnRow}
	for k := range outputs {
		for _, c := range ScoreColumns(k, outputs) {
			columns = append(columns, c.From)
		}
	}
	s.outputs = make([][]float64, 2*outputs)
	for rec, err := range o.Scores.Records(ctx, columnar.ReadOptions{Columns: columns}) {
		if err != nil {
			return s, err
		}
		s.ordinals = append(s.ordinals, rec.Column(0).(*array.Int64).Int64Values()...)
		for i := range s.outputs {
			s.outputs[i] = append(s.outputs[i], rec.Column(1+i).(*array.Float64).Float64Values()...)
		}
	}
	return s, nil
}

// next chooses for the next record of the champion's scores. keep says which rows are
// published.
func (c *choice) next(rec arrow.Record, keep func(i int) bool) (chosen, error) {
	var out chosen
	var mine [][]float64
	for o := range c.in.Outputs {
		for _, column := range ScoreColumns(o, c.in.Outputs) {
			col := rec.Column(rec.Schema().FieldIndices(column.From)[0])
			out.values = append(out.values, col)
			mine = append(mine, col.(*array.Float64).Float64Values())
		}
	}
	arms, err := c.arms(rec)
	if err != nil {
		return out, err
	}
	names := []string{c.in.Model}
	for k, other := range c.in.Others {
		names = append(names, other.Model)
		mine = pickRows(mine, c.others[k].outputs, c.at, arms, int32(k+1))
	}
	if len(c.in.Others) > 0 {
		for i, values := range mine {
			out.values[i] = columnar.Float64s(values)
		}
	}
	for o := range c.in.Outputs {
		if c.in.Ranks != nil {
			out.ranks = append(out.ranks, columnar.Float64s(c.ranks(mine[2*o], arms, o)))
		}
	}
	for i, arm := range arms {
		if keep(i) {
			c.rows[arm]++
		}
	}
	out.model = columnar.Choose(names, arms)
	c.at += len(arms)
	return out, nil
}

// arms returns whose score each row has, and checks that all models have scored it.
func (c *choice) arms(rec arrow.Record) ([]int32, error) {
	arms := make([]int32, rec.NumRows())
	if len(c.in.Others) == 0 {
		return arms, nil
	}
	ordinals := rec.Column(rec.Schema().FieldIndices(ColumnRow)[0]).(*array.Int64).Int64Values()
	keys := NewKeyer(rec, c.in.Entity)
	for i, row := range ordinals {
		for k, other := range c.others {
			if at := c.at + i; at >= len(other.ordinals) || other.ordinals[at] != row {
				return nil, fmt.Errorf("model %s has not scored row %d", c.in.Others[k].Model, row)
			}
		}
		arm := c.in.Arm(keys.Key(i))
		if arm < 0 || arm > len(c.in.Others) {
			return nil, fmt.Errorf("row %d belongs to arm %d, and there are %d", row, arm, 1+len(c.in.Others))
		}
		arms[i] = int32(arm)
	}
	return arms, nil
}

// pickRows replaces the values of the rows of one arm by those of its model, which begin
// at a row of the shard.
func pickRows(values, other [][]float64, at int, arms []int32, arm int32) [][]float64 {
	out := make([][]float64, len(values))
	for o := range values {
		out[o] = make([]float64, len(arms))
		for i := range arms {
			if out[o][i] = values[o][i]; arms[i] == arm {
				out[o][i] = other[o][at+i]
			}
		}
	}
	return out
}

// ranks returns the rank of each row's score within its own model.
func (c *choice) ranks(scores []float64, arms []int32, output int) []float64 {
	out := make([]float64, len(arms))
	for i, score := range scores {
		out[i] = c.in.Ranks[arms[i]][output].Share(score)
	}
	return out
}
