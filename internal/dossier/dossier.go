// Package dossier gathers what the papers of a store say of one run, one training or one
// month into the facts that package report makes pages of.
//
// It only reads, and decides nothing. Start with [Open]; [Reader.Batch] and
// [Reader.Training] give the facts of a page. The same store gives the same facts. Papers
// that somebody has deleted, as docs/privacy.md allows, leave a note instead of numbers.
package dossier

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"headgate/internal/contract"
	"headgate/internal/delta"
	"headgate/internal/evidence"
	"headgate/internal/gate"
	"headgate/internal/model"
	"headgate/internal/pipeline"
	"headgate/internal/profile"
	"headgate/internal/registry"
	"headgate/internal/release"
	"headgate/internal/report"
	"headgate/internal/run"
	"headgate/internal/store"
)

// A Reader reads one pipeline as its registry and its table were when it was opened. It
// keeps the decisions that it has read, and is not safe for concurrent use.
type Reader struct {
	Store    *store.Bucket
	Formats  model.Formats // that read the champion, for the importance of its features
	Pipeline string
	Log      *registry.Log
	Table    *delta.Snapshot
	// Progress hears what is being read; nil for silence.
	Progress func(string)

	events      []release.Event // of the registry; nil until somebody asks for them
	evaluations map[store.Digest]*evidence.Evaluation
	policies    map[string]*gate.Policy // of all pipeline files that were in force, by digest
	decisions   map[store.Digest]*gate.Decision
}

// ErrUnknown means that there is no such batch, run or training.
var ErrUnknown = errors.New("not found")

// Open reads the registry and the table's log of a pipeline. A pipeline without entries is
// an error that wraps [ErrUnknown].
func Open(ctx context.Context, b *store.Bucket, name string, formats model.Formats) (*Reader, error) {
	log, err := registry.Load(ctx, b, name)
	if err != nil {
		return nil, err
	}
	if log.Head() == 0 {
		return nil, fmt.Errorf("pipeline %q is not registered in %s: %w", name, b.URL(), ErrUnknown)
	}
	table, err := delta.Open(b, run.TablePrefix(name)).Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	return &Reader{Store: b, Formats: formats, Pipeline: name, Log: log, Table: table}, nil
}

func (r *Reader) say(format string, args ...any) {
	if r.Progress != nil {
		r.Progress(fmt.Sprintf(format, args...))
	}
}

// Version names a model version with what the registry says of it.
func (r *Reader) Version(d store.Digest) report.Version {
	v := report.Version{Digest: string(d)}
	for _, e := range r.Log.Of(registry.KindRegister) {
		if e.Model == d {
			v.Note = e.Reason
		}
	}
	return v
}

// anchor names the entry of a number as people keep it: nobody can change the log up to
// there without changing it.
func (r *Reader) anchor(seq int64) string {
	entries := r.Log.Entries()
	if seq >= int64(len(entries)) {
		return r.Log.Anchor()
	}
	return fmt.Sprintf("%d:%s", seq, entries[seq].Prev)
}

// config reads a pipeline file.
func (r *Reader) config(ctx context.Context, d store.Digest) (*pipeline.Config, error) {
	data, err := r.Store.GetBlob(ctx, d)
	if err != nil {
		return nil, fmt.Errorf("the pipeline file: %w", err)
	}
	return pipeline.ParseKept("pipeline file "+string(d), data)
}

// policy finds the policy of a digest among the pipeline files that were ever in force; nil
// if it is of none of them.
func (r *Reader) policy(ctx context.Context, digest string) (*gate.Policy, error) {
	if r.policies == nil {
		r.policies = map[string]*gate.Policy{}
		for _, e := range r.Log.Of(registry.KindPipeline) {
			c, err := r.config(ctx, e.Pipeline)
			if err != nil {
				return nil, err
			}
			if c.Gates != nil {
				r.policies[c.Gates.Digest()] = c.Gates
			}
		}
	}
	return r.policies[digest], nil
}

// decision reads the decision of an advance entry; nil if somebody has deleted it.
func (r *Reader) decision(ctx context.Context, e registry.Entry) (*report.Gate, error) {
	d, known := r.decisions[e.Paper]
	if !known {
		d = new(gate.Decision)
		err := run.LoadBlob(ctx, r.Store, e.Paper, d)
		if gone(err) {
			d = nil
		} else if err != nil {
			return nil, err
		}
		if r.decisions == nil {
			r.decisions = map[store.Digest]*gate.Decision{}
		}
		r.decisions[e.Paper] = d
	}
	if d == nil {
		return nil, nil
	}
	policy, err := r.policy(ctx, d.Policy)
	return &report.Gate{Entry: e.Seq, At: e.At, Paper: string(e.Paper), Release: e.Release, Step: e.Step, Model: r.Version(e.Model), Decision: d, Policy: policy}, err
}

// contract reads a contract.
func (r *Reader) contract(ctx context.Context, d store.Digest) (*contract.Contract, error) {
	data, err := r.Store.GetBlob(ctx, d)
	if err != nil {
		return nil, fmt.Errorf("the contract: %w", err)
	}
	return contract.Parse("contract "+string(d), data)
}

// profile reads a profile of a run.
func (r *Reader) profile(ctx context.Context, o *run.Object) (*profile.Profile, error) {
	if o == nil {
		return nil, store.ErrNotFound
	}
	data, err := run.Load(ctx, r.Store, *o)
	if err != nil {
		return nil, err
	}
	return decoded(data)
}

func decoded(data []byte) (*profile.Profile, error) {
	p := new(profile.Profile)
	return p, p.UnmarshalBinary(data)
}

// gone reports whether an error means that somebody has deleted what was to be read.
func gone(err error) bool { return errors.Is(err, store.ErrNotFound) }

// is reports whether a digest has a name that people write: its digits, or the first eight
// or more of them.
func is(d store.Digest, name string) bool {
	digits := strings.TrimPrefix(name, "sha256:")
	return len(digits) >= 8 && strings.HasPrefix(strings.TrimPrefix(string(d), "sha256:"), digits)
}
