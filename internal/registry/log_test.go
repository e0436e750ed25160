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
				for _, e := range slices.Concat(loop(), calendars()) {
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
