package pipeline

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"headgate/internal/release"
)

// Labels says where it is written what came true.
type Labels struct {
	// Files is a key pattern in the store, or an absolute URL; {batch} stands for the
	// batch. Where several files have a row of one key, the last file by name counts.
	Files    string `json:"files"`
	Contract string `json:"contract"` // path beside the pipeline file; it says when labels are mature
	// Poll is how often files are looked for once they are due.
	Poll Duration `json:"poll"`
	// Wait is how long an evaluation waits for labels beyond the day on which they are
	// due before it ends without.
	Wait Duration `json:"wait"`
	// Due, if it is set, replaces the day that follows from the batch's date, the window
	// and the settlement: so long after the batch was published. It is for worlds whose
	// time is not the calendar's, as in a demo.
	Due *Duration `json:"due,omitempty"`
	// Threshold from which a score decides, for flips and rates.
	Threshold float64 `json:"threshold"`
	// Cluster is a kept column, as of a day: rows in which it is equal depend on each
	// other. Empty: rows of one entity do.
	Cluster string `json:"cluster,omitempty"`
}

// Training says what a challenger is learned from, and how.
type Training struct {
	Trainer    string            `json:"trainer"` // gbdt, command or taskQueue
	Command    []string          `json:"command,omitempty"`
	TaskQueue  string            `json:"taskQueue,omitempty"`
	Timeout    Duration          `json:"timeout"`
	Parameters map[string]string `json:"parameters,omitempty"` // LightGBM's names
	Features   []string          `json:"features,omitempty"`   // default: all of the contract
	Windows    []int             `json:"windows"`              // batches to learn from; each is a challenger; 0 is all
	Valid      int               `json:"valid"`                // latest batches kept apart to tell when to stop; 0: a tenth of the entities is
	Calibrate  OrNone            `json:"calibrate"`            // isotonic, platt or none
	Folds      int               `json:"folds,omitempty"`      // over which the calibration is cross-fitted; 0: a tenth of the entities has it to itself
	Seed       int64             `json:"seed"`
	Leak       Leak              `json:"leak"`
}

// Leak says when a feature is suspected to know the answer, see train.LeakPolicy.
type Leak struct {
	Threshold float64  `json:"threshold"`
	Allow     []string `json:"allow,omitempty"`
}

// Retrain says what starts a training: any of the triggers, and all of the conditions.
type Retrain struct {
	// Triggers.
	Drift       bool    `json:"drift"`       // drift that persisted (level trigger)
	Metric      OrNone  `json:"metric"`      // of the champion on matured labels: auc, prAUC, logLoss, brier, rmse or mae
	Fall        float64 `json:"fall"`        // by which the metric is worse than when the champion came, beyond doubt
	Calibration bool    `json:"calibration"` // calibration outside the gate's bounds, beyond doubt
	Every       int     `json:"every"`       // batches since the last training; 0: no date
	// Conditions.
	Cooldown int `json:"cooldown"` // batches between two trainings
	Budget   int `json:"budget"`   // challengers a year
	// Recalibrate tries a new calibration if calibration is lost: before a refit if ranking
	// holds beyond doubt, beside it if that is not known.
	Recalibrate bool `json:"recalibrate"`
}

// Release says how a candidate becomes the champion.
type Release struct {
	Strategy string `json:"strategy"` // canary, shadow, blueGreen, ab or allAtOnce
	Shadow   int    `json:"shadow"`   // labelled batches at most that the shadow is judged on
	// Steps are shares of the entities: of a canary they ascend to all, of ab there is
	// one, of the new arm. Other strategies have none.
	Steps   []Share   `json:"steps,omitempty"`
	Batches int       `json:"batches"` // published batches that each step takes
	Watch   int       `json:"watch"`   // batches published since the promotion whose labels the former champion stays in shadow for
	Extend  int       `json:"extend"`  // batches more for a step that is inconclusive; then a person is asked
	OnFail  string    `json:"onFail"`  // rollback, pause or ask
	Approve Approvals `json:"approve"`
}

// StepNames returns the names of the steps that a candidate can be let into, in their
// order: as approve.steps has them.
func (r *Release) StepNames() []string {
	var names []string
	for _, s := range r.Steps {
		if s != whole {
			names = append(names, s.String())
		}
	}
	switch r.Strategy {
	case release.StrategyShadow:
		return nil
	case release.StrategyBlueGreen:
		names = append(names, release.StepIdle)
	}
	return append(names, release.StepFull)
}

// Settings returns the release's settings as package release has them.
func (r *Release) Settings() release.Settings {
	a := r.Approve
	s := release.Settings{Strategy: r.Strategy, Shadow: r.Shadow, Batches: r.Batches, Watch: r.Watch, Extend: r.Extend, OnFail: r.OnFail,
		Approve: slices.Clone(a.Steps), Role: a.Role, FourEyes: a.FourEyes, Signed: a.Signed, Expire: time.Duration(a.Expire), ActBy: time.Duration(a.ActBy)}
	for _, share := range r.Steps {
		s.Steps = append(s.Steps, int(share))
	}
	for _, p := range a.People {
		s.People = append(s.People, release.Person{Name: p.Name, Roles: slices.Clone(p.Roles), Key: p.Key})
	}
	return s
}

// Asks reports whether the step of that name needs an approval.
func (a *Approvals) Asks(step string) bool { return slices.Contains(a.Steps, step) }

// A Share is a share of the entities in basis points: [release.Whole] is all of them. It
// is written as 10%.
type Share int

// String returns the share as a percentage: "10%", "0.5%". It is the name of the step
// that serves the share.
func (s Share) String() string {
	return release.StepName(int(s))
}

// MarshalJSON writes the share as it is written in the file.
func (s Share) MarshalJSON() ([]byte, error) { return json.Marshal(s.String()) }

// UnmarshalJSON reads what MarshalJSON writes.
func (s *Share) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return err
	}
	read, ok := parseShare(text)
	if !ok {
		return fmt.Errorf("%q is no share, as in 10%%", text)
	}
	*s = read
	return nil
}

// An OrNone is a choice that can be none. It is empty then.
type OrNone string

// MarshalJSON writes the choice as it is written in the file.
func (o OrNone) MarshalJSON() ([]byte, error) {
	if o == "" {
		o = none
	}
	return json.Marshal(string(o))
}

// UnmarshalJSON reads what MarshalJSON writes.
func (o *OrNone) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return err
	}
	if *o = OrNone(text); text == none {
		*o = ""
	}
	return nil
}

// none is how an empty [OrNone] is written.
const none = "none"

// Approvals says who must let a release go on.
type Approvals struct {
	Steps    []string   `json:"steps,omitempty"` // that need one: "10%", "100%"; empty: none
	People   []Approver `json:"people,omitempty"`
	Role     string     `json:"role,omitempty"`  // that an approver must have; empty: any
	FourEyes bool       `json:"fourEyes"`        // two persons, neither of them who asked for the release
	Signed   bool       `json:"signed"`          // with the approver's ssh key
	Expire   Duration   `json:"expire"`          // how long a question stays open
	ActBy    Duration   `json:"actBy,omitempty"` // after this long a published batch is acted on: replacing it asks first
}

// An Approver is somebody who may approve.
type Approver struct {
	Name  string   `json:"name"`
	Roles []string `json:"roles,omitempty"`
	Key   string   `json:"key,omitempty"` // ssh-ed25519 AAAA…, as in authorized_keys
}
