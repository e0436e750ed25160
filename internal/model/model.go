// Package model says what a trained model is to the rest of Headgate: named
// inputs, a number of outputs, and a way to score an Arrow record.
//
// The formats live in packages below this one and share its encoding of
// columns ([Encoder]), so that a null, a boolean or a category means the same to
// all of them. The package never reads a store and never decides which model
// scores whom. Start at [Scorer].
package model

import (
	"github.com/apache/arrow/go/v17/arrow"
)

// Kind says how a model reads an input.
type Kind int

const (
	// Numeric inputs are compared with thresholds.
	Numeric Kind = iota
	// Categorical inputs are looked up in sets of codes.
	Categorical
)

// String returns "numeric" or "categorical".
func (k Kind) String() string {
	if k == Categorical {
		return "categorical"
	}
	return "numeric"
}

// An Input is one column that a model reads, found by its name.
type Input struct {
	Name string
	Kind Kind
	// Categories holds the values by code: the first is code 0. With categories a
	// column holds the values themselves, and a value that is not among them is
	// missing. nil means that the column holds numbers or codes.
	Categories []string
	// Importance is the share of the model's gain that rests on the input, in
	// [0, 1]. The shares add up to 1, or are all 0 if the file does not say.
	Importance float64
}

// A Scorer is a model that is ready to score. It is safe for concurrent use.
type Scorer interface {
	// Inputs lists the columns that Score reads, in the model's order.
	Inputs() []Input
	// Outputs is the number of scores of a row: 1, or the number of classes.
	Outputs() int
	// Objective names what the model was trained for, in the format's own words.
	Objective() string
	// Score scores every row of rec into dst, which it resizes. Columns are found
	// by name; others are ignored. A missing or unfit column gives an *[InputError],
	// and then dst holds nothing of use.
	Score(dst *Scores, rec arrow.Record) error
}

// Options tune how a format reads a model. The zero value is good.
type Options struct {
	// Categories holds the values of an input by code. It replaces those in the file.
	Categories map[string][]string
	// Start is the first iteration (boosting round) to use, from 0.
	Start int
	// Count is the number of iterations to use; 0 means all from Start on. It may
	// reach beyond the last.
	Count int
}

// A Format reads a model file.
type Format func(data []byte, o Options) (Scorer, error)

// Formats are the formats that a program knows, by name.
type Formats map[string]Format
