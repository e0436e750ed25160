package workflows

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/workflow"

	"headgate/activities"
)

// RestoreBatchInput names the publication that becomes the current one again.
type RestoreBatchInput struct {
	Pipeline    string `json:"pipeline"`
	Batch       string `json:"batch"`
	Publication int64  `json:"publication"`
	By          string `json:"by"`
	Reason      string `json:"reason"`
}

// RestoreBatch publishes an earlier publication of a batch again, in one commit.
// Its id is [RestoreID].
func RestoreBatch(ctx workflow.Context, in RestoreBatchInput) (activities.PublishOutput, error) {
	err := workflow.UpsertTypedSearchAttributes(ctx, attrPipeline.ValueSet(in.Pipeline), attrBatch.ValueSet(in.Batch),
		attrStage.ValueSet("Restore"))
	if err != nil {
		return activities.PublishOutput{}, err
	}
	found, err := run(stage(ctx, fmt.Sprintf("Find publication %d", in.Publication), 5*time.Minute), act.FindPublication,
		activities.FindPublicationInput{Pipeline: in.Pipeline, Batch: in.Batch, Publication: in.Publication})
	if err != nil {
		return activities.PublishOutput{}, err
	}
	out, err := run(stage(ctx, fmt.Sprintf("Restore publication %d", in.Publication), time.Hour), act.Restore,
		activities.RestoreInput{Pipeline: in.Pipeline, Batch: in.Batch, Publication: in.Publication, Expect: found.Expect,
			Operation: operation(ctx), At: workflow.Now(ctx).UTC(), By: in.By, Reason: in.Reason})
	if err != nil {
		return out, err
	}
	setDetails(ctx, TableCard{Pipeline: in.Pipeline, Batch: in.Batch, By: in.By, Reason: in.Reason, From: in.Publication, Done: out}.Markdown())
	return out, workflow.UpsertTypedSearchAttributes(ctx, attrVerdict.ValueSet("restored"), attrStage.ValueSet("Done"))
}
