package dossier

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"headgate/internal/pipeline"
	"headgate/internal/registry"
	"headgate/internal/release"
	"headgate/internal/report"
	"headgate/internal/run"
	"headgate/internal/store"
	"headgate/internal/trail"
)

// released is a release with its entries, while its facts are gathered.
type released struct {
	*Reader
	out     *report.Release
	conf    *pipeline.Config
	state   *release.State
	rel     *release.Release
	entries []registry.Entry // about the release
	last    int64
}

// Release gathers the facts of a release. name is the whole name, or a beginning that only
// one release has. The error wraps [ErrUnknown] if there is none.
func (r *Reader) Release(ctx context.Context, name string) (*report.Release, error) {
	w := &released{Reader: r}
	if err := w.open(ctx); err != nil {
		return nil, err
	}
	if err := w.find(name); err != nil {
		return nil, err
	}
	r.say("release %s", w.rel.Name)
	w.out = &report.Release{Format: report.Format, Pipeline: r.Pipeline, Description: w.conf.Description, Owner: w.conf.Owner, Name: w.rel.Name,
		Strategy: w.conf.Release.Strategy, Ended: w.rel.DoneAt}
	w.gather()
	w.contest()
	for _, part := range []func(context.Context) error{w.gates, w.canaries, w.approvals, w.compensations} {
		if err := part(ctx); err != nil {
			return nil, fmt.Errorf("report on release %s: %w", w.rel.Name, err)
		}
	}
	w.steps()
	w.standing()
	w.waivers()
	w.back()
	w.lineage()
	w.out.Anchor = r.anchor(w.last)
	return w.out, nil
}

// open folds what the registry says of releases.
func (w *released) open(ctx context.Context) (err error) {
	if w.conf, err = w.config(ctx, w.Log.State().Pipeline); err != nil {
		return err
	}
	if w.conf.Release == nil {
		return fmt.Errorf("pipeline %s has no labels, so no releases: %w", w.Pipeline, ErrUnknown)
	}
	w.state, err = w.fold(ctx, w.Log.Head())
	return err
}

// fold returns what the registry's entries up to a number say of releases.
func (r *Reader) fold(ctx context.Context, to int64) (*release.State, error) {
	if r.events == nil {
		events, err := trail.Events(ctx, r.Store, r.Log)
		if err != nil {
			return nil, err
		}
		r.events = events
	}
	n, _ := slices.BinarySearchFunc(r.events, to+1, func(e release.Event, seq int64) int { return cmp.Compare(e.Seq, seq) })
	return release.Fold(r.events[:n]), nil
}

func (w *released) find(name string) error {
	for _, rel := range w.state.Releases {
		switch {
		case rel.Name == name:
			w.rel = rel
			return nil
		case !strings.HasPrefix(rel.Name, name):
		case w.rel != nil:
			return fmt.Errorf("%s begins the names of several releases: %s, %s", name, w.rel.Name, rel.Name)
		default:
			w.rel = rel
		}
	}
	if w.rel == nil || name == "" {
		return fmt.Errorf("no release %s of %s: %w; starter log %s lists them", name, w.Pipeline, ErrUnknown, w.Pipeline)
	}
	return nil
}

// candidate reports whether a model is one of the release.
func (w *released) candidate(d store.Digest) bool {
	return slices.ContainsFunc(w.rel.Candidates, func(c *release.Candidate) bool { return c.Model == string(d) })
}

// gather keeps the entries about the release: those that name it, those that move its
// candidates, and what people ordered while it was under way.
func (w *released) gather() {
	for _, e := range w.Log.Entries() {
		about := e.Release == w.rel.Name
		switch e.Kind {
		case registry.KindPromote, registry.KindRejected:
			about = about || w.candidate(e.Model) && e.Seq > w.rel.Seq
		case registry.KindControl:
			about = about || e.Seq > w.rel.Seq && (w.rel.DoneAt.IsZero() || !e.At.After(w.rel.DoneAt))
		}
		if !about {
			continue
		}
		w.entries, w.last = append(w.entries, e), e.Seq
		w.out.Events = append(w.out.Events, w.event(e))
	}
}

func (w *released) contest() {
	w.out.Begun = w.rel.Candidates[0].At
	w.out.Champion = w.Version(store.Digest(w.championAt(w.rel.Seq)))
	for _, c := range w.rel.Candidates {
		out := report.Contender{Model: w.Version(store.Digest(c.Model)), Entry: c.Seq, At: c.At, By: c.By, Learned: c.Learned, Fate: "candidate"}
		out.Won = w.rel.Promotion != nil && w.rel.Promotion.Model == c.Model
		switch rejected, ok := w.state.Rejected[c.Model]; {
		case ok:
			out.Fate, out.Lost = "rejected: "+rejected.Reason, true
		case w.state.Champion == c.Model:
			out.Fate = "champion"
		case out.Won:
			out.Fate = "was champion"
		}
		w.out.Contest = append(w.out.Contest, out)
	}
}

