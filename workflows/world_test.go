package workflows_test

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	sdk "go.temporal.io/sdk/worker"

	"headgate/activities"
	"headgate/internal/audit"
	"headgate/internal/deliver/delivertest"
	"headgate/internal/delta"
	"headgate/internal/model"
	"headgate/internal/registration"
	"headgate/internal/retailer"
	"headgate/internal/run"
	"headgate/internal/store"
	"headgate/internal/worker"
	"headgate/workflows"
)

// A world is a store with the simulated retailer in it: real activities, real files.
type world struct {
	t      *testing.T
	dir    string
	bucket *store.Bucket
	shop   retailer.World
	runs   int
	worker sdk.Options // of the test environment

	pipeline  string        // file that was registered last
	woken     atomic.Int64  // how often the release was to look
	formats   model.Formats // nil: those of the worker
	candidate store.Digest  // of a task that needs one
	schedule  store.Digest  // of a task that needs one
	offered   atomic.Int64  // candidates to a release that was not there
	first     *testsuite.TestWorkflowEnvironment

	checkpoints time.Duration // how often a training says where it is; 0 is as always

	office *office          // notes alerts in place of real ones
	told   bool             // alerts are real
	team   *delivertest.Web // that is told of them

	metrics client.MetricsHandler // nil: nothing is measured
}

func newWorld(t *testing.T, customers int) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), shop: retailer.World{Seed: 1, Customers: customers}}
	var err error
	if w.bucket, err = store.Open(t.Context(), w.dir); err != nil {
		t.Fatal(err)
	}
	w.register("../testdata/retailer/pipeline.yaml")
	return w
}

// register makes a pipeline file and the shipped champion the ones in force.
func (w *world) register(pipeline string) *registration.Result {
	w.t.Helper()
	w.pipeline = pipeline
	shipped := "../testdata/retailer/"
	out, err := registration.Request{Pipeline: pipeline, Model: shipped + "champion.txt",
		Golden: shipped + "golden.csv", Expected: shipped + "golden_expected.csv", Champion: true,
		By: "test", Reason: "the test needs it", At: time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)}.Do(w.t.Context(), w.bucket, worker.Formats())
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

// deliver writes a month's files where the pipeline expects them.
func (w *world) deliver(month string, o retailer.Options) {
	w.t.Helper()
	dir := filepath.Join(w.dir, "incoming", "retailer", month)
	if _, err := w.shop.WriteDir(w.t.Context(), dir, month, &o); err != nil {
		w.t.Fatal(err)
	}
}

// env returns a Temporal test environment with the real activities.
func (w *world) env() *testsuite.TestWorkflowEnvironment {
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	if w.metrics != nil {
		suite.SetMetricsHandler(w.metrics)
	}
	env := suite.NewTestWorkflowEnvironment()
	if w.first == nil {
		w.first = env
	}
	w.runs++ // the test environment gives every run the same run id
	env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: fmt.Sprintf("run-%d", w.runs)})
	env.SetTestTimeout(time.Minute)
	options := w.worker
	options.DeadlockDetectionTimeout = time.Minute // a busy machine is no deadlock
	env.SetWorkerOptions(options)
	workflows.Register(env)
	formats := w.formats
	if formats == nil {
		formats = worker.Formats()
	}
	a := activities.New(w.bucket, formats)
	if w.checkpoints > 0 {
		a.CheckpointEvery = w.checkpoints
	}
	env.RegisterActivity(a)
	if !w.told {
		if w.office == nil {
			w.withOffice()
		}
		w.office.attach(env)
	}
	// No release runs in a test environment, so nobody hears the signal.
	env.OnSignalExternalWorkflow("default-test-namespace", "release/retailer", "", "wake", nil).Return(
		func(string, string, string, string, any) error {
			w.woken.Add(1)
			return &temporal.UnknownExternalWorkflowExecutionError{}
		})
	return env
}

// score runs ScoreBatch and returns its output or its error.
func (w *world) score(batch string) (workflows.ScoreBatchOutput, error) {
	env := w.env()
	env.ExecuteWorkflow(workflows.ScoreBatch, workflows.ScoreBatchInput{Pipeline: "retailer", Batch: batch, By: "test"})
	var out workflows.ScoreBatchOutput
	err := env.GetWorkflowResult(&out)
	return out, err
}

func (w *world) mustScore(batch string) workflows.ScoreBatchOutput {
	w.t.Helper()
	out, err := w.score(batch)
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

// keys lists every key of the store below a prefix.
func (w *world) keys(prefix string) []string {
	w.t.Helper()
	var keys []string
	for attrs, err := range w.bucket.List(context.Background(), prefix) {
		if err != nil {
			w.t.Fatal(err)
		}
		keys = append(keys, attrs.Key)
	}
	return keys
}

func (w *world) restore(batch string, publication int64) activities.PublishOutput {
	w.t.Helper()
	env := w.env()
	env.ExecuteWorkflow(workflows.RestoreBatch, workflows.RestoreBatchInput{Pipeline: "retailer", Batch: batch,
		Publication: publication, By: "test", Reason: "the test says so"})
	var out activities.PublishOutput
	if err := env.GetWorkflowResult(&out); err != nil {
		w.t.Fatal(err)
	}
	return out
}

// auditor reads the world's pipeline.
func (w *world) auditor() *audit.Auditor {
	return &audit.Auditor{Store: w.bucket, Formats: worker.Formats(), Pipeline: "retailer"}
}

// currentFiles returns the keys of the files of the month that is published now.
func (w *world) currentFiles() (keys []string) {
	w.t.Helper()
	snapshot, err := delta.Open(w.bucket, run.TablePrefix("retailer")).Snapshot(context.Background())
	if err != nil {
		w.t.Fatal(err)
	}
	for _, batch := range snapshot.Batches() {
		p, _ := snapshot.Current(batch)
		for _, f := range p.Files {
			keys = append(keys, run.TablePrefix("retailer")+"/"+f.Path)
		}
	}
	return keys
}
