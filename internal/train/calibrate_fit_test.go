package train

import (
	"math"
	"slices"
	"testing"
)

// Raw scores, labels and weights of 16 rows, ties among them.
var (
	fitRaw     = []float64{-2.5, -2, -2, -1.5, -1, -0.5, -0.25, 0, 0.25, 0.5, 0.5, 1, 1.5, 2, 3, 3.5}
	fitLabels  = []float64{0, 0, 1, 0, 0, 1, 0, 0, 1, 1, 0, 1, 0, 1, 1, 1}
	fitWeights = []float64{1, 2, 1, 1, .5, 1, 3, 1, 1, 2, 1, 1, .25, 1, 1, 2}
)

// The points are those of scikit-learn 1.9.1, IsotonicRegression(out_of_bounds="clip"):
// X_thresholds_ and y_thresholds_.
func TestIsotonicEqualsScikitLearn(t *testing.T) {
	for _, tt := range []struct {
		name          string
		weights       []float64
		points, value []float64
	}{
		{"without weights", nil, []float64{-2.5, -2, -1, -0.5, 0, 0.25, 1.5, 2, 3.5},
			[]float64{0, 0.25, 0.25, 0.3333333333333333, 0.3333333333333333, 0.6, 0.6, 1, 1}},
		{"with weights", fitWeights, []float64{-2.5, -2, 0, 0.25, 0.5, 1, 1.5, 2, 3.5},
			[]float64{0, 0.21052631578947367, 0.21052631578947367, 0.75, 0.75, 0.8, 0.8, 1, 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			points, values := isotonic(fitRaw, fitLabels, tt.weights)
			near := func(a, b float64) bool { return math.Abs(a-b) < 1e-15 }
			if !slices.Equal(points, tt.points) || !slices.EqualFunc(values, tt.value, near) {
				t.Errorf("got  %v %v\nwant %v %v", points, values, tt.points, tt.value)
			}
		})
	}
}

// Intercept and slope are those of scikit-learn 1.9.1, _SigmoidCalibration: −b_ and −a_,
// which its optimiser finds to six digits.
func TestPlattEqualsScikitLearn(t *testing.T) {
	for _, tt := range []struct {
		name             string
		weights          []float64
		intercept, slope float64
	}{
		{"without weights", nil, -0.06576572485056723, 0.5075596367740898},
		{"with weights", fitWeights, -0.037875899520226915, 0.7045143979880549},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := &scored{raw: fitRaw, labels: fitLabels, weights: tt.weights}
			c, err := fit("platt", Binary, d)
			if err != nil {
				t.Fatal(err)
			}
			if math.Abs(c.Intercept-tt.intercept) > 1e-5 || math.Abs(c.Slope-tt.slope) > 1e-5 {
				t.Errorf("got %v and %v, want %v and %v", c.Intercept, c.Slope, tt.intercept, tt.slope)
			}
		})
	}
}

// Newton's method also ends where classes are far apart, or raw scores are large.
func TestPlattEndsOnHardRows(t *testing.T) {
	for _, scale := range []float64{1e-6, 1, 1e6} {
		d := &scored{}
		for i := range 1000 {
			d.raw, d.labels = append(d.raw, scale*float64(i-300)), append(d.labels, float64(i/500))
		}
		c, err := fit("platt", Binary, d)
		if err != nil {
			t.Fatal(err)
		}
		low, high := c.Apply(d.raw[499]), c.Apply(d.raw[500])
		if !(low < 0.5 && high > 0.5) || c.Apply(d.raw[0]) > 0.01 {
			t.Errorf("scale %g: %+v, %v and %v", scale, c, low, high)
		}
	}
}

func TestBothHalvesHaveRowsIfThereAreTwoClusters(t *testing.T) {
	const middle = uint64(1) << 63
	for _, tt := range []struct {
		name     string
		clusters []uint64
		want     uint64
	}{
		{"on either side", []uint64{middle + 1, 1, 1, middle + 5}, middle},
		{"all below", []uint64{7, 3, 3, 9, 7}, 7},
		{"all above", []uint64{middle + 2, middle}, middle + 2},
		{"none are named", nil, middle},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := cut(tt.clusters); got != tt.want {
				t.Errorf("got %d, want %d", got, tt.want)
			}
		})
	}
}
