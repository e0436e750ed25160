package train_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"strings"
	"testing"

	"headgate/internal/columnar"
	"headgate/internal/model"
	"headgate/internal/train"
)

// A place holds the files of a task queue in memory.
type place map[string]*bytes.Buffer

func (p place) Create(name string) (io.WriteCloser, error) {
	p[name] = new(bytes.Buffer)
	return file{p[name]}, nil
}

func (p place) Read(name string) ([]byte, error) {
	if p[name] == nil {
		return nil, fs.ErrNotExist
	}
	return p[name].Bytes(), nil
}

type file struct{ io.Writer }

func (file) Close() error { return nil }

// execute is a trainer on a task queue: it reads and writes JSON and files only.
func (p place) execute(ctx context.Context, r train.TaskRequest) (*train.Answer, error) {
	text, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	var got train.TaskRequest
	if err := json.Unmarshal(text, &got); err != nil {
		return nil, err
	}
	var rows [2]train.Rows
	for i, name := range []string{got.Train, got.Valid} {
		f, err := columnar.Open(bytes.NewReader(p[name].Bytes()), int64(p[name].Len()), nil)
		if err != nil {
			return nil, err
		}
		rows[i] = f.Records(ctx, columnar.ReadOptions{})
	}
	result, err := train.GBDT{}.Train(ctx, train.Job{Manifest: got.Manifest, Train: rows[0], Valid: rows[1], Formats: formats})
	if err != nil {
		return nil, err
	}
	p[got.Model] = bytes.NewBuffer(result.Model)
	return &train.Answer{Format: "lightgbm", Model: got.Model, Libraries: map[string]string{"play": "2.0"}, Rounds: 20}, nil
}

func TestATaskQueueTrains(t *testing.T) {
	want := done(t, train.GBDT{}, shopJob())
	p := place{}
	j := shopJob()
	j.Manifest.Calibrate = model.Isotonic
	r := done(t, train.TaskQueue{Base: "mem://", Create: p.Create, Read: p.Read, Execute: p.execute}, j)
	got := r.Manifest.Results
	if !bytes.Equal(r.Model, want.Model) || got.Trainer != "taskQueue" || got.Libraries["play"] != "2.0" || got.Valid.Rows != 2000 || r.Calibration == nil {
		t.Errorf("got %+v; the model is the same: %t", got, bytes.Equal(r.Model, want.Model))
	}
}

func TestWhatATaskQueueDoesWrongIsSaid(t *testing.T) {
	broken := errors.New("the worker is gone")
	for _, tt := range []struct {
		name   string
		answer *train.Answer
		err    error
		want   string
	}{
		{"the activity fails", nil, broken, "the worker is gone"},
		{"there is no answer", nil, nil, "does not say of which format"},
		{"no versions", &train.Answer{Format: "lightgbm", Model: "m"}, nil, "no versions of libraries"},
		{"no model", &train.Answer{Format: "lightgbm", Model: "m", Libraries: map[string]string{"a": "1"}}, nil, "the model of the trainer on a task queue: file does not exist"},
		{"no file", &train.Answer{Format: "lightgbm", Libraries: map[string]string{"a": "1"}}, nil, "does not name the model's file"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := place{}
			q := train.TaskQueue{Create: p.Create, Read: p.Read, Execute: func(context.Context, train.TaskRequest) (*train.Answer, error) { return tt.answer, tt.err }}
			if _, err := q.Train(t.Context(), shopJob()); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}
