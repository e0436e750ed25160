package release

import "time"

// Kinds of actions.
const (
	DoNothing   = "idle"      // WaitsFor, Until (zero: only an event helps)
	DoShadow    = "shadow"    // score Batch, as Run published it, with Models
	DoJudge     = "judge"     // Model against Champion on Batches; append an advance entry
	DoAsk       = "ask"       // wait for an answer until Until
	DoRoute     = "route"     // append Routing
	DoPromote   = "promote"   // Model becomes the champion, by Decision
	DoReject    = "reject"    // Model may not serve (any longer)
	DoRepublish = "republish" // Batch, from the champion's stored scores
	DoFinish    = "finish"    // append Routing with step [StepDone]: the release is over
)

// Subjects of a judgement.
const (
	SubjectAdvance = "advance" // may Model replace Champion, by all labelled rows
	SubjectArms    = "arms"    // the same by the outcomes of the rows that each arm served
	SubjectReverse = "reverse" // should Model, the former champion, come back in place of Champion
)

// An Action is the one thing to do next. Which fields it has follows from its kind.
type Action struct {
	Kind   string `json:"kind"`
	ID     string `json:"id,omitempty"`     // for the entry that the action appends; stable over retries
	Reason string `json:"reason,omitempty"` // one sentence, for people

	Release  string `json:"release,omitempty"`
	Step     string `json:"step,omitempty"` // ask: the step to be entered, or the one that is in doubt
	Model    string `json:"model,omitempty"`
	Champion string `json:"champion,omitempty"` // judge: what Model is compared with; promote: who it replaces

	Batch  string   `json:"batch,omitempty"`
	Run    string   `json:"run,omitempty"`
	Models []string `json:"models,omitempty"`

	Subject string   `json:"subject,omitempty"`
	Batches []Scored `json:"batches,omitempty"` // judge: oldest first
	Look    int      `json:"look,omitempty"`    // which judgement this is, from 1: one for each labelled batch
	Looks   int      `json:"looks,omitempty"`   // how many there may be

	// Decision is the digest of the decision that a question, a promotion or a rejection
	// rests on; of a person's rollback the paper of its control entry.
	Decision string    `json:"decision,omitempty"`
	Nonce    string    `json:"nonce,omitempty"`    // ask: an answer must repeat it
	Approved []string  `json:"approved,omitempty"` // ask: who said yes already
	Need     int       `json:"need,omitempty"`     // ask: how many must
	Until    time.Time `json:"until,omitzero"`
	WaitsFor string    `json:"waitsFor,omitempty"` // idle: one sentence

	Routing *Routing `json:"routing,omitempty"`
}

// A Scored is a batch as a run published it.
type Scored struct {
	Batch string `json:"batch"`
	Run   string `json:"run"`
}

// Next returns what to do next. It is a pure function of its arguments: the caller does
// it, reads the log again and calls Next again, until it says [DoNothing] or [DoAsk].
func Next(s *State, set Settings, now time.Time) Action {
	return Action{Kind: DoNothing, WaitsFor: "a candidate"}
}
