package activities

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"runtime"
	"slices"
	"time"

	"github.com/apache/arrow/go/v17/arrow"

	"headgate/internal/bundle"
	"headgate/internal/contract"
	"headgate/internal/learn"
	"headgate/internal/model"
	"headgate/internal/pipeline"
	"headgate/internal/registry"
	"headgate/internal/run"
	"headgate/internal/store"
	"headgate/internal/train"
	"headgate/internal/trigger"
)

// defaultCheckpoint is how often a training saves where it is.
const defaultCheckpoint = 5 * time.Second

// TrainModelInput names one window of a training.
type TrainModelInput struct {
	Plan   run.Object   `json:"plan"` // a learn.Plan
	Sets   []run.Object `json:"sets"` // learn.Set of each batch of the plan, in its order
	Window int          `json:"window"`
}

// TrainModelOutput says what came of it. A block is an answer, not a failure.
type TrainModelOutput struct {
	Trained run.Object `json:"trained"` // a learn.Trained
	Verdict string     `json:"verdict"`
	Reasons []string   `json:"reasons,omitempty"`
	Rounds  int        `json:"rounds,omitempty"`
	Rows    int64      `json:"rows,omitempty"`
}

// TrainModel trains one window, or gives the champion a new calibration. The heartbeat
// shows rounds. The built-in trainer saves where it is every few seconds, so another
// worker goes on from there, to the same bytes; it takes half of the processors, for
// scoring goes on.
func (a *Activities) TrainModel(ctx context.Context, in TrainModelInput) (TrainModelOutput, error) {
	return stage(ctx, func(ctx context.Context, report func(Progress)) (TrainModelOutput, error) {
		t, err := a.newTraining(ctx, in)
		if err != nil {
			return TrainModelOutput{}, err
		}
		trainer, err := a.trainer(ctx, t.plan, t.window)
		if err != nil {
			return TrainModelOutput{}, err
		}
		if t.job.Resume, err = a.lastCheckpoint(ctx, t.dir); err != nil {
			return TrainModelOutput{}, err
		}
		t.job.Progress = a.watch(ctx, t, report)
		result, err := trainer.Train(ctx, t.job)
		if errors.Is(err, train.ErrCheckpoint) {
			t.job.Resume = nil
			result, err = trainer.Train(ctx, t.job)
		}
		return a.saveTrained(ctx, t, result, err)
	})
}

// A training is one window with everything that a trainer needs.
type training struct {
	plan   *learn.Plan
	window learn.Window
	sets   []*learn.Set
	dir    string // of the window
	shares learn.Shares
	job    train.Job
	parts  learn.Parts
	failed error // of reading rows: no fault of the trainer's
}

// newTraining reads the sets of a window and makes the job of a trainer.
func (a *Activities) newTraining(ctx context.Context, in TrainModelInput) (*training, error) {
	t := &training{plan: new(learn.Plan)}
	if err := run.LoadJSON(ctx, a.store, in.Plan, t.plan); err != nil {
		return nil, err
	}
	if in.Window < 0 || in.Window >= len(t.plan.Windows) || len(in.Sets) != len(t.plan.Batches) {
		return nil, fail(KindUnknown, "window %d with %d sets: the plan has %d windows and %d batches",
			in.Window, len(in.Sets), len(t.plan.Windows), len(t.plan.Batches))
	}
	t.window = t.plan.Windows[in.Window]
	t.dir = fmt.Sprintf("%s/window-%s", path.Dir(in.Plan.Key), t.window.Name)
	for _, o := range in.Sets {
		data, err := run.Load(ctx, a.store, o)
		if err != nil {
			return nil, err
		}
		set, err := learn.ParseSet(data)
		if err != nil {
			return nil, &kindError{KindCorrupt, err}
		}
		t.sets = append(t.sets, set)
	}
	m, err := a.manifest(ctx, t)
	if err != nil {
		return nil, err
	}
	rows := func(batches []string) train.Rows {
		return t.watched(learn.Rows(ctx, a.store, t.sets, batches, m.Columns()))
	}
	t.parts = t.plan.Divide(t.window, t.shares, m.Entity, rows, func(batches []string) []train.File { return learn.Files(t.sets, batches) })
	m.Data = t.parts.Data
	t.job = train.Job{Manifest: *m, Train: t.parts.Train, Valid: t.parts.Valid, Calibration: t.parts.Calibration,
		Formats: a.formats, Threads: max(1, runtime.GOMAXPROCS(0)/2)}
	return t, nil
}

