package activities

import (
	"context"
	"fmt"
	"slices"
	"time"

	"headgate/internal/delta"
	"headgate/internal/pipeline"
	"headgate/internal/registry"
	"headgate/internal/run"
	"headgate/internal/store"
)

// Ways to score a past batch again.
const (
	AsWas = "as-was" // by the model and the files of its publication, or of that time
	AsNow = "as-now" // by the champion and the files in force
)

// A Backfill says how a past batch is scored. Challengers take no part in it.
type Backfill struct {
	Mode    string `json:"mode"`              // [AsWas] or [AsNow]
	Replace bool   `json:"replace,omitempty"` // a batch that is published is published again
	Reason  string `json:"reason"`
}

// goesBy is what a run follows.
type goesBy struct {
	file, contract, output, champion store.Digest
}

// past returns what a past batch is scored by. kept says why it stays as it is.
func (a *Activities) past(ctx context.Context, in ResolveInput, log *registry.Log, now goesBy) (by goesBy, kept string, err error) {
	snapshot, err := delta.Open(a.store, run.TablePrefix(in.Pipeline)).Snapshot(ctx)
	if err != nil {
		return now, "", err
	}
	current, published := snapshot.Current(in.Batch)
	if published && !in.Backfill.Replace {
		return now, fmt.Sprintf("it is published as publication %d", current.Number), nil
	}
	switch {
	case in.Backfill.Mode == AsNow:
		by = now
	case in.Backfill.Mode != AsWas:
		return now, "", fail(KindConfig, "a backfill is %s or %s, and not %q", AsWas, AsNow, in.Backfill.Mode)
	case published:
		by, err = a.publishedBy(ctx, original(snapshot.History(in.Batch)))
	default:
		by, err = a.inForceAt(ctx, in.Batch, log, now)
	}
	if err != nil {
		return now, "", err
	}
	if why, rejected := log.State().Rejected[by.champion]; rejected {
		return by, "", fail(KindConfig, "model version %s, by which %s was scored, was rejected since (%s); backfill it %s", run.Short(by.champion), in.Batch, why, AsNow)
	}
	return by, "", nil
}

// original returns the last publication that was no backfill, or the first one.
func original(history []delta.Publication) delta.Publication {
	p := history[0]
	for _, other := range history {
		if other.Info["backfill"] == "" {
			p = other
		}
	}
	return p
}

// publishedBy returns what the run of a publication followed.
func (a *Activities) publishedBy(ctx context.Context, p delta.Publication) (goesBy, error) {
	plan, err := run.LoadPlan(ctx, a.store, p.Pipeline, p.Batch, store.Digest(p.Info["run"]))
	if err != nil {
		return goesBy{}, err
	}
	return goesBy{plan.File, plan.Contract, plan.Output, plan.Champion}, nil
}

// inForceAt returns what was in force at the end of a batch's period.
func (a *Activities) inForceAt(ctx context.Context, batch string, log *registry.Log, now goesBy) (goesBy, error) {
	f, err := a.files(ctx, now.file, now.contract, now.output)
	if err != nil {
		return now, err
	}
	end, ok := f.pipeline.End(batch)
	if !ok {
		return now, fail(KindConfig, "nobody can say what was in force in batch %s, whose name is no date; backfill it %s", batch, AsNow)
	}
	by := goesBy{}
	for _, e := range log.Entries() {
		switch {
		case !e.At.Before(end):
		case e.Kind == registry.KindPipeline:
			by.file, by.contract, by.output = e.Pipeline, e.Contract, e.Output
		case e.Kind == registry.KindPromote && e.Alias == registry.AliasChampion:
			by.champion = e.Model
		}
	}
	if by.file == "" || by.champion == "" {
		return now, fail(KindConfig, "there was no champion yet at the end of %s; backfill it %s", batch, AsNow)
	}
	return by, nil
}

// actedOn says that a published batch is acted on, so that a person decides whether it is
// replaced; "" if it is not, or if the run is the published one.
func actedOn(in ResolveInput, c *pipeline.Config, name store.Digest, current delta.Publication, published bool) string {
	if !published || in.At.IsZero() || c.Release == nil || c.Release.Approve.ActBy <= 0 || current.Info["run"] == string(name) {
		return ""
	}
	from := current.At.Add(time.Duration(c.Release.Approve.ActBy))
	if in.At.Before(from) {
		return ""
	}
	return fmt.Sprintf("publication %d is acted on since %s: shall another take its place?", current.Number, from.UTC().Format("2006-01-02 15:04"))
}

// restated reports whether the input of a backfilled batch is not the one that its first
// publication was made from, value by value, or whether nobody can say.
func (a *Activities) restated(ctx context.Context, in PublishInput, snapshot *delta.Snapshot) (bool, error) {
	history := snapshot.History(in.Batch)
	if len(history) == 0 {
		return in.Backfill.Mode == AsWas, nil // what was delivered then is not recorded
	}
	first := history[0]
	was, err := a.contents(ctx, Run{in.Pipeline, in.Batch, store.Digest(first.Info["run"])}, store.Digest(first.Info["decision"]))
	if err != nil || was == nil {
		return true, err
	}
	is, err := a.contents(ctx, in.Run, in.Data.Digest)
	return !slices.Equal(was, is), err
}

// contents returns the digests of the decoded input values of a run, shard by shard; nil
// if the run did not keep them.
func (a *Activities) contents(ctx context.Context, r Run, decision store.Digest) ([]store.Digest, error) {
	plan, err := run.LoadPlan(ctx, a.store, r.Pipeline, r.Batch, r.Run)
	if err != nil {
		return nil, err
	}
	data, err := run.LoadVerdict(ctx, a.store, r.Pipeline, r.Batch, r.Run, decision)
	if err != nil || len(data.Shards) == 0 {
		return nil, err
	}
	results, err := run.Results(ctx, a.store, plan, data)
	if err != nil {
		return nil, err
	}
	var all []store.Digest
	for _, s := range results {
		all = append(all, s.Content)
	}
	return all, nil
}

// PlanBackfillInput names a range of batches, both ends included.
type PlanBackfillInput struct {
	Pipeline string `json:"pipeline"`
	From     string `json:"from"`
	To       string `json:"to"`
}

// PlanBackfillOutput lists the batches, oldest first.
type PlanBackfillOutput struct {
	Batches []string `json:"batches"`
}

// mostBatches is how many batches one backfill takes.
const mostBatches = 120

// PlanBackfill lists the batches of a range.
func (a *Activities) PlanBackfill(ctx context.Context, in PlanBackfillInput) (PlanBackfillOutput, error) {
	return stage(ctx, func(ctx context.Context, _ func(Progress)) (PlanBackfillOutput, error) {
		log, err := registry.Load(ctx, a.store, in.Pipeline)
		if err != nil {
			return PlanBackfillOutput{}, err
		}
		state := log.State()
		if state.Pipeline == "" {
			return PlanBackfillOutput{}, fail(KindUnknown, "pipeline %q is not registered in this store; run: starter register PIPELINE.yaml", in.Pipeline)
		}
		f, err := a.files(ctx, state.Pipeline, state.Contract, state.Output)
		if err != nil {
			return PlanBackfillOutput{}, err
		}
		out := PlanBackfillOutput{}
		out.Batches, err = f.pipeline.Range(in.From, in.To, mostBatches)
		if err != nil {
			return out, &kindError{KindConfig, err}
		}
		return out, nil
	})
}
