package registry

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"headgate/internal/store"
)

// everything is a log with an entry of each kind.
func everything() []Entry { return slices.Concat(story(), loop(), calendars()) }

// loop is what a release adds to the story.
func loop() []Entry {
	entry := func(kind, id string, fill func(e *Entry)) Entry {
		e := Entry{Kind: kind, ID: id, At: noon, By: "test"}
		fill(&e)
		return e
	}
	next := digest("next model")
	step := func(e *Entry) { e.Release, e.Step, e.Model, e.Paper = "2024-01/retrain", "10%", next, digest(e.ID) }
	return []Entry{
		entry(KindTraining, "training", func(e *Entry) { e.Batch, e.Verdict, e.Paper = "2024-01", VerdictPass, digest("evidence") }),
		entry(KindRegister, "register next", func(e *Entry) { e.Model = next }),
		entry(KindCandidate, "candidate", func(e *Entry) { e.Release, e.Model, e.Batch = "2024-01/retrain", next, "2024-01" }),
		entry(KindShadow, "shadow", func(e *Entry) { e.Batch, e.Run, e.Model, e.Paper = "2024-02", digest("run 2"), next, digest("scores") }),
		entry(KindEvaluated, "evaluated", func(e *Entry) {
			e.Batch, e.Run, e.Model, e.Labels, e.Paper = "2024-02", digest("run 2"), digest("model"), digest("labels"), digest("evaluation")
		}),
		entry(KindAdvance, "advance", func(e *Entry) { step(e); e.Verdict = VerdictPass }),
		entry(KindApproval, "approval", func(e *Entry) { step(e); e.Answer = AnswerApprove }),
		entry(KindRouting, "routing", step),
		entry(KindControl, "control", func(e *Entry) { e.Control, e.Reason = ControlHold, "the shop has a sale" }),
		entry(KindWaiver, "waiver", func(e *Entry) { e.Rule, e.Until, e.Reason = "slice/app", at(noon.AddDate(0, 1, 0)), "known" }),
		entry(KindRejected, "rejected", func(e *Entry) { e.Model, e.Reason = next, "it turned bad" }),
		entry(KindProposal, "proposal", func(e *Entry) {
			e.Pipeline, e.Contract, e.Paper = digest("pipeline.yaml 2"), digest("contract.yaml"), digest("change")
		}),
		entry(KindSkipped, "skipped", func(e *Entry) {
			e.Batch, e.Run, e.Paper, e.Reason = "2024-02", digest("run 2"), digest("skip"), "its bytes are damaged"
		}),
	}
}

func TestTheStoriesHaveEveryKind(t *testing.T) {
	told := map[string]bool{}
	for _, e := range everything() {
		told[e.Kind] = true
	}
	for kind := range kinds {
		if !told[kind] {
			t.Errorf("no entry of kind %s", kind)
		}
	}
}

func TestStateOfARelease(t *testing.T) {
	l := load(t, memory(t))
	for _, e := range slices.Concat(story(), loop()) {
		appendTo(t, l, e)
	}
	s := l.State()
	if s.Champion() != digest("model") || s.Routing != digest("routing") || s.Rejected[digest("next model")] != "it turned bad" || len(s.Rejected) != 1 {
		t.Errorf("champion %s, routing %s, rejected %v", s.Champion(), s.Routing, s.Rejected)
	}
	if len(s.Batches) != 1 || s.Batches["2024-01"].Seq != 6 {
		t.Errorf("batches %+v: training, shadow and evaluation change no batch", s.Batches)
	}
	if len(s.Proposals) != 1 || s.Proposals[0].ID != "proposal" {
		t.Errorf("proposals %+v", s.Proposals)
	}
	for at, want := range map[time.Time]int{noon.Add(-1): 0, noon: 1, noon.AddDate(0, 1, 0).Add(-1): 1, noon.AddDate(0, 1, 0): 0} {
		if got := s.WaiversAt(at); len(got) != want || len(s.Waivers) != 1 {
			t.Errorf("%d of %d waivers hold at %s, want %d", len(got), len(s.Waivers), at, want)
		}
	}
	if got := l.Of(KindRegister, KindRouting); len(got) != 3 || got[0].ID != "register" || got[1].ID != "register next" || got[2].ID != "routing" {
		t.Errorf("Of = %+v", got)
	}
	s.Rejected[digest("model")], s.Proposals[0].ID = "changed", "changed"
	if again := l.State(); len(again.Rejected) != 1 || again.Proposals[0].ID != "proposal" {
		t.Error("the caller can change the log's state")
	}
}

func TestBasisIsThatOfTheAliasesUntilThereIsARelease(t *testing.T) {
	l := load(t, memory(t))
	for _, e := range story() {
		appendTo(t, l, e)
	}
	want := store.DigestOf(fmt.Appendf(nil, `{"aliases":{"champion":"%s"}}`+"\n", digest("model")))
	for _, e := range loop() {
		if l.Basis() != want {
			t.Fatalf("before %s the basis is %s, want %s", e.ID, l.Basis(), want)
		}
		appendTo(t, l, e)
		switch e.Kind {
		case KindRouting:
			want = store.DigestOf(fmt.Appendf(nil, `{"aliases":{"champion":"%s"},"routing":"%s"}`+"\n", digest("model"), digest("routing")))
		case KindRejected:
			want = store.DigestOf(fmt.Appendf(nil, `{"aliases":{"champion":"%s"},"routing":"%s","rejected":["%s"]}`+"\n",
				digest("model"), digest("routing"), digest("next model")))
		}
	}
	if l.Basis() != want {
		t.Errorf("the basis is %s, want %s", l.Basis(), want)
	}
}

