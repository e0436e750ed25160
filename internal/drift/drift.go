// Package drift measures how far a batch has moved from its reference, and says
// whether that is worth a person's time.
//
// It compares summaries, never rows: both sides are profiles that may have been
// merged from many files. Every measure names its unit, its range and its source.
// A column has drifted if the change is large (its effect reaches a threshold) and
// is no accident (it is significant, after correction for the number of columns):
// with few rows, chance alone moves a column, and with many, a change of no
// consequence is significant.
//
// The package looks at inputs and scores. A change of what the inputs mean, which
// only outcomes show, it neither sees nor claims. Start at [Compare].
package drift

import "headgate/internal/profile"

// A Level is the verdict on a column or on a batch.
type Level string

// The levels. Inconclusive is not a pass: nobody knows.
const (
	None         Level = "none"
	Warn         Level = "warn"         // it has drifted
	Inconclusive Level = "inconclusive" // too few rows, or nothing that can be compared
)

// A Size says how large a change is, whether or not it is significant.
type Size string

// The sizes.
const (
	Small    Size = "none"     // below the threshold
	Moderate Size = "moderate" // from [Options.Moderate]
	Major    Size = "major"    // from [Options.Major]
)

// Options say what counts as drift. The zero value has the defaults: every column
// that both sides have, moderate from 0.1, major from 0.25, 1 % false discoveries,
// at least 1,000 rows.
type Options struct {
	Moderate float64 // effect from which a significant change is drift; 0 means 0.1
	Major    float64 // effect from which it is major; 0 means 0.25
	Alpha    float64 // share of false discoveries among columns, in (0, 1); 0 means 0.01
	MinRows  int64   // rows that each side needs; 0 means 1,000

	// Columns are the ones to compare, in any order. nil means all that both sides
	// have. One that a side lacks is inconclusive.
	Columns []string
	// Scores are columns that a model wrote. They are compared like any other, are
	// marked, and are never a cause. One that the reference lacks is left out, even if
	// it is among Columns: data that were never scored may be a reference.
	Scores []string
	// Policies hold what is different for a column, by name.
	Policies map[string]Policy
	// Importance is the share of the model's gain that rests on a column, in [0, 1],
	// by name. One that is not there has 0; nil means that all columns are alike.
	Importance map[string]float64
}

// A Policy is what is different for one column. The zero value is nothing.
type Policy struct {
	Moderate float64 // 0 means that of the Options
	Major    float64 // 0 means that of the Options
	Ignore   bool    // not compared: keys, event times, anything that moves by itself
	Hide     bool    // compared, and no value of it is shown
	Codes    bool    // its numbers are codes of categories, compared value by value
}

// The defaults of [Options].
const (
	DefaultModerate = 0.1
	DefaultMajor    = 0.25
	DefaultAlpha    = 0.01
	DefaultMinRows  = 1_000
)

// A Report says how far apart two profiles are. Its JSON depends on the profiles
// and the options alone: numbers have six significant digits, so that machines
// which round differently write the same, and what does not exist is left out.
type Report struct {
	Reference int64    `json:"reference"`       // rows
	Current   int64    `json:"current"`         // rows
	Ratio     *float64 `json:"ratio,omitempty"` // rows of the batch by those of the reference
	Level     Level    `json:"level"`
	Reasons   []string `json:"reasons"` // why, in words
	Columns   []Column `json:"columns"` // by name
	Causes    []Cause  `json:"causes"`  // the columns that drifted, heaviest first; no scores

	// Columns that only one side has, by name, the ignored ones left out.
	OnlyReference []string `json:"onlyReference,omitempty"`
	OnlyCurrent   []string `json:"onlyCurrent,omitempty"`
}

// A Column is what there is to say about one column. Measures that its kind does
// not have are nil.
type Column struct {
	Name       string       `json:"name"`
	Kind       profile.Kind `json:"kind"` // of the current side, if both have it
	Score      bool         `json:"score,omitempty"`
	Restricted bool         `json:"restricted,omitempty"` // only counts are compared
	// Basis says what the bins hold.
	Basis Basis `json:"basis,omitempty"`

	N int64 `json:"n"` // rows of the reference
	M int64 `json:"m"` // rows of the batch

	Level       Level    `json:"level"`
	Size        Size     `json:"size"`
	Effect      float64  `json:"effect"`      // PSI beyond what chance gives on average; at least 0. By mean, the square of its shift
	P           *float64 `json:"p,omitempty"` // of the effect, without correction
	Significant bool     `json:"significant"` // after Benjamini and Hochberg, over the columns
	Reasons     []string `json:"reasons"`

	PSI         *Index       `json:"psi,omitempty"`
	JS          *Distance    `json:"jensenShannon,omitempty"`
	LInfinity   *float64     `json:"lInfinity,omitempty"`
	ChiSquare   *Homogeneity `json:"chiSquare,omitempty"`
	KS          *Smirnov     `json:"kolmogorovSmirnov,omitempty"`  // of finite numbers; of texts with very many values, their lengths
	Wasserstein *float64     `json:"wassersteinPerStd,omitempty"`  // of the same, in standard deviations of the reference
	MeanShift   *float64     `json:"meanShiftPerStd,omitempty"`    // of the same, in standard deviations of the reference
	True        *Proportion  `json:"true,omitempty"`               // of booleans that are not null
	Missing     *Proportion  `json:"missing,omitempty"`            // null or NaN
	New         *Categories  `json:"newCategories,omitempty"`      // in the batch and not in the reference
	Vanished    *Categories  `json:"vanishedCategories,omitempty"` // in the reference and not in the batch
	OutOfRange  *float64     `json:"outOfRange,omitempty"`         // share of the batch's finite numbers that is beyond the reference's minimum and maximum for sure, in [0, 1]
	Moves       []Move       `json:"moves,omitempty"`              // the bins that moved most, the heaviest first; at most five
}

