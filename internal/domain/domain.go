// Package domain asks a model whether it can tell two batches apart: a domain
// classifier.
//
// Measures of single columns miss a change of how columns go together. A booster that
// is trained to tell rows of one batch from rows of another, and judged on rows that it
// did not see, misses little: an area under the ROC curve of 0.5 means that the batches
// are alike, and the features that it splits on are those that differ.
//
// Unlike package drift it needs rows of both sides, not profiles.
//
// Source: Lopez-Paz and Oquab, "Revisiting Classifier Two-Sample Tests", 2017.
package domain

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/zeebo/xxh3"

	"headgate/internal/columnar"
	"headgate/internal/evaluate"
	"headgate/internal/model"
	"headgate/internal/model/lightgbm"
	"headgate/internal/sketch"
	"headgate/internal/train/gbdt"
)

// The defaults of [Options].
const (
	DefaultRows  = 20_000
	DefaultFolds = 5
	DefaultBound = 0.55
)

// MinRows is how many rows either side must have.
const MinRows = 200

// Rows are records that can be ranged over again and again, with the same rows each
// time. A record is valid until the next one.
type Rows = iter.Seq2[arrow.Record, error]

// Options tune a classification. The zero value is good.
type Options struct {
	Rows  int     // of either side that are looked at, about; 0 means 20,000
	Folds int     // of the cross-validation, 2 to 20; 0 means 5
	Bound float64 // the area from which batches differ, in [0.5, 1); 0 means 0.55
	Level float64 // of the interval, in (0, 1); 0 means 0.95
	Seed  uint64  // of the choice of rows and folds

	// Key are the columns that name whom a row is about. Rows of one entity are judged
	// together: a classifier that has learned from somebody's row of the other side would
	// take the row of this side for it. Without a key every row is somebody else.
	Key []string
}

// A Result says how well two batches can be told apart.
type Result struct {
	Reference int64             `json:"reference"` // rows that were looked at
	Current   int64             `json:"current"`
	AUC       evaluate.Estimate `json:"auc"`   // of the classifier, on rows that it did not learn from
	Bound     float64           `json:"bound"` // see Options
	Drift     bool              `json:"drift"` // the whole interval is above the bound
	Features  []Feature         `json:"features"`
}

// A Feature is what the classifier looks at to tell rows apart.
type Feature struct {
	Name  string  `json:"name"`
	Share float64 `json:"share"` // of the classifiers' gain, in (0, 1]; all together are 1
}

// column names whose batch a row is of. No file can have it.
const column = "headgate\x00current"

// classifier is what each fold trains.
var classifier = map[string]string{
	"objective": "binary", "num_iterations": "60", "num_leaves": "15", "learning_rate": "0.1",
	"min_data_in_leaf": "50", "feature_fraction": "0.8", "lambda_l2": "1",
}

// Classify trains classifiers on parts of both batches and judges each of them on the
// part that it did not see. features are the columns that it may look at, which both
// sides must have: texts are categories, all others numbers.
func Classify(ctx context.Context, reference, current Rows, features []model.Input, o *Options) (*Result, error) {
	opts, err := o.filled()
	if err != nil {
		return nil, err
	}
	if len(features) == 0 {
		return nil, errors.New("domain: there is no feature to tell batches apart by")
	}
	s := sample{opts: opts, features: features}
	defer s.release()
	out := &Result{Bound: opts.Bound}
	if out.Reference, err = s.add(ctx, reference, 0); err != nil {
		return nil, fmt.Errorf("reference: %w", err)
	}
	if out.Current, err = s.add(ctx, current, 1); err != nil {
		return nil, fmt.Errorf("current batch: %w", err)
	}
	if out.Reference < MinRows || out.Current < MinRows {
		return nil, fmt.Errorf("domain: %d and %d rows are too few to tell batches apart; %d each are needed", out.Reference, out.Current, MinRows)
	}
	scores := evaluate.Data{Scores: make([]float64, len(s.labels)), Labels: s.labels}
	gains := map[string]float64{}
	for fold := range opts.Folds {
		if err := s.judge(ctx, fold, scores.Scores, gains); err != nil {
			return nil, err
		}
	}
	if out.AUC, err = evaluate.Of(evaluate.AUC, scores, &evaluate.Options{Level: opts.Level}); err != nil {
		return nil, err
	}
	out.Drift = out.AUC.Low > opts.Bound
	out.Features = shares(gains)
	return out, nil
}

