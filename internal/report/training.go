package report

import (
	"time"

	"headgate/internal/evaluate"
	"headgate/internal/train"
)

// A Training is what is known of one training and of the challengers that it made.
type Training struct {
	Format      int    `json:"format"` // [Format]
	Pipeline    string `json:"pipeline"`
	Description string `json:"description,omitempty"`
	Owner       string `json:"owner,omitempty"`
	ID          string `json:"id"` // digest of its plan

	Entry    int64     `json:"entry"` // of the registry
	At       time.Time `json:"at"`
	By       string    `json:"by"`
	Kind     string    `json:"kind"`  // refit or recalibrate
	Batch    string    `json:"batch"` // the last that was learned from
	Verdict  string    `json:"verdict"`
	Triggers []string  `json:"triggers,omitempty"` // why it started
	Reasons  []string  `json:"reasons,omitempty"`  // why no model passed
	Notes    []string  `json:"notes,omitempty"`

	Champion   Version           `json:"champion"`
	Trainer    string            `json:"trainer"`
	Seed       int64             `json:"seed"`
	Calibrate  string            `json:"calibrate,omitempty"`
	Parameters map[string]string `json:"parameters,omitempty"` // as the pipeline file has them
	Leak       float64           `json:"leak"`                 // how well a feature may predict the label alone

	Batches     []Learned   `json:"batches"` // oldest first
	Challengers []Candidate `json:"challengers"`
	Release     string      `json:"release,omitempty"` // that the challengers went into
	Gates       []Gate      `json:"gates,omitempty"`   // decisions about them
	Lineage     []Input     `json:"lineage"`
	Anchor      string      `json:"anchor"`
}

// Learned is a batch that was learned from: Scored = Rows + Unknown + Treated + Keyless.
type Learned struct {
	Batch  string `json:"batch"`
	Run    string `json:"run"`
	Labels string `json:"labels"` // digest of the label version
	Set    string `json:"set"`    // digest of what was made of both; empty if it is gone

	Scored  int64 `json:"scored"`
	Rows    int64 `json:"rows"`
	Unknown int64 `json:"unknown"`
	Treated int64 `json:"treated"`
	Keyless int64 `json:"keyless"`
}

// A Candidate is what came of one window.
type Candidate struct {
	Window  string   `json:"window"`
	Train   []string `json:"train"` // batches
	Valid   []string `json:"valid,omitempty"`
	Verdict string   `json:"verdict"`
	Reasons []string `json:"reasons,omitempty"`
	Version *Version `json:"version,omitempty"` // nil if it was not registered
	Fate    string   `json:"fate,omitempty"`    // what became of it since

	Findings []train.Finding `json:"findings,omitempty"` // of the leak guard, if they stopped it
	Log      string          `json:"log,omitempty"`      // end of a program's standard error
	Manifest *train.Manifest `json:"manifest,omitempty"`
	Sanity   *Sanity         `json:"sanity,omitempty"`
}

// A Sanity is the model on entities that it never saw, of the batches that it learned from.
type Sanity struct {
	Rows      int64                                 `json:"rows"`
	Estimates map[evaluate.Metric]evaluate.Estimate `json:"estimates,omitempty"`
	Base      float64                               `json:"base,omitempty"` // loss of one score for all
	Verdict   string                                `json:"verdict"`
	Reasons   []string                              `json:"reasons,omitempty"`
}
