package audit

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"headgate/internal/bundle"
	"headgate/internal/evidence"
	"headgate/internal/gate"
	"headgate/internal/pipeline"
	"headgate/internal/registry"
	"headgate/internal/release"
	"headgate/internal/run"
	"headgate/internal/store"
)

// A trail goes through the entries of a registry, one by one, with what those before add
// up to. It checks what each entry rests on, and that it was right to follow.
type trail struct {
	a   *Auditor
	r   *Report
	log *registry.Log

	inForce   registry.Entry          // the last pipeline entry
	settings  *pipeline.Release       // of its pipeline file; nil if it has no releases
	policies  map[string]*gate.Policy // of all files that were in force, by digest
	champions []store.Digest          // all that there were, the last one scores
	models    []store.Digest          // registered
	rejected  map[store.Digest]registry.Entry
	routing   *release.Routing                 // in force; nil if the champion scores alone
	left      map[store.Digest][]evidence.Left // slices that the last evaluation by some labels left out
	decisions []decided
	approvals []approval
	entries   []registry.Entry // so far
}

// A decided is a decision that an entry brought.
type decided struct {
	entry    registry.Entry
	decision *gate.Decision
}

// An approval is an answer that counts.
type approval struct {
	entry registry.Entry
	paper *release.Approval
}

// follow walks the whole log. An error means that it could not look.
func (a *Auditor) follow(ctx context.Context, r *Report, log *registry.Log) (*trail, error) {
	t := &trail{a: a, r: r, log: log, policies: map[string]*gate.Policy{}, left: map[store.Digest][]evidence.Left{}, rejected: map[store.Digest]registry.Entry{}}
	a.say("what %d entries rest on", log.Head())
	for _, e := range log.Entries() {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		t.entry(ctx, e)
		t.entries = append(t.entries, e)
	}
	return t, nil
}

// entry checks one entry.
func (t *trail) entry(ctx context.Context, e registry.Entry) {
	for _, blob := range []struct {
		name string
		d    store.Digest
	}{{"pipeline file", e.Pipeline}, {"contract", e.Contract}, {"contract of the scores", e.Output},
		{"contract of the labels", e.LabelsContract}, {"paper", e.Paper}, {"labels", e.Labels}} {
		if _, err := t.a.blob(ctx, blob.d); err != nil {
			t.found(e, "its %s: %v", blob.name, err)
		}
	}
	switch e.Kind {
	case registry.KindPipeline, registry.KindProposal:
		t.files(ctx, e)
	case registry.KindRegister:
		t.register(ctx, e)
	case registry.KindPromote:
		t.promote(ctx, e)
	case registry.KindShadow:
		t.shadow(ctx, e)
	case registry.KindEvaluated:
		t.evaluated(ctx, e)
	case registry.KindTraining:
		t.training(ctx, e)
	case registry.KindAdvance:
		t.advance(ctx, e)
	case registry.KindApproval:
		t.approval(ctx, e)
	case registry.KindRouting:
		t.route(ctx, e)
	case registry.KindRejected:
		t.rejected[e.Model] = e
	case registry.KindWaiver:
		t.waiver(e)
	case registry.KindSchedule, registry.KindMissed:
		t.scheduled(ctx, e)
	case registry.KindSkipped:
		t.skipped(ctx, e)
	}
}

// found names an entry and what is wrong with it.
func (t *trail) found(e registry.Entry, format string, args ...any) {
	t.r.found(fmt.Sprintf("registry entry %d", e.Seq), "%s", fmt.Sprintf(format, args...))
}

// blob reads a blob; no digest, no bytes.
func (a *Auditor) blob(ctx context.Context, d store.Digest) ([]byte, error) {
	if d == "" {
		return nil, nil
	}
	return a.Store.GetBlob(ctx, d)
}

// paper reads the paper of an entry into v and returns its bytes, or nil if that is not
// what it is. A paper that is not there was found before.
func (t *trail) paper(ctx context.Context, e registry.Entry, v any) []byte {
	data, err := t.a.blob(ctx, e.Paper)
	if err != nil || data == nil {
		return nil
	}
	t.r.Papers++
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(v); err != nil {
		t.found(e, "its paper %s is not what an entry of kind %s rests on: %v", run.Short(e.Paper), e.Kind, err)
		return nil
	}
	return data
}

