package activities

import (
	"context"
	"fmt"
	"time"

	"headgate/internal/pass"
	"headgate/internal/registry"
	"headgate/internal/run"
	"headgate/internal/store"
)

// SkipShardInput names a shard that cannot be scored, and who leaves it out.
type SkipShardInput struct {
	Run
	Shard     int       `json:"shard"` // index into the plan
	By        string    `json:"by"`    // as claimed
	Reason    string    `json:"reason"`
	Failed    string    `json:"failed"` // why it could not be scored
	Operation string    `json:"operation"`
	At        time.Time `json:"at"`
}

// SkipShardOutput is where the shard's result and its entry are.
type SkipShardOutput struct {
	ScoreShardOutput
	Keys   bool   `json:"keys"` // its customers are known
	Seq    int64  `json:"seq"`  // of the registry entry
	Anchor string `json:"anchor"`
}

// SkipShard writes the result of a shard that is left out on a person's word: every row
// of it is in quarantine. Its key columns are read if they can be, so that its customers
// count as delivered and get the pipeline's fallback score. The entry in the registry
// comes first.
func (a *Activities) SkipShard(ctx context.Context, in SkipShardInput) (SkipShardOutput, error) {
	return stage(ctx, func(ctx context.Context, _ func(Progress)) (SkipShardOutput, error) {
		var out SkipShardOutput
		plan, f, err := a.plan(ctx, in.Run)
		if err != nil {
			return out, err
		}
		if in.Shard < 0 || in.Shard >= len(plan.Shards) {
			return out, fail(KindUnknown, "shard %d: the plan has %d shards", in.Shard, len(plan.Shards))
		}
		shard := plan.Shards[in.Shard]
		left, err := a.readKeys(ctx, plan, f, shard)
		if err != nil {
			return out, err
		}
		skip := &run.Skip{Format: run.Format, Run: in.Run.Run, Shard: in.Shard, File: plan.Files[shard.File].Key, FirstRow: shard.FirstRow, Rows: shard.Rows,
			By: in.By, Reason: in.Reason, Failed: in.Failed, Keys: left.Known}
		if out.Seq, out.Anchor, err = a.enterSkip(ctx, in, skip); err != nil {
			return out, err
		}
		out.Rows, out.Quarantined, out.Keys = shard.Rows, shard.Rows, left.Known
		out.Result, err = a.saveSkipped(ctx, in, plan.Models, skip, left)
		return out, err
	})
}

// readKeys reads the key columns of a shard, if its file is still what it was.
func (a *Activities) readKeys(ctx context.Context, plan *run.Plan, f files, shard run.Shard) (*pass.Skipped, error) {
	v, err := a.version(ctx, plan.Champion)
	if err != nil {
		return nil, err
	}
	planned := plan.Files[shard.File]
	src, err := a.openFile(ctx, plan, planned)
	if err != nil {
		return nil, err
	}
	defer src.close()
	file, err := src.openPlanned(ctx, planned)
	if err != nil {
		return pass.Skip(ctx, nil, shard, f.contract, v.Scorer)
	}
	defer file.close()
	return pass.Skip(ctx, file.File, shard, f.contract, v.Scorer)
}

// enterSkip enters in the registry that a shard is left out.
func (a *Activities) enterSkip(ctx context.Context, in SkipShardInput, skip *run.Skip) (seq int64, anchor string, err error) {
	paper, err := run.SaveBlob(ctx, a.store, skip)
	if err != nil {
		return 0, "", err
	}
	log, err := registry.Load(ctx, a.store, in.Pipeline)
	if err != nil {
		return 0, "", err
	}
	e, err := log.Append(ctx, registry.Entry{
		Kind: registry.KindSkipped, ID: fmt.Sprintf("skip/%s/%d", in.Operation, in.Shard), At: in.At, By: in.By, Cause: in.Operation,
		Batch: in.Batch, Run: in.Run.Run, Paper: paper, Reason: in.Reason, Reasons: []string{in.Failed},
	})
	return e.Seq, log.Anchor(), err
}

// saveSkipped writes the result of a shard that is left out.
func (a *Activities) saveSkipped(ctx context.Context, in SkipShardInput, models []store.Digest, skip *run.Skip, left *pass.Skipped) (run.Object, error) {
	name := fmt.Sprintf("%06d", in.Shard)
	profile, err := run.Save(ctx, a.store, in.dir()+"/profile", name+".bin", left.Profile)
	if err != nil {
		return run.Object{}, err
	}
	result := run.ShardResult{Format: run.Format, Shard: in.Shard, Rows: skip.Rows, Quarantined: skip.Rows, Profile: &profile, Models: unscored(models), Skipped: skip}
	for i, keys := range left.Keys {
		o, err := run.Save(ctx, a.store, fmt.Sprintf("%s/keys/%d", in.dir(), i), name+".bin", keys)
		if err != nil {
			return run.Object{}, err
		}
		result.Keys = append(result.Keys, o)
	}
	return run.SaveJSON(ctx, a.store, in.dir()+"/shards", name+".json", result)
}

// unscored says of models that they have scored all rows of a shard that has none to
// score.
func unscored(models []store.Digest) []run.ModelScores {
	var out []run.ModelScores
	for _, m := range models {
		out = append(out, run.ModelScores{Model: m})
	}
	return out
}

// skips gathers the shards that are left out.
func skips(results []run.ShardResult) []run.Skip {
	var all []run.Skip
	for _, r := range results {
		if r.Skipped != nil {
			all = append(all, *r.Skipped)
		}
	}
	return all
}

// sentences says of each shard that is left out which it is.
func sentences(skipped []run.Skip) []string {
	var all []string
	for _, s := range skipped {
		all = append(all, s.Sentence())
	}
	return all
}

// leftOut is what a commit of the table says of shards that are left out.
func leftOut(info map[string]string) []string {
	if text := info["skipped"]; text != "" {
		return []string{text}
	}
	return nil
}

// unread counts the rows of shards that are left out.
func unread(skipped []run.Skip) (rows int64) {
	for _, s := range skipped {
		rows += s.Rows
	}
	return rows
}
