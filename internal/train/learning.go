package train

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"headgate/internal/model"
)

// A learning is a training on its way, of any kind.
type learning struct {
	job      Job
	manifest Manifest // of the result
	review   *Review
	results  *Results
	valid    Rows // nil without
	train    Rows
	counted  [2]Used // of the training and the validation part
}

// begin checks the manifest and looks for leaks.
func begin(ctx context.Context, j Job) (*learning, error) {
	l := &learning{job: j, manifest: j.Manifest.copied(), results: &Results{}}
	if err := l.manifest.Check(); err != nil {
		return nil, err
	}
	if l.manifest.Task == "" {
		l.manifest.Task = gbdtTask(l.manifest.Parameters)
	}
	var err error
	if l.train, err = usable(until(ctx, j.Train), &l.manifest, &l.counted[0]); err != nil {
		return nil, err
	}
	if j.Valid != nil {
		if l.valid, err = usable(until(ctx, j.Valid), &l.manifest, &l.counted[1]); err != nil {
			return nil, err
		}
	}
	if l.review, err = guard(l.train, &l.manifest); err != nil {
		return nil, err
	}
	l.manifest.Task = l.review.Task
	l.results.Notes = append(l.counted[0].notes("training", l.manifest.AsOf), l.review.Notes()...)
	return l, nil
}

// note adds what a trainer has to say of columns that the guard did not speak of.
func (l *learning) note(notes []string) {
	for _, n := range notes {
		said := slices.ContainsFunc(l.review.Findings, func(f Finding) bool { return strings.Contains(n, fmt.Sprintf("%q", f.Column)) })
		if !said {
			l.results.Notes = append(l.results.Notes, n)
		}
	}
}

// finish checks the model, calibrates it, and completes the manifest.
func (l *learning) finish(ctx context.Context, format string, data []byte, categories map[string][]string) (*Result, error) {
	s, err := parseModel(l.job.Formats, format, data, model.Options{Categories: categories})
	if err != nil {
		return nil, fmt.Errorf("the model that was trained: %w", err)
	}
	r := l.results
	r.Format, r.Model, r.Categories, r.Train = format, digestOf(data), categories, l.counted[0]
	for _, in := range s.Inputs() {
		if !slices.ContainsFunc(l.manifest.Features, func(f Feature) bool { return f.Name == in.Name }) {
			return nil, fmt.Errorf("the model that was trained reads %q, which is no feature of the manifest", in.Name)
		}
	}
	if err := tryModel(s, l.train); err != nil {
		return nil, fmt.Errorf("the model that was trained cannot score the rows that it learned from: %w", err)
	}
	r.Importance, r.Classes = importance(s), l.review.Classes
	if l.valid != nil {
		used := l.counted[1]
		r.Valid = &used
		r.Notes = append(r.Notes, used.notes("validation", l.manifest.AsOf)...)
	}
	if err := l.calibrate(ctx, s); err != nil {
		return nil, err
	}
	l.manifest.Results = r
	return &Result{Format: format, Model: data, Categories: categories, Calibration: r.Calibration, Manifest: l.manifest}, nil
}

// tryModel scores the first rows.
func tryModel(s model.Scorer, rows Rows) error {
	var scores model.Scores
	for rec, err := range rows {
		if err != nil {
			return err
		}
		return s.Score(&scores, rec)
	}
	return nil
}

// importance lists the features that a model rests on, the most important first.
func importance(s model.Scorer) []Importance {
	var list []Importance
	for _, in := range s.Inputs() {
		if in.Importance > 0 {
			list = append(list, Importance{in.Name, in.Importance})
		}
	}
	slices.SortStableFunc(list, func(a, b Importance) int {
		switch {
		case a.Share > b.Share:
			return -1
		case a.Share < b.Share:
			return 1
		}
		return 0
	})
	return list
}
