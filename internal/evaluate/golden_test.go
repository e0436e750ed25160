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
			d := evaluate.Data{Scores: c.Scores, Labels: c.Labels, Queries: c.Queries}
			agree(t, d, c.Want)
			r, err := evaluate.Regression(d, nil)
			if err != nil {
				t.Fatal(err)
			}
			if e, ok := r.Get("ndcg@10"); !ok || r.Clusters != 8 || e.N != 56 {
				t.Errorf("got %v of %d clusters, want 8 lists of 7 rows", e, r.Clusters)
			}
		})
	}
}

func TestMulticlassMetricsAgreeWithScikitLearn(t *testing.T) {
	for _, c := range readGolden(t).Multiclass {
		t.Run(c.Name, func(t *testing.T) {
			r, err := evaluate.Multiclass(evaluate.Classes{K: c.K, Probabilities: c.Probabilities, Labels: c.Labels, Weights: c.Weights}, nil)
			if err != nil || len(r.Missing) > 0 {
				t.Fatal(err, r)
			}
			for m, want := range c.Want {
				e, ok := r.Get(m)
				if !ok {
					t.Errorf("there is no %s", m)
					continue
				}
				near(t, m, e.Value, want)
				if !(e.Low < e.Value && e.Value < e.High) {
					t.Errorf("%s: the interval of %g is [%g, %g]", m, e.Value, e.Low, e.High)
				}
			}
		})
	}
}

func TestCovariancesAgreeWithTheDefinitionOfDeLong(t *testing.T) {
	for _, c := range readGolden(t).Binary {
		t.Run(c.Name, func(t *testing.T) {
			areas, covariance, err := evaluate.DeLong([][]float64{c.Scores, c.Other}, evaluate.Data{Labels: c.Labels})
			if err != nil {
				t.Fatal(err)
			}
			for i := range 2 {
				for j := range 2 {
					near(t, "covariance", covariance[i][j], c.DeLong[i][j])
				}
			}
			_, covariance, err = evaluate.DeLong([][]float64{c.Scores}, evaluate.Data{Labels: c.Labels, Clusters: c.Clusters})
			if err != nil {
				t.Fatal(err)
			}
			near(t, "variance of clusters", covariance[0][0], c.Clustered)

			e, err := evaluate.Difference(evaluate.AUC, evaluate.Data{Scores: c.Scores, Labels: c.Labels}, c.Other, nil)
			if err != nil {
				t.Fatal(err)
			}
			near(t, "difference", e.Value, areas[1]-areas[0])
			v := c.DeLong[0][0] + c.DeLong[1][1] - 2*c.DeLong[0][1]
			if half := (e.High - e.Low) / 2; half < 1.959*math.Sqrt(v) || half > 2.25*math.Sqrt(v) {
				t.Errorf("half of the interval is %g, with a standard error of %g", half, math.Sqrt(v))
			}
		})
	}
}

func TestWilsonIntervalsAgreeWithScipy(t *testing.T) {
	for _, c := range readGolden(t).Binary {
		e, err := evaluate.Of("accuracy@0.5", evaluate.Data{Scores: c.Scores, Labels: c.Labels}, nil)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "low", e.Low, c.Wilson[0])
		near(t, "high", e.High, c.Wilson[1])
	}
}

// The ratings of 109 tomograms by one reader: Hanley and McNeil, "The Meaning and Use of
// the Area under a ROC Curve", 1982, table I. Stata's manual ([R] roctab) prints area,
// DeLong's standard error and interval.
func TestVarianceEqualsThePublishedExample(t *testing.T) {
	var d evaluate.Data
	for label, counts := range [][]int{{33, 6, 6, 11, 2}, {3, 2, 2, 11, 33}} {
		for rating, n := range counts {
			for range n {
				d.Scores, d.Labels = append(d.Scores, float64(rating+1)), append(d.Labels, float64(label))
			}
		}
	}
	areas, covariance, err := evaluate.DeLong([][]float64{d.Scores}, d)
	if err != nil {
		t.Fatal(err)
	}
	deviation := math.Sqrt(covariance[0][0])
	for _, c := range []struct {
		name      string
		got, want float64
		digits    float64
	}{
		{"area", areas[0], 0.8932, 1e4},
		{"standard error", deviation, 0.0307, 1e4},
		{"low", areas[0] - 1.959964*deviation, 0.83295, 1e5},
		{"high", areas[0] + 1.959964*deviation, 0.95339, 1e5},
	} {
		if math.Round(c.got*c.digits)/c.digits != c.want {
			t.Errorf("%s: got %.6f, want %g", c.name, c.got, c.want)
		}
	}
}
