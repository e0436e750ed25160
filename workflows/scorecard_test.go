package workflows_test

import (
	"testing"

	"headgate/activities"
	"headgate/internal/run"
	"headgate/workflows"
)

func TestScorecardMarkdown(t *testing.T) {
	psi, flips := 0.012, 0.034
	for _, tt := range []struct {
		name string
		card workflows.Scorecard
		want string
	}{
		{
			name: "before the plan there is only a stage",
			card: workflows.Scorecard{Pipeline: "retailer", Batch: "2024-01", Stage: "Resolve"},
			want: "### retailer 2024-01: running\n\n| Stage | Resolve |\n|---|---|\n",
		},
		{
			name: "a published month has its numbers and what went to quarantine",
			card: workflows.Scorecard{Pipeline: "retailer", Batch: "2024-02", Stage: "Done", Verdict: "pass", Model: "aa", Run: "bb",
				Files: 2, Bytes: 1234567, Rows: 20000, RowsDone: 20000, Shards: 2, ShardsDone: 2, Quarantined: 80, Budget: 200,
				Rules:     []activities.RuleCount{{Rule: "age.maximum", Rows: 80}},
				Published: 19920, Publication: 1, TableVersion: 3, Anchor: "8:sha256:cc"},
			want: "### retailer 2024-02: published\n\n| Stage | Done |\n|---|---|\n" +
				"| Input | 20\u202f000 rows in 2 files, 1.2 MB |\n| Shards | 2 of 2 done, 20\u202f000 rows read |\n" +
				"| Quarantine | 80 rows of 200 allowed |\n| Published | 19\u202f920 rows as publication 1, table version 3 |\n" +
				"| Champion | `aa` |\n| Run | `bb` |\n| Registry | entry 8, `cc` |\n" +
				"\n**In quarantine by rule**\n\n- `age.maximum`: 80 rows\n",
		},
		{
			name: "a canary month shows what its models said and whom they serve",
			card: workflows.Scorecard{Pipeline: "retailer", Batch: "2024-08", Stage: "Done", Verdict: "pass",
				Compared: []activities.ComparedModel{{Model: "sha256:c1", Rows: 10000, PSI: &psi, Flips: &flips}, {Model: "sha256:c2", Failed: "it|broke\noff"}},
				Advance:  []activities.Advance{{Model: "sha256:c1", Verdict: "pass"}},
				Serves:   []run.ModelRows{{Model: "sha256:a1", Rows: 17900}, {Model: "sha256:c1", Rows: 2100}}, Taken: "no more"},
			want: "### retailer 2024-08: published\n\n| Stage | Done |\n|---|---|\n" +
				"| Challenger | `c1`: 10\u202f000 rows compared, PSI 0.012, decisions that change 0.034 |\n" +
				"| Challenger | `c2`: **failed**: it\\|broke off |\n| Gate | `c1`: **pass** |\n" +
				"| Serves | `a1` 17\u202f900 rows, `c1` 2\u202f100 rows |\n| Champion alone | no more |\n",
		},
		{
			name: "a blocked month says why",
			card: workflows.Scorecard{Pipeline: "retailer", Batch: "2024-04", Stage: "Done", Verdict: "block", Reasons: []string{"column visits_30d is missing"}},
			want: "### retailer 2024-04: **blocked**, nothing was published\n\n| Stage | Done |\n|---|---|\n" +
				"\n**Why**\n\n- column visits_30d is missing\n",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.card.Markdown(); got != tt.want {
				t.Errorf("got:\n%s\nwant:\n%s", got, tt.want)
			}
		})
	}
}
