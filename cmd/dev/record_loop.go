package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"go.temporal.io/sdk/client"

	"headgate/activities"
	"headgate/internal/registration"
	"headgate/internal/release"
	"headgate/internal/worker"
	"headgate/workflows"
)

// looping is what the pipeline of [story.loop] says of labels, training and releases:
// labels are due at once, a training is over at once, and one month is enough evidence.
const looping = `labels: { files: "labels/retailer/{batch}/*.parquet", contract: labels.yaml, due: 1s, poll: 1s }
training:
  windows: [0]
  parameters: { num_iterations: "12", num_leaves: "7", learning_rate: "0.3" }
  calibrate: platt
  seed: 7
gates:
  looks: 1
  advance: { success: [logLoss], guardrails: { auc: 0.1 }, calibration: none }
  canary: { psi: 0, flips: 0, shift: 0 }
release:
  strategy: canary
  shadow: 1
  steps: [10%, 100%]
  batches: 2
  extend: 0
  approve: { steps: [10%] }
`

// loop closes the loop: August is evaluated and learned from, the candidate scores
// September in shadow, a person lets it serve a share of October and takes it back, and
// November is scored after the fact.
func (t *story) loop(ctx context.Context) error {
	if err := t.registerLoop(ctx); err != nil {
		return err
	}
	if err := t.evaluated(ctx, "2024-08"); err != nil {
		return err
	}
	var trained workflows.RetrainOutput
	run, err := workflows.StartRetrain(ctx, t.client, "", workflows.RetrainInput{Pipeline: "retailer", By: "demo", Reason: "to show how"})
	if err != nil {
		return err
	}
	if err := run.Get(ctx, &trained); err != nil {
		return err
	}
	if len(trained.Candidates) == 0 {
		return fmt.Errorf("a training without candidates: %+v", trained)
	}
	t.say("trained     from %v: %d candidates of release %s", trained.Batches, len(trained.Candidates), trained.Release)
	for _, do := range []func(context.Context) error{
		func(ctx context.Context) error { return t.evaluated(ctx, "2024-09") },
		t.shadowed, t.approve,
		func(ctx context.Context) error { return t.evaluated(ctx, "2024-10") },
		t.rollback, t.backfill,
	} {
		if err := do(ctx); err != nil {
			return err
		}
	}
	return nil
}

// registerLoop registers the pipeline of the loop.
func (t *story) registerLoop(ctx context.Context) error {
	dir := filepath.Join(t.dir, "looping")
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	for name, more := range map[string]string{"pipeline.yaml": looping, "contract.yaml": "", "labels.yaml": ""} {
		shipped, err := os.ReadFile(filepath.Join(home(), "testdata", "retailer", name))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name), append(shipped, more...), 0o644); err != nil {
			return err
		}
	}
	_, err := registration.Request{Pipeline: filepath.Join(dir, "pipeline.yaml"), By: "demo", Reason: "to close the loop",
		At: time.Now().UTC().Truncate(time.Millisecond)}.Do(ctx, t.bucket, worker.Formats())
	return err
}

// evaluated delivers a month with its labels, scores it, and waits for its evaluation.
func (t *story) evaluated(ctx context.Context, month string) (err error) {
	store := filepath.Join(t.dir, "store")
	labels := filepath.Join(store, "labels", "retailer", month)
	if err := os.MkdirAll(labels, 0o777); err != nil {
		return err
	}
	f, err := os.Create(filepath.Join(labels, "0.parquet"))
	if err != nil {
		return err
	}
	err = errors.Join(t.shop.WriteLabels(ctx, f, month, nil), f.Close(), os.WriteFile(filepath.Join(labels, "_COMPLETE"), nil, 0o644))
	if err != nil {
		return err
	}
	if _, err := t.shop.WriteDir(ctx, filepath.Join(store, "incoming", "retailer", month), month, nil); err != nil {
		return err
	}
	if _, err := t.score(ctx, month); err != nil {
		return err
	}
	var out workflows.EvaluateBatchOutput
	if err := t.client.GetWorkflow(ctx, workflows.EvaluateID("retailer", month), "").Get(ctx, &out); err != nil {
		return err
	}
	t.say("%s     evaluated: %s", month, out.Verdict)
	return nil
}

// shadowed lets the candidates score August, which they have learned from.
func (t *story) shadowed(ctx context.Context) error {
	v, err := t.asks(ctx)
	if err != nil {
		return err
	}
	in := workflows.ShadowBatchInput{Pipeline: "retailer", Batch: "2024-08", By: "demo"}
	for _, c := range v.Candidates {
		in.Models = append(in.Models, c.Model)
	}
	run, err := t.client.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: workflows.ShadowID(in.Pipeline, in.Batch), TaskQueue: workflows.TaskQueue},
		workflows.ShadowBatch, in)
	if err != nil {
		return err
	}
	return run.Get(ctx, nil)
}

// asks waits until the release asks a person.
func (t *story) asks(ctx context.Context) (card workflows.ReleaseCard, err error) {
	for {
		value, err := t.client.QueryWorkflow(ctx, workflows.ReleaseID("retailer"), "", "scorecard")
		if err != nil {
			return card, err
		}
		card = workflows.ReleaseCard{}
		if err := value.Get(&card); err != nil {
			return card, err
		}
		if card.Next.Kind == release.DoAsk {
			return card, nil
		}
		if card.Stage == "Done" {
			return card, fmt.Errorf("the release asked nothing: %+v", card)
		}
		select {
		case <-ctx.Done():
			return card, ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// approve lets the candidate serve a share.
func (t *story) approve(ctx context.Context) error {
	card, err := t.asks(ctx)
	if err != nil {
		return err
	}
	answer := workflows.ReleaseAnswer{By: "demo", Reason: "it may show what it can", Decision: card.Next.Decision, Nonce: card.Next.Nonce}
	if err := workflows.TellRelease(ctx, t.client, "", "retailer", workflows.UpdateApprove, answer, nil); err != nil {
		return err
	}
	for card.Step == "" || len(card.Arms) < 2 {
		value, err := t.client.QueryWorkflow(ctx, workflows.ReleaseID("retailer"), "", "scorecard")
		if err == nil {
			err = value.Get(&card)
		}
		if err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
	t.say("approved    step %s", card.Step)
	return nil
}

// rollback takes the candidate's rows back.
func (t *story) rollback(ctx context.Context) error {
	order := workflows.ReleaseRollback{By: "demo", Reason: "to show how"}
	if err := workflows.TellRelease(ctx, t.client, "", "retailer", workflows.UpdateRollback, order, nil); err != nil {
		return err
	}
	t.say("rolled back")
	return t.client.GetWorkflow(ctx, workflows.ReleaseID("retailer"), "").Get(ctx, nil)
}

// backfill scores a month after the fact.
func (t *story) backfill(ctx context.Context) error {
	const month = "2024-11"
	if _, err := t.shop.WriteDir(ctx, filepath.Join(t.dir, "store", "incoming", "retailer", month), month, nil); err != nil {
		return err
	}
	run, err := t.client.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: workflows.BackfillID("retailer"), TaskQueue: workflows.TaskQueue},
		workflows.Backfill, workflows.BackfillInput{Pipeline: "retailer", From: "2024-10", To: month, Mode: activities.AsNow, By: "demo", Reason: "to show how"})
	if err != nil {
		return err
	}
	var out workflows.BackfillOutput
	if err := run.Get(ctx, &out); err != nil {
		return err
	}
	t.say("backfilled  %+v", out.Batches)
	return nil
}
