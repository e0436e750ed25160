//go:build e2e && unix

package main

import (
	"fmt"
	"path/filepath"
	"regexp"
	"sync"
	"testing"

	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"

	"headgate/internal/retailer"
)

// A moment is when a batch has left so many files of a kind behind.
type moment struct {
	name    string
	pattern string // of keys, see shelf.count
	files   int
}

const (
	runFiles    = "runs/retailer/{batch}/*/"
	tableFiles  = "scores/retailer/batch={batch}/*.parquet"
	commitFiles = "scores/retailer/_delta_log/*.json"
)

// moments are twenty moments of a batch of eight shards, in the order in which they
// come. Five batches are killed at every fifth of them each.
var moments = []moment{
	{"Resolve has saved the plan", runFiles + "plan.json", 1},
	{"CheckFooters has saved its paper", runFiles + "footers.*.json", 1},
	{"ScoreShard has saved the first scores", runFiles + "scores/champion/*.parquet", 1},
	{"ScoreShard has saved the first quarantine", runFiles + "quarantine/*.parquet", 1},
	{"ScoreShard has saved the first profile", runFiles + "profile/*.bin", 1},
	{"ScoreShard has saved the first keys", runFiles + "keys/0/*.bin", 1},
	{"the first shard is scored", runFiles + "shards/*.json", 1},
	{"ScoreShard has saved the third scores", runFiles + "scores/champion/*.parquet", 3},
	{"the fourth shard is scored", runFiles + "shards/*.json", 4},
	{"ScoreShard has saved the sixth keys", runFiles + "keys/0/*.bin", 6},
	{"ScoreShard has saved the last scores", runFiles + "scores/champion/*.parquet", 8},
	{"the last shard is scored", runFiles + "shards/*.json", 8},
	{"JudgeData has saved the profile", runFiles + "profile.*.bin", 1},
	{"JudgeData has saved the verdict", runFiles + "data.*.json", 1},
	{"AssembleShard has saved its own first copy", runFiles + "table/*.parquet", 1},
	{"the first file is in the table's folder", tableFiles, 1},
	{"the first shard is assembled", runFiles + "table/*.json", 1},
	{"the fifth file is in the table's folder", tableFiles, 5},
	{"the last shard is assembled", runFiles + "table/*.json", 8},
	{"Publish has committed", commitFiles, 1},
}

// A worker that is killed at any moment of a batch leaves nothing behind that the
// next one does not complete: the batch ends, is published once, and what it leaves
// in the store is what an undisturbed run leaves, byte for byte. Each batch has a store
// of its own, because a verdict names the months that were published before.
func TestWorkerKilledAtTwentyMoments(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var all sync.WaitGroup // not t.Parallel, which waits for a free processor
	for i, batch := range []string{"2024-01", "2024-02", "2024-03", "2024-04", "2024-05"} {
		all.Go(func() {
			t.Run(batch, func(t *testing.T) {
				calm, rough := newShelf(t, t.TempDir()), newShelf(t, t.TempDir())
				for _, s := range []*shelf{calm, rough} {
					s.deliver(t, batch, 80_000, retailer.Options{Parts: 8, Fault: retailer.BadRows})
				}
				undisturbed := r.worker(t, calm, "calm-"+batch)
				publishedOnce(t, calm, batch, r.score(t, "calm-"+batch, batch))
				undisturbed.kill(t)

				scoring := r.score(t, batch, batch)
				for m := i; m < len(moments); m += batchesKilled {
					r.worker(t, rough, batch).killAt(t, rough, batch, moments[m])
					stillRuns(t, r.client, scoring)
				}
				r.worker(t, rough, batch)
				publishedOnce(t, rough, batch, scoring)
				sameShelves(t, rough, calm, batch)
			})
		})
	}
	all.Wait()
}

// batchesKilled is how many batches share the twenty moments.
const batchesKilled = 5

