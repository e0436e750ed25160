package evaluate_test

import (
	"math"
	"reflect"
	"strings"
	"testing"

	"headgate/internal/evaluate"
)

// extremes are scores from all cells: both ends of probabilities, margins, and 0.
func extremes(n int) evaluate.Data {
	d := people(n)
	for i := range d.Scores {
		switch i % 7 {
		case 0:
			d.Scores[i] = math.Ldexp(d.Scores[i], -i%60)
		case 1:
			d.Scores[i] = 1 - math.Ldexp(d.Scores[i], -i%50)
		}
	}
	return d
}

func sketched(t *testing.T, d evaluate.Data, thresholds ...float64) *evaluate.Sketch {
	t.Helper()
	s, err := evaluate.NewSketch(d.Clusters != nil, thresholds...)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Add(d); err != nil {
		t.Fatal(err)
	}
	return s
}

// What a sketch says is as near to the exact value as it promises.
func TestSketchesStayWithinTheirBounds(t *testing.T) {
	margins := people(3000)
	for i, p := range margins.Scores {
		margins.Scores[i] = 20 * (p - 0.4)
	}
	weighted := people(3000)
	for i := range weighted.Scores {
		weighted.Weights = append(weighted.Weights, 0.5+even(i, 0.31))
	}
	rounded := people(3000)
	for i, p := range rounded.Scores {
		rounded.Scores[i] = math.Round(p*20) / 20
	}
	crowded := people(3000) // many rows in few cells
	for i, p := range crowded.Scores {
		crowded.Scores[i] = 0.3 + p/500
	}
	o := &evaluate.Options{Thresholds: []float64{0.301, 0.5}, Replicates: 100}
	for name, d := range map[string]evaluate.Data{
		"probabilities": people(3000), "both ends": extremes(3000), "margins": margins, "weights": weighted, "rounded": rounded, "crowded": crowded,
	} {
		t.Run(name, func(t *testing.T) {
			exact, err := evaluate.Binary(d, o)
			if err != nil {
				t.Fatal(err)
			}
			got, err := sketched(t, d, 0.5, 0.301).Report(o)
			if err != nil {
				t.Fatal(err)
			}
			if got.Rows != exact.Rows || got.Positives != exact.Positives || len(got.Missing) != len(exact.Missing) {
				t.Errorf("got %d rows, %d positives, missing %v; want %d, %d, %v", got.Rows, got.Positives, got.Missing, exact.Rows, exact.Positives, exact.Missing)
			}
			for _, want := range exact.Metrics {
				m, _ := got.Get(want.Metric)
				var within float64
				for _, found := range got.Metrics {
					if found.Metric == want.Metric {
						within = found.Within
					}
				}
				limit := within + 1e-9
				switch want.Metric {
				case evaluate.ECE, evaluate.Reliability, evaluate.Resolution, evaluate.WithinBins:
					limit = 0.05 // bins end elsewhere, at a cell's end
				case evaluate.LogLoss, evaluate.Slope, evaluate.Intercept, evaluate.InTheLarge:
					limit = 0x1p-22 * 10 // the coefficients of scores that differ by as little
				case evaluate.Brier, evaluate.MeanScore:
					limit = 0x1p-20
				}
				if name == "margins" && want.Metric == evaluate.MeanScore {
					limit *= 20
				}
				if !(math.Abs(m.Value-want.Value) <= limit) {
					t.Errorf("%s: got %.9f, want %.9f within %g", want.Metric, m.Value, want.Value, limit)
				}
			}
			for i, c := range exact.Confusion {
				near(t, "true positives", got.Confusion[i].TruePositives, c.TruePositives)
				near(t, "false positives", got.Confusion[i].FalsePositives, c.FalsePositives)
			}
		})
	}
}

