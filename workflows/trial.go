package workflows

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"headgate/activities"
)

// Temporal tries an activity that fails a few times by itself, within seconds, and then
// the workflow waits before it has it tried again: that a person can see, and hurry.
const triesPerRound = 5

// backOff is how long the workflow waits after each round.
var backOff = []time.Duration{time.Minute, 2 * time.Minute, 5 * time.Minute, 5 * time.Minute}

// trials are the activities of a workflow that have failed and wait to be tried again, or
// for a person.
type trials struct {
	asks    bool          // a shard that fails for good waits for a person
	wait    time.Duration // as long as this
	show    func(workflow.Context) error
	waiting []*trial

	alerts          bool // people are told when they are asked
	pipeline, batch string

	first, end int                    // the shards of this workflow: from first to before end
	scored     map[int]bool           // those that have a result
	elsewhere  string                 // workflow that scores or assembles shards for this one now, or ""
	moved      func(workflow.Context) // shows elsewhere; nil: nobody looks
}

// A trial is an activity that waits after it has failed.
type trial struct {
	what   string // its summary
	shard  int    // -1 if it is about no single shard
	failed string
	final  bool // it is not tried again by itself
	until  time.Time

	again bool       // a person wants it tried now
	skip  *SkipShard // a person leaves the shard out

	done  bool // what came of the skip is known
	entry activities.SkipShardOutput
	err   error
}

// tell says whose shards they are, and whether people are told when they are asked.
func (t *trials) tell(pipeline, batch string, alerts bool) {
	t.pipeline, t.batch, t.alerts = pipeline, batch, alerts
}

// begin says what becomes of what fails: nothing is waited for if onFail is empty.
func (t *trials) begin(onFail string, long time.Duration, show func(workflow.Context) error) {
	t.asks, t.wait, t.show = onFail == activities.OnFailAsk, long, show
}

// through says which workflow goes on with the shards now, and shows it; "" is this one.
func (t *trials) through(ctx workflow.Context, window string) {
	t.elsewhere = window
	if t.moved != nil {
		t.moved(ctx)
	}
}

// allScored says that the shards from first to before end have their results.
func (t *trials) allScored(first, end int) {
	t.first, t.end, t.scored = first, end, map[int]bool{}
	for i := first; i < end; i++ {
		t.scored[i] = true
	}
}

type (
	trialsKey struct{}
	shardKey  struct{}
)

// patient returns a context in which activities that fail wait in t.
func patient(ctx workflow.Context, t *trials) workflow.Context {
	return workflow.WithValue(ctx, trialsKey{}, t)
}

// ofShard returns a context for the activities of one shard.
func ofShard(ctx workflow.Context, shard int) workflow.Context {
	return workflow.WithValue(ctx, shardKey{}, shard)
}

// attempt runs an activity as [run] does. If it fails, it waits in t and tries again.
func attempt[In, Out any](ctx workflow.Context, t *trials, activity func(context.Context, In) (Out, error), in In) (Out, error) {
	options := workflow.GetActivityOptions(ctx)
	policy := *options.RetryPolicy
	policy.MaximumAttempts = triesPerRound
	options.RetryPolicy = &policy
	ctx = workflow.WithActivityOptions(ctx, options)
	for round := 0; ; round++ {
		var out Out
		err := workflow.ExecuteActivity(ctx, activity, in).Get(ctx, &out)
		if err == nil || temporal.IsCanceledError(err) {
			return out, err
		}
		f := &trial{what: options.Summary, shard: -1, failed: strings.TrimPrefix(cause(err), "columnar: ")}
		if shard, ok := ctx.Value(shardKey{}).(int); ok {
			f.shard = shard
		}
		if err := t.fail(ctx, f, round, err); err != nil {
			return out, err
		}
		if f.again {
			round = -1
		}
	}
}

// fail waits after a failure. It returns nil if the activity is to be tried again, a
// [leftOut] if a person skips its shard, and otherwise why it is not tried again.
func (t *trials) fail(ctx workflow.Context, f *trial, round int, why error) error {
	f.final = hopeless(why) || round >= len(backOff)
	long, summary := t.wait, "Until then somebody may skip it or try it again: "+f.what
	switch {
	case f.final && !t.askable(f, why):
		return why
	case !f.final:
		long, summary = backOff[round], "Try again: "+f.what
	}
	f.until = workflow.Now(ctx).Add(long)
	t.waiting = append(t.waiting, f)
	err := t.show(ctx)
	if err == nil && f.final {
		t.alertShard(ctx, f)
	}
	if err == nil {
		_, err = workflow.AwaitWithOptions(ctx, workflow.AwaitOptions{Timeout: long, TimerOptions: workflow.TimerOptions{Summary: line(summary)}},
			func() bool { return f.again || f.skip != nil })
	}
	t.waiting = slices.DeleteFunc(t.waiting, func(other *trial) bool { return other == f })
	if f.final {
		t.alertAnswered(ctx, f)
	}
	switch {
	case err != nil:
		f.settle(activities.SkipShardOutput{}, err)
		return err
	case f.skip != nil:
		if err := t.show(ctx); err != nil {
			f.settle(activities.SkipShardOutput{}, err)
			return err
		}
		return &leftOut{f}
	case f.again || !f.final:
		return t.show(ctx)
	}
	return temporal.NewNonRetryableApplicationError(
		fmt.Sprintf("nobody skipped shard %d or tried it again within %s: %s", f.shard, t.wait, f.failed), kindUnanswered, why)
}

// kindUnanswered is the kind of failure of a shard about which a person was asked in vain.
const kindUnanswered = "Unanswered"

// askable reports whether a person may skip what failed for good: a shard whose input is
// damaged or gone, or that nobody could read in many attempts.
func (t *trials) askable(f *trial, why error) bool {
	return t.asks && f.shard >= 0 && (!hopeless(why) || failed(why, activities.KindCorrupt) || failed(why, activities.KindInputChanged))
}

// settle says what came of a skip.
func (f *trial) settle(entry activities.SkipShardOutput, err error) {
	f.entry, f.err, f.done = entry, err, true
}

// A leftOut error says that a person skips a shard.
type leftOut struct{ *trial }

func (e *leftOut) Error() string {
	return fmt.Sprintf("shard %d is left out by %s", e.shard, e.skip.By)
}
