package dossier

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"headgate/internal/bundle"
	"headgate/internal/learn"
	"headgate/internal/registry"
	"headgate/internal/report"
	"headgate/internal/run"
	"headgate/internal/store"
	"headgate/internal/train"
)

// trained is a training with its papers, while its facts are gathered.
type trained struct {
	*Reader
	out      *report.Training
	entry    registry.Entry
	evidence learn.Evidence
	plan     learn.Plan
	versions map[store.Digest]*bundle.Bundle // that the training registered
	last     int64
}

// Training gathers the facts of a training. name is the first eight or more digits of its
// plan, or the last batch that it learned from: then the last such training is meant. The
// error wraps [ErrUnknown] if there is none.
func (r *Reader) Training(ctx context.Context, name string) (*report.Training, error) {
	t := &trained{Reader: r}
	if err := t.find(ctx, name); err != nil {
		return nil, err
	}
	r.say("training %s", run.Short(t.evidence.Plan.Digest))
	if err := run.LoadJSON(ctx, r.Store, t.evidence.Plan, &t.plan); err != nil {
		return nil, err
	}
	for _, part := range []func(context.Context) error{t.facts, t.sets, t.registered, t.challengers, t.decisions} {
		if err := part(ctx); err != nil {
			return nil, fmt.Errorf("report on training %s: %w", run.Short(t.evidence.Plan.Digest), err)
		}
	}
	t.lineage()
	t.out.Anchor = r.anchor(t.last)
	return t.out, nil
}

func (t *trained) find(ctx context.Context, name string) error {
	for _, e := range t.Log.Of(registry.KindTraining) {
		var evidence learn.Evidence
		if err := run.LoadBlob(ctx, t.Store, e.Paper, &evidence); err != nil {
			return fmt.Errorf("the paper of entry %d: %w", e.Seq, err)
		}
		if e.Batch == name || is(evidence.Plan.Digest, name) {
			t.entry, t.evidence, t.last = e, evidence, e.Seq
		}
	}
	if t.last == 0 {
		return fmt.Errorf("no training %s of %s: %w; starter log %s lists them", name, t.Pipeline, ErrUnknown, t.Pipeline)
	}
	return nil
}

func (t *trained) facts(ctx context.Context) error {
	conf, err := t.config(ctx, t.plan.File)
	if err != nil {
		return err
	}
	settings := t.plan.Training
	t.out = &report.Training{Format: report.Format, Pipeline: t.Pipeline, Description: conf.Description, Owner: conf.Owner, ID: string(t.evidence.Plan.Digest),
		Entry: t.entry.Seq, At: t.entry.At, By: t.entry.By, Kind: string(t.evidence.Kind), Batch: t.entry.Batch, Verdict: t.evidence.Verdict,
		Reasons: t.evidence.Reasons, Notes: t.evidence.Notes, Champion: t.Version(t.plan.Champion), Trainer: settings.Trainer, Seed: t.plan.Seed,
		Calibrate: string(settings.Calibrate), Parameters: settings.Parameters, Leak: settings.Leak.Threshold}
	if t.out.Leak == 0 {
		t.out.Leak = train.DefaultLeak
	}
	if t.entry.Reason != "" {
		t.out.Triggers = strings.Split(t.entry.Reason, "; ")
	}
	return nil
}

// sets says what became of the rows of each batch. A set that was deleted leaves zeros.
func (t *trained) sets(ctx context.Context) error {
	for i, b := range t.plan.Batches {
		out := report.Learned{Batch: b.Name, Run: string(b.Run), Labels: string(b.Labels)}
		if i < len(t.evidence.Sets) {
			data, err := run.Load(ctx, t.Store, t.evidence.Sets[i])
			if err != nil && !gone(err) {
				return err
			}
			if err == nil {
				set, err := learn.ParseSet(data)
				if err != nil {
					return err
				}
				out.Set = string(t.evidence.Sets[i].Digest)
				out.Scored, out.Rows, out.Unknown, out.Treated, out.Keyless = set.Scored, set.Rows, set.Unknown, set.Treated, set.Keyless
			}
		}
		t.out.Batches = append(t.out.Batches, out)
	}
	return nil
}

// registered finds the versions that the training registered and the release that they
// went into: their entries have its cause.
func (t *trained) registered(ctx context.Context) error {
	t.versions = map[store.Digest]*bundle.Bundle{}
	for _, e := range t.Log.Entries() {
		if e.Cause != t.entry.Cause || e.Cause == "" {
			continue
		}
		switch e.Kind {
		case registry.KindRegister:
			b, err := bundle.Read(ctx, t.Store, e.Model)
			if err != nil {
				return err
			}
			t.versions[e.Model] = b
		case registry.KindCandidate:
			t.out.Release = e.Release
		}
	}
	return nil
}

