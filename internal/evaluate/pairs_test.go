package evaluate_test

import (
	"errors"
	"math"
	"testing"

	"headgate/internal/evaluate"
)

// squeezed are scores that are too near to the middle.
func squeezed(scores []float64) []float64 {
	out := make([]float64, len(scores))
	for i, s := range scores {
		out[i] = 0.25 + s/2 + 0.02*even(i, 0.3819660112501051)
	}
	return out
}

func TestPairsAreTheMetricsAndTheirDifferences(t *testing.T) {
	d := people(500)
	for i := range d.Scores {
		d.Weights = append(d.Weights, 1+even(i, 0.41))
		d.Clusters = append(d.Clusters, uint64(i/4))
	}
	metrics := []evaluate.Metric{evaluate.AUC, evaluate.LogLoss, evaluate.Slope, evaluate.PRAUC, evaluate.RMSE}
	challenger := squeezed(d.Scores)
	levels := []float64{0.9, 0.999}
	o := &evaluate.Options{Replicates: 200}
	pairs, missing, err := evaluate.Pairs(metrics, d, challenger, levels, o)
	if err != nil || len(missing) > 0 || len(pairs) != len(metrics) {
		t.Fatalf("%d pairs, %v missing (%v)", len(pairs), missing, err)
	}
	second := d
	second.Scores = challenger
	for _, p := range pairs {
		if got, want := p.Champion, of(t, p.Metric, d, o); got != want {
			t.Errorf("%s: the champion has %v, want %v", p.Metric, got, want)
		}
		if got, want := p.Challenger, of(t, p.Metric, second, o); got != want {
			t.Errorf("%s: the challenger has %v, want %v", p.Metric, got, want)
		}
		for i, level := range levels {
			want, err := evaluate.Difference(p.Metric, d, challenger, &evaluate.Options{Level: level, Replicates: 200})
			if err != nil || p.Differences[i] != want {
				t.Errorf("%s: the difference is %v, want %v (%v)", p.Metric, p.Differences[i], want, err)
			}
		}
		if p.Metric == evaluate.PRAUC {
			if p.Relatives != nil {
				t.Errorf("%s has no closed form, and the relative difference %v", p.Metric, p.Relatives)
			}
			continue
		}
		if got, want := p.Relatives[0].Value, p.Challenger.Value/p.Champion.Value-1; math.Abs(got-want) > 1e-12 {
			t.Errorf("%s: the relative difference is %g, want %g", p.Metric, got, want)
		}
	}
}

// The relative difference of means is the mean of c − r·a over the mean of a, which can
// be measured as a mean of its own.
func TestRelativeDifferencesHaveTheIntervalOfARatio(t *testing.T) {
	d := people(400)
	challenger := squeezed(d.Scores)
	pairs, _, err := evaluate.Pairs([]evaluate.Metric{evaluate.Brier}, d, challenger, []float64{0.95}, nil)
	if err != nil {
		t.Fatal(err)
	}
	got := pairs[0].Relatives[0]
	rest := make([]float64, len(challenger))
	for i, y := range d.Labels {
		rest[i] = (challenger[i]-y)*(challenger[i]-y) - (1+got.Value)*(d.Scores[i]-y)*(d.Scores[i]-y)
	}
	e, err := evaluate.Mean(rest, d, nil)
	if err != nil {
		t.Fatal(err)
	}
	if want := (e.High - e.Low) / pairs[0].Champion.Value; math.Abs(got.High-got.Low-want) > 1e-12 {
		t.Errorf("the interval is %g wide, want %g", got.High-got.Low, want)
	}
}

func TestPairsSayWhatTheRowsDoNotHave(t *testing.T) {
	d := evaluate.Data{Scores: []float64{0.1, 0.2, 0.3}, Labels: []float64{0, 0, 0}}
	pairs, missing, err := evaluate.Pairs([]evaluate.Metric{evaluate.AUC, evaluate.Brier}, d, []float64{0.2, 0.2, 0.2}, []float64{0.95}, nil)
	if err != nil || len(pairs) != 1 || len(missing) != 1 || missing[0].Metric != evaluate.AUC {
		t.Errorf("got %v, missing %v (%v)", pairs, missing, err)
	}
	for name, tt := range map[string]struct {
		challenger []float64
		level      float64
	}{"no challenger": {nil, 0.95}, "too few scores": {[]float64{1}, 0.95}, "no level": {d.Scores, 0}, "a level of 1": {d.Scores, 1}} {
		_, _, err := evaluate.Pairs([]evaluate.Metric{evaluate.Brier}, d, tt.challenger, []float64{tt.level}, nil)
		if input := new(evaluate.InputError); !errors.As(err, &input) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
