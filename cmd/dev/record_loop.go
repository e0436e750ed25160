package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"

	"headgate/activities"
	"headgate/internal/registration"
	"headgate/internal/release"
	"headgate/internal/trigger"
	"headgate/internal/worker"
	"headgate/workflows"
)

// looping is what the pipeline of [recording.loop] says of labels, training and releases:
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

// loop closes the loop twice. What is learned from August scores September in shadow, and
// is no better. What is calibrated on September is, in October; a person lets it serve a
// share of November and takes it back. December is scored after the fact.
func (t *recording) loop(ctx context.Context) error {
	for _, do := range []func(context.Context) error{
		func(ctx context.Context) error { return t.registerAgain(ctx, "looping", looping, "to close the loop") },
		func(ctx context.Context) error { return t.evaluated(ctx, "2024-08") },
		func(ctx context.Context) error { return t.trained(ctx, trigger.Refit) },
		func(ctx context.Context) error { return t.evaluated(ctx, "2024-09") },
		t.released,
		func(ctx context.Context) error { return t.trained(ctx, trigger.Recalibrate) },
		func(ctx context.Context) error { return t.evaluated(ctx, "2024-10") },
		t.approve,
		func(ctx context.Context) error { return t.evaluated(ctx, "2024-11") },
		t.rollback, t.shadowed, t.backfill,
	} {
		if err := do(ctx); err != nil {
			return err
		}
	}
	return nil
}

// trained trains a candidate.
func (t *recording) trained(ctx context.Context, kind trigger.Kind) error {
	run, err := workflows.StartRetrain(ctx, t.client, "", workflows.RetrainInput{Pipeline: "retailer", Kind: kind, By: "demo", Reason: "to show how"})
	if err != nil {
		return err
	}
	var out workflows.RetrainOutput
	if err := run.Get(ctx, &out); err != nil {
		return err
	}
	if len(out.Candidates) == 0 {
		return fmt.Errorf("a training without candidates: %+v", out)
	}
	t.candidates = out.Candidates
	t.say("trained     from %v, %s: %d candidates of release %s", out.Batches, kind, len(out.Candidates), out.Release)
	return nil
}

// released waits until no release is left.
func (t *recording) released(ctx context.Context) error {
	var out workflows.ReleaseOutput
	err := t.client.GetWorkflow(ctx, workflows.ReleaseID("retailer"), "").Get(ctx, &out)
	t.say("release     %s: %s", out.Release, out.Outcome)
	return err
}

// registerAgain registers the pipeline with more in its file, which it keeps in a directory
// of that name. change are old and new texts of the file, in turns.
func (t *recording) registerAgain(ctx context.Context, name, more, reason string, change ...string) error {
	dir := filepath.Join(t.dir, name)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	for _, file := range []string{"pipeline.yaml", "contract.yaml", "labels.yaml"} {
		text, err := os.ReadFile(shipped(file))
		if err != nil {
			return err
		}
		if file == "pipeline.yaml" {
			text = []byte(strings.NewReplacer(change...).Replace(string(text) + more))
		}
		if err := os.WriteFile(filepath.Join(dir, file), text, 0o644); err != nil {
			return err
		}
	}
	_, err := registration.Request{Pipeline: filepath.Join(dir, "pipeline.yaml"), By: "demo", Reason: reason, At: now()}.Do(ctx, t.bucket, worker.Formats())
	return err
}

// evaluated delivers a month with its labels, scores it, and waits for its evaluation.
func (t *recording) evaluated(ctx context.Context, month string) (err error) {
	labels := t.path("labels/retailer/" + month)
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
	if _, err := t.shop.WriteDir(ctx, t.path("incoming/retailer/"+month), month, nil); err != nil {
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

// shadowed lets the candidates score August after the fact.
func (t *recording) shadowed(ctx context.Context) error {
	in := workflows.ShadowBatchInput{Pipeline: "retailer", Batch: "2024-08", Models: t.candidates, By: "demo"}
	run, err := t.client.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: workflows.ShadowID(in.Pipeline, in.Batch), TaskQueue: workflows.TaskQueue},
		workflows.ShadowBatch, in)
	if err != nil {
		return err
	}
	return run.Get(ctx, nil)
}

// asks waits until the release asks a person.
func (t *recording) asks(ctx context.Context) (card workflows.ReleaseCard, err error) {
	for {
		card = workflows.ReleaseCard{}
		if err := t.card(ctx, workflows.ReleaseID("retailer"), &card); err != nil {
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

// card asks a workflow how far it is. A worker that has just died gives no answer: then
// the next one is asked.
func (t *recording) card(ctx context.Context, id string, card any) error {
	for {
		value, err := t.client.QueryWorkflow(ctx, id, "", "scorecard")
		var late *serviceerror.DeadlineExceeded
		switch {
		case err == nil:
			return value.Get(card)
		case ctx.Err() != nil, !errors.Is(err, context.DeadlineExceeded) && !errors.As(err, &late):
			return err
		}
	}
}

// agreed says yes to what the release asks.
func (t *recording) agreed(ctx context.Context) (card workflows.ReleaseCard, err error) {
	if card, err = t.asks(ctx); err != nil {
		return card, err
	}
	answer := workflows.ReleaseAnswer{By: "demo", Reason: "it may show what it can", Decision: card.Next.Decision, Nonce: card.Next.Nonce}
	return card, workflows.TellRelease(ctx, t.client, "", "retailer", workflows.UpdateApprove, answer, nil)
}

// approve lets the candidate serve a share.
func (t *recording) approve(ctx context.Context) error {
	card, err := t.agreed(ctx)
	if err != nil {
		return err
	}
	for card.Step == "" || len(card.Arms) < 2 {
		if err := t.card(ctx, workflows.ReleaseID("retailer"), &card); err != nil {
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
func (t *recording) rollback(ctx context.Context) error {
	order := workflows.ReleaseRollback{By: "demo", Reason: "to show how"}
	if err := workflows.TellRelease(ctx, t.client, "", "retailer", workflows.UpdateRollback, order, nil); err != nil {
		return err
	}
	t.say("rolled back")
	return t.released(ctx)
}

// backfill scores a month after the fact.
func (t *recording) backfill(ctx context.Context) error {
	const month = "2024-12"
	if _, err := t.shop.WriteDir(ctx, t.path("incoming/retailer/"+month), month, nil); err != nil {
		return err
	}
	run, err := t.client.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: workflows.BackfillID("retailer"), TaskQueue: workflows.TaskQueue},
		workflows.Backfill, workflows.BackfillInput{Pipeline: "retailer", From: "2024-11", To: month, Mode: activities.AsNow, By: "demo", Reason: "to show how"})
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
