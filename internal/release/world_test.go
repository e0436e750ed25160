package release

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A world is a pipeline in small: it keeps the log, does what Next says, and plays the
// scoring of batches and the gate by rules.
type world struct {
	set    Settings
	now    time.Time
	events []Event
	gate   map[string]string // "model step" → verdict; "model reverse" for a former champion
	low    map[string]float64
	lines  []string
}

func newWorld(set Settings) *world {
	return &world{set: set, now: time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC), gate: map[string]string{}, low: map[string]float64{}}
}

func (w *world) state() *State { return Fold(w.events) }

func (w *world) add(e Event) {
	e.Seq = int64(len(w.events) + 1)
	w.now = w.now.Add(time.Minute)
	e.At = w.now
	w.events = append(w.events, e)
}

func (w *world) say(format string, args ...any) {
	w.lines = append(w.lines, fmt.Sprintf(format, args...))
}

// verdict is the gate's about a model in a step.
func (w *world) verdict(model, step, otherwise string) string {
	if v := w.gate[model+" "+step]; v != "" {
		return v
	}
	return otherwise
}

// publish plays ScoreBatch with a routing that was read some time ago.
func (w *world) publish(batch, run string, champion string, routing *Routing) {
	number := int64(1)
	for _, e := range w.events {
		if e.Batch == batch && (e.Kind == EventPublished || e.Kind == EventRestored) {
			number++
		}
	}
	w.judgeRun(batch, run, champion, routing)
	w.add(Event{Kind: EventPublished, Batch: batch, Run: run, Model: champion, Publication: number})
	if routing != nil {
		for _, arm := range routing.Arms[1:] {
			w.add(Event{Kind: EventShadow, Batch: batch, Run: run, Model: arm.Model})
		}
		for _, m := range routing.Shadow {
			if m != champion {
				w.add(Event{Kind: EventShadow, Batch: batch, Run: run, Model: m})
			}
		}
	}
}

// judgeRun plays the verdicts that are given inside a run, before the batch is published.
func (w *world) judgeRun(batch, run string, champion string, routing *Routing) {
	if routing != nil && routing.Arms[0].Model == champion {
		for _, arm := range routing.Arms[1:] {
			v := w.verdict(arm.Model, routing.Step, Pass)
			w.add(Event{Kind: EventAdvance, Release: routing.Release, Step: routing.Step, Model: arm.Model, Champion: champion, Batch: batch, Run: run,
				Verdict: v, Decision: fmt.Sprintf("d%d", len(w.events)+1), Reason: "psi"})
		}
	}
}

// do carries out an action, as the workflow would.
func (w *world) do(a Action) {
	switch a.Kind {
	case DoShadow:
		for _, m := range a.Models {
			e := Event{Kind: EventShadow, Batch: a.Batch, Run: a.Run, Model: m}
			if w.gate[m+" score"] == Block {
				e.Verdict = Block
			}
			w.add(e)
		}
	case DoJudge:
		v := w.verdict(a.Model, a.Step, Pass)
		if a.Subject == SubjectArms {
			v = w.verdict(a.Model, "arms", Pass)
		}
		if a.Subject == SubjectReverse {
			v = w.verdict(a.Model, "reverse", Inconclusive)
		}
		e := Event{Kind: EventAdvance, Release: a.Release, Step: a.Step, Model: a.Model, Champion: a.Champion, Verdict: v,
			Decision: fmt.Sprintf("d%d", len(w.events)+1), Reason: "auc", Low: w.low[a.Model]}
		for _, b := range a.Batches {
			e.Batches = append(e.Batches, b.Batch)
		}
		w.add(e)
	case DoRoute, DoFinish:
		w.add(Event{Kind: EventRouting, Release: a.Release, Step: a.Step, Routing: a.Routing})
	case DoPromote:
		w.add(Event{Kind: EventPromote, Release: a.Release, Model: a.Model})
	case DoReject:
		w.add(Event{Kind: EventRejected, Release: a.Release, Model: a.Model, Reason: a.Reason})
	case DoRepublish:
		w.publish(a.Batch, a.Run, a.Model, nil)
	}
}

