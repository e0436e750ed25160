package workflows

import (
	"time"

	"go.temporal.io/sdk/workflow"

	"headgate/activities"
	"headgate/internal/figure"
	"headgate/internal/store"
)

// decide compares the models that scored beside the champion, and asks the gate about
// those with a share of the rows. It returns the serving, "" for the champion alone.
func (b *batch) decide(ctx workflow.Context, data activities.JudgeDataOutput) (store.Digest, error) {
	if len(b.plan.Models) == 0 {
		return "", nil
	}
	if err := b.show(ctx, "CompareScores"); err != nil {
		return "", err
	}
	compared, err := run(stage(ctx, "Compare the scores of "+figure.Things(1+len(b.plan.Models), "model"), time.Hour), act.CompareScores,
		activities.CompareScoresInput{Run: b.plan.Run, Data: data.Paper})
	if err != nil {
		return "", err
	}
	b.card.Compared = compared.Models
	if !b.plan.Routed {
		return "", nil
	}
	if err := b.show(ctx, "DecideGate"); err != nil {
		return "", err
	}
	decided, err := run(stage(ctx, "Decide whose scores are published", 10*time.Minute), act.DecideGate, activities.DecideGateInput{
		Run: b.plan.Run, Data: data.Paper, Compare: compared.Paper, Operation: operation(ctx), At: workflow.Now(ctx).UTC(), By: b.in.By})
	b.out.Advance, b.out.Taken = decided.Advance, decided.Reason
	b.card.Advance, b.card.Taken = decided.Advance, decided.Reason
	return decided.Serving, err
}

// checkColour reads all that is to be published, if it gives the whole month to another
// model at once.
func (b *batch) checkColour(ctx workflow.Context, in activities.PublishInput) error {
	if !b.plan.Colour || b.out.Taken != "" {
		return nil
	}
	if err := b.show(ctx, "CheckTable"); err != nil {
		return err
	}
	_, err := run(stage(ctx, "Read the new colour in full", time.Hour), act.CheckTable,
		activities.CheckTableInput{Run: in.Run, Data: in.Data, Table: in.Table, Fallback: in.Fallback, Serving: in.Serving})
	return err
}

// lookAgain follows the commit: if a model whose scores were published was rejected
// meanwhile, the champion's take their place. Then it enters who has scored in shadow.
// A cancellation does not stop it any more.
func (b *batch) lookAgain(ctx workflow.Context, shards activities.Papers, serving store.Digest) error {
	if b.plan.Check {
		if err := b.checkRouting(ctx, serving); err != nil {
			return err
		}
	}
	if len(b.plan.Models) == 0 {
		return nil
	}
	out, err := run(stage(ctx, "Enter who has scored in shadow", 10*time.Minute), act.RecordShadow, activities.RecordShadowInput{
		Run: b.plan.Run, Shards: shards, Models: b.plan.Models, Operation: operation(ctx), At: workflow.Now(ctx).UTC(), By: b.in.By})
	if err != nil {
		return err
	}
	b.out.Anchor, b.card.Anchor = out.Anchor, out.Anchor
	return nil
}

func (b *batch) checkRouting(ctx workflow.Context, serving store.Digest) error {
	if err := b.show(ctx, "CheckRouting"); err != nil {
		return err
	}
	check, err := run(stage(ctx, "Look whether the models still serve", 5*time.Minute), act.CheckRouting,
		activities.CheckRoutingInput{Run: b.plan.Run, Serving: serving})
	if err != nil || len(check.Rejected) == 0 {
		return err
	}
	out, err := republish(ctx, RepublishBatchInput{Pipeline: b.in.Pipeline, Batch: b.in.Batch, By: b.in.By, Reason: check.Reason})
	if err != nil {
		return err
	}
	b.out.Taken, b.card.Taken = check.Reason, check.Reason
	b.published(out)
	return nil
}
