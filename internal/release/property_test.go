package release

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestNothingServesWithoutEvidence plays random lives of a pipeline under every strategy:
// verdicts, labels in any order, answers, holds, rollbacks, batches planned long before
// they come out, champions changed by hand. Whatever Next says is held against the log
// by rules that are written down here once more, without Next's code.
func TestNothingServesWithoutEvidence(t *testing.T) {
	done := map[string]int{}
	for _, name := range settingsNames() {
		for seed := range uint64(20) {
			l := &life{world: newWorld(strategies[name]), rand: rand.New(rand.NewPCG(seed, 7)), t: t, done: done}
			l.add(Event{Kind: EventPromote, Model: "m0"})
			for range 60 {
				l.something()
				l.act(l.rand.IntN(12))
			}
			if l.act(200); t.Failed() {
				t.Fatalf("settings %s, seed %d:\n%s", name, seed, strings.Join(l.lines[max(0, len(l.lines)-60):], "\n"))
			}
		}
	}
	for _, kind := range []string{DoShadow, DoJudge, DoAsk, DoRoute, DoPromote, DoReject, DoRepublish, DoFinish, "back"} {
		if done[kind] < 20 {
			t.Errorf("%s happened %d times: these lives prove little", kind, done[kind])
		}
	}
}

// A life is a world to which things happen.
type life struct {
	*world
	rand  *rand.Rand
	t     *testing.T
	done  map[string]int
	month int
	made  int
	pins  []pin
}

type pin struct {
	batch, champion string
	routing         *Routing
}

func pick[T any](l *life, list ...T) T { return list[l.rand.IntN(len(list))] }

// something happens to the pipeline.
func (l *life) something() {
	s := l.state()
	switch n := l.rand.IntN(20); {
	case n < 4: // a batch
		l.month++
		p := pin{fmt.Sprintf("%04d-%02d", 2020+l.month/12, l.month%12+1), s.Champion, s.Routing}
		if l.pins = append(l.pins, p); l.rand.IntN(4) > 0 {
			l.commit()
		}
	case n < 6:
		l.commit()
	case n < 10: // labels, in any order
		for _, name := range s.names {
			if b := s.batches[name]; b.number > 0 && l.rand.IntN(2) == 0 {
				l.add(Event{Kind: EventEvaluated, Batch: name, Run: b.run, Model: b.champion})
			}
		}
	case n < 13:
		l.made++
		learned := ""
		if len(s.names) > 0 && l.rand.IntN(5) > 0 {
			learned = s.names[max(0, len(s.names)-1-l.rand.IntN(4))]
		}
		l.add(Event{Kind: EventCandidate, Release: fmt.Sprintf("r%d", l.made/2), Model: fmt.Sprintf("m%d", l.made), Batch: learned, By: "retrain"})
	case n < 16:
		l.say2(pick(l, Approve, Approve, Approve, Reject))
	case n < 18:
		control := pick(l, Hold, Resume, Resume, Rollback)
		model, batch := "", ""
		if control == Rollback && l.rand.IntN(2) == 0 && l.month > 0 {
			model, batch = pick(l, s.Champions...).Model, pick(l, append(s.names, "")...)
		}
		if CheckControl(s, l.set, control, model, batch, l.now) == nil {
			l.add(Event{Kind: EventControl, Control: control, Model: model, Batch: batch, By: "ops", Paper: "paper"})
		}
	case n < 19:
		l.now = l.now.AddDate(0, 0, l.rand.IntN(15))
	default:
		if l.made > 0 && l.rand.IntN(4) == 0 {
			if m := fmt.Sprintf("m%d", l.rand.IntN(l.made)); s.Rejected[m].Seq == 0 {
				l.add(Event{Kind: EventPromote, Model: m})
			}
		}
	}
}

// commit publishes a batch that was planned some time ago.
func (l *life) commit() {
	if len(l.pins) == 0 {
		return
	}
	p := l.pins[0]
	l.pins = l.pins[1:]
	if p.routing != nil {
		for _, arm := range p.routing.Arms[1:] {
			l.gate[arm.Model+" "+p.routing.Step] = pick(l, Pass, Pass, Pass, Pass, Block, Inconclusive, Ask)
		}
	}
	l.publish(p.batch, "run/"+p.batch, p.champion, p.routing)
}

// say2 answers a question, mostly as it should be answered.
func (l *life) say2(answer string) {
	s := l.state()
	for _, q := range Questions(s, l.set, l.now) {
		a := Approval{Format: Format, Release: q.Release, Step: q.Step, Model: q.Model, Decision: q.Decision, Nonce: q.Nonce, Answer: answer,
			By: pick(l, "ann", "bob", "retrain"), Reason: "so"}
		switch l.rand.IntN(10) {
		case 0:
			a.Decision = "other"
		case 1:
			a.Nonce = "other"
		}
		err := CheckApproval(s, l.set, a, l.now)
		if err == nil && a.Answer == Approve && (a.Decision == "other" || a.Nonce == "other") {
			l.t.Errorf("an answer to another question counts: %+v", a)
		}
		e := Event{Kind: EventApproval, Release: a.Release, Step: a.Step, Model: a.Model, Decision: a.Decision, Answer: a.Answer, By: a.By}
		if err != nil {
			e.Answer = Refused
		}
		l.add(e)
	}
}

