package workflows

import (
	"fmt"
	"strings"
	"time"

	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"headgate/activities"
	"headgate/internal/figure"
)

// BackfillInput names a range of past batches, both ends included, and how they are
// scored.
type BackfillInput struct {
	Pipeline string `json:"pipeline"`
	From     string `json:"from"`
	To       string `json:"to"`
	Mode     string `json:"mode"`              // [activities.AsWas] or [activities.AsNow]
	Replace  bool   `json:"replace,omitempty"` // batches that are published are published again
	By       string `json:"by"`
	Reason   string `json:"reason"`
}

// BackfillOutput says what came of each batch, oldest first.
type BackfillOutput struct {
	Batches []BackfilledBatch `json:"batches"`
}

// A BackfilledBatch is what came of one batch.
type BackfilledBatch struct {
	Batch       string `json:"batch"`
	Outcome     string `json:"outcome"` // published, unchanged, kept, block or failed
	Reason      string `json:"reason,omitempty"`
	Publication int64  `json:"publication,omitempty"`
	Rows        int64  `json:"rows,omitempty"`
	Changed     *int64 `json:"changed,omitempty"` // keys whose rows are not what the publication before says
	Restated    bool   `json:"restated,omitempty"`
}

// BackfillID is the id of a pipeline's backfill.
func BackfillID(pipeline string) string { return "backfill/" + pipeline }

// Backfill scores past batches, one after the other, each by [ScoreBatch] under its own
// id. What a batch is scored by, [activities.Backfill] says. A batch that is published is
// left as it is, unless it is to be replaced; then, if it is acted on already, it waits for
// a person. A batch that fails or is blocked does not stop the others. The id is
// [BackfillID].
func Backfill(ctx workflow.Context, in BackfillInput) (BackfillOutput, error) {
	out := BackfillOutput{Batches: []BackfilledBatch{}}
	err := workflow.UpsertTypedSearchAttributes(ctx, attrPipeline.ValueSet(in.Pipeline), attrStage.ValueSet("Backfill"))
	if err != nil {
		return out, err
	}
	plan, err := run(stage(ctx, fmt.Sprintf("List the batches from %s to %s", in.From, in.To), 5*time.Minute), act.PlanBackfill,
		activities.PlanBackfillInput{Pipeline: in.Pipeline, From: in.From, To: in.To})
	if err != nil {
		return out, err
	}
	for i, name := range plan.Batches {
		setDetails(ctx, BackfillCard{in, len(plan.Batches), out}.Markdown())
		b, err := backfillOne(ctx, in, name)
		if err != nil {
			return out, err
		}
		out.Batches = append(out.Batches, b)
		err = workflow.UpsertTypedSearchAttributes(ctx, attrBatch.ValueSet(name), attrStage.ValueSet(fmt.Sprintf("%d of %d", i+1, len(plan.Batches))))
		if err != nil {
			return out, err
		}
	}
	setDetails(ctx, BackfillCard{in, len(plan.Batches), out}.Markdown())
	return out, workflow.UpsertTypedSearchAttributes(ctx, attrVerdict.ValueSet("backfilled"), attrStage.ValueSet("Done"))
}

// backfillOne scores one batch. Only a cancellation is an error.
func backfillOne(ctx workflow.Context, in BackfillInput, name string) (BackfilledBatch, error) {
	batch := ScoreBatchInput{Pipeline: in.Pipeline, Batch: name, By: in.By, Backfill: &activities.Backfill{Mode: in.Mode, Replace: in.Replace, Reason: in.Reason}}
	child := workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
		WorkflowID:            ScoreID(in.Pipeline, name),
		WorkflowIDReusePolicy: enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		WaitForCancellation:   true,
		StaticSummary:         fmt.Sprintf("Score %s %s %s", in.Pipeline, name, in.Mode),
		StaticDetails:         scoreDetails(batch),
	})
	b := BackfilledBatch{Batch: name}
	var out ScoreBatchOutput
	err := workflow.ExecuteChildWorkflow(child, ScoreBatch, batch).Get(ctx, &out)
	switch {
	case temporal.IsCanceledError(err):
		return b, err
	case err != nil:
		b.Outcome, b.Reason = "failed", cause(err)
	case out.Kept != "":
		b.Outcome, b.Reason = "kept", out.Kept
	case out.Publication == 0:
		b.Outcome, b.Reason = string(out.Verdict), strings.Join(out.Reasons, "; ")
	case out.Unchanged:
		b.Outcome, b.Publication, b.Rows = "unchanged", out.Publication, out.Published
	default:
		b.Outcome, b.Publication, b.Rows, b.Changed, b.Restated = "published", out.Publication, out.Published, out.Changed, out.Restated
	}
	return b, nil
}

// A BackfillCard is what there is to see of a backfill.
type BackfillCard struct {
	Input BackfillInput  `json:"input"`
	Of    int            `json:"of"` // batches in the range
	Done  BackfillOutput `json:"done"`
}

// Markdown returns the card for the page of the run.
func (c BackfillCard) Markdown() string {
	var b strings.Builder
	b.WriteString(fmt.Sprintf("### %s %s to %s: %d of %d batches\n\n| Mode | %s |\n|---|---|\n| Why | %s (%s, claimed) |\n",
		c.Input.Pipeline, c.Input.From, c.Input.To, len(c.Done.Batches), c.Of, c.Input.Mode, plain(c.Input.Reason), plain(c.Input.By)))
	if len(c.Done.Batches) < c.Of {
		b.WriteString(fmt.Sprintf("| Who acts | nobody, unless `%s` waits for an answer |\n", ScoreID(c.Input.Pipeline, "…")))
	}
	if len(c.Done.Batches) == 0 {
		return b.String()
	}
	b.WriteString("\n| Batch | Outcome | Publication | Rows | Changed keys | |\n|---|---|---:|---:|---:|---|\n")
	for _, done := range c.Done.Batches {
		changed := "–"
		if done.Changed != nil {
			changed = figure.Count(*done.Changed)
		}
		note := plain(done.Reason)
		if done.Restated {
			note = "restated: no evidence"
		}
		b.WriteString(fmt.Sprintf("| %s | %s | %d | %s | %s | %s |\n", done.Batch, done.Outcome, done.Publication, figure.Count(done.Rows), changed, note))
	}
	return b.String()
}
