package activities

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"headgate/internal/evaluate"
	"headgate/internal/evidence"
	"headgate/internal/registry"
	"headgate/internal/run"
	"headgate/internal/store"
)

// How evaluations give metrics their intervals. Fewer replicates than usual, because a
// batch has several models; the seed makes the same paper of the same rows.
const (
	evaluationSeed       = 1
	evaluationReplicates = 400
)

// ForecastInput names a published batch without labels.
type ForecastInput struct {
	Pipeline string `json:"pipeline"`
	Batch    string `json:"batch"`
}

// ForecastOutput is what the champion's scores alone say of metrics.
type ForecastOutput struct {
	Metrics []evaluate.Measured `json:"metrics,omitempty"` // none if the scores are no probabilities
	// Off names the last batch whose forecast labels have proved wrong, if it is the last
	// that was evaluated: then this one is not to be trusted either.
	Off string `json:"off,omitempty"`
}

// Forecast estimates the metrics of a batch without labels (CBPE). It writes nothing: the
// same estimate stands in the evaluation, once there is one.
func (a *Activities) Forecast(ctx context.Context, in ForecastInput) (ForecastOutput, error) {
	return stage(ctx, func(ctx context.Context, report func(Progress)) (ForecastOutput, error) {
		l, err := a.labelled(ctx, in.Pipeline, in.Batch)
		if err != nil {
			return ForecastOutput{}, err
		}
		request, err := a.evaluationRequest(ctx, l, in.Batch, "")
		if err != nil {
			return ForecastOutput{}, err
		}
		request.Models = request.Models[:1]
		request.Batches[0] = request.Batches[0].For(request.Models)
		rows, err := evidence.Load(ctx, a.store, request, &evidence.Options{Progress: reportRows(report)})
		if err != nil {
			return ForecastOutput{}, err
		}
		guess, err := evidence.Forecast(rows, l.options())
		if err != nil || guess == nil {
			return ForecastOutput{}, err
		}
		out := ForecastOutput{Metrics: guess.Forecast}
		out.Off, err = a.lastOff(ctx, l.log)
		return out, err
	})
}

// lastOff returns the last batch that was evaluated, if its forecast was off.
func (a *Activities) lastOff(ctx context.Context, log *registry.Log) (string, error) {
	for _, e := range slices.Backward(log.Entries()) {
		if e.Kind != registry.KindEvaluated || e.Verdict != registry.VerdictPass {
			continue
		}
		last := new(evidence.Evaluation)
		if err := run.LoadJSON(ctx, a.store, run.Object{Key: store.BlobKey(e.Paper), Digest: e.Paper}, last); err != nil {
			return "", err
		}
		if last.CBPE != nil && !last.CBPE.Trusted {
			return e.Batch, nil
		}
		return "", nil
	}
	return "", nil
}

// options say how the batches of a pipeline are evaluated.
func (l *labelled) options() *evidence.EvaluateOptions {
	return &evidence.EvaluateOptions{Threshold: l.files.pipeline.Labels.Threshold,
		Evaluate: evaluate.Options{Seed: evaluationSeed, Replicates: evaluationReplicates}}
}

// reportRows makes a heartbeat of rows that are read.
func reportRows(report func(Progress)) func(done, total int64) {
	return func(done, total int64) { report(Progress{Done: done, Total: total}) }
}

// evaluationRequest names the rows of a batch and every model that has scored them.
func (a *Activities) evaluationRequest(ctx context.Context, l *labelled, batch string, version store.Digest) (evidence.Request, error) {
	r := evidence.Request{Pipeline: l.log.Pipeline(), Cluster: l.files.pipeline.Labels.Cluster}
	b, _, found := evidence.Of(l.log.Entries(), batch)
	if !found || b.Run == "" || b.Decision == "" {
		return r, fail(KindUnknown, "the publication of batch %s names no run, so there are no scores to hold against labels", batch)
	}
	plan, err := run.LoadPlan(ctx, a.store, r.Pipeline, batch, b.Run)
	if err != nil {
		return r, err
	}
	b.Labels = version
	r.Models = append([]store.Digest{plan.Champion}, plan.Models...)
	for _, model := range slices.Sorted(maps.Keys(b.Shadows)) {
		if !slices.Contains(r.Models, model) {
			r.Models = append(r.Models, model)
		}
	}
	r.Batches = []evidence.Batch{b}
	return r, nil
}

// EvaluateScoresInput names the labels that are held against a batch's scores.
type EvaluateScoresInput struct {
	Pipeline  string       `json:"pipeline"`
	Batch     string       `json:"batch"`
	Labels    store.Digest `json:"labels"` // blob of a labels.Version
	Operation string       `json:"operation"`
	At        time.Time    `json:"at"`
	By        string       `json:"by"`
}