// act does some of what Next says, and checks each step first.
func (l *life) act(most int) {
	for range most {
		s := l.state()
		a := Next(s, l.set, l.now)
		if again := Next(l.state(), l.set, l.now); !reflect.DeepEqual(a, again) {
			l.t.Fatalf("two answers: %+v and %+v", a, again)
		}
		l.say("%d %s", s.Seq, tell(a))
		l.done[a.Kind]++
		l.check(s, a)
		if a.Kind == DoNothing || a.Kind == DoAsk {
			return
		}
		if a.Kind == DoJudge {
			l.gate[a.Model+" "+a.Step] = pick(l, Pass, Pass, Pass, Block, Inconclusive, Ask)
			l.gate[a.Model+" arms"] = pick(l, Pass, Pass, Block, Inconclusive)
			l.gate[a.Model+" reverse"] = pick(l, Block, Inconclusive, Inconclusive, Pass)
			l.low[a.Model] = l.rand.Float64()
		}
		l.do(a)
	}
	if most > 100 {
		l.t.Errorf("it never ends")
	}
}

func (l *life) check(s *State, a Action) {
	bad := func(format string, args ...any) {
		l.t.Errorf("%s: %s", tell(a), fmt.Sprintf(format, args...))
	}
	switch a.Kind {
	case DoReject:
		if a.Model == s.Champion || s.Rejected[a.Model].Seq > 0 {
			bad("it is the champion, or was rejected")
		}
	case DoJudge:
		l.checkEvidence(s, a, bad)
	case DoPromote:
		if s.Rejected[a.Model].Seq > 0 {
			bad("it was rejected: %v", s.Rejected[a.Model])
		}
		if a.back() {
			l.done["back"]++
			if !slices.ContainsFunc(s.Champions, func(p Promotion) bool { return p.Model == a.Model }) {
				bad("it never was the champion")
			}
			return
		}
		if s.Held != nil {
			bad("held")
		}
		l.checkWay(a.Release, a.Model, s.Champion, StepFull, bad)
	case DoRoute, DoFinish:
		l.checkRouting(s, a, bad)
	}
}

// checkEvidence: batches are published, labelled, scored by both, and later than what the
// candidate has learned from.
func (l *life) checkEvidence(s *State, a Action, bad func(string, ...any)) {
	model := a.Model
	if a.Subject == SubjectReverse {
		model = a.Champion
	}
	c := s.Release(a.Release).candidate(model)
	for _, b := range a.Batches {
		published, labelled := false, false
		scored := map[string]bool{}
		for _, e := range l.events {
			if e.Batch != b.Batch || e.Run != b.Run {
				continue
			}
			published = published || e.Kind == EventPublished && e.At.After(c.At)
			labelled = labelled || e.Kind == EventEvaluated
			scored[e.Model] = scored[e.Model] || e.Kind == EventPublished || e.Kind == EventShadow && e.Verdict == ""
		}
		if b.Batch <= c.Learned || c.Learned == "" && !published || !labelled || !scored[a.Model] || !scored[a.Champion] {
			bad("batch %s is no evidence about a candidate that learned until %q", b.Batch, c.Learned)
		}
	}
	if a.Look != len(a.Batches) || a.Look < 1 || a.Look > a.Looks {
		bad("look %d of %d", a.Look, a.Looks)
	}
}

// checkRouting: whoever serves may, and a share that grows has its reasons.
func (l *life) checkRouting(s *State, a Action, bad func(string, ...any)) {
	if err := a.Routing.Check(); err != nil {
		bad("%v", err)
	}
	if a.Routing.Arms[0].Model != s.Champion {
		bad("the champion is %s", s.Champion)
	}
	for _, arm := range a.Routing.Arms[1:] {
		if s.Rejected[arm.Model].Seq > 0 {
			bad("%s was rejected", arm.Model)
		}
		if s.Routing != nil && s.Routing.Arms[0].Model == s.Champion && arm.Share <= s.Routing.share(arm.Model) {
			continue
		}
		if s.Held != nil {
			bad("held")
		}
		l.checkWay(a.Routing.Release, arm.Model, s.Champion, a.Routing.Step, bad)
	}
}

