package workflows

import (
	"errors"
	"fmt"
	"time"

	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/workflow"

	"headgate/activities"
	papers "headgate/internal/run"
	"headgate/internal/store"
)

// window is how many shards one history holds: about four events and 400 bytes each.
// A batch of more shards goes through child workflows, one after the other, each
// with a window of its own, and returns one reference per child.
const window = 200

// ScoreShardsInput names a range of shards.
type ScoreShardsInput struct {
	activities.Run
	From     int `json:"from"`
	To       int `json:"to"` // exclusive
	Parallel int `json:"parallel"`

	OnFail string        `json:"onFail,omitempty"` // of [activities.ResolveOutput]
	Wait   time.Duration `json:"wait,omitempty"`   // how long a shard that fails waits for a person
	Alerts bool          `json:"alerts,omitempty"` // people are told that it does
}

// ScoreShardsOutput is where the list of results is, and their counts.
type ScoreShardsOutput struct {
	List        papers.Object `json:"list"`
	Rows        int64         `json:"rows"`
	Quarantined int64         `json:"quarantined"`
}

// ScoreShards scores a window of shards of a large batch.
func ScoreShards(ctx workflow.Context, in ScoreShardsInput) (ScoreShardsOutput, error) {
	var out ScoreShardsOutput
	w := &shardWindow{run: in.Run, from: in.From, to: in.To, stage: "ScoreShards"}
	w.trials.tell(in.Pipeline, in.Batch, in.Alerts)
	w.trials.begin(in.OnFail, in.Wait, w.show)
	ctx, err := w.listen(ctx, in.OnFail != "")
	if err != nil {
		return out, err
	}
	items, err := scoreWindow(ctx, in, &w.trials, func(s activities.ScoreShardOutput) error {
		out.Rows += s.Rows
		out.Quarantined += s.Quarantined
		return nil
	})
	if err != nil {
		if unheard := heard(ctx); unheard != nil {
			return out, errors.Join(err, unheard)
		}
		return out, err
	}
	out.List, err = run(stage(ctx, "List the results", 5*time.Minute), act.Collect,
		activities.CollectInput{Run: in.Run, Name: "shards", First: in.From, Items: items})
	return out, err
}

// scoreWindow keeps in.Parallel shards in flight and calls done after each.
func scoreWindow(ctx workflow.Context, in ScoreShardsInput, t *trials, done func(activities.ScoreShardOutput) error) ([]papers.Object, error) {
	items := make([]papers.Object, in.To-in.From)
	t.first, t.end, t.scored = in.From, in.To, map[int]bool{}
	err := slide(ctx, in.From, in.To, in.Parallel, func(ctx workflow.Context, i int) error {
		out, err := scoreShard(ctx, in, i)
		if err != nil {
			return err
		}
		items[i-in.From], t.scored[i] = out.Result, true
		return done(out)
	})
	return items, err
}

// scoreShard scores a shard, or leaves it out if a person wants that.
func scoreShard(ctx workflow.Context, in ScoreShardsInput, i int) (activities.ScoreShardOutput, error) {
	out, err := run(stage(ofShard(ctx, i), fmt.Sprintf("Score shard %d", i), time.Hour), act.ScoreShard,
		activities.ScoreShardInput{Run: in.Run, Shard: i})
	var left *leftOut
	if !errors.As(err, &left) {
		return out, err
	}
	skip, err := run(stage(ctx, fmt.Sprintf("Leave shard %d out for %s", i, left.skip.By), 10*time.Minute), act.SkipShard, activities.SkipShardInput{
		Run: in.Run, Shard: i, By: left.skip.By, Reason: left.skip.Reason, Failed: left.failed, Operation: operation(ctx), At: workflow.Now(ctx).UTC()})
	left.settle(skip, err)
	return skip.ScoreShardOutput, err
}

// AssembleShardsInput names a range of scored shards.
type AssembleShardsInput struct {
	activities.Run
	From     int           `json:"from"`
	To       int           `json:"to"` // exclusive
	Parallel int           `json:"parallel"`
	Shards   papers.Object `json:"shards"` // the window's list of results
	Data     papers.Object `json:"data"`
	Serving  store.Digest  `json:"serving,omitempty"`
	Patient  bool          `json:"patient,omitempty"` // what fails waits where a person can see and hurry it
}

// AssembleShards assembles a window of shards of a large batch.
func AssembleShards(ctx workflow.Context, in AssembleShardsInput) (papers.Object, error) {
	w := &shardWindow{run: in.Run, from: in.From, to: in.To, stage: "AssembleShards"}
	w.trials.begin("", 0, w.show) // a shard that is scored is not left out any more
	w.trials.allScored(in.From, in.To)
	ctx, err := w.listen(ctx, in.Patient)
	if err != nil {
		return papers.Object{}, err
	}
	results, err := run(stage(ctx, "Read the list of results", 5*time.Minute), act.ReadList, in.Shards)
	if err != nil {
		return papers.Object{}, err
	}
	items, err := assembleWindow(ctx, in, results)
	if err != nil {
		return papers.Object{}, err
	}
	return run(stage(ctx, "List the table files", 5*time.Minute), act.Collect,
		activities.CollectInput{Run: in.Run, Name: "table", First: in.From, Items: items})
}

