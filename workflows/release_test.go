package workflows_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"go.temporal.io/sdk/workflow"

	"headgate/internal/registry"
	"headgate/internal/store"
	"headgate/workflows"
)

func TestAReleaseThatIsApproved(t *testing.T) {
	w := releasing(t, atOnce)
	before := w.champion()
	candidate := w.twinVersion(1)
	th := w.theatre()
	th.start(candidate)
	th.after(time.Hour, func() { th.yes("ann") })
	out := th.mustRun()
	if out.Champion != candidate || out.Outcome != "released" || w.champion() != candidate || before == candidate {
		t.Errorf("%+v, champion %s", out, w.champion())
	}
	want := []string{"promote", "candidate", "routing shadow", "approval approve", "promote", "routing watch", "routing done"}
	if got := w.happened(); !slices.Equal(got, want) {
		t.Errorf("entries %q\nwant    %q", got, want)
	}
	th.said[1].mustHear(t, "")
}

func TestAReleaseThatIsRejected(t *testing.T) {
	w := releasing(t, atOnce)
	before := w.champion()
	candidate := w.twinVersion(1)
	th := w.theatre()
	th.start(candidate)
	th.after(time.Hour, func() {
		th.tell(workflows.UpdateReject, workflows.ReleaseAnswer{By: "bob", Reason: "not now"})
	})
	out := th.mustRun()
	if out.Champion != before || out.Outcome != "rejected" {
		t.Errorf("%+v", out)
	}
	if state := w.registry().State(); state.Rejected[candidate] != "bob rejected it: not now" {
		t.Errorf("rejected %v", state.Rejected)
	}
	th.said[1].mustHear(t, "")
}

// Whoever may not answer, or answers something else, hears why, and it is recorded.
func TestAnswersThatDoNotCount(t *testing.T) {
	const people = `    people:
      - { name: ann, roles: [owner] }
      - { name: bob, roles: [intern] }
      - { name: eve, roles: [owner] }
    role: owner
    expire: 48h
`
	for _, tt := range []struct {
		name     string
		settings string
		answers  func(th *theatre) []func() // one a minute, from an hour after the start on
		want     []string                   // what each hears; "" counts
		outcome  string
	}{
		{name: "an answer to another verdict is stale", settings: people, want: []string{"the latest is", ""}, outcome: "released",
			answers: func(th *theatre) []func() {
				return []func(){func() {
					stale := th.answer("ann")
					stale.Decision = string(store.DigestOf([]byte("another")))
					th.tell(workflows.UpdateApprove, stale)
				}, yes(th, "ann")}
			}},
		{name: "an answer to another question is stale", settings: people, want: []string{"another question", ""}, outcome: "released",
			answers: func(th *theatre) []func() {
				return []func(){func() {
					stale := th.answer("ann")
					stale.Nonce = "0123456789abcdef"
					th.tell(workflows.UpdateApprove, stale)
				}, yes(th, "ann")}
			}},
		{name: "who is not on the list may not answer", settings: people, want: []string{"mallory is not among", ""}, outcome: "released",
			answers: func(th *theatre) []func() { return []func(){yes(th, "mallory"), yes(th, "ann")} }},
		{name: "who has another role may not answer", settings: people, want: []string{"bob does not have the role owner", ""}, outcome: "released",
			answers: func(th *theatre) []func() { return []func(){yes(th, "bob"), yes(th, "ann")} }},
		{name: "an answer that has run out does not count", settings: people, want: []string{"the answer counted until", ""}, outcome: "released",
			answers: func(th *theatre) []func() {
				return []func(){func() {
					old := th.answer("ann")
					old.Expires = th.env.Now().Add(-time.Minute)
					th.tell(workflows.UpdateApprove, old)
				}, yes(th, "ann")}
			}},
		{name: "an answer without a signature does not count where one is asked for", want: []string{"is not signed", "does not fit", ""}, outcome: "rejected",
			settings: strings.Replace(people, "name: ann,", "name: ann, key: "+publicKey+",", 1) + "    signed: true\n",
			answers: func(th *theatre) []func() {
				return []func(){yes(th, "ann"), func() {
					forged := th.signed("ann")
					forged.Reason = "never"
					th.tell(workflows.UpdateReject, forged)
				}, func() { th.tell(workflows.UpdateReject, th.signed("ann")) }}
			}},
		{name: "four eyes are two persons, and not who asked for it", want: []string{"four eyes are needed", "", "has approved this already", ""}, outcome: "released",
			settings: strings.Replace(people, "bob, roles: [intern]", "bob, roles: [owner]", 1) + "    fourEyes: true\n",
			answers: func(th *theatre) []func() {
				return []func(){yes(th, "eve"), yes(th, "ann"), yes(th, "ann"), yes(th, "bob")}
			}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := releasing(t, atOnce+tt.settings)
			th := w.theatre()
			th.start(w.twinVersion(1))
			for i, do := range tt.answers(th) {
				th.after(time.Hour+time.Duration(i)*time.Minute, do)
			}
			if out := th.mustRun(); out.Outcome != tt.outcome {
				t.Errorf("%+v", out)
			}
			refused := 0
			for i, want := range tt.want {
				th.said[i+1].mustHear(t, want)
				if want != "" {
					refused++
				}
			}
			if n := w.refusals(); n != refused || len(th.said) != len(tt.want)+1 {
				t.Errorf("%d refusals in the registry, want %d", n, refused)
			}
		})
	}
}

