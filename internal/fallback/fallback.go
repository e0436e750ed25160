// Package fallback gathers the rows of customers whom the model could not score in a
// batch: from quarantine, and from what is published for the batch before.
//
// Which customers those are, JudgeData has decided and written down; this package only
// reads. The worker that publishes a batch and the auditor who recomputes it share it.
package fallback

import (
	"bytes"
	"context"
	"fmt"

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
	Outputs  int // of the model
}

// Assemble returns the rows of the customers that Data.Fallback lists. One of whom no
// source knows anything has none.
func Assemble(ctx context.Context, b *store.Bucket, in Input) (*pass.Assembled, error) {
	list, err := run.Load(ctx, b, *in.Data.Fallback)
	if err != nil {
		return nil, err
	}
	want := pass.FallbackInput{Entity: in.Contract.Entity(), Keep: in.Config.Scores.Keep, Outputs: in.Outputs,
		Contract: string(in.Plan.Contract), Run: string(in.Run), Hidden: pass.Hidden(in.Contract), Compression: in.Config.Scores.Compression}
	for ; len(list) >= len(pass.Key{}); list = list[len(pass.Key{}):] {
		want.Keys = append(want.Keys, pass.Key(list[:len(pass.Key{})]))
	}
	if in.Config.Fallback.Score == pipeline.FallbackConstant {
		want.Constant = &in.Config.Fallback.Value
		if want.Sources, err = delivered(ctx, b, in); err != nil {
			return nil, err
		}
	}
	before, err := before(ctx, b, in)
	if err != nil {
		return nil, err
	}
	want.Sources = append(want.Sources, before...)
	return pass.AssembleFallback(ctx, want)
}

// delivered opens what the run wrote about rows that were delivered and not published:
// the quarantine, and the scores of rows that went there late.
func delivered(ctx context.Context, b *store.Bucket, in Input) ([]*columnar.File, error) {
	late := map[int]bool{}
	for _, l := range in.Data.Late {
		late[l.Shard] = true
	}
	var objects []run.Object
	for _, o := range in.Data.Shards {
		var list run.List
		if err := run.LoadJSON(ctx, b, o, &list); err != nil {
			return nil, err
		}
		for _, item := range list.Items {
			var r run.ShardResult
			if err := run.LoadJSON(ctx, b, item, &r); err != nil {
				return nil, err
			}
			if r.Quarantine != nil {
				objects = append(objects, *r.Quarantine)
			}
			if late[r.Shard] && r.Scores != nil {
				objects = append(objects, *r.Scores)
			}
		}
	}
	var files []*columnar.File
	for _, o := range objects {
		data, err := run.Load(ctx, b, o)
		if err != nil {
			return nil, err
		}
		f, err := open(o.Key, data)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	return files, nil
}

// before opens what is published for the batch before, as it was when this batch was
// judged.
func before(ctx context.Context, b *store.Bucket, in Input) ([]*columnar.File, error) {
	if in.Data.History == nil || in.Data.Keys == nil || in.Data.Keys.Before == "" {
		return nil, nil
	}
	var h run.History
	if err := run.LoadJSON(ctx, b, *in.Data.History, &h); err != nil {
		return nil, err
	}
	last := h.Past[len(h.Past)-1]
	table := delta.Open(b, run.TablePrefix(in.Plan.Pipeline))
	history, err := table.History(ctx, last.Batch)
	if err != nil {
		return nil, err
	}
	for _, p := range history {
		if p.Number != last.Publication {
			continue
		}
		var files []*columnar.File
		for _, f := range p.Files {
			data, err := b.Get(ctx, table.Key(f.Path))
			if err != nil {
				return nil, fmt.Errorf("rows of %s, for the fallback: %w", last.Batch, err)
			}
			file, err := open(f.Path, data)
			if err != nil {
				return nil, err
			}
			files = append(files, file)
		}
		return files, nil
	}
	return nil, fmt.Errorf("publication %d of batch %s, for the fallback: %w", last.Publication, last.Batch, store.ErrNotFound)
}

func open(name string, data []byte) (*columnar.File, error) {
	return columnar.Open(bytes.NewReader(data), int64(len(data)), &columnar.OpenOptions{Name: name})
}
