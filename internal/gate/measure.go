package gate

import (
	"errors"

	"headgate/internal/evaluate"
)

// Paired are rows that both models have scored and that have labels, of all batches
// that count.
type Paired struct {
	// Data has labels (NaN if not known), weights and clusters; its scores are not read.
	Data      evaluate.Data
	Champion  []float64
	Candidate []float64
	Slices    []evaluate.Dimension // the columns that the policy's slices name

	Batches []string // that the rows are of, in order
	// Past are the looks before, [Outcome.Past] of the decision before on this candidate
	// for the same subject; nil for the first.
	Past  []Look
	Tried int // challengers that were tried before this one in the same year
}

// Measure makes evidence of rows, with intervals as wide as the policy's α grants
// after so many looks. subject is [Advance] or [Reverse]. What cannot be measured is
// in [Outcome.Missing]; an error is an [*evaluate.InputError] and means that the rows
// make no sense.
func Measure(p *Policy, subject Subject, in Paired) (*Outcome, error) {
	return nil, errors.New("gate: nothing is measured")
}
