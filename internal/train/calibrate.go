package train

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"headgate/internal/evaluate"
	"headgate/internal/model"
)

// CalibrationEvidence says what a calibration does to the rows that it was fitted on,
// cross-fitted: the rows of one half of the entities (of the rows, if none are
// named) were judged with a calibration that was fitted on those of the other half. The
// calibration that is used was fitted on all of them.
type CalibrationEvidence struct {
	Rows    int64    `json:"rows"`
	Part    string   `json:"part"` // calibration, validation or folds
	Changes []Change `json:"changes"`
}

// A Change is a metric before and after.
type Change struct {
	Metric evaluate.Metric   `json:"metric"`
	Before evaluate.Estimate `json:"before"`
	After  evaluate.Estimate `json:"after"`
}

// evidenceOf are the metrics that say whether predictions mean what they say.
var evidenceOf = map[Task][]evaluate.Metric{
	Binary:     {evaluate.LogLoss, evaluate.Brier, evaluate.ECE},
	Regression: {evaluate.RMSE, evaluate.Bias},
}

// scored are rows with what a model makes of them.
type scored struct {
	raw, pred, labels []float64
	weights           []float64 // nil if all rows weigh the same
	clusters          []uint64  // hash of the entity; nil if none is named
	cut               uint64    // cluster with which the second half begins
}

// fold is the half that a row is of.
func (s *scored) fold(row int) int {
	if s.clusters != nil {
		if s.clusters[row] < s.cut {
			return 0
		}
		return 1
	}
	return halfOf(row)
}

// cut returns the cluster with which the second half begins: that of half of all hashes.
// Where there are so few clusters that one side of it has none, it is the middle one.
func cut(clusters []uint64) uint64 {
	const middle = uint64(1) << 63
	var sides [2]bool
	for _, c := range clusters {
		sides[c>>63] = true
	}
	if sides[0] == sides[1] {
		return middle
	}
	distinct := slices.Clone(clusters)
	slices.Sort(distinct)
	distinct = slices.Compact(distinct)
	return distinct[len(distinct)/2]
}

// half returns the rows of one half.
func (s *scored) half(fold int) *scored {
	h := &scored{}
	for i := range s.raw {
		if s.fold(i) != fold {
			continue
		}
		h.raw, h.labels = append(h.raw, s.raw[i]), append(h.labels, s.labels[i])
		if s.weights != nil {
			h.weights = append(h.weights, s.weights[i])
		}
	}
	return h
}

// calibrate fits the calibration that the manifest asks for.
func (l *learning) calibrate(ctx context.Context, s model.Scorer) error {
	kind, task := l.manifest.Calibrate, l.manifest.Task
	if kind == "" {
		return nil
	}
	if err := calibratable(kind, task); err != nil {
		return err
	}
	if s.Outputs() != 1 {
		return fmt.Errorf("calibrate %s: the model has %d outputs, and there is a calibration of one", kind, s.Outputs())
	}
	rows, part := l.job.Calibration, "calibration"
	if rows == nil {
		rows, part = l.job.Valid, "validation"
	}
	if rows == nil {
		return fmt.Errorf("calibrate %s: it takes rows that the model did not learn from; give a calibration or a validation part", kind)
	}
	var used Used
	rows, err := usable(until(ctx, rows), &l.manifest, &used)
	if err != nil {
		return err
	}
	data, err := score(rows, s, &l.manifest)
	if err != nil {
		return fmt.Errorf("%s part: %w", part, err)
	}
	if part == "calibration" {
		l.results.Notes = append(l.results.Notes, used.notes(part, l.manifest.AsOf)...)
	}
	if err := l.results.calibrate(&l.manifest, data, part); err != nil {
		return fmt.Errorf("calibrate %s: %s part: %w", kind, part, err)
	}
	return nil
}

// calibrate fits the calibration that a manifest asks for on rows of a part, judges it, and
// notes what a person should know of it.
func (r *Results) calibrate(m *Manifest, data *scored, part string) (err error) {
	if r.Calibration, err = fit(m.Calibrate, m.Task, data); err != nil {
		return err
	}
	if r.CalibrationEvidence, err = evidence(m.Calibrate, m.Task, data); err != nil {
		return err
	}
	r.CalibrationEvidence.Part = part
	if part == "validation" && r.Stopped != "" {
		r.Notes = append(r.Notes, "the calibration was fitted on the validation part, which also told the training when to stop; a part of its own is better")
	}
	if c := r.CalibrationEvidence.Changes[0]; c.After.Value > c.Before.Value {
		r.Notes = append(r.Notes, fmt.Sprintf("the calibration makes %s worse on rows that it has not seen: %.6g, without it %.6g", c.Metric, c.After.Value, c.Before.Value))
	}
	return nil
}

