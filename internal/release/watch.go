package release

import (
	"fmt"
	"time"
)

// watch returns the phase of a release whose candidate is the champion: the former one
// scores along and is judged in reverse each time that labels mature.
func (v *view) watch(r *Release) phase {
	p := phase{release: r, step: StepWatch}
	_, gone := v.Rejected[r.Former]
	if v.set.Watch == 0 || len(v.steps) == 1 || r.Former == "" || gone {
		return v.finish(p, "there is nothing to watch")
	}
	p.shadow = []string{r.Former}
	from := r.Promotion.Seq
	q := &series{release: r, step: StepWatch, subject: SubjectReverse, model: r.Former, champion: v.Champion, most: v.set.Watch}
	last := q.last(r.Reverse, from)
	if last != nil && last.Verdict == Pass {
		p.action = Action{Kind: DoPromote, Release: r.Name, Step: StepBack, Model: r.Former, Champion: v.Champion, Decision: last.Decision,
			Reason: "the former champion is better: " + last.Reason}
		return p
	}
	if last != nil && len(last.Batches) >= v.set.Watch {
		return v.finish(p, fmt.Sprintf("the former champion was not better on %d labelled batches", len(last.Batches)))
	}
	set := v.since(r.candidate(v.Champion), from, from, r.Former)
	if a, ok := v.more(q, set, from); ok {
		p.action = a
		return p
	}
	seen := 0
	if last != nil {
		seen = len(last.Batches)
	}
	p.action = idle(fmt.Sprintf("labels to watch release %s by; %d of %d batches have them", r.Name, seen, v.set.Watch))
	return p
}

func (v *view) finish(p phase, why string) phase {
	p.action = Action{Kind: DoFinish, Release: p.release.Name, Step: StepDone, Model: v.Champion, Reason: why}
	return p
}

// since returns the batches that speak about a candidate after it was chosen: later than
// those that it was judged on before one entry, and labelled after another.
func (v *view) since(c *Candidate, before, labelled int64, incumbent string) []*batch {
	after := time.Time{}
	if c.Learned == "" {
		after = c.At
	}
	var set []*batch
	for _, b := range v.labelled(c.judged(before+1), after, incumbent) {
		if r := b.runs[b.run]; r.evaluated > labelled && !has(r.failed, c.Model) {
			set = append(set, b)
		}
	}
	return set
}

// more returns the next look of a reverse series, if there are more labels than at the
// last one and looks left.
func (v *view) more(q *series, set []*batch, after int64) (Action, bool) {
	set = set[:min(len(set), q.most)]
	last := q.last(q.release.Reverse, after)
	if len(set) == 0 || last != nil && len(set) <= len(last.Batches) {
		return Action{}, false
	}
	return v.look(*q, set, []string{q.model, q.champion}, last), true
}
