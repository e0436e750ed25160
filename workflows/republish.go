package workflows

import (
	"errors"
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"headgate/activities"
	papers "headgate/internal/run"
	"headgate/internal/store"
)

// RepublishBatchInput names a published batch that gets the scores of one model.
type RepublishBatchInput struct {
	Pipeline string       `json:"pipeline"`
	Batch    string       `json:"batch"`
	Model    store.Digest `json:"model,omitempty"` // default: the champion in force
	By       string       `json:"by"`
	Reason   string       `json:"reason"`
}

// RepublishID is the id of the workflow that publishes a batch again from stored scores.
func RepublishID(pipeline, batch string) string { return "republish/" + pipeline + "/" + batch }

// tries is how often a batch is planned again because another run published it meanwhile.
const tries = 5

// RepublishBatch publishes the current run of a batch again with the scores of one model
// in every row, in one commit that says why. Nothing is scored again, unless the model
// has not scored this run at all. If no row has another model's score, the publication
// stays as it is and the output says Unchanged. The id is [RepublishID].
func RepublishBatch(ctx workflow.Context, in RepublishBatchInput) (activities.PublishOutput, error) {
	err := workflow.UpsertTypedSearchAttributes(ctx, attrPipeline.ValueSet(in.Pipeline), attrBatch.ValueSet(in.Batch), attrStage.ValueSet("Republish"))
	if err != nil {
		return activities.PublishOutput{}, err
	}
	out, err := republish(ctx, in)
	if err != nil {
		return out, err
	}
	setDetails(ctx, TableCard{Pipeline: in.Pipeline, Batch: in.Batch, By: in.By, Reason: in.Reason, Done: out}.Markdown())
	return out, workflow.UpsertTypedSearchAttributes(ctx, attrVerdict.ValueSet("republished"), attrStage.ValueSet("Done"))
}

// republish publishes the batch again. Whoever else publishes it first is looked at: if
// that does not settle it, it is published once more.
func republish(ctx workflow.Context, in RepublishBatchInput) (activities.PublishOutput, error) {
	for try := 1; ; try++ {
		out, err := republishOnce(ctx, in, try)
		if !conflicts(err) || try == tries {
			return out, err
		}
	}
}

func republishOnce(ctx workflow.Context, in RepublishBatchInput, try int) (activities.PublishOutput, error) {
	plan, err := planRepublish(ctx, in)
	if err != nil {
		return activities.PublishOutput{}, err
	}
	if plan.Current != nil {
		return *plan.Current, nil
	}
	shards := activities.Papers{Lists: plan.Lists}
	if plan.Shards <= window {
		shards = activities.Papers{}
		if shards.Items, err = run(stage(ctx, "Read the list of results", 5*time.Minute), act.ReadList, plan.Lists[0]); err != nil {
			return activities.PublishOutput{}, err
		}
	}
	table, err := assembleAll(ctx, AssembleShardsInput{Run: plan.Run, Parallel: plan.Parallel, Data: plan.Data, To: plan.Shards, Serving: plan.Serving}, shards)
	if err != nil {
		return activities.PublishOutput{}, err
	}
	var fallback *papers.Object
	if plan.Fallback {
		found, err := run(stage(ctx, "Assemble the fallback scores", time.Hour), act.AssembleFallback,
			activities.AssembleFallbackInput{Run: plan.Run, Data: plan.Data})
		if err != nil {
			return activities.PublishOutput{}, err
		}
		fallback = &found
	}
	if err := ctx.Err(); err != nil {
		return activities.PublishOutput{}, err
	}
	disconnected, _ := workflow.NewDisconnectedContext(ctx)
	return run(stage(disconnected, "Commit "+in.Batch+" to the table", 10*time.Minute), act.Publish, activities.PublishInput{
		Run: plan.Run, Model: plan.Model, Contract: plan.Contract, Head: plan.Head, Expect: plan.Expect, Data: plan.Data, Table: table, Fallback: fallback,
		Serving: plan.Serving, Reason: in.Reason, Operation: fmt.Sprintf("%s/republish/%d", operation(ctx), try), At: workflow.Now(ctx).UTC(), By: in.By})
}

// planRepublish pins what is published again. A model that has not scored the batch does
// so first.
func planRepublish(ctx workflow.Context, in RepublishBatchInput) (activities.PlanRepublishOutput, error) {
	want := activities.PlanRepublishInput{Pipeline: in.Pipeline, Batch: in.Batch, Model: in.Model, Reason: in.Reason}
	find := func() (activities.PlanRepublishOutput, error) {
		return run(stage(ctx, "Find the scores of "+in.Batch, 5*time.Minute), act.PlanRepublish, want)
	}
	plan, err := find()
	if err != nil || !plan.Unscored {
		return plan, err
	}
	want.Model = plan.Model
	scored, err := ShadowBatch(ctx, ShadowBatchInput{Pipeline: in.Pipeline, Batch: in.Batch, Models: []store.Digest{plan.Model}, By: in.By})
	if err != nil {
		return plan, err
	}
	if len(scored.Failed) > 0 {
		return plan, temporal.NewNonRetryableApplicationError(fmt.Sprintf("batch %s cannot be published again: %s", in.Batch, scored.Failed[0].Reason), activities.KindConfig, nil)
	}
	return find()
}

// conflicts reports whether another run published a batch meanwhile.
func conflicts(err error) bool {
	var app *temporal.ApplicationError
	return errors.As(err, &app) && app.Type() == activities.KindConflict
}
