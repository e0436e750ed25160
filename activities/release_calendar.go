package activities

import (
	"context"
	"time"

	"headgate/internal/contract"
	"headgate/internal/pipeline"
	"headgate/internal/registry"
	"headgate/internal/release"
	"headgate/internal/store"
)

// comingBatches is how many batches a calendar looks ahead.
const comingBatches = 48

// Calendar returns when the batches so far were scored and when those to come will be, as
// late after their date as the last one was, and when the labels of each are due. Names
// that are no dates tell nothing of batches to come.
func (r *Releases) Calendar(ctx context.Context, b *store.Bucket) ([]release.Calendar, error) {
	due, err := r.due(ctx, b)
	if err != nil {
		return nil, err
	}
	var all []release.Calendar
	seen := map[string]bool{}
	for _, e := range r.Log.Of(registry.KindPublished) {
		if e.Publication == 1 && !seen[e.Batch] {
			seen[e.Batch] = true
			all = append(all, release.Calendar{Batch: e.Batch, Scored: e.At, Matured: due(e.Batch, e.At)})
		}
	}
	if len(all) == 0 {
		return nil, nil
	}
	last := all[len(all)-1]
	begin, dated := r.Config.Begin(last.Batch)
	for i := 1; dated && i <= comingBatches; i++ {
		next, name := later(r.Config.Batch, begin, i)
		scored := next.Add(last.Scored.Sub(begin))
		all = append(all, release.Calendar{Batch: name, Scored: scored, Matured: due(name, scored)})
	}
	return all, nil
}

// later returns the first moment and the name of the nth batch after one.
func later(p pipeline.BatchKind, begin time.Time, n int) (time.Time, string) {
	if p == pipeline.Day {
		next := begin.AddDate(0, 0, n)
		return next, next.Format(time.DateOnly)
	}
	next := begin.AddDate(0, n, 0)
	return next, next.Format("2006-01")
}

// due returns the function that says when the labels of a batch are due which was scored
// at a moment.
func (r *Releases) due(ctx context.Context, b *store.Bucket) (func(batch string, scored time.Time) time.Time, error) {
	var policy contract.LabelPolicy
	if d := r.Log.State().LabelsContract; d != "" {
		data, err := b.GetBlob(ctx, d)
		if err != nil {
			return nil, err
		}
		c, err := contract.Parse("contract "+string(d), data)
		if err != nil {
			return nil, &kindError{KindConfig, err}
		}
		if c.Labels != nil {
			policy = *c.Labels
		}
	}
	return func(batch string, scored time.Time) time.Time {
		if r.Config.Labels != nil && r.Config.Labels.Due != nil {
			return scored.Add(time.Duration(*r.Config.Labels.Due))
		}
		begin, dated := r.Config.Begin(batch)
		if !dated {
			begin = scored
		}
		if at := begin.Add(policy.Window + policy.Settlement); at.After(scored) {
			return at
		}
		return scored
	}, nil
}
