package activities

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"headgate/internal/contract"
	"headgate/internal/pass"
	"headgate/internal/pipeline"
	"headgate/internal/run"
	"headgate/internal/store"
)

// judgeKeys counts entity keys against the batch before, and lists those that get the
// pipeline's fallback score.
func (a *Activities) judgeKeys(ctx context.Context, r Run, f files, results []run.ShardResult, h *history, d *run.Data) error {
	tuple := f.contract.Entity()
	now, closeNow, err := a.keyLists(ctx, results, pass.KeyIndex(pass.KeyTuples(f.contract), tuple))
	if err != nil {
		return err
	}
	defer closeNow()
	count := &keyCount{late: lateRows(d.Late), fallback: f.pipeline.Fallback}
	var lists []io.Reader
	if last := h.last(); last != nil {
		before, closeBefore, note, err := a.keysBefore(ctx, r.Pipeline, last, tuple)
		if err != nil {
			return err
		}
		if note != "" {
			d.Notes = append(d.Notes, note)
		} else {
			defer closeBefore()
			count.keys.Before, count.before, count.lateBefore = last.Batch, len(before), lateRows(last.data.Late)
			lists = before
		}
	}
	if err := pass.MergeKeys(append(lists, now...), func(k pass.Key, row pass.Duplicate) error { return count.add(ctx, k, row) }); err != nil {
		return err
	}
	count.settle()
	d.Keys = &count.keys
	if len(count.wanted) == 0 || count.keys.Before == "" && f.pipeline.Fallback.Score == pipeline.FallbackLast {
		return nil
	}
	o, err := run.Save(ctx, a.store, r.dir(), "fallback.bin", count.wanted)
	d.Fallback = &o
	return err
}

// lateRows returns late rows as a set.
func lateRows(late []run.Late) map[place]bool {
	set := map[place]bool{}
	for _, l := range late {
		set[place{l.Shard, l.Row}] = true
	}
	return set
}

// A keyCount counts keys while the lists of two batches are merged.
type keyCount struct {
	before           int // lists of the batch before, which come first
	late, lateBefore map[place]bool
	fallback         pipeline.Fallback

	keys   run.Keys
	wanted []byte // keys that get a fallback score, ascending

	key                              pass.Key
	any, expected, delivered, scored bool // of key
}

// add counts one row.
func (c *keyCount) add(ctx context.Context, key pass.Key, row pass.Duplicate) error {
	if c.any && key != c.key {
		c.settle()
	}
	c.any, c.key = true, key
	if row.Shard < c.before {
		c.expected = c.expected || !row.Quarantined && !c.lateBefore[place{row.Shard, row.Row}]
		return nil
	}
	c.delivered = true
	c.scored = c.scored || !row.Quarantined && !c.late[place{row.Shard - c.before, row.Row}]
	return ctx.Err()
}

// settle counts the key whose rows have all been seen.
func (c *keyCount) settle() {
	if !c.any {
		return
	}
	k, unscored := &c.keys, pipeline.Unscored("")
	if c.expected {
		k.Expected++
	}
	switch {
	case !c.delivered && c.expected:
		k.Vanished++
		unscored = pipeline.Vanished
	case c.delivered:
		k.Delivered++
		if c.scored {
			k.Scored++
		} else {
			k.Unscored++
			unscored = pipeline.Quarantined
		}
		if !c.expected {
			k.New++
		}
	}
	if slices.Contains(c.fallback.For, unscored) {
		c.wanted = append(c.wanted, c.key[:]...)
	}
	c.any, c.expected, c.delivered, c.scored = false, false, false, false
}

// keysBefore opens the key lists of the entity in the batch before. note says why
// its keys cannot be compared; then there is nothing to close.
func (a *Activities) keysBefore(ctx context.Context, pipeline string, before *past, entity []string) (lists []io.Reader, closeAll func(), note string, err error) {
	lists, closeAll, err = a.keptKeys(ctx, pipeline, before, entity)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil, nil, fmt.Sprintf("keys are not compared: the keys of %s are gone", before.Batch), nil
	case err == nil && closeAll == nil:
		note = fmt.Sprintf("keys are not compared with %s, which did not keep any of %s", before.Batch, contract.KeyName(entity))
	}
	return lists, closeAll, note, err
}

// keptKeys opens the key lists that a batch of the history has kept. It returns no
// function to close them if it has kept none of the entity.
func (a *Activities) keptKeys(ctx context.Context, pipeline string, before *past, entity []string) ([]io.Reader, func(), error) {
	plan, err := run.LoadPlan(ctx, a.store, pipeline, before.Batch, before.Run)
	if err != nil {
		return nil, nil, err
	}
	c, err := a.contract(ctx, plan.Contract)
	if err != nil {
		return nil, nil, err
	}
	at := pass.KeyIndex(pass.KeyTuples(c), entity)
	if at < 0 || len(before.data.Shards) == 0 {
		return nil, nil, nil
	}
	results, err := a.shardResults(ctx, Papers{Lists: before.data.Shards}, plan)
	if err != nil {
		return nil, nil, err
	}
	return a.keyLists(ctx, results, at)
}
