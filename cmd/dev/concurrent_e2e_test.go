//go:build e2e && unix

package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	enums "go.temporal.io/api/enums/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"headgate/activities"
	"headgate/internal/delta"
	"headgate/internal/retailer"
	"headgate/internal/worker"
	"headgate/workflows"
)

// Who starts a batch that is running joins it; and whatever was published, new data
// is one commit that replaces that partition and nothing else, and can be taken back.
func TestOneBatchManyPublications(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := newShelf(t, t.TempDir())
	r.worker(t, s, "")

	t.Run("two starts at once are one run and one publication", func(t *testing.T) {
		s.deliver(t, "2024-01", 20_000, retailer.Options{Parts: 2})
		joined(t, r, s, "2024-01")
	})
	t.Run("new data replaces one partition, and the old comes back", func(t *testing.T) {
		s.deliver(t, "2024-02", 5_000, retailer.Options{Parts: 2})
		outcome(t, r.score(t, "", "2024-02"))
		replaceAndRestore(t, r, s, "2024-01")
	})
	t.Run("A, B, A are three publications, and no zombie changes them", func(t *testing.T) {
		thereAndBack(t, r, s, "2024-03")
	})
	t.Run("what another writer took away is not there unchanged, and comes back", func(t *testing.T) {
		repair(t, r, s, "2024-02")
	})
}

// repair takes a file of a batch out of the table, as another writer would, scores
// the same data again, and restores the publication.
func repair(t *testing.T, r *rig, s *shelf, batch string) {
	before := s.table(t)
	files := before.Files(batch)
	commit := fmt.Sprintf(`{"remove":{"path":"%s","deletionTimestamp":1,"dataChange":true}}`+"\n", files[0].Path)
	key := fmt.Sprintf("scores/retailer/_delta_log/%020d.json", before.Version()+1)
	if err := s.bucket.Put(t.Context(), key, []byte(commit)); err != nil {
		t.Fatal(err)
	}
	var failure *temporal.ApplicationError
	err := r.score(t, "", batch).Get(t.Context(), nil)
	if !errors.As(err, &failure) || failure.Type() != activities.KindCorrupt {
		t.Errorf("the same data again: %v, want it refused as corrupt", err)
	}
	if out := r.restore(t, batch, 1); out.Publication != 2 || !slices.Equal(paths(s.table(t).Files(batch)), paths(files)) {
		t.Errorf("restored: %+v, want publication 2 with the files of publication 1", out)
	}
	if out := outcome(t, r.score(t, "", batch)); !out.Unchanged || out.Publication != 2 {
		t.Errorf("the same data after the repair: %+v, want publication 2 unchanged", out)
	}
}

