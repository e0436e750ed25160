package activities

import (
	"context"
	"fmt"
	"time"

	"headgate/internal/pipeline"
	"headgate/internal/registry"
	"headgate/internal/release"
	"headgate/internal/store"
	"headgate/internal/trail"
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
	c, err := pipeline.ParseKept("pipeline file "+string(file), data)
	if err != nil {
		return nil, &kindError{KindConfig, err}
	}
	if c.Release == nil {
		return nil, fail(KindConfig, "pipeline %s has no labels, so no evidence and no releases: its champion changes by hand; see labels: in the pipeline file", name)
	}
	events, err := trail.Events(ctx, b, log)
	if err != nil {
		return nil, err
	}
	return &Releases{Log: log, Config: c, Settings: c.Release.Settings(), State: release.Fold(events)}, nil
}
