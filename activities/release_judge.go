package activities

import (
	"context"
	"slices"
	"time"

	"headgate/internal/evidence"
	"headgate/internal/gate"
	"headgate/internal/registry"
	"headgate/internal/release"
	"headgate/internal/run"
	"headgate/internal/store"
)

// JudgeCandidateOutput is the verdict of a gate over matured labels.
type JudgeCandidateOutput struct {
	Verdict  string       `json:"verdict"`
	Reasons  []string     `json:"reasons,omitempty"`
	Decision store.Digest `json:"decision"`
	AppendOutput
}

// JudgeCandidate joins what champion and candidate said of the labelled batches with what
// came true, lets the gate judge, and enters the decision, which keeps all that it rests
// on, in the registry.
func (a *Activities) JudgeCandidate(ctx context.Context, in ReleaseStep) (JudgeCandidateOutput, error) {
	return stage(ctx, func(ctx context.Context, report func(Progress)) (JudgeCandidateOutput, error) {
		r, err := OpenReleases(ctx, a.store, in.Pipeline)
		if err != nil {
			return JudgeCandidateOutput{}, err
		}
		if e, found := r.Log.Find(in.Next.ID); found {
			return judged(e, r.Log), nil
		}
		j := judgement{Releases: r, in: in, policy: r.Config.Gates}
		if j.policy == nil {
			j.policy = gate.Default()
		}
		d, err := j.decide(ctx, a.store, report)
		if err != nil {
			return JudgeCandidateOutput{}, err
		}
		e := in.entry(registry.KindAdvance)
		e.Model, e.Verdict, e.Reasons = store.Digest(in.Next.Model), string(d.Verdict), few(d.Reasons)
		e.Basis = "" // a verdict is a finding: what follows from it is decided after it
		if e.Paper, err = run.SaveBlob(ctx, a.store, d); err != nil {
			return JudgeCandidateOutput{}, err
		}
		kept, err := r.Log.Append(ctx, e)
		return judged(kept, r.Log), err
	})
}

// judged says what a verdict's entry says.
func judged(e registry.Entry, log *registry.Log) JudgeCandidateOutput {
	return JudgeCandidateOutput{Verdict: e.Verdict, Reasons: e.Reasons, Decision: e.Paper, AppendOutput: AppendOutput{Seq: e.Seq, Anchor: log.Anchor()}}
}

// A judgement is one question to the gate.
type judgement struct {
	*Releases
	in     ReleaseStep
	policy *gate.Policy
}

// subject is the gate's name of the question, and the models in the order in which the
// gate compares them: the second one must show that it is better or may stay.
func (j *judgement) subject() (gate.Subject, []store.Digest) {
	model, champion := store.Digest(j.in.Next.Model), store.Digest(j.in.Next.Champion)
	if j.in.Next.Subject == release.SubjectReverse {
		return gate.Reverse, []store.Digest{model, champion}
	}
	return gate.Advance, []store.Digest{champion, model}
}

// decide measures and judges.
func (j *judgement) decide(ctx context.Context, b *store.Bucket, report func(Progress)) (*gate.Decision, error) {
	subject, models := j.subject()
	request, sources, err := j.request(ctx, b, models)
	if err != nil {
		return nil, err
	}
	rows, err := evidence.Load(ctx, b, request, &evidence.Options{Progress: func(done, total int64) { report(Progress{Done: done, Total: total}) }})
	if err != nil {
		return nil, err
	}
	past, err := j.past(ctx, b)
	if err != nil {
		return nil, err
	}
	judged := rows.Judged()
	paired := gate.Paired{Data: judged.Data(0), Champion: judged.Scores[0], Candidate: judged.Scores[1], Slices: judged.Dimensions(), Past: past, Tried: j.Tried(j.in.Next.Release, store.Digest(j.in.Next.Model))}
	for _, batch := range j.in.Next.Batches {
		paired.Batches = append(paired.Batches, batch.Batch)
	}
	outcome, err := gate.Measure(j.policy, subject, paired)
	if err != nil {
		return nil, err
	}
	waivers := []gate.Waiver{}
	for _, w := range j.Log.State().Waivers {
		waivers = append(waivers, gate.Waiver{Rule: w.Rule, By: w.By, Reason: w.Reason, Until: *w.Until, Entry: w.Seq})
	}
	return gate.Judge(j.policy, subject, gate.Evidence{Release: j.about(models), Outcome: outcome, Sources: sources}, waivers)
}

