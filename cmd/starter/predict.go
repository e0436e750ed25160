package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"strings"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/spf13/cobra"

	"headgate/internal/columnar"
	"headgate/internal/model"
	"headgate/internal/model/lightgbm"
)

// csvRows is the number of rows that are read from a CSV file at once.
const csvRows = 16384

// prediction is what predict was asked for.
type prediction struct {
	model, data, out string
	start, count     int
	leaves           bool
}

func newPredictCommand(e *env) *cobra.Command {
	var p prediction
	c := &cobra.Command{
		Use:   "predict --model M --data F",
		Short: "Score a local file, without Temporal",
		Long: `predict scores every row of a Parquet or CSV file with a LightGBM model file. It
is the quickest way to check that a model means here what it meant where it was
trained: raw scores equal LightGBM's bit for bit.

The answer has columns raw_0 … (margins) and pred_0 … (probabilities, amounts),
one of each for every output of the model, in the order of the rows. CSV numbers
have 17 significant digits.

The data need a column for every feature of the model, in any order; others are
ignored. A CSV file needs a header, and an empty field in it is missing. Text
columns are read through the categories that the model file keeps.`,
		Example: `  starter predict --model model.txt --data 2024-01.parquet | head
  starter predict --model model.txt --data rows.csv --out scores.parquet
  starter predict --model model.txt --data rows.csv --num-iteration 50 --leaves`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError{fmt.Errorf("predict takes no arguments, got %q; name the files with --model and --data", args[0])}
			}
			return nil
		},
		RunE: func(c *cobra.Command, _ []string) error {
			if err := p.check(); err != nil {
				return usageError{err}
			}
			return p.run(c.Context(), e)
		},
	}
	f := c.Flags()
	f.StringVar(&p.model, "model", "", "LightGBM model `file` in text form")
	f.StringVar(&p.data, "data", "", "`file` to score, .parquet or .csv")
	f.StringVar(&p.out, "out", "-", "`file` to write, .parquet or .csv; - is CSV on standard output")
	f.IntVar(&p.start, "start-iteration", 0, "first `iteration` of the model to use")
	f.IntVar(&p.count, "num-iteration", 0, "`number` of iterations to use; 0 is all")
	f.BoolVar(&p.leaves, "leaves", false, "write the leaf of each tree instead of scores; CSV has no header then")
	return c
}

// check refuses what cannot be meant.
func (p *prediction) check() error {
	switch {
	case p.model == "":
		return errors.New("predict needs a model; name it with --model")
	case p.data == "":
		return errors.New("predict needs rows; name their file with --data")
	case extension(p.data) == "":
		return fmt.Errorf("--data %s: predict reads .parquet and .csv files", p.data)
	case p.out != "-" && extension(p.out) == "":
		return fmt.Errorf("--out %s: predict writes .parquet and .csv files, or - for standard output", p.out)
	case p.start < 0 || p.count < 0:
		return errors.New("--start-iteration and --num-iteration cannot be negative")
	}
	for _, in := range []string{p.model, p.data} {
		if sameFile(in, p.out) {
			return fmt.Errorf("--out %s would replace a file that predict reads", p.out)
		}
	}
	return nil
}

// extension is "parquet" or "csv", or "" for all others.
func extension(name string) string {
	switch ext := strings.ToLower(filepath.Ext(name)); ext {
	case ".parquet", ".csv":
		return ext[1:]
	}
	return ""
}

func sameFile(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}

// run scores the data, record by record.
func (p *prediction) run(ctx context.Context, e *env) error {
	text, err := os.ReadFile(p.model)
	if err != nil {
		return err
	}
	m, err := lightgbm.Parse(text, model.Options{Start: p.start, Count: p.count})
	if err != nil {
		return fmt.Errorf("%s: %w", p.model, err)
	}
	data, err := os.Open(p.data)
	if err != nil {
		return err
	}
	defer data.Close()
	rows, err := p.rows(ctx, data, m)
	if err != nil {
		return inFile(p.data, err)
	}
	schema := model.Schema(m.Outputs())
	if p.leaves {
		schema = m.LeafSchema()
	}
	out, err := p.create(e, schema)
	if err != nil {
		return err
	}
	defer out.discard()
	if err := p.score(ctx, e, m, rows, out); err != nil {
		return err
	}
	return out.commit()
}

// rows returns the columns of data that m reads.
func (p *prediction) rows(ctx context.Context, data *os.File, m *lightgbm.Model) (iter.Seq2[arrow.Record, error], error) {
	if extension(p.data) == "csv" {
		return model.ReadCSV(data, m.Inputs(), csvRows), nil
	}
	info, err := data.Stat()
	if err != nil {
		return nil, err
	}
	f, err := columnar.Open(data, info.Size(), nil)
	if err != nil {
		return nil, err
	}
	return f.Records(ctx, columnar.ReadOptions{Columns: m.FeatureNames()}), nil
}

// score writes one record of answers for each record of rows.
func (p *prediction) score(ctx context.Context, e *env, m *lightgbm.Model, rows iter.Seq2[arrow.Record, error], out *output) error {
	var scores model.Scores
	meter := newMeter(e.stderr, "scored")
	for rec, err := range rows {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return inFile(p.data, err)
		}
		var answer arrow.Record
		if p.leaves {
			answer, err = m.LeafRecord(rec)
		} else if err = m.Score(&scores, rec); err == nil {
			answer = scores.Record()
		}
		if err != nil {
			return fmt.Errorf("%s: %w", p.data, err)
		}
		err = out.Write(answer)
		answer.Release()
		if err != nil {
			return err
		}
		meter.add(int(rec.NumRows()))
	}
	meter.end()
	return nil
}
