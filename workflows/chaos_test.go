package workflows_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/temporal"

	"headgate/internal/store"
	"headgate/internal/store/storetest"
)

// Faults of the chaos table, as its columns name them.
const (
	faultBefore = "error before a write" // and before the work; then before each write, one after the other
	faultAfter  = "error after a write"  // each write arrives, and nobody can look; then the work is done, and its answer lost
	faultLate   = "time-out"             // the worker is given up and works on, beside the next
	faultCancel = "cancelled"            // the workflow, as the activity begins
	faultTwice  = "delivered twice"      // the work is done twice, and its second answer counts
)

var faults = []string{faultBefore, faultAfter, faultLate, faultCancel, faultTwice}

// mostFaults is how often an attempt fails at most: a stage tries 20 times.
const mostFaults = 17

// An intruder brings one fault upon the first activity of a type. Others go well.
type intruder struct {
	interceptor.WorkerInterceptorBase
	target, fault string
	without       []string // types of workflows that do not concern it
	world         *world

	mu       sync.Mutex
	seen     []string // types of activities, in the order in which they began
	chosen   string
	attempts int
	done     bool // the answer of a whole work was lost
	faults   int  // that had their turn
	differ   string
	running  int
	idle     *sync.Cond
	closed   bool
}

func newIntruder(w *world, target, fault string, without []string) *intruder {
	i := &intruder{target: target, fault: fault, without: without, world: w}
	i.idle = sync.NewCond(&i.mu)
	return i
}

// close waits for activities whose workflow has ended, and lets no other begin.
func (i *intruder) close() {
	i.mu.Lock()
	defer i.mu.Unlock()
	for i.running > 0 {
		i.idle.Wait()
	}
	i.closed = true
}

func (i *intruder) begin() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	if !i.closed {
		i.running++
	}
	return !i.closed
}

func (i *intruder) end() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.running--
	i.idle.Broadcast()
}

// turn returns which attempt of the chosen activity this is, 0 for all others.
func (i *intruder) turn(ctx context.Context) int {
	info := activity.GetInfo(ctx)
	i.mu.Lock()
	defer i.mu.Unlock()
	if slices.Contains(i.without, info.WorkflowType.Name) {
		return 0
	}
	name, id := info.ActivityType.Name, info.WorkflowExecution.RunID+"/"+info.ActivityID
	if !slices.Contains(i.seen, name) {
		i.seen = append(i.seen, name)
	}
	if name != i.target || i.chosen != "" && i.chosen != id {
		return 0
	}
	i.chosen = id
	i.attempts++
	return i.attempts
}

// happened counts a fault.
func (i *intruder) happened() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.faults++
}

func (i *intruder) InterceptActivity(_ context.Context, next interceptor.ActivityInboundInterceptor) interceptor.ActivityInboundInterceptor {
	return &intrudedActivity{interceptor.ActivityInboundInterceptorBase{Next: next}, i}
}

type intrudedActivity struct {
	interceptor.ActivityInboundInterceptorBase
	*intruder
}

var errDied = errors.New("the worker died")

func (a *intrudedActivity) ExecuteActivity(ctx context.Context, in *interceptor.ExecuteActivityInput) (any, error) {
	if !a.begin() {
		return nil, errDied
	}
	defer a.end()
	n := a.turn(ctx)
	switch {
	case n == 0 || n > mostFaults:
		return a.Next.ExecuteActivity(ctx, in)
	case a.fault == faultBefore && n == 1:
		a.happened()
		return nil, errDied
	case a.fault == faultBefore || a.fault == faultAfter:
		return a.losing(ctx, in, n)
	case n > 1:
		return a.Next.ExecuteActivity(ctx, in)
	case a.fault == faultLate:
		return a.late(ctx, in)
	case a.fault == faultCancel:
		a.happened()
		a.world.first.CancelWorkflow()
		return a.Next.ExecuteActivity(context.WithoutCancel(ctx), in)
	}
	return a.twice(ctx, in)
}

// losing lets an attempt lose one write.
func (a *intrudedActivity) losing(ctx context.Context, in *interceptor.ExecuteActivityInput, n int) (any, error) {
	l := &loss{arrives: a.fault == faultAfter}
	if a.fault == faultBefore && n > 2 {
		l.spare = 1 // what the attempt before has lost
	}
	out, err := a.Next.ExecuteActivity(context.WithValue(ctx, lossKey{}, l), in)
	if l.key != "" {
		a.happened()
		return out, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.fault == faultAfter && !a.done {
		a.done = true
		a.faults++
		return nil, errDied
	}
	return out, err
}

// late gives a worker up that works on.
func (a *intrudedActivity) late(ctx context.Context, in *interceptor.ExecuteActivityInput) (any, error) {
	a.happened()
	if a.begin() {
		go func() {
			defer a.end()
			_, _ = a.Next.ExecuteActivity(context.WithoutCancel(ctx), in)
		}()
	}
	return nil, temporal.NewTimeoutError(enums.TIMEOUT_TYPE_START_TO_CLOSE, nil)
}

// twice does the work twice, and wants the same answer.
func (a *intrudedActivity) twice(ctx context.Context, in *interceptor.ExecuteActivityInput) (any, error) {
	a.happened()
	first, err1 := a.Next.ExecuteActivity(ctx, in)
	second, err2 := a.Next.ExecuteActivity(ctx, in)
	if one, two := asJSON(a.world.t, first), asJSON(a.world.t, second); one != two || fmt.Sprint(err1) != fmt.Sprint(err2) {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.differ = fmt.Sprintf("%s (%v), then %s (%v)", one, err1, two, err2)
	}
	return second, err2
}

type lossKey struct{}

// A loss is of the first write of an attempt to a key that was not there, after those that
// it spares.
type loss struct {
	arrives bool
	mu      sync.Mutex
	spare   int
	key     string // that was lost
	looked  bool   // and nobody could look
}

// intercept stands between the world's store and its activities.
func (i *intruder) intercept(plain *store.Bucket) *store.Bucket {
	return plain.Intercept(func(ctx context.Context, c store.Call, do func() error) error {
		l, ok := ctx.Value(lossKey{}).(*loss)
		if !ok {
			return do()
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		switch {
		case l.arrives && c.Name == store.CallGet && c.Key == l.key && !l.looked:
			l.looked = true
			return storetest.ErrLost
		case c.Name != store.CallPut || l.key != "":
			return do()
		}
		if _, err := plain.Get(ctx, c.Key); err == nil {
			return do()
		}
		if l.spare > 0 {
			l.spare--
			return do()
		}
		l.key = c.Key
		if l.arrives {
			if err := do(); err != nil {
				return err
			}
		}
		return fmt.Errorf("%s %s: %w", c.Name, c.Key, storetest.ErrLost)
	})
}

// strike plays a scene in a twin of its world, in which a fault comes upon an activity.
func (s *scene) strike(t *testing.T, target, fault string) (*world, *intruder, string, error) {
	t.Helper()
	w := s.prepared.twin(t)
	plain := w.bucket
	i := newIntruder(w, target, fault, s.without)
	w.worker.Interceptors = []interceptor.WorkerInterceptor{i}
	w.bucket = i.intercept(plain)
	answer, err := s.play(w)
	i.close()
	w.bucket = plain
	w.worker.Interceptors = nil
	return w, i, answer, err
}
