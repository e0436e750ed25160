package activities

import (
	"context"
	"fmt"
	"strings"
	"time"

	"headgate/internal/gate"
	"headgate/internal/pipeline"
	"headgate/internal/registry"
	"headgate/internal/release"
	"headgate/internal/run"
	"headgate/internal/store"
)

// ReadReleaseInput names the pipeline whose releases are looked at.
type ReadReleaseInput struct {
	Pipeline string    `json:"pipeline"`
	At       time.Time `json:"at"`
}

// ReadReleaseOutput is what comes next, and what people want to know.
type ReadReleaseOutput struct {
	Head   int64          `json:"head"`
	Anchor string         `json:"anchor"`
	Basis  store.Digest   `json:"basis"` // for the entry that the action appends
	Next   release.Action `json:"next"`
	Facts  ReleaseFacts   `json:"facts"`
	Alerts bool           `json:"alerts,omitempty"` // somebody is told when something goes wrong
}

// ReadRelease reads the registry, folds what it says about releases, and returns what
// comes next.
func (a *Activities) ReadRelease(ctx context.Context, in ReadReleaseInput) (ReadReleaseOutput, error) {
	return stage(ctx, func(ctx context.Context, _ func(Progress)) (ReadReleaseOutput, error) {
		r, err := OpenReleases(ctx, a.store, in.Pipeline)
		if err != nil {
			return ReadReleaseOutput{}, err
		}
		next := release.Next(r.State, r.Settings, in.At)
		return ReadReleaseOutput{Head: r.Log.Head(), Anchor: r.Log.Anchor(), Basis: r.Log.Basis(), Next: next, Facts: r.Facts(next), Alerts: r.Config.Alerts != nil}, nil
	})
}

// Releases are the releases of a pipeline as the registry has them.
type Releases struct {
	Log      *registry.Log
	Config   *pipeline.Config
	Settings release.Settings
	State    *release.State
}

// OpenReleases reads the releases of a pipeline. A pipeline without labels has none,
// which is an error of kind [KindConfig].
func OpenReleases(ctx context.Context, b *store.Bucket, name string) (*Releases, error) {
	log, err := registry.Load(ctx, b, name)
	if err != nil {
		return nil, err
	}
	file := log.State().Pipeline
	if file == "" {
		return nil, fail(KindUnknown, "pipeline %q is not registered in this store; run: starter register PIPELINE.yaml", name)
	}
	data, err := b.GetBlob(ctx, file)
	if err != nil {
		return nil, fmt.Errorf("pipeline file: %w", err)
	}
	c, err := pipeline.Parse("pipeline file "+string(file), data)
	if err != nil {
		return nil, &kindError{KindConfig, err}
	}
	if c.Release == nil {
		return nil, fail(KindConfig, "pipeline %s has no labels, so no evidence and no releases: its champion changes by hand; see labels: in the pipeline file", name)
	}
	events, err := releaseEvents(ctx, b, log)
	if err != nil {
		return nil, err
	}
	return &Releases{Log: log, Config: c, Settings: c.Release.Settings(), State: release.Fold(events)}, nil
}

// releaseKinds are the kinds of entries that a release looks at, as events have them.
var releaseKinds = map[string]string{
	registry.KindPublished: release.EventPublished,
	registry.KindRestored:  release.EventRestored,
	registry.KindShadow:    release.EventShadow,
	registry.KindEvaluated: release.EventEvaluated,
	registry.KindCandidate: release.EventCandidate,
	registry.KindAdvance:   release.EventAdvance,
	registry.KindApproval:  release.EventApproval,
	registry.KindRouting:   release.EventRouting,
	registry.KindPromote:   release.EventPromote,
	registry.KindRejected:  release.EventRejected,
	registry.KindControl:   release.EventControl,
}

// releaseEvents makes events of the entries that a release looks at, with what it needs
// of their papers.
func releaseEvents(ctx context.Context, b *store.Bucket, log *registry.Log) ([]release.Event, error) {
	var events []release.Event
	for _, e := range log.Entries() {
		kind, ok := releaseKinds[e.Kind]
		switch {
		case !ok, e.Kind == registry.KindPromote && e.Alias != registry.AliasChampion,
			e.Kind == registry.KindEvaluated && e.Verdict != registry.VerdictPass: // shown, and no evidence
			continue
		}
		event := release.Event{Seq: e.Seq, At: e.At, Kind: kind, By: e.By, Batch: e.Batch, Run: string(e.Run), Model: string(e.Model),
			Release: e.Release, Step: e.Step, Verdict: e.Verdict, Answer: e.Answer, Control: e.Control, Reason: e.Reason,
			Paper: string(e.Paper), Publication: e.Publication}
		if err := addPaper(ctx, b, e, &event); err != nil {
			return nil, fmt.Errorf("entry %d: %w", e.Seq, err)
		}
		events = append(events, event)
	}
	return events, nil
}

// addPaper adds to an event what only the entry's paper says.
func addPaper(ctx context.Context, b *store.Bucket, e registry.Entry, event *release.Event) error {
	switch e.Kind {
	case registry.KindRouting:
		event.Routing = new(release.Routing)
		return run.LoadBlob(ctx, b, e.Paper, event.Routing)
	case registry.KindApproval:
		var a release.Approval
		err := run.LoadBlob(ctx, b, e.Paper, &a)
		event.Decision = a.Decision
		return err
	case registry.KindAdvance:
		var d gate.Decision
		err := run.LoadBlob(ctx, b, e.Paper, &d)
		addDecision(&d, event)
		return err
	case registry.KindPublished:
		event.Models, event.Restated = []string{string(e.Model)}, e.Restated
		if e.Paper == "" {
			return nil
		}
		var s run.Serving
		err := run.LoadBlob(ctx, b, e.Paper, &s)
		event.Models = nil
		for _, m := range s.Models() {
			event.Models = append(event.Models, string(m))
		}
		return err
	}
	return nil
}

// addDecision adds what a gate's decision says. A gate asks whether a new champion may
// stay; a release asks whether the former one should come back.
func addDecision(d *gate.Decision, event *release.Event) {
	event.Champion = d.Evidence.Release.Champion
	if len(d.Reasons) > 0 {
		event.Reason = strings.Join(few(d.Reasons), "; ")
	}
	if o := d.Evidence.Outcome; o != nil {
		event.Batches, event.Low = o.Batches, o.Gained()
	}
	if d.Subject != gate.Reverse {
		return
	}
	event.Model, event.Champion = d.Evidence.Release.Champion, d.Evidence.Release.Model
	switch d.Verdict {
	case gate.Block:
		event.Verdict = release.Pass
	case gate.Pass:
		event.Verdict = release.Block
	}
}
