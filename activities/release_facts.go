package activities

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"headgate/internal/registry"
	"headgate/internal/release"
	"headgate/internal/store"
)

// ReleaseFacts are what a person wants to know of a pipeline's releases.
type ReleaseFacts struct {
	Champion   store.Digest    `json:"champion"`
	Open       bool            `json:"open"`              // a release is under way or waits for its turn
	Release    string          `json:"release,omitempty"` // under way, or the last one
	Outcome    string          `json:"outcome,omitempty"` // of one that is over: released, rejected, rolled back or judged
	Strategy   string          `json:"strategy,omitempty"`
	Step       string          `json:"step,omitempty"`   // that the routing in force is of
	Routed     string          `json:"routed,omitempty"` // release that the routing in force is of
	Steps      []string        `json:"steps,omitempty"`
	Candidates []CandidateFact `json:"candidates,omitempty"`
	Arms       []release.Arm   `json:"arms,omitempty"`
	Shadow     []string        `json:"shadow,omitempty"`
	Held       string          `json:"held,omitempty"`   // by whom and why
	Who        string          `json:"who,omitempty"`    // may answer
	People     []string        `json:"people,omitempty"` // who they are, if the pipeline file names them
	Signed     bool            `json:"signed,omitempty"` // an answer must be
	Queue      []string        `json:"queue,omitempty"`
	Findings   []string        `json:"findings,omitempty"` // of the gate, for what is asked
	Trail      []TrailFact     `json:"trail,omitempty"`    // of the release, the last ones
}

// A CandidateFact is how one candidate stands.
type CandidateFact struct {
	Model   string `json:"model"`
	Learned string `json:"learned,omitempty"` // last batch that it has learned from
	Stands  string `json:"stands"`            // candidate, champion, or rejected and why
}

// A TrailFact is one entry of the registry about a release.
type TrailFact struct {
	Seq  int64     `json:"seq"`
	At   time.Time `json:"at"`
	Text string    `json:"text"`
}

// maxTrail is how many entries the scorecard tells.
const maxTrail = 12

// Facts returns what people want to know, next being what comes next.
func (r *Releases) Facts(next release.Action) ReleaseFacts {
	f := ReleaseFacts{Champion: store.Digest(r.State.Champion), Strategy: r.Settings.Strategy, Who: whoMay(r.Settings), People: people(r.Settings), Signed: r.Settings.Signed}
	if steps, err := release.Plan(r.Settings); err == nil {
		for _, s := range steps {
			f.Steps = append(f.Steps, s.Name)
		}
	}
	if h := r.State.Held; h != nil {
		f.Held = h.By + ": " + h.Reason
	}
	if routing := r.State.Routing; routing != nil {
		f.Step, f.Routed, f.Arms, f.Shadow = routing.Step, routing.Release, routing.Arms, routing.Shadow
	}
	shown := r.shown(next)
	for _, rel := range r.State.Open() {
		if f.Open = true; rel != shown {
			f.Queue = append(f.Queue, rel.Name)
		}
	}
	if shown != nil {
		r.tell(&f, shown)
	}
	for _, e := range r.Log.Of(registry.KindAdvance) {
		if next.Kind == release.DoAsk && e.Paper == store.Digest(next.Decision) {
			f.Findings = e.Reasons
		}
	}
	return f
}

// whoMay says who may answer what a release asks.
func whoMay(s release.Settings) string {
	names := people(s)
	who := strings.Join(names, " or ")
	switch {
	case len(s.People) == 0 && s.Role == "" && !s.Signed:
		who = "Anybody"
	case len(names) == 0:
		who = "Nobody"
	}
	if s.Role != "" {
		who += " as " + s.Role
	}
	if s.FourEyes {
		who += " (two of them, and not who asked for the release)"
	}
	return who
}

// people returns the names of those who may answer, none if the settings name nobody.
func people(s release.Settings) (names []string) {
	for _, p := range s.People {
		if s.Role == "" || slices.Contains(p.Roles, s.Role) {
			names = append(names, p.Name)
		}
	}
	return names
}

