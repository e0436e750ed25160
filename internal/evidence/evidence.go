// Package evidence lines up what models said with what came true, row by row.
//
// A [Request] names everything by digest: the published run of each batch, its verdict,
// the label version, the models. [Load] reads the stored scores and labels and joins them
// by entity; the same request gives the same rows, on any machine, years later. An
// [Evaluation] is what there is to say about one batch.
//
// The package decides nothing: what is good enough, a gate says. It scores nothing: a
// model that has not scored a batch has no evidence there.
package evidence

import (
	"errors"

	"headgate/internal/labels"
	"headgate/internal/release"
	"headgate/internal/store"
)

// Format is the version of the papers of this package.
const Format = 1

// DefaultLimit is how many scored rows are joined in memory: about 700 MB with two models
// and a label for each.
const DefaultLimit = 4_000_000

// A Request names the rows of an evidence: by digests, so that it can be kept.
type Request struct {
	Pipeline string         `json:"pipeline"`
	Batches  []Batch        `json:"batches"` // oldest first
	Models   []store.Digest `json:"models"`  // the champion, or whom the others are compared with, comes first
	// Limit is how many scored rows of all batches are joined; 0 means [DefaultLimit].
	// Beyond it, a sample of the entities is: those whose key has a small hash. An entity
	// is in all batches or in none.
	Limit int64 `json:"limit,omitempty"`
	// Cluster is a kept column whose equal values make rows depend on each other, as a
	// day does; empty: rows of one entity do.
	Cluster string `json:"cluster,omitempty"`
}

// A Batch names what is read of a batch.
type Batch struct {
	Batch    string       `json:"batch"`
	Run      store.Digest `json:"run"`               // that is published
	Decision store.Digest `json:"decision"`          // the verdict that let it out, which names the scores
	Labels   store.Digest `json:"labels"`            // blob of a labels.Version
	Serving  store.Digest `json:"serving,omitempty"` // blob of a run.Serving, if the publication names one
	// Shadows are blobs that name the scores of models which were not in the run's plan.
	Shadows map[store.Digest]store.Digest `json:"shadows,omitempty"`
	// Without are slices whose rows do not count, because their outcomes are known more
	// seldom or more often than those of the others, see [Coverage].
	Without []Left `json:"without,omitempty"`
}

// A Left names the rows that have one value of a slice column.
type Left struct {
	By    string `json:"by"`
	Value string `json:"value"`
}

// A State says what a row is to the evidence.
type State uint8

// The states.
const (
	Judged   State = iota // its outcome is known, and counts
	Missing               // its outcome is not known: no label, or one that nobody could observe
	Treated               // its outcome is what a treatment made of it; others stand for it
	Unusable              // its label cannot be weighted: propensity 1 and untreated
	Omitted               // its slice is left out, whatever its outcome
)

// Rows are the scored rows of a request, in the order of batches, shards and rows. All
// slices are as long as Labels, or nil.
type Rows struct {
	Request Request
	Labels  []float64   // NaN unless the state is Judged or Treated
	Weights []float64   // 0 unless the state is Judged
	Scores  [][]float64 // what each model of the request said; NaN where it did not
	Entity  []uint64    // [pass.Key.Hash] of the entity
	Cluster []uint64    // Entity, or what the request says
	Batch   []int32     // index into Request.Batches
	Served  []int32     // index into Request.Models of whose score was published; −1 if it is none of them
	State   []State
	Absent  []bool // there is no label, which means 0
	Slices  []Slice

	Share   float64       // of the entities that were read, in (0, 1]
	Batches []BatchStatus // one for each batch of the request
	// Unscored are models that have not scored a batch of the request.
	Unscored []Unscored
}

// A BatchStatus says what a batch's labels are like, and who served it.
type BatchStatus struct {
	Files    int
	Complete bool
	Counts   labels.Counts
	Refused  []string // why none of the labels counts
	Champion store.Digest
	Planned  []store.Digest // models of the run's plan besides the champion
	Arms     []release.Arm  // who served; nil if the champion served all
}

// An Unscored names a model that has not scored a batch, and why.
type Unscored struct {
	Batch  string       `json:"batch"`
	Model  store.Digest `json:"model"`
	Reason string       `json:"reason"`
}

// A Slice is a kept column that the contract calls a slice or protected.
type Slice struct {
	Name      string
	Protected bool
	Values    []string // different ones, sorted; at most 64, the others are [Others]
	Of        []int32  // of each row: index into Values
}

// Values of a slice that are none of the data's.
const (
	Null   = "(null)"
	Others = "(others)" // of the values that too few rows have, where there are more than 64
)

// Options say how rows are loaded. The zero value is good.
type Options struct {
	Progress func(done, total int64) // hears how many scored rows of how many are read; may be nil
}

// ErrOutputs means that a model has several outputs, which labels of one column cannot
// be held against.
var ErrOutputs = errors.New("evidence: the model has several outputs")
