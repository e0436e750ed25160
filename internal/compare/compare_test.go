package compare_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"headgate/internal/compare"
	"headgate/internal/evaluate"
)

func at(x float64) *float64 { return &x }

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if !(math.Abs(got-want) <= 1e-8*math.Abs(want)+1e-12) {
		t.Errorf("%s: got %.17g, want %.17g", what, got, want)
	}
}

func one(t *testing.T, d compare.Data, o *compare.Options) compare.Comparison {
	t.Helper()
	r, err := compare.Scores(d, o)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Challengers) != 1 {
		t.Fatalf("got %d comparisons, want 1", len(r.Challengers))
	}
	return r.Challengers[0]
}

func TestMeasuresAgreeWithScipy(t *testing.T) {
	data, err := os.ReadFile("testdata/scores.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Name                           string
		Champion, Challenger, Weights  []float64
		PSI, Spearman, Weighted, Flips float64
		Counts                         [10][10]int64
	}
	if err := json.Unmarshal(data, &cases); err != nil || len(cases) == 0 {
		t.Fatalf("no cases (%v)", err)
	}
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			d := compare.Data{Champion: c.Champion, Challengers: []compare.Challenger{{Name: "b", Scores: c.Challenger}}}
			got := one(t, d, &compare.Options{Threshold: at(0.5)})
			near(t, "PSI", got.PSI.Value, c.PSI)
			near(t, "Spearman", got.Spearman.Value, c.Spearman)
			near(t, "flips", got.Decisions.Flips.Value, c.Flips)
			near(t, "swap set", got.Decisions.SwapIn.Share.Value+got.Decisions.SwapOut.Share.Value, c.Flips)
			if got.Migration.Counts != c.Counts {
				t.Errorf("migration: got %v, want %v", got.Migration.Counts, c.Counts)
			}
			for _, e := range []evaluate.Estimate{got.PSI, *got.Spearman, got.Decisions.Flips, got.Shift, got.Distance, got.Migration.Moved} {
				if !(e.Low < e.Value && e.Value < e.High) {
					t.Errorf("%g is not within [%g, %g]", e.Value, e.Low, e.High)
				}
			}
			d.Weights = c.Weights
			near(t, "weighted Spearman", one(t, d, nil).Spearman.Value, c.Weighted)
		})
	}
}

// world returns n rows of two models, with labels, keys and a segment. The second
// model is the first with noise.
func world(n int) compare.Data {
	d := compare.Data{Dimensions: []evaluate.Dimension{{Name: "segment"}}}
	var scores []float64
	for i := range n {
		z := math.Mod(float64(i)*0.6180339887498949, 1)
		noise := math.Mod(float64(i)*0.7548776662466927, 1) - 0.5
		label := 0.0
		if math.Mod(float64(i)*0.5698402909980532, 1) < z {
			label = 1
		}
		d.Keys = append(d.Keys, fmt.Sprintf("k%04d", i))
		d.Champion, scores = append(d.Champion, z), append(scores, min(max(z+noise/3, 0), 1))
		d.Labels = append(d.Labels, label)
		d.Dimensions[0].Values = append(d.Dimensions[0].Values, []string{"a", "b", "b", "b"}[i%4])
	}
	d.Dimensions[0].Values[0] = "rare"
	d.Challengers = []compare.Challenger{{Name: "noisy", Scores: scores}}
	return d
}

func TestAChallengerThatScoresAlikeChangesNothing(t *testing.T) {
	d := world(200)
	d.Challengers[0].Scores = d.Champion
	got := one(t, d, &compare.Options{Threshold: at(0.5), Costs: &compare.Costs{FalsePositive: 1}})
	if got.PSI.Value != 0 || got.PSI.High != 0 || got.Spearman.Value != 1 || got.Shift.Value != 0 || got.Decisions.Flips.Value != 0 || len(got.Movers) != 0 {
		t.Errorf("got %+v", got)
	}
	if got.Decisions.Flips.High < 0.01 {
		t.Errorf("200 rows cannot show that fewer than %g flip", got.Decisions.Flips.High)
	}
	for _, m := range got.Metrics {
		if m.Value != 0 || m.Low != 0 || m.High != 0 {
			t.Errorf("%s: got %v, want 0", m.Metric, m.Estimate)
		}
	}
	if got.Cost.Observed.Value != 0 || got.Cost.ByChampion.Value != 0 {
		t.Errorf("got costs %+v", got.Cost)
	}
}