// filled returns the options with their defaults.
func (o *Options) filled() (Options, error) {
	f := Options{}
	if o != nil {
		f = *o
	}
	if f.Rows == 0 {
		f.Rows = DefaultRows
	}
	if f.Folds == 0 {
		f.Folds = DefaultFolds
	}
	if f.Bound == 0 {
		f.Bound = DefaultBound
	}
	if f.Level == 0 {
		f.Level = 0.95
	}
	switch {
	case f.Rows < MinRows:
		return f, fmt.Errorf("domain: %d rows of a side are too few; at least %d are needed", f.Rows, MinRows)
	case f.Folds < 2 || f.Folds > 20:
		return f, fmt.Errorf("domain: %d folds; there must be 2 to 20", f.Folds)
	case !(f.Bound >= 0.5 && f.Bound < 1):
		return f, fmt.Errorf("domain: the bound is %g, and must be at least 0.5 and below 1", f.Bound)
	case !(f.Level > 0 && f.Level < 1):
		return f, fmt.Errorf("domain: the level is %g, and must be between 0 and 1", f.Level)
	}
	return f, nil
}

// A sample is rows of both sides, each with its label and fold.
type sample struct {
	opts     Options
	features []model.Input
	records  []arrow.Record
	folds    [][]int // by record and row
	labels   []float64
}

func (s *sample) release() {
	for _, rec := range s.records {
		rec.Release()
	}
}

// add takes about opts.Rows rows of a side and returns how many.
func (s *sample) add(ctx context.Context, rows Rows, side int) (int64, error) {
	var all int64
	for rec, err := range rows {
		if err = errors.Join(err, ctx.Err()); err != nil {
			return 0, err
		}
		all += rec.NumRows()
	}
	share := float64(s.opts.Rows) / float64(max(all, 1))
	var row, taken int64
	for rec, err := range rows {
		if err = errors.Join(err, ctx.Err()); err != nil {
			return 0, err
		}
		n, err := s.take(rec, row, side, share)
		if err != nil {
			return 0, err
		}
		taken += n
		row += rec.NumRows()
	}
	return taken, nil
}

// take keeps a share of a record's rows, which are those from first on of their side.
func (s *sample) take(rec arrow.Record, first int64, side int, share float64) (int64, error) {
	keep := make([]bool, rec.NumRows())
	hashes, err := s.hashes(rec, first, side)
	if err != nil {
		return 0, err
	}
	var folds []int
	for i, h := range hashes {
		if keep[i] = float64(h>>11)/(1<<53) < share; keep[i] {
			folds = append(folds, int(sketch.Mix(h)%uint64(s.opts.Folds)))
		}
	}
	if len(folds) == 0 {
		return 0, nil
	}
	picked, err := s.pick(rec)
	if err != nil {
		return 0, err
	}
	defer picked.Release()
	kept, err := columnar.Take(picked, keep)
	if err != nil {
		return 0, err
	}
	defer kept.Release()
	s.records = append(s.records, labelled(kept, side))
	s.folds = append(s.folds, folds)
	for range folds {
		s.labels = append(s.labels, float64(side))
	}
	return int64(len(folds)), nil
}

// hashes returns a number for each row of a record, which is that of its entity.
func (s *sample) hashes(rec arrow.Record, first int64, side int) ([]uint64, error) {
	out := make([]uint64, rec.NumRows())
	for i := range out {
		out[i] = sketch.Mix(s.opts.Seed)
		if len(s.opts.Key) == 0 {
			out[i] = sketch.Mix(out[i] ^ sketch.Mix((uint64(first)+uint64(i))<<1|uint64(side)))
		}
	}
	for _, name := range s.opts.Key {
		at := rec.Schema().FieldIndices(name)
		if len(at) != 1 {
			return nil, fmt.Errorf("column %q, of the key, is missing", name)
		}
		values := rec.Column(at[0])
		for i := range out {
			out[i] = sketch.Mix(out[i] ^ xxh3.HashString(values.ValueStr(i)))
		}
	}
	return out, nil
}

