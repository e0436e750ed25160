package workflows_test

import (
	"bytes"
	"context"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/worker"

	"headgate/activities"
	"headgate/internal/alert"
	"headgate/internal/deliver/delivertest"
)

// A deadly makes workers die on their first attempt to tell a receiver.
type deadly struct {
	interceptor.WorkerInterceptorBase
	receiver string
	after    bool // the receiver has taken the notice, and nobody learns of it
	died     atomic.Bool
}

// InterceptActivity lets one activity die.
func (d *deadly) InterceptActivity(_ context.Context, next interceptor.ActivityInboundInterceptor) interceptor.ActivityInboundInterceptor {
	return &deadlyActivity{interceptor.ActivityInboundInterceptorBase{Next: next}, d}
}

type deadlyActivity struct {
	interceptor.ActivityInboundInterceptorBase
	*deadly
}

// ExecuteActivity runs an activity, or dies before or after it.
func (d *deadlyActivity) ExecuteActivity(ctx context.Context, in *interceptor.ExecuteActivityInput) (any, error) {
	send, ok := in.Args[0].(activities.SendAlertInput)
	if !ok || send.Receiver != d.receiver || !d.died.CompareAndSwap(false, true) {
		return d.Next.ExecuteActivity(ctx, in)
	}
	if d.after {
		if out, err := d.Next.ExecuteActivity(ctx, in); err != nil {
			return out, err
		}
	}
	return nil, errDied
}

// Whoever was told is not told again because a worker dies on the way to somebody else.
// Only a notice that was under way may come twice: then it is the same one.
func TestAWorkerDiesBetweenTwoReceivers(t *testing.T) {
	for _, tt := range []struct {
		name       string
		dies       *deadly
		team, duty int // notices that they get
	}{
		{name: "before the second was told", dies: &deadly{receiver: "duty"}, team: 1, duty: 1},
		{name: "before the first was told", dies: &deadly{receiver: "team"}, team: 1, duty: 1},
		{name: "after the first has taken it", dies: &deadly{receiver: "team", after: true}, team: 2, duty: 1},
		{name: "after the second has taken it", dies: &deadly{receiver: "duty", after: true}, team: 1, duty: 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newDeskOf(t, bothAlerts, nil, nil)
			d.env.SetWorkerOptions(worker.Options{DeadlockDetectionTimeout: time.Minute, Interceptors: []interceptor.WorkerInterceptor{tt.dies}})
			d.after(2*time.Hour, func() {
				team, duty := d.team.Got(), d.duty.Got()
				if len(team) != tt.team || len(duty) != tt.duty {
					t.Fatalf("the team got %d, duty %d", len(team), len(duty))
				}
				for _, got := range [][]delivertest.Request{team, duty} {
					for _, again := range got[1:] {
						if !bytes.Equal(got[0].Body, again.Body) || got[0].Header.Get(alert.HeaderID) != again.Header.Get(alert.HeaderID) ||
							got[0].Header.Get(alert.HeaderSignature) != again.Header.Get(alert.HeaderSignature) {
							t.Errorf("the second one is another: %v %s, then %v %s", got[0].Header, got[0].Body, again.Header, again.Body)
						}
					}
				}
				d.over()
			})
			out := d.run(blocked())
			if !tt.dies.died.Load() {
				t.Error("no worker has died")
			}
			if out.Notices != 2 || len(d.team.Got()) != tt.team+1 || len(d.duty.Got()) != tt.duty+1 {
				t.Errorf("%d notices, the team got %d, duty %d", out.Notices, len(d.team.Got()), len(d.duty.Got()))
			}
			if len(out.Deliveries) != 2 || slices.ContainsFunc(out.Deliveries, func(d alert.Delivery) bool { return d.State != alert.Arrived || d.Event != alert.Resolved }) {
				t.Errorf("%+v", out.Deliveries)
			}
		})
	}
}

// bothAlerts tells two receivers at once.
const bothAlerts = `alerts:
  receivers:
    team: { webhook: { url: env:TEST_TEAM, secret: env:TEST_SECRET } }
    duty: { webhook: { url: env:TEST_DUTY, secret: env:TEST_SECRET } }
`
