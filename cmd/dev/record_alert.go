package main

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"go.temporal.io/sdk/client"

	"headgate/internal/alert"
	"headgate/internal/registration"
	"headgate/internal/retailer"
	"headgate/internal/worker"
	"headgate/workflows"
)

// alertsOf tells the team by a webhook that is busy at first; the same trouble is quiet for
// a second only.
const alertsOf = `alerts:
  receivers: { team: { slack: { url: env:HEADGATE_RECORD_TEAM } }, none: { slack: { url: env:HEADGATE_RECORD_NONE } } }
  routes: [{ to: [none] }]
  acknowledge: [{ within: 1h, else: [team] }]
  quiet: 1s
`

// alerts scores a month that is not there, twice; acknowledges the alert of it, whose first
// receiver cannot be reached; delivers the month, and waits until the alert is over.
func (t *recording) alerts(ctx context.Context) error {
	const month = "2023-12"
	var told atomic.Int64
	team := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if told.Add(1) == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer team.Close()
	if err := os.Setenv("HEADGATE_RECORD_TEAM", team.URL); err != nil {
		return err
	}
	file, err := t.alertingPipeline()
	if err != nil {
		return err
	}
	request := registration.Request{Pipeline: file, By: "demo", Reason: "to be told", At: time.Now().UTC().Truncate(time.Millisecond)}
	if _, err := request.Do(ctx, t.bucket, worker.Formats()); err != nil {
		return err
	}
	for range 2 {
		if _, err := t.score(ctx, month); err == nil {
			return errors.New("a month was scored that is not there")
		}
	}
	id := workflows.AlertID("retailer", alert.Fingerprint(alert.RunFailed, "retailer", month))
	update, err := t.client.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{WorkflowID: id, UpdateName: workflows.UpdateAcknowledge,
		Args: []any{workflows.Word{By: "demo", Reason: "it is on its way"}}, WaitForStage: client.WorkflowUpdateStageCompleted})
	if err == nil {
		err = update.Get(ctx, nil)
	}
	if err != nil {
		return err
	}
	if _, err := t.month(ctx, month, retailer.NoFault, "is delivered at last"); err != nil {
		return err
	}
	var out workflows.AlertOutput
	if err := t.client.GetWorkflow(ctx, id, "").Get(ctx, &out); err != nil {
		return err
	}
	t.say("            alert found %d times, acknowledged by %s, over: %s", out.Count, out.Acknowledged.By, out.Resolved.Reason)
	return nil
}

// alertingPipeline writes the pipeline file of [recording.alerts], and its contract.
func (t *recording) alertingPipeline() (file string, err error) {
	dir := filepath.Join(t.dir, "alerting")
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return "", err
	}
	pipeline, err1 := os.ReadFile(shipped("pipeline.yaml"))
	contract, err2 := os.ReadFile(shipped("contract.yaml"))
	file = filepath.Join(dir, "pipeline.yaml")
	return file, errors.Join(err1, err2, os.WriteFile(file, append(pipeline, alertsOf...), 0o644), os.WriteFile(filepath.Join(dir, "contract.yaml"), contract, 0o644))
}
