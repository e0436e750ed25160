package activities

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"headgate/internal/columnar"
	"headgate/internal/delta"
	"headgate/internal/pass"
	"headgate/internal/registry"
	"headgate/internal/run"
	"headgate/internal/serving"
	"headgate/internal/store"
)

// A FailedModel could not score a batch.
type FailedModel struct {
	Model  store.Digest `json:"model"`
	Reason string       `json:"reason"`
}

// shadowPaper returns the blob of the latest shadow entry of a model for a run, or "".
func shadowPaper(log *registry.Log, batch string, name, model store.Digest) store.Digest {
	var paper store.Digest
	for _, e := range log.Entries() {
		if e.Kind == registry.KindShadow && e.Verdict != registry.VerdictBlock && e.Batch == batch && e.Run == name && e.Model == model {
			paper = e.Paper
		}
	}
	return paper
}

// scoredFiles says where the scores of a model are for a published run. The error is
// [run.ErrNotScored] if it has none.
func (a *Activities) scoredFiles(ctx context.Context, log *registry.Log, plan *run.Plan, data *run.Data, model store.Digest) (*run.Scored, error) {
	return run.FindScored(ctx, a.store, plan, data, model, shadowPaper(log, plan.Batch, data.Run, model))
}

// A publishedRun is the run behind the current publication of a batch.
type publishedRun struct {
	delta.Publication
	run     Run
	plan    *run.Plan
	files   files
	data    *run.Data
	paper   run.Object   // of data
	serving *run.Serving // nil: the champion alone
}

// published loads the run behind the current publication of a batch.
func (a *Activities) published(ctx context.Context, pipeline, batch string) (*publishedRun, error) {
	snapshot, err := delta.Open(a.store, run.TablePrefix(pipeline)).Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	current, ok := snapshot.Current(batch)
	if !ok {
		return nil, fail(KindUnknown, "batch %s of pipeline %s is not published", batch, pipeline)
	}
	p := &publishedRun{Publication: current, run: Run{pipeline, batch, store.Digest(current.Info["run"])}}
	if p.plan, p.files, err = a.plan(ctx, p.run); err != nil {
		return nil, err
	}
	decision := store.Digest(current.Info["decision"])
	if p.data, err = run.LoadVerdict(ctx, a.store, pipeline, batch, p.run.Run, decision); err != nil {
		return nil, err
	}
	p.paper = run.Object{Key: fmt.Sprintf("%s/data.%s.json", p.run.dir(), run.Short(decision)), Digest: decision}
	attrs, err := a.store.Stat(ctx, p.paper.Key)
	if err != nil {
		return nil, err
	}
	p.paper.Size = attrs.Size
	if len(p.data.Shards) == 0 {
		return nil, fail(KindUnknown, "publication %d of %s kept no list of its score files: score the batch again", current.Number, batch)
	}
	p.serving, err = serving.Load(ctx, a.store, store.Digest(current.Info["serving"]), p.run.Run)
	return p, err
}

// serves returns the models whose scores the rows of a publication have.
func (p *publishedRun) serves() []store.Digest {
	if p.serving == nil {
		return []store.Digest{p.plan.Champion}
	}
	return p.serving.Models()
}

// FindShadowInput names a published batch and models that are to score it.
type FindShadowInput struct {
	Pipeline string         `json:"pipeline"`
	Batch    string         `json:"batch"`
	Models   []store.Digest `json:"models"`
}

// FindShadowOutput is the published run, and the models that have not scored it yet.
type FindShadowOutput struct {
	Run
	Lists    []run.Object   `json:"lists"` // of shard results
	Shards   int            `json:"shards"`
	Rows     int64          `json:"rows"`
	Parallel int            `json:"parallel"`
	Models   []store.Digest `json:"models,omitempty"`
	Scored   []store.Digest `json:"scored,omitempty"` // have scored it already
}

