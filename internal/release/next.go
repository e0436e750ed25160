package release

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"headgate/internal/figure"
)

// A view is a state as one moment and one set of settings see it.
type view struct {
	*State
	set   Settings
	steps []Step
	now   time.Time
}

// A phase is where a release stands: what it wants to be routed, and what to do.
type phase struct {
	release *Release
	step    string
	share   int
	model   string   // that has the share; "" if none is chosen
	shadow  []string // models that score along
	action  Action
}

// Next returns what to do next. It is a pure function of its arguments: the caller does
// it, reads the log again and calls Next again, until it says [DoNothing] or [DoAsk].
//
// Steps back come first: what a person ordered, what a gate found, what a routing or a
// publication still has of a rejected model. Then comes the release that is watched, then
// the oldest one whose candidates are on their way; none is promoted before the watch is
// over. Later releases wait. A hold stops steps forward only.
func Next(s *State, set Settings, now time.Time) Action {
	if s.Champion == "" {
		return idle("a first champion")
	}
	v := &view{State: s, set: set, now: now}
	if a, ok := v.ordered(); ok {
		return v.named(a)
	}
	if a, ok := v.takenBack(); ok {
		return v.named(a)
	}
	if a, ok := v.refused(); ok {
		return v.named(a)
	}
	steps, err := Plan(set)
	if err != nil {
		return v.named(v.stuck(err))
	}
	v.steps = steps
	return v.named(v.next())
}

// phases returns where the open releases stand.
func (v *view) phases() []phase {
	watched, leading := v.open()
	var phases []phase
	if watched != nil {
		phases = append(phases, v.watch(watched))
	}
	if leading != nil {
		phases = append(phases, v.lead(leading, watched))
	}
	return phases
}

func (v *view) next() Action {
	phases := v.phases()
	for _, p := range phases {
		if p.action.back() {
			return p.action
		}
	}
	want := v.routing(phases)
	if r := v.ended(); r != nil && v.Held == nil {
		return v.finishing(r, want, "nothing can come of it any more")
	}
	if !v.routed(want) && (v.Held == nil || v.stepsBack(want)) {
		return v.route(want)
	}
	if a, ok := v.republish(); ok {
		return a
	}
	var waits []Action
	if v.Held != nil {
		waits = append(waits, v.held())
	}
	for i, p := range phases {
		switch {
		case v.Held != nil && p.action.forward():
		case p.action.Kind == DoNothing || p.action.Kind == DoAsk:
			waits = append(waits, p.action)
		case p.action.Kind == DoFinish:
			return v.finishing(p.release, v.routing(slices.Delete(phases, i, i+1)), p.action.Reason)
		default:
			return p.action
		}
	}
	if a, ok := v.askRepublish(); ok && v.Held == nil {
		waits = append(waits, a)
	}
	return wait(waits)
}

// ended returns the first release that is over and was not finished, or nil.
func (s *State) ended() *Release {
	for _, r := range s.Releases {
		if !r.Done && s.over(r) {
			return r
		}
	}
	return nil
}

// finishing returns the action that ends a release. The routing that it appends may be in
// the name of another release that goes on.
func (v *view) finishing(r *Release, want *Routing, why string) Action {
	if len(want.Arms) == 1 && want.Shadow == nil {
		want.Release, want.Step = r.Name, StepDone
	}
	return Action{Kind: DoFinish, Release: r.Name, Step: StepDone, Routing: want, Reason: why}
}

// wait returns the first question, or else what all wait for.
func wait(list []Action) Action {
	var parts []string
	all := Action{Kind: DoNothing}
	for _, a := range list {
		if a.Kind == DoAsk {
			return a
		}
		all.Stopped = all.Stopped || a.Stopped
		if !has(parts, a.WaitsFor) {
			parts = append(parts, a.WaitsFor)
		}
	}
	all.WaitsFor = cmp.Or(strings.Join(parts, "; "), "a candidate")
	return all
}

// Questions returns the questions that are open: of the release that is on its way, and
// about a batch that was acted on. [Next] has only the first, and only when there is
// nothing else to do.
func Questions(s *State, set Settings, now time.Time) []Action {
	steps, err := Plan(set)
	if err != nil || s.Held != nil || s.Champion == "" {
		return nil
	}
	v := &view{State: s, set: set, now: now, steps: steps}
	var open []Action
	for _, p := range v.phases() {
		if p.action.Kind == DoAsk {
			open = append(open, v.named(p.action))
		}
	}
	if a, ok := v.askRepublish(); ok {
		open = append(open, v.named(a))
	}
	return open
}

// stuck returns what can be done without a plan: steps back from a rejected model.
func (v *view) stuck(err error) Action {
	if _, gone := v.Rejected[v.serves()]; gone {
		return v.route(v.routing(nil))
	}
	if a, ok := v.republish(); ok {
		return a
	}
	return idle("settings that make a plan: " + err.Error())
}