// same finds a fact in which an entry and its paper do not agree.
func (t *trail) same(e registry.Entry, what, entry, paper string) {
	if entry != paper {
		t.found(e, "its %s is %q, and its paper says %q", what, entry, paper)
	}
}

// champion returns the model that scores, "" before the first.
func (t *trail) champion() store.Digest {
	if len(t.champions) == 0 {
		return ""
	}
	return t.champions[len(t.champions)-1]
}

// register checks a model version, with its golden rows and its reference.
func (t *trail) register(ctx context.Context, e registry.Entry) {
	if slices.Contains(t.models, e.Model) {
		return
	}
	t.models = append(t.models, e.Model)
	t.a.say("model version %s", run.Short(e.Model))
	t.r.Versions++
	v, err := bundle.Load(ctx, t.a.Store, e.Model, t.a.Formats)
	if err == nil {
		err = t.a.reference(ctx, v.Bundle.Reference)
	}
	if err != nil {
		t.r.found("model version "+string(e.Model), "%v", err)
	}
}

// promote checks that what a promotion rests on lets the model through: a verdict of its
// release, a reverse gate that brings it back, or a person who rolls back to it.
func (t *trail) promote(ctx context.Context, e registry.Entry) {
	if e.Alias != registry.AliasChampion {
		return
	}
	defer func() { t.champions = append(t.champions, e.Model) }()
	if e.Decision == "" {
		return // the first champion; of all others the chain's rules ask for a decision
	}
	if _, err := t.a.blob(ctx, e.Decision); err != nil {
		t.found(e, "its decision: %v", err)
	}
	if why := t.mayLead(e); why != "" {
		t.found(e, "it makes model version %s the champion, and %s", run.Short(e.Model), why)
	}
}

// mayLead returns why a model may not become the champion, or "".
func (t *trail) mayLead(e registry.Entry) string {
	for _, c := range t.entries {
		if c.Kind != registry.KindControl || c.Control != registry.ControlRollback || c.Paper != e.Decision {
			continue
		}
		if c.Model == "" || c.Model == e.Model {
			return t.wasChampion(e.Model)
		}
	}
	for _, d := range t.decisions {
		if d.entry.Paper != e.Decision {
			continue
		}
		if d.decision.Subject == gate.Reverse {
			if d.decision.Evidence.Release.Champion != string(e.Model) || d.decision.Verdict != gate.Block {
				return fmt.Sprintf("the reverse gate of entry %d does not bring it back", d.entry.Seq)
			}
			return t.wasChampion(e.Model)
		}
		if d.entry.Model != e.Model {
			return fmt.Sprintf("the decision of entry %d is about another model", d.entry.Seq)
		}
		return t.mayEnter(d.entry.Release, release.StepFull, e.Model)
	}
	if e.Decision == e.Model && t.settings != nil && t.settings.Shadow == 0 {
		return t.mayAgree(e.Release, release.StepFull, e.Model) // no gate is asked about it
	}
	return fmt.Sprintf("its decision %s is that of no entry before it", run.Short(e.Decision))
}

func (t *trail) wasChampion(model store.Digest) string {
	if !slices.Contains(t.champions, model) {
		return "it goes back to it, and it never was one"
	}
	return ""
}

// route checks that a routing takes nobody to a model which no verdict lets go so far.
func (t *trail) route(ctx context.Context, e registry.Entry) {
	next := new(release.Routing)
	if t.paper(ctx, e, next) == nil {
		return
	}
	// An entry that ends a release may have the routing of another one that goes on.
	if e.Step != release.StepDone || next.Release == e.Release {
		t.same(e, "release", e.Release, next.Release)
		t.same(e, "step", e.Step, next.Step)
	}
	if err := next.Check(); err != nil {
		t.found(e, "its routing cannot be followed: %v", err)
	}
	for _, arm := range next.Arms {
		model := store.Digest(arm.Model)
		why := ""
		switch before, rejected := t.rejected[model]; {
		case !slices.Contains(t.models, model):
			why = "was never registered"
		case rejected && arm.Share > 0:
			why = fmt.Sprintf("was rejected by entry %d", before.Seq)
		case model != t.champion() && arm.Share > share(t.routing, next.Release, arm.Model):
			why = t.mayEnter(next.Release, next.Step, model)
		}
		if why != "" {
			t.found(e, "it routes %g %% of the entities to model version %s, and %s", float64(arm.Share)*100/release.Whole, run.Short(model), why)
		}
	}
	t.routing = next
}