// watched remembers an error of reading, which is no fault of the trainer's.
func (t *training) watched(rows train.Rows) train.Rows {
	return func(yield func(arrow.Record, error) bool) {
		for rec, err := range rows {
			if err != nil && t.failed == nil {
				t.failed = err
			}
			if !yield(rec, err) {
				return
			}
		}
	}
}

// manifest says what is learned from the sets of a window.
func (a *Activities) manifest(ctx context.Context, t *training) (*train.Manifest, error) {
	p := t.plan
	c, err := a.contract(ctx, p.Contract)
	if err != nil {
		return nil, err
	}
	set := t.sets[slices.IndexFunc(p.Batches, func(b learn.Batch) bool { return b.Name == t.window.Train[0] })]
	schema, err := a.setSchema(ctx, set)
	if err != nil {
		return nil, err
	}
	features, err := a.features(ctx, p, p.Does(t.window), c, set.Label)
	if err != nil {
		return nil, err
	}
	m, err := train.FromContract(c, string(p.Contract), schema, set.Label, features)
	if err != nil {
		return nil, &kindError{KindConfig, err}
	}
	apart := p.Apart(m.Entity, features)
	t.shares, err = p.Shares(t.window, apart, m.Entity, func(batches []string) train.Rows { return learn.Rows(ctx, a.store, t.sets, batches, apart) })
	if err != nil {
		return nil, err
	}
	m.Pipeline, m.Seed, m.Split, m.Weight, m.Entity = p.Pipeline, p.Seed, t.shares.Split(t.window), set.Weight, apart
	m.Calibrate = model.CalibrationKind(p.Training.Calibrate)
	m.Leak = train.LeakPolicy{Threshold: p.Training.Leak.Threshold, Allow: p.Training.Leak.Allow}
	if p.Does(t.window) == trigger.Refit {
		m.Parameters = p.Training.Parameters
		if p.CrossFits(t.window) {
			m.Folds = p.Training.Folds
		}
	} else if m.Calibrate == "" {
		m.Calibrate = model.Platt
	}
	conf, err := a.files(ctx, p.File, p.Contract, "")
	if err != nil {
		return nil, err
	}
	m.AsOf = lastDay(conf.pipeline, t.window.Learned())
	if len(c.WithRole(contract.RoleEventTime)) == 0 {
		m.EventTime = ""
	}
	return &m, nil
}

// lastDay returns the last day of a batch's period, or "" if its name is no date.
func lastDay(c *pipeline.Config, batch string) string {
	begin, ok := c.Begin(batch)
	switch {
	case !ok:
		return ""
	case c.Batch == pipeline.Month:
		begin = begin.AddDate(0, 1, -1)
	}
	return begin.Format(time.DateOnly)
}

// setSchema reads the schema of a set's first file.
func (a *Activities) setSchema(ctx context.Context, s *learn.Set) (*arrow.Schema, error) {
	if len(s.Files) == 0 {
		return nil, fail(KindNoData, "no row of %s has a label that can be learned from", s.Batch.Name)
	}
	f, err := (&inputs{bucket: a.store}).open(ctx, s.Files[0].Key)
	if err != nil {
		return nil, err
	}
	defer f.close()
	return f.Schema(), nil
}

// trainer returns the trainer of a window. A program sees the PATH of the worker and
// nothing else of its environment.
func (a *Activities) trainer(ctx context.Context, p *learn.Plan, w learn.Window) (train.Trainer, error) {
	switch {
	case p.Does(w) == trigger.Recalibrate:
		return a.recalibrate(ctx, p.Champion)
	case p.Training.Trainer == pipeline.TrainerCommand:
		return train.CrossFitted{Trainer: train.Command{Args: p.Training.Command, Env: map[string]string{"PATH": os.Getenv("PATH")}, Timeout: time.Duration(p.Training.Timeout)}}, nil
	case p.Training.Trainer == pipeline.TrainerGBDT:
		return train.CrossFitted{Trainer: train.GBDT{}}, nil
	}
	return nil, fail(KindConfig, "trainer %q is none that an activity runs", p.Training.Trainer)
}

