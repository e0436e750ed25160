package release

import (
	"fmt"
	"slices"
	"time"
)

// watch returns the phase of a release whose candidate is the champion: the former one
// scores along and is judged in reverse each time that labels mature, until those of enough
// batches have that were published since the promotion. Batches from before it, whose
// labels come later, are judged by themselves: they tell sooner, and say nothing of the
// months in which the new champion serves everybody.
func (v *view) watch(r *Release) phase {
	p := phase{release: r, step: StepWatch}
	_, gone := v.Rejected[r.Former]
	if v.set.Watch == 0 || len(v.steps) == 1 || r.Former == "" || gone {
		return v.finish(p, "there is nothing to watch")
	}
	p.shadow = []string{r.Former}
	from := r.Promotion.Seq
	set := v.since(r.candidate(v.Champion), from, from, r.Former)
	seen := 0
	for _, served := range []bool{false, true} {
		q := v.watches(r, served)
		last := q.last(r.Reverse, from)
		if last != nil && last.Verdict == Pass {
			p.action = Action{Kind: DoPromote, Release: r.Name, Step: StepBack, Model: r.Former, Champion: v.Champion, Decision: last.Decision,
				Reason: "the former champion is better: " + last.Reason}
			return p
		}
		if seen = 0; last != nil {
			seen = len(last.Batches)
		}
		if served && seen >= v.set.Watch {
			return v.finish(p, fmt.Sprintf("the former champion was not better on %d labelled batches that it no longer served", seen))
		}
		part := slices.DeleteFunc(slices.Clone(set), func(b *batch) bool { return (b.first > from) != served })
		if a, ok := v.more(q, part, from); ok {
			p.action = a
			return p
		}
	}
	p.action = idle(fmt.Sprintf("labels to watch release %s by; %d of %d batches that it served have them", r.Name, seen, v.set.Watch))
	return p
}

// watches is the series on the batches that were published since the promotion, or on
// those from before it.
func (v *view) watches(r *Release, served bool) *series {
	return &series{release: r, step: StepWatch, subject: SubjectReverse, model: r.Former, champion: v.Champion, most: v.set.Watch,
		of: func(batches []string) bool {
			if len(batches) == 0 {
				return false
			}
			b := v.batches[batches[0]]
			return b != nil && b.first > r.Promotion.Seq == served
		}}
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
