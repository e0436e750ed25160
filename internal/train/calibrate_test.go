package train_test

import (
	"math"
	"strings"
	"testing"

	"headgate/internal/model"
	"headgate/internal/train"
)

// A model that was told to be too sure is not so after its calibration, on rows that it
// has not seen.
func TestACalibrationMakesPredictionsMeanWhatTheySay(t *testing.T) {
	for _, kind := range []model.CalibrationKind{model.Isotonic, model.Platt} {
		t.Run(string(kind), func(t *testing.T) {
			j := shopJob()
			j.Manifest.Calibrate = kind
			j.Manifest.Parameters["scale_pos_weight"] = "8"
			j.Calibration = shop(8000, 3).stream()
			r := done(t, train.GBDT{}, j)
			e := r.Manifest.Results.CalibrationEvidence
			if e.Rows != 8000 || e.Part != "calibration" || len(e.Changes) != 3 {
				t.Fatalf("got %+v", e)
			}
			for _, c := range e.Changes {
				if c.After.High >= c.Before.Low {
					t.Errorf("%s was %v and is %v", c.Metric, c.Before, c.After)
				}
			}
			plain, err := r.Scorer(formats)
			if err != nil {
				t.Fatal(err)
			}
			if off := meanError(t, plain, shop(8000, 4)); off > 0.02 {
				t.Errorf("on new rows the mean prediction is off by %.3f", off)
			}
		})
	}
}

// meanError is how far the mean prediction is from the share of ones.
func meanError(t *testing.T, s model.Scorer, rows *table) float64 {
	t.Helper()
	var scores model.Scores
	var sum, n float64
	for rec, err := range rows.stream() {
		if err == nil {
			err = s.Score(&scores, rec)
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range scores.Pred {
			sum, n = sum+p, n+1
		}
	}
	for _, y := range rows.columns["y"].([]float64) {
		sum -= y
	}
	return math.Abs(sum / n)
}

func TestACalibrationOfAnAmountNeverFalls(t *testing.T) {
	j := shopJob()
	j.Manifest.Label, j.Manifest.Calibrate, j.Manifest.Entity = "amount", model.Isotonic, nil
	r := done(t, train.GBDT{}, j)
	if r.Calibration.Check() != nil || r.Manifest.Results.CalibrationEvidence.Changes[0].Metric != "rmse" {
		t.Errorf("got %+v", r.Manifest.Results.CalibrationEvidence)
	}
	if notes := strings.Join(r.Manifest.Results.Notes, "\n"); !strings.Contains(notes, "a part of its own is better") {
		t.Errorf("notes are %q", notes)
	}
}

func TestCalibrationsThatCannotBeFittedAreSaid(t *testing.T) {
	backwards := shop(2000, 3)
	backwards.set("y", of(backwards.columns["y"].([]float64), func(_ int, v float64) float64 { return 1 - v }))
	for _, tt := range []struct {
		name string
		part *table
		want string
	}{
		{"no rows", shop(0, 3), "calibration part: there are no rows"},
		{"one class", shop(100, 3).set("y", make([]float64, 100)), "the label has one class only"},
		{"a label that is neither 0 nor 1", shop(100, 3).set("y", of(make([]float64, 100), func(i int, _ float64) float64 { return float64(i) })), "row 2 has the label 2"},
		{"a label that the model ranks the wrong way round", backwards, "the model ranks the wrong way round"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			j := shopJob()
			j.Manifest.Calibrate, j.Calibration = model.Platt, tt.part.stream()
			if _, err := (train.GBDT{}).Train(t.Context(), j); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}
