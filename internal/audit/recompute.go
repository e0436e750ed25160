package audit

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"headgate/internal/columnar"
	"headgate/internal/delta"
	"headgate/internal/fallback"
	"headgate/internal/pass"
	"headgate/internal/run"
	"headgate/internal/serving"
	"headgate/internal/store"
)

// Recomputed is what a second scoring of a published batch gave.
type Recomputed struct {
	Publication int64
	Run         store.Digest
	Rows        int64
	SameBytes   bool       // the data files came out byte for byte
	Skipped     []run.Skip // shards that a person left out: nothing of them is scored again
	Findings    []Finding
}

// Recompute scores the current publication of a batch again, from its input files,
// and compares every value that was published. The input must still be what it was.
func (a *Auditor) Recompute(ctx context.Context, batch string) (*Recomputed, error) {
	snapshot, err := delta.Open(a.Store, run.TablePrefix(a.Pipeline)).Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	current, ok := snapshot.Current(batch)
	if !ok {
		return nil, fmt.Errorf("batch %s of %s is not published", batch, a.Pipeline)
	}
	out := &Recomputed{Publication: current.Number, Run: store.Digest(current.Info["run"]), SameBytes: true}
	p, err := a.load(ctx, batch, out.Run)
	if err != nil {
		return nil, err
	}
	data, err := a.verdict(ctx, batch, out.Run, store.Digest(current.Info["decision"]))
	if err != nil {
		return nil, err
	}
	if p.served, err = a.served(ctx, p, current, data); err != nil {
		return nil, err
	}
	if err := a.ranked(ctx, p, data, out); err != nil {
		return nil, err
	}
	late := lateByShard(data)
	out.Skipped = data.Skipped
	published := map[string]bool{}
	for _, f := range current.Files {
		published[f.Path] = true
	}
	for i := range p.plan.Shards {
		if data.Skips(i) {
			continue
		}
		a.say("%s shard %d of %d", batch, i+1, len(p.plan.Shards))
		if err := a.shard(ctx, p, out, i, late[i], published); err != nil {
			return nil, err
		}
	}
	if data.Fallback != nil {
		if err := a.fallback(ctx, p, out, data, published); err != nil {
			return nil, err
		}
	}
	for _, f := range slices.Sorted(maps.Keys(published)) {
		out.SameBytes = false
		out.Findings = append(out.Findings, Finding{f, "is published and did not come out again"})
	}
	return out, nil
}

// shard recomputes one shard and strikes its file off the published ones.
func (a *Auditor) shard(ctx context.Context, p *papers, out *Recomputed, i int, late map[int64]string, published map[string]bool) error {
	got, err := a.again(ctx, p, out.Run, i, late)
	if err != nil || got == nil {
		return err
	}
	return a.strike(ctx, p, out, fmt.Sprintf("%s shard %d", p.plan.Batch, i), got, published)
}

// fallback assembles the rows of customers without a score again.
func (a *Auditor) fallback(ctx context.Context, p *papers, out *Recomputed, data *run.Data, published map[string]bool) error {
	got, err := fallback.Assemble(ctx, a.Store, fallback.Input{Plan: p.plan, Run: out.Run, Data: data, Config: p.conf,
		Contract: p.contract, Output: p.output, Outputs: p.version.Scorer.Outputs()})
	if err != nil {
		return err
	}
	return a.strike(ctx, p, out, p.plan.Batch+" fallback", got, published)
}

// strike strikes a recomputed file off the published ones.
func (a *Auditor) strike(ctx context.Context, p *papers, out *Recomputed, what string, got *pass.Assembled, published map[string]bool) error {
	if got.Data == nil {
		return nil
	}
	out.Rows += got.Rows
	name := delta.FilePath(p.plan.Batch, strings.TrimPrefix(string(store.DigestOf(got.Data)), "sha256:")+".parquet")
	if published[name] {
		delete(published, name)
		return nil
	}
	// Other bytes: a library may have been upgraded. The values decide.
	out.SameBytes = false
	for f := range published {
		same, err := a.sameValues(ctx, f, got.Values)
		if err != nil {
			return err
		}
		if same {
			delete(published, f)
			return nil
		}
	}
	out.Findings = append(out.Findings, Finding{what, "no published file has the values that come out today"})
	return nil
}

