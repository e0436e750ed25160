package release

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Strategies.
const (
	StrategyCanary    = "canary"    // shadow, growing shares, all, watch
	StrategyShadow    = "shadow"    // shadow; the verdict is kept, and nothing is routed
	StrategyBlueGreen = "blueGreen" // shadow, idle colour, one commit swaps, watch
	StrategyAB        = "ab"        // shadow, two arms until their outcomes are known, all, watch
	StrategyAllAtOnce = "allAtOnce" // shadow, all, watch
)

// Names of the steps that are no shares.
const (
	StepShadow = "shadow"
	StepIdle   = "idle"  // of blueGreen: the candidate's colour is written and checked in full before one commit swaps
	StepFull   = "100%"  // the candidate becomes the champion
	StepWatch  = "watch" // the former champion stays in shadow
	StepDone   = "done"
	StepBack   = "rollback" // of the routing after a step back
)

// What a failed step does. Only steps that serve have a choice: a candidate that fails in
// the shadow is rejected, and a former champion that is better comes back.
const (
	OnFailRollback = "rollback" // the candidate is rejected and its rows are published again
	OnFailPause    = "pause"    // the step stays until a person resumes or rejects; then it begins again
	OnFailAsk      = "ask"      // the step stays until a person rejects, or lets the failed verdict go; then it goes on
)

// Settings say how a candidate becomes the champion.
type Settings struct {
	Strategy string
	Shadow   int    // labelled batches at most that the shadow is judged on
	Steps    []int  // shares of a canary in basis points, ascending; of ab the challenger's share first
	Batches  int    // published batches that each step takes
	Watch    int    // batches published since the promotion whose labels the former champion stays in shadow for
	Extend   int    // batches more for a step that is inconclusive; then a person is asked
	OnFail   string // rollback, pause or ask

	Approve  []string // steps that a person lets a candidate enter
	People   []Person // who may; nobody named: everybody
	Role     string   // that an approver must have; "": any
	FourEyes bool     // two persons, neither of them who asked for the release
	Signed   bool
	Expire   time.Duration // how long a question stays open; 0: for ever
	ActBy    time.Duration // after it a published batch is acted on, and replacing it asks first; 0: never
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
	Labels  bool // its outcomes decide, so its batches must be labelled
	Approve bool // a person lets the candidate in
}

// Plan returns the steps of a release, from the shadow to the watch, or why the settings
// make no plan. The shadow is always there; it takes no batches if the settings say so.
func Plan(set Settings) ([]Step, error) {
	if err := set.check(); err != nil {
		return nil, err
	}
	steps := []Step{{Name: StepShadow, Batches: min(1, set.Shadow), Most: set.Shadow, Labels: true}}
	serve := func(name string, share int, labels bool) {
		steps = append(steps, Step{Name: name, Share: share, Batches: set.Batches, Most: set.Batches + set.Extend, Labels: labels})
	}
	switch set.Strategy {
	case StrategyCanary:
		for _, share := range set.Steps {
			if share < Whole {
				serve(StepName(share), share, false)
			}
		}
	case StrategyBlueGreen:
		serve(StepIdle, Whole, false)
	case StrategyAB:
		serve(StepName(set.Steps[0]), set.Steps[0], true)
	case StrategyShadow:
		return steps, set.checkApprove(steps)
	}
	steps = append(steps, Step{Name: StepFull, Share: Whole})
	if set.Watch > 0 {
		steps = append(steps, Step{Name: StepWatch, Share: Whole, Batches: set.Watch, Most: set.Watch, Labels: true})
	}
	for i := range steps {
		// Without a shadow nothing but a person speaks for the model that enters its first step.
		alone := i == 1 && set.Shadow == 0
		steps[i].Approve = alone || slices.Contains(set.Approve, steps[i].Name)
	}
	return steps, set.checkApprove(steps)
}

// check returns the first number that makes no plan, or nil.
func (set *Settings) check() error {
	strategies := []string{StrategyCanary, StrategyShadow, StrategyBlueGreen, StrategyAB, StrategyAllAtOnce}
	shares := set.Strategy == StrategyCanary || set.Strategy == StrategyAB
	switch {
	case !slices.Contains(strategies, set.Strategy):
		return fmt.Errorf("release: strategy %q is none of %s", set.Strategy, strings.Join(strategies, ", "))
	case !slices.Contains([]string{OnFailRollback, OnFailPause, OnFailAsk}, set.OnFail):
		return fmt.Errorf("release: onFail %q is none of rollback, pause, ask", set.OnFail)
	case set.Shadow < 0 || set.Shadow == 0 && set.Strategy == StrategyShadow:
		return fmt.Errorf("release: shadow is %d; strategy %s is judged on at least one labelled batch", set.Shadow, set.Strategy)
	case set.Batches < 1:
		return fmt.Errorf("release: batches is %d; a step takes at least one", set.Batches)
	case set.Watch < 0 || set.Extend < 0 || set.Expire < 0 || set.ActBy < 0:
		return fmt.Errorf("release: watch, extend, expire and actBy cannot be negative")
	case shares && len(set.Steps) == 0:
		return fmt.Errorf("release: strategy %s needs steps", set.Strategy)
	}
	for i, share := range set.Steps {
		if share < 1 || share > Whole || i > 0 && share <= set.Steps[i-1] {
			return fmt.Errorf("release: steps are shares between 1 and %d that grow, but number %d is %d", Whole, i+1, share)
		}
	}
	if set.Strategy == StrategyAB && set.Steps[0] == Whole {
		return fmt.Errorf("release: strategy ab needs a share below %d, or one arm is empty", Whole)
	}
	return nil
}

// checkApprove returns why nobody could give the approvals that are asked for, or nil.
func (set *Settings) checkApprove(steps []Step) error {
	for _, name := range set.Approve {
		i := slices.IndexFunc(steps, func(s Step) bool { return s.Name == name })
		if i < 1 || name == StepWatch {
			return fmt.Errorf("release: strategy %s has no step %q that an approval lets a candidate enter", set.Strategy, name)
		}
	}
	if len(set.People) == 0 && set.Role == "" && !set.Signed {
		return nil // anybody may, by a name that is claimed
	}
	if !slices.ContainsFunc(steps, func(s Step) bool { return s.Approve }) {
		return nil
	}
	may := 0
	for _, p := range set.People {
		if (set.Role == "" || slices.Contains(p.Roles, set.Role)) && (!set.Signed || p.Key != "") {
			may++
		}
	}
	if need := set.need(); may < need {
		return fmt.Errorf("release: a step needs %d approvals, and %d of the people may give one (by role and key)", need, may)
	}
	return nil
}

// need returns how many persons must say yes.
func (set *Settings) need() int {
	if set.FourEyes {
		return 2
	}
	return 1
}

// StepName returns the name of a step by its share: "10%" of 1000.
func StepName(share int) string {
	return strconv.FormatFloat(float64(share)/100, 'f', -1, 64) + "%"
}
