package evaluate_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"headgate/internal/evaluate"
)

// even is a number in [0, 1) that is spread evenly over i.
func even(i int, step float64) float64 { return math.Mod(float64(i)*step, 1) }

// people returns n rows whose scores are nearly the probabilities of their labels.
func people(n int) evaluate.Data {
	var d evaluate.Data
	for i := range n {
		p := 0.02 + 0.96*even(i, 0.6180339887498949)
		label := 0.0
		if even(i, 0.7548776662466927) < p {
			label = 1
		}
		d.Scores, d.Labels = append(d.Scores, p), append(d.Labels, label)
	}
	return d
}

func of(t *testing.T, m evaluate.Metric, d evaluate.Data, o *evaluate.Options) evaluate.Estimate {
	t.Helper()
	e, err := evaluate.Of(m, d, o)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestRowsThatCannotBeJudgedAreNamed(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	good := evaluate.Data{Scores: []float64{0.2, 0.7, 0.4}, Labels: []float64{0, 1, 0}}
	with := func(change func(*evaluate.Data)) evaluate.Data {
		d := good
		change(&d)
		return d
	}
	for _, c := range []struct {
		name string
		data evaluate.Data
		o    *evaluate.Options
		want string
	}{
		{name: "no rows", want: "evaluate: there are no rows"},
		{name: "one row", data: evaluate.Data{Scores: []float64{1}, Labels: []float64{1}}, want: "there is one row with a weight, and an interval takes two"},
		{name: "one row with a weight", data: with(func(d *evaluate.Data) { d.Weights = []float64{0, 2, 0} }), want: "there is one row with a weight"},
		{name: "a score that is NaN", data: with(func(d *evaluate.Data) { d.Scores = []float64{0.2, nan, 0.4} }), want: "row 1: the score is NaN, and must be a finite number"},
		{name: "an infinite score", data: with(func(d *evaluate.Data) { d.Scores = []float64{-inf, 0, 0} }), want: "row 0: the score is -Inf"},
		{name: "a label that is NaN", data: with(func(d *evaluate.Data) { d.Labels = []float64{0, 1, nan} }), want: "row 2: the label is NaN; leave out rows whose outcome is not known"},
		{name: "an infinite label", data: with(func(d *evaluate.Data) { d.Labels = []float64{0, 1, inf} }), want: "row 2: the label is +Inf"},
		{name: "a label of 2", data: with(func(d *evaluate.Data) { d.Labels = []float64{0, 2, 1} }), want: "row 1 has label 2, which is neither 0 nor 1"},
		{name: "an infinite weight", data: with(func(d *evaluate.Data) { d.Weights = []float64{1, inf, 1} }), want: "row 1: the weight is +Inf"},
		{name: "a weight that is NaN", data: with(func(d *evaluate.Data) { d.Weights = []float64{1, 1, nan} }), want: "row 2: the weight is NaN"},
		{name: "a negative weight", data: with(func(d *evaluate.Data) { d.Weights = []float64{-1, 1, 1} }), want: "row 0: the weight is -1"},
		{name: "weights of 0", data: with(func(d *evaluate.Data) { d.Weights = []float64{0, 0, 0} }), want: "all weights are 0"},
		{name: "a weight out of proportion", data: with(func(d *evaluate.Data) { d.Weights = []float64{1, 1e300, 1} }), want: "row 1: the weight is 1e+300, and must be 0 or a number from 1e-100 to 1e100"},
		{name: "fewer labels", data: with(func(d *evaluate.Data) { d.Labels = []float64{0} }), want: "there are 3 scores and 1 labels"},
		{name: "fewer weights", data: with(func(d *evaluate.Data) { d.Weights = []float64{1} }), want: "there are 3 scores and 1 weights"},
		{name: "fewer clusters", data: with(func(d *evaluate.Data) { d.Clusters = []uint64{1} }), want: "there are 3 scores and 1 clusters"},
		{name: "one cluster", data: with(func(d *evaluate.Data) { d.Clusters = []uint64{5, 5, 5} }), want: "all rows are of one cluster"},
		{name: "a level of 1", data: good, o: &evaluate.Options{Level: 1}, want: "the level of intervals is 1"},
		{name: "5 replicates", data: good, o: &evaluate.Options{Replicates: 5}, want: "5 replicates of the bootstrap"},
		{name: "1 bin", data: good, o: &evaluate.Options{Bins: 1}, want: "1 bins of the reliability table"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := evaluate.Binary(c.data, c.o)
			var input *evaluate.InputError
			if !errors.As(err, &input) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an InputError with %q", err, c.want)
			}
		})
	}
}

