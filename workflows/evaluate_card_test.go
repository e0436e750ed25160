package workflows_test

import (
	"testing"

	"headgate/activities"
	"headgate/internal/evaluate"
	"headgate/internal/evidence"
	"headgate/workflows"
)

func TestEvaluationCardMarkdown(t *testing.T) {
	auc := evaluate.Estimate{Value: 0.7512, Low: 0.74, High: 0.7623, Level: 0.95, N: 18000}
	no := false
	for _, tt := range []struct {
		name string
		card workflows.EvaluationCard
		want string
	}{
		{
			name: "while labels are waited for, scores alone say what to expect",
			card: workflows.EvaluationCard{Pipeline: "retailer", Batch: "2024-01", Stage: "WaitForMaturity", Model: "aa", Run: "bb",
				Due: "2024-02-14T00:00:00Z", Until: "2024-02-24T00:00:00Z", Next: "2024-02-14T00:00:00Z", Where: "labels/{batch}/*.parquet", Marker: "missing",
				Forecast: []evaluate.Measured{{Metric: evaluate.AUC, Estimate: auc}}, Distrusted: "2023-12"},
			want: "### retailer 2024-01: waits for labels\n\n| Stage | WaitForMaturity |\n|---|---|\n" +
				"| Labels are due | 2024-02-14T00:00:00Z, and waited for until 2024-02-24T00:00:00Z |\n" +
				"| Label files | `labels/{batch}/*.parquet`: 0 files, 0 rows |\n| Marker of completeness | missing |\n" +
				"| Looked for again | 2024-02-14T00:00:00Z |\n| Champion | `aa` |\n| Run | `bb` |\n" +
				"\n**Expected without labels, if the scores are calibrated (not to be trusted: for 2023-12 it was off)**\n\n- auc 0.751 (0.740 to 0.762)\n" +
				"\nAre the labels there? Press *Signal* above and send `labels`: they are looked for at once.\n",
		},
		{
			name: "an evaluation has a line for each model",
			card: workflows.EvaluationCard{Pipeline: "retailer", Batch: "2024-01", Stage: "Done", Verdict: "pass", Model: "aa", Run: "bb", Paper: "cc",
				Counts: &evidence.RowCount{Scored: 20000, Judged: 18400, Treated: 1600}, Known: &evaluate.Estimate{Value: 1},
				Models: []activities.EvaluatedModel{{Model: "sha256:aa", Role: "champion", Rows: 18400, AUC: &auc, LogLoss: &auc, Slope: &auc},
					{Model: "sha256:dd", Role: "shadow", Problem: "there are no | rows"}},
				Forecast: []evaluate.Measured{{Metric: evaluate.AUC, Estimate: auc}}, Trusted: &no, Triggers: []string{"auc fell"}, NotYet: []string{"cooldown"}},
			want: "### retailer 2024-01: evaluated\n\n| Stage | Done |\n|---|---|\n" +
				"| Rows | 18\u202f400 judged of 20\u202f000 scored; 0 without an outcome, 1\u202f600 treated |\n| Outcome known | 100.0 % |\n" +
				"| Champion | `aa` |\n| Run | `bb` |\n| Evaluation | blob `cc` |\n" +
				"\n| Model | Rows | AUC | Log loss | Calibration slope |\n|---|---|---|---|---|\n" +
				"| champion `aa` | 18\u202f400 | 0.751 (0.740 to 0.762) | 0.751 (0.740 to 0.762) | 0.751 (0.740 to 0.762) |\n" +
				"| shadow `dd` | 0 | there are no \\| rows | – | – |\n" +
				"\n**Expected without labels, if the scores are calibrated (labels say otherwise)**\n\n- auc 0.751 (0.740 to 0.762)\n" +
				"\n**Speaks for a training**\n\n- auc fell\n\n**And against one now**\n\n- cooldown\n",
		},
		{
			name: "refused labels say why",
			card: workflows.EvaluationCard{Pipeline: "retailer", Batch: "2024-01", Stage: "Done", Verdict: "block", Reasons: []string{"column bought is missing"}},
			want: "### retailer 2024-01: **labels refused**\n\n| Stage | Done |\n|---|---|\n\n**Why**\n\n- column bought is missing\n",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.card.Markdown(); got != tt.want {
				t.Errorf("got:\n%s\nwant:\n%s", got, tt.want)
			}
		})
	}
}
