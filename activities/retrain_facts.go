package activities

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"headgate/internal/bundle"
	"headgate/internal/evaluate"
	"headgate/internal/evidence"
	"headgate/internal/learn"
	"headgate/internal/pipeline"
	"headgate/internal/registry"
	"headgate/internal/run"
	"headgate/internal/store"
	"headgate/internal/trigger"
)

// DecideRetrainInput names the pipeline, and the moment whose year's budget counts.
type DecideRetrainInput struct {
	Pipeline string    `json:"pipeline"`
	At       time.Time `json:"at"`
}

// DecideRetrainOutput says whether a training starts, and why.
type DecideRetrainOutput struct {
	trigger.Decision
	Batch string `json:"batch,omitempty"` // the latest one that has labels

	// What labels say of the champion, if anything, whether a training starts or not.
	Fallen string `json:"fallen,omitempty"` // its metric is worse than when it came
	Lost   string `json:"lost,omitempty"`   // its calibration is outside its bounds
}

// DecideRetrain reads what happened since the last training and decides whether another
// one starts. Without settings for it, none does.
func (a *Activities) DecideRetrain(ctx context.Context, in DecideRetrainInput) (DecideRetrainOutput, error) {
	return stage(ctx, func(ctx context.Context, _ func(Progress)) (DecideRetrainOutput, error) {
		h, err := a.loopHistory(ctx, in.Pipeline)
		if err != nil || h.files.pipeline.Retrain == nil || h.files.pipeline.Training == nil {
			return DecideRetrainOutput{}, err
		}
		facts, err := a.facts(ctx, h, in.At)
		settings := triggers(h.files.pipeline)
		out := DecideRetrainOutput{Decision: trigger.Decide(settings, facts)}
		out.Fallen, out.Lost = facts.Doubts(settings)
		if n := len(h.labelled); n > 0 {
			out.Batch = h.labelled[n-1].Name
		}
		return out, err
	})
}

// A loopHistory is what the registry says of batches, labels and trainings.
type loopHistory struct {
	log       *registry.Log
	state     registry.State
	files     files
	published []publishedBatch // in their order
	labelled  []labelledBatch  // the published ones whose labels are complete
}

// A publishedBatch is the latest publication of a batch.
type publishedBatch struct {
	Name          string
	Run, Decision store.Digest
	first         int64 // entry of its first publication
}

// A labelledBatch is a published batch with its latest evaluation.
type labelledBatch struct {
	learn.Batch
	evaluation *evidence.Evaluation
}

// loopHistory reads the registry and the papers of its evaluations.
func (a *Activities) loopHistory(ctx context.Context, name string) (*loopHistory, error) {
	log, err := registry.Load(ctx, a.store, name)
	if err != nil {
		return nil, err
	}
	h := &loopHistory{log: log, state: log.State()}
	if h.state.Pipeline == "" {
		return nil, fail(KindUnknown, "pipeline %q is not registered in this store; run: starter register PIPELINE.yaml", name)
	}
	if h.files, err = a.files(ctx, h.state.Pipeline, h.state.Contract, ""); err != nil {
		return nil, err
	}
	h.published = publishedBatches(h.files.pipeline, log.Entries())
	papers := map[string]store.Digest{}
	for _, e := range log.Entries() {
		if e.Kind == registry.KindEvaluated {
			papers[e.Batch] = e.Paper
		}
	}
	for _, p := range h.published {
		if papers[p.Name] == "" {
			continue
		}
		e := new(evidence.Evaluation)
		if err := a.paper(ctx, papers[p.Name], e); err != nil {
			return nil, err
		}
		if e.Labels.Complete && e.Verdict != registry.VerdictBlock {
			h.labelled = append(h.labelled, labelledBatch{learn.Batch{Name: p.Name, Run: p.Run, Decision: p.Decision, Labels: e.Labels.Version}, e})
		}
	}
	return h, nil
}

// paper reads a blob that an entry rests on.
func (a *Activities) paper(ctx context.Context, d store.Digest, v any) error {
	return run.LoadJSON(ctx, a.store, run.Object{Key: store.BlobKey(d), Digest: d}, v)
}

