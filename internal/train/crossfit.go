package train

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"headgate/internal/model"
	"headgate/internal/train/gbdt"
)

// crossFitVersion is raised when equal jobs give another calibration than before.
const crossFitVersion = "1"

// CrossFitted is a trainer whose calibration is cross-fitted. For each of the manifest's
// folds, Trainer makes a model from the rows of all others, which scores the rows of the fold;
// the calibration is fitted on these scores. The model that comes out learns from all rows.
// So no row is kept apart, and the calibration rests on every entity, at the price of
// one more training for each fold. If the manifest has no folds, the calibration is
// Trainer's.
//
// Of the built-in trainer, if no validation part tells when to stop, the folds do: the model
// has the rounds after which the metric is best in the mean of the folds, and
// num_iterations is the most. This is what LightGBM's cv is for.
//
// Source: Platt, "Probabilistic Outputs for Support Vector Machines", 1999, section 2.1.
type CrossFitted struct{ Trainer Trainer }

// Train reads the training part three times more than the models do.
func (c CrossFitted) Train(ctx context.Context, j Job) (*Result, error) {
	if j.Manifest.Folds == 0 {
		return c.Trainer.Train(ctx, j)
	}
	if j.Calibration != nil {
		return nil, errors.New("calibrate: the manifest has folds, and there is a calibration part; leave one of them out")
	}
	x := &crossFit{trainer: c.Trainer, job: j}
	if err := x.resume(); err != nil {
		return nil, err
	}
	l, err := begin(ctx, j) // what no fold needs to find out
	if err == nil {
		err = calibratable(j.Manifest.Calibrate, l.manifest.Task)
	}
	if err == nil {
		x.folds, err = foldsOf(l.train, &l.manifest)
	}
	if err != nil {
		return nil, err
	}
	return x.run(ctx, l)
}

// A crossFit is a cross-fitted training on its way.
type crossFit struct {
	trainer Trainer
	job     Job
	folds   *folds
	digest  string    // of the job, as far as a checkpoint must fit it
	earlier []*Result // of the attempt that is resumed, not yet asked for
	inner   []byte    // checkpoint of the model after them; nil without
	done    []*Result // of each fold, and then of all rows
}

// run trains a model for each fold, then that of all rows, and calibrates it.
func (x *crossFit) run(ctx context.Context, l *learning) (*Result, error) {
	parameters, told, err := x.trainFolds(ctx)
	if err != nil {
		return nil, err
	}
	r, err := x.train(ctx, x.job.Train, x.job.Valid, parameters)
	if err != nil {
		return nil, err
	}
	m, rounds := &r.Manifest, 0
	m.Calibrate, m.Folds = l.manifest.Calibrate, l.manifest.Folds
	m.Results.Notes = append(m.Results.Notes, x.folds.note())
	if told != nil {
		m.Parameters["num_iterations"] = x.done[0].Manifest.Parameters["num_iterations"]
		rounds = m.Results.Rounds
		m.Results.Metric, m.Results.Value, m.Results.Curve, m.Results.Stopped = told.metric, told.value, told.curve, StoppedByFolds
	}
	all, err := x.scores(l, m, rounds)
	if err == nil {
		err = m.Results.calibrate(m, all, "folds")
	}
	if err != nil {
		return nil, fmt.Errorf("calibrate %s: %w", m.Calibrate, err)
	}
	r.Calibration = m.Results.Calibration
	return r, nil
}

// StoppedByFolds says that the mean of the folds was best after so many rounds.
const StoppedByFolds = "folds"

// course is what the folds tell of the rounds.
type course struct {
	metric string
	value  float64 // at the best round
	curve  []Round
}

// trainFolds trains the models of the folds. If they tell how many rounds are best, it
// returns what they told, and the parameters of the model that is to have so many.
func (x *crossFit) trainFolds(ctx context.Context) (map[string]string, *course, error) {
	_, ours := x.trainer.(GBDT)
	tell, valid := ours && x.job.Valid == nil, x.job.Valid
	for fold := range x.folds.n {
		if tell {
			valid = x.folds.rows(x.job.Train, fold, true)
		}
		if _, err := x.train(ctx, x.folds.rows(x.job.Train, fold, false), valid, x.job.Manifest.Parameters); err != nil {
			return nil, nil, fmt.Errorf("without fold %d of %d: %w", fold+1, x.folds.n, err)
		}
	}
	if !tell {
		return x.job.Manifest.Parameters, nil, nil
	}
	c := &course{metric: x.done[0].Manifest.Results.Metric}
	c.curve = meanCurve(x.done[:x.folds.n])
	if len(c.curve) == 0 {
		return x.job.Manifest.Parameters, nil, nil
	}
	best := c.curve[0]
	for _, p := range c.curve[1:] {
		if gbdt.Better(c.metric, p.Value, best.Value) {
			best = p
		}
	}
	c.value = best.Value
	parameters := map[string]string{}
	maps.Copy(parameters, x.done[0].Manifest.Parameters)
	parameters["num_iterations"] = strconv.Itoa(best.Round)
	return parameters, c, nil
}