func TestCostsAreThoseOfTheSwapSet(t *testing.T) {
	d := compare.Data{
		Champion:    []float64{0.9, 0.8, 0.2, 0.1},
		Labels:      []float64{1, 0, 1, math.NaN()},
		Challengers: []compare.Challenger{{Name: "b", Scores: []float64{0.9, 0.4, 0.7, 0.6}}},
	}
	got := one(t, d, &compare.Options{Threshold: at(0.5), Costs: &compare.Costs{TruePositive: -10, FalsePositive: 2, FalseNegative: 5}})
	// Row 1 is no longer a false positive (−2), row 2 is a true positive and no false
	// negative (−15); row 3 has no label.
	near(t, "observed", got.Cost.Observed.Value, -17.0/3)
	// By the champion: row 1 0.8·5 − (0.8·−10 + 0.2·2), row 2 the opposite at 0.2, row 3
	// at 0.1: 0.1·−10 + 0.9·2 − 0.1·5.
	near(t, "by the champion", got.Cost.ByChampion.Value, ((4-(-8+0.4))+(-2+1.6-1)+(-1+1.8-0.5))/4)
	if got.Decisions.SwapIn.Rows != 2 || got.Decisions.SwapOut.Rows != 1 {
		t.Errorf("got %d in and %d out, want 2 and 1", got.Decisions.SwapIn.Rows, got.Decisions.SwapOut.Rows)
	}
	if r, err := compare.Scores(d, nil); err != nil || r.Labels != 3 || r.Rows != 4 {
		t.Errorf("got %+v (%v), want 3 labels of 4 rows", r, err)
	}
}

func TestMoversAreKeysByTheSizeOfTheirMove(t *testing.T) {
	d := compare.Data{
		Keys:        []string{"d", "c", "b", "a"},
		Champion:    []float64{0.5, 0.5, 0.5, 0.5},
		Challengers: []compare.Challenger{{Name: "x", Scores: []float64{0.5, 0.75, 0.125, 0.25}}},
	}
	got := one(t, d, &compare.Options{Movers: 2})
	if want := []string{"b", "a"}; !slices.Equal(got.Movers, want) {
		t.Errorf("got %v, want %v", got.Movers, want)
	}
	if got.Spearman != nil || len(got.Missing) == 0 {
		t.Error("a champion with one score for all has no rank correlation")
	}
}

func TestSlicesWithTooFewRowsAreInconclusive(t *testing.T) {
	d := world(800)
	got := one(t, d, &compare.Options{Threshold: at(0.5)})
	if len(got.Slices) != 3 {
		t.Fatalf("got %d slices, want 3", len(got.Slices))
	}
	for _, s := range got.Slices {
		if s.Value == "rare" {
			if s.Comparison != nil || s.Rows != 1 {
				t.Errorf("got %+v for one row", s)
			}
			continue
		}
		if s.Comparison == nil || s.Comparison.Shift.Level != 0.975 {
			t.Errorf("%s: got %+v, want intervals at 0.975 for two slices", s.Value, s.Comparison)
		}
	}
}

func TestClustersWidenAllIntervals(t *testing.T) {
	d := world(600)
	for i := 1; i < 600; i += 2 { // pairs of the same row
		d.Champion[i], d.Labels[i] = d.Champion[i-1], d.Labels[i-1]
		d.Challengers[0].Scores[i] = d.Challengers[0].Scores[i-1]
	}
	o := &compare.Options{Threshold: at(0.5)}
	alone := one(t, d, o)
	for i := range 600 {
		d.Clusters = append(d.Clusters, uint64(i/2))
	}
	together := one(t, d, o)
	for _, pair := range [][2]evaluate.Estimate{
		{*alone.Spearman, *together.Spearman}, {alone.Shift, together.Shift},
		{alone.Decisions.Flips, together.Decisions.Flips}, {alone.Metrics[0].Estimate, together.Metrics[0].Estimate},
	} {
		if ratio := (pair[1].High - pair[1].Low) / (pair[0].High - pair[0].Low); ratio < 1.25 || ratio > 1.65 {
			t.Errorf("the interval of %v is %.2f times as wide as %v, want about √2", pair[1], ratio, pair[0])
		}
	}
	if together.PSI.High-together.PSI.Low <= alone.PSI.High-alone.PSI.Low {
		t.Errorf("PSI: %v of clusters is not wider than %v", together.PSI, alone.PSI)
	}
}

