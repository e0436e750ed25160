package workflows

import (
	"errors"
	"fmt"
	"strings"

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
	w.trials.tell(w.in.Pipeline, w.in.Batch, w.in.Alerts)
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