func (t *trained) challengers(ctx context.Context) error {
	for _, o := range t.evidence.Models {
		c := report.Candidate{Window: o.Window, Verdict: o.Verdict, Reasons: o.Reasons}
		var paper learn.Trained
		if err := run.LoadJSON(ctx, t.Store, o.Trained, &paper); err != nil {
			return err
		}
		c.Train, c.Valid, c.Findings, c.Log = paper.Window.Train, paper.Window.Valid, paper.Findings, paper.Log
		if paper.Manifest != nil {
			data, err := run.Load(ctx, t.Store, *paper.Manifest)
			if err != nil {
				return err
			}
			if c.Manifest, err = train.ParseManifest(data); err != nil {
				return err
			}
		}
		if o.Sanity != nil {
			var s learn.Sanity
			if err := run.LoadJSON(ctx, t.Store, *o.Sanity, &s); err != nil {
				return err
			}
			c.Sanity = &report.Sanity{Rows: s.Rows, Estimates: s.Estimates, Base: s.Base, Verdict: s.Verdict, Reasons: s.Reasons}
		}
		for _, d := range sorted(t.versions) {
			if t.versions[d].Model.Digest == o.Model {
				v := t.Version(d)
				c.Version, c.Fate = &v, t.fate(d)
			}
		}
		t.out.Challengers = append(t.out.Challengers, c)
	}
	return nil
}

// fate says what became of a version since it was registered, by the last entry that moves
// it.
func (t *trained) fate(d store.Digest) string {
	fate := "registered"
	for _, e := range t.Log.Entries() {
		if e.Model != d || e.Seq <= t.entry.Seq {
			continue
		}
		switch e.Kind {
		case registry.KindCandidate:
			fate = "candidate of " + e.Release
		case registry.KindAdvance:
			if e.Release != t.out.Release {
				continue
			}
			fate = fmt.Sprintf("%s: %s", e.Step, e.Verdict)
		case registry.KindPromote:
			fate = "became the champion"
		case registry.KindRejected:
			fate = "rejected: " + e.Reason
		default:
			continue
		}
		t.last = max(t.last, e.Seq)
		if e.Kind == registry.KindRejected || e.Kind == registry.KindPromote {
			return fate
		}
	}
	return fate
}

// decisions gathers what gates said of the challengers in the shadow.
func (t *trained) decisions(ctx context.Context) error {
	if t.out.Release == "" {
		return nil
	}
	for _, e := range t.Log.Of(registry.KindAdvance) {
		if e.Release != t.out.Release || t.versions[e.Model] == nil {
			continue
		}
		g, err := t.decision(ctx, e)
		if err != nil {
			return err
		}
		if g == nil || g.Decision.Evidence.Outcome == nil {
			continue
		}
		t.last = max(t.last, e.Seq)
		t.out.Gates = append(t.out.Gates, *g)
	}
	return nil
}

func (t *trained) lineage() {
	in := func(what, name, digest, note string) {
		t.out.Lineage = append(t.out.Lineage, report.Input{What: what, Name: name, Digest: digest, Note: note})
	}
	in("plan of the training", t.evidence.Plan.Key, string(t.evidence.Plan.Digest), "names everything that was read")
	for _, b := range t.plan.Batches {
		in("run of "+b.Name, "", string(b.Run), "published")
		in("labels of "+b.Name, "", string(b.Labels), "")
	}
	for i, s := range t.evidence.Sets {
		if i < len(t.plan.Batches) {
			in("rows of "+t.plan.Batches[i].Name, s.Key, string(s.Digest), "")
		}
	}
	in("champion then", "", string(t.plan.Champion), t.Version(t.plan.Champion).Note)
	in("pipeline file", "", string(t.plan.File), "")
	in("contract", "", string(t.plan.Contract), "")
	in("contract of the labels", "", string(t.plan.Labels), "")
	for _, m := range t.evidence.Models {
		if m.Model != "" {
			in("model of window "+m.Window, "", string(m.Model), "")
		}
	}
	for _, c := range t.out.Challengers {
		if c.Manifest == nil || c.Manifest.Results == nil {
			continue
		}
		libraries := c.Manifest.Results.Libraries
		var parts []string
		for _, name := range sorted(libraries) {
			parts = append(parts, name+" "+libraries[name])
		}
		if code := strings.Join(parts, ", "); !slices.ContainsFunc(t.out.Lineage, func(i report.Input) bool { return i.Name == code }) {
			in("training code", code, "", "")
		}
	}
}
