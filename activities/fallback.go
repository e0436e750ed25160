package activities

import (
	"context"
	"errors"

	"headgate/internal/fallback"
	"headgate/internal/run"
	"headgate/internal/store"
)

// AssembleFallbackInput names a judged run with customers whom the model could not score.
type AssembleFallbackInput struct {
	Run
	Data run.Object `json:"data"` // the batch's run.Data
}

// AssembleFallback writes the rows of customers whom the model could not score in this
// batch, with the pipeline's fallback score, as one more file of the table.
func (a *Activities) AssembleFallback(ctx context.Context, in AssembleFallbackInput) (run.Object, error) {
	return stage(ctx, func(ctx context.Context, _ func(Progress)) (run.Object, error) {
		plan, f, err := a.plan(ctx, in.Run)
		if err != nil {
			return run.Object{}, err
		}
		d, err := a.passed(ctx, in.Run, in.Data)
		if err != nil {
			return run.Object{}, err
		}
		v, err := a.version(ctx, plan.Champion)
		if err != nil {
			return run.Object{}, err
		}
		file := run.TableFile{Shard: len(plan.Shards)}
		got, err := fallback.Assemble(ctx, a.store, fallback.Input{Plan: plan, Run: in.Run.Run, Data: d,
			Config: f.pipeline, Contract: f.contract, Output: f.output, Outputs: v.Scorer.Outputs()})
		if errors.Is(err, store.ErrNotFound) {
			return run.Object{}, fail(KindCorrupt, "%w", err)
		}
		if err != nil {
			return run.Object{}, err
		}
		if got.Data != nil {
			if err := a.saveTableFile(ctx, in.Run, "fallback", got, &file); err != nil {
				return run.Object{}, err
			}
		}
		return run.SaveJSON(ctx, a.store, in.dir()+"/table", "fallback.json", file)
	})
}
