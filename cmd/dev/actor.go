package main

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"

	"headgate/activities"
	"headgate/internal/quarantine"
	"headgate/internal/registration"
	"headgate/internal/store"
	"headgate/internal/worker"
	"headgate/workflows"
)

// An actor does what the story tells of the shop's people: the demo by itself, a test
// with the commands of production.
type actor interface {
	// register returns the digest of the model version.
	register(ctx context.Context, r registration.Request) (store.Digest, error)
	score(ctx context.Context, batch string) (workflows.ScoreBatchOutput, error)
	// replay hands corrected rows in and returns how many they are.
	replay(ctx context.Context, r quarantine.Request) (int64, error)
	// judge waits for what the labels of a batch say.
	judge(ctx context.Context, batch string) (workflows.EvaluateBatchOutput, error)
	start(ctx context.Context, in workflows.ReleaseStart) error
	approve(ctx context.Context, in workflows.ReleaseAnswer) error
	restore(ctx context.Context, in workflows.RestoreBatchInput) (activities.PublishOutput, error)
}

func (t *story) acts() actor {
	if t.by != nil {
		return t.by
	}
	return itself{t}
}

// itself acts in this process.
type itself struct{ *story }

func (t itself) register(ctx context.Context, r registration.Request) (store.Digest, error) {
	out, err := r.Do(ctx, t.bucket, worker.Formats())
	if err != nil {
		return "", err
	}
	return out.Version.Digest, nil
}

func (t itself) score(ctx context.Context, batch string) (out workflows.ScoreBatchOutput, err error) {
	run, err := workflows.StartScore(ctx, t.client, "", workflows.ScoreBatchInput{Pipeline: "retailer", Batch: batch, By: "demo"})
	if err != nil {
		return out, err
	}
	err = t.wait(ctx, run, &out)
	return out, err
}

func (t itself) replay(ctx context.Context, r quarantine.Request) (int64, error) {
	out, err := quarantine.Replay(ctx, t.bucket, worker.Formats(), r)
	if err != nil {
		return 0, err
	}
	return out.Rows, t.arrived(r.Batch, t.path(out.Key))
}

func (t itself) judge(ctx context.Context, batch string) (out workflows.EvaluateBatchOutput, err error) {
	run, err := workflows.StartEvaluate(ctx, t.client, "", workflows.EvaluateBatchInput{Pipeline: "retailer", Batch: batch, By: "demo"})
	if err != nil {
		return out, err
	}
	err = run.Get(ctx, &out)
	return out, reason(err)
}

func (t itself) start(ctx context.Context, in workflows.ReleaseStart) error {
	return reason(workflows.TellRelease(ctx, t.client, "", "retailer", workflows.UpdateStart, in, new(activities.AddCandidateOutput)))
}

func (t itself) approve(ctx context.Context, in workflows.ReleaseAnswer) error {
	return reason(workflows.TellRelease(ctx, t.client, "", "retailer", workflows.UpdateApprove, in, new(activities.CheckApprovalOutput)))
}

func (t itself) restore(ctx context.Context, in workflows.RestoreBatchInput) (out activities.PublishOutput, err error) {
	run, err := workflows.StartRestore(ctx, t.client, "", in)
	if err != nil {
		return out, err
	}
	err = run.Get(ctx, &out)
	return out, reason(err)
}

// carry brings the files of a delivery into the store, as a supplier uploads them: what
// was there under their names is replaced. Where the store is a directory, they are
// written there to begin with.
func (t *story) carry(ctx context.Context, prefix string) error {
	if t.before == "" {
		return nil
	}
	return filepath.WalkDir(t.path(prefix), func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		key := prefix + "/" + d.Name()
		if err := t.bucket.Delete(ctx, key); err != nil {
			return err
		}
		return t.bucket.Put(ctx, key, data)
	})
}
