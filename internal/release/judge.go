package release

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"headgate/internal/figure"
)

// A series is one judgement that is repeated as batches mature.
type series struct {
	release  *Release
	step     string
	subject  string
	model    string
	champion string
	most     int                         // batches of the last look
	of       func(batches []string) bool // is a verdict on these of the series? nil: on any
}

// has reports whether a verdict is of the series.
func (q *series) has(v *Verdict) bool {
	return v.Batch == "" && v.Step == q.step && v.Model == q.model && v.Champion == q.champion && (q.of == nil || q.of(v.Batches))
}

// last returns the series' last verdict among those after an entry, or nil.
func (q *series) last(verdicts []Verdict, after int64) *Verdict {
	for i := len(verdicts) - 1; i >= 0; i-- {
		v := &verdicts[i]
		if v.Seq > after && q.has(v) {
			return v
		}
	}
	return nil
}

// on returns the series' last verdict on exactly these batches, or nil.
func (q *series) on(verdicts []Verdict, names []string) *Verdict {
	for i := len(verdicts) - 1; i >= 0; i-- {
		v := &verdicts[i]
		if q.has(v) && slices.Equal(v.Batches, names) {
			return v
		}
	}
	return nil
}

// look returns the action that judges the series on the batches: scores that are missing
// come first, of all the models at once.
func (v *view) look(q series, set []*batch, models []string, before *Verdict) Action {
	for _, b := range set {
		if missing := b.missing(models); len(missing) > 0 {
			return Action{Kind: DoShadow, Release: q.release.Name, Step: q.step, Subject: q.subject, Batch: b.name, Run: b.run, Models: missing,
				Reason: fmt.Sprintf("%s needs the scores of %d models on %s", q.step, len(missing), b.name)}
		}
	}
	a := Action{Kind: DoJudge, Release: q.release.Name, Step: q.step, Subject: q.subject, Model: q.model, Champion: q.champion,
		Look: len(set), Looks: max(q.most, len(set)),
		Reason: fmt.Sprintf("%s on %d of at most %d labelled batches", q.step, len(set), max(q.most, len(set)))}
	for _, b := range set {
		a.Batches = append(a.Batches, Scored{b.name, b.run})
	}
	if before != nil {
		a.Before = before.Decision
	}
	return a
}

func names(set []*batch) []string {
	var list []string
	for _, b := range set {
		list = append(list, b.name)
	}
	return list
}

// horizon returns what evidence about the candidates must be later than.
func horizon(candidates []*Candidate) (after string, since time.Time) {
	for _, c := range candidates {
		after = max(after, c.Learned)
		if c.Learned == "" && c.At.After(since) {
			since = c.At
		}
	}
	return after, since
}

// judged returns the last labelled batch that a verdict on the candidate before an entry
// rests on; without any, the last one that it has learned from.
func (c *Candidate) judged(before int64) string {
	after := c.Learned
	for _, v := range c.Verdicts {
		if v.Step == StepShadow && v.Seq < before && len(v.Batches) > 0 {
			after = max(after, v.Batches[len(v.Batches)-1])
		}
	}
	return after
}

// choose returns the candidate that the shadow lets go on and the verdict that it rests
// on, or what to do until there is one.
//
// All candidates are judged on the same batches: first on the latest that there are,
// up to the plan's number, then on one more each time that labels mature. The first look
// with a pass ends it: the pass with the highest lower bound goes on, the others are
// rejected, and so is who comes later.
func (v *view) choose(r *Release) (*Candidate, *Verdict, Action) {
	live := v.live(r)
	if v.set.Shadow == 0 {
		best := slices.MinFunc(live, func(a, b *Candidate) int { return better(&Verdict{Model: a.Model}, &Verdict{Model: b.Model}) })
		d := &Verdict{Seq: best.Seq, At: best.At, Step: StepShadow, Model: best.Model, Champion: v.Champion, Verdict: Pass, Decision: best.Model}
		return v.settle(r, best, d, live)
	}
	settled := v.settled(r)
	var current *Verdict // the last one: all candidates are judged on its batches
	for _, c := range live {
		if settled > 0 && c.Seq > settled {
			return nil, nil, reject(r, StepShadow, c.Model, "", "it came when the release had chosen another candidate")
		}
		if d := v.forward(r, c).last(c.Verdicts, 0); d != nil && len(d.Batches) > 0 && (current == nil || d.Seq > current.Seq) {
			current = d
		}
	}
	for _, c := range live {
		if current != nil && c.Learned >= current.Batches[0] && c.Seq > current.Seq {
			return nil, nil, reject(r, StepShadow, c.Model, "", "it has learned from batches that the release is judged on")
		}
	}
	after, since := horizon(live)
	matured := v.labelled(after, since, v.Champion)
	if current == nil {
		if len(matured) == 0 {
			return nil, nil, idle(fmt.Sprintf("labels of a batch that release %s has not learned from", r.Name))
		}
		return v.compete(r, live, matured[max(0, len(matured)-v.set.Shadow):])
	}
	set := these(matured, current.Batches)
	if a, ok := v.behind(r, live, current.Batches, set); ok {
		return nil, nil, a
	}
	return v.decide(r, live, current.Batches, matured)
}

