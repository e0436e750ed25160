package activities

import (
	"context"
	"fmt"
	"time"

	"headgate/internal/bundle"
	"headgate/internal/registry"
	"headgate/internal/release"
	"headgate/internal/run"
	"headgate/internal/store"
)

// ReleaseStep is what comes next in a release, and what that rests on.
type ReleaseStep struct {
	Pipeline  string         `json:"pipeline"`
	Next      release.Action `json:"next"`
	Basis     store.Digest   `json:"basis"` // of the registry when it was found
	Operation string         `json:"operation"`
	At        time.Time      `json:"at"`
}

// entry begins the entry that a step of a release appends. Its ID follows from the step,
// so that whoever tries again, also in another run of the workflow, finds it.
func (s ReleaseStep) entry(kind string) registry.Entry {
	return registry.Entry{Kind: kind, ID: s.Next.ID, At: s.At, By: "release", Cause: s.Operation, Basis: s.Basis,
		Release: s.Next.Release, Step: s.Next.Step, Reason: s.Next.Reason}
}

// AppendOutput is where the registry is after an entry.
type AppendOutput struct {
	Seq    int64  `json:"seq"`
	Anchor string `json:"anchor"`
}

// appendEntry appends an entry to a pipeline's registry.
func (a *Activities) appendEntry(ctx context.Context, name string, e registry.Entry) (AppendOutput, error) {
	log, err := registry.Load(ctx, a.store, name)
	if err != nil {
		return AppendOutput{}, err
	}
	kept, err := log.Append(ctx, e)
	return AppendOutput{Seq: kept.Seq, Anchor: log.Anchor()}, err
}

// Route puts a routing in force: from the next batch on, it says which model scores whom.
// It fails with kind [KindHeadMoved] if champion, routing or rejections have changed
// since the step was found.
func (a *Activities) Route(ctx context.Context, in ReleaseStep) (AppendOutput, error) {
	return stage(ctx, func(ctx context.Context, _ func(Progress)) (AppendOutput, error) {
		if in.Next.Routing == nil {
			return AppendOutput{}, fail(KindConfig, "step %s of release %s has no routing", in.Next.Step, in.Next.Release)
		}
		if err := in.Next.Routing.Check(); err != nil {
			return AppendOutput{}, &kindError{KindConfig, err}
		}
		for _, arm := range in.Next.Routing.Arms {
			if err := a.loads(ctx, store.Digest(arm.Model)); err != nil {
				return AppendOutput{}, err
			}
		}
		paper, err := run.SaveBlob(ctx, a.store, in.Next.Routing)
		if err != nil {
			return AppendOutput{}, err
		}
		e := in.entry(registry.KindRouting)
		e.Paper, e.Model = paper, store.Digest(in.Next.Model)
		return a.appendEntry(ctx, in.Pipeline, e)
	})
}

// loads checks that a bundle is whole and that its model still gives its golden scores,
// without remembering that it once did.
func (a *Activities) loads(ctx context.Context, d store.Digest) error {
	_, err := bundle.Load(ctx, a.store, d, a.formats)
	return err
}

// Promote makes a model the champion, after checking that its bundle loads and still
// gives its golden scores. It fails like [Activities.Route] if the head has moved.
func (a *Activities) Promote(ctx context.Context, in ReleaseStep) (AppendOutput, error) {
	return stage(ctx, func(ctx context.Context, _ func(Progress)) (AppendOutput, error) {
		model := store.Digest(in.Next.Model)
		if err := a.loads(ctx, model); err != nil {
			return AppendOutput{}, err
		}
		e := in.entry(registry.KindPromote)
		e.Alias, e.Model, e.Decision = registry.AliasChampion, model, store.Digest(in.Next.Decision)
		return a.appendEntry(ctx, in.Pipeline, e)
	})
}

// RejectModel says that a model may not serve, or no longer.
func (a *Activities) RejectModel(ctx context.Context, in ReleaseStep) (AppendOutput, error) {
	return stage(ctx, func(ctx context.Context, _ func(Progress)) (AppendOutput, error) {
		e := in.entry(registry.KindRejected)
		e.Model, e.Decision = store.Digest(in.Next.Model), store.Digest(in.Next.Decision)
		e.Basis = "" // a rejection is right whatever else has changed
		return a.appendEntry(ctx, in.Pipeline, e)
	})
}

// UnscoredInput names models that could not score a batch after the fact.
type UnscoredInput struct {
	Pipeline  string        `json:"pipeline"`
	Batch     string        `json:"batch"`
	Run       store.Digest  `json:"run"`
	Failed    []FailedModel `json:"failed"`
	Operation string        `json:"operation"`
	At        time.Time     `json:"at"`
}

// RecordUnscored enters that models could not score a batch, so that the release goes on
// without it.
func (a *Activities) RecordUnscored(ctx context.Context, in UnscoredInput) (AppendOutput, error) {
	return stage(ctx, func(ctx context.Context, _ func(Progress)) (out AppendOutput, err error) {
		for _, f := range in.Failed {
			paper, err := run.SaveBlob(ctx, a.store, f)
			if err != nil {
				return out, err
			}
			out, err = a.appendEntry(ctx, in.Pipeline, registry.Entry{Kind: registry.KindShadow,
				ID: fmt.Sprintf("unscored/%s/%s/%s/%s", in.Batch, run.Short(in.Run), run.Short(f.Model), run.Short(paper)), At: in.At, By: "release", Cause: in.Operation,
				Batch: in.Batch, Run: in.Run, Model: f.Model, Paper: paper, Verdict: registry.VerdictBlock, Reason: f.Reason})
			if err != nil {
				return out, err
			}
		}
		return out, nil
	})
}

// TakeBackInput names what a release that came to a bad end has moved.
type TakeBackInput struct {
	Pipeline  string       `json:"pipeline"`
	Release   string       `json:"release"`
	Model     store.Digest `json:"model"`    // the candidate
	Champion  store.Digest `json:"champion"` // before it
	Reason    string       `json:"reason"`
	Operation string       `json:"operation"`
	At        time.Time    `json:"at"`
}

// TakeBack enters that a candidate may serve no longer: what follows from that takes back
// its routing and its rows. If it has become the champion already, the one before comes
// back first. Doing it again finds its own entries.
func (a *Activities) TakeBack(ctx context.Context, in TakeBackInput) (AppendOutput, error) {
	return stage(ctx, func(ctx context.Context, _ func(Progress)) (AppendOutput, error) {
		log, err := registry.Load(ctx, a.store, in.Pipeline)
		if err != nil {
			return AppendOutput{}, err
		}
		state := log.State()
		e := registry.Entry{Kind: registry.KindRejected, ID: fmt.Sprintf("rejected/%s/%s/end", in.Release, run.Short(in.Model)),
			At: in.At, By: "release", Cause: in.Operation, Release: in.Release, Model: in.Model, Reason: in.Reason}
		if _, rejected := state.Rejected[in.Model]; rejected {
			return AppendOutput{Seq: log.Head(), Anchor: log.Anchor()}, nil
		}
		if state.Champion() == in.Model {
			control := Control{Format: release.Format, Control: registry.ControlRollback, To: in.Champion, By: "release", Reason: in.Reason}
			e.Kind, e.ID, e.Control, e.Model = registry.KindControl, "control/"+in.Operation+"/end", registry.ControlRollback, in.Champion
			if e.Paper, err = run.SaveBlob(ctx, a.store, control); err != nil {
				return AppendOutput{}, err
			}
		}
		kept, err := log.Append(ctx, e)
		return AppendOutput{Seq: kept.Seq, Anchor: log.Anchor()}, err
	})
}
