package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"

	"headgate/internal/delta"
	"headgate/internal/registry"
	"headgate/internal/retailer"
	papers "headgate/internal/run"
	"headgate/internal/store"
	"headgate/internal/trigger"
	"headgate/workflows"
)

// december is the season, and what was published of it is taken back.
func (t *story) december(ctx context.Context) error {
	if err := t.known(ctx, "2024-10"); err != nil {
		return err
	}
	out, err := t.month(ctx, "2024-12", retailer.NoFault, "the season")
	if err := cmp.Or(err, t.servedBy(out, t.second), published(out, 1, false)); err != nil {
		return err
	}
	before, err := t.bytes(ctx, "2024-12")
	if err != nil {
		return err
	}
	delivered, aside := t.path("incoming/retailer/2024-12/part-0000.parquet"), filepath.Join(t.dir, "delivered-2024-12.parquet")
	if err := os.Rename(delivered, aside); err != nil {
		return err
	}
	out, err = t.month(ctx, "2024-12", retailer.Tracker, "delivered once more by mistake, without the tracker as in November, and scored")
	if err := cmp.Or(err, published(out, 2, false)); err != nil {
		return err
	}
	return cmp.Or(t.takeBack(ctx, before), os.Rename(aside, delivered), t.carry(ctx, "incoming/retailer/2024-12"))
}

// takeBack restores what was published of December first.
func (t *story) takeBack(ctx context.Context, before map[string]store.Digest) error {
	between, err := t.bytes(ctx, "2024-12")
	if err != nil {
		return err
	}
	out, err := t.acts().restore(ctx, workflows.RestoreBatchInput{Pipeline: "retailer", Batch: "2024-12", Publication: 1,
		By: "demo", Reason: "the second delivery was a mistake"})
	if err != nil {
		return err
	}
	after, err := t.bytes(ctx, "2024-12")
	if err != nil {
		return err
	}
	if out.Publication != 3 || maps.Equal(before, between) || !maps.Equal(before, after) {
		return fmt.Errorf("december restored: publication %d; files %v, then %v, then %v", out.Publication, before, between, after)
	}
	for _, d := range after {
		t.say("2024-12     rolled back by hand: publication 3 is publication 1 again, byte for byte (%s)\n", papers.Short(d))
	}
	t.note("2024-12", "a second delivery by mistake; rolled back by hand, same bytes")
	return nil
}

// bytes returns the digests of the files of the published table that hold a month.
func (t *story) bytes(ctx context.Context, batch string) (map[string]store.Digest, error) {
	table := delta.Open(t.bucket, "scores/retailer")
	snapshot, err := table.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	digests := map[string]store.Digest{}
	for _, f := range snapshot.Files(batch) {
		data, err := t.bucket.Get(ctx, table.Key(f.Path))
		if err != nil {
			return nil, err
		}
		digests[f.Path] = store.DigestOf(data)
	}
	return digests, nil
}

// season is what the labels of November reveal: the champion ranks as before, beyond
// doubt, and says too little to everybody. It gets a new calibration, which has to prove
// itself as any other candidate.
func (t *story) season(ctx context.Context) error {
	t.say("2025-01     the labels of November come")
	said, err := t.labels(ctx, "2024-11")
	if err != nil {
		return err
	}
	if !said.Retraining {
		return errors.New("labels of November: no training was started")
	}
	trained, err := t.retrained(ctx)
	if err != nil {
		return err
	}
	if trained.Kind != trigger.Recalibrate || trained.Verdict != registry.VerdictPass || len(trained.Candidates) != 1 {
		return fmt.Errorf("after the labels of November: %+v", trained)
	}
	card, err := t.released(ctx)
	if err != nil {
		return err
	}
	if card.Champion != t.second {
		return fmt.Errorf("after the recalibration the champion is %s", papers.Short(card.Champion))
	}
	t.note("2024-12", "November's labels: calibration lost for the season, %s recalibrated", papers.Short(t.second))
	return nil
}
