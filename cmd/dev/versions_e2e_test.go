//go:build e2e && unix

package main

import (
	"path/filepath"
	"slices"
	"testing"

	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"

	"headgate/internal/registry"
	"headgate/internal/retailer"
	"headgate/internal/store"
	"headgate/workflows"
)

// A month that began on one build of the worker ends on it, although another build has
// become the current one meanwhile; a release that waits goes on under the new build.
func TestMonthsEndOnTheBuildTheyBeganOn(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	dir := t.TempDir()
	s := &shelf{dir: filepath.Join(dir, "store")}
	var err error
	if s.bucket, err = store.Open(t.Context(), s.dir); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.bucket.Close() })
	c := &console{program: buildStarter(t), releaseSite: &releaseSite{t: t, dir: dir, bucket: s.bucket,
		site: &site{server: r.server, client: r.client, store: s.dir}, shop: retailer.World{Seed: 1, Customers: 1500}}}

	first := r.worker(t, s, "", "HEADGATE_DEPLOYMENT=headgate", "HEADGATE_BUILD_ID=first")
	c.must("new runs go to build first of headgate, no longer to workers without a deployment", "workers", "use", "first")
	c.must("new runs go to build first of headgate, as before", "workers", "use", "first")
	c.refused(1, "no worker of such a build has polled", "workers", "use", "never", "--wait", "1ms")
	c.releaseSite.register(c.pipelineFile(shortWay), 1.5, true)
	c.month("2024-01")
	c.candidate(c.releaseSite.register(c.pipeline(), 0, false))
	c.card("release that waits", func(card workflows.ReleaseCard) bool { return card.Open && len(card.Candidates) == 1 })
	if got := builds(t, r.client, workflows.ReleaseID("retailer")); !slices.Equal(got, []string{"first"}) {
		t.Errorf("the release began on %q, want the first build alone", got)
	}

	s.deliver(t, "2024-02", 80_000, retailer.Options{Parts: 8})
	scoring := r.score(t, "", "2024-02")
	first.stepUntil(t, "the first shard is scored", func() bool { return s.count(t, runFiles+"shards/*.json", "2024-02") > 0 })
	r.worker(t, s, "", "HEADGATE_DEPLOYMENT=headgate", "HEADGATE_BUILD_ID=second")
	c.must("new runs go to build second of headgate, no longer to build first", "workers", "use", "second")
	c.must("draining: runs still end on it", "workers", "show")
	if got := c.month("2024-03"); got.Publication != 1 {
		t.Errorf("March: %+v", got)
	}
	stillRuns(t, r.client, scoring)
	first.goOn(t)
	if out := outcome(t, scoring); out.Publication != 1 || out.Published != 80_000 {
		t.Errorf("February: %+v", out)
	}
	for id, want := range map[string]string{workflows.ScoreID("retailer", "2024-02"): "first", workflows.ScoreID("retailer", "2024-03"): "second"} {
		if got := builds(t, r.client, id); !slices.Equal(got, []string{want}) {
			t.Errorf("%s ran on %q, want %q alone", id, got, want)
		}
	}

	first.kill(t)
	c.must("hold by ann is registry entry", "hold", "retailer", "--reason", "to hear who answers")
	c.until("hold", func(e registry.Entry) bool {
		return e.Kind == registry.KindControl && e.Control == workflows.UpdateHold
	})
	if got := builds(t, r.client, workflows.ReleaseID("retailer")); !slices.Equal(got, []string{"first", "second"}) {
		t.Errorf("the release ran on %q, want the first build and then the second", got)
	}
}

// builds lists the builds that a workflow's tasks were completed by, in that order.
func builds(t *testing.T, c client.Client, id string) []string {
	t.Helper()
	var all []string
	for events := c.GetWorkflowHistory(t.Context(), id, "", false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT); events.HasNext(); {
		e, err := events.Next()
		if err != nil {
			t.Fatal(err)
		}
		if done := e.GetWorkflowTaskCompletedEventAttributes(); done != nil {
			all = append(all, done.GetDeploymentVersion().GetBuildId())
		}
	}
	return slices.Compact(all)
}
