package audit

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"headgate/internal/change"
	"headgate/internal/evidence"
	"headgate/internal/gate"
	"headgate/internal/labels"
	"headgate/internal/pipeline"
	"headgate/internal/registry"
	"headgate/internal/run"
	"headgate/internal/store"
)

// files checks a change of the files: its paper says what changes, and if people had to
// approve it, a second person did. The difference is made again, bit for bit.
func (t *trail) files(ctx context.Context, e registry.Entry) {
	if e.Paper != "" {
		t.difference(ctx, e)
	}
	if e.Kind == registry.KindProposal {
		return
	}
	if people := t.people(); len(people) > 0 {
		switch {
		case e.Proposal == 0:
			t.found(e, "it changes the files in force, which people had to approve, and carries out no proposal")
		case !slices.Contains(people, e.By):
			t.found(e, "it is approved by %s, who is none of the people of the pipeline file in force", e.By)
		}
	}
	t.inForce, t.settings = e, nil
	data, err := t.a.blob(ctx, e.Pipeline)
	if err != nil {
		return // found before
	}
	conf, err := pipeline.ParseKept("the pipeline file", data)
	if err != nil {
		t.found(e, "its pipeline file cannot be read: %v", err)
		return
	}
	t.settings = conf.Release
	policy := conf.Gates
	if policy == nil {
		policy = gate.Default()
	}
	t.policies[policy.Digest()] = policy
}

// people returns who may approve a change of the files in force; none if nobody has to.
func (t *trail) people() []string {
	if t.settings == nil {
		return nil
	}
	var all []string
	for _, p := range t.settings.Approve.People {
		if role := t.settings.Approve.Role; role == "" || slices.Contains(p.Roles, role) {
			all = append(all, p.Name)
		}
	}
	return all
}

// difference makes the difference of a change again.
func (t *trail) difference(ctx context.Context, e registry.Entry) {
	data := t.paper(ctx, e, new(change.Change))
	was, ok := t.texts(ctx, t.inForce)
	is, here := t.texts(ctx, e)
	if data == nil || !ok || !here {
		return
	}
	c, err := change.Between(was, is)
	if err != nil {
		t.found(e, "its difference cannot be made again: %v", err)
		return
	}
	if again, err := c.Bytes(); err != nil || !bytes.Equal(again, data) {
		t.found(e, "its paper is not the difference between the files before it and its own")
	}
}

// texts reads the files of an entry; false if one is not there, which was found before.
func (t *trail) texts(ctx context.Context, e registry.Entry) (f change.Files, ok bool) {
	ok = true
	for _, file := range []struct {
		d   store.Digest
		dst *[]byte
	}{{e.Pipeline, &f.Pipeline}, {e.Contract, &f.Contract}, {e.Output, &f.Output}, {e.LabelsContract, &f.Labels}} {
		var err error
		*file.dst, err = t.a.blob(ctx, file.d)
		ok = ok && err == nil
	}
	return f, ok
}

// shadow checks where the scores of a model that did not serve are, and their bytes.
func (t *trail) shadow(ctx context.Context, e registry.Entry) {
	if e.Verdict == registry.VerdictBlock {
		return // it could not score, and the reason says why
	}
	s := new(run.Scored)
	if t.paper(ctx, e, s) == nil {
		return
	}
	t.same(e, "batch", e.Batch, s.Batch)
	t.same(e, "run", string(e.Run), string(s.Run))
	t.same(e, "model", string(e.Model), string(s.Model))
	for _, shard := range s.Shards {
		if shard.Scores == nil {
			continue
		}
		if _, err := run.Load(ctx, t.a.Store, *shard.Scores); err != nil {
			t.found(e, "its scores of shard %d: %v", shard.Shard, err)
		}
	}
}

// evaluated checks what labels said of a batch.
func (t *trail) evaluated(ctx context.Context, e registry.Entry) {
	v := new(evidence.Evaluation)
	if t.paper(ctx, e, v) == nil {
		return
	}
	t.same(e, "batch", e.Batch, v.Batch)
	t.same(e, "run", string(e.Run), string(v.Run))
	t.same(e, "labels", string(e.Labels), string(v.Labels.Version))
	t.same(e, "verdict", e.Verdict, v.Verdict)
	if e.Verdict == registry.VerdictPass {
		t.left[e.Labels] = v.Coverage.LeftOut()
	}
	version, err := labels.Load(ctx, t.a.Store, e.Labels)
	switch {
	case err != nil:
		t.found(e, "%v", err)
	case version.Batch != e.Batch:
		t.found(e, "its labels are of batch %s", version.Batch)
	}
}

// training checks the verdict over a training.
func (t *trail) training(ctx context.Context, e registry.Entry) {
	var v map[string]any
	if t.paper(ctx, e, &v) == nil {
		return
	}
	t.same(e, "verdict", e.Verdict, fmt.Sprint(v["verdict"]))
}

// waiver checks that whoever lets a rule go may do so.
func (t *trail) waiver(e registry.Entry) {
	if people := t.people(); len(people) > 0 && !slices.Contains(people, e.By) {
		t.found(e, "%s waives rule %s, and is none of the people of the pipeline file in force", e.By, e.Rule)
	}
}

