package activities

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"headgate/internal/contract"
	"headgate/internal/delta"
	"headgate/internal/pipeline"
	"headgate/internal/run"
	"headgate/internal/store"
)

// maxPast is how many batches before this one are looked at.
const maxPast = max(pipeline.MaxOf, contract.MaxLast)

// saveHistory writes down which published batches the batch is compared with. It
// returns nil if there are none.
func (a *Activities) saveHistory(ctx context.Context, r Run, c *pipeline.Config, s *delta.Snapshot) (*run.Object, error) {
	h := run.History{Format: run.Format}
	lastYear := c.LastYear(r.Batch)
	var all []delta.Publication
	for _, batch := range s.Batches() {
		current, ok := s.Current(batch)
		switch {
		case !ok || current.Info["run"] == "" || current.Info["decision"] == "":
			continue // of another writer
		case batch == lastYear:
			past := pastOf(current)
			h.LastYear = &past
		}
		if precedes(c, current, r.Batch, s) {
			all = append(all, current)
		}
	}
	slices.SortFunc(all, func(a, b delta.Publication) int {
		if c.Batch == pipeline.Any {
			return cmp.Compare(s.History(a.Batch)[0].Version, s.History(b.Batch)[0].Version)
		}
		return cmp.Compare(a.Batch, b.Batch)
	})
	for _, p := range all[max(0, len(all)-maxPast):] {
		h.Past = append(h.Past, pastOf(p))
	}
	if len(h.Past) == 0 && h.LastYear == nil {
		return nil, nil
	}
	o, err := run.SaveJSON(ctx, a.store, r.dir(), "history.json", h)
	return &o, err
}

// precedes reports whether a published batch is before another one: by its date, or,
// where names are no dates, by when it was first published.
func precedes(c *pipeline.Config, p delta.Publication, batch string, s *delta.Snapshot) bool {
	if c.Batch != pipeline.Any {
		return p.Batch < batch
	}
	own := s.History(batch)
	return p.Batch != batch && (len(own) == 0 || s.History(p.Batch)[0].Version < own[0].Version)
}

func pastOf(p delta.Publication) run.Past {
	return run.Past{Batch: p.Batch, Run: store.Digest(p.Info["run"]), Decision: store.Digest(p.Info["decision"]), Publication: p.Number}
}

// A past is a batch of the history with its verdict.
type past struct {
	run.Past
	data *run.Data
}

// history is what a batch is compared with, loaded.
type history struct {
	past     []past
	lastYear *past
	notes    []string // what could not be read
}

// last returns the batch before, or nil.
func (h *history) last() *past {
	if len(h.past) == 0 {
		return nil
	}
	return &h.past[len(h.past)-1]
}

// history loads the verdicts of the batches that a run is compared with. A batch
// whose papers are gone, or are those of an older version, is noted and left out.
func (a *Activities) history(ctx context.Context, pipeline string, o *run.Object) (*history, error) {
	h := new(history)
	if o == nil {
		return h, nil
	}
	var paper run.History
	if err := run.LoadJSON(ctx, a.store, *o, &paper); err != nil {
		return nil, err
	}
	load := func(p run.Past) (*past, error) {
		data, err := run.LoadVerdict(ctx, a.store, pipeline, p.Batch, p.Run, p.Decision)
		if errors.Is(err, store.ErrNotFound) {
			h.notes = append(h.notes, "the verdict of "+p.Batch+" is gone, so nothing is compared with it")
			return nil, nil
		}
		return &past{p, data}, err
	}
	for _, p := range paper.Past {
		loaded, err := load(p)
		if err != nil {
			return nil, err
		}
		if loaded != nil {
			h.past = append(h.past, *loaded)
		}
	}
	if paper.LastYear != nil {
		var err error
		if h.lastYear, err = load(*paper.LastYear); err != nil {
			return nil, err
		}
	}
	return h, nil
}
