// Package workflowstest runs workflows with the real activities in Temporal's test
// environment, for tests of whatever reads what a run leaves in a store.
package workflowstest

import (
	"log/slog"
	"testing"
	"time"

	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"

	"headgate/activities"
	"headgate/internal/model"
	"headgate/internal/store"
	"headgate/workflows"
)

// Environment returns an environment for one workflow over a store of the pipeline
// retailer, with nobody to hear signals for its release.
//
// id is the workflow's: the environment gives every run the same run id, so a second
// workflow over a store needs an id of its own. start is what its clock says first; the
// entries that it makes have times from there on.
func Environment(b *store.Bucket, formats model.Formats, id string, start time.Time) *testsuite.TestWorkflowEnvironment {
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	env := suite.NewTestWorkflowEnvironment()
	env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: id})
	env.SetStartTime(start)
	// A busy machine is no deadlock.
	env.SetWorkerOptions(worker.Options{DeadlockDetectionTimeout: time.Minute})
	workflows.Register(env)
	env.RegisterActivity(activities.New(b, formats))
	env.OnSignalExternalWorkflow("default-test-namespace", workflows.ReleaseID("retailer"), "", workflows.SignalWake, nil).
		Return(&temporal.UnknownExternalWorkflowExecutionError{})
	return env
}

// Score runs [workflows.ScoreBatch] and returns its output. The test ends if it fails; a
// batch that is blocked has not failed.
func Score(t testing.TB, env *testsuite.TestWorkflowEnvironment, in workflows.ScoreBatchInput) workflows.ScoreBatchOutput {
	t.Helper()
	env.ExecuteWorkflow(workflows.ScoreBatch, in)
	var out workflows.ScoreBatchOutput
	if err := env.GetWorkflowResult(&out); err != nil {
		t.Fatalf("score %s: %v", in.Batch, err)
	}
	return out
}
