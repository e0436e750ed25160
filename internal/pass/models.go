package pass

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"headgate/internal/columnar"
	"headgate/internal/contract"
	"headgate/internal/model"
	"headgate/internal/run"
)

// ModelOutput is what a model that is not the champion made of the scored rows.
type ModelOutput struct {
	Scores []byte           // Parquet: entity key, row, raw and pred scores; nil if no row is scored
	Output *contract.Result // what the contract of the scores counted, if it fits the model's outputs
	Failed string           // why there are no scores; all else is empty then
}

// A beside is a model that scores beside the champion. Whatever goes wrong with it is
// its own failure: the pass goes on without it.
type beside struct {
	scorer  model.Scorer
	entity  []string
	keep    []string
	checker *contract.Checker // nil without a contract of the scores that fits
	scores  model.Scores
	numbers numbers
	out     *table
	failed  string
}

// newBesides prepares models for a shard of so many rows. A nil model has no place in
// the pass, but one in the output.
func newBesides(models []model.Scorer, f *columnar.File, c, output *contract.Contract, keep []string, outputs int, rows int64) []*beside {
	var all []*beside
	for _, m := range models {
		b := &beside{scorer: m, entity: c.Entity(), keep: TableColumns(c, keep), out: newTable(rows, "")}
		all = append(all, b)
		if m == nil {
			b.failed = "the model cannot be loaded"
			continue
		}
		for _, in := range m.Inputs() {
			if len(f.Schema().FieldIndices(in.Name)) == 0 {
				b.failed = fmt.Sprintf("column %q, which the model needs, is missing", in.Name)
			}
		}
		if output != nil && m.Outputs() == outputs {
			b.checker = output.NewChecker()
		}
	}
	return all
}

// inputsOf appends to columns what only these models read.
func inputsOf(all []*beside, columns []string) []string {
	columns = slices.Clone(columns)
	for _, b := range all {
		if b.failed != "" {
			continue
		}
		for _, in := range b.scorer.Inputs() {
			if !slices.Contains(columns, in.Name) {
				columns = append(columns, in.Name)
			}
		}
	}
	return columns
}

// first returns the first n columns of a record.
func first(rec arrow.Record, n int) arrow.Record {
	return array.NewRecord(arrow.NewSchema(rec.Schema().Fields()[:n], nil), rec.Columns()[:n], rec.NumRows())
}

// add scores a record, whose rows have these ordinals in the input file, and keeps the
// scores of the rows that scored names.
func (b *beside) add(rec arrow.Record, ordinals []int64, scored func(i int) bool) {
	if b.failed != "" {
		return
	}
	if err := b.try(rec, ordinals, scored); err != nil {
		b.failed, b.out = err.Error(), nil
	}
}

// try is add with an error. A model that panics has an error.
func (b *beside) try(rec arrow.Record, ordinals []int64, scored func(i int) bool) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the model broke off: %v", p)
		}
	}()
	if err := b.scorer.Score(&b.scores, rec); err != nil {
		return err
	}
	if have, want := b.scores.Rows(), int(rec.NumRows()); have != want || b.scores.Outputs != b.scorer.Outputs() {
		return fmt.Errorf("the model gave %d scores for %d rows", have, want)
	}
	b.numbers.read(&b.scores)
	rows := b.record(rec, b.entity, ordinals, columnName)
	defer rows.Release()
	published := b.record(rec, b.keep, nil, publishedName)
	defer published.Release()
	return runs(int(rec.NumRows()), scored, func(from, to int) error {
		for _, values := range b.numbers.outputs {
			for _, v := range values[from:to] {
				if math.IsNaN(v) || math.IsInf(v, 0) {
					return fmt.Errorf("the model gave a row the score %g, which is no finite number", v)
				}
			}
		}
		if b.checker != nil {
			slice := published.NewSlice(int64(from), int64(to))
			defer slice.Release()
			if _, err := b.checker.Add(slice); err != nil {
				return fmt.Errorf("scores: %w", err)
			}
		}
		slice := rows.NewSlice(int64(from), int64(to))
		defer slice.Release()
		return b.out.write(slice)
	})
}

// columnName and publishedName name raw score (0) and prediction (1) of output o of k in
// a score file and in the published table.
func columnName(o, k, which int) string { return fmt.Sprintf([]string{"raw_%d", "pred_%d"}[which], o) }

