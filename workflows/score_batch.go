package workflows

import (
	"errors"
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"headgate/activities"
	"headgate/internal/figure"
	papers "headgate/internal/run"
	"headgate/internal/store"
)

// ScoreBatchInput names the batch to score.
type ScoreBatchInput struct {
	Pipeline string `json:"pipeline"`
	Batch    string `json:"batch"`
	By       string `json:"by"` // who asked, as claimed

	Backfill *activities.Backfill `json:"backfill,omitempty"` // nil unless a past batch is scored again, see [Backfill]
}

// ScoreBatchOutput says what came of a batch. A block is an answer, not a failure.
type ScoreBatchOutput struct {
	Verdict      papers.Verdict `json:"verdict"`
	Reasons      []string       `json:"reasons,omitempty"`
	Run          store.Digest   `json:"run"`
	Model        store.Digest   `json:"model"`
	Rows         int64          `json:"rows"`
	Published    int64          `json:"published"`
	Quarantined  int64          `json:"quarantined"`
	Publication  int64          `json:"publication"`
	TableVersion int64          `json:"table_version"`
	Unchanged    bool           `json:"unchanged"` // the same rows were published already
	Values       store.Digest   `json:"values"`
	Anchor       string         `json:"anchor"`

	Warnings []string      `json:"warnings,omitempty"`
	Notes    []string      `json:"notes,omitempty"`    // what could not be judged yet
	Replaced int64         `json:"replaced,omitempty"` // rows in quarantine whose corrected row is published
	Keys     *papers.Keys  `json:"keys,omitempty"`
	Drift    *papers.Drift `json:"drift,omitempty"`
	Fallback int64         `json:"fallback,omitempty"` // of the published rows, with a score that is not the model's
	Answered string        `json:"answered,omitempty"` // who let it out or not, if somebody was asked

	Models   []papers.ModelRows   `json:"models,omitempty"`   // published rows by the model whose score they have, if there are several models
	Advance  []activities.Advance `json:"advance,omitempty"`  // what the gate said of candidates with a share
	Kept     string               `json:"kept,omitempty"`     // why a backfill left the batch as it is; all else is empty then
	Restated bool                 `json:"restated,omitempty"` // by a backfill from other input than the first time: no evidence
	Changed  *int64               `json:"changed,omitempty"`  // keys whose rows are not what the publication before says

	Taken   string   `json:"taken,omitempty"`   // why the champion serves all rows after all
	Skipped []string `json:"skipped,omitempty"` // shards that a person left out
}

// batch is the state of one ScoreBatch.
type batch struct {
	in      ScoreBatchInput
	plan    activities.ResolveOutput
	card    Scorecard
	out     ScoreBatchOutput
	answer  question
	trials  trials
	waiting waiting // what the list says of whom it waits for

	caughtUp bool // the batch was missing, and no other one is any more
}

// ScoreBatch scores one batch and publishes it in one commit, or says why not.
//
// Its id is [ScoreID]. A batch that breaks its contract ends with verdict block and
// nothing published. A cancellation stops within a record and publishes nothing.
func ScoreBatch(ctx workflow.Context, in ScoreBatchInput) (ScoreBatchOutput, error) {
	b := &batch{in: in, card: Scorecard{Pipeline: in.Pipeline, Batch: in.Batch, Stage: "Resolve"}}
	err := workflow.SetQueryHandlerWithOptions(ctx, "scorecard", func() (Scorecard, error) { return b.card, nil },
		workflow.QueryHandlerOptions{Description: "Stage, rows, shards, quarantine and verdict so far, as JSON."})
	if err != nil {
		return b.out, err
	}
	if err := b.listen(ctx); err != nil {
		return b.out, err
	}
	b.trials.moved = b.goOn
	err = workflow.UpsertTypedSearchAttributes(ctx, attrPipeline.ValueSet(in.Pipeline), attrBatch.ValueSet(in.Batch))
	if err != nil {
		return b.out, err
	}
	err = b.score(ctx)
	b.alert(ctx, err)
	if err != nil {
		if unheard := heard(ctx); unheard != nil {
			return b.out, errors.Join(err, unheard)
		}
	}
	switch {
	case err == nil:
		return b.out, b.show(ctx, "Done")
	case temporal.IsCanceledError(err):
		b.card.Verdict = "cancelled"
	default:
		b.card.Verdict = "failed"
		b.card.Reasons = []string{cause(err)}
	}
	return b.out, joined(err, b.show(ctx, b.card.Stage))
}

