package gate_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"headgate/internal/gate"
)

// The wanted boundaries are those of two-sided 5 %, which is 2.5 % on each side, in table 1 of
// Lan and DeMets, 1983, and of the R packages ldbounds and gsDesign.
func TestBoundariesAreThoseOfTheTables(t *testing.T) {
	for _, tt := range []struct {
		name        string
		alpha       float64
		times, want []float64
	}{
		{"one look is a test like any other", 0.025, []float64{1}, []float64{1.9600}},
		{"two looks", 0.025, []float64{0.5, 1}, []float64{2.9626, 1.9686}},
		{"three looks", 0.025, []float64{1. / 3, 2. / 3, 1}, []float64{3.7103, 2.5114, 1.9930}},
		{"four looks", 0.025, []float64{0.25, 0.5, 0.75, 1}, []float64{4.3326, 2.9631, 2.3590, 2.0141}},
		{"five looks", 0.025, []float64{0.2, 0.4, 0.6, 0.8, 1}, []float64{4.8769, 3.3569, 2.6803, 2.2898, 2.0310}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := gate.Boundaries(tt.alpha, tt.times, tt.times)
			if err != nil {
				t.Fatal(err)
			}
			for i := range got {
				if math.Abs(got[i]-tt.want[i]) > 0.0002 { // the packages differ by 0.0001 among each other
					t.Errorf("look %d: %.4f, want %.4f", i+1, got[i], tt.want[i])
				}
			}
		})
	}
}

// Looks of any size and at any time spend what they should: sums of independent normals
// cross the boundaries as often as alpha says.
func TestBoundariesSpendAlphaWhateverTheLooksKnow(t *testing.T) {
	const paths = 200_000
	random := rand.New(rand.NewPCG(1, 2))
	for _, tt := range []struct {
		name               string
		times, information []float64
	}{
		{"equal parts", []float64{1. / 3, 2. / 3, 1}, []float64{1, 2, 3}},
		{"a late look that knows little more", []float64{0.5, 1}, []float64{20_000, 20_100}},
		{"a first look that knows little", []float64{0.2, 0.9, 1}, []float64{1, 100, 130}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			z, err := gate.Boundaries(0.05, tt.times, tt.information)
			if err != nil {
				t.Fatal(err)
			}
			crossed := 0
			for range paths {
				score, known := 0.0, 0.0
				for k, info := range tt.information {
					score += random.NormFloat64() * math.Sqrt(info-known)
					known = info
					if score/math.Sqrt(info) > z[k] {
						crossed++
						break
					}
				}
			}
			// Five standard errors of the share.
			if got := float64(crossed) / paths; math.Abs(got-0.05) > 0.0025 {
				t.Errorf("crossed by %.4f of the paths, want 0.05", got)
			}
		})
	}
}

func TestBoundariesRefuseLooksThatDoNotRise(t *testing.T) {
	for name, tt := range map[string]struct {
		alpha              float64
		times, information []float64
	}{
		"time stands still":        {0.05, []float64{0.5, 0.5}, []float64{1, 2}},
		"time beyond the plan":     {0.05, []float64{1.5}, []float64{1}},
		"information stands still": {0.05, []float64{0.5, 1}, []float64{2, 2}},
		"no alpha":                 {0, []float64{1}, []float64{1}},
		"looks without time":       {0.05, nil, []float64{1}},
		"not a number":             {0.05, []float64{math.NaN()}, []float64{1}},
	} {
		if z, err := gate.Boundaries(tt.alpha, tt.times, tt.information); err == nil {
			t.Errorf("%s: %v", name, z)
		}
	}
}

func TestSpendingIsLittleAtFirstAndAllAtTheEnd(t *testing.T) {
	before := 0.0
	for i := range 101 {
		s := gate.Spend(0.05, float64(i)/100)
		if s < before {
			t.Errorf("at %d %%, %g has been spent, less than %g before", i, s, before)
		}
		before = s
	}
	if early := gate.Spend(0.05, 1./3); early > 0.001 || before != 0.05 {
		t.Errorf("a third of the way %g is spent, and %g at the end", early, before)
	}
}