func yes(th *theatre, by string) func() { return func() { th.yes(by) } }

// Of two answers that arrive at once one counts, and the other hears that nothing is
// asked any more.
func TestTheSameAnswerTwice(t *testing.T) {
	w := releasing(t, atOnce)
	th := w.theatre()
	th.start(w.twinVersion(1))
	th.after(time.Hour, func() {
		twice := th.answer("ann")
		th.tell(workflows.UpdateApprove, twice)
		th.tell(workflows.UpdateApprove, twice)
	})
	th.mustRun()
	counted, late := th.said[1], th.said[2]
	if counted.err != nil {
		counted, late = late, counted
	}
	counted.mustHear(t, "")
	late.mustHear(t, "nothing is asked about release")
	if n := w.refusals(); n != 1 {
		t.Errorf("%d refusals", n)
	}
}

// refusals counts the answers that did not count and are recorded with why.
func (w *world) refusals() int {
	n := 0
	for _, e := range w.registry().Of(registry.KindApproval) {
		if e.Answer == registry.AnswerRefused && len(e.Reasons) == 1 {
			n++
		}
	}
	return n
}

// What has not the right shape leaves no trace.
func TestWhatIsNotWholeIsRefusedWithoutATrace(t *testing.T) {
	w := releasing(t, atOnce)
	th := w.theatre()
	th.start(w.twinVersion(1))
	th.after(time.Hour, func() {
		good := th.answer("ann")
		with := func(change func(*workflows.ReleaseAnswer)) workflows.ReleaseAnswer {
			a := good
			change(&a)
			return a
		}
		th.tell(workflows.UpdateApprove, with(func(a *workflows.ReleaseAnswer) { a.By = "" }))
		th.tell(workflows.UpdateApprove, with(func(a *workflows.ReleaseAnswer) { a.Reason = " " }))
		th.tell(workflows.UpdateApprove, with(func(a *workflows.ReleaseAnswer) { a.Nonce = "" }))
		th.tell(workflows.UpdateApprove, with(func(a *workflows.ReleaseAnswer) { a.Decision = "" }))
		th.tell(workflows.UpdateApprove, with(func(a *workflows.ReleaseAnswer) { a.By = "ann\n| Champion | mine |" }))
		th.tell(workflows.UpdateReject, with(func(a *workflows.ReleaseAnswer) { a.Signature = strings.Repeat("A", 1<<20) }))
		th.tell(workflows.UpdateHold, workflows.Word{By: "ann"})
		th.tell(workflows.UpdateRetryNow, workflows.RetryNow{By: "ann"})
		th.tell(workflows.UpdateRetryNow, workflows.RetryNow{By: "ann", Reason: "why not", Shard: new(int)})
		th.tell(workflows.UpdateStart, workflows.ReleaseStart{By: "ann", Reason: "why not"})
		th.tell(workflows.UpdateRollback, workflows.ReleaseRollback{By: "ann", Reason: "why not", To: strings.Repeat("1", 1000)})
	})
	th.after(2*time.Hour, func() { th.yes("ann") })
	th.mustRun()
	for _, s := range th.said[1 : len(th.said)-1] {
		if s.err == nil || s.accepted {
			t.Errorf("%s: %+v", s.update, s)
		}
	}
	th.said[len(th.said)-1].mustHear(t, "")
	if got := w.registry().Of(registry.KindApproval, registry.KindControl); len(got) != 1 {
		t.Errorf("entries %+v", got)
	}
}

