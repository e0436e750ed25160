package main

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"headgate/internal/registry"
	"headgate/internal/release"
	"headgate/internal/retailer"
	papers "headgate/internal/run"
	"headgate/internal/store"
	"headgate/workflows"
)

// september is the challenger's: August has said nothing against it.
func (t *story) september(ctx context.Context) error {
	if err := t.known(ctx, "2024-07"); err != nil {
		return err
	}
	card, err := t.released(ctx)
	if err != nil {
		return err
	}
	if card.Champion != t.second {
		return fmt.Errorf("before September the champion is %s, want %s; it waits for %s", papers.Short(card.Champion), papers.Short(t.second), card.Next.WaitsFor)
	}
	if len(card.Shadow) != 1 || card.Shadow[0] != string(t.first) {
		return fmt.Errorf("in shadow are %v, want the former champion", card.Shadow)
	}
	t.note("2024-09", "the canary passed: %s is the champion, the former one in shadow", papers.Short(t.second))
	out, err := t.month(ctx, "2024-09", retailer.NoFault, "the challenger is the champion, the former champion scores along in shadow")
	return cmp.Or(err, t.servedBy(out, t.second), published(out, 1, false))
}

// servedBy returns an error if a month was not served by one model alone.
func (t *story) servedBy(out workflows.ScoreBatchOutput, model store.Digest) error {
	if len(out.Models) == 0 && out.Model == model || len(out.Models) == 1 && out.Models[0].Model == model {
		return nil
	}
	return fmt.Errorf("served by %s, %+v, want %s alone", out.Model, out.Models, model)
}

// october has a challenger that knows nothing: evidence stops it.
func (t *story) october(ctx context.Context) error {
	if err := t.known(ctx, "2024-08"); err != nil {
		return err
	}
	model, err := t.handmade(ctx, shuffled, "somebody trained on labels that were mixed up")
	if err != nil {
		return err
	}
	card, err := t.start(ctx, model, shuffled, "it looked fine")
	if err != nil {
		return err
	}
	if err := t.stopped(ctx, card, model, "blocked in the shadow: "); err != nil {
		return err
	}
	t.note("2024-10", "a challenger of mixed-up labels: blocked by evidence")
	out, err := t.month(ctx, "2024-10", retailer.NoFault, "the champion serves")
	return cmp.Or(err, t.servedBy(out, t.second), published(out, 1, false))
}

// start asks for the release of a model that was made by hand, and waits until the
// release rests.
func (t *story) start(ctx context.Context, model store.Digest, r recipe, why string) (card workflows.ReleaseCard, err error) {
	in := workflows.ReleaseStart{Model: string(model), Batch: r.months[len(r.months)-1], By: "demo", Reason: why}
	if err := t.acts().start(ctx, in); err != nil {
		return card, err
	}
	return t.released(ctx)
}

// stopped returns an error unless a model was rejected for that reason, and the champion
// is as before and serves alone.
func (t *story) stopped(ctx context.Context, card workflows.ReleaseCard, model store.Digest, why string) error {
	log, err := registry.Load(ctx, t.bucket, "retailer")
	if err != nil {
		return err
	}
	if reason := log.State().Rejected[model]; !strings.HasPrefix(reason, why) {
		return fmt.Errorf("%s is rejected for %q, want %q", papers.Short(model), reason, why)
	}
	for _, arm := range card.Arms {
		if card.Champion != t.second || arm.Share > 0 && arm.Model != string(t.second) {
			return fmt.Errorf("the champion is %s and %s serves %s, want %s alone", papers.Short(card.Champion), arm.Model, release.StepName(arm.Share), papers.Short(t.second))
		}
	}
	return nil
}

// november has a canary that turns bad: what the challenger leans on is gone from one
// day to the next.
func (t *story) november(ctx context.Context) error {
	if err := t.known(ctx, "2024-09"); err != nil {
		return err
	}
	model, err := t.handmade(ctx, leaning, "made by hand of ten features and three months: what the tracker sees stands for visits")
	if err != nil {
		return err
	}
	card, err := t.start(ctx, model, leaning, "ten features instead of thirty")
	if err != nil {
		return err
	}
	if card.Next.Kind != release.DoAsk || card.Next.Model != string(model) {
		return fmt.Errorf("before November the release does %q, waits for %s", card.Next.Kind, card.Next.WaitsFor)
	}
	if err := t.approve(ctx, card); err != nil {
		return err
	}
	if _, err := t.released(ctx); err != nil {
		return err
	}
	out, err := t.month(ctx, "2024-11", retailer.Tracker, "the tracker is off, and nobody has told: items_viewed is 0 for everybody")
	if err := cmp.Or(err, t.servedBy(out, t.second), published(out, 1, false)); err != nil {
		return err
	}
	if card, err = t.released(ctx); err != nil {
		return err
	}
	if err := t.stopped(ctx, card, model, "it failed in step 10%: psi: the index of the candidate's scores against its shadow's is outside beyond doubt"); err != nil {
		return err
	}
	t.note("2024-11", "a canary turns bad: rolled back, all rows the champion's")
	return nil
}

// The models that were made by hand.
var (
	shuffled = recipe{name: "shuffled", months: []string{"2024-05", "2024-06", "2024-07"}, kept: 0.2, shuffled: true,
		parameters: map[string]string{"num_leaves": "7", "learning_rate": "0.05", "num_iterations": "50", "min_data_in_leaf": "100"}}
	leaning = recipe{name: "leaning", months: []string{"2024-05", "2024-06", "2024-07"}, kept: 0.2,
		features:   []string{"recency", "discount_share", "abandoned_carts", "return_rate", "app", "tenure", "segment", "items_viewed", "days_since_visit", "orders_12m"},
		parameters: map[string]string{"num_leaves": "2", "learning_rate": "0.1", "num_iterations": "300", "min_data_in_leaf": "100", "lambda_l2": "10", "max_cat_to_onehot": "8", "feature_fraction": "0.1"}}
)