// publishedBatches lists the batches that are published: by their dates or, where names
// are no dates, by when they were first published.
func publishedBatches(c *pipeline.Config, entries []registry.Entry) []publishedBatch {
	latest := map[string]registry.Entry{}
	first := map[string]int64{}
	for _, e := range entries {
		if e.Kind != registry.KindPublished && e.Kind != registry.KindRestored {
			continue
		}
		if first[e.Batch] == 0 {
			first[e.Batch] = e.Seq
		}
		if e.Publication > latest[e.Batch].Publication {
			latest[e.Batch] = e
		}
	}
	var all []publishedBatch
	for batch, e := range latest {
		if e.Run != "" && e.Decision != "" {
			all = append(all, publishedBatch{batch, e.Run, e.Decision, first[batch]})
		}
	}
	slices.SortFunc(all, func(a, b publishedBatch) int {
		if c.Batch == pipeline.Any {
			return cmp.Compare(a.first, b.first)
		}
		return cmp.Compare(a.Name, b.Name)
	})
	return all
}

// triggers are the settings of a pipeline as package trigger has them.
func triggers(c *pipeline.Config) trigger.Settings {
	r := c.Retrain
	return trigger.Settings{Drift: r.Drift, Metric: evaluate.Metric(r.Metric), Fall: r.Fall, Calibration: r.Calibration,
		Every: r.Every, Cooldown: r.Cooldown, Budget: r.Budget, Recalibrate: r.Recalibrate, Bounds: calibrationBounds(c)}
}

// facts gathers what a decision about a training rests on.
func (a *Activities) facts(ctx context.Context, h *loopHistory, at time.Time) (trigger.Facts, error) {
	champion := h.state.Aliases[registry.AliasChampion]
	var f trigger.Facts
	if n := len(h.published); n > 0 {
		last := h.published[n-1]
		data, err := run.LoadVerdict(ctx, a.store, h.files.pipeline.Name, last.Name, last.Run, last.Decision)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return f, err
		}
		if err == nil && data.Drift != nil {
			f.Drift = append(f.Drift, trigger.Drift{Batch: last.Name, Level: data.Drift.Level})
		}
	}
	alike, err := a.ranksAlike(ctx, h, champion)
	if err != nil {
		return f, err
	}
	for _, b := range h.labelled {
		m := b.of(champion)
		if m == nil {
			m = b.ranking(alike)
		}
		if m != nil {
			f.Matured = append(f.Matured, trigger.Matured{Batch: b.Name, Estimates: m})
		}
	}
	f.Year, f.Tried = h.tried(at)
	f.Open = h.open()
	f.Labelled = len(h.since(h.lastTraining()))
	f.Recalibrated, err = a.recalibrated(ctx, h, champion)
	return f, err
}

// of returns how good a model was on the batch, or nil if it has not scored it.
func (b *labelledBatch) of(champion store.Digest) map[evaluate.Metric]evaluate.Estimate {
	for _, m := range b.evaluation.Models {
		if m.Model != champion || m.Report == nil {
			continue
		}
		estimates := map[evaluate.Metric]evaluate.Estimate{}
		for _, e := range m.Report.Metrics {
			estimates[e.Metric] = e.Estimate
		}
		return estimates
	}
	return nil
}

// ranking returns how well one of some models ranked the batch, or nil if none has scored
// it.
func (b *labelledBatch) ranking(models []store.Digest) map[evaluate.Metric]evaluate.Estimate {
	for _, model := range models {
		all := b.of(model)
		for m := range all {
			if m != evaluate.AUC && m != evaluate.PRAUC {
				delete(all, m)
			}
		}
		if len(all) > 0 {
			return all
		}
	}
	return nil
}