// pick returns the features of a record.
func (s *sample) pick(rec arrow.Record) (arrow.Record, error) {
	var fields []arrow.Field
	var columns []arrow.Array
	for _, f := range s.features {
		at := rec.Schema().FieldIndices(f.Name)
		if len(at) != 1 {
			return nil, fmt.Errorf("column %q is missing", f.Name)
		}
		fields = append(fields, rec.Schema().Field(at[0]))
		columns = append(columns, rec.Column(at[0]))
	}
	return array.NewRecord(arrow.NewSchema(fields, nil), columns, rec.NumRows()), nil
}

// labelled returns a record with the column that says which side it is of.
func labelled(rec arrow.Record, side int) arrow.Record {
	b := array.NewFloat64Builder(memory.DefaultAllocator)
	defer b.Release()
	for range rec.NumRows() {
		b.Append(float64(side))
	}
	labels := b.NewArray()
	defer labels.Release()
	fields := append(slices.Clone(rec.Schema().Fields()), arrow.Field{Name: column, Type: arrow.PrimitiveTypes.Float64})
	return array.NewRecord(arrow.NewSchema(fields, nil), append(slices.Clone(rec.Columns()), labels), rec.NumRows())
}

// part returns the rows of a fold, or all others.
func (s *sample) part(fold int, in bool) Rows {
	return func(yield func(arrow.Record, error) bool) {
		for i, rec := range s.records {
			keep := make([]bool, len(s.folds[i]))
			for row, f := range s.folds[i] {
				keep[row] = (f == fold) == in
			}
			kept, err := columnar.Take(rec, keep)
			if err != nil {
				yield(nil, err)
				return
			}
			more := yield(kept, nil)
			kept.Release()
			if !more {
				return
			}
		}
	}
}

// judge trains a classifier on all rows but a fold's, scores those, and adds what it
// looks at.
func (s *sample) judge(ctx context.Context, fold int, scores []float64, gains map[string]float64) error {
	params, err := gbdt.ParseParams(classifier)
	if err != nil {
		return err
	}
	data, err := gbdt.Load(ctx, s.part(fold, false), gbdt.Columns{Features: s.features, Label: column}, params, nil)
	if err != nil {
		return err
	}
	trained, err := gbdt.Train(ctx, data, nil, params, nil)
	if err != nil {
		return err
	}
	categories := map[string][]string{}
	for _, in := range trained.Inputs {
		if in.Categories != nil {
			categories[in.Name] = in.Categories
		}
	}
	scorer, err := lightgbm.Format(trained.Text, model.Options{Categories: categories})
	if err != nil {
		return err
	}
	for _, in := range scorer.Inputs() {
		gains[in.Name] += in.Importance
	}
	return s.score(scorer, fold, scores)
}

// score writes the scores of a fold's rows to their places.
func (s *sample) score(scorer model.Scorer, fold int, scores []float64) error {
	var out model.Scores
	at := 0
	for i, rec := range s.records {
		if err := scorer.Score(&out, rec); err != nil {
			return err
		}
		for row, f := range s.folds[i] {
			if f == fold {
				scores[at+row] = out.Pred[row]
			}
		}
		at += len(s.folds[i])
	}
	return nil
}

// shares returns the features by their share of the gain, largest first.
func shares(gains map[string]float64) []Feature {
	var total float64
	var list []Feature
	for name, gain := range gains {
		if gain > 0 {
			list = append(list, Feature{name, gain})
		}
	}
	slices.SortFunc(list, func(a, b Feature) int {
		switch {
		case a.Share > b.Share:
			return -1
		case a.Share < b.Share:
			return 1
		}
		return strings.Compare(a.Name, b.Name)
	})
	for _, f := range list {
		total += f.Share
	}
	for i := range list {
		list[i].Share /= total
	}
	return list
}