// A Basis says what the bins of a column hold. Nulls, NaN and the infinities have
// bins of their own in all of them; bins that are too rare to judge are one.
type Basis string

// The bases.
const (
	ByDecile  Basis = "deciles" // tenths of the reference's numbers, and what is beyond its range; or the bins of its sketch, if those are few
	ByValue   Basis = "values"  // values
	BySample  Basis = "sample"  // a sample of very many values, the same on both sides; the others are left out
	ByLength  Basis = "lengths" // tenths of the lengths of texts that hardly ever occur twice
	ByMean    Basis = "mean"    // nothing: the values lie too close together for bins, and their mean has moved
	ByMissing Basis = "missing" // present or not
)

// An Index is a population stability index.
type Index struct {
	Value    float64  `json:"value"`         // in nats, with half a row more in each bin
	Raw      *float64 `json:"raw,omitempty"` // without; nil if a bin that is empty on one side makes it infinite
	Expected float64  `json:"expected"`      // its mean when nothing has moved
	Bins     int      `json:"bins"`
}

// A Distance is a Jensen–Shannon divergence to base 2.
type Distance struct {
	Divergence float64 `json:"divergence"` // in bits, in [0, 1]
	Distance   float64 `json:"distance"`   // its square root
}

// A Homogeneity is a χ² test of two samples.
type Homogeneity struct {
	Statistic float64 `json:"statistic"`
	DF        int     `json:"df"`
	P         float64 `json:"p"`
	V         float64 `json:"cramerV"` // in [0, 1]
}

// A Smirnov is a two-sample Kolmogorov–Smirnov test.
type Smirnov struct {
	D float64 `json:"d"` // in [0, 1]
	// High is what D could be at most. Between D and High lies what bins do not
	// show; they are equal if all values are known.
	High float64 `json:"high"`
	P    float64 `json:"p"` // of D
}

// A Proportion is a share on both sides.
type Proportion struct {
	Reference float64 `json:"reference"` // in [0, 1]
	Current   float64 `json:"current"`   // in [0, 1]
	Z         float64 `json:"z"`         // of Current − Reference, in standard errors
	P         float64 `json:"p"`         // two-sided
}

// Categories are values that only one side has.
type Categories struct {
	Count  int      `json:"count"`
	Share  float64  `json:"share"`            // of the rows of that side, in [0, 1]
	Values []string `json:"values,omitempty"` // the most frequent, at most five; none of hidden, confidential and binary columns
}

// A Move is a bin and its share on both sides.
type Move struct {
	Bin       string  `json:"bin"`       // in words; of a hidden, confidential or binary column only its number
	Reference float64 `json:"reference"` // in [0, 1]
	Current   float64 `json:"current"`   // in [0, 1]
}

// A Cause is a column that carries the drift.
type Cause struct {
	Column     string  `json:"column"`
	Effect     float64 `json:"effect"`
	Importance float64 `json:"importance"` // 1 if none is known
	Weight     float64 `json:"weight"`     // effect × importance
	// Slices carry much more of the change than they have rows, heaviest first; at
	// most three.
	Slices []Carrier `json:"slices,omitempty"`
}

// A Carrier is a slice in which a column has changed more than elsewhere.
type Carrier struct {
	Column string  `json:"column"` // by whose values the rows are cut
	Value  string  `json:"value"`
	Null   bool    `json:"null,omitempty"` // the rows without a value
	Of     string  `json:"of"`             // what has changed: mean or missing
	Rows   float64 `json:"rows"`           // share of the rows, the larger of both sides, in [0, 1]
	Share  float64 `json:"share"`          // of the change; above 1 if other slices moved against it
}

// Trigger reports whether drift has lasted: at least batches of the last of levels
// are [Warn]. levels are of consecutive batches, the oldest first; fewer than of is
// no obstacle. An inconclusive batch counts as one that has not drifted.
func Trigger(levels []Level, batches, of int) bool {
	warned := 0
	for _, level := range levels[max(0, len(levels)-of):] {
		if level == Warn {
			warned++
		}
	}
	return warned >= batches
}