// score goes through the stages.
func (b *batch) score(ctx workflow.Context) (err error) {
	if err = b.show(ctx, "Resolve"); err != nil {
		return err
	}
	b.plan, err = run(stage(ctx, "Pin what "+b.in.Batch+" reads", 10*time.Minute), act.Resolve,
		activities.ResolveInput{Pipeline: b.in.Pipeline, Batch: b.in.Batch, Backfill: b.in.Backfill, At: workflow.Now(ctx).UTC()})
	if err != nil {
		return err
	}
	if b.out.Kept = b.plan.Kept; b.out.Kept != "" {
		b.card.Verdict, b.card.Reasons = "kept", []string{b.out.Kept}
		return nil
	}
	b.planned()
	ctx = b.patient(ctx)
	if err = b.show(ctx, "CheckFooters"); err != nil {
		return err
	}
	footers, err := run(stage(ctx, fmt.Sprintf("Check the footers of %d files", b.plan.Files), 10*time.Minute),
		act.CheckFooters, activities.CheckFootersInput{Run: b.plan.Run})
	if err != nil {
		return err
	}
	if footers.Verdict != papers.Pass {
		return b.block(ctx, footers.Reasons, footers.Paper)
	}
	references, err := b.indexReferences(ctx)
	if err != nil {
		return err
	}
	if err = b.show(ctx, "ScoreShards"); err != nil {
		return err
	}
	shards, err := b.scoreShards(ctx)
	if err != nil {
		return err
	}
	if err = b.show(ctx, "JudgeData"); err != nil {
		return err
	}
	data, err := run(stage(ctx, "Judge the whole batch", time.Hour), act.JudgeData,
		activities.JudgeDataInput{Run: b.plan.Run, Shards: shards, References: references, History: b.plan.History, At: workflow.Now(ctx).UTC(), Acted: b.plan.Acted})
	if err != nil {
		return err
	}
	b.judged(data)
	if data.Verdict == papers.Ask {
		if data, err = b.ask(ctx, data); err != nil {
			return err
		}
	}
	if data.Verdict != papers.Pass {
		return b.block(ctx, data.Reasons, data.Paper)
	}
	return b.publish(ctx, shards, data)
}

// indexReferences reads the keys of the sets that the contract points to, if it does.
func (b *batch) indexReferences(ctx workflow.Context) (*papers.Object, error) {
	if b.plan.References == 0 {
		return nil, nil
	}
	if err := b.show(ctx, "IndexReferences"); err != nil {
		return nil, err
	}
	out, err := run(stage(ctx, "Read the keys of "+figure.Things(b.plan.References, "other set"), time.Hour),
		act.IndexReferences, activities.IndexReferencesInput{Run: b.plan.Run})
	return &out.Paper, err
}

// fallback assembles the rows of customers whom the model could not score, if the
// pipeline wants them to have some.
func (b *batch) fallback(ctx workflow.Context, data activities.JudgeDataOutput) (*papers.Object, error) {
	if !data.Fallback {
		return nil, nil
	}
	out, err := run(stage(ctx, "Assemble the fallback scores", time.Hour), act.AssembleFallback,
		activities.AssembleFallbackInput{Run: b.plan.Run, Data: data.Paper})
	return &out, err
}

// publish decides whose scores are published, assembles the table's files and commits
// them. Then it looks whether all of that still holds.
func (b *batch) publish(ctx workflow.Context, shards activities.Papers, data activities.JudgeDataOutput) error {
	serving, err := b.decide(ctx, data)
	if err != nil {
		return err
	}
	if err := b.show(ctx, "AssembleShards"); err != nil {
		return err
	}
	in := activities.PublishInput{Run: b.plan.Run, Model: b.plan.Model, Contract: b.plan.Contract, Head: b.plan.Head, Expect: b.plan.Expect,
		Data: data.Paper, Serving: serving, Operation: operation(ctx), By: b.in.By, Backfill: b.in.Backfill}
	if b.in.Backfill != nil {
		in.Reason = b.in.Backfill.Reason
	}
	in.Table, err = assembleAll(ctx, AssembleShardsInput{Run: b.plan.Run, Parallel: b.plan.Parallel, Data: data.Paper, To: b.plan.Shards, Serving: serving}, shards)
	if err != nil {
		return err
	}
	if in.Fallback, err = b.fallback(ctx, data); err != nil {
		return err
	}
	if err := b.checkColour(ctx, in); err != nil {
		return err
	}
	if err := b.show(ctx, "Publish"); err != nil {
		return err
	}
	// A commit that has begun is carried through: a cancellation before it stops the
	// batch, and none can leave the table and the registry apart.
	if err := ctx.Err(); err != nil {
		return err
	}
	disconnected, _ := workflow.NewDisconnectedContext(ctx)
	in.At = workflow.Now(ctx).UTC()
	out, err := run(stage(disconnected, "Commit "+b.in.Batch+" to the table", 10*time.Minute), act.Publish, in)
	if err != nil {
		return err
	}
	b.out.Verdict, b.card.Verdict = papers.Pass, string(papers.Pass)
	b.published(out)
	if err := b.lookAgain(disconnected, shards, serving); err != nil {
		return err
	}
	b.tellRelease(disconnected)
	if !b.plan.Labels {
		return nil
	}
	return evaluateLater(disconnected, EvaluateBatchInput{Pipeline: b.in.Pipeline, Batch: b.in.Batch, By: b.in.By})
}

