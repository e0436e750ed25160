package evidence

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"headgate/internal/evaluate"
	"headgate/internal/registry"
	"headgate/internal/release"
	"headgate/internal/store"
)

// EvaluateOptions say how a batch is evaluated.
type EvaluateOptions struct {
	// Threshold is the score from which a row is selected; 0 leaves decisions out.
	Threshold float64
	Evaluate  evaluate.Options // level, seed and replicates
}

// Evaluate says what labels say of the scores of one batch: rows must be of a request
// with one batch, whose first model is the champion of the run.
func Evaluate(rows *Rows, o *EvaluateOptions) (*Evaluation, error) {
	r := rows.Request
	if len(r.Batches) != 1 {
		return nil, fmt.Errorf("evidence: an evaluation is of one batch, not of %d", len(r.Batches))
	}
	b, status := r.Batches[0], rows.Batches[0]
	if r.Models[0] != status.Champion {
		return nil, fmt.Errorf("evidence: the champion of %s comes first: %s", b.Batch, status.Champion)
	}
	options := EvaluateOptions{}
	if o != nil {
		options = *o
	}
	if options.Threshold > 0 {
		options.Evaluate.Thresholds = []float64{options.Threshold}
	}
	e := &Evaluation{Format: Format, Pipeline: r.Pipeline, Batch: b.Batch, Run: b.Run, Request: r,
		Labels: LabelSummary{Version: b.Labels, Files: status.Files, Complete: status.Complete, Counts: status.Counts}}
	for _, u := range rows.Unscored {
		e.Notes = append(e.Notes, fmt.Sprintf("%s has no scores of this batch: %s", u.Model, u.Reason))
	}
	var err error
	if e.Coverage, rows, err = even(rows, &options.Evaluate); err != nil {
		return nil, err
	}
	e.Rows = rows.count()
	if len(status.Refused) == 0 {
		if err := e.measure(rows, &options.Evaluate); err != nil {
			return nil, err
		}
	}
	e.decide(rows)
	return e, nil
}

// measure judges models and arms.
func (e *Evaluation) measure(rows *Rows, o *evaluate.Options) error {
	status := rows.Batches[0]
	for m, model := range rows.Request.Models {
		judged, err := judge(rows, m, role(status, model), o)
		if err != nil {
			return err
		}
		e.Models = append(e.Models, judged)
	}
	if err := e.guess(rows, o); err != nil {
		return err
	}
	return e.arms(rows, o)
}

func role(s BatchStatus, model store.Digest) string {
	served := slices.ContainsFunc(s.Arms, func(a release.Arm) bool { return a.Model == string(model) && a.Share > 0 })
	switch {
	case model == s.Champion:
		return RoleChampion
	case served:
		return RoleArm
	}
	return RoleShadow
}

// count divides the rows of a batch.
func (r *Rows) count() RowCount {
	n := RowCount{Scored: int64(len(r.Labels)), Share: r.Share}
	for i, s := range r.State {
		switch s {
		case Judged:
			n.Judged++
		case Missing:
			n.Missing++
		case Treated:
			n.Treated++
		case Unusable:
			n.Unusable++
		case Omitted:
			n.Omitted++
		}
		if r.Absent[i] {
			n.Absent++
		}
	}
	return n
}

// of returns the rows that count and that a model of the request has scored.
func (r *Rows) of(model int) *Rows {
	return r.Where(func(i int) bool { return r.State[i] == Judged && !math.IsNaN(r.Scores[model][i]) })
}

// judge says how good the scores of a model are.
func judge(rows *Rows, at int, role string, o *evaluate.Options) (Model, error) {
	judged := rows.of(at)
	m := Model{Model: rows.Request.Models[at], Role: role, Rows: int64(len(judged.Labels))}
	data := judged.Data(at)
	var err error
	binary := !slices.ContainsFunc(data.Labels, func(y float64) bool { return y != 0 && y != 1 })
	if binary {
		m.Report, err = evaluate.Binary(data, o)
	} else {
		m.Report, err = evaluate.Regression(data, o)
	}
	if input := new(evaluate.InputError); errors.As(err, &input) {
		m.Problem = err.Error()
		return m, nil
	} else if err != nil || !binary {
		return m, err
	}
	m.Slices, err = evaluate.BySlice(data, judged.Dimensions(), nil, o)
	return m, err
}

