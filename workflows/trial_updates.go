package workflows

import (
	"errors"
	"fmt"
	"strings"

	"go.temporal.io/sdk/workflow"

	"headgate/activities"
)

// Names of the Updates of a workflow with something that fails.
const (
	UpdateRetryNow  = "retryNow"
	UpdateSkipShard = "skipShard"
)

// RetryNow ends the waiting of a workflow.
type RetryNow struct {
	By     string `json:"by"` // as claimed
	Reason string `json:"reason"`
	Shard  *int   `json:"shard,omitempty"` // only this one; all that waits if it is left out
}

// RetryNowOutput says what is tried now.
type RetryNowOutput struct {
	Tried []string `json:"tried"`
}

// SkipShard leaves a shard out that cannot be scored.
type SkipShard struct {
	Shard  *int   `json:"shard"`
	By     string `json:"by"` // as claimed
	Reason string `json:"reason"`
}

const (
	describeRetry = `Tries now what has failed and waits to be tried again: {"by": "your name", "reason": "why"}; with "shard": 3 only that one.`
	describeSkip  = `Leaves a shard out that cannot be scored, its rows count as quarantined: {"shard": 3, "by": "your name", "reason": "why"}.`
)

// listen takes Updates about what fails from now on.
func (t *trials) listen(ctx workflow.Context) error {
	return update(ctx, UpdateRetryNow, describeRetry, t.checkRetry, t.retry)
}

// listenToSkips takes Updates about shards that fail from now on.
func (t *trials) listenToSkips(ctx workflow.Context) error {
	return update(ctx, UpdateSkipShard, describeSkip, t.checkSkip, t.skip)
}

func (t *trials) checkRetry(in RetryNow) error {
	if err := checkPerson(in.By, in.Reason); err != nil {
		return err
	}
	if in.Shard != nil {
		_, err := t.find(*in.Shard)
		return err
	}
	if len(t.waiting) == 0 && t.elsewhere != "" {
		return t.away()
	}
	if len(t.waiting) == 0 {
		return fmt.Errorf("nothing waits to be tried again%s; what fails for the first time is tried again within seconds, by itself", t.hint())
	}
	return nil
}

func (t *trials) retry(ctx workflow.Context, in RetryNow) (RetryNowOutput, error) {
	var out RetryNowOutput
	for _, f := range t.waiting {
		if in.Shard == nil || f.shard == *in.Shard {
			f.again = true
			out.Tried = append(out.Tried, f.what)
		}
	}
	return out, nil
}

func (t *trials) checkSkip(in SkipShard) error {
	if in.Shard == nil {
		return errors.New(`which shard? give its number, as the scorecard shows it: "shard": 3`)
	}
	if err := checkPerson(in.By, in.Reason); err != nil {
		return err
	}
	f, err := t.find(*in.Shard)
	if err == nil && f.skip != nil {
		err = fmt.Errorf("%s skips shard %d already", f.skip.By, f.shard)
	}
	return err
}

func (t *trials) skip(ctx workflow.Context, in SkipShard) (activities.SkipShardOutput, error) {
	f, err := t.find(*in.Shard)
	if err != nil {
		return activities.SkipShardOutput{}, err
	}
	f.skip = &in
	if err := workflow.Await(ctx, func() bool { return f.done }); err != nil {
		return f.entry, err
	}
	return f.entry, f.err
}

// find returns the trial of a shard that waits after a failure, or why there is none.
func (t *trials) find(shard int) (*trial, error) {
	for _, f := range t.waiting {
		if f.shard == shard {
			return f, nil
		}
	}
	switch {
	case t.elsewhere != "":
		return nil, t.away()
	case shard < t.first || shard >= t.end:
		return nil, fmt.Errorf("there is no shard %d%s", shard, t.shards())
	case t.scored[shard]:
		return nil, fmt.Errorf("shard %d has its result already", shard)
	}
	return nil, fmt.Errorf("shard %d does not wait after a failure%s", shard, t.hint())
}

// away says who goes on with the shards.
func (t *trials) away() error {
	return fmt.Errorf("%s goes on with the shards now: send it there", t.elsewhere)
}

// shards says which shards there are.
func (t *trials) shards() string {
	if t.end == 0 {
		return ": the batch is not cut into shards yet"
	}
	return fmt.Sprintf(": they go from %d to %d", t.first, t.end-1)
}

// hint says what does wait.
func (t *trials) hint() string {
	if len(t.waiting) == 0 {
		return ""
	}
	var what []string
	for _, f := range t.waiting {
		what = append(what, f.what)
	}
	return ": only these do: " + strings.Join(what, ", ")
}

// heard waits until whoever sent an Update knows what came of it, also if the workflow
// was cancelled meanwhile. Nobody has to wait for long: the handlers wait for what has
// happened already.
func heard(ctx workflow.Context) error {
	disconnected, _ := workflow.NewDisconnectedContext(ctx)
	return workflow.Await(disconnected, func() bool { return workflow.AllHandlersFinished(ctx) })
}
