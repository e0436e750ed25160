package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"headgate/internal/registry"
	"headgate/internal/release"
	papers "headgate/internal/run"
	"headgate/internal/store"
)

// rejected says how many of the model versions may not serve, if any.
func rejected(state registry.State) string {
	if len(state.Rejected) == 0 {
		return ""
	}
	return fmt.Sprintf(", %d rejected", len(state.Rejected))
}

// printRouting says who is scored by which model, if not all are by the champion.
func printRouting(ctx context.Context, e *env, b *store.Bucket, state registry.State) error {
	if state.Routing == "" {
		return nil
	}
	data, err := b.GetBlob(ctx, state.Routing)
	if err != nil {
		return fmt.Errorf("the routing in force: %w", err)
	}
	var r release.Routing
	if err := json.Unmarshal(data, &r); err != nil {
		return fmt.Errorf("the routing in force, %s, is none: %w", state.Routing, err)
	}
	fmt.Fprintf(e.stdout, "routing   %s, step %s\n", r.Release, r.Step)
	for _, arm := range r.Arms {
		fmt.Fprintf(e.stdout, "          %s model version %s\n", release.StepName(arm.Share), papers.Short(store.Digest(arm.Model)))
	}
	for _, model := range r.Shadow {
		fmt.Fprintf(e.stdout, "          in shadow: model version %s\n", papers.Short(store.Digest(model)))
	}
	return nil
}

// printExceptions prints the waivers, those that have run out as well, and the changes
// that wait for a second person.
func printExceptions(e *env, pipeline string, state registry.State, now time.Time) {
	for _, w := range state.Waivers {
		held := "until"
		if !now.Before(*w.Until) {
			held = "ran out on"
		}
		fmt.Fprintf(e.stdout, "waiver    rule %s, %s %s, by %s (entry %d): %s\n", w.Rule, held, w.Until.UTC().Format(time.DateOnly), w.By, w.Seq, w.Reason)
	}
	for _, p := range state.Proposals {
		fmt.Fprintf(e.stdout, "proposal  %d by %s waits for a second person: %s\n", p.Seq, p.By, p.Reason)
		fmt.Fprintf(e.stdout, "          look: starter diff %[1]s --proposal %[2]d; then: starter approve %[1]s --proposal %[2]d --reason TEXT\n", pipeline, p.Seq)
	}
}
