package standing

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"headgate/activities"
	"headgate/internal/drift"
	"headgate/internal/evaluate"
	"headgate/internal/evidence"
	"headgate/internal/metric"
	"headgate/internal/pipeline"
	"headgate/internal/registry"
	"headgate/internal/release"
	"headgate/internal/run"
	"headgate/internal/store"
	"headgate/internal/trigger"
)

// A folding makes numbers of one registry.
type folding struct {
	ctx    context.Context
	bucket *store.Bucket
	log    *registry.Log
	name   string // of the pipeline
	config *pipeline.Config

	samples   []metric.Sample
	questions []question
}

// add appends a sample of a metric whose first label is the pipeline.
func (f *folding) add(m metric.Metric, value float64, labels ...string) {
	f.samples = append(f.samples, m.At(value, append([]string{f.name}, labels...)...))
}

// fold goes through everything that the registry says.
func (f *folding) fold(now time.Time) error {
	state := f.log.State()
	if state.Pipeline == "" {
		return nil // models may be registered before the pipeline is
	}
	data, err := f.bucket.GetBlob(f.ctx, state.Pipeline)
	if err != nil {
		return fmt.Errorf("pipeline file: %w", err)
	}
	if f.config, err = pipeline.ParseKept("pipeline file "+string(state.Pipeline), data); err != nil {
		return err
	}
	f.publications(state)
	f.verdicts()
	f.proposals(state)
	if err := f.lastJudged(); err != nil {
		return err
	}
	if err := f.evaluated(); err != nil {
		return err
	}
	return f.release(now)
}

// publications counts what is published, and finds the batches that ask.
func (f *folding) publications(state registry.State) {
	var ever int
	var last time.Time
	latest := ""
	published := map[string]bool{}
	for _, e := range f.log.Of(registry.KindPublished, registry.KindRestored) {
		ever++
		published[e.Batch] = true
		if e.At.After(last) {
			last = e.At
		}
		latest = max(latest, e.Batch)
	}
	f.add(metric.PublishedBatches, float64(len(published)))
	f.add(metric.Publications, float64(ever))
	if ever > 0 {
		f.add(metric.LastPublished, seconds(last))
	}
	f.begin(metric.LastPublishedBatch, latest)
	entries := f.log.Entries()
	for _, batch := range slices.Sorted(maps.Keys(state.Batches)) {
		if e := entries[state.Batches[batch].Seq-1]; e.Kind == registry.KindVerdict && e.Verdict == registry.VerdictAsk {
			f.questions = append(f.questions, question{kind: metric.QuestionBatch, batch: batch, since: e.At, until: e.At.Add(time.Duration(f.config.Ask.Wait))})
		}
	}
}

// begin adds when a batch begins, if its name says so.
func (f *folding) begin(m metric.Metric, batch string) {
	if at, ok := f.config.Begin(batch); ok {
		f.add(m, seconds(at))
	}
}

// gates are the kinds of entries that have a verdict, and whose it is. What passed the
// gate of a batch is published, and counted there.
var gates = map[string]string{
	registry.KindVerdict: metric.GatePublish, registry.KindPublished: metric.GatePublish, registry.KindAdvance: metric.GateAdvance,
	registry.KindEvaluated: metric.GateLabels, registry.KindTraining: metric.GateTraining,
}

func (f *folding) verdicts() {
	type verdict struct{ gate, verdict string }
	counts := map[verdict]int{}
	var challengers int
	for _, e := range f.log.Entries() {
		if e.Kind == registry.KindCandidate {
			challengers++
		}
		if gate := gates[e.Kind]; gate != "" && !(e.Kind == registry.KindVerdict && e.Verdict == registry.VerdictPass) {
			counts[verdict{gate, e.Verdict}]++
		}
	}
	for _, gate := range []string{metric.GatePublish, metric.GateAdvance, metric.GateLabels, metric.GateTraining} {
		for _, said := range []string{registry.VerdictPass, registry.VerdictBlock, registry.VerdictInconclusive, registry.VerdictAsk} {
			f.add(metric.Verdicts, float64(counts[verdict{gate, said}]), gate, said)
		}
	}
	f.add(metric.Challengers, float64(challengers))
}

// proposals finds the changes of the files that wait for a second person.
func (f *folding) proposals(state registry.State) {
	for _, p := range state.Proposals {
		f.questions = append(f.questions, question{kind: metric.QuestionProposal, since: p.At})
	}
}

// newest returns entries with the latest batch first; of one batch the last entry first.
func newest(entries []registry.Entry) []registry.Entry {
	sorted := slices.Clone(entries)
	slices.SortStableFunc(sorted, func(a, b registry.Entry) int {
		switch {
		case a.Batch != b.Batch && a.Batch > b.Batch:
			return -1
		case a.Batch != b.Batch:
			return 1
		}
		return int(b.Seq - a.Seq)
	})
	return sorted
}

// lastJudged tells of the latest batch whose rows were judged.
func (f *folding) lastJudged() error {
	for _, e := range newest(f.log.Of(registry.KindVerdict, registry.KindPublished)) {
		d, err := run.LoadVerdict(f.ctx, f.bucket, f.name, e.Batch, e.Run, e.Decision)
		if errors.Is(err, store.ErrNotFound) {
			continue // it was blocked before a row was read
		}
		if err != nil {
			return fmt.Errorf("the verdict over %s: %w", e.Batch, err)
		}
		if d.Rows > 0 {
			f.add(metric.QuarantinedShare, float64(d.Quarantined-min(d.Replaced, d.Quarantined))/float64(d.Rows))
			f.add(metric.QuarantineBudget, float64(d.Budget)/float64(d.Rows))
		}
		return f.drift(d.Drift)
	}
	return nil
}