// calibratable returns why a kind of calibration is not for a task.
func calibratable(kind model.CalibrationKind, task Task) error {
	if task == Multiclass || task == Regression && kind == model.Platt {
		return fmt.Errorf("calibrate %s: it turns the raw score of a binary label into a probability (isotonic: also that of a number); the task is %s", kind, task)
	}
	return nil
}

// score scores rows and remembers what the calibration needs of them.
func score(rows Rows, s model.Scorer, m *Manifest) (*scored, error) {
	var all scored
	var scores model.Scores
	for rec, err := range rows {
		if err == nil {
			err = s.Score(&scores, rec)
		}
		if err != nil {
			return nil, err
		}
		all.raw, all.pred = append(all.raw, scores.Raw...), append(all.pred, scores.Pred...)
		labels, _, err := numbersOf(rec, m.Label)
		if err != nil {
			return nil, err
		}
		all.labels = append(all.labels, labels...)
		if m.Weight != "" {
			weights, _, err := numbersOf(rec, m.Weight)
			if err != nil {
				return nil, err
			}
			all.weights = append(all.weights, weights...)
		}
		if len(m.Entity) > 0 {
			hash, err := entities(rec, m.Entity, m.Seed)
			if err != nil {
				return nil, err
			}
			for i := range labels {
				all.clusters = append(all.clusters, hash(i))
			}
		}
	}
	if len(all.raw) == 0 {
		return nil, errors.New("there are no rows with a label up to as-of")
	}
	all.cut = cut(all.clusters)
	return &all, nil
}

// fit fits a calibration. Platt's targets keep it away from 0 and 1: of n positive and m
// negative rows, (n+1)/(n+2) and 1/(m+2).
func fit(kind model.CalibrationKind, task Task, d *scored) (*model.Calibration, error) {
	targets := d.labels
	if task == Binary {
		low, high, err := plattTargets(d)
		if err != nil {
			return nil, err
		}
		targets = make([]float64, len(d.labels))
		for i, v := range d.labels {
			targets[i] = low
			if v == 1 {
				targets[i] = high
			}
		}
	}
	c := &model.Calibration{Kind: kind}
	if kind == model.Isotonic {
		c.Raw, c.Pred = isotonic(d.raw, targets, d.weights)
		return c, c.Check()
	}
	var err error
	if c.Intercept, c.Slope, err = platt(d.raw, targets, d.weights); err != nil {
		return nil, err
	}
	return c, c.Check()
}

// plattTargets returns what stands for the labels 0 and 1.
func plattTargets(d *scored) (low, high float64, err error) {
	var sums [2]float64
	for i, v := range d.labels {
		if v != 0 && v != 1 {
			return 0, 0, fmt.Errorf("row %d has the label %g; a binary label is 0 or 1", i, v)
		}
		sums[int(v)] += d.weight(i)
	}
	if sums[0] == 0 || sums[1] == 0 {
		return 0, 0, errors.New("the label has one class only; there is nothing to calibrate with")
	}
	return 1 / (sums[0] + 2), (sums[1] + 1) / (sums[1] + 2), nil
}

func (s *scored) weight(row int) float64 {
	if s.weights == nil {
		return 1
	}
	return s.weights[row]
}

// evidence judges calibrations of one half on the other.
func evidence(kind model.CalibrationKind, task Task, d *scored) (*CalibrationEvidence, error) {
	var halves [2]*model.Calibration // fitted without the half
	for fold := range halves {
		var err error
		if halves[fold], err = fit(kind, task, d.half(1-fold)); err != nil {
			return nil, fmt.Errorf("half of the rows: %w", err)
		}
	}
	after := make([]float64, len(d.raw))
	for i, raw := range d.raw {
		after[i] = halves[d.fold(i)].Apply(raw)
	}
	e := &CalibrationEvidence{Rows: int64(len(d.raw))}
	data := evaluate.Data{Labels: d.labels, Weights: d.weights, Clusters: d.clusters}
	for _, metric := range evidenceOf[task] {
		c := Change{Metric: metric}
		var err error
		if data.Scores = d.pred; err == nil {
			c.Before, err = evaluate.Of(metric, data, nil)
		}
		if data.Scores = after; err == nil {
			c.After, err = evaluate.Of(metric, data, nil)
		}
		if err != nil {
			return nil, err
		}
		e.Changes = append(e.Changes, c)
	}
	return e, nil
}
