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
	"context"
	"errors"

	"headgate/internal/evaluate"
	"headgate/internal/labels"
	"headgate/internal/store"
)

// Format is the version of the papers of this package.
const Format = 1

// DefaultLimit is how many rows are joined in memory, about 400 MB with two models.
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
	Run      store.Digest `json:"run"`      // that is published
	Decision store.Digest `json:"decision"` // the verdict that let it out, which names the scores
	Labels   store.Digest `json:"labels"`   // blob of a labels.Version
	// Shadows are blobs that name the scores of models which were not in the run's plan.
	Shadows map[store.Digest]store.Digest `json:"shadows,omitempty"`
}

// A State says what a row is to the evidence.
type State uint8

// The states.
const (
	Judged   State = iota // its outcome is known, and counts
	Missing               // its outcome is not known: no label, or one that nobody could observe
	Treated               // its outcome is what a treatment made of it; others stand for it
	Unusable              // its label cannot be weighted: propensity 1 and untreated
)

// Rows are the scored rows of a request, in the order of batches, shards and rows. All
// slices are as long as Labels.
type Rows struct {
	Request Request
	Labels  []float64   // NaN unless the state is Judged or Treated
	Weights []float64   // 0 unless the state is Judged; nil if all are 1
	Scores  [][]float64 // what each model of the request said; NaN where it could not
	Entity  []uint64    // first 8 bytes of the digest of the entity's key
	Cluster []uint64    // as the request says
	Batch   []int32     // index into Request.Batches
	Served  []int32     // index into Request.Models of whose score was published; −1 if it is none of them
	State   []State
	Slices  []Slices

	Share  float64         // of the entities that were read, in (0, 1]
	Counts []labels.Counts // of each batch
	// Reasons are why labels are refused as a whole; then nothing counts.
	Reasons []string
	// Complete says of each batch whether its labels are complete.
	Complete []bool
}

// Slices are the values of a kept column that the contract calls a slice or protected.
type Slices struct {
	Name   string
	Values []string // different ones, sorted
	Of     []int32  // of each row: index into Values
}

// ErrNoEvidence means that a request has no rows to judge.
var ErrNoEvidence = errors.New("evidence: no rows")

// Load reads the rows of a request.
func Load(ctx context.Context, own *store.Bucket, r Request, o *Options) (*Rows, error) {
	return nil, ErrNoEvidence
}

// Options say how rows are loaded. The zero value is good.
type Options struct {
	// Progress hears how many rows of how many are read; may be nil.
	Progress func(done, total int64)
}

// Judged returns the rows that count: their outcome is known, they were not treated, and
// every model of the request has scored them.
func (r *Rows) Judged() *Rows { return r }

// Data returns the rows as package evaluate wants them, with the scores of a model.
// Clusters are nil if no two rows have one in common.
func (r *Rows) Data(model int) evaluate.Data { return evaluate.Data{} }

// Dimensions returns the slices as package evaluate wants them.
func (r *Rows) Dimensions() []evaluate.Dimension { return nil }
