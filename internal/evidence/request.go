package evidence

import (
	"context"
	"fmt"
	"slices"

	"headgate/internal/registry"
	"headgate/internal/run"
	"headgate/internal/store"
)

// Of returns what the registry's entries say of a batch: the run that is published, the
// verdict that let it out, who served whom, and the scores of models that came later. If
// the batch was evaluated, it has the labels of the last evaluation that is evidence.
// found is false if the batch was never published.
func Of(entries []registry.Entry, batch string) (b Batch, champion store.Digest, found bool) {
	b.Batch = batch
	number := int64(0)
	for _, e := range entries {
		published := e.Kind == registry.KindPublished || e.Kind == registry.KindRestored
		// Entries of publications may be filled in late.
		if published && e.Batch == batch && e.Publication > number {
			number, found = e.Publication, true
			b.Run, b.Decision, b.Serving, champion = e.Run, e.Decision, e.Paper, e.Model
		}
	}
	for _, e := range entries {
		if e.Batch != batch || e.Run != b.Run {
			continue
		}
		switch {
		case e.Kind == registry.KindShadow && e.Verdict != registry.VerdictBlock:
			if b.Shadows == nil {
				b.Shadows = map[store.Digest]store.Digest{}
			}
			b.Shadows[e.Model] = e.Paper
		case e.Kind == registry.KindEvaluated && e.Verdict == registry.VerdictPass:
			b.Labels = e.Labels
		}
	}
	return b, champion, found
}

// LeftOut returns the slices that the last evaluation of a batch by its labels left out;
// what of b was published has been found by [Of].
func LeftOut(ctx context.Context, own *store.Bucket, entries []registry.Entry, b Batch) ([]Left, error) {
	var paper store.Digest
	for _, e := range entries {
		if e.Kind == registry.KindEvaluated && e.Verdict == registry.VerdictPass && e.Batch == b.Batch && e.Run == b.Run && e.Labels == b.Labels {
			paper = e.Paper
		}
	}
	if paper == "" {
		return nil, nil
	}
	var e Evaluation
	if err := run.LoadBlob(ctx, own, paper, &e); err != nil {
		return nil, fmt.Errorf("evidence: evaluation of %s: %w", b.Batch, err)
	}
	return e.Coverage.LeftOut(), nil
}

// LeftOut names the slices that are left out.
func (c *Coverage) LeftOut() []Left {
	var out []Left
	for _, g := range c.Without {
		out = append(out, Left{By: g.Dimension, Value: g.Value})
	}
	return out
}

// For returns the batch without the shadows of models that are not asked for, so that
// equal requests have equal digests whatever else has scored the batch.
func (b Batch) For(models []store.Digest) Batch {
	kept := map[store.Digest]store.Digest{}
	for model, paper := range b.Shadows {
		if slices.Contains(models, model) {
			kept[model] = paper
		}
	}
	if b.Shadows = nil; len(kept) > 0 {
		b.Shadows = kept
	}
	return b
}
