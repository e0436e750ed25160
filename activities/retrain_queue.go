package activities

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"headgate/internal/store"
	"headgate/internal/train"
)

// PrepareModelOutput is what a trainer on a task queue is asked, or why it is not.
type PrepareModelOutput struct {
	Request *train.TaskRequest `json:"request,omitempty"`
	Blocked *TrainModelOutput  `json:"blocked,omitempty"`
}

// PrepareModel looks for leaks and writes the files that a trainer on another task queue
// reads, in the store, where both sides must see them.
func (a *Activities) PrepareModel(ctx context.Context, in TrainModelInput) (PrepareModelOutput, error) {
	return stage(ctx, func(ctx context.Context, _ func(Progress)) (PrepareModelOutput, error) {
		t, err := a.newTraining(ctx, in)
		if err != nil {
			return PrepareModelOutput{}, err
		}
		if strings.Contains(a.store.URL(), "REDACTED") {
			return PrepareModelOutput{}, fail(KindConfig, "the store's URL has a secret in it, which a trainer on another task queue must not see; give the secret in the environment")
		}
		request, err := a.taskQueue(ctx, t).Prepare(ctx, t.job)
		if err == nil {
			return PrepareModelOutput{Request: request}, nil
		}
		blocked, err := a.saveTrained(ctx, t, nil, err)
		return PrepareModelOutput{Blocked: &blocked}, err
	})
}

// FinishModelInput is what a trainer on a task queue answered, or why it did not.
type FinishModelInput struct {
	TrainModelInput
	Answer *train.Answer `json:"answer,omitempty"`
	Failed string        `json:"failed,omitempty"`
}

// FinishModel checks the model of a trainer on a task queue, and calibrates it.
func (a *Activities) FinishModel(ctx context.Context, in FinishModelInput) (TrainModelOutput, error) {
	return stage(ctx, func(ctx context.Context, _ func(Progress)) (TrainModelOutput, error) {
		t, err := a.newTraining(ctx, in.TrainModelInput)
		if err != nil {
			return TrainModelOutput{}, err
		}
		if in.Failed != "" || in.Answer == nil {
			return a.saveTrained(ctx, t, nil, fmt.Errorf("trainer on task queue %s: %s", t.plan.Training.TaskQueue, in.Failed))
		}
		result, err := a.taskQueue(ctx, t).Finish(ctx, t.job, in.Answer)
		return a.saveTrained(ctx, t, result, err)
	})
}

// taskQueue keeps the files of a trainer on a task queue in the window's folder.
func (a *Activities) taskQueue(ctx context.Context, t *training) train.TaskQueue {
	dir := t.dir + "/exchange"
	return train.TaskQueue{
		Base: a.folderURL(dir),
		Create: func(name string) (io.WriteCloser, error) {
			return &upload{t: t, put: func(data []byte) error { return a.store.Put(ctx, dir+"/"+name, data) }}, nil
		},
		Read: func(name string) ([]byte, error) {
			data, err := a.store.Get(ctx, dir+"/"+name)
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				t.failed = err
			}
			return data, err
		},
	}
}

// folderURL returns the URL of a folder of the store. What a URL of a bucket says after a
// question mark is for this program; others find it in their environment.
func (a *Activities) folderURL(dir string) string {
	base, _, _ := strings.Cut(a.store.URL(), "?")
	if !strings.Contains(base, "://") {
		base = "file://" + base
	}
	return strings.TrimSuffix(base, "/") + "/" + dir
}

// An upload is a file that is stored when it is closed.
type upload struct {
	bytes.Buffer
	t   *training
	put func(data []byte) error
}

// Close stores the file.
func (u *upload) Close() error {
	err := u.put(u.Bytes())
	if err != nil && u.t.failed == nil {
		u.t.failed = err
	}
	return err
}