// ranksAlike returns the champions before whose trees the champion has: it is one of them
// with a new calibration, which moves no row before another. What such a champion was
// worth when it came is, in its ranking, what its trees were worth when they came;
// otherwise each calibration would make a fall forgotten.
func (a *Activities) ranksAlike(ctx context.Context, h *loopHistory, champion store.Digest) ([]store.Digest, error) {
	if champion == "" {
		return nil, nil
	}
	var alike []store.Digest
	is, err := bundle.Read(ctx, a.store, champion)
	for _, e := range h.log.Of(registry.KindPromote) {
		if err != nil {
			break
		}
		if e.Alias != registry.AliasChampion || e.Model == champion || slices.Contains(alike, e.Model) {
			continue
		}
		var was *bundle.Bundle
		if was, err = bundle.Read(ctx, a.store, e.Model); err == nil && was.Model.Digest == is.Model.Digest {
			alike = append(alike, e.Model)
		}
	}
	return alike, err
}

// lastTraining returns the batch that the last training learned from last, or "".
func (h *loopHistory) lastTraining() string {
	last := ""
	for _, e := range h.log.Entries() {
		if e.Kind == registry.KindTraining {
			last = e.Batch
		}
	}
	return last
}

// since returns the batches with labels that come after one; "" is before all.
func (h *loopHistory) since(batch string) []labelledBatch {
	at := slices.IndexFunc(h.published, func(p publishedBatch) bool { return p.Name == batch })
	after := map[string]bool{}
	for _, p := range h.published[at+1:] {
		after[p.Name] = true
	}
	return slices.DeleteFunc(slices.Clone(h.labelled), func(b labelledBatch) bool { return !after[b.Name] })
}

// tried counts the challengers of the year: that of the last published batch, or of at
// where names of batches are no dates.
func (h *loopHistory) tried(at time.Time) (year string, n int) {
	yearOf := func(batch string, at time.Time) string {
		if begin, ok := h.files.pipeline.Begin(batch); ok {
			at = begin
		}
		return strconv.Itoa(at.UTC().Year())
	}
	last := ""
	if n := len(h.published); n > 0 {
		last = h.published[n-1].Name
	}
	year = yearOf(last, at)
	for _, e := range h.log.Entries() {
		if e.Kind == registry.KindCandidate && yearOf(e.Batch, e.At) == year {
			n++
		}
	}
	return year, n
}

// open returns the latest release that has neither promoted a candidate nor rejected
// all of them, or "".
func (h *loopHistory) open() string {
	candidates := map[string][]store.Digest{}
	var order []string
	promoted := map[store.Digest]bool{}
	for _, e := range h.log.Entries() {
		switch e.Kind {
		case registry.KindCandidate:
			if candidates[e.Release] == nil {
				order = append(order, e.Release)
			}
			candidates[e.Release] = append(candidates[e.Release], e.Model)
			delete(promoted, e.Model)
		case registry.KindPromote:
			promoted[e.Model] = true
		}
	}
	for _, name := range slices.Backward(order) {
		waiting := slices.ContainsFunc(candidates[name], func(m store.Digest) bool { return h.state.Rejected[m] == "" })
		done := slices.ContainsFunc(candidates[name], func(m store.Digest) bool { return promoted[m] })
		if waiting && !done {
			return name
		}
	}
	return ""
}

// recalibrated reports whether the champion was given a new calibration since it came.
func (a *Activities) recalibrated(ctx context.Context, h *loopHistory, champion store.Digest) (bool, error) {
	tried := false
	for _, e := range h.log.Entries() {
		switch {
		case e.Kind == registry.KindPromote && e.Alias == registry.AliasChampion && e.Model == champion:
			tried = false
		case e.Kind == registry.KindTraining:
			var paper learn.Evidence
			if err := a.paper(ctx, e.Paper, &paper); err != nil {
				return false, err
			}
			tried = tried || paper.Kind.Has(trigger.Recalibrate)
		}
	}
	return tried, nil
}

// calibrationBounds are the bounds of the gate.
func calibrationBounds(c *pipeline.Config) []trigger.Bound {
	if c.Gates == nil || c.Gates.Advance.Calibration == nil {
		return nil
	}
	b := c.Gates.Advance.Calibration
	return []trigger.Bound{{Metric: evaluate.Slope, Low: b.Slope[0], High: b.Slope[1]},
		{Metric: evaluate.InTheLarge, Low: b.InTheLarge[0], High: b.InTheLarge[1]}}
}
