package model

import (
	"fmt"
	"math"
	"slices"

	"github.com/apache/arrow/go/v17/arrow"
)

// CalibrationKind names a way to turn raw scores into predictions.
type CalibrationKind string

// The kinds.
const (
	Isotonic CalibrationKind = "isotonic" // between points, by a line
	Platt    CalibrationKind = "platt"    // 1 / (1 + exp(−(intercept + slope · raw)))
)

// A Calibration maps a model's raw score to a prediction, in place of what the model's
// objective does. It never makes a higher raw score a lower prediction.
//
// Source: Platt, "Probabilistic Outputs for Support Vector Machines", 1999; Zadrozny and
// Elkan, "Transforming Classifier Scores into Accurate Multiclass Probability
// Estimates", 2002.
type Calibration struct {
	Kind CalibrationKind `json:"kind"`

	Intercept float64 `json:"intercept,omitempty"` // of platt
	Slope     float64 `json:"slope,omitempty"`     // of platt, from 0 on

	// Raw and Pred are the points of isotonic: Raw rises, Pred never falls. Below the
	// first point and above the last the prediction is theirs.
	Raw  []float64 `json:"raw,omitempty"`
	Pred []float64 `json:"pred,omitempty"`
}

// Check says what is wrong with a calibration that came from a file.
func (c *Calibration) Check() error {
	switch c.Kind {
	case Platt:
		if !finite(c.Intercept) || !finite(c.Slope) || c.Slope < 0 || len(c.Raw)+len(c.Pred) > 0 {
			return fmt.Errorf("calibration platt: it takes a finite intercept and a finite slope from 0 on, and no points; has %g and %g", c.Intercept, c.Slope)
		}
		return nil
	case Isotonic:
		return c.checkPoints()
	}
	return fmt.Errorf("calibration %q is not known; it is isotonic or platt", c.Kind)
}

func (c *Calibration) checkPoints() error {
	if len(c.Raw) == 0 || len(c.Raw) != len(c.Pred) || c.Intercept != 0 || c.Slope != 0 {
		return fmt.Errorf("calibration isotonic: it takes as many predictions as raw scores, one or more, and no intercept and slope; has %d and %d", len(c.Pred), len(c.Raw))
	}
	for i := range c.Raw {
		switch {
		case !finite(c.Raw[i]) || !finite(c.Pred[i]):
			return fmt.Errorf("calibration isotonic: point %d is not finite", i)
		case i > 0 && (c.Raw[i] <= c.Raw[i-1] || c.Pred[i] < c.Pred[i-1]):
			return fmt.Errorf("calibration isotonic: point %d is not above the one before", i)
		}
	}
	return nil
}

// Apply returns the prediction of a raw score; that of NaN is NaN. The bits are the same
// on every machine.
func (c *Calibration) Apply(raw float64) float64 {
	if raw != raw {
		return raw
	}
	if c.Kind == Platt {
		return 1 / (1 + Exp(-(c.Intercept + float64(c.Slope*raw))))
	}
	i, found := slices.BinarySearch(c.Raw, raw)
	switch {
	case found:
		return c.Pred[i]
	case i == 0:
		return c.Pred[0]
	case i == len(c.Raw):
		return c.Pred[i-1]
	}
	low, high := c.Pred[i-1], c.Pred[i]
	share := (raw - c.Raw[i-1]) / (c.Raw[i] - c.Raw[i-1])
	return min(low+float64(share*(high-low)), high)
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// calibrated is a scorer whose predictions come from a calibration.
type calibrated struct {
	Scorer
	c *Calibration
}

// Calibrated returns s with its predictions replaced by those of c; raw scores stay as
// they are. Without a calibration it returns s. A model with several outputs cannot be
// calibrated, for its predictions would not add up any more.
func Calibrated(s Scorer, c *Calibration) (Scorer, error) {
	if c == nil {
		return s, nil
	}
	if err := c.Check(); err != nil {
		return nil, err
	}
	if s.Outputs() != 1 {
		return nil, fmt.Errorf("calibration %s: the model has %d outputs; only a model with one can be calibrated", c.Kind, s.Outputs())
	}
	return &calibrated{s, c}, nil
}

// Score scores every row of rec; see [Scorer].
func (s *calibrated) Score(dst *Scores, rec arrow.Record) error {
	if err := s.Scorer.Score(dst, rec); err != nil {
		return err
	}
	for i, raw := range dst.Raw {
		dst.Pred[i] = s.c.Apply(raw)
	}
	return nil
}
