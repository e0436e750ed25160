package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"headgate/internal/registry"
	"headgate/internal/release"
	"headgate/internal/retailer"
	papers "headgate/internal/run"
	"headgate/internal/store"
	"headgate/internal/trigger"
)

// may changes prices. The features do not show it.
func (t *story) may(ctx context.Context) error {
	if err := t.known(ctx, "2024-03"); err != nil {
		return err
	}
	t.note("2024-05", "prices change, nobody knows")
	out, err := t.month(ctx, "2024-05", retailer.NoFault, "prices change, and with them who buys: no feature shows it")
	return cmp.Or(err, published(out, 1, false))
}

func (t *story) june(ctx context.Context) error {
	if err := t.known(ctx, "2024-04"); err != nil {
		return err
	}
	out, err := t.month(ctx, "2024-06", retailer.Cents, "basket_value arrives in cents")
	if err == nil && out.Verdict != registry.VerdictBlock {
		err = fmt.Errorf("june: verdict %q, want block", out.Verdict)
	}
	if err != nil {
		return err
	}
	t.note("2024-06", "amounts in cents: blocked, delivered again")
	out, err = t.month(ctx, "2024-06", retailer.NoFault, "delivered again, in euros")
	return cmp.Or(err, published(out, 1, false))
}

// known delivers the labels of a month, which must not start anything.
func (t *story) known(ctx context.Context, batch string) error {
	out, err := t.labels(ctx, batch)
	if err == nil && out.Retraining {
		err = fmt.Errorf("labels of %s: a training was started", batch)
	}
	return err
}

// july begins with what the labels of May reveal.
func (t *story) july(ctx context.Context) error {
	out, err := t.labels(ctx, "2024-05")
	if err != nil {
		return err
	}
	if !out.Retraining {
		return errors.New("labels of May: no training was started")
	}
	trained, err := t.retrained(ctx)
	if err != nil {
		return err
	}
	if trained.Kind != trigger.Refit || trained.Verdict != registry.VerdictPass || len(trained.Candidates) != 3 {
		return fmt.Errorf("after the labels of May: %+v", trained)
	}
	t.note("2024-07", "May's labels: AUC has fallen, three challengers trained")
	card, err := t.released(ctx)
	if err != nil {
		return err
	}
	if card.Next.Kind != release.DoNothing || len(card.Candidates) != 3 {
		return fmt.Errorf("after the training the release does %q with %d candidates", card.Next.Kind, len(card.Candidates))
	}
	t.say("            the release waits for %s", card.Next.WaitsFor)
	scored, err := t.month(ctx, "2024-07", retailer.NoFault, "the champion serves, and the three challengers score along in shadow")
	return cmp.Or(err, published(scored, 1, false))
}

// august begins with the labels of June, which no challenger has seen: the shadow is
// replayed on June.
func (t *story) august(ctx context.Context) error {
	if err := t.known(ctx, "2024-06"); err != nil {
		return err
	}
	card, err := t.released(ctx)
	if err != nil {
		return err
	}
	if card.Next.Kind != release.DoAsk || card.Next.Step != "10%" {
		return fmt.Errorf("before August the release does %q, waits for %s", card.Next.Kind, card.Next.WaitsFor)
	}
	t.second = store.Digest(card.Next.Model)
	t.note("2024-08", "June's labels: %s passes the replayed shadow; approved for 10%%", papers.Short(t.second))
	if err := t.approve(ctx, card); err != nil {
		return err
	}
	if card, err = t.released(ctx); err != nil {
		return err
	}
	if card.Step != "10%" {
		return fmt.Errorf("after the approval the step is %q", card.Step)
	}
	out, err := t.month(ctx, "2024-08", retailer.NoFault, "one customer in ten gets the challenger's score")
	if err == nil && (len(out.Models) != 2 || out.Models[1].Model != t.second || out.Models[1].Rows == 0) {
		err = fmt.Errorf("august: served by %+v", out.Models)
	}
	if err == nil {
		t.somebody, err = t.servedOne(ctx, "2024-08", t.second)
	}
	return cmp.Or(err, published(out, 1, false))
}

// servedOne returns the first customer of a month who was given a model's score.
func (t *story) servedOne(ctx context.Context, batch string, model store.Digest) (string, error) {
	rows, err := t.table(ctx, batch)
	if err != nil {
		return "", err
	}
	for _, id := range slices.Sorted(maps.Keys(rows)) {
		if rows[id].model == model {
			return id, nil
		}
	}
	return "", fmt.Errorf("%s: %s served nobody", batch, papers.Short(model))
}
