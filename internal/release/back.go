package release

import (
	"cmp"
	"fmt"
	"slices"

	"headgate/internal/figure"
)

// aim fills in where a rollback goes that a person orders, or returns why there is no
// such place. model is the champion to come, or empty: then the candidate that serves a
// share goes, or if there is none the champion, in favour of the one before it.
func (s *State) aim(c *Control, model string) error {
	c.From, c.To, c.Drop = s.Champion, s.Champion, s.serves()
	if c.Batch != "" {
		if b := s.batches[c.Batch]; b == nil || b.number == 0 {
			return fmt.Errorf("release: batch %s was never published, so it cannot go back", c.Batch)
		}
	}
	if s.Champion == "" {
		return fmt.Errorf("release: there is no champion yet, and nothing to roll back")
	}
	switch {
	case model == s.Champion && c.Drop == "" && c.Batch == "":
		return fmt.Errorf("release: %s is the champion and serves alone; there is nothing to roll back", figure.Short(model))
	case model == s.Champion || model == "" && c.Drop != "":
		return nil
	case model == "":
		for _, p := range slices.Backward(s.Champions) {
			if _, gone := s.Rejected[p.Model]; !gone && p.Model != s.Champion {
				model = p.Model
				break
			}
		}
		if model == "" {
			return fmt.Errorf("release: no champion before %s may serve", figure.Short(s.Champion))
		}
	}
	if !slices.ContainsFunc(s.Champions, func(p Promotion) bool { return p.Model == model }) {
		return fmt.Errorf("release: %s never was the champion; start a release for it", figure.Short(model))
	}
	if r, gone := s.Rejected[model]; gone {
		return fmt.Errorf("release: %s may not serve since entry %d: %s", figure.Short(model), r.Seq, r.Reason)
	}
	c.To, c.Drop = model, s.Champion
	return nil
}

// ordered returns the next step of the rollback that a person ordered last.
func (v *view) ordered() (Action, bool) {
	b := v.Back
	if b == nil {
		return Action{}, false
	}
	if _, gone := v.Rejected[b.To]; gone {
		return Action{}, false // since the person ordered it
	}
	_, gone := v.Rejected[b.Drop]
	name := v.of(b.Drop)
	switch why := fmt.Sprintf("%s rolled back: %s", b.By, b.Reason); {
	case v.Champion == b.From && b.To != b.From && !gone:
		return Action{Kind: DoPromote, Release: name, Step: StepBack, Model: b.To, Champion: b.From, Decision: b.Paper, Reason: why}, true
	case v.Champion == b.To && b.Drop != "" && b.Drop != v.Champion && !gone:
		return Action{Kind: DoReject, Release: name, Step: StepBack, Model: b.Drop, Decision: b.Paper, Reason: why}, true
	}
	return Action{}, false
}

// takenBack returns the rejection of a model whose predecessor came back by the watch's
// verdict.
func (v *view) takenBack() (Action, bool) {
	for _, r := range v.Releases {
		if r.Promotion == nil || r.Promotion.Model == v.Champion {
			continue
		}
		model := r.Promotion.Model
		next := v.after(r.Promotion.Seq)
		if _, gone := v.Rejected[model]; gone || next == nil || next.Release != r.Name || next.Model != r.Former {
			continue
		}
		why, decision := "its predecessor came back", ""
		for i := range r.Reverse {
			if d := &r.Reverse[i]; d.Step == StepWatch && d.Verdict == Pass {
				why, decision = "the former champion is better: "+d.Reason, d.Decision
			}
		}
		return reject(r, StepBack, model, decision, why), true
	}
	return Action{}, false
}

// refused returns the rejection of a candidate that a person rejected, wherever its
// release stands.
func (v *view) refused() (Action, bool) {
	for _, r := range v.Releases {
		if r.Promotion != nil {
			continue
		}
		for _, c := range v.live(r) {
			if a := c.Refused; a != nil {
				return reject(r, cmp.Or(a.Step, StepShadow), c.Model, a.Decision, fmt.Sprintf("%s rejected it: %s", a.By, a.Reason)), true
			}
		}
	}
	return Action{}, false
}

// after returns the promotion that followed an entry, or nil.
func (s *State) after(seq int64) *Promotion {
	for i := range s.Champions {
		if s.Champions[i].Seq > seq {
			return &s.Champions[i]
		}
	}
	return nil
}

