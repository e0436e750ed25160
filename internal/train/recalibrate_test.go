package train_test

import (
	"bytes"
	"strings"
	"testing"

	"headgate/internal/model"
	"headgate/internal/train"
)

// older is a model that a shop has been using.
func older(t *testing.T) train.Recalibrate {
	t.Helper()
	r := done(t, train.GBDT{}, shopJob())
	return train.Recalibrate{Format: r.Format, Model: r.Model, Categories: r.Categories}
}

// When more customers buy than the model knows, a new calibration says so, with the same
// trees.
func TestANewCalibrationKeepsTheTrees(t *testing.T) {
	now := shop(4000, 5)
	kept := of(now.columns["y"].([]float64), func(i int, v float64) float64 {
		if v == 0 && i%3 > 0 {
			return nan // two of three who did not buy are gone
		}
		return v
	})
	now.set("y", kept)
	c := older(t)
	for _, kind := range []model.CalibrationKind{model.Isotonic, model.Platt} {
		j := shopJob()
		j.Manifest.Calibrate, j.Train, j.Valid = kind, now.stream(), nil
		r := done(t, c, j)
		if !bytes.Equal(r.Model, c.Model) || r.Manifest.Results.Trainer != "recalibrate" {
			t.Errorf("%s: another model, by %s", kind, r.Manifest.Results.Trainer)
		}
		for _, change := range r.Manifest.Results.CalibrationEvidence.Changes {
			if change.After.High >= change.Before.Low {
				t.Errorf("%s: %s was %v and is %v", kind, change.Metric, change.Before, change.After)
			}
		}
	}
}

func TestWhatCannotBeRecalibratedIsSaid(t *testing.T) {
	c := older(t)
	j := shopJob()
	if _, err := c.Train(t.Context(), j); err == nil || !strings.Contains(err.Error(), "set calibrate to isotonic or platt") {
		t.Errorf("got %v", err)
	}
	j.Manifest.Calibrate = model.Platt
	c.Model = c.Model[:100]
	if _, err := c.Train(t.Context(), j); err == nil || !strings.Contains(err.Error(), "lightgbm model") {
		t.Errorf("got %v", err)
	}
}
