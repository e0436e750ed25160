//go:build e2e

package main

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	sdk "go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"headgate/cmd/dev/devserver"
	"headgate/internal/telemetry"
)

// relay is a workflow that two workers share: each runs an activity of it.
func relay(ctx workflow.Context) error {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: time.Minute})
	baton := workflow.GetSignalChannel(ctx, "baton")
	for range 2 {
		baton.Receive(ctx, nil)
		if err := workflow.ExecuteActivity(ctx, "run").Get(ctx, nil); err != nil {
			return err
		}
	}
	return nil
}

// A runner is one worker process, with a connection and telemetry of its own.
type runner struct {
	client client.Client
	told   *telemetry.Telemetry
	worker sdk.Worker
}

func newRunner(t *testing.T, server *devserver.Server) *runner {
	t.Helper()
	r := new(runner)
	var err error
	if r.told, err = telemetry.Start(t.Context(), "runner", func(err error) { t.Error(err) }); err != nil {
		t.Fatal(err)
	}
	options := client.Options{HostPort: server.Address(), Namespace: devserver.Namespace, Logger: telemetry.NewLogger(slog.DiscardHandler)}
	r.told.Apply(&options)
	if r.client, err = client.DialContext(t.Context(), options); err != nil {
		t.Fatal(err)
	}
	r.worker = sdk.New(r.client, "relay", sdk.Options{})
	r.worker.RegisterWorkflowWithOptions(relay, workflow.RegisterOptions{Name: "relay"})
	r.worker.RegisterActivityWithOptions(func(context.Context) error { return nil }, activity.RegisterOptions{Name: "run"})
	if err := r.worker.Start(); err != nil {
		t.Fatal(err)
	}
	return r
}

// leave ends the runner's work, and tell what it has to say of it.
func (r *runner) leave() {
	r.worker.Stop()
	r.client.Close()
}

func (r *runner) tell(t *testing.T) {
	t.Helper()
	if err := r.told.Stop(context.WithoutCancel(t.Context())); err != nil {
		t.Error(err)
	}
}

// A worker that takes a workflow up goes on with its trace, also if the workflow began with
// a signal, and the worker before it never said that it had ended.
func TestAnotherWorkerGoesOnWithTheTrace(t *testing.T) {
	watched := observe(t)
	t.Setenv("OTEL_BSP_SCHEDULE_DELAY", "100") // milliseconds
	server, err := devserver.Start(t.Context(), t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	}()
	first := newRunner(t, server)
	run, err := first.client.SignalWithStartWorkflow(t.Context(), "relay", "baton", nil, client.StartWorkflowOptions{TaskQueue: "relay"}, "relay")
	if err != nil {
		t.Fatal(err)
	}
	watched.await("RunActivity:run")
	first.tell(t) // and leaves afterwards, as if it was killed: that its part is over is never said
	first.leave()
	second := newRunner(t, server)
	err = errors.Join(second.client.SignalWorkflow(t.Context(), "relay", "", "baton", nil),
		second.client.GetWorkflow(t.Context(), run.GetID(), "").Get(t.Context(), nil))
	if err != nil {
		t.Fatal(err)
	}
	second.leave()
	second.tell(t)
	watched.checkTrace("SignalWithStartWorkflow:relay", "relay", "RunWorkflow:relay", "HandleSignal:baton", "RunActivity:run")
}