// FindShadow pins the run behind the current publication of a batch, and which of the
// models have still to score it.
func (a *Activities) FindShadow(ctx context.Context, in FindShadowInput) (FindShadowOutput, error) {
	return stage(ctx, func(ctx context.Context, _ func(Progress)) (FindShadowOutput, error) {
		p, err := a.published(ctx, in.Pipeline, in.Batch)
		if err != nil {
			return FindShadowOutput{}, err
		}
		log, err := registry.Load(ctx, a.store, in.Pipeline)
		if err != nil {
			return FindShadowOutput{}, err
		}
		out := FindShadowOutput{Run: p.run, Lists: p.data.Shards, Shards: len(p.plan.Shards), Rows: p.plan.Rows, Parallel: p.files.pipeline.Shards.Parallel}
		known := log.State().Models
		for _, m := range in.Models {
			if !slices.Contains(known, m) {
				return FindShadowOutput{}, fail(KindUnknown, "model %s is not registered in pipeline %s", m, in.Pipeline)
			}
			_, err := a.scoredFiles(ctx, log, p.plan, p.data, m)
			switch {
			case err == nil:
				out.Scored = append(out.Scored, m)
			case !errors.Is(err, run.ErrNotScored):
				return FindShadowOutput{}, err
			case !slices.Contains(out.Models, m):
				out.Models = append(out.Models, m)
			}
		}
		return out, nil
	})
}

// ShadowShardInput names a scored shard and models that score it after the fact.
type ShadowShardInput struct {
	Run
	Shard  int            `json:"shard"`
	Result run.Object     `json:"result"` // the shard's run.ShardResult
	Models []store.Digest `json:"models"`
}

// ShadowShard lets models score the rows of a shard that the champion has scored, from
// the input that the run recorded: its digests are checked. The score files are those
// that the run would have written with these models beside the champion. It returns a
// run.ShardResult that has them and nothing else but counts.
func (a *Activities) ShadowShard(ctx context.Context, in ShadowShardInput) (run.Object, error) {
	return stage(ctx, func(ctx context.Context, report func(Progress)) (run.Object, error) {
		plan, f, err := a.plan(ctx, in.Run)
		if err != nil {
			return run.Object{}, err
		}
		var result run.ShardResult
		if err := run.LoadJSON(ctx, a.store, in.Result, &result); err != nil {
			return run.Object{}, err
		}
		if result.Shard != in.Shard || in.Shard >= len(plan.Shards) {
			return run.Object{}, fail(KindCorrupt, "the result of shard %d stands in the place of shard %d", result.Shard, in.Shard)
		}
		out := run.ShardResult{Format: run.Format, Shard: in.Shard, Rows: result.Rows, Scored: result.Scored, Quarantined: result.Quarantined, Content: result.Content}
		name := fmt.Sprintf("%06d.json", in.Shard)
		if result.Skipped != nil {
			out.Models = unscored(in.Models)
			return run.SaveJSON(ctx, a.store, in.dir()+"/shadow", name, out)
		}
		v, err := a.version(ctx, plan.Champion)
		if err != nil {
			return run.Object{}, err
		}
		models, reasons, err := a.challengers(ctx, in.Models)
		if err != nil {
			return run.Object{}, err
		}
		shard := plan.Shards[in.Shard]
		want := pass.RescoreInput{Name: plan.Files[shard.File].Key, Shard: shard, Contract: f.contract, Output: f.output, Champion: v.Scorer,
			Keep: f.pipeline.Scores.Keep, Models: models, Progress: func(rows int64) { report(Progress{Done: rows, Total: shard.Rows}) }}
		if result.Scores != nil {
			if want.Scores, err = serving.Open(ctx, a.store, *result.Scores); err != nil {
				return run.Object{}, err
			}
		}
		outs, err := a.rescore(ctx, plan, result.Content, want)
		if err != nil {
			return run.Object{}, err
		}
		if out.Models, err = a.saveModels(ctx, in.Run, in.Shard, in.Models, reasons, outs); err != nil {
			return run.Object{}, err
		}
		return run.SaveJSON(ctx, a.store, in.dir()+"/shadow", name, out)
	})
}

