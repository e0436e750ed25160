package model

import "fmt"

// An InputError means that a record does not offer what the model reads.
type InputError struct {
	Column string // the input's name
	Reason string // what is wrong with it
}

func (e *InputError) Error() string {
	return fmt.Sprintf("column %q %s", e.Column, e.Reason)
}

// A GoldenError means that a model does not give the score that was recorded
// when it was made.
type GoldenError struct {
	Row    int
	Column string // raw_0 … or pred_0 …
	Got    float64
	Want   float64
}

func (e *GoldenError) Error() string {
	return fmt.Sprintf("golden row %d: %s is %.17g, want %.17g", e.Row, e.Column, e.Got, e.Want)
}
