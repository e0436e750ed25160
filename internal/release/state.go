package release

import "time"

// A State is what the events add up to.
type State struct {
	Seq       int64       // of the last event
	Champion  string      // digest; "" before the first
	Champions []Promotion // all of them, oldest first
	Routing   *Routing    // in force; nil if the champion scores alone
	Rejected  map[string]string
	Held      *Control // in force
	Releases  []*Release
}

// A Promotion is a moment at which a model became the champion.
type Promotion struct {
	Seq     int64
	At      time.Time
	Model   string
	Release string // "" if none brought it
}

// A Control is what a person ordered.
type Control struct {
	Seq    int64
	At     time.Time
	By     string
	Reason string
	From   string // rollback: the champion at that time
	To     string // rollback: the champion to come; From if only the canary goes back
	Batch  string // rollback: to be published again from the champion; may be ""
	Paper  string
}

// A Release is one attempt to replace the champion.
type Release struct {
	Name       string
	Seq        int64 // of its first candidate
	By         string
	Candidates []*Candidate
}

// A Candidate is a model that asks to be released.
type Candidate struct {
	Model   string
	Seq     int64
	At      time.Time
	By      string
	Learned string // last batch it has learned from; "" if that is unknown
}

// Fold returns what the events, in the order of the log, add up to. Events of other
// kinds and events that make no sense in their place change nothing.
func Fold(events []Event) *State {
	return &State{Rejected: map[string]string{}}
}
