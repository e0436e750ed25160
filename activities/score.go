package activities

import (
	"context"
	"errors"
	"fmt"

	"headgate/internal/metric"
	"headgate/internal/pass"
	"headgate/internal/run"
	"headgate/internal/store"
)

// ScoreShardInput names one shard of a run.
type ScoreShardInput struct {
	Run
	Shard int `json:"shard"` // index into the plan
}

// ScoreShardOutput is where the shard's result is, and its counts for the scorecard.
type ScoreShardOutput struct {
	Result      run.Object `json:"result"` // a run.ShardResult
	Rows        int64      `json:"rows"`
	Quarantined int64      `json:"quarantined"`
}

// ScoreShard makes the one pass over a shard: it checks, profiles and scores its
// rows, and writes score file, quarantine, profile and key lists. The heartbeat
// shows rows; a cancelled or stopped shard leaves no result and starts over.
func (a *Activities) ScoreShard(ctx context.Context, in ScoreShardInput) (ScoreShardOutput, error) {
	return stage(ctx, func(ctx context.Context, report func(Progress)) (ScoreShardOutput, error) {
		plan, f, err := a.plan(ctx, in.Run)
		if err != nil {
			return ScoreShardOutput{}, err
		}
		if in.Shard < 0 || in.Shard >= len(plan.Shards) {
			return ScoreShardOutput{}, fail(KindUnknown, "shard %d: the plan has %d shards", in.Shard, len(plan.Shards))
		}
		v, err := a.version(ctx, plan.Champion)
		if err != nil {
			return ScoreShardOutput{}, err
		}
		models, reasons, err := a.challengers(ctx, plan.Models)
		if err != nil {
			return ScoreShardOutput{}, err
		}
		shard := plan.Shards[in.Shard]
		src, err := a.openFile(ctx, plan, plan.Files[shard.File])
		if err != nil {
			return ScoreShardOutput{}, err
		}
		defer src.close()
		file, err := src.openPlanned(ctx, plan.Files[shard.File])
		if err != nil {
			return ScoreShardOutput{}, err
		}
		defer file.close()
		out, err := pass.Run(ctx, pass.Input{
			File: file.File, Name: plan.Files[shard.File].Key, Shard: shard,
			Contract: f.contract, Output: f.output, Scorer: v.Scorer, Models: models, Keep: f.pipeline.Scores.Keep,
			Progress: func(rows int64) { report(Progress{Done: rows, Total: shard.Rows}) },
		})
		if errors.Is(err, store.ErrChanged) {
			return ScoreShardOutput{}, changed(plan.Files[shard.File].Key)
		}
		if err != nil {
			return ScoreShardOutput{}, err
		}
		if err := src.unchanged(ctx, plan.Files[shard.File]); err != nil {
			return ScoreShardOutput{}, err
		}
		result, err := a.saveShard(ctx, in, plan.Models, reasons, out)
		if err == nil {
			count(ctx, metric.RowsScored, out.Rows, in.Pipeline)
			count(ctx, metric.RowsQuarantined, out.Quarantined, in.Pipeline)
		}
		return ScoreShardOutput{Result: result, Rows: out.Rows, Quarantined: out.Quarantined}, err
	})
}

// saveShard writes what a pass returned; the result comes last and names the rest.
// reasons say why models beside the champion could not be loaded.
func (a *Activities) saveShard(ctx context.Context, in ScoreShardInput, models []store.Digest, reasons []string, out *pass.Output) (run.Object, error) {
	result := run.ShardResult{Format: run.Format, Shard: in.Shard, Rows: out.Rows, Scored: out.Scored,
		Quarantined: out.Quarantined, Content: digest(out.Content), Check: out.Check, Output: out.Output}
	name := fmt.Sprintf("%06d", in.Shard)
	save := func(dir, ext string, data []byte) (*run.Object, error) {
		if data == nil {
			return nil, nil
		}
		o, err := run.Save(ctx, a.store, in.dir()+"/"+dir, name+ext, data)
		return &o, err
	}
	var err error
	if result.Scores, err = save("scores/champion", ".parquet", out.Scores); err != nil {
		return run.Object{}, err
	}
	if result.Quarantine, err = save("quarantine", ".parquet", out.Quarantine); err != nil {
		return run.Object{}, err
	}
	if result.Profile, err = save("profile", ".bin", out.Profile); err != nil {
		return run.Object{}, err
	}
	for i, keys := range out.Keys {
		o, err := save(fmt.Sprintf("keys/%d", i), ".bin", keys)
		if err != nil {
			return run.Object{}, err
		}
		result.Keys = append(result.Keys, *o)
	}
	if result.Models, err = a.saveModels(ctx, in.Run, in.Shard, models, reasons, out.Models); err != nil {
		return run.Object{}, err
	}
	return run.SaveJSON(ctx, a.store, in.dir()+"/shards", name+".json", result)
}

// CollectInput names the papers of some shards.
type CollectInput struct {
	Run
	Name  string       `json:"name"` // what they are, for the key: "shards" or "table"
	First int          `json:"first"`
	Items []run.Object `json:"items"`
}

// Collect writes a list of papers, so that a window of shards returns one reference.
func (a *Activities) Collect(ctx context.Context, in CollectInput) (run.Object, error) {
	return stage(ctx, func(ctx context.Context, _ func(Progress)) (run.Object, error) {
		return run.SaveJSON(ctx, a.store, in.dir()+"/lists", fmt.Sprintf("%s-%06d.json", in.Name, in.First),
			run.List{Format: run.Format, Items: in.Items})
	})
}

// Papers names the papers of all shards of a stage: directly, or by lists.
type Papers struct {
	Items []run.Object `json:"items,omitempty"`
	Lists []run.Object `json:"lists,omitempty"`
}

// papers returns all items, in the order of the shards.
func (a *Activities) papers(ctx context.Context, p Papers) ([]run.Object, error) {
	items := p.Items
	for _, o := range p.Lists {
		var list run.List
		if err := run.LoadJSON(ctx, a.store, o, &list); err != nil {
			return nil, err
		}
		items = append(items, list.Items...)
	}
	return items, nil
}

// ReadList returns the items of a list that Collect wrote.
func (a *Activities) ReadList(ctx context.Context, list run.Object) ([]run.Object, error) {
	return stage(ctx, func(ctx context.Context, _ func(Progress)) ([]run.Object, error) {
		return a.papers(ctx, Papers{Lists: []run.Object{list}})
	})
}
