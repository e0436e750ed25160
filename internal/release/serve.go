package release

import "fmt"

// lead returns the phase of the release whose candidates are on their way: from the
// shadow up the steps, as far as verdicts and approvals carry. before is the release
// whose model is still watched, or nil; until that is over, nobody follows its model.
func (v *view) lead(r, before *Release) phase {
	p := phase{release: r, step: StepShadow}
	for _, c := range v.live(r) {
		p.shadow = append(p.shadow, c.Model)
	}
	c, d, act := v.choose(r)
	p.action = act
	if c == nil {
		return p
	}
	p.shadow = []string{c.Model}
	if len(v.steps) == 1 {
		p.action = Action{Kind: DoFinish, Release: r.Name, Step: StepDone, Model: c.Model, Decision: d.Decision, Reason: "it passed in the shadow, which is all that the strategy asks"}
		return p
	}
	for k := 1; ; k++ {
		step := v.steps[k]
		if step.Name == StepFull && before != nil {
			p.action = idle(fmt.Sprintf("the watch of release %s, before release %s can serve all", before.Name, r.Name))
			return p
		}
		if step.Approve && !v.approved(r, c.Model, step.Name, d.Decision) {
			p.action = v.question(r, step.Name, c.Model, d, "the gate lets it, and the pipeline file wants a person to say so")
			return p
		}
		if step.Name == StepFull {
			p.action = Action{Kind: DoPromote, Release: r.Name, Step: step.Name, Model: c.Model, Champion: v.Champion, Decision: d.Decision,
				Reason: fmt.Sprintf("release %s has passed all steps before", r.Name)}
			return p
		}
		p.step, p.share, p.model, p.shadow = step.Name, step.Share, c.Model, nil
		at := station{v, r, c, step, v.steps[k+1].Name, d}
		if d, p.action = at.serve(); d == nil {
			return p
		}
	}
}

// A station is a step that serves, with the candidate in it.
type station struct {
	*view
	release   *Release
	candidate *Candidate
	step      Step
	next      string   // name of the step after it
	entered   *Verdict // by which the candidate came in
}

// A tally is what the verdicts of a step add up to.
type tally struct {
	passes  []*Verdict // of published batches, in the order of the log
	unclear []*Verdict // inconclusive
	ask     *Verdict   // asks, and nobody answered yet; nil if there is none
	fail    *Verdict   // failed, and nobody let it go; nil if there is none
}

// serve returns the verdict with which the candidate leaves the step, or what to do.
func (s *station) serve() (*Verdict, Action) {
	since := s.entered.Seq
	if s.set.OnFail == OnFailPause && s.Resumed != nil {
		if fail := s.count(since).fail; fail != nil && fail.Seq < s.Resumed.Seq {
			since = s.Resumed.Seq // the step begins again
		}
	}
	t := s.count(since)
	if t.fail != nil {
		return nil, s.failed(t.fail)
	}
	if a, ok := s.guard(since); ok {
		return nil, a
	}
	enough := len(t.passes) >= s.step.Batches
	switch {
	case t.ask != nil:
		return nil, s.doubt(t.ask, len(t.passes)+1)
	case enough && s.step.Labels:
		return s.outcomes(t, since)
	case enough:
		for _, d := range t.passes[s.step.Batches-1:] {
			if s.approved(s.release, d.Model, s.next, d.Decision) {
				return d, Action{}
			}
		}
		return t.passes[len(t.passes)-1], Action{}
	case len(t.passes)+len(t.unclear) >= s.step.Most && len(t.unclear) > 0:
		return nil, s.doubt(t.unclear[len(t.unclear)-1], len(t.passes)+1)
	}
	return nil, idle(fmt.Sprintf("a batch published in step %s of release %s; it has %d of %d", s.step.Name, s.release.Name, len(t.passes), s.step.Batches))
}

