package gate

import (
	"time"

	"headgate/internal/evaluate"
)

// Evidence is what a gate judges. What a question does not need is nil.
type Evidence struct {
	Release Case     `json:"release"`
	Data    *Data    `json:"data,omitempty"`
	Compare *Compare `json:"compare,omitempty"`
	Outcome *Outcome `json:"outcome,omitempty"`
	// Sources name what was measured, so that anybody can measure it again.
	Sources []Source `json:"sources,omitempty"`
}

// Case says who and what is judged. Rules call it release.
type Case struct {
	At       time.Time `json:"at"` // of the judgement, from the workflow; waivers end by it
	Pipeline string    `json:"pipeline,omitempty"`
	Release  string    `json:"release,omitempty"`
	Step     string    `json:"step,omitempty"`
	Batch    string    `json:"batch,omitempty"`    // of publish and canary
	Champion string    `json:"champion,omitempty"` // digest of the bundle
	Model    string    `json:"model,omitempty"`    // digest of the bundle that is judged, which is the one that goes on
	// Learned is the last batch that the model has learned from or been calibrated on.
	// Batches of an [Outcome] must be later. Empty if nobody knows; then whoever gathers
	// evidence takes none from before the candidate's entry.
	Learned string `json:"learned,omitempty"`
}

// A Source names the rows of one batch. All but the batch and the column are digests.
type Source struct {
	Batch     string `json:"batch"`
	Run       string `json:"run,omitempty"`
	Labels    string `json:"labels,omitempty"`    // version of the labels
	Champion  string `json:"champion,omitempty"`  // list of its score files
	Candidate string `json:"candidate,omitempty"` // list of its score files
	Cluster   string `json:"cluster,omitempty"`   // column whose equal values make rows depend on each other
	Without   []Left `json:"without,omitempty"`   // slices that do not count, by the evaluation of the labels
}

// A Left names the rows that have one value of a slice column.
type Left struct {
	By    string `json:"by"`
	Value string `json:"value"`
}

// Data is what is known of a month before its labels.
type Data struct {
	Verdict     Verdict  `json:"verdict"` // of contract, budget of the quarantine, history and drift
	Rows        int64    `json:"rows"`
	Quarantined int64    `json:"quarantined"`
	Share       float64  `json:"share"`    // of the rows that are quarantined, in [0, 1]
	Warnings    int64    `json:"warnings"` // rules of severity warning that are broken
	Reasons     []string `json:"reasons,omitempty"`
	Drift       Drift    `json:"drift"`
}

// Drift says how far a month is from its reference.
type Drift struct {
	Level   string   `json:"level,omitempty"` // none, warn, trigger or inconclusive; empty: not measured
	Columns []string `json:"columns,omitempty"`
}

// Compare is how the candidate's scores of a batch differ from the champion's on the
// same rows, without labels.
type Compare struct {
	Rows     int64              `json:"rows"`
	Failed   string             `json:"failed,omitempty"` // why the candidate could not score
	Invalid  int64              `json:"invalid"`          // scores of the candidate that break the contract of the scores
	PSI      *evaluate.Estimate `json:"psi,omitempty"`
	Spearman *evaluate.Estimate `json:"spearman,omitempty"`
	Shift    *evaluate.Estimate `json:"shift,omitempty"` // mean change of the score
	Flips    *evaluate.Estimate `json:"flips,omitempty"` // share of the decisions that change
	// Volume is nil if the candidate served nobody.
	Volume *Volume `json:"volume,omitempty"`
	// Moved holds the scores against those of the candidate's shadow, which the bounds of a
	// canary are about. It is nil if the release had no shadow, and in decisions that were
	// made before there was this evidence: then the bounds are about the fields above.
	Moved *Moved `json:"moved,omitempty"`
}

