package evaluate_test

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"headgate/internal/evaluate"
)

// golden is testdata/metrics.json, which testdata/golden.py has made.
type golden struct {
	Binary []struct {
		Name                           string
		Scores, Other, Labels, Weights []float64
		Clusters                       []uint64
		Want                           map[evaluate.Metric]float64
		DeLong                         [2][2]float64
		Clustered                      float64
		Wilson                         [2]float64
	}
	Regression []struct {
		Name                    string
		Scores, Labels, Weights []float64
		Want                    map[evaluate.Metric]float64
	}
	Multiclass []struct {
		Name                   string
		K                      int
		Probabilities, Weights []float64
		Labels                 []int
		Want                   map[evaluate.Metric]float64
	}
	NDCG []struct {
		Name           string
		Scores, Labels []float64
		Queries        []uint64
		Want           map[evaluate.Metric]float64
	}
}

func readGolden(t *testing.T) golden {
	t.Helper()
	data, err := os.ReadFile("testdata/metrics.json")
	if err != nil {
		t.Fatal(err)
	}
	var g golden
	if err := json.Unmarshal(data, &g); err != nil {
		t.Fatal(err)
	}
	if len(g.Binary) == 0 || len(g.Regression) == 0 || len(g.Multiclass) == 0 || len(g.NDCG) == 0 {
		t.Fatal("no cases")
	}
	return g
}

// near reports an error unless got is want up to a relative 1e-9.
func near(t *testing.T, what any, got, want float64) {
	t.Helper()
	if !(math.Abs(got-want) <= 1e-9*math.Abs(want)+1e-12) {
		t.Errorf("%s: got %.17g, want %.17g", what, got, want)
	}
}

// quick is enough replicates for tests that look at values only.
func quick() *evaluate.Options { return &evaluate.Options{Replicates: 100} }

func agree(t *testing.T, d evaluate.Data, want map[evaluate.Metric]float64) {
	t.Helper()
	if len(want) == 0 {
		t.Fatal("nothing is wanted")
	}
	for m, value := range want {
		e, err := evaluate.Of(m, d, quick())
		if err != nil {
			t.Error(err)
			continue
		}
		near(t, m, e.Value, value)
		if !(e.Low <= e.Value && e.Value <= e.High && e.Low < e.High) {
			t.Errorf("%s: the interval of %g is [%g, %g]", m, e.Value, e.Low, e.High)
		}
	}
}

func TestBinaryMetricsAgreeWithScikitLearn(t *testing.T) {
	for _, c := range readGolden(t).Binary {
		t.Run(c.Name, func(t *testing.T) {
			agree(t, evaluate.Data{Scores: c.Scores, Labels: c.Labels, Weights: c.Weights}, c.Want)
		})
	}
}

func TestRegressionMetricsAgreeWithScikitLearn(t *testing.T) {
	for _, c := range readGolden(t).Regression {
		t.Run(c.Name, func(t *testing.T) {
			agree(t, evaluate.Data{Scores: c.Scores, Labels: c.Labels, Weights: c.Weights}, c.Want)
		})
	}
}

func TestNDCGAgreesWithScikitLearn(t *testing.T) {
	for _, c := range readGolden(t).NDCG {
		t.Run(c.Name, func(t *testing.T) {
			agree(t, evaluate.Data{Scores: c.Scores, Labels: c.Labels, Queries: c.Queries}, c.Want)
		})
	}
}
