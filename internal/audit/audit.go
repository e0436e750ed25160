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
	"path"
	"slices"
	"strings"

	"headgate/internal/bundle"
	"headgate/internal/contract"
	"headgate/internal/delta"
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
	Publications int
	Files        int // data files of all publications, digests checked
	Findings     []Finding
}

func (r *Report) found(where, format string, args ...any) {
	r.Findings = append(r.Findings, Finding{where, fmt.Sprintf(format, args...)})
}

// Verify checks the chain of the registry against the anchors, the model versions
// with their golden rows and reference profiles, and the digest of every data file of every publication;
// and that registry and table tell the same publications. An error means that it
// could not look; what it saw is in the report.
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
	for _, m := range log.State().Models {
		a.say("model version %s", run.Short(m))
		r.Versions++
		v, err := bundle.Load(ctx, a.Store, m, a.Formats)
		if err == nil {
			err = a.reference(ctx, v.Bundle.Reference)
		}
		if err != nil {
			r.found("model version "+string(m), "%v", err)
		}
	}
	for _, e := range log.Entries() {
		for _, d := range []store.Digest{e.Pipeline, e.Contract, e.Output, e.LabelsContract} {
			if _, err := a.Store.GetBlob(ctx, d); d != "" && err != nil {
				r.found(fmt.Sprintf("registry entry %d", e.Seq), "%v", err)
			}
		}
	}
	return r, a.table(ctx, r, log)
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

// table checks the data files and compares publications with registry entries.
func (a *Auditor) table(ctx context.Context, r *Report, log *registry.Log) error {
	table := delta.Open(a.Store, run.TablePrefix(a.Pipeline))
	snapshot, err := table.Snapshot(ctx)
	if err != nil {
		r.found(run.TablePrefix(a.Pipeline), "%v", err)
		return nil
	}
	entries := map[string]registry.Entry{}
	for _, e := range log.Entries() {
		if e.Publication > 0 {
			entries[fmt.Sprintf("%s publication %d", e.Batch, e.Publication)] = e
		}
	}
	for _, batch := range snapshot.Batches() {
		history, err := table.History(ctx, batch)
		if err != nil {
			return err
		}
		for _, p := range history {
			r.Publications++
			name := fmt.Sprintf("%s publication %d", batch, p.Number)
			a.say("%s", name)
			if e, ok := entries[name]; !ok {
				r.found(name, "is in the table and not in the registry; the next publication of the pipeline will enter it")
			} else if err := agree(r, name, e, p); err != nil {
				return err
			}
			delete(entries, name)
			a.evidence(ctx, r, p, name)
			if err := a.files(ctx, r, p, name); err != nil {
				return err
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(entries)) {
		r.found(name, "is registry entry %d and not in the table", entries[name].Seq)
	}
	return nil
}

// agree compares a publication with its registry entry, down to the files.
func agree(r *Report, name string, e registry.Entry, p delta.Publication) error {
	files, err := run.FilesDigest(p.Files)
	if err != nil {
		return err
	}
	for _, fact := range []struct{ what, entry, table string }{
		{"the version", fmt.Sprint(*e.TableVersion), fmt.Sprint(p.Version)},
		{"the files", string(e.Files), string(files)},
		{"the run", string(e.Run), p.Info["run"]},
		{"the model", string(e.Model), p.Info["model"]},
		{"the contract", string(e.Contract), p.Info["contract"]},
		{"the decision", string(e.Decision), p.Info["decision"]},
	} {
		if fact.entry != fact.table {
			r.found(name, "%s in registry entry %d and in table version %d do not agree", fact.what, e.Seq, p.Version)
		}
	}
	return nil
}

// evidence checks the plan and the verdict behind a publication.
func (a *Auditor) evidence(ctx context.Context, r *Report, p delta.Publication, name string) {
	d := store.Digest(p.Info["run"])
	if _, err := run.LoadPlan(ctx, a.Store, a.Pipeline, p.Batch, d); err != nil {
		r.found(name, "%v", err)
	}
	switch verdict, err := a.verdict(ctx, p.Batch, d, store.Digest(p.Info["decision"])); {
	case err != nil:
		r.found(name, "%v", err)
	case verdict.Verdict != run.Pass || verdict.Run != d:
		r.found(name, "was published on verdict %q of run %s", verdict.Verdict, run.Short(verdict.Run))
	}
}

// files checks the bytes of a publication's data files against their names.
func (a *Auditor) files(ctx context.Context, r *Report, p delta.Publication, name string) error {
	for _, f := range p.Files {
		r.Files++
		key := run.TablePrefix(a.Pipeline) + "/" + f.Path
		data, err := a.Store.Get(ctx, key)
		if err != nil {
			r.found(key, "%v (of %s)", err, name)
			continue
		}
		if want := strings.TrimSuffix(path.Base(f.Path), ".parquet"); strings.TrimPrefix(string(store.DigestOf(data)), "sha256:") != want {
			r.found(key, "its bytes were changed (of %s)", name)
		}
	}
	return ctx.Err()
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
	if p.conf, err = pipeline.Parse("pipeline file", b); err != nil {
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
