package train

import (
	"context"
	"errors"
)

// calibrationVersion is raised when equal jobs give another calibration than before.
const calibrationVersion = "1"

// A Recalibrate is a trainer that keeps a model and gives it a new calibration: the
// manifest's calibrate says which kind. It is fitted on the calibration part or, without
// one, on the rows of the training part, which the model should not have learned from.
type Recalibrate struct {
	Format     string // of Model
	Model      []byte
	Categories map[string][]string // dictionaries that the model does not hold
}

// Train reads the training part twice, and the calibration part once.
func (c Recalibrate) Train(ctx context.Context, j Job) (*Result, error) {
	if j.Manifest.Calibrate == "" {
		return nil, errors.New("recalibrate: the manifest does not say how; set calibrate to isotonic or platt")
	}
	if j.Calibration == nil {
		j.Calibration = j.Train
	}
	j.Valid = nil
	l, err := begin(ctx, j)
	if err != nil {
		return nil, err
	}
	l.results.Trainer, l.results.Libraries = "recalibrate", map[string]string{"headgate/calibration": calibrationVersion}
	return l.finish(ctx, c.Format, c.Model, c.Categories)
}
