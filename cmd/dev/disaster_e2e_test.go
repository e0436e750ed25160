//go:build e2e && unix

package main

import (
	"path/filepath"
	"testing"

	"headgate/internal/retailer"
	"headgate/internal/store"
	"headgate/workflows"
)

// The store is everything. Temporal with all its histories is lost in the middle of a
// month and of a release; a new one that knows nothing goes on with both, as docs/deploy.md
// says.
func TestTemporalIsLost(t *testing.T) {
	t.Parallel()
	dir, starter := t.TempDir(), buildStarter(t)
	s := &shelf{dir: filepath.Join(dir, "store")}
	var err error
	if s.bucket, err = store.Open(t.Context(), s.dir); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.bucket.Close() })
	operate := func(r *rig) *console {
		return &console{program: starter, releaseSite: &releaseSite{t: t, dir: dir, bucket: s.bucket,
			site: &site{server: r.server, client: r.client, store: s.dir}, shop: retailer.World{Seed: 1, Customers: 1500}}}
	}

	r := newRig(t)
	worker, c := r.worker(t, s, ""), operate(r)
	c.releaseSite.register(c.pipelineFile(shortWay+"  approve: { steps: [10%], people: [{ name: ann, roles: [owner] }] }\n"), 1.5, true)
	c.month("2024-01")
	candidate := c.releaseSite.register(c.pipeline(), 0, false)
	c.candidate(candidate)
	c.asks("10%", candidate)
	s.deliver(t, "2024-02", 80_000, retailer.Options{Parts: 8})
	r.score(t, "", "2024-02")
	worker.stepUntil(t, "the first shard is scored", func() bool { return s.count(t, runFiles+"shards/*.json", "2024-02") > 0 })
	worker.kill(t)

	r = newRig(t)
	r.worker(t, s, "")
	c = operate(r)
	c.must("hold by ann is registry entry", "hold", "retailer", "--reason", "Temporal was lost")
	c.must("resume by ann is registry entry", "resume", "retailer", "--reason", "a new one is there")
	c.asks("10%", candidate)
	c.must("approved by ann: step 10%", "approve", "retailer", "--release", "--reason", "the evidence is in the registry")
	c.card("canary", func(card workflows.ReleaseCard) bool { return card.Step == "10%" })
	if out := outcome(t, r.score(t, "", "2024-02")); out.Publication != 1 || out.Published != 80_000 {
		t.Errorf("February: %+v, want its first publication", out)
	}
	c.must("registry", "judge", "retailer", "--batch", "2024-01", "--wait")
	c.must("everything is as it was recorded", "verify", "retailer", "--all-batches")
}
