//go:build e2e

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	sdkworker "go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"headgate/cmd/dev/devserver"
	"headgate/internal/model"
	"headgate/internal/model/lightgbm"
	"headgate/internal/train"
)

// The queues of the workflow and of the trainer.
const (
	trainingQueue = "training"
	pythonQueue   = "python"
)

// TrainElsewhere runs the activity of a trainer on its own task queue.
func TrainElsewhere(ctx workflow.Context, r train.TaskRequest) (*train.Answer, error) {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue: pythonQueue, StartToCloseTimeout: 5 * time.Minute, HeartbeatTimeout: 5 * time.Second,
		WaitForCancellation: true, RetryPolicy: &temporal.RetryPolicy{MaximumAttempts: 1},
	})
	var a train.Answer
	err := workflow.ExecuteActivity(ctx, train.TrainActivity, r).Get(ctx, &a)
	return &a, err
}

// The Python worker of deploy/trainer-python trains on rows that it gets as files; what it
// writes is a model here, calibrated, with the versions of its libraries.
func TestTrainerInPython(t *testing.T) {
	c := newTrainingSite(t)
	dir := t.TempDir()
	q := train.TaskQueue{
		Base:   "file://" + filepath.ToSlash(dir),
		Create: func(name string) (io.WriteCloser, error) { return os.Create(filepath.Join(dir, name)) },
		Read:   func(name string) ([]byte, error) { return os.ReadFile(filepath.Join(dir, name)) },
		Execute: func(ctx context.Context, r train.TaskRequest) (*train.Answer, error) {
			w, err := c.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: "well", TaskQueue: trainingQueue}, TrainElsewhere, r)
			if err != nil {
				return nil, err
			}
			var a train.Answer
			err = w.Get(ctx, &a)
			return &a, err
		},
	}
	formats := model.Formats{"lightgbm": lightgbm.Format}
	r, err := q.Train(t.Context(), train.Job{Manifest: towns(), Train: townRows(5000, 1), Valid: townRows(2000, 2), Formats: formats})
	if err != nil {
		t.Fatal(err)
	}
	got := r.Manifest.Results
	t.Logf("%d rounds, %s %g, %v", got.Rounds, got.Metric, got.Value, got.Libraries)
	if got.Libraries["lightgbm"] != "4.6.0" || got.Libraries["python"] == "" || got.Metric != "auc" || got.Value < 0.8 || got.Rounds == 0 || got.Stopped == "" {
		t.Errorf("got %+v", got)
	}
	s, err := r.Scorer(formats)
	if err != nil {
		t.Fatal(err)
	}
	own, err := train.GBDT{}.Train(t.Context(), train.Job{Manifest: towns(), Train: townRows(5000, 1), Valid: townRows(2000, 2), Formats: formats})
	if err != nil {
		t.Fatal(err)
	}
	if diff := got.Value - own.Manifest.Results.Value; s.Outputs() != 1 || diff < -0.01 || diff > 0.01 {
		t.Errorf("its AUC is %g, that of the built-in trainer %g", got.Value, own.Manifest.Results.Value)
	}
}

// A training that is cancelled ends within a round, and says until then where it is.
func TestTrainerInPythonIsCancelled(t *testing.T) {
	c := newTrainingSite(t)
	dir := t.TempDir()
	q := train.TaskQueue{Base: "file://" + filepath.ToSlash(dir),
		Create: func(name string) (io.WriteCloser, error) { return os.Create(filepath.Join(dir, name)) }}
	m := towns()
	m.Parameters["num_iterations"], m.Parameters["early_stopping_round"] = "1000000", "1000000"
	r, err := q.Prepare(t.Context(), train.Job{Manifest: m, Train: townRows(5000, 1), Valid: townRows(2000, 2)})
	if err != nil {
		t.Fatal(err)
	}
	w, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: "long", TaskQueue: trainingQueue}, TrainElsewhere, *r)
	if err != nil {
		t.Fatal(err)
	}
	for round := 0; round < 5; time.Sleep(50 * time.Millisecond) {
		if round, err = heartbeat(t.Context(), c, "long"); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.CancelWorkflow(t.Context(), "long", ""); err != nil {
		t.Fatal(err)
	}
	var canceled *temporal.CanceledError
	if err := w.Get(t.Context(), nil); !errors.As(err, &canceled) {
		t.Errorf("got %v, want a cancelled activity", err)
	}
	if _, err := os.Stat(filepath.Join(dir, r.Model)); err == nil {
		t.Error("a cancelled training left a model")
	}
}