// train makes the next model, unless an earlier attempt has.
func (x *crossFit) train(ctx context.Context, rows, valid Rows, parameters map[string]string) (*Result, error) {
	if len(x.earlier) > 0 {
		x.done, x.earlier = append(x.done, x.earlier[0]), x.earlier[1:]
		return x.done[len(x.done)-1], nil
	}
	j := x.job
	j.Train, j.Valid, j.Progress = rows, valid, x.progress()
	j.Manifest.Parameters, j.Manifest.Calibrate, j.Manifest.Folds = parameters, "", 0
	j.Resume, x.inner = x.inner, nil
	if len(x.done) < x.folds.n {
		// The guard has looked at all rows, and passed.
		j.Manifest.Leak.Allow = nil
		for _, f := range j.Manifest.Features {
			j.Manifest.Leak.Allow = append(j.Manifest.Leak.Allow, f.Name)
		}
	}
	r, err := x.trainer.Train(ctx, j)
	if err == nil {
		x.done = append(x.done, r)
	}
	return r, err
}

// scores lets the model of each fold score the rows that it has not seen, by its first
// rounds; 0 are all.
func (x *crossFit) scores(l *learning, m *Manifest, rounds int) (*scored, error) {
	var all scored
	for fold, one := range x.done[:x.folds.n] {
		s, err := parseModel(x.job.Formats, one.Format, one.Model, model.Options{Categories: one.Categories, Count: rounds})
		if err != nil {
			return nil, err
		}
		part, err := score(x.folds.rows(l.train, fold, true), s, m)
		if err != nil {
			return nil, fmt.Errorf("fold %d of %d: %w", fold+1, x.folds.n, err)
		}
		all.add(part)
	}
	all.cut = cut(all.clusters)
	return &all, nil
}

// add appends rows.
func (s *scored) add(more *scored) {
	s.raw, s.pred = append(s.raw, more.raw...), append(s.pred, more.pred...)
	s.labels, s.weights = append(s.labels, more.labels...), append(s.weights, more.weights...)
	s.clusters = append(s.clusters, more.clusters...)
}

// meanCurve returns the course of a metric over the rounds that all models have, each of
// which counts by the rows that it was measured on. Of a loss, that is the loss of all rows,
// each by the model that has not seen it.
func meanCurve(models []*Result) (curve []Round) {
	type sum struct {
		models int
		rows   int64
		values float64
	}
	sums := map[int]sum{}
	for _, r := range models {
		results := r.Manifest.Results
		if results.Valid == nil {
			return nil
		}
		for _, p := range results.Curve {
			s, rows := sums[p.Round], results.Valid.Rows
			sums[p.Round] = sum{s.models + 1, s.rows + rows, s.values + p.Value*float64(rows)}
		}
	}
	for round, s := range sums {
		if s.models == len(models) {
			curve = append(curve, Round{round, s.values / float64(s.rows)})
		}
	}
	slices.SortFunc(curve, func(a, b Round) int { return cmp.Compare(a.Round, b.Round) })
	return curve
}

// progress counts the rounds of all models.
func (x *crossFit) progress() func(Progress) error {
	if x.job.Progress == nil {
		return nil
	}
	before := len(x.done)
	return func(p Progress) error {
		inner := p.Checkpoint
		most := p.Rounds
		if before > 0 && x.done[0].Manifest.Results.Rounds > most { // the folds told how many
			most = x.done[0].Manifest.Results.Rounds
		}
		p.Round, p.Rounds = p.Round+before*most, p.Rounds+x.folds.n*most
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
	Done    []*Result `json:"done"` // of the first folds
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
	damaged := func(r *Result) bool { return r == nil || r.Manifest.Results == nil }
	if c.Version != crossFitVersion || c.Job != x.digest || len(c.Done) > m.Folds || slices.ContainsFunc(c.Done, damaged) {
		return fmt.Errorf("%w: it is of another cross-fitted training", ErrCheckpoint)
	}
	x.earlier, x.inner = c.Done, c.Inner
	return nil
}
