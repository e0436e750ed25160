package evaluate_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"headgate/internal/evaluate"
)

// regions returns people of regions a, b, c and one of d; in c labels are chance.
func regions(n int) (evaluate.Data, evaluate.Dimension) {
	d := people(n)
	dim := evaluate.Dimension{Name: "region"}
	for i := range d.Scores {
		region := []string{"a", "b", "c"}[i/2%3]
		if region == "c" {
			d.Labels[i] = math.Round(even(i, 0.31))
		}
		dim.Values = append(dim.Values, region)
	}
	dim.Values[0] = "d"
	return d, dim
}

func TestASliceThatIsWorseIsFound(t *testing.T) {
	d, dim := regions(1500)
	found, err := evaluate.BySlice(d, []evaluate.Dimension{dim}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(found) != 4 {
		t.Fatalf("got %d slices, want 4", len(found))
	}
	for _, s := range found {
		if s.Value == "d" {
			if len(s.Metrics) != 0 || len(s.Missing) != 3 || !strings.Contains(s.Missing[0].Reason, "1 rows are fewer than the 100") {
				t.Errorf("got %+v for one row", s)
			}
			continue
		}
		if len(s.Metrics) != 3 || s.Metrics[0].Level != 1-0.05/3 {
			t.Fatalf("%s: got %+v, want three metrics at the level of three slices", s.Value, s)
		}
		auc := s.Metrics[0]
		if worse := s.Value == "c"; worse != (auc.Significant && auc.Gap.High < 0) {
			t.Errorf("%s: AUC %v, gap %v, p %g", s.Value, auc.Estimate, auc.Gap, auc.P)
		}
		in := 0
		for _, v := range dim.Values {
			if v == s.Value {
				in++
			}
		}
		if s.Rows != int64(in) {
			t.Errorf("%s: got %d rows, want %d", s.Value, s.Rows, in)
		}
	}
	if _, err := json.Marshal(found); err != nil {
		t.Error(err)
	}
}

// The probability of one of k slices is k times as large.
func TestProbabilitiesAreCorrectedForTheNumberOfSlices(t *testing.T) {
	d, dim := regions(600)
	halves := evaluate.Dimension{Name: "half"}
	for i := range d.Scores {
		halves.Values = append(halves.Values, []string{"x", "y"}[i/300])
	}
	so := &evaluate.SliceOptions{Metrics: []evaluate.Metric{evaluate.Brier}}
	alone, err := evaluate.BySlice(d, []evaluate.Dimension{halves}, so, nil)
	if err != nil {
		t.Fatal(err)
	}
	// Both halves have the same gap, so Holm's method doubles both.
	if alone[0].Metrics[0].P != alone[1].Metrics[0].P {
		t.Errorf("got %g and %g", alone[0].Metrics[0].P, alone[1].Metrics[0].P)
	}
	more, err := evaluate.BySlice(d, []evaluate.Dimension{halves, dim}, so, nil)
	if err != nil {
		t.Fatal(err)
	}
	if more[0].Metrics[0].P < alone[0].Metrics[0].P {
		t.Errorf("with more slices p falls from %g to %g", alone[0].Metrics[0].P, more[0].Metrics[0].P)
	}
}

func TestGapsOfClustersOnBothSidesAreWider(t *testing.T) {
	d, dim := regions(900)
	so := &evaluate.SliceOptions{Metrics: []evaluate.Metric{evaluate.LogLoss}}
	alone, err := evaluate.BySlice(d, []evaluate.Dimension{dim}, so, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range d.Scores {
		d.Weights, d.Clusters = append(d.Weights, float64(i%5)), append(d.Clusters, uint64(i/30))
	}
	together, err := evaluate.BySlice(d, []evaluate.Dimension{dim}, so, nil)
	if err != nil {
		t.Fatal(err)
	}
	if a, b := alone[0].Metrics[0].Gap, together[0].Metrics[0].Gap; b.High-b.Low <= a.High-a.Low {
		t.Errorf("%v of 30 clusters is not wider than %v", b, a)
	}
}

func TestSlicesThatCannotBeCutAreRefused(t *testing.T) {
	d, dim := regions(300)
	if _, err := evaluate.BySlice(d, []evaluate.Dimension{dim}, &evaluate.SliceOptions{Metrics: []evaluate.Metric{"acu"}}, nil); err == nil || !strings.Contains(err.Error(), "no metric") {
		t.Errorf("got %v", err)
	}
	dim.Values = dim.Values[:5]
	if _, err := evaluate.BySlice(d, []evaluate.Dimension{dim}, nil, nil); err == nil || !strings.Contains(err.Error(), "300 scores and 5 values of region") {
		t.Errorf("got %v", err)
	}
}

func TestParityHasTheRatesOfEachGroup(t *testing.T) {
	d := evaluate.Data{
		Scores: []float64{1, 1, 1, 0, 1, 0, 0, 0},
		Labels: []float64{1, 1, 0, 0, 1, 1, 0, 0},
	}
	dim := evaluate.Dimension{Name: "sex", Values: []string{"f", "f", "f", "f", "m", "m", "m", "m"}}
	p, err := evaluate.Fairness(d, dim, 0.5, 4, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name      string
		got, want float64
	}{
		{"f is selected", p.Groups[0].SelectionRate.Value, 0.75},
		{"m is selected", p.Groups[1].SelectionRate.Value, 0.25},
		{"true positives of f", p.Groups[0].TruePositive.Value, 1},
		{"true positives of m", p.Groups[1].TruePositive.Value, 0.5},
		{"false positives of f", p.Groups[0].FalsePositive.Value, 0.5},
		{"demographic parity", p.DemographicParity.Value, 0.5},
		{"its ratio", p.ParityRatio.Value, 1.0 / 3},
		{"equalised odds", p.EqualisedOdds.Value, 0.5},
	} {
		near(t, c.name, c.got, c.want)
	}
	if p.DemographicParity.Low != 0 || p.ParityRatio.High != 1 {
		t.Errorf("eight rows do not show a difference: %v, %v", p.DemographicParity, p.ParityRatio)
	}
	d.Weights = []float64{1, 1, 1, 3, 1, 1, 1, 0}
	dim.Values[7] = "nobody"
	p, err = evaluate.Fairness(d, dim, 0.5, 3, nil)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "weighted", p.Groups[0].SelectionRate.Value, 0.5)
	if len(p.Groups) != 2 {
		t.Errorf("a row of weight 0 makes a group: %+v", p.Groups)
	}
}

func TestGroupsThatDifferAreFound(t *testing.T) {
	d, dim := regions(3000)
	for i, v := range dim.Values {
		if v == "b" {
			d.Scores[i] = math.Sqrt(d.Scores[i])
		}
	}
	p, err := evaluate.Fairness(d, dim, 0.5, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	if p.DemographicParity.Low < 0.1 || p.ParityRatio.High > 0.9 || p.EqualisedOdds.Low < 0.1 {
		t.Errorf("got %v, %v, %v", p.DemographicParity, p.ParityRatio, p.EqualisedOdds)
	}
	if !p.Groups[3].TooFew || p.Groups[3].SelectionRate != nil {
		t.Errorf("one row is compared: %+v", p.Groups[3])
	}
	if _, err := json.Marshal(p); err != nil {
		t.Error(err)
	}
}

func TestParityThatDoesNotExistSaysWhy(t *testing.T) {
	d, dim := regions(600)
	p, err := evaluate.Fairness(d, dim, 2, 0, nil)
	if err != nil || len(p.Missing) != 1 || !strings.Contains(p.Missing[0].Reason, `no row of group "a" is selected`) {
		t.Errorf("got %+v (%v)", p.Missing, err)
	}
	p, err = evaluate.Fairness(d, dim, 0.5, 590, nil)
	if err != nil || len(p.Missing) != 3 || !strings.Contains(p.Missing[0].Reason, "fewer than two groups") {
		t.Errorf("got %+v (%v)", p.Missing, err)
	}
	for i, v := range dim.Values {
		if v == "a" {
			d.Labels[i] = 1
		}
	}
	p, err = evaluate.Fairness(d, dim, 0.5, 0, nil)
	if err != nil || len(p.Missing) != 1 || p.Missing[0].Metric != evaluate.EqualisedOdds || p.Groups[0].FalsePositive != nil {
		t.Errorf("got %+v (%v)", p.Missing, err)
	}
	if _, err := evaluate.Fairness(d, dim, math.NaN(), 0, nil); err == nil {
		t.Error("a threshold is NaN")
	}
	dim.Values = nil
	if _, err := evaluate.Fairness(d, dim, 0.5, 0, nil); err == nil {
		t.Error("rows have no groups")
	}
}