func (a *Activities) recalibrate(ctx context.Context, champion store.Digest) (train.Trainer, error) {
	b, err := bundle.Read(ctx, a.store, champion)
	if err != nil {
		return nil, err
	}
	data, err := a.store.GetBlob(ctx, b.Model.Digest)
	return train.Recalibrate{Format: b.Model.Format, Model: data, Categories: b.Categories}, err
}

// saveTrained writes what a trainer returned: a model, or why there is none. What went
// wrong with rows, storage or the worker itself is no answer of the trainer.
func (a *Activities) saveTrained(ctx context.Context, t *training, r *train.Result, err error) (TrainModelOutput, error) {
	switch {
	case ctx.Err() != nil:
		return TrainModelOutput{}, ctx.Err()
	case t.failed != nil:
		return TrainModelOutput{}, t.failed
	}
	out := TrainModelOutput{Verdict: registry.VerdictPass}
	trained := learn.Trained{Format: learn.Format, Window: t.window}
	if err != nil {
		out.Verdict, out.Reasons = registry.VerdictBlock, []string{err.Error()}
		var leak *train.LeakError
		if errors.As(err, &leak) {
			trained.Findings = leak.Findings
		}
		var program *train.CommandError
		if errors.As(err, &program) {
			trained.Log = program.Log
		}
	} else {
		out.Rounds, out.Rows = r.Manifest.Results.Rounds, r.Manifest.Results.Train.Rows
		if err := a.saveModel(ctx, t.dir, &trained, r); err != nil {
			return out, err
		}
	}
	trained.Verdict, trained.Reasons = out.Verdict, out.Reasons
	if out.Trained, err = run.SaveJSON(ctx, a.store, t.dir, "trained.json", trained); err != nil {
		return out, err
	}
	return out, a.forget(ctx, t.dir, "")
}

// saveModel writes the bytes of a model and the manifest of its training.
func (a *Activities) saveModel(ctx context.Context, dir string, to *learn.Trained, r *train.Result) error {
	manifest, err := r.Manifest.Marshal()
	if err != nil {
		return err
	}
	o, err := run.Save(ctx, a.store, dir, "model.bin", r.Model)
	if err != nil {
		return err
	}
	beside, err := run.Save(ctx, a.store, dir, "manifest.json", manifest)
	to.Model, to.Manifest, to.Log = &o, &beside, r.Log
	return err
}

// watch passes on where a training is, and saves it now and then. The clock only
// decides how much is lost with a worker, never what comes out.
func (a *Activities) watch(ctx context.Context, t *training, report func(Progress)) func(train.Progress) error {
	saved := time.Now()
	return func(p train.Progress) error {
		report(Progress{Done: int64(p.Round), Total: int64(p.Rounds)})
		if p.Checkpoint == nil || time.Since(saved) < a.CheckpointEvery {
			return nil
		}
		data, err := p.Checkpoint()
		if err != nil {
			return err
		}
		key := checkpointKey(t.dir, p.Round)
		if err = a.store.Put(ctx, key, data); err == nil {
			err = a.forget(ctx, t.dir, key)
		}
		saved, t.failed = time.Now(), err
		return err
	}
}

func checkpointKey(dir string, round int) string {
	return fmt.Sprintf("%s/checkpoints/%08d.txt", dir, round)
}

// lastCheckpoint returns the latest checkpoint of a window, or nil.
func (a *Activities) lastCheckpoint(ctx context.Context, dir string) ([]byte, error) {
	last := ""
	for attrs, err := range a.store.List(ctx, dir+"/checkpoints/") {
		if err != nil {
			return nil, err
		}
		last = max(last, attrs.Key)
	}
	if last == "" {
		return nil, nil
	}
	return a.store.Get(ctx, last)
}

// forget deletes the checkpoints of a window but one: they are of no use any more.
func (a *Activities) forget(ctx context.Context, dir, but string) error {
	var keys []string
	for attrs, err := range a.store.List(ctx, dir+"/checkpoints/") {
		if err != nil {
			return err
		}
		if attrs.Key != but {
			keys = append(keys, attrs.Key)
		}
	}
	for _, key := range keys {
		if err := a.store.Delete(ctx, key); err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	return nil
}
