package gate_test

import (
	"testing"

	"headgate/internal/evaluate"
	"headgate/internal/gate"
)

// Where the world has moved both models out of the bounds, a candidate is not blocked
// because nobody knows which of them is nearer.
func TestBothCalibrationsOutside(t *testing.T) {
	e := func(value, low, high float64) evaluate.Estimate {
		return evaluate.Estimate{Value: value, Low: low, High: high, Level: 0.95, N: 1000}
	}
	inside := gate.Metric{Champion: e(1, 0.9, 1.1), Candidate: e(1, 0.9, 1.1), Difference: e(0, -0.1, 0.1)}
	for _, tt := range []struct {
		name    string
		large   gate.Metric
		batches []string
		want    gate.Verdict
		before  gate.Verdict // in the first format
	}{
		{"nobody knows which is nearer", gate.Metric{Champion: e(1.26, 0.8, 1.72), Candidate: e(1.32, 0.96, 1.68), Difference: e(0.06, -0.1, 0.22)}, []string{"1"}, gate.Inconclusive, gate.Block},
		{"nor at the last look", gate.Metric{Champion: e(1.26, 0.8, 1.72), Candidate: e(1.32, 0.96, 1.68), Difference: e(0.06, -0.1, 0.22)}, []string{"1", "2", "3"}, gate.Ask, gate.Block},
		{"the same below the best", gate.Metric{Champion: e(-1.26, -1.72, -0.8), Candidate: e(-1.32, -1.68, -0.96), Difference: e(-0.06, -0.22, 0.1)}, []string{"1"}, gate.Inconclusive, gate.Block},
		{"the candidate's is farther", gate.Metric{Champion: e(1.26, 0.8, 1.72), Candidate: e(1.32, 0.96, 1.68), Difference: e(0.06, 0.02, 0.1)}, []string{"1"}, gate.Block, gate.Block},
		{"the candidate's is farther, below", gate.Metric{Champion: e(-1.26, -1.72, -0.8), Candidate: e(-1.32, -1.68, -0.96), Difference: e(-0.06, -0.1, -0.02)}, []string{"1"}, gate.Block, gate.Block},
		{"the candidate's is nearer", gate.Metric{Champion: e(1.26, 0.8, 1.72), Candidate: e(1.1, 0.8, 1.4), Difference: e(-0.16, -0.2, -0.1)}, []string{"1"}, gate.Pass, gate.Pass},
		{"the champion's may be inside", gate.Metric{Champion: e(0.4, 0.1, 0.7), Candidate: e(0.5, 0.3, 0.7), Difference: e(0.1, -0.2, 0.3)}, []string{"1"}, gate.Block, gate.Block},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := policy(t, "{advance: {success: [auc], guardrails: {auc: 0.005}}}")
			o := &gate.Outcome{Batches: tt.batches, Looks: 3, Calibration: &gate.CalibrationOutcome{Slope: &inside, InTheLarge: &tt.large}}
			d := judge(t, p, gate.Advance, gate.Evidence{Outcome: o})
			rule := func(d *gate.Decision) gate.Verdict {
				for _, r := range d.Rules {
					if r.ID == "calibration/inTheLarge" {
						return r.Outcome
					}
				}
				return ""
			}
			if got := rule(d); got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
			d.Format = 1
			old, err := gate.Again(p, d)
			if err != nil {
				t.Fatal(err)
			}
			if got := rule(old); got != tt.before || old.Format != 1 {
				t.Errorf("a decision of format 1, judged again: %s, want %s", got, tt.before)
			}
		})
	}
	if _, err := gate.Again(gate.Default(), &gate.Decision{Format: gate.Format + 1, Subject: gate.Publish}); err == nil {
		t.Error("a decision of a format to come was judged")
	}
}