// share returns the share of a model in a routing of the same release.
func share(r *release.Routing, name, model string) int {
	if r == nil || r.Release != name {
		return 0
	}
	for _, arm := range r.Arms {
		if arm.Model == model {
			return arm.Share
		}
	}
	return 0
}

// mayEnter returns why a candidate may not enter a step, or "": the last verdict about it
// passes, or a person has let that verdict go, and whoever has to approve has done so.
// Where the settings leave the shadow out, no verdict comes before the first step.
func (t *trail) mayEnter(name, step string, model store.Digest) string {
	var last *decided
	for i, d := range t.decisions {
		if d.entry.Release == name && d.entry.Model == model && d.decision.Subject != gate.Reverse {
			last = &t.decisions[i]
		}
	}
	switch {
	case last == nil && t.unjudged(step):
	case last == nil:
		return fmt.Sprintf("no verdict of release %s lets it", name)
	case last.decision.Verdict != gate.Pass && !t.approved(string(last.entry.Paper)):
		return fmt.Sprintf("the last verdict about it, of entry %d, is %s, and nobody has approved that", last.entry.Seq, last.decision.Verdict)
	}
	return t.mayAgree(name, step, model)
}

// unjudged reports whether a step is the first of candidates that no shadow judges.
func (t *trail) unjudged(step string) bool {
	if t.settings == nil || t.settings.Shadow > 0 {
		return false
	}
	steps, err := release.Plan(t.settings.Settings())
	return err == nil && len(steps) > 1 && steps[1].Name == step
}

// mayAgree returns why a candidate may not enter a step although a gate lets it, or "":
// whoever has to approve has done so.
func (t *trail) mayAgree(name, step string, model store.Digest) string {
	if t.settings == nil || !slices.Contains(t.settings.Approve.Steps, step) {
		return ""
	}
	need := 1
	if t.settings.Approve.FourEyes {
		need = 2
	}
	var who []string
	for _, a := range t.approvals {
		if a.entry.Release == name && a.entry.Step == step && a.paper.Model == string(model) && !slices.Contains(who, a.entry.By) {
			who = append(who, a.entry.By)
		}
	}
	if len(who) < need {
		return fmt.Sprintf("step %s of release %s needs %d to approve it, and %d have", step, name, need, len(who))
	}
	return ""
}

// approved reports whether somebody has said yes to a decision.
func (t *trail) approved(decision string) bool {
	return slices.ContainsFunc(t.approvals, func(a approval) bool { return a.paper.Decision == decision })
}

// approval checks an answer: that it is what was said, and that an approval is by
// somebody who may give one.
func (t *trail) approval(ctx context.Context, e registry.Entry) {
	said := new(release.Approval)
	if t.paper(ctx, e, said) == nil || e.Answer == registry.AnswerRefused {
		return
	}
	// Who answers although nothing is asked names no step, and the entry must have one.
	t.same(e, "release", e.Release, cmp.Or(said.Release, "none"))
	t.same(e, "step", e.Step, cmp.Or(said.Step, "none"))
	t.same(e, "answer", e.Answer, said.Answer)
	t.same(e, "author", e.By, said.By)
	if e.Answer != registry.AnswerApprove {
		return
	}
	if err := t.may(e.By, said); err != nil {
		t.found(e, "its approval does not count: %v", err)
		return
	}
	t.approvals = append(t.approvals, approval{e, said})
}

// may returns why an approval does not count.
func (t *trail) may(by string, said *release.Approval) error {
	if t.settings == nil {
		return errors.New("the pipeline file in force has no releases")
	}
	at := slices.IndexFunc(t.settings.Approve.People, func(p pipeline.Approver) bool { return p.Name == by })
	if len(t.settings.Approve.People) > 0 && at < 0 {
		return fmt.Errorf("%s is none of the people of the pipeline file in force", by)
	}
	if at < 0 {
		return nil
	}
	person := t.settings.Approve.People[at]
	if role := t.settings.Approve.Role; role != "" && !slices.Contains(person.Roles, role) {
		return fmt.Errorf("%s has not the role %s", by, role)
	}
	if t.settings.Approve.Signed {
		return release.VerifySignature(person.Key, said.Signature, said.Payload())
	}
	return nil
}
