package gbdt

import (
	"context"

	"headgate/internal/model"
)

// Options tune a training without changing the model. The zero value is good.
type Options struct {
	Threads int // that work at the same time; 0 means as many as Go may use
	// Progress is called after each round. An error of it ends the training and is
	// returned; nil means that nobody watches.
	Progress func(Progress) error
	// Resume goes on after the round of a checkpoint of the same training.
	Resume *Checkpoint
}

// Progress is where a training is.
type Progress struct {
	Round  int // rounds done, from 1
	Rounds int // at most
	// Metric names what Value is; it is empty if there is neither a validation part
	// nor the parameter is_provide_training_metric.
	Metric string
	Value  float64
	Best   int // the round with the best value so far
	// Checkpoint returns what is needed to go on after this round. It is valid
	// during the call only, and costs a copy of the model's text.
	Checkpoint func() *Checkpoint
}

// A Model is what a training returns.
type Model struct {
	Text      []byte        // in LightGBM's text format, version v4
	Inputs    []model.Input // with their categories, which the text does not hold
	Objective string        // as in the text, "binary sigmoid:1"
	Outputs   int           // scores of a row: 1, or the number of classes
	Rounds    int           // in the text: all, or those up to the best
	Metric    string        // of Values; empty if there is none
	Values    []float64     // of each round that was trained
	Stopped   Stopped       // why there were no more rounds
}

// Stopped says why a training ended.
type Stopped string

const (
	StoppedAtLast  Stopped = "num_iterations"       // all rounds were done
	StoppedEarly   Stopped = "early_stopping_round" // the metric did not improve any more
	StoppedNoSplit Stopped = "no split"             // no leaf could be split any more
)

// Train boosts trees on a dataset until num_iterations, or until the metric of the
// validation part has not improved for early_stopping_round rounds; then the model
// ends with the best round. valid may be nil; it must come from [Dataset.Validation].
//
// The parameters are checked again, those that bins depend on against the
// dataset's. Train returns ctx's error soon after ctx ends.
func Train(ctx context.Context, train, valid *Dataset, p Params, o *Options) (*Model, error) {
	b, err := newBooster(train, valid, p, o)
	if err != nil {
		return nil, err
	}
	return b.run(ctx)
}
