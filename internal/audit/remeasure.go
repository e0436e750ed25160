package audit

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"headgate/internal/evidence"
	"headgate/internal/gate"
	"headgate/internal/registry"
	"headgate/internal/run"
	"headgate/internal/store"
)

// Remeasured is what a second measuring of the evidence behind decisions gave.
type Remeasured struct {
	Decisions int // whose evidence was measured again
	Findings  []Finding
}

// Remeasure joins stored scores and labels again, as they were named when each decision
// about a candidate was made, and compares what is measured with the evidence that was
// judged, bit for bit. Score files and label files must still be what they were.
func (a *Auditor) Remeasure(ctx context.Context) (*Remeasured, error) {
	log, err := registry.Load(ctx, a.Store, a.Pipeline)
	if err != nil {
		return nil, err
	}
	t, err := a.follow(ctx, new(Report), log)
	if err != nil {
		return nil, err
	}
	out := new(Remeasured)
	for _, d := range t.decisions {
		if d.decision.Evidence.Outcome == nil || t.policies[d.decision.Policy] == nil {
			continue // nothing was measured, or Verify has found that nobody knows how
		}
		a.say("evidence of entry %d", d.entry.Seq)
		out.Decisions++
		again, err := t.measure(ctx, d)
		if err != nil {
			return nil, fmt.Errorf("evidence of registry entry %d: %w", d.entry.Seq, err)
		}
		have, err := json.Marshal(d.decision.Evidence.Outcome)
		if err != nil {
			return nil, err
		}
		if now, err := json.Marshal(again); err != nil || !bytes.Equal(now, have) {
			out.Findings = append(out.Findings, Finding{fmt.Sprintf("registry entry %d", d.entry.Seq),
				"its evidence, measured again from scores and labels, is another"})
		}
	}
	return out, nil
}

// measure makes the outcome that a decision rests on again.
func (t *trail) measure(ctx context.Context, d decided) (*gate.Outcome, error) {
	about := d.decision.Evidence.Release
	r := evidence.Request{Pipeline: t.a.Pipeline, Models: []store.Digest{store.Digest(about.Champion), store.Digest(about.Model)}}
	in := gate.Paired{Past: d.decision.Evidence.Outcome.Past, Tried: d.decision.Evidence.Outcome.Tried}
	for _, s := range d.decision.Evidence.Sources {
		b, _, found := evidence.Of(t.entries[:d.entry.Seq-1], s.Batch)
		if !found || string(b.Run) != s.Run {
			return nil, fmt.Errorf("batch %s had no publication of run %s", s.Batch, run.Short(store.Digest(s.Run)))
		}
		b.Labels, r.Cluster = store.Digest(s.Labels), s.Cluster
		for _, l := range s.Without {
			b.Without = append(b.Without, evidence.Left(l))
		}
		r.Batches = append(r.Batches, b.For(r.Models))
		in.Batches = append(in.Batches, s.Batch)
	}
	rows, err := evidence.Load(ctx, t.a.Store, r, nil)
	if err != nil {
		return nil, err
	}
	judged := rows.Judged()
	in.Data, in.Champion, in.Candidate, in.Slices = judged.Data(0), judged.Scores[0], judged.Scores[1], judged.Dimensions()
	in.Past = slices.DeleteFunc(slices.Clone(in.Past), func(l gate.Look) bool { return l.Batches >= len(in.Batches) })
	return gate.Measure(t.policies[d.decision.Policy], d.decision.Subject, in)
}