// EvaluateScoresOutput is the heart of an evaluation; the paper has all of it.
type EvaluateScoresOutput struct {
	Verdict  string             `json:"verdict"`
	Reasons  []string           `json:"reasons,omitempty"`
	Notes    []string           `json:"notes,omitempty"`
	Run      store.Digest       `json:"run"`
	Paper    store.Digest       `json:"paper"` // blob of an evidence.Evaluation
	Rows     evidence.RowCount  `json:"rows"`
	Known    evaluate.Estimate  `json:"known"` // share of the rows whose outcome is known
	Models   []EvaluatedModel   `json:"models,omitempty"`
	Forecast *evaluate.Estimate `json:"forecast,omitempty"` // of the champion's AUC, as it was without labels
	Trusted  bool               `json:"trusted"`            // the forecast was not off
	Seq      int64              `json:"seq"`                // of the registry's entry
	Anchor   string             `json:"anchor"`
}

// An EvaluatedModel is a line of the scorecard.
type EvaluatedModel struct {
	Model   store.Digest       `json:"model"`
	Role    string             `json:"role"`
	Rows    int64              `json:"rows"`
	AUC     *evaluate.Estimate `json:"auc,omitempty"`
	LogLoss *evaluate.Estimate `json:"logLoss,omitempty"`
	Slope   *evaluate.Estimate `json:"slope,omitempty"` // of the calibration; 1 is best
	Problem string             `json:"problem,omitempty"`
}

// EvaluateScores holds the labels of a batch against what every model said of it, keeps
// the evaluation as a blob, and enters it in the registry. The same labels and scores
// make the same paper, and the same paper is entered once.
func (a *Activities) EvaluateScores(ctx context.Context, in EvaluateScoresInput) (EvaluateScoresOutput, error) {
	return stage(ctx, func(ctx context.Context, report func(Progress)) (EvaluateScoresOutput, error) {
		l, err := a.labelled(ctx, in.Pipeline, in.Batch)
		if err != nil {
			return EvaluateScoresOutput{}, err
		}
		request, err := a.evaluationRequest(ctx, l, in.Batch, in.Labels)
		if err != nil {
			return EvaluateScoresOutput{}, err
		}
		rows, err := evidence.Load(ctx, a.store, request, &evidence.Options{Progress: reportRows(report)})
		if err != nil {
			return EvaluateScoresOutput{}, err
		}
		e, err := evidence.Evaluate(rows, l.options())
		if err != nil {
			return EvaluateScoresOutput{}, err
		}
		data, err := run.Encode(e)
		if err != nil {
			return EvaluateScoresOutput{}, err
		}
		paper, err := a.store.PutBlob(ctx, data)
		if err != nil {
			return EvaluateScoresOutput{}, err
		}
		out := evaluated(e, paper.Digest)
		entry, err := l.log.Append(ctx, registry.Entry{Kind: registry.KindEvaluated,
			ID: fmt.Sprintf("evaluated/%s/%s", in.Batch, run.Short(paper.Digest)), At: in.At, By: in.By, Cause: in.Operation,
			Batch: in.Batch, Run: e.Run, Model: request.Models[0], Labels: in.Labels, Paper: paper.Digest,
			Verdict: e.Verdict, Reasons: few(e.Reasons)})
		out.Seq, out.Anchor = entry.Seq, l.log.Anchor()
		return out, err
	})
}

// evaluated cuts an evaluation down to what a history may hold.
func evaluated(e *evidence.Evaluation, paper store.Digest) EvaluateScoresOutput {
	out := EvaluateScoresOutput{Verdict: e.Verdict, Reasons: few(e.Reasons), Notes: few(e.Notes), Run: e.Run, Paper: paper, Rows: e.Rows, Known: e.Coverage.Known}
	for _, m := range e.Models {
		line := EvaluatedModel{Model: m.Model, Role: m.Role, Rows: m.Rows, Problem: m.Problem}
		for metric, to := range map[evaluate.Metric]**evaluate.Estimate{evaluate.AUC: &line.AUC, evaluate.LogLoss: &line.LogLoss, evaluate.Slope: &line.Slope} {
			if m.Report == nil {
				continue
			}
			if est, ok := m.Report.Get(metric); ok {
				*to = &est
			}
		}
		out.Models = append(out.Models, line)
	}
	if e.CBPE == nil {
		return out
	}
	out.Trusted = e.CBPE.Trusted
	for _, m := range e.CBPE.Forecast {
		if m.Metric == evaluate.AUC {
			out.Forecast = &m.Estimate
		}
	}
	return out
}
