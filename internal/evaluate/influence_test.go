package evaluate

import (
	"math"
	"testing"
)

// rows returns n rows with weights, ties, clusters and queries.
func rows(n int) Data {
	var d Data
	random := newSource(5, uint64(n))
	uniform := func() float64 { return float64(random.next()>>11) / (1 << 53) }
	for i := range n {
		p := 0.05 + 0.9*math.Round(uniform()*40)/40
		d.Scores = append(d.Scores, p)
		d.Labels = append(d.Labels, one(uniform() < 0.2+0.6*p))
		d.Weights = append(d.Weights, 0.5+2*uniform())
		d.Clusters = append(d.Clusters, uint64(i/3))
		d.Queries = append(d.Queries, uint64(i/5))
	}
	return d
}

// What intervals rest on: the influence of a row is what a bit more weight of it does
// to the metric, and adds up to 0.
func TestInfluenceIsTheDerivativeByWeight(t *testing.T) {
	d := rows(60)
	o, err := (*Options)(nil).checked()
	if err != nil {
		t.Fatal(err)
	}
	value := func(m Metric) *measurement {
		t.Helper()
		s, _, err := d.sample(nil)
		if err != nil {
			t.Fatal(err)
		}
		found, err := s.measure(m, o)
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	for _, m := range []Metric{
		AUC, Gini, KS, PRAUC, LogLoss, Brier, Reliability, Resolution, Uncertainty, WithinBins, Slope, Intercept, InTheLarge,
		Prevalence, MeanScore, RMSE, MAE, Bias, R2, "precision@0.5", "recall@0.5", "specificity@0.5", "accuracy@0.5", "f1@0.5",
		"mcc@0.5", "selectionRate@0.5", "pinball@0.9", "tweedie@1.5", Poisson,
	} {
		found := value(m)
		sum := 0.0
		for i := range d.Weights {
			const step = 1e-5
			w := d.Weights[i]
			d.Weights[i] = w + step
			up := value(m).value
			d.Weights[i] = w - step
			down := value(m).value
			d.Weights[i] = w
			if want := (up - down) / (2 * step); math.Abs(found.influence[i]-want) > 1e-7 {
				t.Errorf("%s, row %d: got %.9f, want %.9f", m, i, found.influence[i], want)
				break
			}
			sum += w * found.influence[i]
		}
		if math.Abs(sum) > 1e-11 {
			t.Errorf("%s: weight times influence adds up to %g, want 0", m, sum)
		}
	}
}

func TestFunctionsArePortableAndRight(t *testing.T) {
	for _, c := range []struct {
		name      string
		got, want float64
	}{
		{"ln 2", log(2), math.Ln2},
		{"ln of a small number", log(3e-300), math.Log(3e-300)},
		{"ln near 1", log(1 + 1e-9), math.Log(1 + 1e-9)},
		{"e", exp(1), math.E},
		{"e to the −700", exp(-700), math.Exp(-700)},
		{"e to the 3.7", exp(3.7), math.Exp(3.7)},
		{"power", power(2.5, -0.3), math.Pow(2.5, -0.3)},
		{"arctan 0.3", arctan(0.3), math.Atan(0.3)},
		{"arctan 1e9", arctan(1e9), math.Atan(1e9)},
		{"normal 1.959964 quantile", normalQuantile(0.975), 1.959963984540054},
		{"normal quantile in the tail", normalQuantile(1e-10), -6.361340902404056},
		{"normal tail at 1", normalTail(1), 0.5 * math.Erfc(1/math.Sqrt2)},
		{"normal tail at 3.5", normalTail(3.5), 0.5 * math.Erfc(3.5/math.Sqrt2)},
		{"normal tail at −2", normalTail(-2), 0.5 * math.Erfc(-2/math.Sqrt2)},
		// scipy.stats.t.ppf
		{"t, 1 degree", studentQuantile(0.975, 1), 12.706204736174694},
		{"t, 2 degrees", studentQuantile(0.975, 2), 4.302652729749462},
		{"t, 5 degrees", studentQuantile(0.9995, 5), 6.868826625881276},
		{"t, 30 degrees", studentQuantile(0.975, 30), 2.0422724563012378},
		{"t, 999 degrees", studentQuantile(0.975, 999), 1.9623414611334493},
		{"t, 1001 degrees", studentQuantile(0.9995, 1001), 3.3002728760660403},
		{"two-sided p of t, 5 degrees", twoSided(2.5705818356363146, 5), 0.05},
	} {
		if !(math.Abs(c.got-c.want) <= 1e-10*math.Abs(c.want)) {
			t.Errorf("%s: got %.17g, want %.17g", c.name, c.got, c.want)
		}
	}
}
