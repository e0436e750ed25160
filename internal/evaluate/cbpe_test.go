package evaluate_test

import (
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"testing"

	"headgate/internal/evaluate"
)

func TestExpectedAgreesWithScikitLearn(t *testing.T) {
	data, err := os.ReadFile("testdata/cbpe.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Name            string
		Scores, Weights []float64
		Threshold       float64
		Want            map[evaluate.Metric]float64
	}
	if err := json.Unmarshal(data, &cases); err != nil || len(cases) == 0 {
		t.Fatalf("%d cases, %v", len(cases), err)
	}
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			r, err := evaluate.Expected(evaluate.Data{Scores: c.Scores, Weights: c.Weights}, &evaluate.Options{Thresholds: []float64{c.Threshold}})
			if err != nil {
				t.Fatal(err)
			}
			if len(r.Metrics) != len(c.Want) || len(r.Missing) > 0 {
				t.Errorf("%d metrics, %v missing, want %d", len(r.Metrics), r.Missing, len(c.Want))
			}
			for m, want := range c.Want {
				e, ok := r.Get(m)
				if !ok {
					t.Errorf("no %s", m)
				}
				near(t, m, e.Value, want)
			}
		})
	}
}

// Labels are drawn again and again by the scores' probabilities: the metrics of the draws
// are around what was expected, and as often in its interval as the level says.
func TestLabelsComeAsExpected(t *testing.T) {
	const draws = 400
	r := rand.New(rand.NewPCG(1, 2))
	d := evaluate.Data{}
	for range 400 {
		u := r.Float64()
		d.Scores, d.Weights = append(d.Scores, u*u), append(d.Weights, 1+4*r.Float64())
	}
	o := &evaluate.Options{Thresholds: []float64{0.5}, Level: 0.9}
	want, err := evaluate.Expected(d, o)
	if err != nil {
		t.Fatal(err)
	}
	d.Labels = make([]float64, len(d.Scores))
	sum, squares, held := map[evaluate.Metric]float64{}, map[evaluate.Metric]float64{}, map[evaluate.Metric]int{}
	for range draws {
		for i, p := range d.Scores {
			d.Labels[i] = 0
			if r.Float64() < p {
				d.Labels[i] = 1
			}
		}
		for _, m := range want.Metrics {
			e, err := evaluate.Of(m.Metric, d, o)
			if err != nil {
				t.Fatal(err)
			}
			sum[m.Metric] += e.Value
			squares[m.Metric] += e.Value * e.Value
			if m.Low-1e-9 <= e.Value && e.Value <= m.High+1e-9 {
				held[m.Metric]++
			}
		}
	}
	if len(want.Metrics) != 8 {
		t.Errorf("%d metrics", len(want.Metrics))
	}
	for _, m := range want.Metrics {
		mean := sum[m.Metric] / draws
		deviation := math.Sqrt(max(0, squares[m.Metric]/draws-mean*mean))
		if math.Abs(mean-m.Value) > 4*deviation/math.Sqrt(draws)+2e-4 {
			t.Errorf("%s: the mean of the draws is %g ± %g, expected was %g", m.Metric, mean, deviation/math.Sqrt(draws), m.Value)
		}
		least, most := draws*86/100, draws*94/100
		if m.Metric == "selectionRate@0.5" {
			most = draws
		}
		if held[m.Metric] < least || held[m.Metric] > most {
			t.Errorf("%s: %d of %d draws are in an interval of 90 %%", m.Metric, held[m.Metric], draws)
		}
	}
}

func TestExpectedRefuses(t *testing.T) {
	var input *evaluate.InputError
	for name, d := range map[string]evaluate.Data{
		"no rows":                {},
		"a score above 1":        {Scores: []float64{0.5, 1.5}},
		"a score that is none":   {Scores: []float64{0.5, math.NaN()}},
		"a weight below 0":       {Scores: []float64{0.5, 0.5}, Weights: []float64{1, -1}},
		"no row with any weight": {Scores: []float64{0.5, 0.5}, Weights: []float64{0, 0}},
	} {
		if r, err := evaluate.Expected(d, nil); !errors.As(err, &input) {
			t.Errorf("%s: %v, %v", name, r, err)
		}
	}
	r, err := evaluate.Expected(evaluate.Data{Scores: []float64{0, 0}}, &evaluate.Options{Thresholds: []float64{0.5}})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range []evaluate.Metric{evaluate.AUC, "precision@0.5", "recall@0.5"} {
		if _, ok := r.Get(m); ok {
			t.Errorf("scores of 0 have %s", m)
		}
	}
	if len(r.Missing) != 3 {
		t.Errorf("missing %v", r.Missing)
	}
}