// championAt returns the champion before an entry.
func (w *released) championAt(seq int64) string {
	champion := ""
	for _, p := range w.state.Champions {
		if p.Seq < seq {
			champion = p.Model
		}
	}
	return champion
}

func (w *released) gates(ctx context.Context) error {
	for _, e := range w.entries {
		if e.Kind != registry.KindAdvance {
			continue
		}
		g, err := w.decision(ctx, e)
		if err != nil {
			return err
		}
		if g == nil {
			w.out.Notes = append(w.out.Notes, fmt.Sprintf("the decision of entry %d is gone", e.Seq))
			continue
		}
		w.out.Gates = append(w.out.Gates, *g)
	}
	return nil
}

// canaries gathers the batches in whose publications a candidate served a share.
func (w *released) canaries(ctx context.Context) error {
	for _, e := range w.Log.Of(registry.KindPublished) {
		if e.Seq < w.rel.Seq || e.Paper == "" {
			continue
		}
		var s run.Serving
		if err := run.LoadBlob(ctx, w.Store, e.Paper, &s); err != nil {
			return fmt.Errorf("the paper of entry %d: %w", e.Seq, err)
		}
		plan, err := run.LoadPlan(ctx, w.Store, w.Pipeline, e.Batch, e.Run)
		if gone(err) {
			w.out.Notes = append(w.out.Notes, "the papers of "+e.Batch+" are gone, so nobody can say whether a candidate served it")
			continue
		}
		if err != nil {
			return err
		}
		if plan.Routing == nil || plan.Routing.Release != w.rel.Name || plan.Routing.Step == release.StepWatch {
			continue
		}
		j := &judged{Reader: w.Reader, out: &report.Batch{}, plan: plan, serving: &s}
		if err := j.comparisons(ctx); err != nil {
			return err
		}
		w.out.Notes = append(w.out.Notes, j.out.Notes...)
		if len(j.out.Comparisons) > 0 {
			w.out.Canaries = append(w.out.Canaries, report.Canary{Batch: e.Batch, Run: string(e.Run), Step: plan.Routing.Step, Publication: e.Publication, Comparisons: j.out.Comparisons})
		}
	}
	return nil
}

// approvals gathers the answers of people, the refused ones too.
func (w *released) approvals(ctx context.Context) error {
	for _, e := range w.entries {
		if e.Kind != registry.KindApproval {
			continue
		}
		var a release.Approval
		err := run.LoadBlob(ctx, w.Store, e.Paper, &a)
		if err != nil && !gone(err) {
			return err
		}
		out := report.Approval{Entry: e.Seq, At: e.At, By: e.By, Role: a.Role, Answer: e.Answer, Signed: a.Signature != "" && e.Answer != registry.AnswerRefused,
			Step: e.Step, Model: w.Version(cmp.Or(e.Model, store.Digest(a.Model))), Decision: a.Decision, Reason: a.Reason}
		if e.Answer == registry.AnswerRefused {
			out.Refused = cmp.Or(e.Reason, strings.Join(e.Reasons, "; "))
		}
		w.out.Approvals = append(w.out.Approvals, out)
	}
	return nil
}

// compensations gathers the batches that were published again in the release's name, after
// one of its candidates had served them.
func (w *released) compensations(ctx context.Context) error {
	served := map[string]bool{}
	for _, e := range w.Log.Of(registry.KindPublished) {
		if e.Paper == "" {
			continue
		}
		var s run.Serving
		if err := run.LoadBlob(ctx, w.Store, e.Paper, &s); err != nil {
			return fmt.Errorf("the paper of entry %d: %w", e.Seq, err)
		}
		if served[e.Batch] && strings.Contains(e.Cause, "/republish/") && !w.candidate(s.Model) {
			w.out.Compensations = append(w.out.Compensations, report.Compensation{Batch: e.Batch, Publication: e.Publication, At: e.At, Model: w.Version(s.Model),
				Changed: e.Changed, Reason: cmp.Or(e.Reason, s.Reason), Entry: e.Seq})
			w.last = max(w.last, e.Seq)
		}
		served[e.Batch] = slices.ContainsFunc(s.Models(), w.candidate)
	}
	return nil
}

// steps lists the stations of the plan and when the release entered them.
func (w *released) steps() {
	plan, err := release.Plan(w.conf.Release.Settings())
	if err != nil {
		return // the pipeline file was parsed, so there is a plan
	}
	for _, s := range plan {
		out := report.Step{Name: s.Name, Share: s.Share, Approve: s.Approve}
		for _, e := range w.entries {
			enters := e.Kind == registry.KindRouting || e.Kind == registry.KindPromote
			if enters && e.Step == s.Name && e.Release == w.rel.Name && out.Entry == 0 {
				out.Entered, out.Entry = e.At, e.Seq
			}
		}
		w.out.Steps = append(w.out.Steps, out)
	}
}

