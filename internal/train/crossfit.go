package train

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// crossFitVersion is raised when equal jobs give another calibration than before.
const crossFitVersion = "1"

// CrossFitted is a trainer whose calibration is cross-fitted. Trainer makes the model from
// all rows of the training part and then, for each of the manifest's folds, another one
// from the rows of all others. Each of those scores the rows of its fold, which it has not
// seen, and the calibration is fitted on these scores. So the model learns from every row,
// and the calibration from every entity, at the price of one more training for each fold.
// If the manifest has no folds, the calibration is Trainer's.
//
// Source: Platt, "Probabilistic Outputs for Support Vector Machines", 1999, section 2.1. Folds of
// consecutive days: Roberts et al., "Cross-validation strategies for data with temporal,
// spatial, hierarchical, or phylogenetic structure", Ecography 40, 2017.
type CrossFitted struct{ Trainer Trainer }

// Train reads the training part once more than the models do, to divide it.
func (c CrossFitted) Train(ctx context.Context, j Job) (*Result, error) {
	if j.Manifest.Folds == 0 {
		return c.Trainer.Train(ctx, j)
	}
	if err := j.Manifest.Check(); err != nil {
		return nil, err
	}
	if j.Calibration != nil {
		return nil, errors.New("calibrate: the manifest has folds, and there is a calibration part; leave one of them out")
	}
	x := &crossFit{trainer: c.Trainer, job: j}
	if err := x.resume(); err != nil {
		return nil, err
	}
	r, err := x.train(ctx, j.Train, j.Valid)
	if err != nil {
		return nil, err
	}
	r.Manifest.Calibrate, r.Manifest.Folds = j.Manifest.Calibrate, j.Manifest.Folds
	if err := x.calibrate(ctx, r); err != nil {
		return nil, fmt.Errorf("calibrate %s: %w", j.Manifest.Calibrate, err)
	}
	return r, nil
}

// A crossFit is a cross-fitted training on its way.
type crossFit struct {
	trainer Trainer
	job     Job
	digest  string    // of the job, as far as a checkpoint must fit it
	earlier []*Result // of the attempt that is resumed, not yet asked for
	inner   []byte    // checkpoint of the model after them; nil without
	done    []*Result // the model, and then that of each fold
}

// train makes the next model, unless an earlier attempt has.
func (x *crossFit) train(ctx context.Context, rows, valid Rows) (*Result, error) {
	if len(x.earlier) > 0 {
		x.done, x.earlier = append(x.done, x.earlier[0]), x.earlier[1:]
		return x.done[len(x.done)-1], nil
	}
	j := x.job
	j.Train, j.Valid, j.Progress = rows, valid, x.progress()
	j.Manifest.Calibrate, j.Manifest.Folds = "", 0
	j.Resume, x.inner = x.inner, nil
	if len(x.done) > 0 {
		for _, f := range j.Manifest.Features {
			// The guard has looked at all rows, and passed.
			j.Manifest.Leak.Allow = append(slices.Clip(j.Manifest.Leak.Allow), f.Name)
		}
	}
	r, err := x.trainer.Train(ctx, j)
	if err == nil {
		x.done = append(x.done, r)
	}
	return r, err
}

// calibrate trains a model for each fold, and fits r's calibration on what they say.
func (x *crossFit) calibrate(ctx context.Context, r *Result) error {
	m := r.Manifest
	whole, err := r.Scorer(x.job.Formats)
	if err != nil {
		return err
	}
	if err := calibratable(m.Calibrate, m.Task, whole); err != nil {
		return err
	}
	rows, err := usable(until(ctx, x.job.Train), &m, new(Used))
	if err != nil {
		return err
	}
	f, err := foldsOf(rows, &m)
	if err != nil {
		return err
	}
	valid := x.job.Valid
	_, ours := x.trainer.(GBDT)
	shown := valid == nil && ours // nothing stops it, so that the fold's rows can show its course
	var all scored
	var results []*Results
	for fold := range f.n {
		if shown {
			valid = f.rows(x.job.Train, fold, true)
		}
		one, err := x.train(ctx, f.rows(x.job.Train, fold, false), valid)
		if err != nil {
			return fmt.Errorf("without fold %d of %d: %w", fold+1, f.n, err)
		}
		s, err := one.Scorer(x.job.Formats)
		if err != nil {
			return err
		}
		part, err := score(f.rows(rows, fold, true), s, &m)
		if err != nil {
			return fmt.Errorf("fold %d of %d: %w", fold+1, f.n, err)
		}
		all.add(part)
		results = append(results, one.Manifest.Results)
	}
	all.cut = cut(all.clusters)
	to := m.Results
	if to.Notes = append(to.Notes, f.note()); shown {
		to.Metric, to.Curve = meanCurve(results)
		if n := len(to.Curve); n > 0 {
			to.Value = to.Curve[n-1].Value
		}
	}
	err = to.calibrate(&m, &all, "folds")
	r.Calibration = to.Calibration
	return err
}

