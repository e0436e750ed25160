package registry

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"headgate/internal/store"
	"headgate/internal/store/storetest"
)

var ctx = context.Background()

func memory(t testing.TB) *store.Bucket {
	t.Helper()
	b, err := store.Open(ctx, "mem://")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

func load(t testing.TB, b *store.Bucket) *Log {
	t.Helper()
	l, err := Load(ctx, b, "retailer")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func appendTo(t testing.TB, l *Log, e Entry) Entry {
	t.Helper()
	got, err := l.Append(ctx, e)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func at[T any](v T) *T { return &v }

// everything is a log with an entry of each kind.
func everything() []Entry { return slices.Concat(story(), loop()) }

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
	}
}

// story is a log of a first month that was published and taken back.
func story() []Entry {
	base := func(kind, id string) Entry { return Entry{Kind: kind, ID: id, At: noon, By: "test"} }
	file, model, champion := base(KindPipeline, "file"), base(KindRegister, "register"), base(KindPromote, "champion")
	file.Pipeline, file.Contract = digest("pipeline.yaml"), digest("contract.yaml")
	model.Model = digest("model")
	champion.Alias, champion.Model = AliasChampion, digest("model")
	verdict, published, restored := base(KindVerdict, "verdict"), base(KindPublished, "published"), base(KindRestored, "restored")
	verdict.Batch, verdict.Run, verdict.Verdict, verdict.Reasons = "2024-01", digest("run"), VerdictPass, []string{"3 of 20000 rows in quarantine"}
	published.Batch, published.Run, published.Publication, published.TableVersion = "2024-01", digest("run"), 1, at(int64(0))
	restored.Batch, restored.Publication, restored.TableVersion, restored.Reason = "2024-01", 2, at(int64(7)), "wrong prices"
	return []Entry{file, model, champion, verdict, published, restored}
}

// register returns an entry that any log takes, as often as one likes.
func register(id string) Entry {
	return Entry{Kind: KindRegister, ID: id, At: noon, By: "test", Model: digest(id)}
}

// told writes the story and returns the log.
func told(t testing.TB, b *store.Bucket) *Log {
	t.Helper()
	l := load(t, b)
	for _, e := range story() {
		appendTo(t, l, e)
	}
	return l
}

func TestStateIsAFold(t *testing.T) {
	b := memory(t)
	for _, l := range []*Log{told(t, b), load(t, b)} {
		s := l.State()
		if s.Pipeline != digest("pipeline.yaml") || s.Contract != digest("contract.yaml") {
			t.Errorf("files %s, %s", s.Pipeline, s.Contract)
		}
		if len(s.Aliases) != 1 || s.Aliases[AliasChampion] != digest("model") || !slices.Equal(s.Models, []store.Digest{digest("model")}) {
			t.Errorf("aliases %v, models %v", s.Aliases, s.Models)
		}
		batch := s.Batches["2024-01"]
		if batch.Verdict != VerdictPass || batch.Judged != digest("run") || len(batch.Reasons) != 1 ||
			batch.Publication != 2 || batch.TableVersion != 7 || !batch.Restored || batch.Seq != 6 {
			t.Errorf("batch %+v", batch)
		}
		s.Aliases[AliasChampion] = "changed"
		if l.State().Aliases[AliasChampion] == "changed" {
			t.Error("the caller can change the log's state")
		}
		if l.Head() != 6 || len(l.Entries()) != 6 || l.Pipeline() != "retailer" {
			t.Errorf("head %d of %s", l.Head(), l.Pipeline())
		}
		if e, ok := l.Find("verdict"); !ok || e.Seq != 4 {
			t.Errorf("Find = %+v, %v", e, ok)
		}
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
	for _, e := range everything() {
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

func TestAPublicationFilledInLateChangesNothing(t *testing.T) {
	l := told(t, memory(t))
	late := story()[4]
	late.ID, late.Publication = "published late", 1
	appendTo(t, l, late)
	if batch := l.State().Batches["2024-01"]; batch.Publication != 2 || !batch.Restored {
		t.Errorf("batch %+v", batch)
	}
}

func TestAppendFindsItsOwnEntry(t *testing.T) {
	b := memory(t)
	l := load(t, b)
	first := appendTo(t, l, register("a"))
	appendTo(t, l, register("b"))
	again := register("a")
	again.At, again.By, again.Reason = noon.Add(1), "somebody else", "filled in"
	for _, l := range []*Log{l, load(t, b)} {
		if got := appendTo(t, l, again); got.Seq != first.Seq || got.By != "test" {
			t.Errorf("Append = %+v, want the first entry", got)
		}
	}
	other := register("a")
	other.Model = digest("another")
	if _, err := l.Append(ctx, other); !errors.Is(err, ErrIDTaken) {
		t.Errorf("Append of other facts: %v", err)
	}
	if load(t, b).Head() != 2 {
		t.Error("something was appended")
	}
}

func TestFiftyAppendersAtOnce(t *testing.T) {
	b := memory(t)
	var group sync.WaitGroup
	for i := range 50 {
		group.Go(func() {
			l, err := Load(ctx, b, "retailer")
			if err != nil {
				t.Error(err)
				return
			}
			// Half of them are retries of the other half.
			e, err := l.Append(ctx, register(fmt.Sprint(i/2)))
			if err != nil || e.ID != fmt.Sprint(i/2) {
				t.Errorf("Append = %+v, %v", e, err)
			}
		})
	}
	group.Wait()
	report, err := Verify(ctx, b, "retailer")
	if err != nil || report.Err() != nil || report.Head != 25 {
		t.Errorf("Verify = %+v, %v, want 25 entries", report, err)
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

func TestOneLogServesManyGoroutines(t *testing.T) {
	l := load(t, memory(t))
	var group sync.WaitGroup
	for i := range 20 {
		group.Go(func() {
			appendTo(t, l, register(fmt.Sprint(i)))
			l.State()
			l.Anchor()
		})
	}
	group.Wait()
	if l.Head() != 20 {
		t.Errorf("head %d, want 20", l.Head())
	}
}

func TestBasis(t *testing.T) {
	b := memory(t)
	l, rival := load(t, b), load(t, b)
	empty := l.Basis()
	for _, e := range story()[:2] {
		appendTo(t, rival, e)
	}
	// The rival came first, but changed nothing that this decision rests on.
	e := register("mine")
	e.Basis = empty
	if got := appendTo(t, l, e); got.Seq != 3 {
		t.Errorf("entry %d, want 3", got.Seq)
	}
	appendTo(t, rival, story()[2])
	e.ID = "mine too"
	_, err := l.Append(ctx, e)
	if !errors.Is(err, ErrHeadMoved) || !strings.Contains(err.Error(), "after entry 4") {
		t.Errorf("Append on another basis: %v", err)
	}
	if l.Basis() == empty || l.Head() != 4 {
		t.Error("the log did not reload")
	}
	e.Basis = l.Basis()
	appendTo(t, l, e)
	// A retry finds its entry although the basis has moved since.
	e = register("mine")
	e.Basis = empty
	if got := appendTo(t, l, e); got.Seq != 3 {
		t.Errorf("entry %d, want 3", got.Seq)
	}
}

func TestChampion(t *testing.T) {
	b := memory(t)
	l := load(t, b)
	champion := Entry{Kind: KindPromote, ID: "promote", At: noon, By: "test", Alias: AliasChampion, Model: digest("a")}
	if _, err := l.Append(ctx, champion); !errors.Is(err, ErrUnknownModel) {
		t.Errorf("promotion of an unknown model: %v", err)
	}
	appendTo(t, l, register("a"))
	appendTo(t, l, register("b"))
	appendTo(t, l, champion)
	appendTo(t, l, champion)

	second := champion
	second.ID, second.Model = "promote b", digest("b")
	if _, err := load(t, b).Append(ctx, second); !errors.Is(err, ErrAliasTaken) {
		t.Errorf("second champion without a decision: %v", err)
	}
	second.Decision = digest("decision.json")
	appendTo(t, l, second)
	if got := l.State().Aliases[AliasChampion]; got != digest("b") {
		t.Errorf("champion %s, want b", got)
	}
}

// TestLostAnswers breaks each put both ways, then appends again.
func TestLostAnswers(t *testing.T) {
	for _, done := range []bool{false, true} {
		for step := range everything() {
			t.Run(fmt.Sprintf("written %v, entry %d", done, step+1), func(t *testing.T) {
				b := memory(t)
				// Get breaks as well: else Put finds out by itself.
				broken := storetest.Break(b,
					storetest.Fault{Call: store.CallPut, After: step, Times: 1, Done: done},
					storetest.Fault{Call: store.CallGet, Key: Key("retailer", int64(step+1)), After: 1, Times: 1})
				l := load(t, broken)
				for i, e := range everything() {
					got, err := l.Append(ctx, e)
					if i == step {
						if !errors.Is(err, storetest.ErrLost) {
							t.Fatalf("Append: %v, want a lost answer", err)
						}
						got, err = l.Append(ctx, e)
					}
					if err != nil || got.Seq != int64(i+1) {
						t.Fatalf("Append = %d, %v, want %d", got.Seq, err, i+1)
					}
				}
				want := memory(t)
				other := told(t, want)
				for _, e := range loop() {
					appendTo(t, other, e)
				}
				sameObjects(t, b, want)
			})
		}
	}
}

// sameObjects checks that two stores hold the same bytes under the same keys.
func sameObjects(t *testing.T, a, b *store.Bucket) {
	t.Helper()
	keys := storetest.Keys(t, a)
	if want := storetest.Keys(t, b); !slices.Equal(keys, want) {
		t.Fatalf("keys %q, want %q", keys, want)
	}
	for _, key := range keys {
		have, err := a.Get(ctx, key)
		if err != nil {
			t.Fatal(err)
		}
		if want, err := b.Get(ctx, key); err != nil || !bytes.Equal(have, want) {
			t.Errorf("%s: %s\nwant %s, %v", key, have, want, err)
		}
	}
}

func TestAppendRefusesWhatCannotBeRead(t *testing.T) {
	l := load(t, memory(t))
	tests := []struct {
		name string
		e    Entry
		want string
	}{
		{"no id", Entry{Kind: KindRegister, At: noon, By: "b", Model: digest("m")}, "id is needed"},
		{"no fields", Entry{Kind: KindVerdict, ID: "i", At: noon, By: "b"}, "kind verdict needs batch; kind verdict needs run"},
		{"a year of five digits", Entry{Kind: KindRegister, ID: "i", At: noon.AddDate(9000, 0, 0), By: "b", Model: digest("m")}, "year outside of range"},
		{"too long", Entry{Kind: KindRegister, ID: "i", At: noon, By: "b", Model: digest("m"), Reason: strings.Repeat("x", maxEntry)}, "bytes are over"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := l.Append(ctx, test.e)
			if !errors.Is(err, ErrEntry) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("Append: %v, want %s", err, test.want)
			}
		})
	}
	if l.Head() != 0 {
		t.Error("something was appended")
	}
}

func TestErrorsOfTheStore(t *testing.T) {
	b := memory(t)
	told(t, b)
	for _, call := range []string{store.CallList, store.CallGet} {
		broken := storetest.Break(b, storetest.Fault{Call: call})
		if _, err := Load(ctx, broken, "retailer"); !errors.Is(err, storetest.ErrLost) {
			t.Errorf("Load without %s: %v", call, err)
		}
		if _, err := Verify(ctx, broken, "retailer"); !errors.Is(err, storetest.ErrLost) {
			t.Errorf("Verify without %s: %v", call, err)
		}
	}
	l := load(t, storetest.Break(b, storetest.Fault{Call: store.CallGet, After: 6}))
	if err := l.Reload(ctx); !errors.Is(err, storetest.ErrLost) {
		t.Errorf("Reload: %v", err)
	}
	if _, err := l.Append(ctx, register("a")); !errors.Is(err, storetest.ErrLost) {
		t.Errorf("Append: %v", err)
	}
	stopped, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := load(t, b).Append(stopped, register("a")); !errors.Is(err, context.Canceled) {
		t.Errorf("Append: %v", err)
	}
}

func TestPipelineNames(t *testing.T) {
	for _, name := range []string{"", "../x", "a/b", "A", "-a", "ä", strings.Repeat("a", 64)} {
		if _, err := Load(ctx, memory(t), name); !errors.Is(err, ErrPipeline) {
			t.Errorf("Load(%q): %v", name, err)
		}
		if _, err := Verify(ctx, memory(t), name); !errors.Is(err, ErrPipeline) {
			t.Errorf("Verify(%q): %v", name, err)
		}
	}
}

func TestLogsAreApart(t *testing.T) {
	b := memory(t)
	told(t, b)
	other, err := Load(ctx, b, "retailer-2")
	if err != nil || other.Head() != 0 {
		t.Fatalf("Load = %d entries, %v", other.Head(), err)
	}
	appendTo(t, other, register("a"))
	if load(t, b).Head() != 6 {
		t.Error("an entry of another pipeline was read")
	}
}
