package release

import "time"

// Kinds of events: those of the registry's entries that a release looks at. All others
// are ignored.
const (
	EventPublished = "published" // Batch, Run, Model (the champion's), Publication, Models, Restated
	EventRestored  = "restored"  // Batch, Publication, Run
	EventShadow    = "shadow"    // Batch, Run, Model; Verdict block: that model cannot score the batch
	EventEvaluated = "evaluated" // Batch, Run, Model: labels of the batch are there
	EventCandidate = "candidate" // Release, Model, Batch (the last that was learned from, or "")
	EventAdvance   = "advance"   // Release, Step, Model, Champion, Verdict, Decision, Reason; Batch and Run, or Batches and Low
	EventApproval  = "approval"  // Release, Step, Model, Answer, Decision, By (the person), Reason
	EventRouting   = "routing"   // Release, Step, Routing
	EventPromote   = "promote"   // Model, Release ("": none brought it); of the alias champion only
	EventRejected  = "rejected"  // Model, Reason
	EventControl   = "control"   // Control, Reason; for a rollback Model and Batch, both optional
)

// Verdicts of a gate, as the registry spells them.
const (
	Pass         = "pass"
	Block        = "block"
	Inconclusive = "inconclusive"
	Ask          = "ask"
)

// Answers and controls, as the registry spells them.
const (
	Approve = "approve"
	Reject  = "reject"
	Refused = "refused"

	Hold     = "hold"
	Resume   = "resume"
	Rollback = "rollback"
)

// An Event is what one entry of the registry says about releases. Digests are strings.
type Event struct {
	Seq  int64 // of the entry, ascending
	At   time.Time
	Kind string
	By   string // who or what appended

	Batch   string
	Run     string // digest; of a verdict on a canary's batch the run that it was given in
	Model   string // digest; of an advance the one that asks, of a rollback the one to go back to
	Release string
	Step    string
	Verdict string
	Answer  string // of an approval
	Control string
	Reason  string
	Paper   string // digest of the entry's paper

	Publication int64
	Models      []string // of a publication: whose scores its rows have; nil: follows from the verdicts
	Restated    bool     // of a publication: made from other input than the first time; never evidence

	// Of an advance, from its decision.
	Champion string   // digest: the model that was compared with
	Batches  []string // labelled batches that the decision rests on; empty inside a run
	Low      float64  // lower bound of the success metric's paired difference; NaN counts as the least

	// Decision is the digest of an advance's decision ("": Paper), or of the one that an
	// approval names, from its paper.
	Decision string

	Routing *Routing // of a routing
}
