package workflows

import (
	"errors"
	"fmt"
	"strings"

	"go.temporal.io/sdk/workflow"

	"headgate/activities"
)

// A shardWindow is the state of one [ScoreShards] or [AssembleShards]: what of it has
// failed.
type shardWindow struct {
	run      activities.Run
	from, to int
	stage    string // that the batch is in meanwhile
	trials   trials
	waiting  waiting
}

// listen takes Updates about what fails. It returns the context for the window's
// activities; if it is to be patient, they wait for such Updates.
func (w *shardWindow) listen(ctx workflow.Context, isPatient bool) (workflow.Context, error) {
	if err := errors.Join(w.trials.listen(ctx), w.trials.listenToSkips(ctx)); err != nil || !isPatient {
		return ctx, err
	}
	return patient(ctx, &w.trials), nil
}

// show puts what fails onto the page of the window and into the list.
func (w *shardWindow) show(ctx workflow.Context) error {
	setDetails(ctx, WindowCard{Pipeline: w.run.Pipeline, Batch: w.run.Batch, From: w.from, To: w.to, Failing: w.trials.cards()}.Markdown())
	what, who := w.trials.waits()
	updates := append(w.waiting.updates(what, who), attrPipeline.ValueSet(w.run.Pipeline), attrBatch.ValueSet(w.run.Batch), attrStage.ValueSet(w.stage))
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
