package release

import "slices"

// Fold returns what the events, in the order of the log, add up to. Events of other
// kinds, and those that make no sense in their place, change nothing.
func Fold(events []Event) *State {
	s := &State{Rejected: map[string]Rejection{}, batches: map[string]*batch{}}
	for i := range events {
		s.add(&events[i])
	}
	return s
}

func (s *State) add(e *Event) {
	s.Seq = max(s.Seq, e.Seq)
	switch e.Kind {
	case EventPublished, EventRestored:
		s.publish(e)
	case EventShadow, EventEvaluated:
		s.score(e)
	case EventCandidate:
		s.enter(e)
	case EventAdvance:
		s.judge(e)
	case EventApproval:
		s.answer(e)
	case EventRouting:
		s.route(e)
	case EventPromote:
		s.promote(e)
	case EventRejected:
		if _, already := s.Rejected[e.Model]; !already {
			s.Rejected[e.Model] = Rejection{e.Seq, e.At, e.Reason}
		}
	case EventControl:
		s.control(e)
	}
}

// batch returns what is known about a batch, which may be nothing yet.
func (s *State) batch(name string) *batch {
	b := s.batches[name]
	if b == nil {
		b = &batch{name: name, runs: map[string]*scored{}, published: map[string]bool{}}
		s.batches[name] = b
		i, _ := slices.BinarySearch(s.names, name)
		s.names = slices.Insert(s.names, i, name)
	}
	return b
}

// of returns what is known about a run, which may be nothing yet.
func (b *batch) of(run string) *scored {
	r := b.runs[run]
	if r == nil {
		r = &scored{}
		b.runs[run] = r
	}
	return r
}

func (s *State) publish(e *Event) {
	if e.Batch == "" {
		return
	}
	b := s.batch(e.Batch)
	if e.Kind == EventPublished && e.Model != "" {
		b.of(e.Run).add(e.Model)
		if !b.published[e.Run] {
			b.of(e.Run).restated = e.Restated
		}
	}
	if e.Publication <= b.number {
		b.published[e.Run] = b.published[e.Run] || e.Kind == EventPublished
		return // filled in late, after a later one
	}
	if b.first == 0 {
		b.first, b.firstAt = e.Seq, e.At
	}
	b.number, b.seq, b.at, b.run, b.champion = e.Publication, e.Seq, e.At, e.Run, e.Model
	b.models = nil
	if e.Kind == EventPublished {
		b.models = s.rows(b, e)
		b.published[e.Run] = true
	}
}

// rows returns whose scores the rows of a publication have. A run that is published again
// is so from the champion's scores alone.
func (s *State) rows(b *batch, e *Event) []string {
	if e.Models != nil {
		return slices.Clone(e.Models)
	}
	models := []string{e.Model}
	if b.published[e.Run] {
		return models
	}
	for _, r := range s.Releases {
		for _, c := range r.Candidates {
			if v := c.in(e.Batch, e.Run); v != nil && v.Verdict == Pass && c.Model != e.Model {
				models = append(models, c.Model)
			}
		}
	}
	return models
}

// in returns the last verdict on the candidate that was given in a run; nil if none was.
func (c *Candidate) in(batch, run string) *Verdict {
	for i := len(c.Verdicts) - 1; i >= 0; i-- {
		if v := &c.Verdicts[i]; v.Batch != "" && v.Batch == batch && (v.Run == run || v.Run == "") {
			return v
		}
	}
	return nil
}

func (r *scored) add(model string) {
	if !has(r.models, model) {
		r.models = append(r.models, model)
	}
	r.failed = slices.DeleteFunc(r.failed, func(m string) bool { return m == model })
}