// input returns the store that an input file of a run is in, and what closes it.
func (a *Auditor) input(ctx context.Context, p *papers, file run.File) (*store.Bucket, func(), error) {
	if p.plan.Input == "" || file.Replay {
		return a.Store, func() {}, nil
	}
	b, err := store.Open(ctx, p.plan.Input)
	if err != nil {
		return nil, nil, err
	}
	return b, func() { b.Close() }, nil
}

// openInput opens an input file of a run where it is, and returns what closes it.
func (a *Auditor) openInput(ctx context.Context, p *papers, want run.File) (*columnar.File, func(), error) {
	src, closeStore, err := a.input(ctx, p, want)
	if err != nil {
		return nil, nil, err
	}
	r, err := src.Reader(ctx, want.Key)
	if err != nil {
		closeStore()
		return nil, nil, err
	}
	closeAll := func() {
		r.Close()
		closeStore()
	}
	f, err := columnar.Open(r, r.Size(), &columnar.OpenOptions{Name: want.Key, Remote: !r.Local()})
	if err != nil {
		closeAll()
		return nil, nil, err
	}
	return f, closeAll, nil
}

// again makes the pass over a shard and assembles its rows. It returns nil if every
// row is in quarantine.
func (a *Auditor) again(ctx context.Context, p *papers, name store.Digest, i int, late map[int64]string) (*pass.Assembled, error) {
	shard := p.plan.Shards[i]
	want := p.plan.Files[shard.File]
	f, closeInput, err := a.openInput(ctx, p, want)
	if err != nil {
		return nil, err
	}
	defer closeInput()
	if sum := f.FooterDigest(); "sha256:"+hex.EncodeToString(sum[:]) != string(want.Footer) {
		return nil, fmt.Errorf("%s is not the file that was scored: it was replaced since, so the batch cannot be recomputed", want.Key)
	}
	out, err := pass.Run(ctx, pass.Input{File: f, Name: want.Key, Shard: shard, Contract: p.contract, Output: p.output,
		Scorer: p.version.Scorer, Models: p.served.scorers, Keep: p.conf.Scores.Keep})
	if err != nil || out.Scores == nil {
		return nil, err
	}
	scores, err := opened(out.Scores)
	if err != nil {
		return nil, err
	}
	rows := pass.AssembleInput{Scores: scores, Name: want.Key, FirstRow: shard.FirstRow, Entity: p.contract.Entity(),
		Columns: pass.TableColumns(p.contract, p.conf.Scores.Keep), Outputs: p.version.Scorer.Outputs(), Late: late,
		Model: string(p.plan.Champion), Contract: string(p.plan.Contract), Run: string(name),
		Compression: p.conf.Scores.Compression, Hidden: pass.Hidden(p.contract)}
	err = serving.Choose(&rows, p.served.serving, p.served.ranks, func(m store.Digest) (*columnar.File, error) {
		again := out.Models[slices.Index(p.served.models, m)]
		if again.Failed != "" {
			return nil, fmt.Errorf("model %s does not score shard %d any more: %s", run.Short(m), i, again.Failed)
		}
		return opened(again.Scores)
	})
	if err != nil {
		return nil, err
	}
	return pass.Assemble(ctx, rows)
}

// opened opens a file in memory.
func opened(data []byte) (*columnar.File, error) {
	return columnar.Open(bytes.NewReader(data), int64(len(data)), nil)
}

func (a *Auditor) sameValues(ctx context.Context, file string, want [32]byte) (bool, error) {
	data, err := a.Store.Get(ctx, run.TablePrefix(a.Pipeline)+"/"+file)
	if err != nil {
		return false, err
	}
	f, err := columnar.Open(bytes.NewReader(data), int64(len(data)), &columnar.OpenOptions{Name: file})
	if err != nil {
		return false, err
	}
	got, err := pass.Values(ctx, f)
	return got == want, err
}

// lateByShard returns the late rows of a verdict by shard.
func lateByShard(data *run.Data) map[int]map[int64]string {
	late := map[int]map[int64]string{}
	for _, l := range data.Late {
		if late[l.Shard] == nil {
			late[l.Shard] = map[int64]string{}
		}
		late[l.Shard][l.Row] = l.Rule
	}
	return late
}

func (a *Auditor) verdict(ctx context.Context, batch string, name, decision store.Digest) (*run.Data, error) {
	return run.LoadVerdict(ctx, a.Store, a.Pipeline, batch, name, decision)
}
