package report

import (
	"time"

	"headgate/internal/compare"
	"headgate/internal/drift"
	"headgate/internal/evaluate"
	"headgate/internal/gate"
)

// A Batch is what is known of one run over one batch.
type Batch struct {
	Format      int    `json:"format"` // [Format]
	Pipeline    string `json:"pipeline"`
	Description string `json:"description,omitempty"`
	Owner       string `json:"owner,omitempty"`
	Batch       string `json:"batch"`
	Run         string `json:"run"` // digest

	Verdict Judgement `json:"verdict"`
	Rows    Rows      `json:"rows"`
	// Publications are all of the batch, the first one first; Published is the number of
	// the one that this run made and that is in force, 0 if there is none.
	Publications []Publication `json:"publications,omitempty"`
	Published    int64         `json:"published,omitempty"`
	Served       []Served      `json:"served,omitempty"` // whose scores the rows have
	Champion     Version       `json:"champion"`         // of the run

	Contract    Contract     `json:"contract"`
	Keys        *Keys        `json:"keys,omitempty"`
	Scores      []Score      `json:"scores,omitempty"`
	Drift       *Drift       `json:"drift,omitempty"`
	Slices      []Slice      `json:"slices,omitempty"`
	Comparisons []Comparison `json:"comparisons,omitempty"`
	Outcome     *Outcome     `json:"outcome,omitempty"` // what labels say; nil until they are there
	Gates       []Gate       `json:"gates,omitempty"`
	Lineage     []Input      `json:"lineage"`
	Entries     []Entry      `json:"entries"` // of the registry, about this run
	Anchor      string       `json:"anchor"`  // of the registry when the page was made
	Notes       []string     `json:"notes,omitempty"`
}

// A Judgement is the verdict over a batch.
type Judgement struct {
	Verdict  string   `json:"verdict"` // pass, block or ask
	Stage    string   `json:"stage"`   // footers: before a row was read; rows
	Decision string   `json:"decision"`
	Reasons  []string `json:"reasons,omitempty"`
	Asks     []string `json:"asks,omitempty"`
	Answer   *Answer  `json:"answer,omitempty"`
	Notes    []string `json:"notes,omitempty"`
}

// An Answer is what a person said to a batch that asked.
type Answer struct {
	Approved bool   `json:"approved"`
	By       string `json:"by"` // as claimed
	Reason   string `json:"reason"`
}

// Rows says what became of the delivered rows: Delivered = Scored + Quarantined. All but
// Delivered are 0 if no row was read.
type Rows struct {
	Delivered   int64 `json:"delivered"`
	Scored      int64 `json:"scored"`
	Quarantined int64 `json:"quarantined"`
	Budget      int64 `json:"budget"`             // that may be quarantined
	Corrected   int64 `json:"corrected"`          // quarantined rows whose corrected row is scored
	Fallback    int64 `json:"fallback,omitempty"` // customers who got a fallback score
}

// A Publication is one commit of the table.
type Publication struct {
	Number       int64     `json:"number"` // from 1
	TableVersion int64     `json:"tableVersion"`
	At           time.Time `json:"at"`
	By           string    `json:"by,omitempty"`
	Run          string    `json:"run"`
	Rows         int64     `json:"rows"` // −1 if it does not say
	Supersedes   int64     `json:"supersedes,omitempty"`
	RestoredFrom int64     `json:"restoredFrom,omitempty"`
	Changed      string    `json:"changed,omitempty"` // keys whose rows are not what the publication before says
	Backfill     string    `json:"backfill,omitempty"`
	Restated     bool      `json:"restated,omitempty"`
	Reason       string    `json:"reason,omitempty"`
}

// A Served is a model and the rows that have its score.
type Served struct {
	Model Version `json:"model"`
	Rows  int64   `json:"rows"`
}

// A Contract is what the batch had to keep.
type Contract struct {
	Name    string `json:"name,omitempty"`
	Version string `json:"version,omitempty"`
	Digest  string `json:"digest"`
	Rules   []Rule `json:"rules"` // those that are broken first, then in the order of the contract
}

// A Rule is a rule of the contract and what the batch did to it.
type Rule struct {
	ID         string `json:"id"`
	Column     string `json:"column,omitempty"`
	Severity   string `json:"severity,omitempty"`
	Quarantine bool   `json:"quarantine,omitempty"` // rows that break it go to quarantine
	Rows       int64  `json:"rows"`                 // that break it
	Broken     bool   `json:"broken,omitempty"`
	Message    string `json:"message,omitempty"`
}

// Keys counts entities against the batch before.
type Keys struct {
	Before   string `json:"before,omitempty"`
	Expected int64  `json:"expected"`
	Scored   int64  `json:"scored"`
	Unscored int64  `json:"unscored"`
	New      int64  `json:"new"`
	Vanished int64  `json:"vanished"`
}

// A Score is the distribution of an output of the champion.
type Score struct {
	Name      string     `json:"name"`
	Before    string     `json:"before,omitempty"` // batch
	Histogram *Histogram `json:"histogram"`
	Mean      [3]float64 `json:"mean"` // batch, reference, batch before; 0 where there is none
}