// Moved is how far the candidate's scores are from those that its shadow leads to expect
// beside the champion's, as compare.Moved has it. All of it is 0 if the candidate is what
// it was, however it differs from the champion.
type Moved struct {
	Decision string             `json:"decision"` // digest: of the verdict in the shadow, whose sources name the scores
	Batches  []string           `json:"batches"`  // of the shadow, that are compared
	Rows     int64              `json:"rows"`     // of these
	PSI      *evaluate.Estimate `json:"psi,omitempty"`
	Shift    *evaluate.Estimate `json:"shift,omitempty"` // of the mean difference to the champion
	Flips    *evaluate.Estimate `json:"flips,omitempty"` // of the share of the decisions that change
	Missing  string             `json:"missing,omitempty"`
}

// A Volume says how many rows the candidate served, and whether that is its share: the
// check for a sample ratio mismatch.
type Volume struct {
	Share float64 `json:"share"` // that the routing says, in [0, 1]
	Rows  int64   `json:"rows"`  // that the candidate served
	Of    int64   `json:"of"`
	P     float64 `json:"p"` // probability that chance alone is as far off
}

// An Outcome is what labels say about a candidate and the champion on the same rows.
type Outcome struct {
	Batches    []string `json:"batches"` // in order
	Rows       int64    `json:"rows"`    // with a label
	Unlabelled int64    `json:"unlabelled"`
	Positives  int64    `json:"positives"` // rows with label 1
	Clusters   int64    `json:"clusters"`  // 0 if rows are independent

	Looks int    `json:"looks"` // batches that were planned
	Past  []Look `json:"past"`  // looks so far, with this one as the last
	// Alpha is what this look may err by, on one side.
	Alpha  Granted `json:"alpha"`
	Tried  int     `json:"tried"`  // challengers before this one in the year
	Budget int     `json:"budget"` // challengers a year

	Metrics     map[evaluate.Metric]Metric `json:"metrics"`
	Calibration *CalibrationOutcome        `json:"calibration,omitempty"`
	Slices      []SliceOutcome             `json:"slices,omitempty"`
	// Missing are metrics that these rows do not have, and why.
	Missing []evaluate.Missing `json:"missing,omitempty"`
}

// Granted is by how much this look may err on one side, by [Spend].
type Granted struct {
	Success float64 `json:"success"` // for each metric of success
	Guard   float64 `json:"guard"`   // for each guardrail
	Slice   float64 `json:"slice"`   // for each slice
}

// A Look is one time that labels were looked at.
type Look struct {
	Batches  int               `json:"batches"`            // that had labels then
	Rows     int64             `json:"rows"`               // in all of them
	Superior []evaluate.Metric `json:"superior,omitempty"` // in which the candidate was better, beyond doubt
	Worse    []evaluate.Metric `json:"worse,omitempty"`    // in which it was worse, beyond doubt
}

// A Metric is one metric of both models.
type Metric struct {
	Champion  evaluate.Estimate `json:"champion"`  // at 95 %
	Candidate evaluate.Estimate `json:"candidate"` // at 95 %
	// Difference is the candidate's less the champion's. Its lower end holds with an
	// error of [Granted.Guard], and so does its upper end.
	Difference evaluate.Estimate `json:"difference"`
	// Relative is the same as a share of the champion's metric; nil if that has no closed
	// form, or is 0.
	Relative *evaluate.Estimate `json:"relative,omitempty"`
	// Success is the difference with an error of [Granted.Success]; nil if the metric is
	// none of success.
	Success *evaluate.Estimate `json:"success,omitempty"`
}

// A CalibrationOutcome is the calibration of both models, with [Granted.Guard].
type CalibrationOutcome struct {
	Slope      *Metric `json:"slope,omitempty"`
	InTheLarge *Metric `json:"inTheLarge,omitempty"`
}

// A SliceOutcome is what labels say about the rows with one value.
type SliceOutcome struct {
	By         string             `json:"by"`
	Value      string             `json:"value"`
	Metric     evaluate.Metric    `json:"metric"`
	Rows       int64              `json:"rows"`
	Difference *evaluate.Estimate `json:"difference,omitempty"` // the candidate's less the champion's; a share of it if the margin is one
	Missing    string             `json:"missing,omitempty"`    // why there is no difference
}
