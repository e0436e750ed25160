package activities

import (
	"context"
	"errors"
	"fmt"

	"headgate/internal/columnar"
	"headgate/internal/delta"
	"headgate/internal/pass"
	"headgate/internal/pipeline"
	"headgate/internal/registry"
	"headgate/internal/run"
	"headgate/internal/store"
)

// ResolveInput names the batch to plan.
type ResolveInput struct {
	Pipeline string `json:"pipeline"`
	Batch    string `json:"batch"`
}

// ResolveOutput is what the workflow needs to know of the plan.
type ResolveOutput struct {
	Run
	Model    store.Digest `json:"model"`
	Contract store.Digest `json:"contract"`
	Files    int          `json:"files"`
	Bytes    int64        `json:"bytes"`
	Rows     int64        `json:"rows"`
	Shards   int          `json:"shards"`
	Parallel int          `json:"parallel"`
	Head     int64        `json:"head"`   // registry entries when the run was planned
	Expect   int64        `json:"expect"` // publications of the batch so far
}

// Resolve pins what a run reads: pipeline file, contract, champion, and the input
// files with their footers, cut into shards. It writes plan.json, whose digest is
// the run.
func (a *Activities) Resolve(ctx context.Context, in ResolveInput) (ResolveOutput, error) {
	return stage(ctx, func(ctx context.Context, report func(Progress)) (ResolveOutput, error) {
		log, err := registry.Load(ctx, a.store, in.Pipeline)
		if err != nil {
			return ResolveOutput{}, err
		}
		state := log.State()
		champion := state.Aliases["champion"]
		switch {
		case state.Pipeline == "":
			return ResolveOutput{}, fail(KindUnknown, "pipeline %q is not registered in this store; run: starter register PIPELINE.yaml", in.Pipeline)
		case champion == "":
			return ResolveOutput{}, fail(KindUnknown, "pipeline %q has no champion; run: starter register PIPELINE.yaml --model FILE --champion", in.Pipeline)
		}
		f, err := a.files(ctx, state.Pipeline, state.Contract)
		if err != nil {
			return ResolveOutput{}, err
		}
		if err := a.fits(ctx, f, champion, in.Batch); err != nil {
			return ResolveOutput{}, err
		}
		plan := &run.Plan{Format: run.Format, Scoring: run.ScoringVersion, Pipeline: in.Pipeline, Batch: in.Batch,
			File: state.Pipeline, Contract: state.Contract, Champion: champion}
		if err := a.planFiles(ctx, f.pipeline, plan, report); err != nil {
			return ResolveOutput{}, err
		}
		snapshot, err := delta.Open(a.store, run.TablePrefix(in.Pipeline)).Snapshot(ctx)
		if err != nil {
			return ResolveOutput{}, err
		}
		name, err := run.SavePlan(ctx, a.store, plan)
		if err != nil {
			return ResolveOutput{}, err
		}
		out := ResolveOutput{Run: Run{in.Pipeline, in.Batch, name}, Model: champion, Contract: plan.Contract,
			Files: len(plan.Files), Rows: plan.Rows, Shards: len(plan.Shards), Parallel: f.pipeline.Shards.Parallel,
			Head: log.Head(), Expect: snapshot.Publication(in.Batch)}
		for _, file := range plan.Files {
			out.Bytes += file.Size
		}
		return out, nil
	})
}

// fits checks what the pipeline file, the contract and the model say of each other.
func (a *Activities) fits(ctx context.Context, f files, champion store.Digest, batch string) error {
	v, err := a.version(ctx, champion)
	if err != nil {
		return err
	}
	err = errors.Join(f.pipeline.CheckBatch(batch), f.pipeline.CheckContract(f.contract),
		pass.CheckNames(f.contract, f.pipeline.Scores.Keep, v.Scorer.Outputs()))
	if err != nil {
		return &kindError{KindConfig, err}
	}
	return nil
}

// planFiles lists the files of the batch, reads their footers, and cuts shards.
func (a *Activities) planFiles(ctx context.Context, c *pipeline.Config, plan *run.Plan, report func(Progress)) error {
	base, prefix, match := c.Files(plan.Batch)
	in, err := a.openInputs(ctx, base)
	if err != nil {
		return err
	}
	defer in.close()
	plan.Input = base
	var found []store.Attrs
	for attrs, err := range in.bucket.List(ctx, prefix) {
		if err != nil {
			return fmt.Errorf("list %s in %s: %w", prefix, in.bucket.URL(), err)
		}
		if match(attrs.Key) {
			found = append(found, attrs)
		}
	}
	if len(found) == 0 {
		return fail(KindNoData, "no file matches %q for batch %s in %s; deliver the batch or correct input.files",
			c.Input.Files, plan.Batch, in.bucket.URL())
	}
	for i, attrs := range found {
		if err := planFile(ctx, in, attrs, plan, c.Shards.Rows); err != nil {
			return err
		}
		report(Progress{Done: int64(i + 1), Total: int64(len(found))})
	}
	return nil
}

func planFile(ctx context.Context, in *inputs, attrs store.Attrs, plan *run.Plan, rows int64) error {
	f, err := in.open(ctx, attrs.Key)
	if err != nil {
		return err
	}
	defer f.close()
	// The reader pinned what the footer came from; the listing may be older.
	pinned := f.reader.Attrs()
	plan.Files = append(plan.Files, run.File{Key: attrs.Key, Size: pinned.Size, Version: pinned.Version,
		Footer: footerDigest(f.File), Rows: f.NumRows()})
	plan.Rows += f.NumRows()
	plan.Shards = append(plan.Shards, cut(len(plan.Files)-1, f.RowGroups(), rows)...)
	return nil
}

// cut groups neighbouring row groups into shards of about the given rows. A row
// group is never split.
func cut(file int, groups []columnar.RowGroup, rows int64) []run.Shard {
	var shards []run.Shard
	var row int64
	for i, g := range groups {
		if g.Rows == 0 {
			continue
		}
		last := len(shards) - 1
		if last < 0 || shards[last].Rows+g.Rows > rows {
			shards = append(shards, run.Shard{File: file, FirstGroup: i, FirstRow: row})
			last++
		}
		s := &shards[last]
		s.Groups = i + 1 - s.FirstGroup
		s.Rows += g.Rows
		row += g.Rows
	}
	return shards
}
