package gbdt

import (
	"math"
	"testing"
)

func TestMetrics(t *testing.T) {
	binary := []float32{0, 1, 1, 0}
	margins := [][]float64{{-1, 2, -0.5, -0.5}}
	amounts := []float32{1, 4, 0}
	forecasts := [][]float64{{2, 1, 0.5}}
	classes := []float32{0, 2}
	shares := [][]float64{{2, 0}, {1, 1}, {0, 1}}
	for _, test := range []struct {
		name    string
		metric  string
		params  []string
		labels  []float32
		weights []float32
		scores  [][]float64
		want    float64
	}{
		{name: "log loss", metric: "binary_logloss", params: []string{"objective", "binary"}, labels: binary, scores: margins,
			want: (math.Log1p(math.Exp(-1)) + math.Log1p(math.Exp(-2)) + math.Log1p(math.Exp(0.5)) + math.Log1p(math.Exp(-0.5))) / 4},
		{name: "wrong answers", metric: "binary_error", params: []string{"objective", "binary"}, labels: binary, scores: margins, want: 0.25},
		{name: "area with a tie", metric: "auc", params: []string{"objective", "binary"}, labels: binary, scores: margins, want: 3.5 / 4},
		{name: "area with weights", metric: "auc", params: []string{"objective", "binary"}, labels: binary, weights: []float32{1, 1, 3, 1}, scores: margins, want: 6.5 / 8},
		{name: "area of one label", metric: "auc", params: []string{"objective", "binary"}, labels: []float32{1, 1}, scores: [][]float64{{1, 2}}, want: 1},
		{name: "mean square", metric: "l2", labels: amounts, scores: forecasts, want: (1 + 9 + 0.25) / 3},
		{name: "its root", metric: "rmse", labels: amounts, scores: forecasts, want: math.Sqrt((1 + 9 + 0.25) / 3)},
		{name: "mean square with weights", metric: "l2", labels: amounts, weights: []float32{1, 0, 1}, scores: forecasts, want: 1.25 / 2},
		{name: "mean distance", metric: "l1", labels: amounts, scores: forecasts, want: 4.5 / 3},
		{name: "Huber", metric: "huber", params: []string{"objective", "huber", "alpha", "1"}, labels: amounts, scores: forecasts, want: (0.5 + 2.5 + 0.125) / 3},
		{name: "quantile", metric: "quantile", params: []string{"objective", "quantile", "alpha", "0.9"}, labels: amounts, scores: forecasts, want: (0.1 + 2.7 + 0.05) / 3},
		{name: "Poisson", metric: "poisson", params: []string{"objective", "poisson"}, labels: amounts, scores: forecasts,
			want: (math.Exp(2) - 2 + math.E - 4 + math.Exp(0.5)) / 3},
		{name: "Tweedie", metric: "tweedie", params: []string{"objective", "tweedie"}, labels: amounts, scores: forecasts,
			want: (2*math.Exp(-1) + 8*math.Exp(-0.5) + 2*math.E + 2*math.Exp(0.5) + 2*math.Exp(0.25)) / 3},
		{name: "mean square of counts", metric: "l2", params: []string{"objective", "poisson"}, labels: amounts, scores: [][]float64{{0, math.Log(4), math.Log(2)}}, want: 4.0 / 3},
		{name: "log loss of classes", metric: "multi_logloss", params: []string{"objective", "multiclass", "num_class", "3"}, labels: classes, scores: shares,
			want: (math.Log(math.Exp(2)+math.E+1) - 2 + math.Log(1+2*math.E) - 1) / 2},
		{name: "a tie of classes is an error", metric: "multi_error", params: []string{"objective", "multiclass", "num_class", "3"}, labels: classes, scores: shares, want: 0.5},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := params(t, test.params...)
			d := &Dataset{labels: test.labels, weights: test.weights, rows: len(test.labels)}
			if got := measure(test.metric, &p, d, test.scores); math.Abs(got-test.want) > 1e-12 {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}
