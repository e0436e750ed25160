// Package trigger decides when a model is trained again, and how.
//
// It is pure: facts about batches, trainings and releases come in as values, a
// [Decision] with its reasons goes out. It starts nothing, and never says that a model
// is good: what a training makes is a challenger, which only evidence promotes.
package trigger

import (
	"headgate/internal/evaluate"
)

// A Kind is what a training does.
type Kind string

// The kinds.
const (
	Refit       Kind = "refit"       // learn new models
	Recalibrate Kind = "recalibrate" // keep the champion, and give it a new calibration
	// Both makes challengers of both kinds, which compete for one release.
	Both Kind = "both"
)

// Has reports whether a training of the kind makes challengers of another, which is
// [Refit] or [Recalibrate].
func (k Kind) Has(one Kind) bool { return k == one || k == Both }

// Settings say what starts a training: any of the triggers, and all of the conditions.
// The zero value starts none.
type Settings struct {
	Drift       bool            // drift that persisted
	Metric      evaluate.Metric // of the champion on matured labels; empty: none is looked at
	Fall        float64         // by which Metric is worse than when the champion came, beyond doubt
	Calibration bool            // a calibration estimate is outside its bounds, beyond doubt
	Every       int             // labelled batches since the last training; 0: no date

	Cooldown    int  // labelled batches that no training has seen, at least 1
	Budget      int  // challengers a year; 0: no limit
	Recalibrate bool // a lost calibration is given a new one: before a refit if ranking holds, beside it if nobody knows

	Bounds []Bound // of the calibration
}

// A Bound says between what an estimate must be.
type Bound struct {
	Metric    evaluate.Metric
	Low, High float64
}

// Facts are what a decision rests on.
type Facts struct {
	Drift []Drift // published batches, oldest first
	// Matured are batches that the champion scored and whose labels are known, oldest
	// first; of those that a champion with the same trees scored, how they were ranked.
	Matured []Matured

	Labelled int    // batches with labels that are later than what the last training learned from
	Year     string // of the budget, for the words of the decision
	Tried    int    // challengers that were registered in that year
	Open     string // a release whose candidates are still judged; empty if there is none
	// Recalibrated says that the champion was given a new calibration since it came,
	// which did not help: otherwise another model would be the champion.
	Recalibrated bool
}

// Drift is what a batch's verdict said of it: none, warn, trigger or inconclusive.
type Drift struct {
	Batch, Level string
}

// Matured is how good the champion was on a batch.
type Matured struct {
	Batch     string
	Estimates map[evaluate.Metric]evaluate.Estimate
}

// A Decision says whether a training starts. It starts if there are reasons and nothing
// speaks against it.
type Decision struct {
	Start   bool     `json:"start"`
	Kind    Kind     `json:"kind,omitempty"`    // empty without reasons
	Reasons []string `json:"reasons,omitempty"` // the triggers, in a sentence each
	NotYet  []string `json:"notYet,omitempty"`  // the conditions that are not met
}
