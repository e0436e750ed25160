package dossier

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"headgate/internal/delta"
	"headgate/internal/evaluate"
	"headgate/internal/evidence"
	"headgate/internal/figure"
	"headgate/internal/registry"
	"headgate/internal/report"
	"headgate/internal/run"
	"headgate/internal/store"
)

// states are how a batch stands that is not published, by the last verdict over it.
var states = map[string]string{registry.VerdictPass: "passed", registry.VerdictBlock: "blocked", registry.VerdictAsk: "waits", registry.VerdictInconclusive: "waits"}

// line says of a batch in one row what the entries up to a number say.
func (r *Reader) line(ctx context.Context, w window, to int64) (report.Line, error) {
	out := report.Line{Batch: w.batch, State: "passed"}
	var decision store.Digest
	for _, e := range r.Log.Entries()[:to] {
		if e.Batch != w.batch {
			continue
		}
		switch e.Kind {
		case registry.KindMissed:
			if out.Publication == 0 {
				out.State, out.Why = "missing", e.Reason
			}
		case registry.KindVerdict:
			if e.Verdict == registry.VerdictBlock {
				out.Attempts++
			}
			if out.Publication == 0 {
				out.Run, decision, out.Why = string(e.Run), e.Decision, strings.Join(e.Reasons, "; ")
				out.State = states[e.Verdict]
			}
		case registry.KindPublished, registry.KindRestored:
			out.State, out.Why, out.Publication = "published", "", e.Publication
		}
	}
	if out.Publication > 0 {
		for _, p := range r.Table.History(w.batch) {
			if p.Number == out.Publication {
				out.Run, out.At, decision = p.Info["run"], p.At, store.Digest(p.Info["decision"])
				served, err := r.served(p)
				if err != nil {
					return out, err
				}
				out.Served = served
			}
		}
	}
	if err := r.judgedLine(ctx, &out, decision); err != nil {
		return out, err
	}
	out.Decisions = r.decided(w, to)
	return out, r.quality(ctx, &out, to)
}

// judgedLine adds what plan and verdict of the line's run say, or that they are gone.
func (r *Reader) judgedLine(ctx context.Context, out *report.Line, decision store.Digest) error {
	if out.Run == "" || decision == "" {
		return nil
	}
	plan, err := run.LoadPlan(ctx, r.Store, r.Pipeline, out.Batch, store.Digest(out.Run))
	if err == nil {
		out.Champion = r.Version(plan.Champion)
	} else if !gone(err) {
		return err
	}
	d, err := run.FindVerdict(ctx, r.Store, r.Pipeline, out.Batch, store.Digest(out.Run), decision)
	if gone(err) {
		out.Gone = true
		return nil
	}
	if err != nil {
		return err
	}
	out.Rows = rowsOf(d)
	if d.Drift != nil {
		out.Drift, out.Drifted = d.Drift.Level, d.Drift.Columns
	}
	return nil
}

// rowsOf says what became of the delivered rows.
func rowsOf(d *run.Data) report.Rows {
	r := report.Rows{Delivered: d.Rows, Budget: d.Budget, Quarantined: d.Quarantined, Corrected: d.Replaced}
	if d.Stage == run.StageRows {
		r.Scored = d.Rows - d.Quarantined
	}
	if d.Fallback != nil {
		const key = 16 // bytes of the digest of a key
		r.Fallback = d.Fallback.Size / key
	}
	return r
}

// served says whose scores the rows of a publication have, most rows first.
func (r *Reader) served(p delta.Publication) ([]report.Served, error) {
	models := map[string]int64{}
	if text := p.Info["models"]; text != "" {
		if err := json.Unmarshal([]byte(text), &models); err != nil {
			return nil, fmt.Errorf("publication %d of %s: models: %w", p.Number, p.Batch, err)
		}
	} else if model := p.Info["model"]; model != "" {
		models[model] = p.Rows()
	}
	var out []report.Served
	for _, m := range sorted(models) {
		out = append(out, report.Served{Model: r.Version(store.Digest(m)), Rows: models[m]})
	}
	slices.SortStableFunc(out, func(a, b report.Served) int { return int(b.Rows - a.Rows) })
	return out, nil
}

// decided says in few words what was decided while a batch was the latest.
func (r *Reader) decided(w window, to int64) []string {
	var out []string
	for _, e := range r.Log.Entries()[w.from-1 : min(w.to, to)] {
		switch e.Kind {
		case registry.KindTraining:
			out = append(out, "training: "+e.Verdict)
		case registry.KindAdvance:
			out = append(out, fmt.Sprintf("%s %s: %s", figure.Short(string(e.Model)), e.Step, e.Verdict))
		case registry.KindApproval:
			out = append(out, fmt.Sprintf("%s by %s", e.Answer, e.By))
		case registry.KindPromote:
			out = append(out, "champion "+figure.Short(string(e.Model)))
		case registry.KindRejected:
			out = append(out, figure.Short(string(e.Model))+" rejected")
		case registry.KindRestored:
			out = append(out, fmt.Sprintf("%s taken back", e.Batch))
		case registry.KindControl:
			out = append(out, e.Control+" by "+e.By)
		}
	}
	return out
}

// evaluation reads an evaluation; nil if somebody has deleted it.
func (r *Reader) evaluation(ctx context.Context, d store.Digest) (*evidence.Evaluation, error) {
	if e, ok := r.evaluations[d]; ok {
		return e, nil
	}
	e := new(evidence.Evaluation)
	err := run.LoadBlob(ctx, r.Store, d, e)
	switch {
	case gone(err):
		e = nil
	case err != nil:
		return nil, err
	}
	if r.evaluations == nil {
		r.evaluations = map[store.Digest]*evidence.Evaluation{}
	}
	r.evaluations[d] = e
	return e, nil
}

// quality adds what labels say of the line's run, by the last evaluation up to an entry.
func (r *Reader) quality(ctx context.Context, out *report.Line, to int64) error {
	var last registry.Entry
	var first store.Digest
	for _, e := range r.Log.Entries()[:to] {
		if e.Kind == registry.KindEvaluated && e.Batch == out.Batch && string(e.Run) == out.Run {
			last = e
		}
		if e.Kind == registry.KindPromote && e.Alias == registry.AliasChampion && first == "" {
			first = e.Model
		}
	}
	if last.Paper == "" {
		return nil
	}
	e, err := r.evaluation(ctx, last.Paper)
	if err != nil || e == nil || len(e.Models) == 0 {
		return err
	}
	q := &report.Quality{Paper: string(last.Paper), Labels: string(e.Labels.Version), Entry: last.Seq, Evidence: e.Verdict == registry.VerdictPass}
	q.Metric, q.Champion = headline(e.Models[0].Report)
	q.Large, q.Slope = metric(e.Models[0].Report, evaluate.InTheLarge), metric(e.Models[0].Report, evaluate.Slope)
	for _, m := range e.Models {
		if m.Model == first {
			_, q.First = headline(m.Report)
		}
	}
	out.Quality = q
	return nil
}

// headline returns the metric that everybody asks for: AUC, or R² of a regression.
func headline(r *evaluate.Report) (evaluate.Metric, *evaluate.Estimate) {
	for _, m := range []evaluate.Metric{evaluate.AUC, evaluate.R2} {
		if e := metric(r, m); e != nil {
			return m, e
		}
	}
	return evaluate.AUC, nil
}

func metric(r *evaluate.Report, m evaluate.Metric) *evaluate.Estimate {
	if r == nil {
		return nil
	}
	e, ok := r.Get(m)
	if !ok {
		return nil
	}
	return &e
}