func TestHoldAndResume(t *testing.T) {
	w := releasing(t, atOnce)
	candidate := w.twinVersion(1)
	th := w.theatre()
	th.start(candidate)
	order := workflows.Word{By: "ann", Reason: "the shop has a sale"}
	th.after(time.Hour, func() { th.tell(workflows.UpdateHold, order) })
	th.after(2*time.Hour, func() {
		if card := th.card(); card.Held != "ann: the shop has a sale" {
			t.Errorf("card %+v", card)
		}
		th.tell(workflows.UpdateHold, order)
	})
	th.after(3*time.Hour, func() {
		th.tell(workflows.UpdateApprove, workflows.ReleaseAnswer{By: "ann", Reason: "good", Decision: "0123456789", Nonce: "0123"})
	})
	th.after(30*24*time.Hour, func() { th.tell(workflows.UpdateResume, order) })
	th.after(31*24*time.Hour, func() { th.tell(workflows.UpdateResume, order) })
	th.after(32*24*time.Hour, func() { th.yes("ann") })
	if out := th.mustRun(); out.Champion != candidate {
		t.Errorf("%+v", out)
	}
	for i, want := range []string{"", "", "holds already", "holds all releases", "", "nothing waits for a resume", ""} {
		th.said[i].mustHear(t, want)
	}
}

func TestAQuestionThatNobodyAnswersWaitsForAResume(t *testing.T) {
	w := releasing(t, atOnce+"    expire: 48h\n")
	candidate := w.twinVersion(1)
	th := w.theatre()
	th.start(candidate)
	var late workflows.ReleaseAnswer
	th.after(time.Hour, func() { late = th.answer("ann") })
	th.after(72*time.Hour, func() {
		if card := th.card(); !card.Next.Stopped || card.Stage != "Wait" {
			t.Errorf("card %+v", card)
		}
		th.tell(workflows.UpdateApprove, late)
	})
	th.after(73*time.Hour, func() {
		th.tell(workflows.UpdateResume, workflows.Word{By: "ann", Reason: "back from holiday"})
	})
	th.after(74*time.Hour, func() { th.tell(workflows.UpdateApprove, late) }) // the question is a new one
	th.after(75*time.Hour, func() { th.yes("ann") })
	if out := th.mustRun(); out.Champion != candidate {
		t.Errorf("%+v", out)
	}
	for i, want := range []string{"", "nothing is asked", "", "another question", ""} {
		th.said[i].mustHear(t, want)
	}
}

func TestAStartThatCannotBe(t *testing.T) {
	w := releasing(t, atOnce)
	candidate := w.twinVersion(1)
	th := w.theatre()
	th.start(candidate)
	start := func(model string) {
		th.tell(workflows.UpdateStart, workflows.ReleaseStart{Model: model, By: "ann", Reason: "why not"})
	}
	th.after(time.Hour, func() {
		start(string(w.champion()))
		start(string(candidate)[7:17])
		start("sha256:0000000000000000")
		start("1234")
	})
	th.after(2*time.Hour, func() { th.yes("ann") })
	th.mustRun()
	for i, want := range []string{"", "is the champion already", "is a candidate of release", "0 registered models", "too short", ""} {
		th.said[i].mustHear(t, want)
	}
	if n := len(w.registry().Of(registry.KindCandidate)); n != 1 {
		t.Errorf("%d candidates", n)
	}
}