func TestMetricsThatRowsDoNotHaveSayWhy(t *testing.T) {
	two := evaluate.Data{Scores: []float64{0.2, 0.7, 0.4, 0.9}, Labels: []float64{0, 1, 0, 1}}
	for _, c := range []struct {
		name   string
		metric evaluate.Metric
		data   evaluate.Data
		want   string
	}{
		{"one class", evaluate.AUC, evaluate.Data{Scores: []float64{1, 2}, Labels: []float64{0, 0}}, "auc: no row has label 1"},
		{"the other class", evaluate.PRAUC, evaluate.Data{Scores: []float64{1, 2}, Labels: []float64{1, 1}}, "no row has label 0"},
		{"one positive row", evaluate.AUC, evaluate.Data{Scores: []float64{1, 2, 3}, Labels: []float64{0, 0, 1}}, "1 rows have label 1 and 2 label 0"},
		{"scores that are no probabilities", evaluate.LogLoss, evaluate.Data{Scores: []float64{1, 2}, Labels: []float64{0, 1}}, "row 1 has score 2, which is no probability"},
		{"labels that are amounts", evaluate.KS, evaluate.Data{Scores: []float64{1, 2}, Labels: []float64{0, 7}}, "row 1 has label 7"},
		{"separated classes", evaluate.Slope, two, "separate the labels"},
		{"one score", evaluate.Slope, evaluate.Data{Scores: []float64{0.5, 0.5, 0.5}, Labels: []float64{0, 1, 0}}, "alike, or separate"},
		{"nothing selected", "precision@0.95", two, "no row has a score of 0.95 or more"},
		{"nothing to find", "f1@0.95", evaluate.Data{Scores: []float64{1, 1.5}, Labels: []float64{0, 0}}, ""},
		{"all selected", "mcc@0.1", two, "all rows are on one side of 0.1"},
		{"a share above 1", "lift@1.5", two, "outside of (0, 1]"},
		{"labels that are alike", evaluate.R2, evaluate.Data{Scores: []float64{1, 2}, Labels: []float64{3, 3}}, "all labels are alike"},
		{"a forecast of 0", evaluate.Poisson, evaluate.Data{Scores: []float64{1, 0}, Labels: []float64{3, 3}}, "row 1 has score 0"},
		{"a negative count", evaluate.Poisson, evaluate.Data{Scores: []float64{1, 1}, Labels: []float64{3, -3}}, "row 1 has label -3"},
		{"a power between 0 and 1", "tweedie@0.5", two, "must be 0 or from 1 to 10"},
		{"a quantile of 1", "pinball@1", two, "outside of (0, 1)"},
		{"no queries", "ndcg@10", two, "rows have no queries"},
		{"losses beyond all numbers", evaluate.RMSE, evaluate.Data{Scores: []float64{1e200, 2}, Labels: []float64{3, 3}}, "too large or too small"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, err := evaluate.Of(c.metric, c.data, nil)
			if c.want == "" {
				if err != nil || e.Value != 0 {
					t.Errorf("got %v (%v), want 0", e, err)
				}
				return
			}
			if !errors.Is(err, evaluate.ErrUndefined) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v (%v), want ErrUndefined with %q", e, err, c.want)
			}
		})
	}
}

func TestNamesThatAreNoMetricAreRefused(t *testing.T) {
	for name, want := range map[evaluate.Metric]string{
		"acu":           `there is no metric "acu"`,
		"auc@0.5":       `metric "auc@0.5" takes no argument; write "auc"`,
		"precision":     `metric "precision" needs an argument, as in "precision@0.5"`,
		"precision@low": `the argument of metric "precision@low" is "low", which is no number`,
		"precision@NaN": "which is no number",
	} {
		if err := name.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", name, err, want)
		}
	}
	if err := evaluate.At(evaluate.Precision, 0.25).Check(); err != nil {
		t.Error(err)
	}
}

