package workflows_test

import (
	"encoding/json"
	"regexp"
	"testing"

	sdkpb "go.temporal.io/api/sdk/v1"

	"headgate/workflows"
)

// example finds the data that a description shows.
var example = regexp.MustCompile(`\{.*?\}`)

// The form of an Update shows its description: whoever fills it in finds what to paste.
func TestEveryUpdateShowsWhatToPaste(t *testing.T) {
	w := delivered(t, "ask", "50%")
	for _, tt := range []struct {
		name     string
		flow, in any
		updates  int
	}{
		{"ScoreBatch", workflows.ScoreBatch, workflows.ScoreBatchInput{Pipeline: "retailer", Batch: "2024-02"}, 3},
		{"ScoreShards", workflows.ScoreShards, workflows.ScoreShardsInput{}, 2},
		{"EvaluateBatch", workflows.EvaluateBatch, workflows.EvaluateBatchInput{Pipeline: "retailer", Batch: "2024-02"}, 1},
		{"Retrain", workflows.Retrain, workflows.RetrainInput{Pipeline: "retailer"}, 1},
		{"Release", workflows.Release, workflows.ReleaseInput{Pipeline: "retailer"}, 7},
	} {
		t.Run(tt.name, func(t *testing.T) {
			env := w.env()
			env.ExecuteWorkflow(tt.flow, tt.in) // what comes of it does not matter
			var metadata sdkpb.WorkflowMetadata
			value, err := env.QueryWorkflow("__temporal_workflow_metadata")
			if err == nil {
				err = value.Get(&metadata)
			}
			if err != nil {
				t.Fatal(err)
			}
			updates := metadata.GetDefinition().GetUpdateDefinitions()
			if len(updates) != tt.updates {
				t.Errorf("%d Updates, want %d", len(updates), tt.updates)
			}
			for _, u := range updates {
				if data := example.FindString(u.GetDescription()); !json.Valid([]byte(data)) {
					t.Errorf("%s shows %q, which cannot be pasted: %s", u.GetName(), data, u.GetDescription())
				}
			}
		})
	}
}