// settle does what comes next until there is nothing to do, and tells.
func (w *world) settle() {
	for range 100 {
		a := Next(w.state(), w.set, w.now)
		w.say("  %s", tell(a))
		if a.Kind == DoNothing || a.Kind == DoAsk {
			return
		}
		w.do(a)
	}
	w.say("  it never ends")
}

// tell writes an action on one line.
func tell(a Action) string {
	s := a.Kind
	switch a.Kind {
	case DoNothing:
		return s + ": " + a.WaitsFor
	case DoShadow:
		s += fmt.Sprintf(" %s with %s", a.Batch, strings.Join(a.Models, " "))
	case DoJudge:
		var names []string
		for _, b := range a.Batches {
			names = append(names, b.Batch)
		}
		s += fmt.Sprintf(" %s %s: %s against %s on %s, %d of %d", a.Step, a.Subject, a.Model, a.Champion, strings.Join(names, " "), a.Look, a.Looks)
	case DoAsk:
		s += fmt.Sprintf(" %s about %s by %s, %d of %d, until %s", a.Step, a.Model, a.Decision, len(a.Approved), a.Need, a.Until.Format(time.DateOnly))
	case DoRoute, DoFinish:
		s += " " + a.Step + ":"
		for _, arm := range a.Routing.Arms {
			s += fmt.Sprintf(" %s %s", arm.Model, StepName(arm.Share))
		}
		if a.Routing.Shadow != nil {
			s += ", shadow " + strings.Join(a.Routing.Shadow, " ")
		}
		if a.Kind == DoFinish {
			s += " (" + a.Release + ")"
		}
	case DoPromote:
		s += fmt.Sprintf(" %s instead of %s by %s", a.Model, a.Champion, a.Decision)
	case DoReject:
		s += fmt.Sprintf(" %s: %s", a.Model, a.Reason)
	case DoRepublish:
		s += fmt.Sprintf(" %s from %s", a.Batch, a.Model)
	}
	return s
}

// run plays one line of a script.
func (w *world) run(line string) error {
	f := strings.Fields(line)
	w.say("%s", line)
	s := w.state()
	arg := func(i int) string {
		if i < len(f) {
			return f[i]
		}
		return ""
	}
	switch f[0] {
	case "champion":
		w.add(Event{Kind: EventPromote, Model: f[1]})
	case "publish": // BATCH
		w.publish(f[1], "run/"+f[1], s.Champion, s.Routing)
	case "blocked": // BATCH: verdicts about candidates, but the month itself is blocked
		w.judgeRun(f[1], "run/"+f[1], s.Champion, s.Routing)
	case "pin", "commit": // a batch whose plan is made before other things happen
		return w.pinned(f)
	case "labels":
		for _, batch := range f[1:] {
			b := s.batches[batch]
			w.add(Event{Kind: EventEvaluated, Batch: batch, Run: b.run, Model: b.champion})
		}
	case "candidate": // RELEASE MODEL [LEARNED]
		if err := CheckCandidate(s, f[2]); err != nil {
			w.say("  refused: %v", err)
		}
		w.add(Event{Kind: EventCandidate, Release: f[1], Model: f[2], Batch: arg(3), By: "retrain"})
	case "gate": // MODEL STEP VERDICT
		w.gate[f[1]+" "+f[2]] = f[3]
		return nil
	case "low": // MODEL BOUND
		low, err := strconv.ParseFloat(f[2], 64)
		w.low[f[1]] = low
		return err
	case "days":
		n, err := strconv.Atoi(f[1])
		if err != nil {
			return err
		}
		w.now = w.now.AddDate(0, 0, n)
	case "approve", "reject": // WHO [RELEASE MODEL]
		w.answer(s, f)
	case "hold", "resume", "rollback": // [MODEL|-] [BATCH]
		model := strings.TrimPrefix(arg(1), "-")
		if err := CheckControl(s, w.set, f[0], model, arg(2), w.now); err != nil {
			w.say("  refused: %v", err)
			return nil
		}
		w.add(Event{Kind: EventControl, Control: f[0], Model: model, Batch: arg(2), By: "ops", Reason: "because", Paper: "paper"})
	default:
		return fmt.Errorf("unknown line %q", line)
	}
	w.settle()
	return nil
}

