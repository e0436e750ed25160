package workflows

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"go.temporal.io/sdk/workflow"
)

// A shardWindow is the state of one [ScoreShards]: what of it has failed.
type shardWindow struct {
	in      ScoreShardsInput
	trials  trials
	waiting waiting
}

// listen takes Updates about shards that fail. It returns the context for the window's
// activities, which wait for them.
func (w *shardWindow) listen(ctx workflow.Context) (workflow.Context, error) {
	w.trials.begin(w.in.OnFail, w.in.Wait, w.show)
	if err := errors.Join(w.trials.listen(ctx), w.trials.listenToSkips(ctx)); err != nil || w.in.OnFail == "" {
		return ctx, err
	}
	return patient(ctx, &w.trials), nil
}

// show puts what fails onto the page of the window and into the list.
func (w *shardWindow) show(ctx workflow.Context) error {
	setDetails(ctx, WindowCard{Pipeline: w.in.Pipeline, Batch: w.in.Batch, From: w.in.From, To: w.in.To, Failing: w.trials.cards()}.Markdown())
	what, who := w.trials.waits()
	updates := append(w.waiting.updates(what, who), attrPipeline.ValueSet(w.in.Pipeline), attrBatch.ValueSet(w.in.Batch), attrStage.ValueSet("ScoreShards"))
	return workflow.UpsertTypedSearchAttributes(ctx, updates...)
}

// A WindowCard is what there is to see of a window of shards.
type WindowCard struct {
	Pipeline string    `json:"pipeline"`
	Batch    string    `json:"batch"`
	From     int       `json:"from"`
	To       int       `json:"to"` // exclusive
	Failing  []Failing `json:"failing,omitempty"`
}

// Markdown returns the card for the page of the run.
func (c WindowCard) Markdown() string {
	var b strings.Builder
	b.WriteString(fmt.Sprintf("### %s %s: shards %d to %d\n\n", c.Pipeline, c.Batch, c.From, c.To-1))
	failing(&b, c.Failing)
	return b.String()
}

// begin says what becomes of what fails: nothing is waited for if onFail is empty.
func (t *trials) begin(onFail string, long time.Duration, show func(workflow.Context) error) {
	t.asks, t.wait, t.show = onFail == "ask", long, show
}

// anotherTry is what the list says of a workflow in which something has failed and is
// tried again by itself.
const anotherTry = "another try"

// waits says for the list what is waited for and on whom.
func (t *trials) waits() (what string, who []string) {
	shards := t.asked()
	switch {
	case len(t.waiting) == 0:
		return "", nil
	case len(shards) == 0:
		return anotherTry, nil
	}
	var names []string
	for _, shard := range shards {
		names = append(names, fmt.Sprint(shard))
	}
	return "skipShard or retryNow of shard " + strings.Join(names, ", "), []string{anybody}
}

// heard waits until whoever sent an Update knows what came of it, also if the workflow
// was cancelled meanwhile. Nobody has to wait for long: the handlers wait for what has
// happened already.
func heard(ctx workflow.Context) error {
	disconnected, _ := workflow.NewDisconnectedContext(ctx)
	return workflow.Await(disconnected, func() bool { return workflow.AllHandlersFinished(ctx) })
}

// failing lists what has failed, and what a person can do about it.
func failing(b *strings.Builder, all []Failing) {
	if len(all) == 0 {
		return
	}
	b.WriteString("**Fails**\n\n| What | Why | Then |\n|---|---|---|\n")
	var can []order
	for _, f := range all {
		then := "tried again at " + f.Until
		if f.Asks {
			then = "**a person decides**, or the batch fails at " + f.Until
		}
		b.WriteString(fmt.Sprintf("| %s | %s | %s |\n", plain(f.What), plain(f.Failed), then))
		if f.Shard != nil {
			can = append(can, order{UpdateSkipShard, fmt.Sprintf(`{"shard": %d, "by": "your name", "reason": "why"}`, *f.Shard),
				fmt.Sprintf("leaves shard %d out: its rows count as quarantined", *f.Shard)})
		}
	}
	orders(b, "Anybody may act", append([]order{{UpdateRetryNow, person, "tries what fails now"}}, can...))
	b.WriteString("\n")
}
