package workflows

import (
	"slices"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"headgate/activities"
	"headgate/internal/alert"
	"headgate/internal/store"
)

// lookedFor is how long it is good to have found out who is told.
const lookedFor = time.Minute

// find finds out who is told, by the pipeline file in force.
func (t *trouble) find(ctx workflow.Context) error {
	a := t.state.Alert
	route, err := run(ctx, act.RouteAlert, activities.RouteAlertInput{Pipeline: a.Pipeline, Kind: a.Kind, Severity: a.Severity})
	if err == nil {
		t.route = route
	}
	t.looked = workflow.Now(ctx)
	return err
}

// findAgain finds out anew who is told before one more notice goes out, and reports whether
// it did: days may have passed, and people come and go. If nobody can find out, for the store
// may be what the alert is about, it stays as it was. An alert whose route an older program
// has found stays with it.
func (t *trouble) findAgain(ctx workflow.Context) (bool, error) {
	if !t.route.Plan.Follows || t.state.Notices == 0 || workflow.Now(ctx).Sub(t.looked) < lookedFor {
		return false, nil
	}
	err := t.find(forMinutes(ctx, "Find out again who is told of "+string(t.state.Alert.Kind)))
	if temporal.IsCanceledError(err) {
		return false, err
	}
	if err != nil {
		workflow.GetLogger(ctx).Warn("who is told stays as it was", "error", err)
	}
	return true, nil
}

// fileOf returns the pipeline file that describes a receiver: the one in force or, where
// that has it no more, the one by which it was told before.
func (t *trouble) fileOf(name string) store.Digest {
	i := slices.IndexFunc(t.state.Deliveries, func(d alert.Delivery) bool { return d.Receiver == name })
	if i < 0 || t.state.Deliveries[i].File == "" || slices.Contains(t.route.Receivers, name) {
		return t.route.File
	}
	return store.Digest(t.state.Deliveries[i].File)
}

// forMinutes returns a context for an activity that nobody waits for longer than that.
func forMinutes(ctx workflow.Context, summary string) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout:    time.Minute,
		ScheduleToCloseTimeout: 3 * time.Minute,
		HeartbeatTimeout:       heartbeatTimeout,
		WaitForCancellation:    true,
		Summary:                line(summary),
		RetryPolicy:            &temporal.RetryPolicy{InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: time.Minute, MaximumAttempts: 5},
	})
}
