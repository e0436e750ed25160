// Package compare says what would change if a challenger scored in the champion's
// place.
//
// It compares scores of the same rows: how far they moved, whose decision flips,
// what that costs. It sees labels only where outcomes are known. Whether the change
// is wanted, a gate says. Start at [Scores]; [Align] lines rows up by key.
package compare

import "headgate/internal/evaluate"

// Data are the rows that all models have scored. All slices are as long as Champion,
// or nil.
type Data struct {
	Keys        []string // of the entities; for the biggest movers
	Champion    []float64
	Challengers []Challenger
	Labels      []float64 // 0 or 1, where outcomes are known; NaN where not
	Weights     []float64 // as in [evaluate.Data]
	Clusters    []uint64  // as in [evaluate.Data]
	Dimensions  []evaluate.Dimension
}

// A Challenger is a model that may replace the champion.
type Challenger struct {
	Name   string
	Scores []float64
}

// Options say what to compare. The zero value has no threshold, and so no decisions.
type Options struct {
	Threshold           *float64          // score of the champion from which a row is positive
	ChallengerThreshold *float64          // the same of the challengers; nil means Threshold
	Costs               *Costs            // nil means none
	Metrics             []evaluate.Metric // to take the difference of, where labels are known; nil means AUC, log loss and Brier score
	Movers              int               // how many of the biggest; 0 means 20
	MinRows             int64             // that a slice needs; 0 means 100
	Evaluate            evaluate.Options  // level, seed, replicates
}

// Costs are what a decision costs, by what happens then. A gain is negative.
type Costs struct {
	TruePositive  float64 `json:"truePositive"`
	FalsePositive float64 `json:"falsePositive"`
	FalseNegative float64 `json:"falseNegative"`
	TrueNegative  float64 `json:"trueNegative"`
}

// A Result has one comparison for each challenger, in their order.
type Result struct {
	Rows        int64        `json:"rows"`
	Challengers []Comparison `json:"challengers"`
}

// A Comparison is what one challenger would change.
type Comparison struct {
	Challenger string              `json:"challenger"`
	PSI        evaluate.Estimate   `json:"psi"` // of its scores, in the deciles of the champion's
	Spearman   *evaluate.Estimate  `json:"spearman,omitempty"`
	Shift      evaluate.Estimate   `json:"shift"`    // mean change of the score
	Distance   evaluate.Estimate   `json:"distance"` // mean absolute change of the score
	Migration  Migration           `json:"migration"`
	Decisions  *Decisions          `json:"decisions,omitempty"`
	Cost       *CostChange         `json:"cost,omitempty"`
	Metrics    []evaluate.Measured `json:"metrics,omitempty"` // challenger − champion, where labels are known
	Missing    []evaluate.Missing  `json:"missing,omitempty"`
	Movers     []string            `json:"movers,omitempty"` // keys whose score changed most, the largest change first
	Slices     []SliceComparison   `json:"slices,omitempty"`
}

// A Migration counts rows by the champion's decile and the challenger's.
type Migration struct {
	Counts [10][10]int64     `json:"counts"` // [champion's decile][challenger's], the lowest scores first
	Moved  evaluate.Estimate `json:"moved"`  // share that is in another decile
	Far    evaluate.Estimate `json:"far"`    // share that is two or more deciles away
}

// Decisions say whose decision flips.
type Decisions struct {
	Flips      evaluate.Estimate `json:"flips"`           // share of rows whose decision changes
	Champion   evaluate.Estimate `json:"championSelects"` // share of rows
	Challenger evaluate.Estimate `json:"challengerSelects"`
	SwapIn     Swap              `json:"swapIn"`  // only the challenger selects them
	SwapOut    Swap              `json:"swapOut"` // only the champion selects them
}

// A Swap is one half of the swap set.
type Swap struct {
	Rows  int64              `json:"rows"`
	Share evaluate.Estimate  `json:"share"`
	Label *evaluate.Estimate `json:"label,omitempty"` // share of positive labels, where they are known
}

// A CostChange is how much more a row costs on average with the challenger.
type CostChange struct {
	Observed     *evaluate.Estimate `json:"observed,omitempty"`     // by labels
	ByChampion   *evaluate.Estimate `json:"byChampion,omitempty"`   // expected, if the champion's probabilities are right
	ByChallenger *evaluate.Estimate `json:"byChallenger,omitempty"` // expected, if the challenger's are
}

// A SliceComparison is a comparison of the rows with one value. Its intervals hold
// for all slices at once.
type SliceComparison struct {
	Dimension string              `json:"dimension"`
	Value     string              `json:"value"`
	Rows      int64               `json:"rows"`
	PSI       *evaluate.Estimate  `json:"psi,omitempty"`
	Shift     *evaluate.Estimate  `json:"shift,omitempty"`
	Flips     *evaluate.Estimate  `json:"flips,omitempty"`
	Cost      *CostChange         `json:"cost,omitempty"`
	Metrics   []evaluate.Measured `json:"metrics,omitempty"`
	Missing   []evaluate.Missing  `json:"missing,omitempty"`
}

// Scores compares every challenger with the champion.
func Scores(d Data, o *Options) (*Result, error) { panic("x") }

// An Alignment says which rows of two sides have the same key.
type Alignment struct {
	A, B       []int32   `json:"-"` // places of the common keys on both sides, in the order of A
	Common     int64     `json:"common"`
	OnlyA      Unmatched `json:"onlyA"`
	OnlyB      Unmatched `json:"onlyB"`
	DuplicateA Unmatched `json:"duplicateA"` // keys that A has twice; they are not compared
	DuplicateB Unmatched `json:"duplicateB"`
}

// Unmatched are keys that cannot be compared.
type Unmatched struct {
	Count int64    `json:"count"`
	Keys  []string `json:"keys,omitempty"` // the first five, sorted
}

// Align lines up two sides by key.
func Align(a, b []string) Alignment { panic("x") }
