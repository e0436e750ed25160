package evaluate_test

import (
	"math/rand/v2"
	"testing"

	"headgate/internal/evaluate"
)

// Of many samples from a world whose truth is known, nearly all intervals hold it.
// bench/coverage counts more of them, in more worlds.
func TestIntervalsHoldTheTruth(t *testing.T) {
	const samples = 200
	// A row has probability p, evenly in (0, 1), and the label 1 with that. Scores are
	// too careful: ½ + 0.85·(p − ½). Group b has a p that is higher by 0.04.
	truths := []struct {
		metric evaluate.Metric
		truth  float64
	}{
		{evaluate.AUC, 5.0 / 6},
		{evaluate.KS, 0.5},
		{evaluate.ECE, 0.15 / 4},
		{evaluate.Brier, 1.0/6 + 0.15*0.15/12},
		{"accuracy@0.5", 0.75},
		{"capture@0.2", 0.36},
		{evaluate.DemographicParity, 0.04},
	}
	held := make([]int, len(truths))
	for seed := range uint64(samples) {
		r := rand.New(rand.NewPCG(seed, 0))
		var d evaluate.Data
		group := evaluate.Dimension{Name: "group"}
		shifted := evaluate.Data{}
		for i := range 300 {
			p := r.Float64()
			label := 0.0
			if r.Float64() < p {
				label = 1
			}
			d.Scores, d.Labels = append(d.Scores, 0.5+0.85*(p-0.5)), append(d.Labels, label)
			group.Values = append(group.Values, []string{"a", "b"}[i%2])
			shifted.Scores = append(shifted.Scores, p+0.04*float64(i%2))
		}
		shifted.Labels = d.Labels
		o := &evaluate.Options{Seed: seed, Replicates: 100}
		for i, c := range truths {
			var e evaluate.Estimate
			switch c.metric {
			case evaluate.DemographicParity:
				p, err := evaluate.Fairness(shifted, group, 0.5, 0, o)
				if err != nil {
					t.Fatal(err)
				}
				e = *p.DemographicParity
			default:
				e = of(t, c.metric, d, o)
			}
			if e.Low <= c.truth && c.truth <= e.High {
				held[i]++
			}
		}
	}
	for i, c := range truths {
		if held[i] < samples*92/100 {
			t.Errorf("%s: %d of %d intervals hold %g", c.metric, held[i], samples, c.truth)
		}
	}
}
