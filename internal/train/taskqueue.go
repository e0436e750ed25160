package train

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// TrainActivity is the name of the activity that a trainer on a task queue offers. Its
// input is a [TaskRequest], its output an [Answer], both as JSON.
const TrainActivity = "TrainModel"

// A TaskRequest is what the activity gets.
type TaskRequest struct {
	Manifest Manifest `json:"manifest"` // without results: schemas/manifest.json
	// Base is the URL of a place that both sides see, without a slash at the end:
	// file:///…, s3://bucket/…. The names below are of files in it.
	Base  string `json:"base"`
	Train string `json:"train"`           // Parquet: rows to learn from
	Valid string `json:"valid,omitempty"` // Parquet: rows that tell when to stop; empty if nothing does
	Model string `json:"model"`           // file to write; the answer names it
}

// A TaskQueue is a trainer in any language, which offers [TrainActivity] on a task queue
// of its own; deploy/trainer-python is one. This package knows no Temporal: how the
// activity is called, and how files get to Base and from there, the caller says.
//
// Leak guard and calibration are ours. Heartbeats, time-outs and cancellation are those
// of the activity.
type TaskQueue struct {
	Base    string // see TaskRequest
	Create  func(name string) (io.WriteCloser, error)
	Read    func(name string) ([]byte, error)
	Execute func(ctx context.Context, r TaskRequest) (*Answer, error)
}

// taskModel is the name of the file that the model is written to.
const taskModel = "model.txt"

// Train is Prepare, the activity, and Finish.
func (q TaskQueue) Train(ctx context.Context, j Job) (*Result, error) {
	request, err := q.Prepare(ctx, j)
	if err != nil {
		return nil, err
	}
	answer, err := q.Execute(ctx, *request)
	if err != nil {
		return nil, err
	}
	return q.Finish(ctx, j, answer)
}

// Prepare looks for leaks, and writes the files of the activity. A workflow runs it in an
// activity of its own.
func (q TaskQueue) Prepare(ctx context.Context, j Job) (*TaskRequest, error) {
	l, err := begin(ctx, j)
	if err != nil {
		return nil, err
	}
	r := &TaskRequest{Manifest: l.manifest, Base: q.Base, Train: trainFile, Model: taskModel}
	if err := q.write(trainFile, l.train, &l.manifest); err != nil {
		return nil, fmt.Errorf("trainer on a task queue: training part: %w", err)
	}
	if l.valid == nil {
		return r, nil
	}
	r.Valid = validFile
	if err := q.write(validFile, l.valid, &l.manifest); err != nil {
		return nil, fmt.Errorf("trainer on a task queue: validation part: %w", err)
	}
	return r, nil
}

func (q TaskQueue) write(name string, rows Rows, m *Manifest) (err error) {
	w, err := q.Create(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	return writeRows(w, rows, m.Columns())
}

// Finish checks and calibrates the model that an answer names, and completes the job's
// manifest. It reads the rows of the job again.
func (q TaskQueue) Finish(ctx context.Context, j Job, a *Answer) (*Result, error) {
	if err := a.check(); err != nil {
		return nil, err
	}
	l, err := begin(ctx, j)
	if err != nil {
		return nil, err
	}
	data, err := q.Read(a.Model)
	if err != nil {
		return nil, fmt.Errorf("the model of the trainer on a task queue: %w", err)
	}
	if err := l.countValid(); err != nil {
		return nil, err
	}
	l.results.answer("taskQueue", a)
	return l.finish(ctx, a.Format, data, a.Categories)
}

// countValid counts the rows of the validation part, which nothing else here reads.
func (l *learning) countValid() error {
	if l.valid == nil {
		return nil
	}
	for _, err := range l.valid {
		if err != nil {
			return err
		}
	}
	return nil
}