// heartbeat returns the last round that the activity of a workflow has told.
func heartbeat(ctx context.Context, c client.Client, id string) (int, error) {
	d, err := c.DescribeWorkflowExecution(ctx, id, "")
	if err != nil {
		return 0, err
	}
	if status := d.GetWorkflowExecutionInfo().GetStatus(); status != enums.WORKFLOW_EXECUTION_STATUS_RUNNING {
		return 0, fmt.Errorf("the workflow is %s", status)
	}
	if len(d.PendingActivities) == 0 {
		return 0, nil
	}
	if f := d.PendingActivities[0].GetLastFailure(); f != nil {
		return 0, errors.New(f.GetMessage())
	}
	details := d.PendingActivities[0].GetHeartbeatDetails().GetPayloads()
	if len(details) == 0 {
		return 0, nil
	}
	var said struct{ Round int }
	err = json.Unmarshal(details[0].Data, &said)
	return said.Round, err
}

// newTrainingSite runs a server, a worker with the workflow, and the trainer in Python.
func newTrainingSite(t *testing.T) client.Client {
	t.Helper()
	s, err := devserver.Start(t.Context(), t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	c, err := client.Dial(client.Options{HostPort: s.Address()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	w := sdkworker.New(c, trainingQueue, sdkworker.Options{})
	w.RegisterWorkflow(TrainElsewhere)
	if err := w.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Stop)
	python := os.Getenv("HEADGATE_PYTHON")
	if python == "" {
		python = filepath.Join(home(), ".venv", "bin", "python")
	}
	cmd := exec.Command(python, filepath.Join(home(), "deploy", "trainer-python", "trainer.py"), pythonQueue)
	cmd.Env = append(os.Environ(), "TEMPORAL_ADDRESS="+s.Address())
	cmd.Stdout, cmd.Stderr = t.Output(), t.Output()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cmd.Process.Signal(os.Kill); err != nil {
			t.Errorf("the trainer ended before its time: %v", err)
		}
		_ = cmd.Wait() // it was killed
	})
	return c
}

// towns is the manifest of a training on townRows.
func towns() train.Manifest {
	return train.Manifest{Format: train.ManifestFormat, Seed: 1, Label: "y", Weight: "w", Calibrate: model.Platt,
		Parameters: map[string]string{"objective": "binary", "metric": "auc", "num_iterations": "300", "early_stopping_round": "10", "min_data_in_leaf": "50"},
		Features:   []train.Feature{{Name: "age", Kind: "numeric"}, {Name: "town", Kind: "categorical"}, {Name: "member", Kind: "numeric"}}}
}

// townRows are rows whose label follows from age and town, as far as noise lets it.
func townRows(rows int, seed uint64) train.Rows {
	schema := arrow.NewSchema([]arrow.Field{{Name: "age", Type: arrow.PrimitiveTypes.Float64, Nullable: true}, {Name: "town", Type: arrow.BinaryTypes.String, Nullable: true},
		{Name: "member", Type: arrow.FixedWidthTypes.Boolean}, {Name: "w", Type: arrow.PrimitiveTypes.Float64}, {Name: "y", Type: arrow.FixedWidthTypes.Boolean}}, nil)
	return func(yield func(arrow.Record, error) bool) {
		draw := rand.New(rand.NewPCG(seed, 0))
		b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
		defer b.Release()
		for range rows {
			age, town := draw.NormFloat64(), draw.IntN(5)
			if draw.IntN(10) == 0 {
				b.Field(0).AppendNull()
			} else {
				b.Field(0).(*array.Float64Builder).Append(age)
			}
			b.Field(1).(*array.StringBuilder).Append("town " + strings.Repeat("I", town+1))
			b.Field(2).(*array.BooleanBuilder).Append(draw.IntN(2) == 0)
			b.Field(3).(*array.Float64Builder).Append(0.5 + draw.Float64())
			b.Field(4).(*array.BooleanBuilder).Append(2*age+float64(town)-2+draw.NormFloat64() > 0)
		}
		rec := b.NewRecord()
		defer rec.Release()
		yield(rec, nil)
	}
}