func assembleWindow(ctx workflow.Context, in AssembleShardsInput, results []papers.Object) ([]papers.Object, error) {
	items := make([]papers.Object, in.To-in.From)
	err := slide(ctx, in.From, in.To, in.Parallel, func(ctx workflow.Context, i int) (err error) {
		items[i-in.From], err = run(stage(ctx, fmt.Sprintf("Assemble shard %d", i), time.Hour), act.AssembleShard,
			activities.AssembleShardInput{Run: in.Run, Shard: i, Result: results[i-in.From], Data: in.Data, Serving: in.Serving})
		return err
	})
	return items, err
}

// slide calls do for every i in [from, to), at most parallel at a time. After the
// first error it cancels the others and waits for them.
func slide(ctx workflow.Context, from, to, parallel int, do func(workflow.Context, int) error) error {
	ctx, cancel := workflow.WithCancel(ctx)
	defer cancel()
	next := from
	var first error
	wg := workflow.NewWaitGroup(ctx)
	for range min(parallel, to-from) {
		wg.Add(1)
		workflow.Go(ctx, func(ctx workflow.Context) {
			defer wg.Done()
			for next < to && first == nil {
				i := next
				next++
				if err := do(ctx, i); err != nil && first == nil {
					first = err
					cancel()
				}
			}
		})
	}
	wg.Wait(ctx)
	return first
}

// scoreShards scores all shards: in this history if they are few, through children
// if they are many.
func (b *batch) scoreShards(ctx workflow.Context) (activities.Papers, error) {
	n := b.plan.Shards
	if n <= window {
		items, err := scoreWindow(ctx, b.shardsInput(0, n), &b.trials, func(s activities.ScoreShardOutput) error {
			return b.scored(ctx, 1, s.Rows, s.Quarantined)
		})
		return activities.Papers{Items: items}, err
	}
	var lists []papers.Object
	for from := 0; from < n; from += window {
		in := b.shardsInput(from, min(from+window, n))
		var out ScoreShardsOutput
		b.trials.through(ctx, windowID(ctx, "shards", from))
		err := workflow.ExecuteChildWorkflow(windowOf(ctx, "shards", from), ScoreShards, in).Get(ctx, &out)
		b.trials.through(ctx, "")
		if err != nil {
			return activities.Papers{}, err
		}
		lists = append(lists, out.List)
		if err := b.scored(ctx, in.To-in.From, out.Rows, out.Quarantined); err != nil {
			return activities.Papers{}, err
		}
	}
	return activities.Papers{Lists: lists}, nil
}

func (b *batch) shardsInput(from, to int) ScoreShardsInput {
	return ScoreShardsInput{Run: b.plan.Run, From: from, To: to, Parallel: b.plan.Parallel, OnFail: b.plan.OnFail, Wait: b.plan.Wait, Alerts: b.plan.Alerts}
}

// scored counts finished shards on the scorecard.
func (b *batch) scored(ctx workflow.Context, shards int, rows, quarantined int64) error {
	b.card.ShardsDone += shards
	b.card.RowsDone += rows
	b.card.Quarantined += quarantined
	setDetails(ctx, b.card.Markdown())
	return nil
}

// assembleAll assembles the table's files in the windows in which the shards were scored.
// A window is patient if the workflow that waits for it is.
func assembleAll(ctx workflow.Context, in AssembleShardsInput, shards activities.Papers) (activities.Papers, error) {
	n := in.To
	if len(shards.Lists) == 0 {
		items, err := assembleWindow(ctx, in, shards.Items)
		return activities.Papers{Items: items}, err
	}
	t, isPatient := ctx.Value(trialsKey{}).(*trials)
	if !isPatient {
		t = new(trials)
	}
	in.Patient = isPatient
	var lists []papers.Object
	for i, list := range shards.Lists {
		in.From, in.To, in.Shards = i*window, min((i+1)*window, n), list
		var out papers.Object
		t.through(ctx, windowID(ctx, "table", in.From))
		err := workflow.ExecuteChildWorkflow(windowOf(ctx, "table", in.From), AssembleShards, in).Get(ctx, &out)
		t.through(ctx, "")
		if err != nil {
			return activities.Papers{}, err
		}
		lists = append(lists, out)
	}
	return activities.Papers{Lists: lists}, nil
}

func windowID(ctx workflow.Context, what string, from int) string {
	info := workflow.GetInfo(ctx)
	return fmt.Sprintf("%s/%s/%s/%06d", info.WorkflowExecution.ID, info.FirstRunID, what, from)
}

// windowOf returns the options of a window's workflow. Its id holds this execution, so
// a run that starts over never meets the windows of an earlier one.
func windowOf(ctx workflow.Context, what string, from int) workflow.Context {
	return workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
		WorkflowID:          windowID(ctx, what, from),
		WaitForCancellation: true,
		ParentClosePolicy:   enums.PARENT_CLOSE_POLICY_REQUEST_CANCEL,
		StaticSummary:       fmt.Sprintf("%s from %d", what, from),
		StaticDetails:       fmt.Sprintf("Goes through up to %d shards of `%s`, which has the scorecard.", window, workflow.GetInfo(ctx).WorkflowExecution.ID),
	})
}
