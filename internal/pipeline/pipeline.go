// Package pipeline reads the YAML file of one pipeline: which files a batch is,
// which contract they keep, how many bad rows are too many, and what is published.
//
// A bad file fails here, with line and column, and never later. The package opens
// no files and knows no store.
package pipeline

import (
	"headgate/internal/contract"
	"headgate/internal/gate"
)

// A Config is one pipeline, with its defaults filled in.
type Config struct {
	Name        string     `json:"pipeline"`
	Description string     `json:"description,omitempty"`
	Owner       string     `json:"owner,omitempty"`
	Contract    string     `json:"contract"`        // path beside the pipeline file
	Table       string     `json:"table,omitempty"` // object of the contract; may be empty if it has one
	Input       Input      `json:"input"`
	Batch       BatchKind  `json:"batch"`
	Scores      Scores     `json:"scores"`
	Quarantine  Quarantine `json:"quarantine"`
	Shards      Shards     `json:"shards"`

	// References says where the sets are that relationships of the contract point
	// to: by object, a key pattern in the store or an absolute URL. {batch} may stand
	// for the batch.
	References map[string]string `json:"references,omitempty"`

	Fallback Fallback `json:"fallback"`
	Warnings Action   `json:"warnings"` // what a broken rule of severity warning does
	Ask      Ask      `json:"ask"`
	Drift    Drift    `json:"drift"`

	// History has rules that compare the batch with those before it, beside those of
	// the contract.
	History []contract.History `json:"history,omitempty"`

	// What closes the loop. Without labels there is no retraining and are no gates, and a
	// release is one at once; with labels, release and gates are never nil.
	Labels   *Labels      `json:"labels,omitempty"`
	Training *Training    `json:"training,omitempty"` // nil unless it is written
	Retrain  *Retrain     `json:"retrain,omitempty"`  // nil unless it is written: nothing starts a training by itself
	Release  *Release     `json:"release,omitempty"`
	Gates    *gate.Policy `json:"gates,omitempty"`

	Schedule *Schedule `json:"schedule,omitempty"` // nil unless it is written: batches are scored by hand
	Alerts   *Alerts   `json:"alerts,omitempty"`   // nil unless it is written: nobody is told

	kept bool // a registry has the file
}

// An Action is what a warning does.
type Action string

// The actions.
const (
	Record Action = "record" // it stands in the verdict, and the batch is published
	Asks   Action = "ask"    // the batch waits for a person
)

// Ask says how long a batch waits for a person.
type Ask struct {
	Wait Duration `json:"wait"` // then the batch is blocked
}

// Fallback says which score customers get whom the model could not score.
type Fallback struct {
	Score FallbackScore
	Value float64    // of a constant
	For   []Unscored // empty if the score is none
}

// A FallbackScore says where a fallback's score comes from.
type FallbackScore string

// The fallback scores.
const (
	FallbackNone     FallbackScore = "none"     // no row is published
	FallbackLast     FallbackScore = "last"     // the score that is published for the batch before
	FallbackConstant FallbackScore = "constant" // the same for all
)

// Unscored says why the model could not score a customer.
type Unscored string

// The reasons.
const (
	Quarantined Unscored = "quarantined" // delivered, and every row is in quarantine
	Vanished    Unscored = "vanished"    // in the batch before, and not delivered
)

// Drift says when a batch has moved too far from its reference.
type Drift struct {
	Reference DriftReference `json:"reference"`
	Moderate  float64        `json:"moderate"` // effect from which a column warns
	Major     float64        `json:"major"`    // effect from which it is major
	Alpha     float64        `json:"alpha"`    // share of false discoveries among columns, in (0, 1)
	MinRows   int64          `json:"minRows"`  // on either side; below, nothing is said
	Batches   int            `json:"batches"`  // that must drift …
	Of        int            `json:"of"`       // … among so many of the last, to trigger
	Action    Action         `json:"action"`   // what a drifted batch does; it never blocks by itself
}

// A DriftReference is what a batch is compared with.
type DriftReference string

// The references.
const (
	ReferenceModel    DriftReference = "model"    // the profile frozen in the model version, of the same season if it has one
	ReferencePrevious DriftReference = "previous" // the batch before
	ReferenceLastYear DriftReference = "lastYear" // the same month a year before
)

// Input says where the files of a batch are.
type Input struct {
	// Files is a key pattern in the store, or an absolute URL. {batch} stands for
	// the batch, * for anything but a slash, ** for anything, ? for one character.
	Files string `json:"files"`
}

// A BatchKind says what the name of a batch is.
type BatchKind string

// The kinds of batches.
const (
	Month BatchKind = "month" // 2024-01
	Day   BatchKind = "day"   // 2024-01-31
	Any   BatchKind = "any"   // any name of letters, digits, dots, dashes and underscores
)

// Scores says what the published table has beside the scores.
type Scores struct {
	Contract    string   `json:"contract,omitempty"` // path beside the pipeline file: what scored rows must keep before they are published
	Keep        []string `json:"keep,omitempty"`     // input columns that are copied
	Compression string   `json:"compression"`        // zstd, snappy or none
}

// Quarantine says how many bad rows are too many.
type Quarantine struct {
	Budget Budget `json:"budget"`
}

// A Budget is how many rows of a batch may go to quarantine before the batch is
// blocked. Both limits must be kept.
type Budget struct {
	Share float64 `json:"share"`          // of all rows, in [0, 1]
	Rows  int64   `json:"rows,omitempty"` // 0 means no limit in rows
}

// Shards says how a batch is cut.
type Shards struct {
	Rows     int64 `json:"rows"`     // aimed at for one shard
	Parallel int   `json:"parallel"` // shards in flight

	// OnFail is what happens when a shard cannot be scored: the batch fails, or it waits
	// for a person, who skips the shard or tries it again, as long as for an answer.
	OnFail string `json:"onFail"`
}

// What a pipeline does about a shard that cannot be scored.
const (
	OnFailFail = "fail"
	OnFailAsk  = "ask"
)