// What is reported can always be written as JSON.
func TestReportsAreFinite(t *testing.T) {
	o := &evaluate.Options{Thresholds: []float64{0, 0.5, 1}, Quantiles: []float64{0.5}, Powers: []float64{0, 1, 2, 3}, Replicates: 100}
	for name, d := range map[string]evaluate.Data{
		"one class":         {Scores: []float64{0.1, 0.2, 0.3}, Labels: []float64{0, 0, 0}},
		"two rows":          {Scores: []float64{0.1, 0.2}, Labels: []float64{0, 1}},
		"certain and right": {Scores: []float64{0, 0, 1, 1}, Labels: []float64{0, 0, 1, 1}},
		"certain and wrong": {Scores: []float64{1, 1, 0, 0}, Labels: []float64{0, 0, 1, 1}},
		"one score":         {Scores: []float64{0.5, 0.5, 0.5, 0.5}, Labels: []float64{0, 1, 0, 1}},
		"tiny scores":       {Scores: []float64{5e-324, 1e-300, 0, 1}, Labels: []float64{0, 1, 0, 1}},
		"huge scores":       {Scores: []float64{1e308, -1e308, 0, 1}, Labels: []float64{0, 1, 0, 1}},
		"huge weights":      {Scores: []float64{0.1, 0.4, 0.3, 0.9}, Labels: []float64{0, 1, 0, 1}, Weights: []float64{1e100, 1e-100, 1, 1}},
		"two clusters":      {Scores: []float64{0.1, 0.4, 0.3, 0.9}, Labels: []float64{0, 1, 0, 1}, Clusters: []uint64{1, 1, 2, 2}},
	} {
		for _, judge := range []func(evaluate.Data, *evaluate.Options) (*evaluate.Report, error){evaluate.Binary, evaluate.Regression} {
			r, err := judge(d, o)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if _, err := json.Marshal(r); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			for _, m := range r.Metrics {
				if !(m.Low <= m.Value && m.Value <= m.High) {
					t.Errorf("%s: %s is %v", name, m.Metric, m.Estimate)
				}
			}
		}
	}
}

func TestPerfectSeparationIsNotCertainty(t *testing.T) {
	var d evaluate.Data
	for i := range 20 {
		d.Scores, d.Labels = append(d.Scores, float64(i)/20), append(d.Labels, float64(i/10))
	}
	e := of(t, evaluate.AUC, d, nil)
	// Ten pairs in order: 0.025^(1/10).
	if e.Value != 1 || e.High != 1 || math.Abs(e.Low-math.Pow(0.025, 0.1)) > 1e-12 {
		t.Errorf("got %v, want 1 from %g", e, math.Pow(0.025, 0.1))
	}
	if e := of(t, "mcc@0.5", d, nil); e.Value != 1 || e.Low > 0.8 || e.Low < 0.5 {
		t.Errorf("MCC: got %v", e)
	}
	if e := of(t, "recall@0.5", d, nil); e.Value != 1 || math.Abs(e.Low-0.7225) > 1e-3 { // Wilson, 10 of 10
		t.Errorf("recall: got %v", e)
	}
	for i := range d.Scores {
		d.Scores[i] = -d.Scores[i]
	}
	if e := of(t, evaluate.AUC, d, nil); e.Value != 0 || e.Low != 0 || math.Abs(e.High-(1-math.Pow(0.025, 0.1))) > 1e-12 {
		t.Errorf("got %v", e)
	}
}

func TestPartsOfTheBrierScoreAddUpToIt(t *testing.T) {
	d := people(500)
	sum := of(t, evaluate.Reliability, d, nil).Value - of(t, evaluate.Resolution, d, nil).Value +
		of(t, evaluate.Uncertainty, d, nil).Value + of(t, evaluate.WithinBins, d, nil).Value
	near(t, "sum", sum, of(t, evaluate.Brier, d, nil).Value)
}

