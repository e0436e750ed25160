package main

import (
	"bytes"
	"errors"
	"testing"

	"headgate/internal/store"
	"headgate/workflows"
)

func TestWhatCameOfATrainingIsPrinted(t *testing.T) {
	for _, tt := range []struct {
		name    string
		out     workflows.RetrainOutput
		want    string
		blocked string // "" if it is not
	}{
		{name: "candidates", out: workflows.RetrainOutput{Verdict: "pass", Kind: "refit", Batches: []string{"2024-01", "2024-02"}, Windows: []string{"1", "2"},
			Reasons: []string{"window 1: it does not rank"}, Notes: []string{"the window of 3 batches has 2"}, Evidence: "sha256:e", Release: "2024-02-refit-1",
			Candidates: []store.Digest{"sha256:0123456789abcdef0"}, Anchor: "9:sha256:a"},
			want: `refit of 2024-01 to 2024-02, windows of 1, 2 batches
note      the window of 3 batches has 2
blocked   window 1: it does not rank
candidate 0123456789abcdef of release 2024-02-refit-1
evidence  sha256:e
registry  9:sha256:a
`},
		{name: "none is sound", out: workflows.RetrainOutput{Verdict: "block", Kind: "refit", Batches: []string{"2024-01"}, Windows: []string{"1"},
			Reasons: []string{"window 1: a leak"}, Evidence: "sha256:e", Anchor: "9:sha256:a"},
			want: `refit of 2024-01 to 2024-01, windows of 1 batches
blocked   window 1: a leak
evidence  sha256:e
registry  9:sha256:a
`, blocked: "no model of the training of retailer is sound"},
		{name: "nothing may be trained", out: workflows.RetrainOutput{Idle: []string{"the budget is spent"}}, blocked: "nothing is trained: the budget is spent"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var stdout bytes.Buffer
			err := printRetrain(&env{stdout: &stdout}, "retailer", tt.out)
			if stdout.String() != tt.want {
				t.Errorf("got\n%swant\n%s", stdout.String(), tt.want)
			}
			var blocked blockedError
			if errors.As(err, &blocked) != (tt.blocked != "") || err != nil && err.Error() != tt.blocked {
				t.Errorf("got %v, want %q", err, tt.blocked)
			}
		})
	}
}
