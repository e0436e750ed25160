package main

import (
	"bytes"
	"errors"
	"testing"

	papers "headgate/internal/run"
	"headgate/workflows"
)

func TestOutcomeSaysWhatWasJudged(t *testing.T) {
	out := workflows.ScoreBatchOutput{Verdict: papers.Pass, Run: "sha256:1", Anchor: "7:sha256:2", Rows: 110, Published: 103, Quarantined: 10, Publication: 2, TableVersion: 4,
		Warnings: []string{"12 of 110 null values in age, must be less than 10 percent"}, Notes: []string{"history rule rows needs 3 batches, there are 2"},
		Replaced: 8, Fallback: 3, Answered: "grace: as every year",
		Keys: &papers.Keys{Before: "2024-01", Expected: 101, Delivered: 100, Scored: 98, Unscored: 2, New: 5, Vanished: 6},
		Drift: &papers.Drift{Level: "warn", Reference: "the model's month 02", Columns: []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"},
			Causes: []string{"a", "b"}}}
	world := `keys      100 delivered, 2 without a score; since 2024-01, which scored 101: 5 new, 6 gone
drift     warn, against the model's month 02: a, b, c, d, e, f, g, h and 2 more; carried by a, b
answered  grace: as every year
warning   12 of 110 null values in age, must be less than 10 percent
note      history rule rows needs 3 batches, there are 2
`
	for _, tt := range []struct {
		name string
		out  func(o workflows.ScoreBatchOutput) workflows.ScoreBatchOutput
		want string
		err  string
	}{
		{"published", func(o workflows.ScoreBatchOutput) workflows.ScoreBatchOutput { return o },
			`shop 2024-02: 110 rows in = 100 published + 10 quarantined (8 of them corrected and published); published as publication 2, table version 4
fallback  3 rows more, with a score that is not the model's of this batch
` + world + "run sha256:1\nregistry 7:sha256:2\n", ""},
		{"blocked", func(o workflows.ScoreBatchOutput) workflows.ScoreBatchOutput {
			o.Verdict, o.Reasons = papers.Block, []string{"too few rows", "too many nulls"}
			return o
		}, world, "shop 2024-02 is blocked, nothing was published: too few rows; too many nulls"},
		{"without anything to compare with", func(o workflows.ScoreBatchOutput) workflows.ScoreBatchOutput {
			return workflows.ScoreBatchOutput{Verdict: papers.Pass, Run: "sha256:1", Anchor: "7:sha256:2", Rows: 9, Published: 9, Publication: 1, Unchanged: true}
		}, "shop 2024-02: 9 rows in = 9 published + 0 quarantined; same bytes as publication 1: no new commit\nrun sha256:1\nregistry 7:sha256:2\n", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var text bytes.Buffer
			err := tell(&env{stdout: &text}, "shop", "2024-02", tt.out(out), false)
			var blocked blockedError
			if (err != nil) != (tt.err != "") || err != nil && (err.Error() != tt.err || !errors.As(err, &blocked)) {
				t.Errorf("got %v, want %q", err, tt.err)
			}
			if text.String() != tt.want {
				t.Errorf("got\n%swant\n%s", text.String(), tt.want)
			}
		})
	}
}
