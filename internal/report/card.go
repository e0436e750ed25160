package report

import (
	"time"

	"headgate/internal/evaluate"
	"headgate/internal/model"
	"headgate/internal/train"
)

// A Card is what evidence says of a model version. Every part of it names the artifact that
// its numbers are of: a part without one has no place on the page.
type Card struct {
	Format   int     `json:"format"` // [Format]
	Pipeline string  `json:"pipeline"`
	Model    Version `json:"model"`
	Status   string  `json:"status"` // champion, former champion, candidate, rejected or registered
	Why      string  `json:"why,omitempty"`

	Use      Use        `json:"use"`
	Bundle   Bundle     `json:"bundle"`
	Inputs   []Feature  `json:"inputs"`
	Training *Learning  `json:"training,omitempty"` // nil if the bundle has no manifest
	Months   []Proof    `json:"months,omitempty"`   // labelled batches, oldest first
	Slices   *Sliced    `json:"slices,omitempty"`   // of the last labelled batch
	Parity   []Fairness `json:"parity,omitempty"`   // by protected column
	Drift    []Moved    `json:"drift,omitempty"`    // of the batches that it scored
	Served   []Service  `json:"served,omitempty"`
	Events   []Event    `json:"events,omitempty"` // that moved it
	Gates    []Gate     `json:"gates,omitempty"`
	Lineage  []Input    `json:"lineage"`
	Anchor   string     `json:"anchor"`
	// Unkept are protected columns that are not kept with the scores, so that nobody can
	// measure how their groups fare.
	Unkept []string `json:"unkept,omitempty"`
	Notes  []string `json:"notes,omitempty"` // what cannot be read any more
}

// A Use is what the pipeline file and the contract say that the model is for.
type Use struct {
	Description  string `json:"description,omitempty"`
	Owner        string `json:"owner,omitempty"`
	File         string `json:"file"` // digest of the pipeline file
	Contract     string `json:"contract"`
	ContractName string `json:"contractName,omitempty"`
	Entity       string `json:"entity,omitempty"` // columns that name whom a score is about
}

// A Bundle is the model version as it is kept.
type Bundle struct {
	File        string             `json:"file"` // digest of the model's bytes
	Size        int64              `json:"size"`
	Kind        string             `json:"kind"` // lightgbm, …
	Objective   string             `json:"objective"`
	Outputs     int                `json:"outputs"`
	Calibration *model.Calibration `json:"calibration,omitempty"`
	Golden      string             `json:"golden"` // digest of the golden rows
	GoldenRows  int                `json:"goldenRows"`
	GoldenBy    string             `json:"goldenBy"`
	Reference   string             `json:"reference,omitempty"` // digest of the reference profile
	Batches     []string           `json:"batches,omitempty"`   // that the reference is of
	Registered  time.Time          `json:"registered"`
	By          string             `json:"by"`
	Entry       int64              `json:"entry"`
}

// A Feature is an input of the model.
type Feature struct {
	Name           string  `json:"name"`
	Kind           string  `json:"kind"`
	Importance     float64 `json:"importance"` // share of the model's gain
	Categories     int     `json:"categories,omitempty"`
	Classification string  `json:"classification,omitempty"`
}

// A Learning is how the model was trained.
type Learning struct {
	Manifest *train.Manifest `json:"manifest"`
	Paper    string          `json:"paper"` // digest that holds the manifest
}

// A Proof is how good the model was on one labelled batch.
type Proof struct {
	Batch    string             `json:"batch"`
	Role     string             `json:"role"` // champion, arm or shadow
	Rows     int64              `json:"rows"`
	Evidence bool               `json:"evidence"`
	Metric   evaluate.Metric    `json:"metric"`
	Value    *evaluate.Estimate `json:"value,omitempty"`
	Large    *evaluate.Estimate `json:"inTheLarge,omitempty"`
	Slope    *evaluate.Estimate `json:"slope,omitempty"`
	Loss     *evaluate.Estimate `json:"loss,omitempty"`
	Paper    string             `json:"paper"` // digest of the evaluation
}

// Sliced is how good the model was on the slices of one labelled batch.
type Sliced struct {
	Batch  string           `json:"batch"`
	Metric evaluate.Metric  `json:"metric"`
	Slices []evaluate.Slice `json:"slices"`
	Paper  string           `json:"paper"`
}

// Fairness is how a decision treats the groups of a protected column.
type Fairness struct {
	Batch  string           `json:"batch"`
	Column string           `json:"column"`
	Parity *evaluate.Parity `json:"parity"`
	Paper  string           `json:"paper"` // digest of the evaluation that names the rows
}

// Moved is how far a batch was from its reference when the model scored it.
type Moved struct {
	Batch   string   `json:"batch"`
	Level   string   `json:"level"`
	Columns []string `json:"columns,omitempty"`
	Paper   string   `json:"paper"`
}

// A Service is how many rows of a batch have the model's score.
type Service struct {
	Batch       string `json:"batch"`
	Publication int64  `json:"publication"`
	Rows        int64  `json:"rows"`
	Of          int64  `json:"of"`
	Commit      string `json:"commit"` // digest of the commit in the table's log
}