// standing says how the release stands, and for whom it waits.
func (w *released) standing() {
	open := slices.Contains(w.state.Open(), w.rel)
	out := w.out
	switch p := w.rel.Promotion; {
	case p != nil && w.rejected(p.Model):
		out.Standing = report.RolledBack
	case p != nil && open:
		out.Standing = report.Watched
	case p != nil && w.state.Champion != p.Model:
		out.Standing = report.Superseded
	case p != nil:
		out.Standing = report.Released
	case open:
		out.Standing = report.Running
	case slices.ContainsFunc(w.rel.Candidates, func(c *release.Candidate) bool { return !w.rejected(c.Model) }):
		out.Standing = report.Kept
	default:
		out.Standing = report.Rejected
	}
	settings := w.conf.Release.Settings()
	for _, q := range release.Questions(w.state, settings, w.at(w.Log.Head())) {
		if q.Release == w.rel.Name {
			out.Standing, out.Waits = report.Waiting, w.question(q, settings)
		}
	}
	if next := release.Next(w.state, settings, w.at(w.Log.Head())); open && out.Waits == nil && (next.Release == "" || next.Release == w.rel.Name) {
		out.Next = next.WaitsFor
	}
}

func (w *released) rejected(m string) bool {
	_, ok := w.state.Rejected[m]
	return ok
}

// question says what is asked, and whom.
func (r *Reader) question(q release.Action, s release.Settings) *report.Question {
	out := &report.Question{Step: q.Step, Model: r.Version(store.Digest(q.Model)), Decision: q.Decision, Role: s.Role, Need: q.Need, Signed: s.Signed, Until: q.Until, Reason: q.Reason}
	for _, p := range s.People {
		if s.Role == "" || slices.Contains(p.Roles, s.Role) {
			out.Who = append(out.Who, p.Name)
		}
	}
	return out
}

// waivers lists those that the decisions were given, and says which counted.
func (w *released) waivers() {
	seen := map[int64]int{}
	for _, g := range w.out.Gates {
		for _, v := range g.Decision.Waivers {
			if _, ok := seen[v.Entry]; ok {
				continue
			}
			seen[v.Entry] = len(w.out.Waivers)
			w.out.Waivers = append(w.out.Waivers, report.Waiver{Entry: v.Entry, Rule: v.Rule, By: v.By, Reason: v.Reason, Until: v.Until})
		}
		for _, rule := range g.Decision.Rules {
			if rule.Waived != nil {
				w.out.Waivers[seen[rule.Waived.Entry]].Used = true
			}
		}
	}
}

// back says who would come back if the released model had to go.
func (w *released) back() {
	p := w.rel.Promotion
	if p == nil || w.state.Champion != p.Model || w.rel.Former == "" {
		return
	}
	out := &report.Back{Model: w.Version(store.Digest(w.rel.Former))}
	if w.rejected(w.rel.Former) {
		out.Blocked = w.state.Rejected[w.rel.Former].Reason
	}
	if routing := w.state.Routing; routing != nil {
		out.Shadow = slices.Contains(routing.Shadow, w.rel.Former)
	}
	for _, e := range w.Log.Of(registry.KindPublished) {
		if string(e.Model) == p.Model {
			out.Batch = e.Batch
		}
	}
	w.out.Back = out
}

func (w *released) lineage() {
	in := func(what, name, digest, note string) {
		w.out.Lineage = append(w.out.Lineage, report.Input{What: what, Name: name, Digest: digest, Note: note})
	}
	in("champion before", "", w.out.Champion.Digest, w.out.Champion.Note)
	for _, c := range w.out.Contest {
		in("candidate", "", c.Model.Digest, c.Model.Note)
	}
	policies := map[string]bool{}
	for _, g := range w.out.Gates {
		in("decision", fmt.Sprintf("entry %d, %s", g.Entry, g.Step), g.Paper, string(g.Decision.Verdict))
		policies[g.Decision.Policy] = true
	}
	for _, p := range sorted(policies) {
		in("policy of the gates", "", p, "")
	}
	judged := map[[3]string]bool{}
	for _, g := range w.out.Gates {
		for _, s := range g.Decision.Evidence.Sources {
			key := [3]string{s.Batch, s.Run, s.Labels}
			if judged[key] {
				continue
			}
			judged[key] = true
			in("run of "+s.Batch, "", s.Run, "")
			if s.Labels != "" {
				in("labels of "+s.Batch, "", s.Labels, "")
			}
		}
	}
	in("pipeline file", "", string(w.Log.State().Pipeline), "in force")
}