// pinned plays a batch whose plan is made at one time (pin BATCH) and published at
// another (commit BATCH).
func (w *world) pinned(f []string) error {
	key := "pin " + f[1]
	if f[0] == "pin" {
		w.gate[key] = fmt.Sprint(len(w.events))
		return nil
	}
	n, err := strconv.Atoi(w.gate[key])
	if err != nil {
		return err
	}
	then := Fold(w.events[:n])
	w.publish(f[1], "run/"+f[1], then.Champion, then.Routing)
	w.settle()
	return nil
}

func (w *world) answer(s *State, f []string) {
	a := Approval{Format: Format, Answer: f[0], By: f[1], Reason: "looked at it"}
	open := Questions(s, w.set, w.now)
	switch {
	case len(f) > 2:
		a.Release, a.Step, a.Model = f[2], StepShadow, f[3]
	case len(open) > 0:
		q := open[0]
		a.Release, a.Step, a.Model, a.Decision, a.Nonce = q.Release, q.Step, q.Model, q.Decision, q.Nonce
	case len(s.Releases) > 0:
		a.Release = s.Releases[len(s.Releases)-1].Name
	}
	e := Event{Kind: EventApproval, Release: a.Release, Step: a.Step, Model: a.Model, Decision: a.Decision, Answer: a.Answer, By: a.By, Reason: a.Reason}
	if err := CheckApproval(s, w.set, a, w.now); err != nil {
		w.say("  refused: %v", err)
		e.Answer = Refused
	}
	w.add(e)
}

func canary() Settings {
	return Settings{Strategy: StrategyCanary, Shadow: 3, Steps: []int{1000, Whole}, Batches: 1, Watch: 2, Extend: 2, OnFail: OnFailRollback, Expire: 7 * 24 * time.Hour}
}

func with(change func(*Settings)) Settings {
	set := canary()
	change(&set)
	return set
}

// strategies are the settings that stories and properties are told in.
var strategies = map[string]Settings{
	"canary":    canary(),
	"longer":    with(func(s *Settings) { s.Steps, s.Batches = []int{1000, 2500, Whole}, 2 }),
	"approve":   with(func(s *Settings) { s.Approve = []string{"10%", "100%"} }),
	"four eyes": with(func(s *Settings) { s.Approve, s.FourEyes = []string{"100%"}, true }),
	"pause":     with(func(s *Settings) { s.OnFail = OnFailPause }),
	"ask":       with(func(s *Settings) { s.OnFail, s.ActBy = OnFailAsk, 10*24*time.Hour }),
	"shadow":    with(func(s *Settings) { s.Strategy, s.Steps = StrategyShadow, nil }),
	"blueGreen": with(func(s *Settings) { s.Strategy, s.Steps = StrategyBlueGreen, nil }),
	"ab":        with(func(s *Settings) { s.Strategy, s.Steps, s.Batches = StrategyAB, []int{5000}, 2 }),
	"allAtOnce": with(func(s *Settings) { s.Strategy, s.Steps = StrategyAllAtOnce, nil }),
	"alone":     with(func(s *Settings) { s.Strategy, s.Steps, s.Shadow = StrategyAllAtOnce, nil, 0 }),
}

func settingsNames() []string {
	var names []string
	for name := range strategies {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