// drift tells how far the batch has drifted, if that could be judged.
func (f *folding) drift(d *run.Drift) error {
	if d == nil {
		return nil
	}
	for _, level := range []string{string(drift.None), string(drift.Warn), trigger.LevelTrigger, string(drift.Inconclusive)} {
		f.add(metric.DriftLevel, number(d.Level == level), level)
	}
	var report drift.Report
	if err := run.LoadJSON(f.ctx, f.bucket, d.Paper, &report); err != nil {
		return fmt.Errorf("the drift report: %w", err)
	}
	drifted, columns := 0, 0
	for _, c := range report.Columns {
		if c.Score {
			continue
		}
		columns++
		if c.Level == drift.Warn {
			drifted++
		}
	}
	if columns > 0 {
		f.add(metric.DriftedShare, float64(drifted)/float64(columns))
	}
	return nil
}

// shown are the metrics of models that are shown: the main ones of each kind of task.
var shown = []evaluate.Metric{evaluate.AUC, evaluate.LogLoss, evaluate.Brier, evaluate.Slope, evaluate.RMSE, evaluate.MAE, evaluate.MacroAUC}

// evaluated tells what the champion was worth on the latest batch with labels, and on the
// first that it scored.
func (f *folding) evaluated() error {
	all := newest(slices.DeleteFunc(slices.Clone(f.log.Of(registry.KindEvaluated)), func(e registry.Entry) bool { return e.Verdict != registry.VerdictPass }))
	if len(all) == 0 {
		return nil
	}
	last, err := f.evaluation(all[0])
	if err != nil {
		return err
	}
	f.begin(metric.LastEvaluatedBatch, all[0].Batch)
	f.quality(metric.Quality, last)
	if last.CBPE != nil {
		f.add(metric.ForecastTrusted, number(last.CBPE.Trusted))
		f.measured(metric.Forecast, last.CBPE.Forecast)
	}
	first := all[0]
	for _, e := range all {
		if e.Model == first.Model && e.Batch < first.Batch {
			first = e
		}
	}
	then, err := f.evaluation(first)
	if err != nil {
		return err
	}
	f.quality(metric.QualityAtFirst, then)
	return nil
}

func (f *folding) evaluation(e registry.Entry) (*evidence.Evaluation, error) {
	paper := new(evidence.Evaluation)
	if err := run.LoadJSON(f.ctx, f.bucket, run.Object{Key: store.BlobKey(e.Paper), Digest: e.Paper}, paper); err != nil {
		return nil, fmt.Errorf("the evaluation of %s: %w", e.Batch, err)
	}
	return paper, nil
}

// quality tells of the champion of an evaluation.
func (f *folding) quality(m metric.Metric, e *evidence.Evaluation) {
	if len(e.Models) == 0 || e.Models[0].Report == nil {
		return
	}
	for _, name := range shown {
		if found, ok := e.Models[0].Report.Get(name); ok {
			f.estimate(m, name, found)
		}
	}
}

// measured tells of those of some metrics that are shown.
func (f *folding) measured(m metric.Metric, all []evaluate.Measured) {
	for _, e := range all {
		if slices.Contains(shown, e.Metric) {
			f.estimate(m, e.Metric, e.Estimate)
		}
	}
}

func (f *folding) estimate(m metric.Metric, name evaluate.Metric, e evaluate.Estimate) {
	f.add(m, e.Value, string(name), metric.BoundValue)
	f.add(m, e.Low, string(name), metric.BoundLow)
	f.add(m, e.High, string(name), metric.BoundHigh)
}

// release tells which step a release is at, and what it asks.
func (f *folding) release(now time.Time) error {
	if f.config.Release == nil {
		return nil
	}
	r, err := activities.OpenReleases(f.ctx, f.bucket, f.name)
	if err != nil {
		return err
	}
	next := release.Next(r.State, r.Settings, now)
	f.add(metric.ReleaseOpen, number(len(r.State.Open()) > 0))
	share := 0
	if routing := r.State.Routing; routing != nil {
		for _, arm := range routing.Arms {
			if arm.Model != r.State.Champion {
				share += arm.Share
			}
		}
		if routing.Step != release.StepDone {
			f.add(metric.ReleaseStep, 1, routing.Step)
		}
	}
	f.add(metric.ReleaseShare, float64(share)/release.Whole)
	if next.Kind == release.DoAsk {
		f.questions = append(f.questions, question{kind: metric.QuestionRelease, since: asked(r, next), until: next.Until})
	}
	return nil
}

// asked is since when a release asks: since its verdict, or since that could be asked.
func asked(r *activities.Releases, next release.Action) time.Time {
	if !next.Until.IsZero() {
		return next.Until.Add(-r.Settings.Expire)
	}
	var at time.Time
	for _, e := range r.Log.Of(registry.KindAdvance) {
		if e.Paper == store.Digest(next.Decision) {
			at = e.At
		}
	}
	return at
}

// number is 1 for true.
func number(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