// checkWay: a candidate that enters a step has the verdicts of all steps before, against
// this champion, and the approvals of all steps up to it.
func (l *life) checkWay(release, model, champion, target string, bad func(string, ...any)) {
	steps, err := Plan(l.set)
	if err != nil {
		l.t.Fatal(err)
	}
	for i, step := range steps {
		if i > 0 && (step.Approve && !l.saidYes(release, model, step.Name, "")) {
			bad("nobody approved %s", step.Name)
		}
		if step.Name == target {
			return
		}
		next := steps[i+1].Name
		passes := map[string]bool{}
		labelled := false
		for _, e := range l.events {
			if e.Kind != EventAdvance || e.Release != release || e.Model != model || e.Step != step.Name || e.Champion != champion {
				continue
			}
			ok := e.Verdict == Pass || l.saidYes(release, model, next, e.Decision) || e.Verdict != Block && l.saidYes(release, model, step.Name, e.Decision)
			switch {
			case !ok:
			case e.Batch == "":
				labelled = true
			case slices.ContainsFunc(l.events, func(p Event) bool { return p.Kind == EventPublished && p.Batch == e.Batch && p.Run == e.Run }):
				passes[e.Batch] = true
			}
		}
		if step.Labels && !labelled && step.Batches > 0 {
			bad("no verdict on labels of step %s", step.Name)
		}
		if step.Name != StepShadow && len(passes) < step.Batches {
			bad("%d of %d batches of step %s", len(passes), step.Batches, step.Name)
		}
	}
	bad("the plan has no step %s", target)
}

// saidYes reports whether as many persons as are needed approved a step, by a decision if
// one is given.
func (l *life) saidYes(release, model, step, decision string) bool {
	who := map[string]map[string]bool{}
	for _, e := range l.events {
		if e.Kind == EventApproval && e.Answer == Approve && e.Release == release && e.Model == model && e.Step == step &&
			(decision == "" || e.Decision == decision) && !(l.set.FourEyes && e.By == "retrain") {
			if who[e.Decision] == nil {
				who[e.Decision] = map[string]bool{}
			}
			who[e.Decision][e.By] = true
		}
	}
	need := 1
	if l.set.FourEyes {
		need = 2
	}
	for _, names := range who {
		if len(names) >= need {
			return true
		}
	}
	return false
}

// garbage returns events that need not make sense, by bytes.
func garbage(data []byte) []Event {
	at := func(i int, list ...string) string {
		if i >= len(data) {
			return list[0]
		}
		return list[int(data[i])%len(list)]
	}
	models := []string{"", "a", "b", "c"}
	var events []Event
	for len(data) >= 8 {
		e := Event{Seq: int64(len(events) + 1), At: time.Unix(int64(len(events))*3600, 0),
			Kind: at(0, EventPublished, EventRestored, EventShadow, EventEvaluated, EventCandidate, EventAdvance, EventApproval, EventRouting,
				EventPromote, EventRejected, EventControl, "waiver"),
			Batch: at(1, "", "2024-01", "2024-02", "2024-03"), Run: at(1, "", "x", "y"), Model: at(2, models...), Release: at(3, "", "r", "s"),
			Step: at(4, StepShadow, "10%", StepFull, StepWatch, StepDone, "republish 2024-01"), Verdict: at(5, "", Pass, Block, Inconclusive, Ask),
			Answer: at(5, Approve, Reject, Refused), Control: at(5, Hold, Resume, Rollback), Publication: int64(data[6] % 4),
			Champion: at(6, models...), Decision: at(7, "", "d", "e"), By: at(7, "ann", "bob")}
		if data[7]%3 == 0 {
			e.Batches = []string{"2024-02"}
		}
		if data[7]%2 == 0 {
			e.Routing = &Routing{Format: Format, Release: e.Release, Step: e.Step, Salt: "s", Arms: []Arm{{e.Model, 9000}, {e.Champion, 1000}}}
		}
		events = append(events, e)
		data = data[8:]
	}
	return events
}

func FuzzNext(f *testing.F) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		data := make([]byte, 400)
		for i := range data {
			data[i] = byte(random.IntN(256))
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s := Fold(garbage(data))
		for _, name := range settingsNames() {
			now := time.Unix(1e6, 0)
			a := Next(s, strategies[name], now)
			if a.Kind == DoPromote && s.Rejected[a.Model].Seq > 0 {
				t.Errorf("%s: promotes a rejected model", name)
			}
			if a.Kind == DoReject && a.Model == s.Champion {
				t.Errorf("%s: rejects the champion", name)
			}
			if a.Routing != nil && a.Routing.Check() != nil {
				t.Errorf("%s: %v", name, a.Routing.Check())
			}
			Questions(s, strategies[name], now)
			if CheckControl(s, strategies[name], Rollback, "a", "2024-01", now) == nil && s.Champion == "" {
				t.Errorf("%s: rolls back to nothing", name)
			}
		}
	})
}

// TestNextIsCheap folds a log of many years: it must not take time that grows with the
// square of it. The bound is on allocations, which do not depend on the machine.
func TestNextIsCheap(t *testing.T) {
	per := func(months int) float64 {
		w := newWorld(canary())
		w.add(Event{Kind: EventPromote, Model: "m0"})
		for i := range months {
			name := fmt.Sprintf("%05d", i)
			w.publish(name, "run/"+name, "m0", nil)
			w.add(Event{Kind: EventEvaluated, Batch: name, Run: "run/" + name, Model: "m0"})
		}
		w.add(Event{Kind: EventCandidate, Release: "r", Model: "m1", Batch: "00001"})
		return testing.AllocsPerRun(3, func() { Next(w.state(), w.set, w.now) }) / float64(months)
	}
	if few, many := per(100), per(2000); many > 2*few {
		t.Errorf("%g allocations a month with 2000 months, %g with 100", many, few)
	}
}
