package workflows

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/workflow"

	"headgate/activities"
	"headgate/internal/figure"
	papers "headgate/internal/run"
	"headgate/internal/store"
)

// ShadowBatchInput names models that score a published batch after the fact.
type ShadowBatchInput struct {
	Pipeline string         `json:"pipeline"`
	Batch    string         `json:"batch"`
	Models   []store.Digest `json:"models"`
	By       string         `json:"by"`
}

// ShadowBatchOutput says which models have scored every row, and why others have not.
type ShadowBatchOutput struct {
	Run    store.Digest             `json:"run"` // that is published
	Rows   int64                    `json:"rows"`
	Scored []store.Digest           `json:"scored,omitempty"`
	Failed []activities.FailedModel `json:"failed,omitempty"`
	Anchor string                   `json:"anchor,omitempty"`
}

// ShadowID is the id of the workflow that lets models score a published batch.
func ShadowID(pipeline, batch string) string { return "shadow/" + pipeline + "/" + batch }

// ShadowBatch lets models score the rows of a published batch, from the input that its
// run recorded, and publishes nothing. Each model that has scored every row gets a
// shadow entry in the registry. A model that has scored the run already is not asked
// again. The id is [ShadowID].
func ShadowBatch(ctx workflow.Context, in ShadowBatchInput) (ShadowBatchOutput, error) {
	var out ShadowBatchOutput
	err := workflow.UpsertTypedSearchAttributes(ctx, attrPipeline.ValueSet(in.Pipeline), attrBatch.ValueSet(in.Batch), attrStage.ValueSet("Shadow"))
	if err != nil {
		return out, err
	}
	found, err := run(stage(ctx, "Find what "+in.Batch+" was published from", 5*time.Minute), act.FindShadow,
		activities.FindShadowInput{Pipeline: in.Pipeline, Batch: in.Batch, Models: in.Models})
	if err != nil {
		return out, err
	}
	out.Run, out.Rows, out.Scored = found.Run.Run, found.Rows, found.Scored
	if len(found.Models) > 0 {
		if err := shadow(ctx, in, found, &out); err != nil {
			return out, err
		}
	}
	setDetails(ctx, ShadowCard{in.Pipeline, in.Batch, out}.Markdown())
	return out, workflow.UpsertTypedSearchAttributes(ctx, attrStage.ValueSet("Done"))
}

// shadow scores the batch in windows, and enters what came of it.
func shadow(ctx workflow.Context, in ShadowBatchInput, found activities.FindShadowOutput, out *ShadowBatchOutput) error {
	var lists []papers.Object
	for from, i := 0, 0; from < found.Shards; from, i = from+window, i+1 {
		if i >= len(found.Lists) {
			return fmt.Errorf("%d lists of results for %d shards", len(found.Lists), found.Shards)
		}
		part := ShadowShardsInput{Run: found.Run, From: from, To: min(from+window, found.Shards), Parallel: found.Parallel, Shards: found.Lists[i], Models: found.Models}
		var list papers.Object
		err := workflow.ExecuteChildWorkflow(windowOf(ctx, "shadow", from), ShadowShards, part).Get(ctx, &list)
		if err != nil {
			return err
		}
		lists = append(lists, list)
	}
	done, err := run(stage(ctx, "Enter who has scored "+in.Batch, 10*time.Minute), act.RecordShadow, activities.RecordShadowInput{
		Run: found.Run, Shards: activities.Papers{Lists: lists}, Models: found.Models, Operation: operation(ctx), At: workflow.Now(ctx).UTC(), By: in.By})
	out.Scored, out.Failed, out.Anchor = append(out.Scored, done.Scored...), done.Failed, done.Anchor
	return err
}

// A ShadowCard is what there is to see of models that scored a batch after the fact.
type ShadowCard struct {
	Pipeline string            `json:"pipeline"`
	Batch    string            `json:"batch"`
	Done     ShadowBatchOutput `json:"done"`
}

// Markdown returns the card for the page of the run.
func (c ShadowCard) Markdown() string {
	text := fmt.Sprintf("### %s %s: %s scored again\n\n| Rows | %s |\n|---|---|\n", c.Pipeline, c.Batch, figure.Things(len(c.Done.Scored), "model"), figure.Count(c.Done.Rows))
	for _, m := range c.Done.Scored {
		text += fmt.Sprintf("| `%s` | has scored every row, in shadow: nobody is served |\n", papers.Short(m))
	}
	for _, f := range c.Done.Failed {
		text += fmt.Sprintf("| `%s` | **has not**: %s |\n", papers.Short(f.Model), plain(f.Reason))
	}
	return text
}

// ShadowShardsInput names a range of scored shards, and models.
type ShadowShardsInput struct {
	activities.Run
	From     int            `json:"from"`
	To       int            `json:"to"` // exclusive
	Parallel int            `json:"parallel"`
	Shards   papers.Object  `json:"shards"` // the window's list of results
	Models   []store.Digest `json:"models"`
}

// ShadowShards lets models score a window of shards, and returns the list of results.
func ShadowShards(ctx workflow.Context, in ShadowShardsInput) (papers.Object, error) {
	results, err := run(stage(ctx, "Read the list of results", 5*time.Minute), act.ReadList, in.Shards)
	if err != nil {
		return papers.Object{}, err
	}
	if len(results) != in.To-in.From {
		return papers.Object{}, fmt.Errorf("%d results for %d shards", len(results), in.To-in.From)
	}
	items := make([]papers.Object, len(results))
	err = slide(ctx, in.From, in.To, in.Parallel, func(ctx workflow.Context, i int) (err error) {
		items[i-in.From], err = run(stage(ctx, fmt.Sprintf("Score shard %d in shadow", i), time.Hour), act.ShadowShard,
			activities.ShadowShardInput{Run: in.Run, Shard: i, Result: results[i-in.From], Models: in.Models})
		return err
	})
	if err != nil {
		return papers.Object{}, err
	}
	return run(stage(ctx, "List the results", 5*time.Minute), act.Collect,
		activities.CollectInput{Run: in.Run, Name: "shadow", First: in.From, Items: items})
}
