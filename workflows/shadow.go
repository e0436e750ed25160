package workflows

import (
	"go.temporal.io/sdk/workflow"

	"headgate/activities"
	"headgate/internal/store"
)

// ShadowBatchInput names models that score a published batch after the fact.
type ShadowBatchInput struct {
	Pipeline string         `json:"pipeline"`
	Batch    string         `json:"batch"`
	Models   []store.Digest `json:"models"`
	By       string         `json:"by"`
}

// ShadowBatchOutput says which models have scored every row, and why others have not.
type ShadowBatchOutput struct {
	Run    store.Digest             `json:"run"` // that is published
	Rows   int64                    `json:"rows"`
	Scored []store.Digest           `json:"scored,omitempty"`
	Failed []activities.FailedModel `json:"failed,omitempty"`
	Anchor string                   `json:"anchor,omitempty"`
}

// ShadowID is the id of the workflow that lets models score a published batch.
func ShadowID(pipeline, batch string) string { return "shadow/" + pipeline + "/" + batch }

// ShadowBatch lets models score the rows of a published batch, from the input that its
// run recorded, and publishes nothing. Each model that has scored every row gets a
// shadow entry in the registry. A model that has one already is not asked again. The id
// is [ShadowID].
func ShadowBatch(ctx workflow.Context, in ShadowBatchInput) (ShadowBatchOutput, error) {
	return ShadowBatchOutput{}, nil
}
