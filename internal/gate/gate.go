// Package gate decides by evidence: may this month be published, and may this
// candidate take its next step.
//
// A [Policy] says what is asked for. It needs no writing: [Default] asks that a
// candidate is better beyond doubt in one metric and worse in none. [Read] reads one
// from a pipeline file; its rules in CEL are compiled then, so a rule that names what
// evidence does not have fails with line and column. [Measure] makes evidence of
// scores and labels, and [Judge] a [Decision], which keeps all that it rests on.
//
// What is not known is never a pass: an empty gate, a metric that is missing, a rule
// that cannot be evaluated. Points decide nothing, only the bounds of intervals do,
// and looking at evidence again and again, or trying one challenger after another,
// makes no false promotion likelier than [Policy.Alpha] a year: see [Spend].
//
// The package has no clock and no randomness but [Simulate]'s seed. Equal input gives
// equal bytes.
package gate

import "time"

// Format is the version of decisions. Before version 2, a calibration that is outside its
// bounds beyond doubt was blocked also where the champion's is, and nobody knows which is
// farther.
const Format = 2

// A Verdict is what a rule, or a gate as a whole, says.
type Verdict string

// The verdicts. An empty one is none.
const (
	Pass         Verdict = "pass"
	Block        Verdict = "block"
	Inconclusive Verdict = "inconclusive" // wait for more evidence
	Ask          Verdict = "ask"          // a person decides
)

// A Subject is the question that a gate answers.
type Subject string

// The subjects.
const (
	Publish Subject = "publish" // may this month go out? By [Evidence.Data]
	Advance Subject = "advance" // is this candidate better? By [Evidence.Outcome]
	Canary  Subject = "canary"  // did a batch go well that the candidate served a share of? By Data and Compare
	// Reverse asks whether a new champion may stay, by an Outcome in which it is the
	// candidate, and the former champion the champion. Block brings that one back.
	Reverse Subject = "reverse"
)

// A Decision is a verdict with everything that it rests on. Judging its evidence with
// its policy and its waivers again gives the same bytes.
type Decision struct {
	Format   int          `json:"format"`
	Policy   string       `json:"policy"` // its digest, see [Policy.Digest]
	Subject  Subject      `json:"subject"`
	Evidence Evidence     `json:"evidence"`
	Rules    []RuleResult `json:"rules"`
	Waivers  []Waiver     `json:"waivers,omitempty"` // all that were given, in force or not
	Verdict  Verdict      `json:"verdict"`
	Reasons  []string     `json:"reasons"` // of the rules that did not pass; of all if all did
}

// A RuleResult is what one rule said.
type RuleResult struct {
	ID      string  `json:"id"`   // unique within a decision: "superior", "guardrail/auc"
	Rule    string  `json:"rule"` // in words, or in CEL
	Value   string  `json:"value,omitempty"`
	Outcome Verdict `json:"outcome"`
	Reason  string  `json:"reason"`
	// ReportOnly says that the rule does not count.
	ReportOnly bool `json:"reportOnly,omitempty"`
	// Waived says that a waiver lets the rule go, whatever its outcome.
	Waived *Waiver `json:"waived,omitempty"`
}

// A Waiver lets a rule go until a moment. It comes from an entry of the registry, and
// stays in every decision that was given it.
type Waiver struct {
	Rule   string    `json:"rule"` // [RuleResult.ID]
	By     string    `json:"by"`
	Reason string    `json:"reason"`
	Until  time.Time `json:"until"`           // the first moment at which it is not in force
	Entry  int64     `json:"entry,omitempty"` // of the registry
}