func (v *view) route(want *Routing) Action {
	return Action{Kind: DoRoute, Release: want.Release, Step: want.Step, Routing: want, Reason: v.why(want)}
}

func (v *view) held() Action {
	return stopped(fmt.Sprintf("resume; %s holds since %s: %s", v.Held.By, v.Held.At.UTC().Format(time.DateOnly), v.Held.Reason))
}

// stopped is idle until a person resumes.
func stopped(waits string) Action { return Action{Kind: DoNothing, Stopped: true, WaitsFor: waits} }

func idle(waits string) Action { return Action{Kind: DoNothing, WaitsFor: waits} }

// routing returns what should be in force: the champion serves all that the chosen
// candidate does not, and whoever is watched or judged scores along.
func (v *view) routing(phases []phase) *Routing {
	want := &Routing{Format: Format, Step: StepBack, Arms: []Arm{{v.Champion, Whole}}}
	if v.Routing != nil {
		want.Release = v.Routing.Release
	}
	for _, p := range phases {
		want.Release, want.Step = p.release.Name, p.step
		if p.model != "" {
			want.Salt = p.release.Name
			want.Arms[0].Share -= p.share
			want.Arms = append(want.Arms, Arm{p.model, p.share})
		}
		want.Shadow = append(want.Shadow, p.shadow...)
	}
	slices.Sort(want.Shadow)
	want.Shadow = slices.DeleteFunc(slices.Compact(want.Shadow), func(m string) bool {
		return slices.ContainsFunc(want.Arms, func(a Arm) bool { return a.Model == m })
	})
	if len(want.Shadow) == 0 {
		want.Shadow = nil
	}
	if want.Release == "" {
		want.Release = "none"
	}
	return want
}

// routed reports whether the routing in force is the one that is wanted. If the champion
// is alone, it does not matter in whose name.
func (v *view) routed(want *Routing) bool {
	alone := len(want.Arms) == 1 && want.Shadow == nil
	if v.Routing == nil {
		return alone
	}
	if alone {
		return slices.Equal(v.Routing.Arms, want.Arms) && len(v.Routing.Shadow) == 0
	}
	return v.Routing.same(want)
}

// stepsBack reports whether a routing takes a share from a model that is in force, or
// replaces one that no longer counts.
func (v *view) stepsBack(want *Routing) bool {
	if v.Routing == nil {
		return false
	}
	if v.Routing.Arms[0].Model != v.Champion {
		return len(want.Arms) == 1
	}
	return slices.ContainsFunc(v.Routing.Arms[1:], func(a Arm) bool {
		return want.share(a.Model) < a.Share || !slices.ContainsFunc(want.Arms, func(w Arm) bool { return w.Model == a.Model })
	})
}

func (v *view) why(want *Routing) string {
	last := want.Arms[len(want.Arms)-1]
	switch {
	case len(want.Arms) > 1:
		return fmt.Sprintf("%s enters step %s: %s of the entities get its score", figure.Short(last.Model), want.Step, StepName(last.Share))
	case len(want.Shadow) == 1:
		return fmt.Sprintf("%s scores along and serves nobody", figure.Short(want.Shadow[0]))
	case want.Shadow != nil:
		return fmt.Sprintf("%d models score along and serve nobody", len(want.Shadow))
	}
	return "the champion scores alone"
}

// serves returns the candidate that has an arm in the routing in force, or "".
func (s *State) serves() string {
	if s.Routing == nil || len(s.Routing.Arms) < 2 || s.Routing.Arms[0].Model != s.Champion {
		return ""
	}
	return s.Routing.Arms[1].Model
}

// named gives the action its ID. The number of the last event makes that unique: the
// state has changed when the same action comes again.
func (v *view) named(a Action) Action {
	if a.Kind != DoNothing {
		a.ID = fmt.Sprintf("%s/%s/%s/%s/%d", a.Kind, a.Release, a.Step, cmp.Or(short(a.Model), a.Batch), v.Seq)
	}
	return a
}

// short returns the digits by which the IDs of actions name a model. They are fewer than a
// person is shown: the IDs of entries that are written must come again.
func short(digest string) string {
	if i := len("sha256:"); len(digest) > i+12 && digest[:i] == "sha256:" {
		return digest[i : i+12]
	}
	return digest
}

// reject returns the action that rejects a model.
func reject(r *Release, step, model, decision, reason string) Action {
	return Action{Kind: DoReject, Release: r.Name, Step: step, Model: model, Decision: decision, Reason: reason}
}

// better orders verdicts by their lower bounds, the highest first, then by the digests of
// their models.
func better(a, b *Verdict) int {
	switch aIs, bIs := a.Low == a.Low, b.Low == b.Low; { // NaN is the least
	case aIs && bIs && a.Low != b.Low:
		return cmp.Compare(b.Low, a.Low)
	case aIs != bIs && aIs:
		return -1
	case aIs != bIs:
		return 1
	}
	return cmp.Compare(a.Model, b.Model)
}
