// Package learn turns published batches and their labels into training data, and
// trainings into challengers.
//
// It knows where the rows of a batch are and which of them count; what is learned from
// them package train says, and whether a challenger is any good later batches. Start
// with [Plan], which names everything that a training reads: the rest follows from it.
// Papers of this package are JSON in the canonical bytes of package run; the layout of
// their keys is in docs/formats.md.
package learn

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"

	"headgate/internal/evaluate"
	"headgate/internal/pipeline"
	"headgate/internal/run"
	"headgate/internal/store"
	"headgate/internal/train"
	"headgate/internal/trigger"
)

// Format is the version of the papers of this package.
const Format = 1

// A Plan names everything that a training reads. Equal plans give equal models, as far
// as the trainer is ours. Its digest names the training's place in the store.
type Plan struct {
	Format   int               `json:"format"`
	Pipeline string            `json:"pipeline"`
	File     store.Digest      `json:"pipeline_file"`
	Contract store.Digest      `json:"contract"`
	Labels   store.Digest      `json:"labels"` // contract of the labels
	Kind     trigger.Kind      `json:"kind"`
	Champion store.Digest      `json:"champion"` // model that a recalibration keeps
	Training pipeline.Training `json:"training"` // settings
	Seed     int64             `json:"seed"`     // of the settings and the last batch
	// Cluster is a column whose equal values make rows depend on each other; empty: rows
	// of one entity do.
	Cluster string   `json:"cluster,omitempty"`
	Batches []Batch  `json:"batches"` // oldest first
	Windows []Window `json:"windows"` // each makes a challenger
	Notes   []string `json:"notes,omitempty"`
}

// A Batch is a published batch whose labels are known.
type Batch struct {
	Name     string       `json:"batch"`
	Run      store.Digest `json:"run"`      // that is published
	Decision store.Digest `json:"decision"` // of the run's verdict
	Labels   store.Digest `json:"labels"`   // blob of the label version
}

// A Window says which batches a challenger learns from.
type Window struct {
	Name  string   `json:"window"` // how many batches, "12"; "calibration-1" beside refits
	Train []string `json:"train"`
	Valid []string `json:"valid,omitempty"` // kept apart to tell when to stop; none: a tenth of the entities is
	// Kind says what the window makes if the plan makes challengers of both kinds; empty:
	// what the plan's kind says.
	Kind trigger.Kind `json:"kind,omitempty"`
}

// Does returns what a window makes: [trigger.Refit] or [trigger.Recalibrate].
func (p *Plan) Does(w Window) trigger.Kind { return cmp.Or(w.Kind, p.Kind) }

// Last returns the latest batch of the plan, "" if it has none.
func (p *Plan) Last() string {
	if len(p.Batches) == 0 {
		return ""
	}
	return p.Batches[len(p.Batches)-1].Name
}

// Learned returns the latest batch of a window, validation included.
func (w *Window) Learned() string {
	if n := len(w.Valid); n > 0 {
		return w.Valid[n-1]
	}
	return w.Train[len(w.Train)-1]
}

// A Set is the rows of a batch with their labels, as Parquet files of bounded size. It
// has the rows that were scored, and of these the ones whose outcome was observed.
type Set struct {
	Format  int       `json:"format"`
	Batch   Batch     `json:"batch"`
	Columns []string  `json:"columns"`          // of the files, in their order
	Label   string    `json:"label"`            // column of the outcome, as a number
	Weight  string    `json:"weight,omitempty"` // [ColumnWeight] if rows do not all count the same
	Files   []SetFile `json:"files"`
	Counts
}

// Counts says what became of a batch's scored rows:
// Scored = Rows + Unknown + Treated + Keyless.
type Counts struct {
	Scored  int64 `json:"scored"`
	Rows    int64 `json:"rows"`              // in the files
	Unknown int64 `json:"unknown,omitempty"` // without an outcome
	Treated int64 `json:"treated,omitempty"` // left out; the untreated stand for them
	Keyless int64 `json:"keyless,omitempty"` // without an entity key
}

// A SetFile is a Parquet file of a set.
type SetFile struct {
	run.Object
	Rows int64 `json:"rows"`
}

// ColumnWeight says for how many rows one stands: its own weight, times 1/(1 − the
// propensity to be treated).
const ColumnWeight = "headgate_weight"

// A Trained is what came of training one window.
type Trained struct {
	Format   int             `json:"format"`
	Window   Window          `json:"window"`
	Verdict  string          `json:"verdict"` // pass or block
	Reasons  []string        `json:"reasons,omitempty"`
	Findings []train.Finding `json:"findings,omitempty"` // leaks, if they stopped it
	Model    *run.Object     `json:"model,omitempty"`    // bytes of the model; nil without one
	Manifest *run.Object     `json:"manifest,omitempty"` // the training's, with its results
	Log      string          `json:"log,omitempty"`      // end of a program's standard error, without secrets
}

// A Sanity is a model on rows of entities that it never saw, of the batches that it
// learned from. It keeps broken models from being registered, and promotes none.
type Sanity struct {
	Format    int                                   `json:"format"`
	Window    string                                `json:"window"`
	Model     store.Digest                          `json:"model"` // of its bytes
	Rows      int64                                 `json:"rows"`
	Estimates map[evaluate.Metric]evaluate.Estimate `json:"estimates,omitempty"`
	Base      float64                               `json:"base,omitempty"` // loss of giving every row the same score
	Verdict   string                                `json:"verdict"`
	Reasons   []string                              `json:"reasons,omitempty"`
}

// Evidence is what a training rests on and what came of it: the paper of its entry.
type Evidence struct {
	Format  int          `json:"format"`
	Kind    trigger.Kind `json:"kind"`
	Plan    run.Object   `json:"plan"`
	Sets    []run.Object `json:"sets,omitempty"`
	Models  []Outcome    `json:"models,omitempty"`
	Verdict string       `json:"verdict"` // pass if a model passed
	Reasons []string     `json:"reasons,omitempty"`
	Notes   []string     `json:"notes,omitempty"` // of the plan
}

// An Outcome is one window's part of the evidence.
type Outcome struct {
	Window  string       `json:"window"`
	Trained run.Object   `json:"trained"`
	Sanity  *run.Object  `json:"sanity,omitempty"` // nil without a model
	Model   store.Digest `json:"model,omitempty"`  // of its bytes
	Verdict string       `json:"verdict"`
	Reasons []string     `json:"reasons,omitempty"`
}

// Dir returns the key prefix of a training, without a slash at the end.
func Dir(pipeline string, plan store.Digest) string {
	return "training/" + pipeline + "/" + run.Short(plan)
}

// ParseSet reads a set.
func ParseSet(data []byte) (*Set, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	s := new(Set)
	if err := d.Decode(s); err != nil {
		return nil, fmt.Errorf("learn: set: %w", err)
	}
	return s, nil
}
