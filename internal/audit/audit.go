// Package audit derives again what was published: from the registry's chain down to
// the last bit of every score. It only reads.
//
// [Verify] checks a whole pipeline, [Recompute] scores a published batch again from
// its input, and [Why] tells where one score came from.
package audit

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"headgate/internal/bundle"
	"headgate/internal/contract"
	"headgate/internal/model"
	"headgate/internal/pipeline"
	"headgate/internal/registry"
	"headgate/internal/run"
	"headgate/internal/store"
)

// An Auditor reads one pipeline in one store.
type Auditor struct {
	Store    *store.Bucket
	Formats  model.Formats
	Pipeline string
	// Progress hears what is being checked; nil for silence.
	Progress func(string)
}

// A Finding is something that is not as it was recorded.
type Finding struct {
	Where string // key, entry or batch
	What  string
}

func (f Finding) String() string { return f.Where + ": " + f.What }

func (a *Auditor) say(format string, args ...any) {
	if a.Progress != nil {
		a.Progress(fmt.Sprintf(format, args...))
	}
}

// A Report is what Verify looked at and found.
type Report struct {
	Entries      int64
	Anchor       string
	Versions     int // model versions whose golden rows were scored
	Papers       int // of entries, read and held against the entries
	Decisions    int // judged again
	Publications int
	Files        int // data files of all publications, digests checked
	Findings     []Finding
}

func (r *Report) found(where, format string, args ...any) {
	r.Findings = append(r.Findings, Finding{where, fmt.Sprintf(format, args...)})
}

// Verify checks the chain of the registry against the anchors; the paper of every entry,
// and that every decision comes out again, bit for bit, of the evidence that it rests on;
// that no routing, promotion or publication goes beyond verdicts and approvals; the model
// versions with their golden rows and reference profiles; the digest of every data file
// of every publication; and that registry and table tell the same publications. An error
// means that it could not look; what it saw is in the report.
func (a *Auditor) Verify(ctx context.Context, anchors ...string) (*Report, error) {
	r := new(Report)
	a.say("registry chain")
	chain, err := registry.Verify(ctx, a.Store, a.Pipeline, anchors...)
	if err != nil {
		return nil, err
	}
	for _, p := range chain.Problems {
		r.found(p.Key, "%s", p.Message)
	}
	log, err := registry.Load(ctx, a.Store, a.Pipeline)
	if err != nil {
		r.found("registry/"+a.Pipeline, "%v", err)
		return r, nil
	}
	r.Entries, r.Anchor = log.Head(), log.Anchor()
	t, err := a.follow(ctx, r, log)
	if err != nil {
		return nil, err
	}
	return r, t.table(ctx)
}

// reference checks the profiles that batches are compared with.
func (a *Auditor) reference(ctx context.Context, ref *bundle.Reference) error {
	if ref == nil {
		return nil
	}
	refs := []store.Ref{ref.Profile}
	for _, season := range slices.Sorted(maps.Keys(ref.Seasons)) {
		refs = append(refs, ref.Seasons[season])
	}
	for _, blob := range refs {
		if _, err := a.Store.GetBlob(ctx, blob.Digest); err != nil {
			return fmt.Errorf("reference profile: %w", err)
		}
	}
	return nil
}

// papers are what a run left behind, loaded.
type papers struct {
	plan     *run.Plan
	conf     *pipeline.Config
	contract *contract.Contract
	output   *contract.Contract // of the scores; nil if there is none
	version  *bundle.Version    // champion of the run
	scorer   *bundle.Version    // of the row that Why is asked about
	served   served
}

func (a *Auditor) load(ctx context.Context, batch string, name store.Digest) (*papers, error) {
	plan, err := run.LoadPlan(ctx, a.Store, a.Pipeline, batch, name)
	if err != nil {
		return nil, err
	}
	p := &papers{plan: plan}
	b, err := a.Store.GetBlob(ctx, plan.File)
	if err != nil {
		return nil, err
	}
	if p.conf, err = pipeline.ParseKept("pipeline file", b); err != nil {
		return nil, err
	}
	if p.contract, err = a.contract(ctx, plan.Contract); err != nil {
		return nil, err
	}
	if plan.Output != "" {
		if p.output, err = a.contract(ctx, plan.Output); err != nil {
			return nil, err
		}
	}
	p.version, err = bundle.Load(ctx, a.Store, plan.Champion, a.Formats)
	p.scorer = p.version
	return p, err
}

func (a *Auditor) contract(ctx context.Context, d store.Digest) (*contract.Contract, error) {
	b, err := a.Store.GetBlob(ctx, d)
	if err != nil {
		return nil, err
	}
	return contract.Parse("contract", b)
}