// add appends rows.
func (s *scored) add(more *scored) {
	s.raw, s.pred = append(s.raw, more.raw...), append(s.pred, more.pred...)
	s.labels, s.weights = append(s.labels, more.labels...), append(s.weights, more.weights...)
	s.clusters = append(s.clusters, more.clusters...)
}

// meanCurve returns the course of a metric over the rounds that all folds have, each of
// which counts by the rows that it was measured on. Of a loss, that is the loss of all rows,
// each by the model that has not seen it.
func meanCurve(folds []*Results) (metric string, curve []Round) {
	type sum struct {
		folds  int
		rows   int64
		values float64
	}
	sums := map[int]*sum{}
	for _, f := range folds {
		if f.Valid == nil {
			return "", nil
		}
		for _, p := range f.Curve {
			s := sums[p.Round]
			if s == nil {
				s = new(sum)
				sums[p.Round] = s
			}
			s.folds, s.rows, s.values = s.folds+1, s.rows+f.Valid.Rows, s.values+p.Value*float64(f.Valid.Rows)
		}
	}
	for round, s := range sums {
		if s.folds == len(folds) && s.rows > 0 {
			curve = append(curve, Round{round, s.values / float64(s.rows)})
		}
	}
	slices.SortFunc(curve, func(a, b Round) int { return cmp.Compare(a.Round, b.Round) })
	return folds[0].Metric, curve
}

// progress counts the rounds of all models.
func (x *crossFit) progress() func(Progress) error {
	if x.job.Progress == nil {
		return nil
	}
	before := len(x.done)
	return func(p Progress) error {
		inner := p.Checkpoint
		p.Round, p.Rounds = p.Round+before*p.Rounds, p.Rounds*(1+x.job.Manifest.Folds)
		if before > 0 {
			p.Metric, p.Value, p.Best = "", 0, 0
		}
		p.Checkpoint = func() ([]byte, error) {
			c := crossFitCheckpoint{Version: crossFitVersion, Job: x.digest, Done: x.done}
			if inner != nil {
				var err error
				if c.Inner, err = inner(); err != nil {
					return nil, err
				}
			}
			return json.Marshal(c)
		}
		return x.job.Progress(p)
	}
}

// A crossFitCheckpoint is what a cross-fitted training needs to go on.
type crossFitCheckpoint struct {
	Version string    `json:"crossFit"`
	Job     string    `json:"job"`  // digest of the manifest, without results
	Done    []*Result `json:"done"` // the model, and those of the first folds
	Inner   []byte    `json:"inner,omitempty"`
}

// resume reads the job's checkpoint.
func (x *crossFit) resume() error {
	m := x.job.Manifest.copied()
	text, err := m.Marshal()
	if err != nil {
		return err
	}
	x.digest = digestOf(append(text, gbdtVersion...))
	if x.job.Resume == nil {
		return nil
	}
	var c crossFitCheckpoint
	d := json.NewDecoder(bytes.NewReader(x.job.Resume))
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		return fmt.Errorf("%w: %w", ErrCheckpoint, err)
	}
	complete := func(r *Result) bool { return r != nil && r.Manifest.Results != nil }
	if c.Version != crossFitVersion || c.Job != x.digest || len(c.Done) > 1+m.Folds || slices.ContainsFunc(c.Done, func(r *Result) bool { return !complete(r) }) {
		return fmt.Errorf("%w: it is of another cross-fitted training", ErrCheckpoint)
	}
	x.earlier, x.inner = c.Done, c.Inner
	return nil
}
