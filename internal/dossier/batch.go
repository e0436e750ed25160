package dossier

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"headgate/internal/bundle"
	"headgate/internal/contract"
	"headgate/internal/delta"
	"headgate/internal/evaluate"
	"headgate/internal/pipeline"
	"headgate/internal/profile"
	"headgate/internal/registry"
	"headgate/internal/report"
	"headgate/internal/run"
	"headgate/internal/store"
)

// judged is a run with its papers, while its facts are gathered.
type judged struct {
	*Reader
	out      *report.Batch
	plan     *run.Plan
	data     *run.Data
	conf     *pipeline.Config
	contract *contract.Contract
	version  *bundle.Version // the champion
	entries  []registry.Entry
	serving  *run.Serving // nil: the champion alone
	current  bool         // the run is what is published

	history *run.History
	past    []*run.Data // of the history's batches; nil where the verdict is gone

	now, reference, before *profile.Profile // nil if there is none
	evaluated              []evaluate.Slice // of the champion
	last                   int64            // number of the last entry that was used
}

// Batch gathers the facts of a run over a batch. name is the first eight or more digits of
// the run; "" means the run that is published or, if none is, that was judged last. The
// error wraps [ErrUnknown] if there is no such run.
func (r *Reader) Batch(ctx context.Context, batch, name string) (*report.Batch, error) {
	j := &judged{Reader: r}
	which, decision, err := j.find(batch, name)
	if err != nil {
		return nil, err
	}
	r.say("run %s of %s", run.Short(which), batch)
	if err := j.open(ctx, batch, which, decision); err != nil {
		return nil, err
	}
	j.facts(decision)
	j.trail()
	for _, part := range []func(context.Context) error{j.published, j.loadHistory, j.loadProfiles, j.drift, j.comparisons, j.outcome, j.gates} {
		if err := part(ctx); err != nil {
			return nil, fmt.Errorf("report on %s, run %s: %w", batch, run.Short(which), err)
		}
	}
	j.scores()
	j.slices()
	j.lineage()
	j.out.Anchor = r.anchor(j.last)
	return j.out, nil
}

// find returns a run of the batch and the last verdict over it, and keeps the entries
// about it.
func (j *judged) find(batch, name string) (which, decision store.Digest, err error) {
	current, published := j.Table.Current(batch)
	for _, e := range j.Log.Entries() {
		if e.Batch != batch || e.Run == "" || e.Kind == registry.KindTraining {
			continue
		}
		if name == "" && (!published || e.Run == store.Digest(current.Info["run"])) || name != "" && is(e.Run, name) {
			if name != "" && which != "" && which != e.Run {
				return "", "", fmt.Errorf("%s/%s names several runs; give more digits", batch, name)
			}
			which = e.Run
			if e.Decision != "" && (e.Kind == registry.KindVerdict || e.Kind == registry.KindPublished) {
				decision = e.Decision
			}
		}
	}
	if decision == "" {
		what := batch
		if name != "" {
			what += "/" + name
		}
		return "", "", fmt.Errorf("no run %s of %s was judged: %w; starter status %s lists the batches", what, j.Pipeline, ErrUnknown, j.Pipeline)
	}
	if published && which == store.Digest(current.Info["run"]) {
		j.current, decision = true, store.Digest(current.Info["decision"])
	}
	for _, e := range j.Log.Entries() {
		if e.Batch == batch && e.Run == which {
			j.use(e)
		}
	}
	return which, decision, nil
}

// use keeps an entry that the page rests on.
func (j *judged) use(e registry.Entry) {
	j.entries = append(j.entries, e)
	j.last = max(j.last, e.Seq)
}

func (j *judged) open(ctx context.Context, batch string, which, decision store.Digest) (err error) {
	if j.plan, err = run.LoadPlan(ctx, j.Store, j.Pipeline, batch, which); gone(err) {
		return fmt.Errorf("somebody has deleted the papers of the run over %s, so there is no page about it: %w", batch, err)
	} else if err != nil {
		return err
	}
	if j.data, err = run.FindVerdict(ctx, j.Store, j.Pipeline, batch, which, decision); err != nil {
		return err
	}
	if j.conf, err = j.config(ctx, j.plan.File); err != nil {
		return err
	}
	if j.contract, err = j.Reader.contract(ctx, j.plan.Contract); err != nil {
		return err
	}
	j.version, err = bundle.Load(ctx, j.Store, j.plan.Champion, j.Formats)
	return err
}

// facts fills in what plan and verdict say.
func (j *judged) facts(decision store.Digest) {
	d := j.data
	j.out = &report.Batch{Format: report.Format, Pipeline: j.Pipeline, Description: j.conf.Description, Owner: j.conf.Owner,
		Batch: j.plan.Batch, Run: string(d.Run), Champion: j.Version(j.plan.Champion), Rows: rowsOf(d)}
	j.out.Verdict = report.Judgement{Verdict: string(d.Verdict), Stage: d.Stage, Decision: string(decision), Reasons: d.Reasons, Asks: d.Asks, Notes: d.Notes}
	if a := d.Answer; a != nil {
		j.out.Verdict.Answer = &report.Answer{Approved: a.Approved, By: a.By, Reason: a.Reason}
	}
	if k := d.Keys; k != nil {
		j.out.Keys = &report.Keys{Before: k.Before, Expected: k.Expected, Scored: k.Scored, Unscored: k.Unscored, New: k.New, Vanished: k.Vanished}
	}
	j.out.Contract = j.rules()
}

