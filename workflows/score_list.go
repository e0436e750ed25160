package workflows

import (
	"fmt"
	"strings"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	papers "headgate/internal/run"
)

// patient lets the stages of a batch that fail wait where a person can see and hurry
// them. Runs that were planned by an earlier version have no such stages.
func (b *batch) patient(ctx workflow.Context) workflow.Context {
	if b.plan.OnFail == "" {
		return ctx
	}
	b.trials.tell(b.in.Pipeline, b.in.Batch, b.plan.Alerts)
	b.trials.begin(b.plan.OnFail, b.plan.Wait, func(ctx workflow.Context) error { return b.show(ctx, b.card.Stage) })
	return patient(ctx, &b.trials)
}

// goOn shows which workflow goes on with the shards. It makes no command: older runs have
// none there.
func (b *batch) goOn(ctx workflow.Context) {
	b.card.Window = b.trials.elsewhere
	setDetails(ctx, b.card.Markdown())
}

// mostColumns is how many drifted columns the list has.
const mostColumns = 20

// driftedColumns returns the names of drifted columns for the list.
func driftedColumns(columns []string) []string {
	var names []string
	for _, name := range columns[:min(mostColumns, len(columns))] {
		names = append(names, keyword(name))
	}
	return names
}

// listed is what the list view has of a batch beside its stage: who serves, what
// drifted, and whom it waits for.
func (b *batch) listed() []temporal.SearchAttributeUpdate {
	what, who := b.trials.waits()
	if b.card.asks() {
		what, who = "an answer", []string{anybody}
	}
	updates := b.waiting.updates(what, who)
	if d := b.card.Drift; d != nil {
		updates = append(updates, attrDrift.ValueSet(d.Level))
		if len(d.Columns) > 0 {
			updates = append(updates, attrDrifted.ValueSet(driftedColumns(d.Columns)))
		}
	}
	if b.card.Publication > 0 {
		updates = append(updates, attrServing.ValueSet(keyword(b.card.serving())))
	}
	return updates
}

// serving says whose scores the published rows have.
func (c Scorecard) serving() string {
	var total int64
	for _, m := range c.Serves {
		total += m.Rows
	}
	var parts []string
	for _, m := range c.Serves {
		if m.Rows > 0 {
			parts = append(parts, fmt.Sprintf("%s %.0f%%", papers.Short(m.Model), 100*float64(m.Rows)/float64(total)))
		}
	}
	if len(parts) == 0 {
		return c.Model + " 100%"
	}
	return strings.Join(parts, ", ")
}