func (s *State) score(e *Event) {
	if e.Batch == "" || e.Run == "" {
		return
	}
	b := s.batch(e.Batch)
	r := b.of(e.Run)
	switch {
	case e.Kind == EventShadow && e.Verdict == Block:
		if !has(r.failed, e.Model) {
			r.failed = append(r.failed, e.Model)
		}
		return
	case e.Model != "":
		r.add(e.Model)
	}
	if e.Kind == EventEvaluated {
		if r.evaluated == 0 {
			r.evaluated = e.Seq
		}
		if b.run == "" && b.first > 0 {
			b.run = e.Run // of a restored publication that did not say
		}
	}
}

func (s *State) enter(e *Event) {
	if e.Release == "" || e.Model == "" {
		return
	}
	r := s.Release(e.Release)
	if r == nil {
		r = &Release{Name: e.Release, Seq: e.Seq}
		s.Releases = append(s.Releases, r)
	}
	if r.candidate(e.Model) == nil {
		r.Candidates = append(r.Candidates, &Candidate{Model: e.Model, Seq: e.Seq, At: e.At, By: e.By, Learned: e.Batch})
	}
}

func (s *State) judge(e *Event) {
	r := s.Release(e.Release)
	if r == nil {
		return
	}
	v := Verdict{Seq: e.Seq, At: e.At, Step: e.Step, Model: e.Model, Champion: e.Champion, Verdict: e.Verdict, Decision: e.Decision,
		Reason: e.Reason, Batch: e.Batch, Run: e.Run, Batches: slices.Clone(e.Batches), Low: e.Low}
	if v.Decision == "" {
		v.Decision = e.Paper
	}
	// A verdict on labels is about a former champion if its model is the champion, or if the
	// release has brought one already. Such a model may be a candidate as well.
	back := e.Batch == "" && r.candidate(e.Champion) != nil && (e.Model == s.Champion || r.Promotion != nil)
	if c := r.candidate(e.Model); c != nil && !back {
		if v.Champion == "" && v.Batch != "" {
			v.Champion = s.Champion
		}
		c.Verdicts = append(c.Verdicts, v)
	} else if back {
		r.Reverse = append(r.Reverse, v)
	}
}

func (s *State) answer(e *Event) {
	r := s.Release(e.Release)
	if r == nil || e.Answer != Approve && e.Answer != Reject {
		return
	}
	a := Answer{Seq: e.Seq, At: e.At, By: e.By, Step: e.Step, Model: e.Model, Decision: e.Decision, Answer: e.Answer, Reason: e.Reason}
	r.Answers = append(r.Answers, a)
	if a.Answer == Approve || isRepublish(a.Step) {
		return
	}
	for _, c := range r.Candidates {
		if (a.Model == "" || a.Model == c.Model) && c.Model != s.Champion && c.Refused == nil {
			c.Refused = &a
		}
	}
}

func (s *State) route(e *Event) {
	if e.Routing == nil || e.Routing.Check() != nil {
		return
	}
	s.Routing = e.Routing
	if r := s.Release(e.Release); r != nil && e.Step == StepDone && !r.Done {
		r.Done, r.DoneAt = true, e.At
	}
}

func (s *State) promote(e *Event) {
	if e.Model == "" || e.Model == s.Champion {
		return
	}
	p := Promotion{Seq: e.Seq, At: e.At, Model: e.Model, Release: e.Release}
	if r := s.Release(e.Release); r != nil && r.Promotion == nil && r.candidate(e.Model) != nil {
		r.Promotion, r.Former = &p, s.Champion
	}
	if s.Back != nil && s.Back.To != e.Model {
		s.Back = nil // something else came first
	}
	s.Champion = e.Model
	s.Champions = append(s.Champions, p)
}

func (s *State) control(e *Event) {
	c := &Control{Seq: e.Seq, At: e.At, By: e.By, Reason: e.Reason, Paper: e.Paper, From: s.Champion, Batch: e.Batch}
	switch e.Control {
	case Hold:
		if s.Held == nil {
			s.Held = c
		}
	case Resume:
		s.Held, s.Resumed = nil, c
	case Rollback:
		if s.aim(c, e.Model) == nil {
			s.Back = c
		}
	}
}

func has(list []string, x string) bool { return slices.Contains(list, x) }