func publishedName(o, k, which int) string { return ScoreColumns(o, k)[1-which].Name }

// record returns columns of the input and the scores beside them, with the ordinals of
// the rows between if there are some.
func (b *beside) record(rec arrow.Record, columns []string, ordinals []int64, name func(o, k, which int) string) arrow.Record {
	fields, cols := pick(rec, columns)
	if ordinals != nil {
		fields = append(fields, arrow.Field{Name: ColumnRow, Type: arrow.PrimitiveTypes.Int64})
		cols = append(cols, columnar.Int64s(ordinals))
	}
	for i, values := range b.numbers.outputs {
		fields = append(fields, floatField(name(i/2, b.scores.Outputs, i%2)))
		cols = append(cols, columnar.Float64s(values))
	}
	return array.NewRecord(arrow.NewSchema(fields, nil), cols, rec.NumRows())
}

// output returns what the model made of the shard.
func (b *beside) output() ModelOutput {
	if b.failed != "" {
		return ModelOutput{Failed: b.failed}
	}
	data, err := b.out.close()
	if err != nil {
		return ModelOutput{Failed: err.Error()}
	}
	out := ModelOutput{Scores: data}
	if b.checker != nil {
		result := b.checker.Result()
		out.Output = &result
	}
	return out
}

// RescoreInput is a shard whose rows other models score after the fact.
type RescoreInput struct {
	File     *columnar.File
	Name     string // the file's key, for errors
	Shard    run.Shard
	Contract *contract.Contract
	Output   *contract.Contract // of the scores; may be nil
	Champion model.Scorer       // of the run: the content digest is over the columns that its pass read
	Keep     []string
	Models   []model.Scorer // a nil one cannot be loaded
	Scores   *columnar.File // score file of the champion: its rows are scored; nil if there are none
	Progress func(rows int64)
}

// Rescore lets models score the rows that a pass has scored before. The score files are
// those that the pass would have written with these models beside the champion, byte by
// byte. content is the digest of the decoded columns, as in [Output].
func Rescore(ctx context.Context, in RescoreInput) (content [32]byte, out []ModelOutput, err error) {
	scored, err := scoredRows(ctx, in.Scores, in.Shard)
	if err != nil {
		return content, nil, err
	}
	columns, err := Columns(in.File, in.Contract, in.Champion, in.Keep)
	if err != nil {
		return content, nil, err
	}
	all := newBesides(in.Models, in.File, in.Contract, in.Output, in.Keep, in.Champion.Outputs(), in.Shard.Rows)
	hash := newContentHash(columns)
	var row int64
	var ordinals []int64
	opts := columnar.ReadOptions{Columns: inputsOf(all, columns), FirstGroup: in.Shard.FirstGroup, Groups: in.Shard.Groups}
	for rec, err := range in.File.Records(ctx, opts) {
		if err != nil {
			return content, nil, err
		}
		if row+rec.NumRows() > in.Shard.Rows {
			return content, nil, fmt.Errorf("%s: more rows than the %d of the plan", in.Name, in.Shard.Rows)
		}
		base := first(rec, len(columns))
		hash.add(base)
		base.Release()
		ordinals = ordinals[:0]
		for i := range rec.NumRows() {
			ordinals = append(ordinals, in.Shard.FirstRow+row+i)
		}
		for _, b := range all {
			b.add(rec, ordinals, func(i int) bool { return scored[row+int64(i)] })
		}
		row += rec.NumRows()
		if in.Progress != nil {
			in.Progress(row)
		}
	}
	hash.total(&content)
	for _, b := range all {
		out = append(out, b.output())
	}
	return content, out, nil
}

// scoredRows marks the rows of a shard that have a score.
func scoredRows(ctx context.Context, scores *columnar.File, shard run.Shard) ([]bool, error) {
	scored := make([]bool, shard.Rows)
	if scores == nil {
		return scored, nil
	}
	for rec, err := range scores.Records(ctx, columnar.ReadOptions{Columns: []string{ColumnRow}}) {
		if err != nil {
			return nil, err
		}
		for _, v := range rec.Column(0).(*array.Int64).Int64Values() {
			if v -= shard.FirstRow; v < 0 || v >= shard.Rows {
				return nil, fmt.Errorf("score file has row %d, which is not of the shard", v+shard.FirstRow)
			} else {
				scored[v] = true
			}
		}
	}
	return scored, nil
}