func TestARejectedModelIsNotPromoted(t *testing.T) {
	l := load(t, memory(t))
	for _, e := range everything() {
		appendTo(t, l, e)
	}
	e := story()[2]
	e.ID, e.Model, e.Decision = "promote", digest("next model"), digest("decision")
	if _, err := l.Append(ctx, e); !errors.Is(err, ErrRejected) || !strings.Contains(err.Error(), "it turned bad") {
		t.Errorf("Append: %v", err)
	}
	unknown := loop()[2]
	unknown.ID, unknown.Model = "another candidate", digest("never registered")
	if _, err := l.Append(ctx, unknown); !errors.Is(err, ErrUnknownModel) {
		t.Errorf("a candidate that was never registered: %v", err)
	}
}

func TestAProposalIsCarriedOutOnceAndBySomebodyElse(t *testing.T) {
	l := load(t, memory(t))
	for _, e := range everything() {
		appendTo(t, l, e)
	}
	proposal := l.State().Proposals[0]
	good := Entry{Kind: KindPipeline, ID: "carried out", At: noon, By: "another", Proposal: proposal.Seq,
		Pipeline: proposal.Pipeline, Contract: proposal.Contract, Paper: proposal.Paper}
	for _, tt := range []struct {
		name, want string
		edit       func(e *Entry)
	}{
		{"by whoever made it", "test made it", func(e *Entry) { e.By = "test" }},
		{"with another file", "it is about other files", func(e *Entry) { e.Pipeline = digest("a third") }},
		{"with a contract of the scores", "it is about other files", func(e *Entry) { e.Output = digest("a third") }},
		{"with another difference", "it is about other files", func(e *Entry) { e.Paper = digest("a third") }},
		{"of another number", "no such proposal waits", func(e *Entry) { e.Proposal-- }},
	} {
		e := good
		tt.edit(&e)
		if _, err := l.Append(ctx, e); !errors.Is(err, ErrProposal) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	appendTo(t, l, good)
	if s := l.State(); s.Pipeline != proposal.Pipeline || len(s.Proposals) != 0 {
		t.Errorf("pipeline %s, proposals %v", s.Pipeline, s.Proposals)
	}
	good.ID = "again"
	if _, err := l.Append(ctx, good); !errors.Is(err, ErrProposal) {
		t.Errorf("a second time: %v", err)
	}
}

func TestAnotherChangeOfTheFilesSettlesAProposal(t *testing.T) {
	l := load(t, memory(t))
	for _, e := range everything() {
		appendTo(t, l, e)
	}
	change := story()[0]
	change.ID, change.Pipeline = "another change", digest("a third")
	appendTo(t, l, change)
	if s := l.State(); len(s.Proposals) != 0 || s.Pipeline != digest("a third") {
		t.Errorf("proposals %v, pipeline %s", s.Proposals, s.Pipeline)
	}
}

// Fifty writers each make a decision about the routing that rests on what they read, and
// decide again when somebody else came first; between them others append what touches no
// routing.
func TestFiftyDecisionsAtOnce(t *testing.T) {
	b := memory(t)
	for _, e := range everything()[:9] {
		appendTo(t, load(t, b), e)
	}
	before := load(t, b).Head()
	var group sync.WaitGroup
	for i := range 50 {
		group.Go(func() { decide(t, b, i) })
	}
	group.Wait()
	report, err := Verify(ctx, b, "retailer")
	if err != nil || report.Err() != nil || report.Head != before+50 {
		t.Fatalf("Verify = %+v, %v, want %d entries", report, err, before+50)
	}
	l := load(t, b)
	seen := map[string]int{}
	routings := int64(0)
	for _, e := range l.Entries()[before:] {
		seen[e.ID]++
		if e.Kind == KindRouting {
			// Each says how many routings it has read: none is missing and none is twice.
			if want := fmt.Sprintf("after %d", routings); e.Reason != want {
				t.Errorf("entry %d decided %s, want %s", e.Seq, e.Reason, want)
			}
			routings++
		}
	}
	for i := range 50 {
		if seen[fmt.Sprintf("writer/%d", i)] != 1 {
			t.Errorf("writer %d has %d entries", i, seen[fmt.Sprintf("writer/%d", i)])
		}
	}
	if routings != 20 {
		t.Errorf("%d routings, want 20", routings)
	}
}

// decide appends the entry of a writer, of a kind that depends on its number.
func decide(t *testing.T, b *store.Bucket, i int) {
	kinds := everything()
	for range 100 {
		l, err := Load(ctx, b, "retailer")
		if err != nil {
			t.Error(err)
			return
		}
		e := kinds[slices.IndexFunc(kinds, func(e Entry) bool {
			return e.Kind == []string{KindRouting, KindRouting, KindShadow, KindAdvance, KindWaiver}[i%5]
		})]
		e.ID, e.Paper = fmt.Sprintf("writer/%d", i), digest(fmt.Sprint(i))
		if e.Kind == KindRouting {
			e.Basis, e.Reason = l.Basis(), fmt.Sprintf("after %d", len(l.Of(KindRouting)))
		}
		_, err = l.Append(ctx, e)
		if !errors.Is(err, ErrHeadMoved) {
			if err != nil {
				t.Errorf("writer %d: %v", i, err)
			}
			return
		}
	}
	t.Errorf("writer %d never came through", i)
}
