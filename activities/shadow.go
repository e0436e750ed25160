package activities

import (
	"context"

	"headgate/internal/registry"
	"headgate/internal/run"
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
		if e.Kind == registry.KindShadow && e.Batch == batch && e.Run == name && e.Model == model {
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
