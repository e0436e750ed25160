package report

import (
	"time"
)

// A Release is what is known of one attempt to replace the champion.
type Release struct {
	Format      int    `json:"format"` // [Format]
	Pipeline    string `json:"pipeline"`
	Description string `json:"description,omitempty"`
	Owner       string `json:"owner,omitempty"`
	Name        string `json:"name"`

	Standing Standing    `json:"standing"`
	Waits    *Question   `json:"waits,omitempty"` // for whom; nil if nobody is asked
	Next     string      `json:"next,omitempty"`  // what an open release waits for, if for nobody
	Strategy string      `json:"strategy"`        // of the pipeline file in force
	Steps    []Step      `json:"steps"`           // of the plan, the shadow first
	Begun    time.Time   `json:"begun"`
	Ended    time.Time   `json:"ended,omitzero"`
	Champion Version     `json:"champion"` // when the release began
	Contest  []Contender `json:"candidates"`

	Events        []Event        `json:"events"` // of the registry, oldest first
	Gates         []Gate         `json:"gates,omitempty"`
	Canaries      []Canary       `json:"canaries,omitempty"` // batches that candidates scored beside the champion
	Approvals     []Approval     `json:"approvals,omitempty"`
	Waivers       []Waiver       `json:"waivers,omitempty"`       // that touched its decisions
	Compensations []Compensation `json:"compensations,omitempty"` // batches that were published again because of it
	Back          *Back          `json:"back,omitempty"`          // the way back; nil if the release changed nothing
	Lineage       []Input        `json:"lineage"`
	Anchor        string         `json:"anchor"`
	Notes         []string       `json:"notes,omitempty"`
}

// A Standing is how a release stands.
type Standing string

// The standings.
const (
	Running    Standing = "under way"
	Waiting    Standing = "waits for an answer"
	Watched    Standing = "released, and watched" // the former champion is still in shadow
	Released   Standing = "released"
	Superseded Standing = "released, and replaced since"
	RolledBack Standing = "rolled back"
	Rejected   Standing = "rejected"
	Kept       Standing = "judged, and not routed" // of a shadow release
)

// A Question is what a release waits for.
type Question struct {
	Step     string    `json:"step"` // to be entered, or in doubt
	Model    Version   `json:"model"`
	Decision string    `json:"decision"` // digest of the evidence to look at
	Who      []string  `json:"who,omitempty"`
	Role     string    `json:"role,omitempty"`
	Need     int       `json:"need,omitempty"` // how many must say yes
	Signed   bool      `json:"signed,omitempty"`
	Until    time.Time `json:"until,omitzero"`
	Reason   string    `json:"reason,omitempty"`
}

// A Step is a station of the plan, and when this release entered it.
type Step struct {
	Name    string    `json:"name"`
	Share   int       `json:"share"` // of the entities, in basis points
	Approve bool      `json:"approve,omitempty"`
	Entered time.Time `json:"entered,omitzero"`
	Entry   int64     `json:"entry,omitempty"`
}

// A Contender is a candidate of a release.
type Contender struct {
	Model   Version   `json:"model"`
	Entry   int64     `json:"entry"`
	At      time.Time `json:"at"`
	By      string    `json:"by"`
	Learned string    `json:"learned,omitempty"` // last batch that it learned from
	Fate    string    `json:"fate"`
	Won     bool      `json:"won,omitempty"`  // it became the champion
	Lost    bool      `json:"lost,omitempty"` // it may not serve
}

// An Event is what one entry of the registry says, in words.
type Event struct {
	Entry int64     `json:"entry"`
	Kind  string    `json:"kind"`
	At    time.Time `json:"at"`
	By    string    `json:"by"`
	Step  string    `json:"step,omitempty"`
	Batch string    `json:"batch,omitempty"`
	Model *Version  `json:"model,omitempty"`
	// Verdict is of the gate, or the answer of a person.
	Verdict string `json:"verdict,omitempty"`
	What    string `json:"what"`
	Paper   string `json:"paper,omitempty"`
}

// A Canary is a batch that a candidate scored beside the champion.
type Canary struct {
	Batch       string       `json:"batch"`
	Run         string       `json:"run"`
	Step        string       `json:"step"`
	Publication int64        `json:"publication"`
	Comparisons []Comparison `json:"comparisons"`
}

// An Approval is a person's answer, or one that was refused.
type Approval struct {
	Entry    int64     `json:"entry"`
	At       time.Time `json:"at"`
	By       string    `json:"by"`
	Role     string    `json:"role,omitempty"`
	Answer   string    `json:"answer"` // approve, reject or refused
	Signed   bool      `json:"signed"`
	Step     string    `json:"step"`
	Model    Version   `json:"model"`
	Decision string    `json:"decision"` // digest of the evidence that was looked at
	Reason   string    `json:"reason,omitempty"`
	Refused  string    `json:"refused,omitempty"` // why it did not count
}

// A Waiver lets a rule of a gate go.
type Waiver struct {
	Entry  int64     `json:"entry,omitempty"`
	Rule   string    `json:"rule"`
	By     string    `json:"by"`
	Reason string    `json:"reason"`
	Until  time.Time `json:"until"`
	// Used says that a rule of a decision was let go by it.
	Used bool `json:"used"`
}

// A Compensation is a batch that was published again so that no row keeps the score of a
// model that may not serve.
type Compensation struct {
	Batch       string    `json:"batch"`
	Publication int64     `json:"publication"`
	At          time.Time `json:"at"`
	Model       Version   `json:"model"` // whose scores all rows have now
	Changed     *int64    `json:"changed,omitempty"`
	Reason      string    `json:"reason"`
	Entry       int64     `json:"entry"`
}

// A Back is who comes back if the released model must go.
type Back struct {
	Model   Version `json:"model"`
	Shadow  bool    `json:"shadow"`          // it still scores along, so its scores are there
	Batch   string  `json:"batch,omitempty"` // the last one that the released model served
	Blocked string  `json:"blocked,omitempty"`
}
