package evaluate_test

import (
	"math"
	"strings"
	"testing"

	"headgate/internal/evaluate"
)

// The mean as a statistic of one's own has the interval of the mean.
func TestAStatisticHasTheIntervalOfItsInfluence(t *testing.T) {
	d := people(200)
	mean := 0.0
	for _, x := range d.Scores {
		mean += x / 200
	}
	own := evaluate.Statistic{Value: mean, High: 1}
	for _, x := range d.Scores {
		own.Influence = append(own.Influence, (x-mean)/200)
	}
	want, err := evaluate.Mean(d.Scores, d, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := own.Estimate(d, nil)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "low", got.Low, want.Low)
	near(t, "high", got.High, want.High)

	own.Again = func(w []float64) float64 {
		sum, weight := 0.0, 0.0
		for i, x := range d.Scores {
			sum += w[i] * x
			weight += w[i]
		}
		return sum / weight
	}
	drawn, err := own.Estimate(d, nil)
	if err != nil {
		t.Fatal(err)
	}
	if ratio := (drawn.High - drawn.Low) / (want.High - want.Low); ratio < 0.92 || ratio > 1.08 || math.Abs(drawn.Low-want.Low) > 0.01 {
		t.Errorf("a bootstrap gives %v, and the closed form %v", drawn, want)
	}
}

func TestSharesHaveWilsonsInterval(t *testing.T) {
	e, err := evaluate.Share([]bool{true, false, false, false, false, false, false, false, false, false}, evaluate.Data{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	// scipy.stats.binomtest(1, 10).proportion_ci(method="wilson")
	near(t, "low", e.Low, 0.017876213095072896)
	near(t, "high", e.High, 0.4041500267952385)
}

func TestStatisticsThatCannotBeEstimatedAreRefused(t *testing.T) {
	d := people(3)
	short := evaluate.Statistic{Influence: []float64{1}}
	if _, err := short.Estimate(d, nil); err == nil || !strings.Contains(err.Error(), "there are 3 rows, and the influence of 1") {
		t.Errorf("got %v", err)
	}
	d.Weights = []float64{1, 0, 1}
	whole := evaluate.Statistic{Influence: []float64{1, 0, -1}}
	if _, err := whole.Estimate(d, nil); err == nil || !strings.Contains(err.Error(), "row 1: the row has weight 0; leave it out") {
		t.Errorf("got %v", err)
	}
}