// of returns the name of the last release that had the model as a candidate, or "none".
func (s *State) of(model string) string {
	for _, r := range slices.Backward(s.Releases) {
		if r.candidate(model) != nil {
			return r.Name
		}
	}
	return "none"
}

// left returns the entry with which a model lost the championship for good, or 0 if it
// never was champion.
func (s *State) left(model string) int64 {
	for i := len(s.Champions) - 2; i >= 0; i-- {
		if s.Champions[i].Model == model {
			return s.Champions[i+1].Seq
		}
	}
	return 0
}

// spoiled returns the rejected model whose scores a batch still has and should not, or
// "". A candidate's rows go wherever they are; a former champion's only where they came
// out after it had left, because they were right while it served.
func (v *view) spoiled(b *batch) string {
	if b.models == nil || slices.Equal(b.models, []string{v.Champion}) {
		return ""
	}
	for _, m := range b.models {
		if _, gone := v.Rejected[m]; gone && m != v.Champion && b.seq > v.left(m) {
			return m
		}
	}
	return ""
}

// republish returns the next batch that is published again from the champion's scores,
// because it has rows of a rejected model or a person asked for it with a rollback.
func (v *view) republish() (Action, bool) {
	for _, name := range v.names {
		b := v.batches[name]
		model := v.spoiled(b)
		ordered := v.Back != nil && v.Back.Batch == name && v.Champion == v.Back.To && b.seq < v.Back.Seq && !slices.Equal(b.models, []string{v.Champion})
		if !ordered && (model == "" || v.actedOn(b) && !v.agreed(b, model)) {
			continue
		}
		if a, ok := v.again(b, model); ok {
			return a, true
		}
	}
	return Action{}, false
}

// again returns the action that publishes a batch again, or first the one that scores it.
// A batch that the champion cannot score stays.
func (v *view) again(b *batch, model string) (Action, bool) {
	why := fmt.Sprintf("batch %s has rows of %s, which was rejected", b.name, figure.Short(model))
	if model == "" {
		why = fmt.Sprintf("%s rolled batch %s back: %s", v.Back.By, b.name, v.Back.Reason)
	}
	if r := b.runs[b.run]; r == nil || has(r.failed, v.Champion) {
		return Action{}, false
	}
	release := v.of(model)
	if len(b.missing([]string{v.Champion})) > 0 {
		return Action{Kind: DoShadow, Release: release, Step: StepBack, Subject: SubjectReverse, Batch: b.name, Run: b.run, Models: []string{v.Champion}, Reason: why}, true
	}
	return Action{Kind: DoRepublish, Release: release, Step: StepBack, Batch: b.name, Run: b.run, Model: v.Champion, Reason: why}, true
}

// actedOn reports whether the batch was published so long ago that it was acted on.
func (v *view) actedOn(b *batch) bool {
	return v.set.ActBy > 0 && !v.now.Before(b.firstAt.Add(v.set.ActBy))
}

// agreed reports whether enough persons let a batch be replaced that was acted on. The
// question's decision is the model itself: there is no gate's.
func (v *view) agreed(b *batch, model string) bool {
	r := v.Release(v.of(model))
	return r != nil && v.approved(r, model, republishing+b.name, model)
}

// askRepublish asks about the first batch that has rows of a rejected model and was acted
// on. A no leaves the batch as it is, and so does no answer.
func (v *view) askRepublish() (Action, bool) {
	for _, name := range v.names {
		b := v.batches[name]
		model := v.spoiled(b)
		if model == "" || !v.actedOn(b) || v.agreed(b, model) {
			continue
		}
		r := v.Release(v.of(model))
		if r == nil || slices.ContainsFunc(r.Answers, func(a Answer) bool { return a.Answer == Reject && a.Step == republishing+name }) {
			continue
		}
		d := &Verdict{Seq: v.Rejected[model].Seq, At: v.Rejected[model].At, Decision: model}
		a := v.question(r, republishing+name, model, d, fmt.Sprintf("batch %s was acted on, and has rows of %s, which was rejected", name, figure.Short(model)))
		if a.Kind == DoAsk {
			return a, true
		}
	}
	return Action{}, false
}
