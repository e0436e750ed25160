package drift_test

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"testing"

	"headgate/internal/drift"
	"headgate/internal/sketch"
)

// golden is testdata/measures.json, which testdata/golden.py has made.
type golden struct {
	Counts []struct {
		Name      string
		Ref, Cur  []int64
		PSI, P    float64
		Raw       *float64 // nil if infinite
		JS        float64
		LInfinity float64
		ChiSquare drift.Homogeneity
	}
	Values []struct {
		Name        string
		Ref, Cur    []float64
		D, P, Scipy float64
		Wasserstein float64
		Std, PSI    float64
	}
	Proportions []struct {
		A, N, B, M int64
		Z, P       float64
	}
}

func readGolden(t *testing.T) golden {
	t.Helper()
	data, err := os.ReadFile("testdata/measures.json")
	if err != nil {
		t.Fatal(err)
	}
	var g golden
	if err := json.Unmarshal(data, &g); err != nil {
		t.Fatal(err)
	}
	if len(g.Counts) == 0 || len(g.Values) == 0 || len(g.Proportions) == 0 {
		t.Fatal("no cases")
	}
	return g
}

// near reports an error unless got is want up to a relative 1e-9.
func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if !(math.Abs(got-want) <= 1e-9*math.Abs(want)+1e-14) {
		t.Errorf("%s: got %.17g, want %.17g", what, got, want)
	}
}

func TestMeasuresOfCountsAgreeWithScipy(t *testing.T) {
	for _, c := range readGolden(t).Counts {
		t.Run(c.Name, func(t *testing.T) {
			psi, err1 := drift.PSI(c.Ref, c.Cur)
			raw, err2 := drift.RawPSI(c.Ref, c.Cur)
			js, err3 := drift.JensenShannon(c.Ref, c.Cur)
			largest, err4 := drift.LInfinity(c.Ref, c.Cur)
			chi, err5 := drift.ChiSquare(c.Ref, c.Cur)
			if err1 != nil || err2 != nil || err3 != nil || err4 != nil || err5 != nil {
				t.Fatal(err1, err2, err3, err4, err5)
			}
			near(t, "PSI", psi, c.PSI)
			if c.Raw == nil {
				if !math.IsInf(raw, 1) {
					t.Errorf("raw PSI: got %g, want +Inf", raw)
				}
			} else {
				near(t, "raw PSI", raw, *c.Raw)
			}
			near(t, "p of PSI", drift.PSIP(psi, sum(c.Ref), sum(c.Cur), len(c.Ref)), c.P)
			near(t, "Jensen-Shannon", js, c.JS)
			near(t, "L infinity", largest, c.LInfinity)
			near(t, "chi-square", chi.Statistic, c.ChiSquare.Statistic)
			near(t, "p of chi-square", chi.P, c.ChiSquare.P)
			near(t, "Cramér's V", chi.V, c.ChiSquare.V)
			if chi.DF != c.ChiSquare.DF {
				t.Errorf("got %d degrees of freedom, want %d", chi.DF, c.ChiSquare.DF)
			}
		})
	}
}

func sum(counts []int64) (n int64) {
	for _, c := range counts {
		n += c
	}
	return n
}

// bins returns values as bins without width.
func bins(values []float64) []sketch.Bin {
	var out []sketch.Bin
	for _, x := range slices.Sorted(slices.Values(values)) {
		if last := len(out) - 1; last >= 0 && out[last].Low == x {
			out[last].Count++
		} else {
			out = append(out, sketch.Bin{Low: x, High: x, Count: 1})
		}
	}
	return out
}

func TestMeasuresOfValuesAgreeWithScipy(t *testing.T) {
	for _, c := range readGolden(t).Values {
		t.Run(c.Name, func(t *testing.T) {
			ks, err := drift.KolmogorovSmirnov(bins(c.Ref), bins(c.Cur))
			if err != nil {
				t.Fatal(err)
			}
			near(t, "D", ks.D, c.D)
			near(t, "highest D", ks.High, c.D)
			near(t, "p", ks.P, c.P)
			if math.Abs(ks.P-c.Scipy) > 0.05*c.Scipy+0.01 {
				t.Errorf("p: got %g, far from scipy's %g", ks.P, c.Scipy)
			}
			w, err := drift.Wasserstein(bins(c.Ref), bins(c.Cur))
			if err != nil {
				t.Fatal(err)
			}
			near(t, "Wasserstein", w, c.Wasserstein)

			got := compare(t, numbers(t, c.Ref...), numbers(t, c.Cur...), &drift.Options{MinRows: 1}).Columns[0]
			if !six(got.PSI.Value, c.PSI) || !six(*got.Wasserstein, c.Wasserstein/c.Std) || !six(got.KS.D, c.D) {
				t.Errorf("got PSI %g, Wasserstein %g, D %g, want %g, %g, %g", got.PSI.Value, *got.Wasserstein, got.KS.D, c.PSI, c.Wasserstein/c.Std, c.D)
			}
		})
	}
}

// six reports whether got is want in six digits.
func six(got, want float64) bool { return math.Abs(got-want) <= 6e-6*math.Abs(want) }

// What a sketch knows of the values is enough for D and the distance, within the
// bounds that it promises.
func TestSketchesStayWithinTheirBounds(t *testing.T) {
	for _, c := range readGolden(t).Values {
		t.Run(c.Name, func(t *testing.T) {
			var ref, cur sketch.Quantiles
			size := 0.0
			for _, x := range c.Ref {
				ref.Add(x)
				size += math.Abs(x) / float64(len(c.Ref))
			}
			for _, x := range c.Cur {
				cur.Add(x)
				size += math.Abs(x) / float64(len(c.Cur))
			}
			ks, err := drift.KolmogorovSmirnov(ref.Bins(), cur.Bins())
			if err != nil {
				t.Fatal(err)
			}
			if ks.D > c.D+1e-12 || ks.High < c.D-1e-12 {
				t.Errorf("D is %g, outside of %g to %g", c.D, ks.D, ks.High)
			}
			w, err := drift.Wasserstein(ref.Bins(), cur.Bins())
			if err != nil || math.Abs(w-c.Wasserstein) > size/257 {
				t.Errorf("got a distance of %g (%v), want %g within %g", w, err, c.Wasserstein, size/257)
			}
		})
	}
}

// Two values in one bin look equal, and may be all that tells the sides apart.
func TestWhatABinHidesIsBetweenDAndHigh(t *testing.T) {
	var ref, cur sketch.Quantiles
	ref.AddN(1.001, 50)
	cur.AddN(1.002, 50)
	if got, err := drift.KolmogorovSmirnov(ref.Bins(), cur.Bins()); err != nil || got.D != 0 || got.High != 1 {
		t.Errorf("got %+v (%v), want D 0 and High 1", got, err)
	}
}

func TestProportionsAgreeWithScipy(t *testing.T) {
	for _, c := range readGolden(t).Proportions {
		got, err := drift.TwoProportion(c.A, c.N, c.B, c.M)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "z", got.Z, c.Z)
		near(t, "p", got.P, c.P)
	}
}