// rules lists the contract's rules, those that are broken first.
func (j *judged) rules() report.Contract {
	c := report.Contract{Name: j.contract.Name, Version: j.contract.Version, Digest: string(j.plan.Contract)}
	if c.Name == "" {
		c.Name = j.contract.ID
	}
	var broken, kept []report.Rule
	known := map[string]bool{}
	add := func(rule report.Rule) {
		if known[rule.ID] {
			return
		}
		known[rule.ID] = true
		if rule.Broken {
			broken = append(broken, rule)
		} else {
			kept = append(kept, rule)
		}
	}
	for _, v := range j.data.Violations {
		add(report.Rule{ID: v.Rule, Column: v.Column, Severity: string(v.Severity), Rows: v.Count, Broken: true, Message: v.Message})
	}
	for _, rule := range j.contract.Rules {
		n := j.data.Rules[rule.ID]
		add(report.Rule{ID: rule.ID, Column: rule.Column, Severity: string(rule.Severity), Quarantine: rule.Quarantine, Rows: n, Broken: n > 0, Message: rule.Description})
	}
	for _, id := range sorted(j.data.Rules) { // of the contract of the scores
		add(report.Rule{ID: id, Quarantine: true, Rows: j.data.Rules[id], Broken: true})
	}
	c.Rules = append(broken, kept...)
	return c
}

// sorted returns the keys of a map in their order.
func sorted[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }

// trail lists the entries about the run.
func (j *judged) trail() {
	for _, e := range j.entries {
		what := slices.Concat([]string{e.Verdict, e.Step, e.Reason}, e.Reasons)
		if e.Publication > 0 {
			what = append([]string{fmt.Sprintf("publication %d", e.Publication)}, what...)
		}
		what = slices.DeleteFunc(what, func(s string) bool { return s == "" })
		j.out.Entries = append(j.out.Entries, report.Entry{Seq: e.Seq, Kind: e.Kind, At: e.At, By: e.By, What: strings.Join(what, "; ")})
	}
}

// published lists the publications of the batch, and who served the rows of this run.
func (j *judged) published(ctx context.Context) error {
	for _, p := range j.Table.History(j.plan.Batch) {
		j.out.Publications = append(j.out.Publications, publication(p))
	}
	current, ok := j.Table.Current(j.plan.Batch)
	if !ok || !j.current {
		return nil
	}
	j.out.Published = current.Number
	served, err := j.Reader.served(current)
	if err != nil {
		return err
	}
	j.out.Served = served
	if d := store.Digest(current.Info["serving"]); d != "" {
		j.serving = new(run.Serving)
		return run.LoadBlob(ctx, j.Store, d, j.serving)
	}
	return nil
}

func publication(p delta.Publication) report.Publication {
	return report.Publication{Number: p.Number, TableVersion: p.Version, At: p.At, By: p.Info["by"], Run: p.Info["run"], Rows: p.Rows(),
		Supersedes: p.Supersedes, RestoredFrom: p.RestoredFrom, Changed: p.Info["changed"], Backfill: p.Info["backfill"],
		Restated: p.Info["restated"] == "true", Reason: p.Info["reason"]}
}

// lineage lists what the scores come from.
func (j *judged) lineage() {
	in := func(what, name, digest, note string) {
		j.out.Lineage = append(j.out.Lineage, report.Input{What: what, Name: name, Digest: digest, Note: note})
	}
	for _, f := range j.plan.Files {
		what := "input file"
		if f.Replay {
			what = "corrected rows"
		}
		in(what, f.Key, string(f.Footer), fmt.Sprintf("%d rows, %d bytes; digest of the footer", f.Rows, f.Size))
	}
	for _, ref := range j.plan.References {
		for _, f := range ref.Files {
			in("set "+ref.Name, f.Key, string(f.Footer), fmt.Sprintf("%d rows", f.Rows))
		}
	}
	in("champion", "", string(j.plan.Champion), j.Version(j.plan.Champion).Note)
	for _, m := range j.plan.Models {
		in("scored along", "", string(m), j.Version(m).Note)
	}
	in("pipeline file", "", string(j.plan.File), "")
	in("contract", strings.TrimSpace(j.out.Contract.Name+" "+j.out.Contract.Version), string(j.plan.Contract), "")
	if j.plan.Output != "" {
		in("contract of the scores", "", string(j.plan.Output), "")
	}
	if r := j.plan.Routing; r != nil {
		in("routing", r.Release+", step "+r.Step, "", fmt.Sprintf("%d arms", len(r.Arms)))
	}
	in("scoring code", fmt.Sprintf("version %d", j.plan.Scoring), "", "it changes when the same inputs may give other scores")
	for _, f := range j.Table.Files(j.plan.Batch) {
		if j.current {
			in("published file", path.Dir(f.Path), "sha256:"+strings.TrimSuffix(path.Base(f.Path), ".parquet"), "its name is its digest")
		}
	}
}
