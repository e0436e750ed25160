package activities

import (
	"context"
	"fmt"
	"math"
	"strings"

	"headgate/internal/evidence"
	"headgate/internal/gate"
	"headgate/internal/registry"
	"headgate/internal/release"
	"headgate/internal/run"
	"headgate/internal/serving"
	"headgate/internal/store"
)

// shadows reads what the candidates of a plan's routing said in the shadow, beside the
// champion and of the rows that they were judged on. A candidate whose release has no
// shadow is not among them.
func (a *Activities) shadows(ctx context.Context, plan *run.Plan) (map[store.Digest]*serving.Shadow, error) {
	if plan.Routing == nil {
		return nil, nil
	}
	log, err := registry.Load(ctx, a.store, plan.Pipeline)
	if err != nil {
		return nil, err
	}
	all := map[store.Digest]*serving.Shadow{}
	for _, arm := range plan.Routing.Arms[1:] {
		s, err := a.shadowOf(ctx, log, plan, store.Digest(arm.Model))
		if err != nil {
			return nil, fmt.Errorf("shadow of %s: %w", shortModel(arm.Model), err)
		}
		if s != nil {
			all[store.Digest(arm.Model)] = s
		}
	}
	return all, nil
}

// shadowOf reads the rows behind the last verdict in the shadow about a candidate, or a
// sample of their entities; nil if there is no verdict.
func (a *Activities) shadowOf(ctx context.Context, log *registry.Log, plan *run.Plan, model store.Digest) (*serving.Shadow, error) {
	var s serving.Shadow
	for _, e := range log.Of(registry.KindAdvance) {
		if e.Release == plan.Routing.Release && e.Model == model && e.Step == release.StepShadow && e.Batch == "" {
			s.Decision = e.Paper
		}
	}
	if s.Decision == "" {
		return nil, nil
	}
	var d gate.Decision
	if err := run.LoadBlob(ctx, a.store, s.Decision, &d); err != nil {
		return nil, err
	}
	if champion := d.Evidence.Release.Champion; champion != string(plan.Champion) {
		s.Missing = fmt.Sprintf("its shadow was beside %s, and the champion is %s", shortModel(champion), run.Short(plan.Champion))
		return &s, nil
	}
	r := evidence.Request{Pipeline: plan.Pipeline, Models: []store.Digest{plan.Champion, model}, Limit: serving.Sample}
	var gone []string
	for _, source := range d.Evidence.Sources {
		b, _, found := evidence.Of(log.Entries(), source.Batch)
		if !found || string(b.Run) != source.Run {
			gone = append(gone, source.Batch)
			continue
		}
		b = b.For(r.Models)
		b.Labels = "" // only scores are compared
		r.Batches, s.Batches = append(r.Batches, b), append(s.Batches, source.Batch)
	}
	if len(r.Batches) == 0 {
		s.Missing = fmt.Sprintf("what it was judged on in the shadow, %s, was published anew since", strings.Join(gone, ", "))
		return &s, nil
	}
	rows, err := evidence.Load(ctx, a.store, r, nil)
	if err != nil {
		return nil, err
	}
	rows = rows.Where(func(i int) bool { return !math.IsNaN(rows.Scores[0][i]) && !math.IsNaN(rows.Scores[1][i]) })
	s.Champion, s.Challenger, s.Clusters = rows.Scores[0], rows.Scores[1], rows.Cluster
	return &s, nil
}