// Drift says how far the batch is from its reference.
type Drift struct {
	Reference string   `json:"reference"` // what it is compared with
	Level     string   `json:"level"`     // none, warn, trigger or inconclusive
	Reasons   []string `json:"reasons,omitempty"`
	Moderate  float64  `json:"moderate"` // effect from which a column drifts, unless it has its own

	Rows   [2]int64      `json:"rows"`   // of the reference and of the batch
	Causes []drift.Cause `json:"causes"` // heaviest first
	// Columns come by effect, the largest first.
	Columns []Column `json:"columns"`
	// Batches are those of [Column.Effects], oldest first, this one last.
	Batches []string `json:"batches"`
	Before  string   `json:"before,omitempty"` // batch of [Histogram.Before]

	OnlyReference []string `json:"onlyReference,omitempty"`
	OnlyCurrent   []string `json:"onlyCurrent,omitempty"`
}

// A Column compares one column of the batch with its reference.
type Column struct {
	drift.Column
	Classification string     `json:"classification,omitempty"` // confidential or restricted
	Importance     float64    `json:"importance"`               // share of the champion's gain
	Effects        []*float64 `json:"effects"`                  // in the batches of [Drift.Batches]; null where it was not measured
	Histogram      *Histogram `json:"histogram,omitempty"`
}

// A Slice is the rows with one value of a column.
type Slice struct {
	Column string `json:"column"`
	Value  string `json:"value"`
	Rows   int64  `json:"rows"`
	// Share is of all rows, now and in the reference, null if that does not know it.
	Share [2]*float64 `json:"share"`
	// Score is the mean score, now and in the reference.
	Score [2]*float64 `json:"score"`
	// AUC is nil without labels, or if there are too few. Gap is to all other rows.
	AUC         *evaluate.Estimate `json:"auc,omitempty"`
	Gap         *evaluate.Estimate `json:"gap,omitempty"`
	Significant bool               `json:"significant,omitempty"`
}

// A Comparison is what a model beside the champion said of the same rows.
type Comparison struct {
	Model   Version             `json:"model"`
	Role    string              `json:"role"`    // arm or shadow
	Share   int                 `json:"share"`   // of the entities, in basis points
	Rows    int64               `json:"rows"`    // of the batch
	Sampled int64               `json:"sampled"` // of them, that are compared
	Volume  *gate.Volume        `json:"volume,omitempty"`
	Changes *compare.Comparison `json:"changes,omitempty"`
	Note    string              `json:"note,omitempty"` // why nothing was compared
}

// An Outcome is what labels say of the scores.
type Outcome struct {
	Verdict  string   `json:"verdict"` // pass: evidence
	Reasons  []string `json:"reasons,omitempty"`
	Notes    []string `json:"notes,omitempty"`
	Paper    string   `json:"paper"`
	Labels   string   `json:"labels"` // digest of the label version
	Complete bool     `json:"complete"`

	Scored   int64 `json:"scored"` // the sum of the next four
	Judged   int64 `json:"judged"`
	Missing  int64 `json:"missing"`
	Treated  int64 `json:"treated"`
	Unusable int64 `json:"unusable"`

	Known  evaluate.Estimate `json:"known"`          // share of scored rows whose outcome is known
	Even   bool              `json:"even"`           // no group of rows differs in that by much
	Models []Judged          `json:"models"`         // the champion first
	Arms   []Arm             `json:"arms,omitempty"` // what came of the rows that each model served
	SRM    *float64          `json:"srm,omitempty"`  // probability of such shares by chance
	Checks []Check           `json:"checks,omitempty"`
	Trust  bool              `json:"trust,omitempty"`  // the estimate without labels was right
	Curves string            `json:"curves,omitempty"` // why there are no curves
}

// A Judged is how good the scores of a model are.
type Judged struct {
	Model   Version          `json:"model"`
	Role    string           `json:"role"`
	Rows    int64            `json:"rows"`
	Report  *evaluate.Report `json:"report,omitempty"`
	Problem string           `json:"problem,omitempty"`
	Curve   []Point          `json:"curve,omitempty"` // by threshold, the highest first
}

// A Point is what decisions at a threshold are like.
type Point struct {
	Threshold   float64           `json:"threshold"`
	Recall      evaluate.Estimate `json:"recall"`
	Specificity evaluate.Estimate `json:"specificity"`
	Precision   evaluate.Estimate `json:"precision"`
}

// An Arm is what came of the rows that one model served.
type Arm struct {
	Model   Version            `json:"model"`
	Share   int                `json:"share"` // of the entities, in basis points
	Scored  int64              `json:"scored"`
	Known   int64              `json:"known"`
	Outcome *evaluate.Estimate `json:"outcome,omitempty"`
	Score   *evaluate.Estimate `json:"score,omitempty"`
}

// A Check holds what scores alone had said against what came true.
type Check struct {
	Metric   evaluate.Metric   `json:"metric"`
	Expected evaluate.Estimate `json:"expected"`
	Found    evaluate.Estimate `json:"found"`
	Off      bool              `json:"off"`
}

// An Entry is what the registry recorded of a run.
type Entry struct {
	Seq  int64     `json:"seq"`
	Kind string    `json:"kind"`
	At   time.Time `json:"at"`
	By   string    `json:"by"`
	What string    `json:"what,omitempty"` // in words
}

// A Gate is a decision and where it stands.
type Gate struct {
	Entry    int64          `json:"entry,omitempty"` // of the registry; 0 if it is named by the run alone
	At       time.Time      `json:"at,omitzero"`
	Paper    string         `json:"paper"`
	Release  string         `json:"release,omitempty"`
	Step     string         `json:"step,omitempty"`
	Model    Version        `json:"model,omitzero"`
	Decision *gate.Decision `json:"decision"`
	// Policy is what it was judged by; nil if that is not known.
	Policy *gate.Policy `json:"policy,omitempty"`
}
