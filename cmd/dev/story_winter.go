package main

import (
	"context"
	"errors"
	"fmt"

	"headgate/internal/registry"
	"headgate/internal/retailer"
	"headgate/internal/trigger"
)

// december is the season, for which the champion says too little.
func (t *story) december(ctx context.Context) error {
	if err := t.known(ctx, "2024-10"); err != nil {
		return err
	}
	if _, err := t.released(ctx); err != nil {
		return err
	}
	out, err := t.month(ctx, "2024-12", retailer.NoFault, "the season")
	if err := errors.Join(err, t.servedBy(out, t.second), published(out, 1, false)); err != nil {
		return err
	}
	t.say("2025         the labels of November come")
	said, err := t.labels(ctx, "2024-11")
	if err != nil {
		return err
	}
	if !said.Retraining {
		return errors.New("labels of November: no training was started")
	}
	trained, err := t.retrained(ctx)
	if err == nil && (trained.Kind != trigger.Recalibrate || trained.Verdict != registry.VerdictPass || len(trained.Candidates) != 1) {
		err = fmt.Errorf("after the labels of November: %+v", trained)
	}
	return err
}