// decide makes the verdict.
func (e *Evaluation) decide(rows *Rows) {
	status := rows.Batches[0]
	e.Verdict = registry.VerdictPass
	doubt := func(doubtful bool, format string, args ...any) {
		if doubtful {
			e.Verdict = registry.VerdictInconclusive
			e.Reasons = append(e.Reasons, fmt.Sprintf(format, args...))
		}
	}
	if len(status.Refused) > 0 {
		e.Verdict, e.Reasons = registry.VerdictBlock, status.Refused
		return
	}
	doubt(!status.Complete, "labels are not complete: their marker is not there")
	doubt(e.Rows.Judged == 0, "no outcome that counts is known")
	doubt(e.Rows.Judged > 0 && !e.Coverage.Even, "outcomes are not known for all alike: %s", e.Coverage.breaks())
	if len(e.Models) > 0 && e.Rows.Judged > 0 {
		why := e.Models[0].unjudged()
		doubt(why != "", "the champion cannot be judged: %s", why)
	}
	for _, g := range e.Coverage.Without {
		e.Notes = append(e.Notes, fmt.Sprintf("rows with %s %s are left out: %.1f %% of their outcomes are known, and %.1f %% of the others", g.Dimension, g.Value, 100*g.Known.Value, 100*e.Coverage.Known.Value))
	}
	if e.Rows.Unusable > 0 {
		e.Notes = append(e.Notes, fmt.Sprintf("%d untreated rows have propensity 1 and count for nothing", e.Rows.Unusable))
	}
	if rows.Share < 1 {
		e.Notes = append(e.Notes, fmt.Sprintf("a sample of %.3g of the entities was read", rows.Share))
	}
}

// unjudged returns why a model cannot be judged, or "".
func (m *Model) unjudged() string {
	if m.Report == nil {
		return m.Problem
	}
	for _, missing := range m.Report.Missing {
		if missing.Metric == evaluate.AUC {
			return "it has no AUC: " + missing.Reason
		}
	}
	return ""
}

// arms says what came of the rows that each model served.
func (e *Evaluation) arms(rows *Rows, o *evaluate.Options) error {
	var counts []int64
	var shares []int
	for _, a := range rows.Batches[0].Arms {
		if a.Share == 0 {
			continue
		}
		arm := Arm{Model: store.Digest(a.Model), Share: a.Share}
		at := slices.Index(rows.Request.Models, arm.Model)
		if at < 0 {
			return fmt.Errorf("evidence: %s served %s and is no model of the request", arm.Model, e.Batch)
		}
		served := rows.Where(func(i int) bool { return rows.Served[i] == int32(at) && !math.IsNaN(rows.Scores[at][i]) })
		known := served.Where(func(i int) bool { return served.State[i] == Judged || served.State[i] == Treated })
		arm.Scored, arm.Known = int64(len(served.Labels)), int64(len(known.Labels))
		var err error
		if arm.Score, err = mean(served, served.Scores[at], o); err != nil {
			return err
		}
		if arm.Outcome, err = mean(known, known.Labels, o); err != nil {
			return err
		}
		counts, shares = append(counts, arm.Scored), append(shares, arm.Share)
		e.Arms = append(e.Arms, arm)
	}
	if p, ok := release.SRM(counts, shares); ok && len(shares) > 1 {
		e.SRM = &p
	}
	return nil
}

// mean estimates the mean of a value of each row, whatever the rows weigh. It is nil if
// there are too few.
func mean(rows *Rows, values []float64, o *evaluate.Options) (*evaluate.Estimate, error) {
	if len(values) < 2 {
		return nil, nil
	}
	d := rows.Data(0)
	d.Weights = nil
	est, err := evaluate.Mean(values, d, o)
	if input := new(evaluate.InputError); errors.Is(err, evaluate.ErrUndefined) || errors.As(err, &input) {
		return nil, nil
	}
	return &est, err
}
