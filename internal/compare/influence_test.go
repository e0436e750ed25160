package compare

import (
	"math"
	"testing"
)

// The influence of a row on the rank correlation is what a bit more weight of it does.
func TestInfluenceIsTheDerivativeByWeight(t *testing.T) {
	a := []float64{0.1, 0.2, 0.2, 0.4, 0.5, 0.5, 0.5, 0.8, 0.9}
	b := []float64{0.3, 0.1, 0.2, 0.2, 0.9, 0.6, 0.5, 0.5, 0.7}
	w := []float64{1, 2, 1, 0.5, 1, 1, 3, 1, 1}
	base, ok := rankCorrelation(a, b, w)
	if !ok {
		t.Fatal("there is no correlation")
	}
	sum := 0.0
	for i := range w {
		const step = 1e-6
		sum += w[i] * base.Influence[i]
		w[i] += step
		up, _ := rankCorrelation(a, b, w)
		w[i] -= 2 * step
		down, _ := rankCorrelation(a, b, w)
		w[i] += step
		if want := (up.Value - down.Value) / (2 * step); math.Abs(base.Influence[i]-want) > 1e-7 {
			t.Errorf("row %d: got %.9f, want %.9f", i, base.Influence[i], want)
		}
	}
	if math.Abs(sum) > 1e-12 {
		t.Errorf("weight times influence adds up to %g, want 0", sum)
	}
}
