package model_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"

	"headgate/internal/model"
)

func TestACalibrationIsALineBetweenItsPoints(t *testing.T) {
	c := model.Calibration{Kind: model.Isotonic, Raw: []float64{-2, -1, 0, 4}, Pred: []float64{0.1, 0.1, 0.2, 1}}
	for raw, want := range map[float64]float64{math.Inf(-1): 0.1, -3: 0.1, -2: 0.1, -1.5: 0.1, -0.5: 0.15, 0: 0.2, 1: 0.4, 3: 0.8, 4: 1, 5: 1, math.Inf(1): 1} {
		if got := c.Apply(raw); math.Abs(got-want) > 1e-15 {
			t.Errorf("of %g: got %v, want %v", raw, got, want)
		}
	}
	one := model.Calibration{Kind: model.Isotonic, Raw: []float64{0}, Pred: []float64{0.3}}
	if one.Apply(-7) != 0.3 || one.Apply(0) != 0.3 || one.Apply(7) != 0.3 {
		t.Error("a single point is not the prediction of every raw score")
	}
}

func TestACalibrationOfPlattIsALogisticCurve(t *testing.T) {
	c := model.Calibration{Kind: model.Platt, Intercept: 1, Slope: 2}
	for raw, want := range map[float64]float64{math.Inf(-1): 0, -0.5: 0.5, 0: 0.7310585786300049, math.Inf(1): 1} {
		if got := c.Apply(raw); math.Abs(got-want) > 1e-15 {
			t.Errorf("of %g: got %v, want %v", raw, got, want)
		}
	}
}

func TestACalibrationOfWhatIsMissingIsMissing(t *testing.T) {
	for _, c := range []model.Calibration{{Kind: model.Platt, Slope: 1}, {Kind: model.Isotonic, Raw: []float64{0}, Pred: []float64{1}}} {
		if got := c.Apply(math.NaN()); got == got {
			t.Errorf("%s of NaN is %v", c.Kind, got)
		}
	}
}

func TestCalibrationsThatAreNoneAreRefused(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, tt := range []struct {
		name string
		c    model.Calibration
		want string
	}{
		{"another kind", model.Calibration{Kind: "beta"}, `"beta" is not known`},
		{"no kind", model.Calibration{}, `"" is not known`},
		{"a slope that falls", model.Calibration{Kind: model.Platt, Slope: -1}, "a finite slope from 0 on"},
		{"an intercept that is no number", model.Calibration{Kind: model.Platt, Intercept: nan}, "a finite intercept"},
		{"a slope without end", model.Calibration{Kind: model.Platt, Slope: inf}, "a finite slope"},
		{"points of a curve", model.Calibration{Kind: model.Platt, Slope: 1, Raw: []float64{1}}, "no points"},
		{"no points", model.Calibration{Kind: model.Isotonic}, "one or more"},
		{"more raw scores than predictions", model.Calibration{Kind: model.Isotonic, Raw: []float64{1, 2}, Pred: []float64{1}}, "has 1 and 2"},
		{"a slope between points", model.Calibration{Kind: model.Isotonic, Slope: 1, Raw: []float64{1}, Pred: []float64{1}}, "no intercept and slope"},
		{"one raw score twice", model.Calibration{Kind: model.Isotonic, Raw: []float64{1, 1}, Pred: []float64{0, 1}}, "point 1 is not above"},
		{"a prediction that falls", model.Calibration{Kind: model.Isotonic, Raw: []float64{1, 2}, Pred: []float64{1, 0}}, "point 1 is not above"},
		{"a point that is nowhere", model.Calibration{Kind: model.Isotonic, Raw: []float64{1, inf}, Pred: []float64{0, 1}}, "point 1 is not finite"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := model.Calibrated(rawScorer{outputs: 1}, &tt.c); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

// A rawScorer gives the rows raw scores 0, 1, 2 …, and -1 as every prediction.
type rawScorer struct{ outputs int }

func (rawScorer) Inputs() []model.Input { return nil }
func (s rawScorer) Outputs() int        { return s.outputs }
func (rawScorer) Objective() string     { return "raw" }

func (s rawScorer) Score(dst *model.Scores, rec arrow.Record) error {
	dst.Resize(int(rec.NumRows()), s.outputs)
	for i := range dst.Raw {
		dst.Raw[i], dst.Pred[i] = float64(i), -1
	}
	return nil
}

func TestOnlyPredictionsAreCalibrated(t *testing.T) {
	c := &model.Calibration{Kind: model.Isotonic, Raw: []float64{0, 2}, Pred: []float64{0, 1}}
	s, err := model.Calibrated(rawScorer{1}, c)
	if err != nil {
		t.Fatal(err)
	}
	rec := new(model.Scores)
	rec.Resize(3, 1)
	var got model.Scores
	if err := s.Score(&got, rec.Record()); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got.Raw, []float64{0, 1, 2}) || !slices.Equal(got.Pred, []float64{0, 0.5, 1}) || s.Objective() != "raw" {
		t.Errorf("got %v", got)
	}
	if same, err := model.Calibrated(rawScorer{2}, nil); err != nil || same != (rawScorer{2}) {
		t.Errorf("without a calibration: %v, %v", same, err)
	}
	if _, err := model.Calibrated(rawScorer{2}, c); err == nil || !strings.Contains(err.Error(), "the model has 2 outputs") {
		t.Errorf("got %v", err)
	}
}