// advance checks a decision about a candidate: that it is what the entry says, that it
// rests on what there was, and that the same evidence gives the same decision.
func (t *trail) advance(ctx context.Context, e registry.Entry) {
	d := new(gate.Decision)
	data := t.paper(ctx, e, d)
	if data == nil {
		return
	}
	about := d.Evidence.Release
	judged := about.Model
	if d.Subject == gate.Reverse { // it asks whether the former champion comes back
		judged = about.Champion
	}
	t.same(e, "verdict", e.Verdict, string(d.Verdict))
	t.same(e, "model", string(e.Model), judged)
	t.same(e, "release", e.Release, about.Release)
	t.same(e, "step", e.Step, about.Step)
	for _, why := range t.again(d, data) {
		t.found(e, "%s", why)
	}
	t.sources(e, d)
	t.decisions = append(t.decisions, decided{e, d})
}

// again judges stored evidence once more, and returns how the outcome differs.
func (t *trail) again(d *gate.Decision, data []byte) []string {
	t.r.Decisions++
	policy, ok := t.policies[d.Policy]
	if !ok {
		return []string{fmt.Sprintf("its decision is by policy %s, which no pipeline file before it has", run.Short(store.Digest(d.Policy)))}
	}
	var all []string
	for _, w := range d.Waivers {
		if !t.waived(w) {
			all = append(all, fmt.Sprintf("its decision lets rule %s go by a waiver that is not entry %d", w.Rule, w.Entry))
		}
	}
	again, err := gate.Again(policy, d)
	if err != nil {
		return append(all, fmt.Sprintf("its evidence cannot be judged again: %v", err))
	}
	bytesAgain, err := run.Encode(again)
	switch {
	case err != nil:
		return append(all, err.Error())
	case again.Verdict != d.Verdict:
		return append(all, fmt.Sprintf("its evidence gives the verdict %s, and its decision says %s", again.Verdict, d.Verdict))
	case !bytes.Equal(bytesAgain, data):
		return append(all, "its evidence, judged again, gives another decision")
	}
	return all
}

// waived reports whether a waiver is the entry that it says.
func (t *trail) waived(w gate.Waiver) bool {
	if w.Entry < 1 || w.Entry > int64(len(t.entries)) {
		return false
	}
	e := t.entries[w.Entry-1]
	return e.Kind == registry.KindWaiver && e.Rule == w.Rule && e.By == w.By && e.Reason == w.Reason && e.Until.Equal(w.Until)
}

// sources checks that the batches behind a decision are evidence: published, not
// restated, with labels that were evaluated, and later than what the model has learned.
func (t *trail) sources(e registry.Entry, d *gate.Decision) {
	if d.Subject == gate.Canary { // it is given inside a run, before anything of that is published
		t.shadowed(e, d)
		return
	}
	about := d.Evidence.Release
	learned := ""
	for _, c := range t.entries {
		if c.Kind == registry.KindCandidate && c.Release == about.Release && string(c.Model) == about.Model {
			learned = c.Batch
		}
	}
	for _, s := range d.Evidence.Sources {
		published := func(p registry.Entry) bool {
			return p.Batch == s.Batch && string(p.Run) == s.Run && (p.Kind == registry.KindPublished || p.Kind == registry.KindRestored)
		}
		evaluated := func(v registry.Entry) bool {
			return v.Kind == registry.KindEvaluated && v.Batch == s.Batch && string(v.Labels) == s.Labels
		}
		at := slices.IndexFunc(t.entries, published)
		switch {
		case at < 0:
			t.found(e, "its evidence is of run %s of batch %s, which was not published before", run.Short(store.Digest(s.Run)), s.Batch)
		case t.entries[at].Restated:
			t.found(e, "its evidence is of batch %s, which is restated", s.Batch)
		case s.Labels != "" && !slices.ContainsFunc(t.entries, evaluated):
			t.found(e, "its evidence is of labels of batch %s that were never evaluated", s.Batch)
		case !slices.EqualFunc(s.Without, t.left[store.Digest(s.Labels)], func(a gate.Left, b evidence.Left) bool { return a == gate.Left(b) }):
			t.found(e, "its evidence of batch %s leaves out %v, and the evaluation of the labels %v", s.Batch, s.Without, t.left[store.Digest(s.Labels)])
		case learned != "" && s.Batch <= learned:
			t.found(e, "its evidence is of batch %s, and the model has learned up to %s", s.Batch, learned)
		}
	}
}

// shadowed checks that what a canary was held against is what the same candidate showed
// in the shadow, beside the same champion.
func (t *trail) shadowed(e registry.Entry, d *gate.Decision) {
	if d.Evidence.Compare == nil || d.Evidence.Compare.Moved == nil || d.Evidence.Compare.Moved.Missing != "" {
		return
	}
	m, about := d.Evidence.Compare.Moved, d.Evidence.Release
	at := slices.IndexFunc(t.decisions, func(s decided) bool { return string(s.entry.Paper) == m.Decision })
	if at < 0 {
		t.found(e, "its scores are held against those of decision %s, which no entry before it has", run.Short(store.Digest(m.Decision)))
		return
	}
	shadow := t.decisions[at].decision
	if was := shadow.Evidence.Release; shadow.Subject != gate.Advance || was.Model != about.Model || was.Champion != about.Champion || was.Release != about.Release {
		t.found(e, "its scores are held against those of entry %d, which is no verdict about the candidate in the shadow", t.decisions[at].entry.Seq)
	}
	for _, batch := range m.Batches {
		if !slices.ContainsFunc(shadow.Evidence.Sources, func(s gate.Source) bool { return s.Batch == batch }) {
			t.found(e, "its scores are held against those of batch %s, which the shadow was not judged on", batch)
		}
	}
}
