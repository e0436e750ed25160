package dossier

import (
	"context"
	"errors"
	"math"
	"slices"

	"headgate/internal/evaluate"
	"headgate/internal/evidence"
	"headgate/internal/gate"
	"headgate/internal/registry"
	"headgate/internal/report"
	"headgate/internal/run"
	"headgate/internal/serving"
	"headgate/internal/store"
)

// comparisons gathers what the models beside the champion said of the same rows.
func (j *judged) comparisons(ctx context.Context) error {
	if j.serving == nil || j.serving.Compare == nil {
		return nil
	}
	var c serving.Comparison
	err := run.LoadJSON(ctx, j.Store, *j.serving.Compare, &c)
	if gone(err) {
		j.out.Notes = append(j.out.Notes, "the comparison of the models is gone")
		return nil
	}
	if err != nil {
		return err
	}
	for _, m := range c.Models {
		out := report.Comparison{Model: j.Version(m.Model), Role: evidence.RoleShadow, Rows: c.Rows, Sampled: c.Sampled,
			Volume: m.Evidence.Volume, Changes: m.Compare, Note: m.Note}
		if m.Evidence.Failed != "" {
			out.Note = m.Evidence.Failed
		}
		if m.Compare != nil {
			m.Compare.Movers = nil // keys of entities are not for a page
		}
		if r := j.plan.Routing; r != nil {
			for _, a := range r.Arms {
				if a.Model == string(m.Model) && a.Share > 0 {
					out.Role, out.Share = evidence.RoleArm, a.Share
				}
			}
		}
		j.out.Comparisons = append(j.out.Comparisons, out)
	}
	return nil
}

// outcome gathers what labels say, by the last evaluation of this run that says anything.
func (j *judged) outcome(ctx context.Context) error {
	var paper store.Digest
	for _, e := range j.entries {
		if e.Kind == registry.KindEvaluated {
			paper = e.Paper
		}
	}
	if paper == "" {
		return nil
	}
	var e evidence.Evaluation
	if err := run.LoadBlob(ctx, j.Store, paper, &e); err != nil {
		return err
	}
	out := &report.Outcome{Verdict: e.Verdict, Reasons: e.Reasons, Notes: e.Notes, Paper: string(paper), Labels: string(e.Labels.Version), Complete: e.Labels.Complete,
		Scored: e.Rows.Scored, Judged: e.Rows.Judged, Missing: e.Rows.Missing, Treated: e.Rows.Treated, Unusable: e.Rows.Unusable,
		Known: e.Coverage.Known, Even: e.Coverage.Even, SRM: e.SRM}
	for _, m := range e.Models {
		out.Models = append(out.Models, report.Judged{Model: j.Version(m.Model), Role: m.Role, Rows: m.Rows, Report: m.Report, Problem: m.Problem})
	}
	for _, a := range e.Arms {
		out.Arms = append(out.Arms, report.Arm{Model: j.Version(a.Model), Share: a.Share, Scored: a.Scored, Known: a.Known, Outcome: a.Outcome, Score: a.Score})
	}
	if e.CBPE != nil {
		out.Trust = e.CBPE.Trusted
		for _, c := range e.CBPE.Checks {
			out.Checks = append(out.Checks, report.Check{Metric: c.Metric, Expected: c.Expected, Found: c.Found, Off: c.Off})
		}
	}
	j.out.Outcome = out
	if len(e.Models) > 0 {
		j.evaluated = e.Models[0].Slices
	}
	return j.curves(ctx, out, e.Request)
}

// labelled adds to a slice what labels say of the champion.
func (j *judged) labelled(s *report.Slice) {
	at := slices.IndexFunc(j.evaluated, func(e evaluate.Slice) bool { return e.Dimension == s.Column && e.Value == s.Value })
	if at < 0 {
		return
	}
	for _, m := range j.evaluated[at].Metrics {
		if m.Metric == evaluate.AUC {
			s.AUC, s.Gap, s.Significant = &m.Estimate, m.Gap, m.Significant
		}
	}
}

// curvePoints is at how many thresholds decisions are measured for the curves.
const curvePoints = 40

// curves measures decisions at many thresholds, from the stored scores and labels that the
// evaluation names. Where somebody has deleted them, a note says so.
func (j *judged) curves(ctx context.Context, out *report.Outcome, request evidence.Request) error {
	if len(out.Models) == 0 || out.Models[0].Report == nil || out.Models[0].Report.Positives == 0 {
		return nil
	}
	j.say("scores and labels of %s", j.plan.Batch)
	rows, err := evidence.Load(ctx, j.Store, request, nil)
	if gone(err) || errors.Is(err, evidence.ErrOutputs) {
		out.Curves = "scores or labels cannot be read any more: " + err.Error()
		return nil
	}
	if err != nil {
		return err
	}
	for i := range out.Models {
		at := slices.Index(request.Models, store.Digest(out.Models[i].Model.Digest))
		if at < 0 || out.Models[i].Report == nil {
			continue
		}
		judged := rows.Where(func(row int) bool { return rows.State[row] == evidence.Judged && !math.IsNaN(rows.Scores[at][row]) })
		if out.Models[i].Curve, err = curve(judged.Data(at)); err != nil {
			return err
		}
	}
	return nil
}

// curve measures decisions at the thresholds that divide the rows evenly, more closely
// among the highest scores, where decisions are made.
func curve(d evaluate.Data) ([]report.Point, error) {
	sorted := slices.Sorted(slices.Values(d.Scores))
	var thresholds []float64
	for i := 1; i < curvePoints; i++ {
		part := float64(i) / curvePoints
		t := sorted[len(sorted)-1-int(part*part*float64(len(sorted)-1))]
		if len(thresholds) == 0 || t < thresholds[len(thresholds)-1] {
			thresholds = append(thresholds, t)
		}
	}
	r, err := evaluate.Binary(d, &evaluate.Options{Thresholds: thresholds})
	if err != nil {
		return nil, err
	}
	var points []report.Point
	for _, t := range thresholds {
		recall, a := r.Get(evaluate.At(evaluate.Recall, t))
		specificity, b := r.Get(evaluate.At(evaluate.Specificity, t))
		precision, c := r.Get(evaluate.At(evaluate.Precision, t))
		if a && b && c {
			points = append(points, report.Point{Threshold: t, Recall: recall, Specificity: specificity, Precision: precision})
		}
	}
	return points, nil
}

// gates gathers the decisions that rest on this run: over its publication, over candidates
// that served in it, and over candidates that its labels judged.
func (j *judged) gates(ctx context.Context) error {
	if j.data.Gate != "" {
		d := new(gate.Decision)
		if err := run.LoadBlob(ctx, j.Store, j.data.Gate, d); err != nil {
			return err
		}
		j.out.Gates = append(j.out.Gates, report.Gate{Paper: string(j.data.Gate), Decision: d})
	}
	for _, e := range j.Log.Of(registry.KindAdvance) {
		g, err := j.decision(ctx, e)
		if err != nil {
			return err
		}
		if g == nil || !slices.ContainsFunc(g.Decision.Evidence.Sources, func(s gate.Source) bool {
			return s.Batch == j.plan.Batch && (s.Run == "" || s.Run == string(j.data.Run))
		}) {
			continue
		}
		j.last = max(j.last, e.Seq)
		j.out.Gates = append(j.out.Gates, *g)
	}
	return nil
}