// shown returns the release that the next action is about, or else the first open one,
// or else the last one.
func (r *Releases) shown(next release.Action) *release.Release {
	if rel := r.State.Release(next.Release); rel != nil {
		return rel
	}
	if open := r.State.Open(); len(open) > 0 {
		return open[0]
	}
	if all := r.State.Releases; len(all) > 0 {
		return all[len(all)-1]
	}
	return nil
}

// tell adds what is known of one release.
func (r *Releases) tell(f *ReleaseFacts, rel *release.Release) {
	f.Release = rel.Name
	released, rejected := false, 0
	for _, c := range rel.Candidates {
		fact := CandidateFact{Model: c.Model, Learned: c.Learned, Stands: "candidate"}
		if rejection, ok := r.State.Rejected[c.Model]; ok {
			fact.Stands = "rejected: " + rejection.Reason
			rejected++
		} else if r.State.Champion == c.Model {
			fact.Stands, released = "champion", true
		}
		f.Candidates = append(f.Candidates, fact)
	}
	switch {
	case slices.Contains(r.State.Open(), rel):
	case released:
		f.Outcome = "released"
	case rel.Promotion != nil:
		f.Outcome = "rolled back"
	case rejected == len(rel.Candidates):
		f.Outcome = "rejected"
	default:
		f.Outcome = "judged"
	}
	for _, e := range r.Log.Entries() {
		if text := trailText(e, rel); text != "" {
			f.Trail = append(f.Trail, TrailFact{Seq: e.Seq, At: e.At, Text: text})
		}
	}
	f.Trail = f.Trail[max(0, len(f.Trail)-maxTrail):]
}

// trailText says in a line what an entry means to a release; "" if nothing.
func trailText(e registry.Entry, rel *release.Release) string {
	about := e.Release == rel.Name
	candidate := slices.ContainsFunc(rel.Candidates, func(c *release.Candidate) bool { return c.Model == string(e.Model) })
	switch e.Kind {
	case registry.KindCandidate:
		if about {
			return fmt.Sprintf("%s asks to be released, by %s%s", shortModel(string(e.Model)), e.By, reasonOf(e))
		}
	case registry.KindAdvance:
		if about {
			return fmt.Sprintf("%s: %s for %s%s%s", e.Step, e.Verdict, shortModel(string(e.Model)), batchOf(e), findingOf(e))
		}
	case registry.KindApproval:
		if about && e.Answer == registry.AnswerRefused {
			return fmt.Sprintf("%s: answer of %s refused%s", e.Step, e.By, reasonOf(e))
		}
		if about && slices.Equal(e.Reasons, []string{signedAnswer}) {
			return fmt.Sprintf("%s: %s by %s (signed): %s", e.Step, e.Answer, e.By, e.Reason)
		}
		if about {
			return fmt.Sprintf("%s: %s by %s (claimed)%s", e.Step, e.Answer, e.By, reasonOf(e))
		}
	case registry.KindRouting:
		if about {
			return fmt.Sprintf("routing of step %s%s", e.Step, reasonOf(e))
		}
	case registry.KindPromote:
		if candidate || about {
			return fmt.Sprintf("champion is %s%s", shortModel(string(e.Model)), reasonOf(e))
		}
	case registry.KindRejected:
		if candidate {
			return fmt.Sprintf("%s rejected%s", shortModel(string(e.Model)), reasonOf(e))
		}
	case registry.KindControl:
		if e.Seq > rel.Seq && (!rel.Done || !e.At.After(rel.DoneAt)) {
			return fmt.Sprintf("%s by %s (claimed)%s", e.Control, e.By, reasonOf(e))
		}
	}
	return ""
}

func batchOf(e registry.Entry) string {
	if e.Batch == "" {
		return ""
	}
	return " on " + e.Batch
}

// findingOf writes why a gate says so; of what passes, in what it is better.
func findingOf(e registry.Entry) string {
	for _, reason := range e.Reasons {
		if e.Verdict == registry.VerdictPass && strings.HasPrefix(reason, "superior: ") {
			return ": " + reason
		}
	}
	return reasonOf(e)
}

// reasonOf writes why, if an entry says so.
func reasonOf(e registry.Entry) string {
	switch {
	case len(e.Reasons) > 0:
		return ": " + e.Reasons[0]
	case e.Reason != "":
		return ": " + e.Reason
	}
	return ""
}