func (v *view) forward(r *Release, c *Candidate) *series {
	return &series{release: r, step: StepShadow, subject: SubjectAdvance, model: c.Model, champion: v.Champion, most: v.set.Shadow}
}

// these returns the batches of those names.
func these(set []*batch, names []string) []*batch {
	return slices.DeleteFunc(slices.Clone(set), func(b *batch) bool { return !has(names, b.name) })
}

// settled returns the entry of the first verdict that let a candidate go on, or 0.
func (v *view) settled(r *Release) int64 {
	var first int64
	for _, c := range r.Candidates {
		for i := range c.Verdicts {
			d := &c.Verdicts[i]
			if d.Step == StepShadow && d.Champion == v.Champion && v.lets(r, d) && (first == 0 || d.Seq < first) {
				first = d.Seq
			}
		}
	}
	return first
}

// lets reports whether a verdict in the shadow lets its candidate go on.
func (v *view) lets(r *Release, d *Verdict) bool {
	return d.Verdict == Pass || len(v.steps) > 1 && d.Verdict != Block && v.approved(r, d.Model, v.steps[1].Name, d.Decision)
}

// compete returns the next thing to do for a look on the batches.
func (v *view) compete(r *Release, live []*Candidate, set []*batch) (*Candidate, *Verdict, Action) {
	a, _ := v.behind(r, live, names(set), set)
	return nil, nil, a
}

// behind returns what to do for the first candidate without a verdict on the batches; set
// is as many of them as there still are.
func (v *view) behind(r *Release, live []*Candidate, list []string, set []*batch) (Action, bool) {
	models := []string{v.Champion}
	for _, c := range live {
		models = append(models, c.Model)
	}
	for _, c := range live {
		q := v.forward(r, c)
		if q.on(c.Verdicts, list) != nil {
			continue
		}
		for _, b := range set {
			if has(b.runs[b.run].failed, c.Model) {
				return reject(r, StepShadow, c.Model, "", "it cannot score batch "+b.name), true
			}
		}
		if len(set) < len(list) {
			return idle(fmt.Sprintf("labels of what is now published of %s", strings.Join(list, ", "))), true
		}
		return v.look(*q, set, models, q.last(c.Verdicts, 0)), true
	}
	return Action{}, false
}

// decide reads a look that is complete.
func (v *view) decide(r *Release, live []*Candidate, list []string, matured []*batch) (*Candidate, *Verdict, Action) {
	var open, pass []*Verdict
	asks := len(list) >= v.set.Shadow
	for _, c := range live {
		d := v.forward(r, c).on(c.Verdicts, list)
		switch {
		case d.Verdict == Block:
			return nil, nil, reject(r, StepShadow, c.Model, d.Decision, "blocked in the shadow: "+d.Reason)
		case v.lets(r, d):
			pass = append(pass, d)
		default:
			asks = asks || d.Verdict == Ask
			open = append(open, d)
		}
	}
	if len(pass) > 0 {
		d := slices.MinFunc(pass, better)
		return v.settle(r, r.candidate(d.Model), d, live)
	}
	if asks {
		return nil, nil, v.askShadow(r, open)
	}
	first := list[0]
	next := slices.DeleteFunc(slices.Clone(matured), func(b *batch) bool { return b.name < first })
	next = next[:min(len(next), v.set.Shadow)]
	if len(next) > len(list) {
		return v.compete(r, live, next)
	}
	return nil, nil, idle(fmt.Sprintf("labels of one more batch; %d of at most %d say too little about release %s", len(list), v.set.Shadow, r.Name))
}

// askShadow asks a person about the best of the verdicts that say neither yes nor no:
// first those that ask themselves.
func (v *view) askShadow(r *Release, open []*Verdict) Action {
	if len(v.steps) == 1 {
		return Action{Kind: DoFinish, Release: r.Name, Step: StepDone, Reason: "the shadow says too little to release it"}
	}
	d := slices.MinFunc(open, func(a, b *Verdict) int {
		if (a.Verdict == Ask) != (b.Verdict == Ask) {
			if a.Verdict == Ask {
				return -1
			}
			return 1
		}
		return better(a, b)
	})
	return v.question(r, v.steps[1].Name, d.Model, d, "the shadow's verdict is "+d.Verdict+": "+d.Reason)
}

// settle rejects the candidates that another one has beaten.
func (v *view) settle(r *Release, best *Candidate, d *Verdict, live []*Candidate) (*Candidate, *Verdict, Action) {
	for _, c := range live {
		if c != best {
			return nil, nil, reject(r, StepShadow, c.Model, d.Decision, fmt.Sprintf("%s goes on: it passed with a higher lower bound", figure.Short(best.Model)))
		}
	}
	return best, d, Action{}
}