// count adds up the verdicts of the step after an entry. Of several on one batch the
// last counts.
func (s *station) count(since int64) tally {
	var t tally
	verdicts := s.candidate.Verdicts
	for i := range verdicts {
		d := &verdicts[i]
		if d.Seq <= since || d.Step != s.step.Name || d.Champion != s.Champion || s.superseded(verdicts[i+1:], d) {
			continue
		}
		inRun := d.Batch != ""
		switch {
		case s.lets(d):
			if b := s.batches[d.Batch]; inRun && b != nil && b.number > 0 && (d.Run == "" || b.published[d.Run]) {
				t.passes = append(t.passes, d)
			}
		case d.Verdict == Block:
			if !s.approved(s.release, d.Model, s.step.Name, d.Decision) { // approved, it is let go, and no pass
				t.fail = d
			}
		case d.Verdict == Ask && inRun:
			t.ask = d
		case inRun:
			t.unclear = append(t.unclear, d)
		}
	}
	q := s.reverse()
	if d := q.last(s.release.Reverse, since); d != nil && d.Verdict == Pass {
		worse := *d
		worse.Model, worse.Reason = s.candidate.Model, "the champion is better on labels that matured since: "+d.Reason
		if !s.lets(&Verdict{Model: worse.Model, Decision: worse.Decision}) {
			t.fail = &worse
		}
	}
	return t
}

// superseded reports whether a later verdict speaks of the same: the same batch, or the
// same outcomes with more batches.
func (s *station) superseded(later []Verdict, d *Verdict) bool {
	for i := range later {
		if l := &later[i]; l.Step == d.Step && l.Champion == d.Champion && l.Batch == d.Batch {
			return true
		}
	}
	return false
}

// lets reports whether a verdict passes, or enough persons say that it does.
func (s *station) lets(d *Verdict) bool {
	return d.Verdict == Pass || d.Verdict != Block && s.approved(s.release, d.Model, s.step.Name, d.Decision) ||
		s.approved(s.release, d.Model, s.next, d.Decision)
}

// failed returns what a failed verdict leads to.
func (s *station) failed(d *Verdict) Action {
	why := fmt.Sprintf("it failed in step %s: %s", s.step.Name, d.Reason)
	switch s.set.OnFail {
	case OnFailPause:
		return stopped(fmt.Sprintf("resume or reject; release %s paused: %s", s.release.Name, why))
	case OnFailAsk:
		return s.question(s.release, s.step.Name, s.candidate.Model, d, why)
	}
	return reject(s.release, s.step.Name, s.candidate.Model, d.Decision, why)
}

// doubt asks a person about a verdict that says neither yes nor no. If a yes ends the
// step, it is the one for the step after it as well.
func (s *station) doubt(d *Verdict, passes int) Action {
	step := s.step.Name
	if passes >= s.step.Batches && (!s.step.Labels || d.Batch == "") {
		step = s.next
	}
	return s.question(s.release, step, s.candidate.Model, d, fmt.Sprintf("the verdict in step %s is %s: %s", s.step.Name, d.Verdict, d.Reason))
}

// outcomes returns the verdict on the outcomes per arm of the batches that were served in
// the step, or what to do until there is one that lets the candidate go on.
func (s *station) outcomes(t tally, since int64) (*Verdict, Action) {
	var list []string
	for _, d := range t.passes {
		list = append(list, d.Batch)
	}
	set := these(s.labelled("", s.entered.At, s.Champion), list)
	q := series{release: s.release, step: s.step.Name, subject: SubjectArms, model: s.candidate.Model, champion: s.Champion, most: s.step.Most}
	last := q.last(s.candidate.Verdicts, since)
	switch {
	case last != nil && s.lets(last):
		return last, Action{}
	case last != nil && (last.Verdict == Ask || len(last.Batches)+len(t.unclear) >= s.step.Most && len(last.Batches) >= len(t.passes)):
		return nil, s.doubt(last, s.step.Batches)
	case len(set) < s.step.Batches || last != nil && len(set) <= len(last.Batches):
		return nil, idle(fmt.Sprintf("labels of batches served in step %s of release %s; %d have them", s.step.Name, s.release.Name, len(set)))
	}
	set = set[:min(len(set), s.step.Most)]
	return nil, s.look(q, set, []string{s.Champion, s.candidate.Model}, last)
}

// reverse is the series that asks whether the champion is better than the candidate after
// all, on labels that mature while the candidate is in the step.
func (s *station) reverse() *series {
	return &series{release: s.release, step: s.step.Name, subject: SubjectReverse, model: s.Champion, champion: s.candidate.Model, most: s.set.Watch}
}

// guard judges the series when there are more labels. Outcomes per arm need no guard.
func (s *station) guard(since int64) (Action, bool) {
	if s.step.Labels || s.set.Watch == 0 {
		return Action{}, false
	}
	q := s.reverse()
	set := s.since(s.candidate, s.entered.Seq, since, s.Champion)
	return s.more(q, set, since)
}
