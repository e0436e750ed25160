package release

import "time"

// Kinds of actions.
const (
	DoNothing   = "idle"      // WaitsFor an event
	DoShadow    = "shadow"    // score Batch, as Run published it, with Models; append shadow entries
	DoJudge     = "judge"     // Model against Champion on Batches; append an advance entry
	DoAsk       = "ask"       // wait for an answer, until Until
	DoRoute     = "route"     // append Routing
	DoPromote   = "promote"   // Model becomes the champion instead of Champion, by Decision
	DoReject    = "reject"    // Model may not serve, or no longer
	DoRepublish = "republish" // Batch, as Run published it, from the stored scores of Model, the champion
	DoFinish    = "finish"    // append Routing; the entry, in the name of Release, has step [StepDone]
)

// Subjects of a judgement.
const (
	SubjectAdvance = "advance" // may Model replace Champion, by all labelled rows
	SubjectArms    = "arms"    // the same, by the outcomes of the rows that each arm served
	SubjectReverse = "reverse" // should Model, which was champion before, come back instead of Champion
)

// An Action is the one thing to do next. Which fields it has follows from its kind.
type Action struct {
	Kind   string `json:"kind"`
	ID     string `json:"id,omitempty"`     // for what the action appends; the same over retries
	Reason string `json:"reason,omitempty"` // one sentence, for people

	Release  string `json:"release,omitempty"`
	Step     string `json:"step,omitempty"` // of the entry; ask: the step to be entered, or the one in doubt
	Model    string `json:"model,omitempty"`
	Champion string `json:"champion,omitempty"` // what Model is compared with, or replaces

	Batch  string   `json:"batch,omitempty"`
	Run    string   `json:"run,omitempty"`
	Models []string `json:"models,omitempty"`

	Subject string   `json:"subject,omitempty"`
	Batches []Scored `json:"batches,omitempty"` // judge: oldest first
	Look    int      `json:"look,omitempty"`    // labelled batches of this judgement
	Looks   int      `json:"looks,omitempty"`   // labelled batches of the last one that there may be
	Before  string   `json:"before,omitempty"`  // judge: digest of the decision before in this series

	// Decision is the digest of the decision that a question, a promotion or a rejection
	// rests on; of a person's rollback the paper of its control entry.
	Decision string    `json:"decision,omitempty"`
	Nonce    string    `json:"nonce,omitempty"`    // ask: an answer must repeat it
	Approved []string  `json:"approved,omitempty"` // ask: who said yes already
	Need     int       `json:"need,omitempty"`     // ask: how many must
	Until    time.Time `json:"until,omitzero"`     // ask: then things stay as they are
	WaitsFor string    `json:"waitsFor,omitempty"` // what ends the wait
	Stopped  bool      `json:"stopped,omitempty"`  // idle: only a resume leads on

	Routing *Routing `json:"routing,omitempty"`
}

// A Scored is a batch as a run published it.
type Scored struct {
	Batch string `json:"batch"`
	Run   string `json:"run"`
}

// back reports whether the action is a step back.
func (a *Action) back() bool {
	return a.Kind == DoReject || a.Kind == DoPromote && a.Step == StepBack
}

// forward reports whether the action leads a candidate on or spends evidence on it. The
// others take a step back or look whether one is due.
func (a *Action) forward() bool {
	switch a.Kind {
	case DoShadow, DoJudge:
		return a.Subject != SubjectReverse
	case DoAsk, DoFinish:
		return true
	}
	return a.Kind == DoPromote && !a.back()
}