func TestRowsThatCannotBeComparedAreNamed(t *testing.T) {
	good := func() compare.Data { return world(50) }
	for _, c := range []struct {
		name  string
		spoil func(*compare.Data, *compare.Options)
		want  string
	}{
		{"no rows", func(d *compare.Data, _ *compare.Options) { *d = compare.Data{} }, "there are no rows"},
		{"a score that is NaN", func(d *compare.Data, _ *compare.Options) { d.Champion[3] = math.NaN() }, "champion: evaluate: row 3: the score is NaN"},
		{"a challenger's score that is infinite", func(d *compare.Data, _ *compare.Options) { d.Challengers[0].Scores[4] = math.Inf(1) }, "noisy: evaluate: row 4: the score is +Inf"},
		{"a challenger with fewer scores", func(d *compare.Data, _ *compare.Options) { d.Challengers[0].Scores = d.Champion[:9] }, "align them by key first"},
		{"a label of 2", func(d *compare.Data, _ *compare.Options) { d.Labels[1] = 2 }, "row 1: the label is 2"},
		{"a weight of 0", func(d *compare.Data, _ *compare.Options) { d.Weights = make([]float64, 50) }, "row 0: the weight is 0"},
		{"fewer keys", func(d *compare.Data, _ *compare.Options) { d.Keys = d.Keys[:3] }, "50 scores, and there are 3 keys"},
		{"fewer values", func(d *compare.Data, _ *compare.Options) { d.Dimensions[0].Values = nil }, "0 values of segment"},
		{"costs without a threshold", func(_ *compare.Data, o *compare.Options) { o.Costs = &compare.Costs{} }, "there is no threshold"},
		{"a threshold that is NaN", func(_ *compare.Data, o *compare.Options) { o.Threshold = at(math.NaN()) }, "must be a finite number"},
		{"a metric that nobody knows", func(_ *compare.Data, o *compare.Options) { o.Metrics = []evaluate.Metric{"acu"} }, `there is no metric "acu"`},
		{"a level of 2", func(_ *compare.Data, o *compare.Options) { o.Evaluate.Level = 2 }, "level of intervals is 2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, o := good(), compare.Options{}
			c.spoil(&d, &o)
			_, err := compare.Scores(d, &o)
			var input *evaluate.InputError
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want %q", err, c.want)
			}
			var model *compare.Error
			if !errors.As(err, &input) && !errors.As(err, &model) {
				t.Errorf("%v is neither an InputError nor an Error", err)
			}
		})
	}
}

func TestResultsAreFiniteAndRepeatable(t *testing.T) {
	d := world(300)
	o := &compare.Options{Threshold: at(0.5), Costs: &compare.Costs{TruePositive: -1}, Evaluate: evaluate.Options{Seed: 3}}
	first, err := compare.Scores(d, o)
	if err != nil {
		t.Fatal(err)
	}
	second, err := compare.Scores(d, o)
	if err != nil || !reflect.DeepEqual(first, second) {
		t.Errorf("the second time differs (%v)", err)
	}
	if _, err := json.Marshal(first); err != nil {
		t.Error(err)
	}
}

func TestAlignSaysWhatDidNot(t *testing.T) {
	got := compare.Align([]string{"x", "b", "a", "x", "c"}, []string{"c", "d", "a", "x", "e", "e"})
	want := compare.Alignment{
		A: []int32{2, 4}, B: []int32{2, 0}, Common: 2,
		OnlyA:  compare.Unmatched{Count: 1, Keys: []string{"b"}},
		OnlyB:  compare.Unmatched{Count: 2, Keys: []string{"d", "e"}},
		TwiceA: compare.Unmatched{Count: 1, Keys: []string{"x"}},
		TwiceB: compare.Unmatched{Count: 1, Keys: []string{"e"}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func ExampleScores() {
	threshold := 0.5
	d := compare.Data{
		Keys:        []string{"ann", "bob", "cem", "dan"},
		Champion:    []float64{0.9, 0.6, 0.4, 0.1},
		Challengers: []compare.Challenger{{Name: "2024-06", Scores: []float64{0.9, 0.3, 0.45, 0.1}}},
	}
	r, err := compare.Scores(d, &compare.Options{Threshold: &threshold})
	if err != nil {
		fmt.Println(err)
		return
	}
	c := r.Challengers[0]
	fmt.Printf("flips %.2f, biggest mover %s\n", c.Decisions.Flips.Value, c.Movers[0])
	// Output: flips 0.25, biggest mover bob
}
