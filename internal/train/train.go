// Package train makes a model from rows: with the built-in trainer, with any program,
// or by giving the trees of an old model a new calibration.
//
// Start with [Manifest], which says what is to be learned from what, and [Trainer].
// [OutOfTime] chooses the batches of each part, [Guard] looks for leaks before any
// training. The package knows neither storage nor Temporal: rows come in as records,
// bytes go out, and equal rows, manifests and seeds give equal bytes.
//
// It never judges a model by the rows that it learned from: what a trainer reports are
// the metric of the rows that told it when to stop, and evidence of the calibration,
// which is cross-fitted. Packages evaluate and compare judge, on later batches.
package train

import (
	"context"
	"iter"

	"github.com/apache/arrow/go/v17/arrow"

	"headgate/internal/model"
	"headgate/internal/train/gbdt"
)

// A Trainer makes a model. Equal jobs give equal results, as far as the trainer is
// ours: a [Command] does what its program does.
type Trainer interface {
	// Train returns ctx's error soon after ctx ends. A leak is a *[LeakError], a label
	// that nothing can be learned from a *[LabelError].
	Train(ctx context.Context, j Job) (*Result, error)
}

// Rows are records that can be ranged over again and again, with the same rows each
// time. A record is valid until the next one.
type Rows = iter.Seq2[arrow.Record, error]

// A Job is what a trainer works on. Rows have the columns that the manifest names, and
// may have others.
type Job struct {
	Manifest    Manifest
	Train       Rows
	Valid       Rows // tell when to stop; nil if nothing does
	Calibration Rows // that the calibration is fitted on; nil means those of Valid

	Formats model.Formats // that can read the model, to calibrate and to check it
	Threads int           // that work at the same time; 0 means as many as Go may use
	// Progress is called after each round. An error of it ends the training and is
	// returned; nil means that nobody watches.
	Progress func(Progress) error
	Resume   []byte // what Progress.Checkpoint returned in an earlier attempt; nil to begin
}

// ErrCheckpoint means that Job.Resume is not of this training: it was made from other
// rows or with other parameters, or is damaged. Without it the training begins anew.
var ErrCheckpoint = gbdt.ErrCheckpoint

// Progress is where a training is.
type Progress struct {
	Round, Rounds int     // done, from 1; at most. 0 if the trainer does not say
	Metric        string  // what Value is, of the validation part; empty if there is none
	Value         float64 // after this round
	Best          int     // the round with the best value so far
	// Checkpoint returns what is needed to go on after this round; it is valid during
	// the call only. It is nil if the trainer cannot go on.
	Checkpoint func() ([]byte, error)
}

// A Result is what a bundle is made of.
type Result struct {
	Format      string // of Model, a key of model.Formats
	Model       []byte
	Categories  map[string][]string // dictionaries that the model does not hold
	Calibration *model.Calibration  // nil if there is none
	Manifest    Manifest            // the job's, with its Results
	Log         string              // end of what a program wrote on standard error, without secrets
}

// Scorer reads the model of a result, with its calibration.
func (r *Result) Scorer(formats model.Formats) (model.Scorer, error) {
	s, err := parseModel(formats, r.Format, r.Model, model.Options{Categories: r.Categories})
	if err != nil {
		return nil, err
	}
	return model.Calibrated(s, r.Calibration)
}
