package workflows_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.temporal.io/sdk/interceptor"
	sdk "go.temporal.io/sdk/worker"

	"headgate/internal/audit"
	"headgate/internal/store"
	"headgate/internal/store/storetest"
	"headgate/internal/worker"
	"headgate/workflows"
)

// A play is a release or a rollback in a world.
type play struct {
	name   string
	world  func(*testing.T) (*world, store.Digest)
	act    func(th *theatre, candidate store.Digest)
	writes int // of an undisturbed run, at least
	steps  int // activities of an undisturbed run, at least
}

var plays = []play{
	{"a release that is approved", beforeARelease, func(th *theatre, candidate store.Digest) {
		th.start(candidate)
		th.after(24*time.Hour, func() { th.yes("ann") })
	}, 5, 10},
	{"a release that is rejected", beforeARelease, func(th *theatre, candidate store.Digest) {
		th.start(candidate)
		th.after(24*time.Hour, func() {
			th.tell(workflows.UpdateReject, workflows.ReleaseAnswer{By: "bob", Reason: "not now"})
		})
	}, 5, 8},
	{"a rollback of a canary", duringACanary, func(th *theatre, _ store.Digest) {
		th.after(0, func() {
			th.tell(workflows.UpdateRollback, workflows.ReleaseRollback{By: "ann", Reason: "odd scores"})
		})
	}, 8, 10},
	{"a canary whose release is cancelled", duringACanary, func(th *theatre, _ store.Digest) {
		th.after(time.Hour, th.env.CancelWorkflow)
	}, 8, 10},
}

func beforeARelease(t *testing.T) (*world, store.Digest) {
	w := releasing(t, atOnce)
	return w, w.twinVersion(1)
}

// duringACanary is a world in the middle of a release at 10 %: a month is published that
// the candidate served in part, and the workflow is gone.
func duringACanary(t *testing.T) (*world, store.Digest) {
	var middle *world
	th, candidate := beganCanary(t, func(th *theatre) {
		middle = th.twin(t)
		th.env.CancelWorkflow()
	})
	if _, err := th.run(); err == nil || middle == nil {
		t.Fatalf("err = %v", err)
	}
	return middle, candidate
}

// An ending is what must be the same however often a call fails.
type ending struct {
	Happened []string
	Champion store.Digest
	Served   string // by batch
	Findings []audit.Finding
}

// ends plays in a world and says how it ends. The bucket that the play has may fail; who
// looks afterwards has another.
func (p play) ends(t *testing.T, w *world, candidate store.Digest) ending {
	t.Helper()
	th := w.theatre()
	p.act(th, candidate)
	if _, err := th.run(); err != nil && !strings.Contains(err.Error(), "canceled") {
		t.Errorf("run: %v", err)
	}
	plain, err := store.Open(context.Background(), w.dir)
	if err != nil {
		t.Fatal(err)
	}
	w.bucket = plain
	a := &audit.Auditor{Store: plain, Formats: worker.Formats(), Pipeline: "retailer"}
	report, err := a.Verify(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	e := ending{Happened: w.happened(), Champion: w.champion(), Findings: report.Findings}
	for _, batch := range slices.Sorted(maps.Keys(w.registry().State().Batches)) {
		e.Served += fmt.Sprint(batch, w.served(batch))
	}
	return e
}

func (e ending) mustEqual(t *testing.T, want ending) {
	t.Helper()
	if !slices.Equal(e.Happened, want.Happened) || e.Champion != want.Champion || e.Served != want.Served || len(e.Findings) > 0 {
		t.Errorf("ended as %+v\nwant     %+v", e, want)
	}
}

// Every write of a release fails once: it never arrives, or it arrives and nobody can look.
func TestAWriteOfAReleaseFailsOnce(t *testing.T) {
	for _, p := range plays {
		t.Run(p.name, func(t *testing.T) {
			w, candidate := p.world(t)
			undisturbed := w.twin(t)
			var mu sync.Mutex
			var writes []store.Call
			undisturbed.bucket = undisturbed.bucket.Intercept(func(_ context.Context, c store.Call, do func() error) error {
				mu.Lock()
				defer mu.Unlock()
				if c.Name == store.CallPut {
					writes = append(writes, store.Call{Name: c.Name, Key: c.Key})
				}
				return do()
			})
			want := p.ends(t, undisturbed, candidate)
			if len(writes) < p.writes || len(want.Findings) > 0 {
				t.Fatalf("%d writes: %v, %+v", len(writes), writes, want)
			}
			for i, write := range writes {
				for what, faults := range map[string][]storetest.Fault{"never arrived": lose(write, 0), "arrived, and nobody could look": loseAll(write)} {
					t.Run(fmt.Sprintf("%d %s %s", i, short(write.Key), what), func(t *testing.T) {
						t.Parallel()
						to := w.twin(t)
						to.bucket = storetest.Break(to.bucket, faults...)
						p.ends(t, to, candidate).mustEqual(t, want)
					})
				}
			}
		})
	}
}

// A stubborn worker fails the nth activity before its work, or dies after it.
type stubborn struct {
	interceptor.WorkerInterceptorBase
	nth    int64
	before bool
	begun  atomic.Int64
}

func (f *stubborn) InterceptActivity(_ context.Context, next interceptor.ActivityInboundInterceptor) interceptor.ActivityInboundInterceptor {
	return &stubbornActivity{interceptor.ActivityInboundInterceptorBase{Next: next}, f}
}

type stubbornActivity struct {
	interceptor.ActivityInboundInterceptorBase
	worker *stubborn
}

func (a *stubbornActivity) ExecuteActivity(ctx context.Context, in *interceptor.ExecuteActivityInput) (any, error) {
	hit := a.worker.begun.Add(1) == a.worker.nth
	if hit && a.worker.before {
		return nil, errors.New("the worker died before its work")
	}
	out, err := a.Next.ExecuteActivity(ctx, in)
	if hit {
		return nil, errors.New("the worker died after its work")
	}
	return out, err
}

// Every activity of a release fails once, before its work and after it.
func TestAnActivityOfAReleaseFailsOnce(t *testing.T) {
	for _, p := range plays {
		t.Run(p.name, func(t *testing.T) {
			w, candidate := p.world(t)
			undisturbed := w.twin(t)
			counter := &stubborn{}
			undisturbed.worker = sdk.Options{Interceptors: []interceptor.WorkerInterceptor{counter}}
			want := p.ends(t, undisturbed, candidate)
			count := counter.begun.Load()
			if count < int64(p.steps) || len(want.Findings) > 0 {
				t.Fatalf("%d activities, %+v", count, want)
			}
			for nth := int64(1); nth <= count; nth++ {
				for _, before := range []bool{true, false} {
					t.Run(fmt.Sprintf("activity %d, before its work %v", nth, before), func(t *testing.T) {
						t.Parallel()
						to := w.twin(t)
						f := &stubborn{nth: nth, before: before}
						to.worker = sdk.Options{Interceptors: []interceptor.WorkerInterceptor{f}}
						p.ends(t, to, candidate).mustEqual(t, want)
						if f.begun.Load() <= count-2 {
							t.Errorf("%d activities, want more than %d", f.begun.Load(), count)
						}
					})
				}
			}
		})
	}
}