func TestRollbackAfterARelease(t *testing.T) {
	for _, tt := range []struct {
		name string
		back func(before store.Digest, entry string) workflows.ReleaseRollback
	}{
		{"to the champion before", func(store.Digest, string) workflows.ReleaseRollback { return workflows.ReleaseRollback{} }},
		{"to a digest", func(before store.Digest, _ string) workflows.ReleaseRollback {
			return workflows.ReleaseRollback{To: string(before)[7:20]}
		}},
		{"to the champion at an entry", func(_ store.Digest, entry string) workflows.ReleaseRollback {
			return workflows.ReleaseRollback{To: entry}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := releasing(t, atOnce)
			before, candidate := w.champion(), w.twinVersion(1)
			entry := w.registry().Anchor()
			entry, _, _ = strings.Cut(entry, ":")
			first := w.theatre()
			first.start(candidate)
			first.after(time.Hour, func() { first.yes("ann") })
			first.mustRun()

			second := w.theatre()
			second.after(0, func() {
				b := tt.back(before, entry)
				b.By, b.Reason = "ann", "odd scores"
				second.tell(workflows.UpdateRollback, b)
			})
			out := second.mustRun()
			second.said[0].mustHear(t, "")
			if state := w.registry().State(); out.Champion != before || state.Champion() != before || state.Rejected[candidate] == "" {
				t.Errorf("%+v, rejected %v", out, state.Rejected)
			}
			want := []string{"control rollback", "promote", "rejected", "routing rollback"}
			if got := w.happened(); !slices.Equal(got[len(got)-4:], want) {
				t.Errorf("entries %q", got)
			}
		})
	}
}

func TestARollbackThatCannotBe(t *testing.T) {
	w := releasing(t, atOnce)
	stranger := w.twinVersion(1)
	th := w.theatre()
	back := func(to, batch string) {
		th.tell(workflows.UpdateRollback, workflows.ReleaseRollback{To: to, Batch: batch, By: "ann", Reason: "odd scores"})
	}
	th.after(0, func() {
		back("", "")
		back(string(stranger), "")
		back("9999", "")
		back("1", "")
		back("", "2024-01")
	})
	th.mustRun()
	for i, want := range []string{"no champion before", "never was the champion", "has no entry 9999", "no champion yet at entry 1", "was never published"} {
		th.said[i].mustHear(t, want)
	}
	if got := w.registry().Of(registry.KindControl); len(got) > 0 {
		t.Errorf("entries %+v", got)
	}
}

// A long history is cut: the next run knows what it needs from the registry.
func TestAReleaseContinuesAsNew(t *testing.T) {
	w := releasing(t, atOnce)
	candidate := w.twinVersion(1)
	first := w.theatre()
	first.start(candidate)
	first.after(30*time.Minute, func() {
		first.env.SetContinueAsNewSuggested(true)
		first.tell(workflows.UpdateHold, workflows.Word{By: "ann", Reason: "the shop has a sale"})
	})
	if _, err := first.run(); !workflow.IsContinueAsNewError(err) {
		t.Fatalf("err = %v", err)
	}
	first.said[1].mustHear(t, "")
	second := w.theatre()
	second.after(time.Hour, func() {
		if card := second.card(); card.Held == "" {
			t.Errorf("card %s", asJSON(t, card))
		}
		second.tell(workflows.UpdateResume, workflows.Word{By: "ann", Reason: "the sale is over"})
	})
	second.after(2*time.Hour, func() { second.yes("ann") })
	if out := second.mustRun(); out.Champion != candidate {
		t.Errorf("%+v", out)
	}
}
