package report

import (
	"time"

	"headgate/internal/evaluate"
)

// A Month is one batch among all others: what was published, what was decided while it was
// the latest, and how good the model is.
type Month struct {
	Format      int    `json:"format"` // [Format]
	Pipeline    string `json:"pipeline"`
	Description string `json:"description,omitempty"`
	Owner       string `json:"owner,omitempty"`

	Month  Line   `json:"month"`
	Months []Line `json:"months"` // all that had begun by then, oldest first
	// From and To are the first and the last entry of the registry while the month was the
	// latest. Latest says that it still is.
	From   int64 `json:"from"`
	To     int64 `json:"to"`
	Latest bool  `json:"latest"`

	Publications []Publication `json:"publications,omitempty"`
	Matured      []Matured     `json:"matured,omitempty"` // batches whose labels came
	Trainings    []Event       `json:"trainings,omitempty"`
	Decisions    []Event       `json:"decisions,omitempty"` // of releases: gates, answers, promotions, rejections
	Changes      []Event       `json:"changes,omitempty"`   // of files, waivers and controls
	Others       []Event       `json:"others,omitempty"`    // entries of kinds that this program does not know
	Waits        []Open        `json:"waits,omitempty"`     // questions that are open at the end
	Champion     Version       `json:"champion"`            // at the end
	First        Version       `json:"first"`               // the first champion, which never learned again
	Lineage      []Input       `json:"lineage"`
	Anchor       string        `json:"anchor"`
}

// A Line is a batch in one row.
type Line struct {
	Batch string `json:"batch"`
	Run   string `json:"run,omitempty"`
	State string `json:"state"` // published, blocked, waits, passed or missing
	Why   string `json:"why,omitempty"`
	Rows  Rows   `json:"rows"`
	// Gone says that somebody has deleted the papers of the run: nobody knows Rows and Drift.
	Gone        bool  `json:"gone,omitempty"`
	Publication int64 `json:"publication,omitempty"`
	// Attempts counts the verdicts that kept a delivery out.
	Attempts int       `json:"attempts,omitempty"`
	At       time.Time `json:"at,omitzero"` // of the publication in force
	Served   []Served  `json:"served,omitempty"`
	Champion Version   `json:"champion,omitzero"` // of the run

	Drift   string   `json:"drift,omitempty"` // level
	Drifted []string `json:"drifted,omitempty"`

	Quality   *Quality `json:"quality,omitempty"` // nil until labels are there
	Decisions []string `json:"decisions,omitempty"`
}

// A Quality is what labels say of one batch, in few numbers.
type Quality struct {
	Paper    string             `json:"paper"` // digest of the evaluation
	Labels   string             `json:"labels"`
	Entry    int64              `json:"entry"`
	Evidence bool               `json:"evidence"` // complete and even; else it is only shown
	Metric   evaluate.Metric    `json:"metric"`   // of the next two: AUC, or R² of a regression
	Champion *evaluate.Estimate `json:"champion,omitempty"`
	First    *evaluate.Estimate `json:"first,omitempty"` // of the first champion on the same rows
	Large    *evaluate.Estimate `json:"inTheLarge,omitempty"`
	Slope    *evaluate.Estimate `json:"slope,omitempty"`
}

// Matured is a batch whose labels came.
type Matured struct {
	Batch   string   `json:"batch"`
	Entry   int64    `json:"entry"`
	Verdict string   `json:"verdict"` // pass: evidence
	Reasons []string `json:"reasons,omitempty"`
	Scored  int64    `json:"scored"`
	Judged  int64    `json:"judged"`
	Models  []Judged `json:"models,omitempty"` // the champion of the run first
	Paper   string   `json:"paper"`
}

// An Open is a question that somebody must answer.
type Open struct {
	What    string `json:"what"`
	Who     string `json:"who"`
	Command string `json:"command"`
}
