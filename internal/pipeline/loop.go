package pipeline

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
	Valid      int               `json:"valid"`                // latest batches that tell when to stop; 0: a share of the entities does
	Calibrate  string            `json:"calibrate,omitempty"`  // isotonic, platt or empty
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
	Metric      string  `json:"metric"`      // of the champion on matured labels, auc or logLoss …
	Fall        float64 `json:"fall"`        // by which the metric is worse than when the champion came, beyond doubt
	Calibration bool    `json:"calibration"` // calibration outside the gate's bounds, beyond doubt
	Every       int     `json:"every"`       // batches since the last training; 0: no date
	// Conditions.
	Cooldown int `json:"cooldown"` // batches between two trainings
	Budget   int `json:"budget"`   // challengers a year
	// Recalibrate tries a new calibration before a refit if only calibration is lost.
	Recalibrate bool `json:"recalibrate"`
}

// Release says how a candidate becomes the champion.
type Release struct {
	Strategy string    `json:"strategy"` // canary, shadow, blueGreen, ab or allAtOnce
	Shadow   int       `json:"shadow"`   // labelled batches at most that the shadow is judged on
	Steps    []int     `json:"steps"`    // shares of a canary in basis points, ascending; the last is all
	Batches  int       `json:"batches"`  // published batches that each step takes
	Watch    int       `json:"watch"`    // matured batches that the former champion stays in shadow
	Extend   int       `json:"extend"`   // batches more for a step that is inconclusive; then a person is asked
	OnFail   string    `json:"onFail"`   // rollback, pause or ask
	Approve  Approvals `json:"approve"`
}

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
