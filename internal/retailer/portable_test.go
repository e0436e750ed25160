package retailer

import (
	"math"
	"testing"
)

func TestPortableFunctionsAgreeWithMath(t *testing.T) {
	for x := -30.0; x < 30; x += 0.00371 {
		if got, want := exp(x), math.Exp(x); math.Abs(got-want) > 1e-13*want {
			t.Fatalf("exp(%g): got %g, want %g", x, got, want)
		}
		e := math.Exp(x)
		if got, want := log(e), math.Log(e); math.Abs(got-want) > 1e-13*math.Max(1, math.Abs(want)) {
			t.Fatalf("log(%g): got %g, want %g", e, got, want)
		}
	}
}

func TestNormalQuantileInvertsTheDistribution(t *testing.T) {
	for p := 1e-12; p < 1; p = p*1.01 + 1e-15 {
		if got := math.Erfc(-normalQuantile(p)/math.Sqrt2) / 2; math.Abs(got-p) > 1e-7*p {
			t.Fatalf("p %g: the distribution gives %g", p, got)
		}
	}
}

func TestAffinityIsAStandardNormalThatRemembers(t *testing.T) {
	w := World{Seed: 1, Customers: 20_000, Steady: true}
	const m = 20
	var n, sum, squares, products float64
	for slot := range w.Customers {
		var last, now customer
		w.customer(&last, slot, m-1, firstDay(m-1))
		w.customer(&now, slot, m, firstDay(m))
		if last.joined != now.joined {
			continue
		}
		n++
		sum += now.z
		squares += now.z * now.z
		products += now.z * last.z
	}
	if mean, variance := sum/n, squares/n; math.Abs(mean) > 0.02 || math.Abs(variance-1) > 0.03 {
		t.Errorf("mean %.3f, variance %.3f, want 0 and 1", mean, variance)
	}
	if got := products / squares; math.Abs(got-0.95) > 0.01 {
		t.Errorf("correlation with the month before: got %.3f, want 0.95", got)
	}
}
