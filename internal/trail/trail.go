// Package trail reads what the entries of a registry say of releases: the events that
// package release folds into a state.
package trail

import (
	"context"
	"fmt"
	"strings"

	"headgate/internal/gate"
	"headgate/internal/registry"
	"headgate/internal/release"
	"headgate/internal/run"
	"headgate/internal/store"
)

// kinds are the kinds of entries that a release looks at, as events have them.
var kinds = map[string]string{
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

// Events makes events of the entries that a release looks at, in the order of the log, with
// what it needs of their papers.
func Events(ctx context.Context, b *store.Bucket, log *registry.Log) ([]release.Event, error) {
	var events []release.Event
	for _, e := range log.Entries() {
		kind, ok := kinds[e.Kind]
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
		event.Reason = few(d.Reasons)
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

// mostReasons is how many reasons of a decision an event repeats.
const mostReasons = 10

// few joins the first reasons of a decision.
func few(reasons []string) string {
	text := strings.Join(reasons[:min(len(reasons), mostReasons)], "; ")
	if more := len(reasons) - mostReasons; more > 0 {
		text += fmt.Sprintf("; and %d more", more)
	}
	return text
}
