package release

import "time"

// Strategies.
const (
	StrategyCanary    = "canary"    // shadow, growing shares, all, watch
	StrategyShadow    = "shadow"    // shadow; a person reads the verdict, nothing is routed
	StrategyBlueGreen = "blueGreen" // shadow, idle colour, one commit swaps, watch
	StrategyAB        = "ab"        // shadow, two arms until their outcomes are known, all, watch
	StrategyAllAtOnce = "allAtOnce" // shadow, all, watch
)

// Names of the steps that are no shares.
const (
	StepShadow = "shadow"
	StepIdle   = "idle"  // of blueGreen: scored, written and checked in full, served to nobody
	StepFull   = "100%"  // the candidate becomes the champion
	StepWatch  = "watch" // the former champion stays in shadow
	StepDone   = "done"
	StepBack   = "rollback" // of the routing after a step back
)

// What a failed step does.
const (
	OnFailRollback = "rollback"
	OnFailPause    = "pause"
	OnFailAsk      = "ask"
)

// Settings say how a candidate becomes the champion.
type Settings struct {
	Strategy string
	Shadow   int   // labelled batches at most that the shadow is judged on
	Steps    []int // shares of a canary in basis points, ascending; of ab the challenger's share
	Batches  int   // published batches that each step takes
	Watch    int   // matured batches that the former champion stays in shadow
	Extend   int   // batches more for a step that is inconclusive; then a person is asked
	OnFail   string

	Approve  []string // steps that a person lets a candidate enter
	People   []Person
	Role     string // that an approver must have; "": any
	FourEyes bool   // two persons, neither of them who asked for the release
	Signed   bool
	Expire   time.Duration // how long a question stays open
	ActBy    time.Duration // after it a published batch is acted on; 0: never
}

// A Person may approve.
type Person struct {
	Name  string
	Roles []string
	Key   string // ssh-ed25519 AAAA…, as in authorized_keys; "" if there is none
}

// A Step is a station on a candidate's way.
type Step struct {
	Name    string
	Share   int  // of the entities that get the candidate's score, in basis points
	Batches int  // that the step takes at least
	Most    int  // that it takes at most before a person is asked
	Labels  bool // the batches must be labelled
	Approve bool // a person lets the candidate in
}

// Plan returns the steps of a release, from the shadow to the watch, or why the settings
// make no plan.
func Plan(set Settings) ([]Step, error) {
	return nil, nil
}