// The server, its UI and the worker die together in the middle of a batch that goes
// through windows of child workflows; started again on the same directory, they go
// on with it.
func TestUpKilledAtFiveMoments(t *testing.T) {
	t.Parallel()
	const batch, shards = "2024-06", windowFiles
	program := build(t, "cmd/dev", "dev")
	dirs := map[string]string{}
	shelves := map[string]*shelf{}
	for _, name := range []string{"calm", "rough"} {
		dirs[name] = t.TempDir()
		shelves[name] = newShelf(t, filepath.Join(dirs[name], "store"))
		shelves[name].deliver(t, batch, 40_000, retailer.Options{Parts: shards, Fault: retailer.BadRows})
	}
	up := func(name string) *child {
		return start(t, nil, program, "up", "--dir", dirs[name], "--port", "0", "--ui-port", "0")
	}
	undisturbed := up("calm")
	publishedOnce(t, shelves["calm"], batch, score(t, undisturbed.dial(t), "", batch))
	undisturbed.kill(t)

	site := up("rough")
	id := score(t, site.dial(t), "", batch).GetID()
	for _, m := range []moment{
		{"a third of the shards is scored", runFiles + "shards/*.json", 67},
		{"the second window has begun", runFiles + "shards/*.json", shards},
		{"JudgeData has saved the verdict", runFiles + "data.*.json", 1},
		{"half of the files are in the table's folder", tableFiles, 100},
		{"Publish has committed", commitFiles, 1},
	} {
		site.killAt(t, shelves["rough"], batch, m)
		site = up("rough")
	}
	publishedOnce(t, shelves["rough"], batch, site.dial(t).GetWorkflow(t.Context(), id, ""))
	sameShelves(t, shelves["rough"], shelves["calm"], batch)
}

// dial connects to the server of cmd/dev up when it is ready.
func (c *child) dial(t *testing.T) client.Client {
	t.Helper()
	address := regexp.MustCompile(`Temporal server +(\S+)`)
	var found []string
	c.stepUntil(t, "up is ready", func() bool {
		found = address.FindStringSubmatch(c.said(t))
		return found != nil
	})
	c.goOn(t)
	return dial(t, found[1])
}

// killAt kills the process at a moment of a batch.
func (c *child) killAt(t *testing.T, s *shelf, batch string, m moment) {
	t.Helper()
	have := 0
	c.stepUntil(t, m.name, func() bool {
		have = s.count(t, m.pattern, batch)
		return have >= m.files
	})
	registered := s.count(t, "registry/retailer/log/*.json", batch)
	c.kill(t)
	t.Logf("killed when %s: %d files, %d registry entries of the batch", m.name, have, registered)
}

// stillRuns makes sure that the moment of a kill was one of the batch.
func stillRuns(t *testing.T, c client.Client, run client.WorkflowRun) {
	t.Helper()
	d, err := c.DescribeWorkflowExecution(t.Context(), run.GetID(), run.GetRunID())
	if err != nil {
		t.Fatal(err)
	}
	if status := d.WorkflowExecutionInfo.Status; status != enums.WORKFLOW_EXECUTION_STATUS_RUNNING {
		t.Errorf("%s was killed too late: it is %s", run.GetID(), status)
	}
}

// publishedOnce waits for a batch and checks that it has exactly one publication.
func publishedOnce(t *testing.T, s *shelf, batch string, run client.WorkflowRun) {
	t.Helper()
	out := outcome(t, run)
	if out.Verdict != "pass" || out.Publication != 1 || out.Unchanged || out.Quarantined == 0 || out.Published+out.Quarantined != out.Rows {
		t.Errorf("%s: %+v", batch, out)
	}
	h := s.history(t, batch)
	if len(h) != 1 || h[0].Rows() != out.Published {
		t.Errorf("%s: publications %+v, want one of %d rows", batch, h, out.Published)
	}
	if n := s.count(t, "registry/retailer/log/*.json", batch); n != 1 {
		t.Errorf("%s: %d entries in the registry, want 1", batch, n)
	}
}

// sameShelves compares all that batches left behind but the times of their commits.
func sameShelves(t *testing.T, got, want *shelf, batches ...string) {
	t.Helper()
	prefixes := []string{"runs/"}
	for _, batch := range batches {
		prefixes = append(prefixes, fmt.Sprintf("scores/retailer/batch=%s/", batch))
	}
	files := want.contents(t, prefixes...)
	same(t, "what the batches left behind", got.contents(t, prefixes...), files)
	if commits := got.contents(t, "scores/retailer/_delta_log/"); len(commits) != len(batches) {
		t.Errorf("%d commits, want one for each of %d batches", len(commits), len(batches))
	}
	got.audit(t, batches...)
	t.Logf("%d files of %d batches are the same", len(files), len(batches))
}