func TestMergedSketchesAreThoseOfAllRows(t *testing.T) {
	d := extremes(1000)
	for i := range d.Scores {
		d.Weights, d.Clusters = append(d.Weights, float64(i%4)), append(d.Clusters, uint64(i/5))
	}
	part := func(from, to int) *evaluate.Sketch {
		return sketched(t, evaluate.Data{Scores: d.Scores[from:to], Labels: d.Labels[from:to], Weights: d.Weights[from:to], Clusters: d.Clusters[from:to]}, 0.5)
	}
	want, err := sketched(t, d, 0.5).Report(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, order := range [][]int{{0, 1, 2}, {2, 0, 1}} {
		parts := []*evaluate.Sketch{part(0, 300), part(300, 301), part(301, 1000)}
		all := parts[order[0]]
		for _, i := range order[1:] {
			if err := all.Merge(parts[i]); err != nil {
				t.Fatal(err)
			}
		}
		got, err := all.Report(nil)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("order %v: got %+v (%v), want %+v", order, got, err, want)
		}
	}
	if err := part(0, 9).Merge(sketched(t, people(9), 0.5)); err == nil || !strings.Contains(err.Error(), "cannot be merged") {
		t.Errorf("got %v", err)
	}
}

func TestDifferencesOfSketchesAreThoseOfRows(t *testing.T) {
	d := people(4000)
	other := make([]float64, len(d.Scores))
	for i, p := range d.Scores {
		other[i] = min(max(p+(even(i, 0.5698402909980532)-0.5)/4, 0.001), 0.999)
		d.Clusters = append(d.Clusters, uint64(i))
	}
	with := d
	with.Scores = other
	for _, m := range []evaluate.Metric{evaluate.AUC, evaluate.LogLoss, evaluate.PRAUC} {
		want, err := evaluate.Difference(m, d, other, nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := sketched(t, d).Difference(m, sketched(t, with), nil)
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(got.Value-want.Value) > 1e-3 {
			t.Errorf("%s: got %v, want %v", m, got, want)
		}
		if ratio := (got.High - got.Low) / (want.High - want.Low); ratio < 0.75 || ratio > 1.35 && m != evaluate.PRAUC || ratio > 2.2 { // one or two rows in a cell
			t.Errorf("%s: %v is %.2f times as wide as %v", m, got, ratio, want)
		}
	}
	with.Clusters = append([]uint64{77}, with.Clusters[:len(with.Clusters)-1]...)
	if _, err := sketched(t, d).Difference(evaluate.AUC, sketched(t, with), nil); err == nil || !strings.Contains(err.Error(), "have not counted the same rows") {
		t.Errorf("got %v", err)
	}
	if _, err := sketched(t, people(9)).Difference(evaluate.AUC, sketched(t, people(9)), nil); err == nil || !strings.Contains(err.Error(), "their keys will do") {
		t.Errorf("got %v", err)
	}
}

func TestSketchesRefuseWhatTheyCannotCount(t *testing.T) {
	s, err := evaluate.NewSketch(false)
	if err != nil {
		t.Fatal(err)
	}
	for want, d := range map[string]evaluate.Data{
		"the label is 2, which is neither 0 nor 1":      {Scores: []float64{0.5}, Labels: []float64{2}},
		"row 0: the score is NaN":                       {Scores: []float64{math.NaN()}, Labels: []float64{1}},
		"the sketch has clusters: false; the rows have": {Scores: []float64{0.5}, Labels: []float64{1}, Clusters: []uint64{1}},
	} {
		if err := s.Add(d); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	if _, err := s.Report(nil); err == nil || !strings.Contains(err.Error(), "there are 0 rows") {
		t.Errorf("got %v", err)
	}
	if _, err := evaluate.NewSketch(false, math.Inf(1)); err == nil {
		t.Error("a threshold is infinite")
	}
	if _, err := evaluate.NewSketch(false, make([]float64, 300)...); err != nil {
		t.Errorf("equal thresholds are one: %v", err)
	}
}

// Moments judge what Regression judges, to the last digits.
func TestMomentsAreThoseOfRegression(t *testing.T) {
	d := people(500)
	for i, p := range d.Scores {
		d.Scores[i] = 1 + 5*p
		d.Labels[i] = (0.4 + even(i, 0.7548776662466927)) * (1 + 4*p)
		d.Weights = append(d.Weights, 0.5+even(i, 0.31))
	}
	o := &evaluate.Options{Quantiles: []float64{0.9}, Powers: []float64{0, 1, 1.5, 2}}
	want, err := evaluate.Regression(d, o)
	if err != nil {
		t.Fatal(err)
	}
	part := func(from, to int) *evaluate.Moments {
		m, err := evaluate.NewMoments(false, o)
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Add(evaluate.Data{Scores: d.Scores[from:to], Labels: d.Labels[from:to], Weights: d.Weights[from:to]}); err != nil {
			t.Fatal(err)
		}
		return m
	}
	all := part(0, 200)
	if err := all.Merge(part(200, 500)); err != nil {
		t.Fatal(err)
	}
	got, err := all.Report(nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Metrics) != len(want.Metrics) || len(got.Metrics) != 10 {
		t.Fatalf("got %d metrics, want %d", len(got.Metrics), len(want.Metrics))
	}
	for i, w := range want.Metrics {
		g := got.Metrics[i]
		if g.Metric != w.Metric || g.N != w.N {
			t.Errorf("got %s of %d, want %s of %d", g.Metric, g.N, w.Metric, w.N)
		}
		near(t, w.Metric, g.Value, w.Value)
		near(t, "low", g.Low, w.Low)
		near(t, "high", g.High, w.High)
	}
}

func TestMomentsKnowClusters(t *testing.T) {
	d := people(2000)
	for i := range d.Scores {
		d.Clusters = append(d.Clusters, uint64(i/4))
	}
	want := of(t, evaluate.MAE, d, nil)
	m, err := evaluate.NewMoments(true, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Add(d); err != nil {
		t.Fatal(err)
	}
	r, err := m.Report(nil)
	if err != nil {
		t.Fatal(err)
	}
	got, _ := r.Get(evaluate.MAE)
	near(t, "mean", got.Value, want.Value)
	if ratio := (got.High - got.Low) / (want.High - want.Low); ratio < 0.8 || ratio > 1.25 {
		t.Errorf("%v is %.2f times as wide as %v", got, ratio, want)
	}
}

func TestMomentsSayWhatTheyCannotJudge(t *testing.T) {
	m, err := evaluate.NewMoments(false, &evaluate.Options{Powers: []float64{2}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Report(nil); err == nil || !strings.Contains(err.Error(), "there are 0 rows") {
		t.Errorf("got %v", err)
	}
	if err := m.Add(evaluate.Data{Scores: []float64{1, 2}, Labels: []float64{3, 3}}); err != nil {
		t.Fatal(err)
	}
	if err := m.Add(evaluate.Data{Scores: []float64{1}, Labels: []float64{math.NaN()}}); err == nil {
		t.Error("a label is NaN")
	}
	zero, err := evaluate.NewMoments(false, &evaluate.Options{Powers: []float64{2}})
	if err != nil {
		t.Fatal(err)
	}
	if err := zero.Add(evaluate.Data{Scores: []float64{1}, Labels: []float64{0}}); err != nil {
		t.Fatal(err)
	}
	r, err := m.Report(nil)
	if err != nil || len(r.Missing) != 1 || r.Missing[0].Metric != evaluate.R2 {
		t.Errorf("got %+v (%v), want no R²: labels are alike", r, err)
	}
	if err := m.Merge(zero); err != nil {
		t.Fatal(err)
	}
	r, err = m.Report(nil)
	if err != nil || len(r.Missing) != 1 || r.Missing[0].Metric != "tweedie@2" || !strings.Contains(r.Missing[0].Reason, "a row has label 0") {
		t.Errorf("got %+v (%v), want no gamma deviance of a 0", r, err)
	}
	for _, o := range []evaluate.Options{{Quantiles: []float64{1}}, {Powers: []float64{0.5}}} {
		if _, err := evaluate.NewMoments(false, &o); err == nil {
			t.Errorf("%+v is no input", o)
		}
	}
}