// rescore opens the recorded input and scores it. Where the file lies, and since when,
// does not matter: its footer and the digest of its decoded values must be the same.
func (a *Activities) rescore(ctx context.Context, plan *run.Plan, content store.Digest, want pass.RescoreInput) ([]pass.ModelOutput, error) {
	planned := plan.Files[want.Shard.File]
	src, err := a.openFile(ctx, plan, planned)
	if err != nil {
		return nil, err
	}
	defer src.close()
	gone := func() error {
		return fail(KindInputChanged, "%s is not what the run read any more: it cannot be scored again", planned.Key)
	}
	file, err := src.open(ctx, planned.Key)
	if errors.Is(err, store.ErrNotFound) {
		return nil, gone()
	}
	if err != nil {
		return nil, err
	}
	defer file.close()
	if footerDigest(file.File) != planned.Footer {
		return nil, gone()
	}
	want.File = file.File
	sum, outs, err := pass.Rescore(ctx, want)
	switch {
	case errors.Is(err, store.ErrChanged), err == nil && digest(sum) != content:
		return nil, gone()
	case errors.Is(err, columnar.ErrCorrupt):
		return nil, gone()
	}
	return outs, err
}

// RecordShadowInput names shard results with score files of models beside the champion.
type RecordShadowInput struct {
	Run
	Shards    Papers         `json:"shards"` // of run.ShardResult
	Models    []store.Digest `json:"models"`
	Operation string         `json:"operation"`
	At        time.Time      `json:"at"`
	By        string         `json:"by"`
}

// RecordShadowOutput says who has scored the whole batch.
type RecordShadowOutput struct {
	Scored []store.Digest `json:"scored,omitempty"`
	Failed []FailedModel  `json:"failed,omitempty"`
	Anchor string         `json:"anchor"`
}

// RecordShadow enters for each model that has scored every row of a run where its scores
// are. Doing it again finds the entries.
func (a *Activities) RecordShadow(ctx context.Context, in RecordShadowInput) (RecordShadowOutput, error) {
	return stage(ctx, func(ctx context.Context, _ func(Progress)) (RecordShadowOutput, error) {
		var out RecordShadowOutput
		plan, err := run.LoadPlan(ctx, a.store, in.Pipeline, in.Batch, in.Run.Run)
		if err != nil {
			return out, err
		}
		results, err := a.shardResults(ctx, in.Shards, plan)
		if err != nil {
			return out, err
		}
		log, err := registry.Load(ctx, a.store, in.Pipeline)
		if err != nil {
			return out, err
		}
		for _, m := range in.Models {
			scored, err := run.ScoredIn(plan, in.Run.Run, results, m)
			if errors.Is(err, run.ErrNotScored) {
				out.Failed = append(out.Failed, FailedModel{Model: m, Reason: err.Error()})
				continue
			}
			if err != nil {
				return out, err
			}
			paper, err := run.SaveBlob(ctx, a.store, scored)
			if err != nil {
				return out, err
			}
			// A second paper about the same run is another fact: a library may have been
			// upgraded between.
			_, err = log.Append(ctx, registry.Entry{Kind: registry.KindShadow,
				ID: fmt.Sprintf("shadow/%s/%s/%s/%s", in.Batch, run.Short(in.Run.Run), run.Short(m), run.Short(paper)),
				At: in.At, By: in.By, Cause: in.Operation, Batch: in.Batch, Run: in.Run.Run, Model: m, Paper: paper})
			if err != nil {
				return out, err
			}
			out.Scored = append(out.Scored, m)
		}
		out.Anchor = log.Anchor()
		return out, nil
	})
}
