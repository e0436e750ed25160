// Package fallback gathers the rows of customers whom the model could not score in a
// batch: from quarantine, and from what is published for the batch before.
//
// Which customers those are, JudgeData has decided and written down; this package only
// reads. The worker that publishes a batch and the auditor who recomputes it share it.
package fallback

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"headgate/internal/columnar"
	"headgate/internal/contract"
	"headgate/internal/delta"
	"headgate/internal/pass"
	"headgate/internal/pipeline"
	"headgate/internal/run"
	"headgate/internal/store"
)

// Input names a judged run.
type Input struct {
	Plan     *run.Plan
	Run      store.Digest
	Data     *run.Data // with Fallback and Shards
	Config   *pipeline.Config
	Contract *contract.Contract
	Output   *contract.Contract // of the scores; nil if there is none
	Outputs  int                // of the model
}

// Assemble returns the rows of the customers that Data.Fallback lists. One of whom no
// source knows anything has none, nor has one whose row breaks the contract of the
// scores. It holds one file of a source at a time.
func Assemble(ctx context.Context, b *store.Bucket, in Input) (*pass.Assembled, error) {
	list, err := run.Load(ctx, b, *in.Data.Fallback)
	if err != nil {
		return nil, err
	}
	results, err := run.Results(ctx, b, in.Plan, in.Data)
	if err != nil {
		return nil, err
	}
	want := pass.FallbackInput{Entity: in.Contract.Entity(), Keep: in.Config.Scores.Keep, Outputs: in.Outputs, Output: in.Output, Contract: string(in.Plan.Contract),
		Run: string(in.Run), Hidden: pass.Hidden(in.Contract), Compression: in.Config.Scores.Compression}
	if want.Scored, err = scored(ctx, b, results); err != nil {
		return nil, err
	}
	for ; len(list) >= len(pass.Key{}); list = list[len(pass.Key{}):] {
		want.Keys = append(want.Keys, pass.Key(list[:len(pass.Key{})]))
	}
	var sources []source
	if in.Config.Fallback.Score == pipeline.FallbackConstant {
		want.Constant = &in.Config.Fallback.Value
		sources = delivered(results, in.Data.Late)
	}
	before, err := before(ctx, b, in)
	if err != nil {
		return nil, err
	}
	want.Sources = open(ctx, b, append(sources, before...))
	return pass.AssembleFallback(ctx, want)
}

// A source finds an object with rows of customers.
type source func() (run.Object, error)

// scored opens a file with scored rows of the batch. There is one, or the batch would
// have been blocked.
func scored(ctx context.Context, b *store.Bucket, results []run.ShardResult) (*columnar.File, error) {
	for _, r := range results {
		if r.Scores != nil {
			return opened(ctx, b, func() (run.Object, error) { return *r.Scores, nil })
		}
	}
	return nil, errors.New("fallback: no row of the batch is scored")
}

// delivered names what the run wrote about rows that were delivered and not published:
// the quarantine, and the scores of rows that went there late.
func delivered(results []run.ShardResult, late []run.Late) []source {
	shards := map[int]bool{}
	for _, l := range late {
		shards[l.Shard] = true
	}
	var sources []source
	add := func(o *run.Object) { sources = append(sources, func() (run.Object, error) { return *o, nil }) }
	for _, r := range results {
		if r.Quarantine != nil {
			add(r.Quarantine)
		}
		if shards[r.Shard] && r.Scores != nil {
			add(r.Scores)
		}
	}
	return sources
}

// before finds what is published for the batch before, as it was when this batch was
// judged.
func before(ctx context.Context, b *store.Bucket, in Input) ([]source, error) {
	if in.Data.History == nil || in.Data.Keys == nil || in.Data.Keys.Before == "" {
		return nil, nil
	}
	var h run.History
	if err := run.LoadJSON(ctx, b, *in.Data.History, &h); err != nil {
		return nil, err
	}
	then := slices.IndexFunc(h.Past, func(p run.Past) bool { return p.Batch == in.Data.Keys.Before })
	if then < 0 {
		return nil, fmt.Errorf("fallback: the history does not name batch %s, with which keys were compared", in.Data.Keys.Before)
	}
	last := h.Past[then]
	table := delta.Open(b, run.TablePrefix(in.Plan.Pipeline))
	history, err := table.History(ctx, last.Batch)
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(history, func(p delta.Publication) bool { return p.Number == last.Publication })
	if at < 0 {
		return nil, fmt.Errorf("publication %d of batch %s, for the fallback: %w", last.Publication, last.Batch, store.ErrNotFound)
	}
	var sources []source
	for _, f := range history[at].Files {
		sources = append(sources, func() (run.Object, error) {
			return run.Published(ctx, b, in.Plan.Pipeline, last.Batch, last.Run, f)
		})
	}
	return sources, nil
}

// open opens one source after the other.
func open(ctx context.Context, b *store.Bucket, sources []source) iter.Seq2[*columnar.File, error] {
	return func(yield func(*columnar.File, error) bool) {
		for _, find := range sources {
			f, err := opened(ctx, b, find)
			if !yield(f, err) || err != nil {
				return
			}
		}
	}
}

func opened(ctx context.Context, b *store.Bucket, find source) (*columnar.File, error) {
	o, err := find()
	if err != nil {
		return nil, fmt.Errorf("rows for the fallback: %w", err)
	}
	data, err := run.Load(ctx, b, o)
	if err != nil {
		return nil, err
	}
	return columnar.Open(bytes.NewReader(data), int64(len(data)), &columnar.OpenOptions{Name: o.Key})
}