func TestCalibrationErrorOfCalibratedScoresMayBeNothing(t *testing.T) {
	d := people(2000)
	if e := of(t, evaluate.ECE, d, nil); e.Value <= 0 || e.Low != 0 {
		t.Errorf("got %v, want an interval from 0", e)
	}
	for i, p := range d.Scores {
		d.Scores[i] = p * p
	}
	if e := of(t, evaluate.ECE, d, nil); e.Low < 0.1 {
		t.Errorf("got %v of scores that are far too low", e)
	}
	r, err := evaluate.Binary(d, quick())
	if err != nil || len(r.Reliability) != 10 {
		t.Fatalf("got %d bins (%v), want 10", len(r.Reliability), err)
	}
	for i, b := range r.Reliability {
		if b.N != 200 || i > 0 && b.Low < r.Reliability[i-1].High {
			t.Errorf("bin %d has %d rows from %g", i, b.N, b.Low)
		}
	}
}

// A row that is there w times is a row of weight w.
func TestWholeWeightsAreCopies(t *testing.T) {
	d := people(120)
	var copies evaluate.Data
	for i := range d.Scores {
		w := i%3 + 1
		d.Weights = append(d.Weights, float64(w))
		for range w {
			copies.Scores, copies.Labels = append(copies.Scores, d.Scores[i]), append(copies.Labels, d.Labels[i])
			copies.Clusters = append(copies.Clusters, uint64(i))
		}
	}
	d.Clusters = nil
	for _, m := range []evaluate.Metric{evaluate.AUC, evaluate.KS, evaluate.PRAUC, evaluate.LogLoss, evaluate.ECE, evaluate.Slope, "lift@0.1", "f1@0.5", "mcc@0.5", evaluate.R2} {
		weighted, copied := of(t, m, d, quick()), of(t, m, copies, quick())
		near(t, m, weighted.Value, copied.Value)
	}
	// Copies are one cluster, so they know no more than the row.
	weighted, copied := of(t, evaluate.LogLoss, d, nil), of(t, evaluate.LogLoss, copies, nil)
	if math.Abs(weighted.High-copied.High) > 1e-6 {
		t.Errorf("got %v of weights and %v of clusters of copies", weighted, copied)
	}
}

