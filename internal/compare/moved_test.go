package compare_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"headgate/internal/compare"
	"headgate/internal/evaluate"
)

// pair draws the scores of a champion around a mean, and what a challenger says of them.
func pair(seed uint64, rows int, mean float64, says func(champion, noise float64) float64) compare.Pair {
	random := rand.New(rand.NewPCG(seed, 1))
	var p compare.Pair
	for range rows {
		logit := mean + random.NormFloat64()
		p.Champion = append(p.Champion, 1/(1+math.Exp(-logit)))
		p.Challenger = append(p.Challenger, says(logit, random.NormFloat64()))
	}
	return p
}

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

func TestMoved(t *testing.T) {
	recalibrated := func(x, _ float64) float64 { return sigmoid(1.5 + 0.7*x) }
	other := func(x, noise float64) float64 { return sigmoid(1 + 0.6*x + 0.5*noise) }
	for _, tt := range []struct {
		name        string
		before, now func(x, noise float64) float64
		moves       float64 // of the mean of the champion's log odds
		least, most float64 // of the index
		flips       float64 // at most, either way
	}{
		{"a new calibration of the same trees", recalibrated, recalibrated, 0, 0, 0.001, 0.02},
		{"a new calibration, and other rows", recalibrated, recalibrated, 1.5, 0, 0.001, 0.1},
		{"another model", other, other, 0, 0, 0.02, 0.03},
		{"another model, and other rows", other, other, 1, 0, 0.1, 0.15},
		{"a model that loses what it leaned on", other, func(_, noise float64) float64 { return sigmoid(-1 + 0.1*noise) }, 0, 2, 20, 1},
		{"the same, hidden by rows that move as far", other, func(_, noise float64) float64 { return sigmoid(-1 + 0.1*noise) }, -1, 1, 20, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m, err := compare.Moved(pair(1, 4000, -1, tt.before), pair(2, 3000, -1+tt.moves, tt.now), &compare.Options{Threshold: at(0.5)})
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("PSI %v, shift %v, flips %v", m.PSI, m.Shift, *m.Flips)
			if !(m.PSI.Value >= tt.least && m.PSI.Value <= tt.most && m.PSI.Low <= m.PSI.Value && m.PSI.Value <= m.PSI.High) {
				t.Errorf("the index is %v, want it between %g and %g", m.PSI, tt.least, tt.most)
			}
			if math.Abs(m.Flips.Value) > tt.flips {
				t.Errorf("flips %v, want at most %g", *m.Flips, tt.flips)
			}
		})
	}
}

func TestMovedKnowsWhatChanceDoes(t *testing.T) {
	says := func(x, noise float64) float64 { return sigmoid(0.6*x + 0.8*noise) }
	inside := [2]int{}
	const draws = 100
	for seed := range uint64(draws) {
		m, err := compare.Moved(pair(2*seed, 400, 0, says), pair(2*seed+1, 300, 0.3, says), nil)
		if err != nil {
			t.Fatal(err)
		}
		if m.Flips != nil {
			t.Fatal("decisions without a threshold")
		}
		if m.Shift.Low <= 0 && m.Shift.High >= 0 {
			inside[0]++
		}
		if m.PSI.Low <= 0.01 {
			inside[1]++
		}
	}
	for i, what := range []string{"shift", "index"} {
		if share := float64(inside[i]) / draws; share < 0.9 {
			t.Errorf("the interval of the %s has the truth in %.0f %% of the draws, want 95 %%", what, 100*share)
		}
	}
}

func TestMovedRefusesWhatCannotBeCompared(t *testing.T) {
	good := pair(1, 50, 0, func(x, _ float64) float64 { return sigmoid(x) })
	for _, tt := range []struct {
		name        string
		before, now compare.Pair
	}{
		{"no rows before", compare.Pair{}, good},
		{"no rows now", good, compare.Pair{}},
		{"fewer scores of the challenger", good, compare.Pair{Champion: []float64{1, 2}, Challenger: []float64{1}}},
		{"a score that is none", good, compare.Pair{Champion: []float64{0.5}, Challenger: []float64{math.NaN()}}},
		{"clusters of other rows", compare.Pair{Champion: good.Champion, Challenger: good.Challenger, Clusters: []uint64{1}}, good},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var input *evaluate.InputError
			if _, err := compare.Moved(tt.before, tt.now, nil); !errors.As(err, &input) {
				t.Errorf("got %v", err)
			}
		})
	}
	constant := compare.Pair{Champion: slices.Repeat([]float64{0.5}, 50), Challenger: slices.Repeat([]float64{0.1}, 50)}
	if m, err := compare.Moved(constant, good, nil); err != nil || math.IsNaN(m.PSI.Value) {
		t.Errorf("one score for all rows: %v, %v", m, err)
	}
}
