//go:build e2e && unix

package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	sdkworker "go.temporal.io/sdk/worker"

	"headgate/internal/alert"
	"headgate/internal/registry"
	"headgate/internal/release"
	"headgate/internal/retailer"
	"headgate/internal/train"
	"headgate/internal/trigger"
	"headgate/workflows"
)

// killedInLosses are the activities that only the story of losses comes to.
var killedInLosses = []string{"SkipShard", "RouteAlert", "SendAlert", "PrepareModel", "FinishModel", "RecordUnscored"}

// Where the team of the story is told, as the worker reads it.
const (
	envTeam    = "CHAOS_TEAM"
	envSecret  = "CHAOS_SECRET"
	teamSecret = "whsec_Y2FuYXJ5LCBhdCBsZWFzdCB0d2VudHktZm91ciBieXRlcw=="
)

// losing is what the pipeline of [recording.leftOut] says of whom it tells.
const losing = "ask: { wait: 1h }\nalerts: { receivers: { team: { webhook: { url: env:" + envTeam + ", secret: env:" + envSecret + " } } }, quiet: 1s }\n"

// elsewhereQueue is the task queue of the trainer of [recording.elsewhere].
const elsewhereQueue = "borrows"

// losses is a story of a damaged file, of a model that somebody else trains, and of data
// that is gone.
func losses(t *recording, who *team) []func(context.Context) error {
	return []func(context.Context) error{t.register, func(ctx context.Context) error { return t.leftOut(ctx, who) }, t.elsewhere, t.unscored}
}

// leftOut scores a month with a damaged file. The team is told, somebody leaves the file
// out, and the team is told that it is over.
func (t *recording) leftOut(ctx context.Context, who *team) error {
	const month, damaged = "2024-01", 2
	err := t.registerAgain(ctx, "losing", losing, "to be asked about shards", "  parallel: 4\n", "  parallel: 4\n  onFail: ask\n", "budget: 1%", "budget: 50%")
	if err != nil {
		return err
	}
	files, err := t.shop.WriteDir(ctx, t.path("incoming/retailer/"+month), month, &retailer.Options{Parts: 4})
	if err == nil {
		err = damage(files[damaged])
	}
	if err != nil {
		return err
	}
	run, err := workflows.StartScore(ctx, t.client, "", workflows.ScoreBatchInput{Pipeline: "retailer", Batch: month, By: "demo"})
	if err != nil {
		return err
	}
	for !who.knows() {
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			return errors.Join(errors.New("the team was not told of the shard"), err)
		}
	}
	shard := damaged
	update, err := t.client.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{WorkflowID: run.GetID(), RunID: run.GetRunID(), UpdateName: workflows.UpdateSkipShard,
		Args: []any{workflows.SkipShard{Shard: &shard, By: "demo", Reason: "there is no other copy"}}, WaitForStage: client.WorkflowUpdateStageCompleted})
	if err == nil {
		err = update.Get(ctx, nil)
	}
	if err == nil {
		err = run.Get(ctx, nil)
	}
	if err != nil {
		return err
	}
	t.say("%s     shard %d is left out", month, shard)
	id := workflows.AlertID("retailer", alert.Fingerprint(alert.BatchAsks, "retailer", alert.ShardsOf(month)))
	return t.client.GetWorkflow(ctx, id, "").Get(ctx, nil)
}

// elsewhere lets a worker of somebody else's train a candidate, which is rejected as soon as
// it scores in shadow.
func (t *recording) elsewhere(ctx context.Context) error {
	w := sdkworker.New(t.client, elsewhereQueue, sdkworker.Options{})
	w.RegisterActivityWithOptions(borrow, activity.RegisterOptions{Name: train.TrainActivity})
	if err := w.Start(); err != nil {
		return err
	}
	defer w.Stop()
	trainer := "training:\n  trainer: taskQueue\n  taskQueue: " + elsewhereQueue + "\n"
	for _, do := range []func() error{
		func() error {
			return t.registerAgain(ctx, "elsewhere", looping, "to train elsewhere", "training:\n", trainer)
		},
		func() error { return t.evaluated(ctx, "2024-02") },
		func() error { return t.trained(ctx, trigger.Refit) },
		func() error { return t.routed(ctx, release.StepShadow) },
		func() error { return t.rejected(ctx) },
	} {
		if err := do(); err != nil {
			return err
		}
	}
	return nil
}

// borrow is a trainer that has learned nothing: it returns the champion's trees.
func borrow(_ context.Context, r train.TaskRequest) (*train.Answer, error) {
	trees, err := os.ReadFile(shipped("champion.txt"))
	if err != nil {
		return nil, err
	}
	answer := &train.Answer{Format: "lightgbm", Model: r.Model, Libraries: map[string]string{"lightgbm": "4.6.0"}}
	return answer, os.WriteFile(filepath.Join(strings.TrimPrefix(r.Base, "file://"), r.Model), trees, 0o644)
}

// unscored asks a candidate for its scores of February, whose data is gone. That it cannot
// score it is entered, and ends its release.
func (t *recording) unscored(ctx context.Context) error {
	if err := os.RemoveAll(t.path("incoming/retailer/2024-02")); err != nil {
		return err
	}
	model, err := t.twin(ctx, 1, looping)
	if err != nil {
		return err
	}
	start := workflows.ReleaseStart{Model: string(model), Batch: "2023-12", By: "demo", Reason: "to show what is lost"}
	if err := workflows.TellRelease(ctx, t.client, "", "retailer", workflows.UpdateStart, start, nil); err != nil {
		return err
	}
	if err := t.released(ctx); err != nil {
		return err
	}
	log, err := registry.Load(ctx, t.bucket, "retailer")
	if err != nil {
		return err
	}
	for _, e := range log.Of(registry.KindShadow) {
		if e.Model == model && e.Verdict == registry.VerdictBlock {
			return nil
		}
	}
	return errors.New("nobody entered that February cannot be scored")
}

// rejected rejects the candidate of the release, and waits until there is none left.
func (t *recording) rejected(ctx context.Context) error {
	answer := workflows.ReleaseAnswer{By: "demo", Reason: "it was a try"}
	if err := workflows.TellRelease(ctx, t.client, "", "retailer", workflows.UpdateReject, answer, nil); err != nil {
		return err
	}
	return t.released(ctx)
}

// A team is a receiver of alerts that remembers what it was told.
type team struct {
	url string

	mu     sync.Mutex
	told   map[string]string // by the id of the notice
	differ []string          // notices that came again with other bytes
}

func newTeam(t *testing.T) *team {
	t.Helper()
	who := &team{told: map[string]string{}}
	s := httptest.NewServer(who)
	t.Cleanup(s.Close)
	who.url = s.URL
	return who
}

// ServeHTTP takes a notice.
func (w *team) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		rw.WriteHeader(http.StatusBadRequest)
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	id := r.Header.Get("webhook-id")
	if before, again := w.told[id]; again && before != string(body) {
		w.differ = append(w.differ, before, string(body))
	}
	w.told[id] = string(body)
}

// knows reports whether it was told anything.
func (w *team) knows() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.told) > 0
}

// notices says in words what it was told, sorted. A notice that came twice counts once.
func (w *team) notices(t *testing.T) (out []string) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.differ) > 0 {
		t.Errorf("notices came again with other bytes: %q", w.differ)
	}
	for id, body := range w.told {
		var notice struct{ Type string }
		if err := json.Unmarshal([]byte(body), &notice); err != nil || id == "" {
			t.Errorf("notice %q: %v in %s", id, err, body)
		}
		out = append(out, "told "+notice.Type)
	}
	slices.Sort(out)
	return out
}