func TestARowOfWeightZeroIsNotThere(t *testing.T) {
	d := people(100)
	want := of(t, evaluate.AUC, d, nil)
	d.Scores, d.Labels = append(d.Scores, 0.99), append(d.Labels, 0)
	for range 100 {
		d.Weights = append(d.Weights, 1)
	}
	d.Weights = append(d.Weights, 0)
	if got := of(t, evaluate.AUC, d, nil); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestUntreatedRowsStandForAll(t *testing.T) {
	weights, err := evaluate.InversePropensity([]float64{0, 0.5, 0.75})
	if err != nil || !reflect.DeepEqual(weights, []float64{1, 2, 4}) {
		t.Errorf("got %v (%v), want 1, 2, 4", weights, err)
	}
	for _, p := range []float64{1, -0.1, math.NaN(), 1.5} {
		if _, err := evaluate.InversePropensity([]float64{0.5, p}); err == nil || !strings.Contains(err.Error(), "row 1: an untreated row has propensity") {
			t.Errorf("%g: got %v", p, err)
		}
	}
}

// Rows that are all there twice say nothing new; clusters know that.
func TestClustersWidenIntervals(t *testing.T) {
	d := people(300)
	var twice evaluate.Data
	for i := range d.Scores {
		for range 2 {
			twice.Scores, twice.Labels = append(twice.Scores, d.Scores[i]), append(twice.Labels, d.Labels[i])
		}
	}
	together := twice
	for i := range twice.Scores {
		together.Clusters = append(together.Clusters, uint64(i/2))
	}
	for _, m := range []evaluate.Metric{
		evaluate.AUC, evaluate.KS, evaluate.PRAUC, evaluate.LogLoss, evaluate.Slope, "capture@0.2", "accuracy@0.5", "f1@0.5", "mcc@0.5", evaluate.RMSE,
	} {
		once, naive, right := of(t, m, d, nil), of(t, m, twice, nil), of(t, m, together, nil)
		width := func(e evaluate.Estimate) float64 { return e.High - e.Low }
		if ratio := width(right) / width(naive); ratio < 1.3 || ratio > 1.55 {
			t.Errorf("%s: clusters make %v %.2f times as wide: %v", m, naive, ratio, right)
		}
		if ratio := width(right) / width(once); ratio < 0.93 || ratio > 1.07 {
			t.Errorf("%s: got %v, want about the interval of each row once, %v", m, right, once)
		}
	}
}

func TestSameSeedSameBitsOnAnyNumberOfProcessors(t *testing.T) {
	d := people(200)
	o := &evaluate.Options{Seed: 9, Replicates: 300}
	want := of(t, evaluate.PRAUC, d, o)
	for _, n := range []int{1, 2, 7} {
		old := runtime.GOMAXPROCS(n)
		got := of(t, evaluate.PRAUC, d, o)
		runtime.GOMAXPROCS(old)
		if got != want {
			t.Errorf("%d processors: got %v, want %v", n, got, want)
		}
	}
	if got := of(t, evaluate.PRAUC, d, &evaluate.Options{Seed: 10, Replicates: 300}); got == want {
		t.Error("another seed gives the same bootstrap")
	}
	// The bits of one machine are those of all.
	if got := fmt.Sprintf("%x %x", want.Low, want.High); got != "0x1.7e02a09f725eep-01 0x1.c83640ccba684p-01" {
		t.Errorf("got %s", got)
	}
}

func TestDifferencesAreNarrowerThanTwoIntervals(t *testing.T) {
	d := people(400)
	other := make([]float64, len(d.Scores))
	for i, p := range d.Scores {
		other[i] = min(max(p+(even(i, 0.5698402909980532)-0.5)/4, 0.001), 0.999)
	}
	for _, m := range []evaluate.Metric{evaluate.AUC, evaluate.LogLoss, evaluate.Brier, evaluate.PRAUC, "accuracy@0.5"} {
		difference, err := evaluate.Difference(m, d, other, nil)
		if err != nil {
			t.Fatal(err)
		}
		with := d
		with.Scores = other
		a, b := of(t, m, d, nil), of(t, m, with, nil)
		near(t, m, difference.Value, b.Value-a.Value)
		if difference.High-difference.Low > 0.9*math.Hypot(a.High-a.Low, b.High-b.Low) {
			t.Errorf("%s: %v is as wide as two independent ones", m, difference)
		}
		same, err := evaluate.Difference(m, d, d.Scores, nil)
		if err != nil || same.Value != 0 || same.Low != 0 || same.High != 0 {
			t.Errorf("%s: a model differs from itself by %v (%v)", m, same, err)
		}
	}
	if _, err := evaluate.Difference(evaluate.AUC, d, other[:9], nil); err == nil || !strings.Contains(err.Error(), "400 scores of one model and 9 of the other") {
		t.Errorf("got %v", err)
	}
}

// The classes are apart by times √(2/n), of n rows each; two samples of one class are
// so by more than 1.48 times in one of forty cases.
func TestKSOfManyRowsBeginsAtZeroUnlessChanceRarelyGivesAsMuch(t *testing.T) {
	const n = 60_000
	for _, c := range []struct {
		name  string
		times float64
		size  int // of clusters
		above bool
	}{
		{name: "chance", times: 1.2, size: 1},
		{name: "more than chance", times: 2.4, size: 1, above: true},
		{name: "chance, as four rows are of one cluster", times: 2.4, size: 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			var d evaluate.Data
			want := c.times * math.Sqrt(2.0/n)
			for i := range 2 * n {
				label := float64(i / n)
				d.Scores, d.Labels = append(d.Scores, float64(i%n)/n+label*want), append(d.Labels, label)
				if c.size > 1 {
					d.Clusters = append(d.Clusters, uint64(i/c.size))
				}
			}
			e := of(t, evaluate.KS, d, nil)
			if math.Abs(e.Value-want) > 1.0/n || e.Low > 0 != c.above || e.High <= want {
				t.Errorf("got %v, want %.4f and an interval above 0: %t", e, want, c.above)
			}
		})
	}
}
