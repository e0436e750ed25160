package gate_test

import (
	"math"
	"testing"

	"headgate/internal/gate"
)

func TestSimulateTellsFalsePassesFromFalseBlocks(t *testing.T) {
	past := []gate.Paired{world(9, 1000, 1, 2, 0.2), world(10, 1000, 1, 2, 0.2)}
	past[1].Batches = []string{"2024-02"}
	p := policy(t, "{looks: 2, advance: {calibration: none}}")
	s, err := gate.Simulate(p, past, &gate.SimulateOptions{Samples: 20, Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	if s.Equal.Pass > 0.05 || s.Observed.Pass < 0.9 || s.Opposite.Pass > 0 || s.Opposite.Block < 0.9 {
		t.Errorf("%+v", s)
	}
	if sum := s.Observed.Pass + s.Observed.Block + s.Observed.Ask + s.Observed.Inconclusive; math.Abs(sum-1) > 1e-9 || s.Observed.PassedBy[1] != s.Observed.Pass {
		t.Errorf("the rates of %+v add up to %g", s.Observed, sum)
	}
	again, err := gate.Simulate(p, past, &gate.SimulateOptions{Samples: 20, Seed: 3})
	if err != nil || again.Equal.Batches != s.Equal.Batches || again.Observed.Pass != s.Observed.Pass {
		t.Errorf("%+v and then %+v (%v)", s, again, err)
	}
	past[1].Data.Clusters = nil
	if _, err := gate.Simulate(gate.Default(), past, nil); err == nil {
		t.Error("batches with and without clusters were put together")
	}
	if _, err := gate.Simulate(gate.Default(), nil, nil); err == nil {
		t.Error("nothing was simulated")
	}
}

func BenchmarkJudgement(b *testing.B) {
	in := world(1, 20_000, 1, 0.5, 0.5)
	for b.Loop() {
		o, err := gate.Measure(gate.Default(), gate.Advance, in)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := gate.Judge(gate.Default(), gate.Advance, gate.Evidence{Outcome: o}, nil); err != nil {
			b.Fatal(err)
		}
	}
}
