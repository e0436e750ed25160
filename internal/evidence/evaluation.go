package evidence

import (
	"headgate/internal/evaluate"
	"headgate/internal/labels"
	"headgate/internal/store"
)

// An Evaluation is what labels say of the scores of one batch. It is kept as a blob; the
// registry's evaluated entry names it and repeats its verdict.
type Evaluation struct {
	Format   int          `json:"format"`
	Pipeline string       `json:"pipeline"`
	Batch    string       `json:"batch"`
	Run      store.Digest `json:"run"`
	Request  Request      `json:"request"` // by which the rows are found again
	Labels   LabelSummary `json:"labels"`
	// Verdict says what the evaluation is good for: pass, evidence; inconclusive, to be
	// shown, because labels are not complete or not known evenly; block, nothing, because
	// they break their contract.
	Verdict  string   `json:"verdict"`
	Reasons  []string `json:"reasons,omitempty"`
	Notes    []string `json:"notes,omitempty"`
	Rows     RowCount `json:"rows"`
	Coverage Coverage `json:"coverage"`
	Models   []Model  `json:"models,omitempty"` // the champion first, then in the order of the plan, then of their shadows
	Arms     []Arm    `json:"arms,omitempty"`   // who served, if others than the champion did
	// SRM is the probability that chance alone shares the entities out as they were; nil
	// if it cannot be told. If it is small, outcomes of arms must not be compared.
	SRM  *float64 `json:"srm,omitempty"`
	CBPE *Guess   `json:"cbpe,omitempty"` // nil if the champion's scores are no probabilities
}

// A LabelSummary says which labels an evaluation rests on.
type LabelSummary struct {
	Version  store.Digest  `json:"version"`
	Files    int           `json:"files"`
	Complete bool          `json:"complete"`
	Counts   labels.Counts `json:"counts"`
}

// A RowCount divides the scored rows of a batch.
type RowCount struct {
	Scored   int64   `json:"scored"` // published with a model's score; what follows adds up to it
	Judged   int64   `json:"judged"`
	Missing  int64   `json:"missing"`
	Treated  int64   `json:"treated"`
	Unusable int64   `json:"unusable"`
	Omitted  int64   `json:"omitted,omitempty"` // by [Coverage.Without]
	Absent   int64   `json:"absent"`            // of the judged: have no label, which means 0
	Share    float64 `json:"share"`             // of the entities that were read; 1 unless the batch is over the limit
}

// A Coverage says whether outcomes are known for all alike. Where high scores have labels
// more often than low ones, metrics are not those of the batch.
//
// A slice in which they are known more seldom or more often than elsewhere is left out if
// few rows have it: then the batch is evidence about the others. What such outcomes would
// have been nobody knows, and no weight makes up for that: a flight is not cancelled by
// chance. But two models can be compared on the rows that remain, where outcomes are known
// for all alike. No protected slice is left out, since harm to it must not be overlooked.
type Coverage struct {
	Known     evaluate.Estimate `json:"known"`     // share of scored rows whose outcome is known, without those left out
	Tolerance float64           `json:"tolerance"` // by which a group may differ from all rows
	Even      bool              `json:"even"`      // no group differs by more, beyond doubt
	Largest   float64           `json:"largest"`   // difference of a group and all rows
	Groups    []Group           `json:"groups,omitempty"`
	// Without are the slices that are left out, the one that differed most first: each
	// with the share that was known when it was still among the others.
	Without []Group `json:"without,omitempty"`
}

// A Group is a decile of the champion's scores, or a slice.
type Group struct {
	Dimension string            `json:"dimension"` // "score", or a column
	Value     string            `json:"value"`     // number of the decile, the lowest scores first, or a value
	Known     evaluate.Estimate `json:"known"`     // share of its rows; the intervals hold for all groups at once
	Breaks    bool              `json:"breaks,omitempty"`
}

// Roles of a model in a batch.
const (
	RoleChampion = "champion"
	RoleArm      = "arm"    // served a share of the entities
	RoleShadow   = "shadow" // scored all rows and served none
)

// A Model is how good the scores of one model are, on the rows that count.
type Model struct {
	Model   store.Digest     `json:"model"`
	Role    string           `json:"role"`
	Rows    int64            `json:"rows"`             // that it has scored and that count
	Report  *evaluate.Report `json:"report,omitempty"` // nil if it cannot be judged
	Slices  []evaluate.Slice `json:"slices,omitempty"`
	Problem string           `json:"problem,omitempty"` // why it cannot be judged
}

// An Arm is what came of the rows that one model served. Other than a model's report it
// has the treated, too: what was done because of the scores is part of what they did.
type Arm struct {
	Model   store.Digest       `json:"model"`
	Share   int                `json:"share"`             // of the entities, by the routing, in basis points
	Scored  int64              `json:"scored"`            // rows that it served
	Known   int64              `json:"known"`             // of these, the outcome is known
	Outcome *evaluate.Estimate `json:"outcome,omitempty"` // mean label; nil if fewer than two are known
	Score   *evaluate.Estimate `json:"score,omitempty"`   // mean of the published score
}

// A Guess is what calibrated scores alone had said, and how far off that was.
type Guess struct {
	// Forecast is of all scored rows, as it was known before any label.
	Forecast []evaluate.Measured `json:"forecast"`
	Checks   []Check             `json:"checks,omitempty"` // one for each metric
	Trusted  bool                `json:"trusted"`          // no check is off
}

// A Check holds an estimate without labels against the truth, on the rows that count.
type Check struct {
	Metric   evaluate.Metric   `json:"metric"`
	Expected evaluate.Estimate `json:"expected"`
	Found    evaluate.Estimate `json:"found"`
	Off      bool              `json:"off"` // beyond chance, and by more than matters
}
