package audit

import (
	"context"
	"fmt"

	"headgate/internal/bundle"
	"headgate/internal/delta"
	"headgate/internal/model"
	"headgate/internal/run"
	"headgate/internal/serving"
	"headgate/internal/store"
)

// served is by whom the rows of a publication were scored.
type served struct {
	serving *run.Serving // nil: the champion alone
	models  []store.Digest
	scorers []model.Scorer // of models
	ranks   *serving.Ranks
}

// served loads by whom the rows of a publication were scored.
func (a *Auditor) served(ctx context.Context, p *papers, current delta.Publication, data *run.Data) (s served, err error) {
	name := store.Digest(current.Info["run"])
	if s.serving, err = serving.Load(ctx, a.Store, store.Digest(current.Info["serving"]), name); err != nil || s.serving == nil {
		return s, err
	}
	for _, m := range serving.Others(s.serving) {
		v, err := bundle.Load(ctx, a.Store, m, a.Formats)
		if err != nil {
			return s, err
		}
		s.models, s.scorers = append(s.models, m), append(s.scorers, v.Scorer)
	}
	s.ranks, err = serving.LoadRanks(ctx, a.Store, s.serving)
	return s, err
}

// scoredBy finds whose score a published row has.
func (a *Auditor) scoredBy(ctx context.Context, p *papers, current delta.Publication, o *Origin) (err error) {
	if o.Serving, err = serving.Load(ctx, a.Store, store.Digest(current.Info["serving"]), o.Run); err != nil || o.Fallback() != "" {
		return err
	}
	for _, v := range o.Row {
		if v.Name == "model" {
			o.Model = store.Digest(v.Text)
		}
	}
	if o.Model == p.plan.Champion {
		return nil
	}
	if p.scorer, err = bundle.Load(ctx, a.Store, o.Model, a.Formats); err != nil {
		return fmt.Errorf("the model that scored this row: %w", err)
	}
	o.Objective = p.scorer.Bundle.Objective
	return nil
}

// ranked counts the ranks of a mixed batch again, from the stored scores of all models.
func (a *Auditor) ranked(ctx context.Context, p *papers, data *run.Data, out *Recomputed) error {
	if p.served.ranks == nil {
		return nil
	}
	results, err := run.Results(ctx, a.Store, p.plan, data)
	if err != nil {
		return err
	}
	_, ranks, err := serving.Compare(ctx, a.Store, serving.Input{Plan: p.plan, Data: data, Results: results, Contract: p.contract,
		Outputs: p.version.Scorer.Outputs(), Sample: 1})
	if err != nil {
		return err
	}
	stored := p.served.serving.Ranks
	if ranks == nil {
		out.Findings = append(out.Findings, Finding{stored.Key, "has ranks, and the routing of the run mixes no models"})
		return nil
	}
	again, err := ranks.MarshalBinary()
	if err == nil && store.DigestOf(again) != stored.Digest {
		out.Findings = append(out.Findings, Finding{stored.Key, "does not have the ranks of the stored scores"})
	}
	return err
}
