package workflows_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"

	"headgate/internal/registry"
	"headgate/internal/release"
	"headgate/internal/retailer"
	"headgate/internal/store"
)

// withCanary returns a world in which a candidate has a share of the month, and the rows of
// the month as the champion alone publishes them.
func withCanary(t *testing.T) (w *world, candidate store.Digest, want []string) {
	t.Helper()
	w = looped(t, 2000, retailer.Options{Parts: 2})
	want = championOnly(t, w)
	candidate = w.challenger("lightgbm", 0.02, 0.97)
	w.route("10%", map[store.Digest]int{candidate: 1000})
	return w, candidate, want
}

func (w *world) reject(m store.Digest) {
	w.t.Helper()
	w.add(registry.Entry{Kind: registry.KindRejected, ID: "rejected/test", Model: m, Reason: "the test rolls it back"})
}

// servedAlone checks that the last publication of the month, of that number, has the
// champion's rows.
func (w *world) servedAlone(publication int64, want []string) {
	w.t.Helper()
	published := w.entries(registry.KindPublished)
	last := published[len(published)-1]
	if last.Publication != publication {
		w.t.Fatalf("publication %d, want %d", last.Publication, publication)
	}
	if got := w.current("run"); !slices.Equal(got, want) {
		w.t.Errorf("%d rows, the champion alone has %d; they differ", len(got), len(want))
	}
	w.audited(canaryMonth)
}

// A rollback appends first and then looks for publications; a batch commits first and then
// looks into the registry. Whoever comes second, the month has the champion's scores.
func TestARollbackDuringABatchInBothOrders(t *testing.T) {
	t.Run("the rollback comes before the batch is planned", func(t *testing.T) {
		w, candidate, want := withCanary(t)
		w.reject(candidate)
		if out := w.mustScore(canaryMonth); len(out.Advance) > 0 || out.Taken != "" {
			t.Errorf("%+v", out)
		}
		w.servedAlone(1, want)
	})
	for name, key := range map[string]string{
		"the rollback comes while shards are scored": "/shards/",
		"the rollback comes right after the commit":  "_delta_log/",
	} {
		t.Run(name, func(t *testing.T) {
			w, candidate, want := withCanary(t)
			plain := w.bucket
			var once sync.Once
			w.bucket = plain.Intercept(func(_ context.Context, c store.Call, do func() error) error {
				err := do()
				if c.Name == store.CallPut && strings.Contains(c.Key, key) {
					once.Do(func() { (&world{t: t, bucket: plain}).reject(candidate) })
				}
				return err
			})
			out := w.mustScore(canaryMonth)
			w.bucket = plain
			if out.Publication != 2 || !strings.Contains(out.Taken, "the test rolls it back") {
				t.Errorf("%+v", out)
			}
			w.servedAlone(2, want)
		})
	}
	t.Run("the rollback finds the publication", func(t *testing.T) {
		w, candidate, want := withCanary(t)
		if out := w.mustScore(canaryMonth); out.Publication != 1 || len(out.Models) != 2 {
			t.Fatalf("%+v", out)
		}
		w.reject(candidate)
		first := w.republish("")
		if first.Publication != 2 || first.Unchanged {
			t.Fatalf("%+v", first)
		}
		if again := w.republish(""); again.Publication != 2 || !again.Unchanged {
			t.Errorf("again %+v", again)
		}
		w.servedAlone(2, want)
		published := w.entries(registry.KindPublished)
		if last := published[len(published)-1]; last.Reason != "the test says so" || last.Paper == "" {
			t.Errorf("%+v", last)
		}
	})
}

// A model that has not scored a month does so before it takes it over.
func TestRepublishingScoresWhatIsMissing(t *testing.T) {
	w := looped(t, 600, retailer.Options{})
	m := w.challenger("lightgbm", 0.1, 0.8)
	first := w.mustScore(canaryMonth)
	out := w.republish(m)
	if out.Publication != 2 || out.Rows != first.Published || out.Unchanged {
		t.Fatalf("%+v", out)
	}
	for _, row := range w.table(canaryMonth) {
		if row["model"] != string(m) && row["model"] != string(w.champion()) {
			t.Fatalf("%v", row)
		}
	}
	w.audited(canaryMonth)
	if back := w.republish(w.champion()); back.Publication != 3 || back.Values != first.Values {
		t.Errorf("back %+v, first values %s", back, first.Values)
	}
}

// A new colour is read in full before one commit gives it the whole month, and the former
// one can be had back.
func TestANewColourIsReadBeforeItIsPublished(t *testing.T) {
	w := looped(t, 600, retailer.Options{Parts: 2}, "release: { strategy: blueGreen }\n")
	before := w.mustScore(canaryMonth)
	m := w.challenger("lightgbm", 0.02, 0.97)
	w.route("100%", map[store.Digest]int{m: release.Whole})
	damaged := w.twin(t)
	plain := damaged.bucket
	damaged.bucket = plain.Intercept(func(ctx context.Context, c store.Call, do func() error) error {
		err := do()
		if c.Name == store.CallPut && strings.HasPrefix(c.Key, "scores/retailer/batch=") && err == nil {
			if err := plain.Delete(ctx, c.Key); err != nil {
				return err
			}
			return plain.Put(ctx, c.Key, []byte("PAR1"))
		}
		return err
	})
	if out, err := damaged.score(canaryMonth); err == nil || !strings.Contains(err.Error(), "was changed: its digest is") {
		t.Errorf("a damaged colour: %v %+v", err, out)
	}
	out := w.mustScore(canaryMonth)
	if out.Publication != 2 || len(out.Models) != 2 || out.Models[0].Rows != 0 || out.Models[1].Rows != 600 {
		t.Errorf("%+v", out)
	}
	w.audited(canaryMonth)
	if back := w.restore(canaryMonth, 1); back.Values != before.Values {
		t.Errorf("%+v", back)
	}
}
