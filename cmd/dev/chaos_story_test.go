//go:build e2e && unix

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"headgate/internal/calendar"
	"headgate/internal/registration"
	"headgate/internal/registry"
	papers "headgate/internal/run"
	"headgate/internal/store"
	"headgate/internal/worker"
	"headgate/workflows"
)

// colours is what the pipeline of [recording.colours] says of releases: a person's yes is all
// that a new colour needs, and one month in it.
const colours = `labels: { files: "labels/retailer/{batch}/*.parquet", contract: labels.yaml, due: 1s, poll: 1s }
release:
  strategy: blueGreen
  shadow: 0
  watch: 0
  extend: 0
  batches: 1
  approve: { steps: [idle] }
`

// promised lets a slot look for January, which is published, and name the month before it,
// which never came.
func (t *recording) promised(ctx context.Context) error {
	const every = time.Hour
	cal := &calendar.Calendar{Format: calendar.Format, Pipeline: "retailer", Kind: calendar.Month, Zone: "UTC", At: "00:00", For: calendar.Previous,
		EverySeconds: int64(every / time.Second), From: time.Now().UTC().Truncate(time.Second).Add(-every), First: "2023-12", Last: "2024-01",
		WaitSeconds: 1, PublishSeconds: 2, PollSeconds: 1}
	d, err := papers.SaveBlob(ctx, t.bucket, cal)
	if err != nil {
		return err
	}
	run, err := t.client.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: "slot/retailer/by hand", TaskQueue: workflows.TaskQueue},
		workflows.Slot, workflows.SlotInput{Pipeline: "retailer", Schedule: d})
	if err != nil {
		return err
	}
	var out workflows.SlotOutput
	if err := run.Get(ctx, &out); err != nil {
		return err
	}
	if out.Batch != "2024-01" || out.Outcome != workflows.SlotPublished || len(out.Missed) != 1 {
		return fmt.Errorf("the slot ended otherwise: %+v", out)
	}
	return nil
}

// colours lets one candidate serve a whole month at once, and become the champion. The
// release of another is cancelled before it has served.
func (t *recording) colours(ctx context.Context) error {
	const month = "2024-05"
	first, err := t.twin(ctx, 1, colours)
	if err != nil {
		return err
	}
	if err := t.coloured(ctx, first); err != nil {
		return err
	}
	if err := t.evaluated(ctx, month); err != nil {
		return err
	}
	if err := t.released(ctx); err != nil {
		return err
	}
	second, err := t.twin(ctx, 2, colours)
	if err != nil {
		return err
	}
	if err := t.coloured(ctx, second); err != nil {
		return err
	}
	if err := t.client.CancelWorkflow(ctx, workflows.ReleaseID("retailer"), ""); err != nil {
		return err
	}
	if err := t.released(ctx); !temporal.IsCanceledError(err) {
		return fmt.Errorf("a release that was cancelled ended with: %v", err)
	}
	return nil
}

// twin registers a model that gives the champion's scores and is not it, with more in the
// pipeline file. n makes it another one.
func (t *recording) twin(ctx context.Context, n int, more string) (store.Digest, error) {
	dir := filepath.Join(t.dir, fmt.Sprint("twin ", n))
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return "", err
	}
	pipeline, err1 := os.ReadFile(shipped("pipeline.yaml"))
	contract, err2 := os.ReadFile(shipped("contract.yaml"))
	labels, err3 := os.ReadFile(shipped("labels.yaml"))
	model, err4 := os.ReadFile(shipped("champion.txt"))
	other := bytes.Replace(model, []byte("[boosting: gbdt]"), fmt.Appendf(nil, "[boosting: gbdt%*s]", n, ""), 1)
	request := registration.Request{Pipeline: filepath.Join(dir, "pipeline.yaml"), Model: filepath.Join(dir, "model.txt"),
		Golden: shipped("golden.csv"), Expected: shipped("golden_expected.csv"), By: "demo", Reason: "another colour", At: now()}
	err := errors.Join(err1, err2, err3, err4, os.WriteFile(request.Pipeline, append(pipeline, more...), 0o644),
		os.WriteFile(filepath.Join(dir, "contract.yaml"), contract, 0o644),
		os.WriteFile(filepath.Join(dir, "labels.yaml"), labels, 0o644), os.WriteFile(request.Model, other, 0o644))
	if err != nil {
		return "", err
	}
	out, err := request.Do(ctx, t.bucket, worker.Formats())
	if err != nil {
		return "", err
	}
	return out.Version.Digest, nil
}

// coloured starts the release of a model, approves it, and waits until the next month is
// its own.
func (t *recording) coloured(ctx context.Context, model store.Digest) error {
	start := workflows.ReleaseStart{Model: string(model), By: "demo", Reason: "another colour"}
	if err := workflows.TellRelease(ctx, t.client, "", "retailer", workflows.UpdateStart, start, nil); err != nil {
		return err
	}
	if _, err := t.agreed(ctx); err != nil {
		return err
	}
	return t.routed(ctx, "idle")
}

// routed waits until the routing in force is of a step.
func (t *recording) routed(ctx context.Context, step string) error {
	for {
		log, err := registry.Load(ctx, t.bucket, "retailer")
		if err != nil {
			return err
		}
		last := log.Of(registry.KindRouting)
		if n := len(last); n > 0 && last[n-1].Step == step {
			return nil
		}
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			return errors.Join(fmt.Errorf("nothing was routed for step %s", step), err)
		}
	}
}