// restore brings an earlier publication of a batch back.
func (r *rig) restore(t *testing.T, batch string, publication int64) activities.PublishOutput {
	t.Helper()
	run, err := workflows.StartRestore(t.Context(), r.client, "", workflows.RestoreBatchInput{
		Pipeline: "retailer", Batch: batch, Publication: publication, By: "test", Reason: "the old was better"})
	if err != nil {
		t.Fatal(err)
	}
	var out activities.PublishOutput
	if err := run.Get(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// joined starts a batch from several clients at once.
func joined(t *testing.T, r *rig, s *shelf, batch string) {
	const starters = 4
	runs := make(chan client.WorkflowRun)
	for range starters {
		c := dial(t, r.server.Address())
		go func() {
			run, err := workflows.StartScore(t.Context(), c, "", workflows.ScoreBatchInput{Pipeline: "retailer", Batch: batch, By: "test"})
			if err != nil {
				t.Error(err)
			}
			runs <- run
		}()
	}
	ids := map[string]bool{}
	for range starters {
		run := <-runs
		if run == nil {
			continue
		}
		if out := outcome(t, run); out.Publication != 1 || out.Unchanged {
			t.Errorf("output = %+v", out)
		}
		ids[run.GetRunID()] = true
	}
	if len(ids) != 1 {
		t.Errorf("%d runs, want 1: %v", len(ids), slices.Collect(maps.Keys(ids)))
	}
	if h := s.history(t, batch); len(h) != 1 {
		t.Errorf("%d publications, want 1", len(h))
	}
}

// replaceAndRestore delivers other data for a published batch, publishes it and
// takes it back.
func replaceAndRestore(t *testing.T, r *rig, s *shelf, batch string) {
	before := s.table(t)
	first := s.history(t, batch)[0]
	s.deliver(t, batch, 20_000, retailer.Options{Parts: 2, Fault: retailer.BadRows})
	second := outcome(t, r.score(t, "", batch))
	if second.Publication != 2 || second.TableVersion != before.Version()+1 || second.Quarantined == 0 {
		t.Errorf("new data: %+v, want publication 2 as version %d", second, before.Version()+1)
	}
	after := s.table(t)
	for _, b := range before.Batches() {
		if same := slices.Equal(paths(after.Files(b)), paths(before.Files(b))); same != (b != batch) {
			t.Errorf("new data for %s: files of %s are the same: %t", batch, b, same)
		}
	}

	restored := r.restore(t, batch, 1)
	if restored.Publication != 3 || !slices.Equal(paths(s.table(t).Files(batch)), paths(first.Files)) {
		t.Errorf("restored: %+v, want publication 3 with the files of publication 1", restored)
	}

	// What the restore put in place is what the old data gives: no new publication.
	s.deliver(t, batch, 20_000, retailer.Options{Parts: 2})
	if again := outcome(t, r.score(t, "", batch)); !again.Unchanged || again.Publication != 3 {
		t.Errorf("the old data again: %+v, want publication 3 unchanged", again)
	}
	s.audit(t, batch)
}

// thereAndBack publishes A, B and A again, and lets the three Publish activities
// wake up once more, each exactly as it was started.
func thereAndBack(t *testing.T, r *rig, s *shelf, batch string) {
	var published []activities.PublishInput
	for i, fault := range []retailer.Fault{retailer.NoFault, retailer.BadRows, retailer.NoFault} {
		s.deliver(t, batch, 5_000, retailer.Options{Parts: 2, Fault: fault})
		run := r.score(t, "", batch)
		if out := outcome(t, run); out.Publication != int64(i+1) || out.Unchanged {
			t.Errorf("publication %d: %+v", i+1, out)
		}
		published = append(published, publishInput(t, r.client, run))
	}
	h := s.history(t, batch)
	if len(h) != 3 || !slices.Equal(paths(h[0].Files), paths(h[2].Files)) || slices.Equal(paths(h[0].Files), paths(h[1].Files)) {
		t.Fatalf("publications %+v, want A, B, A", h)
	}
	before := s.contents(t, "scores/", "registry/")
	for i, want := range []string{activities.KindConflict, activities.KindConflict, ""} {
		if kind := s.publish(t, published[i]); kind != want {
			t.Errorf("publish %d once more: %q, want %q", i+1, kind, want)
		}
	}
	// Another operation on the same facts is a zombie as well, as long as they are old.
	stranger := published[1]
	stranger.Operation = "somebody else"
	if kind := s.publish(t, stranger); kind != activities.KindConflict {
		t.Errorf("another operation that expects %d publications: %q, want a conflict", stranger.Expect, kind)
	}
	same(t, "after the zombies", s.contents(t, "scores/", "registry/"), before)
	s.audit(t, batch)
}

// A worker that falls asleep in its Publish and wakes up after two others have
// published the batch changes nothing.
func TestPublishThatWakesUpTooLate(t *testing.T) {
	t.Parallel()
	const batch = "2024-01"
	r := newRig(t)
	s := newShelf(t, t.TempDir())
	s.deliver(t, batch, 5_000, retailer.Options{Parts: 2})
	sleeper := r.worker(t, s, "first", "HEADGATE_PARALLEL=1")
	run := r.score(t, "first", batch)
	sleeper.stepUntil(t, "Publish is running", func() bool { return publishes(t, r.client, run) })
	committed := s.count(t, commitFiles, batch)

	r.worker(t, s, "first")
	if out := outcome(t, run); out.Publication != 1 {
		t.Errorf("first: %+v", out)
	}
	s.deliver(t, batch, 5_000, retailer.Options{Parts: 2, Fault: retailer.BadRows})
	r.worker(t, s, "second")
	if out := outcome(t, r.score(t, "second", batch)); out.Publication != 2 {
		t.Errorf("second: %+v", out)
	}

	before := s.contents(t, "scores/", "registry/")
	sleeper.goOn(t)
	sleeper.waitFor(t, `"WorkerType":"ActivityWorker","error":"workflow execution already completed"`)
	// Asleep before its commit it meets the others' publications, unless the answer
	// to its first heartbeat cancels it sooner.
	conflict := strings.Contains(sleeper.said(t), "it is at 2: "+delta.ErrConflict.Error())
	cancelled := strings.Contains(sleeper.said(t), context.Canceled.Error())
	if committed == 0 && !conflict && !cancelled || committed > 0 && conflict {
		t.Errorf("it fell asleep with %d commits; conflict: %t, cancelled: %t\n%s", committed, conflict, cancelled, sleeper.said(t))
	}
	same(t, "after the sleeper woke up", s.contents(t, "scores/", "registry/"), before)
	s.audit(t, batch)
}

// publishes reports whether a worker is at the run's Publish.
func publishes(t *testing.T, c client.Client, run client.WorkflowRun) bool {
	t.Helper()
	d, err := c.DescribeWorkflowExecution(t.Context(), run.GetID(), run.GetRunID())
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(d.PendingActivities, func(p *workflowpb.PendingActivityInfo) bool {
		return p.ActivityType.Name == "Publish" && p.State == enums.PENDING_ACTIVITY_STATE_STARTED
	})
}

// A batch that is cancelled in the middle of a shard stops at once and leaves the
// table as it was; started again, it is published.
func TestCancelInMidShard(t *testing.T) {
	t.Parallel()
	const batch = "2024-01"
	r := newRig(t)
	s := newShelf(t, t.TempDir())
	s.deliver(t, batch, 300_000, retailer.Options{Parts: 2})
	w := r.worker(t, s, "")
	run := r.score(t, "", batch)
	w.stepUntil(t, "the plan is saved", func() bool { return s.count(t, runFiles+"plan.json", batch) > 0 })
	w.goOn(t)
	quick := w.slow(t)
	rows := inMidShard(t, r.client, run)
	if err := r.client.CancelWorkflow(t.Context(), run.GetID(), run.GetRunID()); err != nil {
		t.Fatal(err)
	}
	asked := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	err := run.Get(ctx, nil)
	took := time.Since(asked)
	var cancelled *temporal.CanceledError
	if !errors.As(err, &cancelled) || took > 15*time.Second {
		t.Errorf("cancelled in %v: %v, want it cancelled within 15 s", took, err)
	}
	t.Logf("cancelled in %v, %d rows into a shard", took, rows)
	if n := s.count(t, runFiles+"shards/*.json", batch); n > 0 {
		t.Errorf("%d shards went on to their end", n)
	}
	if left := s.contents(t, "scores/"); len(left) > 0 {
		t.Errorf("the table has %v", slices.Collect(maps.Keys(left)))
	}
	quick()
	if out := outcome(t, r.score(t, "", batch)); out.Publication != 1 || out.Published != out.Rows {
		t.Errorf("started again: %+v", out)
	}
	s.audit(t, batch)
}

// inMidShard waits until a heartbeat tells that a shard is being read, and returns
// how many of its rows were.
func inMidShard(t *testing.T, c client.Client, run client.WorkflowRun) int64 {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); <-tick.C {
		d, err := c.DescribeWorkflowExecution(t.Context(), run.GetID(), run.GetRunID())
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range d.PendingActivities {
			var progress activities.Progress
			if p.ActivityType.Name != "ScoreShard" || p.HeartbeatDetails == nil {
				continue
			}
			if err := converter.GetDefaultDataConverter().FromPayloads(p.HeartbeatDetails, &progress); err != nil {
				t.Fatal(err)
			}
			if progress.Done > 0 && progress.Done < progress.Total {
				return progress.Done
			}
		}
	}
	t.Fatal("no shard was in progress within a minute")
	return 0
}

// table returns the published table as it is now.
func (s *shelf) table(t *testing.T) *delta.Snapshot {
	t.Helper()
	snapshot, err := delta.Open(s.bucket, "scores/retailer").Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return snapshot
}

func paths(files []delta.File) []string {
	var paths []string
	for _, f := range files {
		paths = append(paths, f.Path)
	}
	return paths
}

// publish runs one attempt of the activity Publish, and returns the kind of its
// failure, "" for none.
func (s *shelf) publish(t *testing.T, in activities.PublishInput) string {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestActivityEnvironment()
	a := activities.New(s.bucket, worker.Formats())
	env.RegisterActivity(a)
	_, err := env.ExecuteActivity(a.Publish, in)
	var failure *temporal.ApplicationError
	if errors.As(err, &failure) && failure.NonRetryable() {
		return failure.Type()
	}
	if err != nil {
		t.Fatal(err)
	}
	return ""
}

// publishInput returns what the run's Publish was started with.
func publishInput(t *testing.T, c client.Client, run client.WorkflowRun) activities.PublishInput {
	t.Helper()
	events := c.GetWorkflowHistory(t.Context(), run.GetID(), run.GetRunID(), false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		event, err := events.Next()
		if err != nil {
			t.Fatal(err)
		}
		scheduled := event.GetActivityTaskScheduledEventAttributes()
		if !strings.HasSuffix(scheduled.GetActivityType().GetName(), "Publish") {
			continue
		}
		var in activities.PublishInput
		if err := converter.GetDefaultDataConverter().FromPayloads(scheduled.Input, &in); err != nil {
			t.Fatal(err)
		}
		return in
	}
	t.Fatalf("%s has no Publish", run.GetID())
	return activities.PublishInput{}
}