// about says who is judged.
func (j *judgement) about(models []store.Digest) gate.Case {
	next := j.in.Next
	c := gate.Case{At: j.in.At.UTC(), Pipeline: j.in.Pipeline, Release: next.Release, Step: next.Step, Champion: string(models[0]), Model: string(models[1])}
	if candidate := j.candidate(string(models[1])); candidate != nil {
		c.Learned = candidate.Learned
	}
	return c
}

// candidate returns the candidate that a model is in the release, or nil.
func (j *judgement) candidate(model string) *release.Candidate {
	for _, rel := range j.State.Releases {
		for _, c := range rel.Candidates {
			if rel.Name == j.in.Next.Release && c.Model == model {
				return c
			}
		}
	}
	return nil
}

// request names the rows that the judgement rests on.
func (j *judgement) request(ctx context.Context, own *store.Bucket, models []store.Digest) (evidence.Request, []gate.Source, error) {
	r := evidence.Request{Pipeline: j.in.Pipeline, Models: models}
	if l := j.Config.Labels; l != nil {
		r.Cluster = l.Cluster
	}
	entries := j.Log.Entries()
	var sources []gate.Source
	for _, batch := range j.in.Next.Batches {
		b, champion, found := evidence.Of(entries, batch.Batch)
		if !found || string(b.Run) != batch.Run || b.Labels == "" {
			return r, nil, fail(KindHeadMoved, "batch %s was published or evaluated again since the step was found", batch.Batch)
		}
		b = b.For(models)
		var err error
		if b.Without, err = evidence.LeftOut(ctx, own, entries, b); err != nil {
			return r, nil, err
		}
		r.Batches = append(r.Batches, b)
		s := gate.Source{Batch: b.Batch, Run: string(b.Run), Labels: string(b.Labels), Champion: string(b.Shadows[models[0]]), Candidate: string(b.Shadows[models[1]]), Cluster: r.Cluster}
		for _, l := range b.Without {
			s.Without = append(s.Without, gate.Left(l))
		}
		if s.Champion == "" && champion == models[0] {
			s.Champion = string(b.Decision)
		}
		if s.Candidate == "" && champion == models[1] {
			s.Candidate = string(b.Decision)
		}
		sources = append(sources, s)
	}
	return r, sources, nil
}

// past returns the looks before this one at the same question.
func (j *judgement) past(ctx context.Context, b *store.Bucket) ([]gate.Look, error) {
	if j.in.Next.Before == "" {
		return nil, nil
	}
	var d gate.Decision
	if err := run.LoadBlob(ctx, b, store.Digest(j.in.Next.Before), &d); err != nil || d.Evidence.Outcome == nil {
		return nil, err
	}
	return d.Evidence.Outcome.Past, nil
}

// Tried counts the challengers that came within a year before a candidate of a release.
func (r *Releases) Tried(name string, model store.Digest) int {
	var before []store.Digest
	var at time.Time
	for _, e := range r.Log.Of(registry.KindCandidate) {
		if e.Model == model && e.Release == name {
			at = e.At
			break
		}
	}
	for _, e := range r.Log.Of(registry.KindCandidate) {
		recent := e.At.Before(at) && e.At.AddDate(1, 0, 0).After(at)
		if recent && e.Model != model && !slices.Contains(before, e.Model) {
			before = append(before, e.Model)
		}
	}
	return len(before)
}

// shortModel writes the first digits of a model's digest.
func shortModel(model string) string { return run.Short(store.Digest(model)) }