// tellRelease wakes the release of the pipeline, if models of it come and go.
func (b *batch) tellRelease(ctx workflow.Context) {
	if b.plan.Check {
		wakeRelease(ctx, b.in.Pipeline)
	}
}

// published shows where the batch is now.
func (b *batch) published(out activities.PublishOutput) {
	b.out.Published, b.out.Publication, b.out.TableVersion = out.Rows, out.Publication, out.TableVersion
	b.out.Unchanged, b.out.Values, b.out.Anchor, b.out.Fallback = out.Unchanged, out.Values, out.Anchor, out.Fallback
	b.out.Models, b.out.Restated, b.out.Changed = out.Models, out.Restated, out.Changed
	b.card.Published, b.card.Publication = out.Rows, out.Publication
	b.card.Unchanged, b.card.TableVersion, b.card.Anchor, b.card.Fallback = out.Unchanged, out.TableVersion, out.Anchor, out.Fallback
	b.card.Serves = out.Models
	b.caughtUp = out.CaughtUp
}

// block ends a batch that is not published. A verdict that a person gave is in the
// registry already.
func (b *batch) block(ctx workflow.Context, reasons []string, paper papers.Object) error {
	b.out.Verdict, b.out.Reasons = papers.Block, reasons
	b.card.Verdict, b.card.Reasons = string(papers.Block), reasons
	if b.out.Answered != "" {
		return nil
	}
	err := b.record(ctx, papers.Block, reasons, paper)
	if err == nil {
		b.tellRelease(ctx)
	}
	return err
}

// record enters a verdict that publishes nothing in the registry.
func (b *batch) record(ctx workflow.Context, verdict papers.Verdict, reasons []string, paper papers.Object) error {
	if err := b.show(ctx, "Record"); err != nil {
		return err
	}
	out, err := run(stage(ctx, fmt.Sprintf("Enter the %s in the registry", verdict), 5*time.Minute), act.Record, activities.RecordInput{
		Run: b.plan.Run, Model: b.plan.Model, Contract: b.plan.Contract, Paper: paper, Verdict: verdict,
		Reasons: reasons, Operation: operation(ctx), At: workflow.Now(ctx).UTC(), By: b.in.By})
	b.out.Anchor, b.card.Anchor = out.Anchor, out.Anchor
	return err
}

func (b *batch) planned() {
	b.out.Run, b.out.Model, b.out.Rows = b.plan.Run.Run, b.plan.Model, b.plan.Rows
	b.card.Run, b.card.Model = papers.Short(b.plan.Run.Run), papers.Short(b.plan.Model)
	b.card.Files, b.card.Bytes, b.card.Rows, b.card.Shards = b.plan.Files, b.plan.Bytes, b.plan.Rows, b.plan.Shards
}

func (b *batch) judged(data activities.JudgeDataOutput) {
	b.out.Quarantined, b.out.Skipped, b.card.Skipped = data.Quarantined, data.Skipped, data.Skipped
	b.out.Warnings, b.out.Notes, b.out.Replaced, b.out.Keys, b.out.Drift = data.Warnings, data.Notes, data.Replaced, data.Keys, data.Drift
	b.card.Quarantined, b.card.Budget, b.card.Warnings, b.card.Rules = data.Quarantined, data.Budget, data.Warnings, data.Rules
	b.card.Notes, b.card.Replaced, b.card.Keys, b.card.Drift = data.Notes, data.Replaced, data.Keys, data.Drift
}

// show puts the stage into the list view, and the scorecard onto the run's page.
func (b *batch) show(ctx workflow.Context, stage string) error {
	b.card.Stage, b.card.Failing = stage, b.trials.cards()
	updates := []temporal.SearchAttributeUpdate{attrStage.ValueSet(stage)}
	if b.card.Model != "" {
		updates = append(updates, attrModel.ValueSet(b.card.Model))
	}
	if b.card.Verdict != "" {
		updates = append(updates, attrVerdict.ValueSet(b.card.Verdict))
	}
	setDetails(ctx, b.card.Markdown())
	return workflow.UpsertTypedSearchAttributes(ctx, append(updates, b.listed()...)...)
}

// operation names this execution: stable over retries of its activities, different
// in every run of the workflow.
func operation(ctx workflow.Context) string {
	info := workflow.GetInfo(ctx)
	return info.WorkflowExecution.ID + "/" + info.FirstRunID
}

// joined returns err, and beside it what went wrong afterwards. Alone it stays as it is: of
// what [errors.Join] has touched, clients of Temporal get one text, and not the chain to the
// sentence of the activity.
func joined(err, afterwards error) error {
	if afterwards == nil {
		return err
	}
	return errors.Join(err, afterwards)
}

// cause returns the innermost message of a failure, which is the one a person wrote.
func cause(err error) string {
	var app *temporal.ApplicationError
	if errors.As(err, &app) {
		return app.Message()
	}
	return err.Error()
}
