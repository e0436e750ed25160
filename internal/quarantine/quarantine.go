// Package quarantine reads the rows that a run kept back, and takes corrected rows in
// again.
//
// It only reads and hands in. Whether a corrected row is published is decided where
// every row is: by the run that scores the batch with it. What is checked here is
// checked so that whoever corrected the rows hears of it at once.
//
// Start with [Load] to see the rows and with [Replay] to hand corrected ones in.
package quarantine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"headgate/internal/contract"
	"headgate/internal/pipeline"
	"headgate/internal/registry"
	"headgate/internal/run"
	"headgate/internal/store"
)

// A Quarantine is what the last run over a batch kept back: the run that is published,
// or that was blocked or waits for an answer since.
type Quarantine struct {
	Pipeline, Batch string

	Run      store.Digest
	Verdict  run.Verdict
	Plan     *run.Plan
	Data     *run.Data // its verdict, with the counts by rule
	Contract *contract.Contract
	Config   *pipeline.Config
	Notes    []string // which rows or values [Quarantine.Records] does not have, and why

	bucket   *store.Bucket
	inForce  registry.State
	results  []run.ShardResult  // none if no row was read
	late     map[place]string   // rule by row
	replaced map[place]struct{} // rows whose corrected row is scored
	gone     map[int]bool       // files with late rows that were replaced since
}

// A place is a row within the shards of a run.
type place struct {
	shard int
	row   int64 // ordinal within the shard
}

// Load reads what the last run over a batch left behind. The error says so if the
// pipeline is not registered or the batch was never judged.
func Load(ctx context.Context, b *store.Bucket, pipeline, batch string) (*Quarantine, error) {
	log, err := registry.Load(ctx, b, pipeline)
	if err != nil {
		return nil, err
	}
	state, ok := log.State().Batches[batch]
	if !ok {
		return nil, fmt.Errorf("batch %s of %s was not judged yet, so no row is in quarantine", batch, pipeline)
	}
	last := log.Entries()[state.Seq-1]
	q := &Quarantine{Pipeline: pipeline, Batch: batch, Run: last.Run, bucket: b, inForce: log.State(),
		late: map[place]string{}, replaced: map[place]struct{}{}, gone: map[int]bool{}}
	if q.Plan, err = run.LoadPlan(ctx, b, pipeline, batch, last.Run); err != nil {
		return nil, err
	}
	if q.Contract, q.Config, err = files(ctx, b, q.Plan); err != nil {
		return nil, err
	}
	if q.Data, err = run.FindVerdict(ctx, b, pipeline, batch, q.Run, last.Decision); err != nil {
		return nil, err
	}
	if q.Data.Stage == run.StageFooters {
		q.Notes = append(q.Notes, "the batch was blocked before a row was read")
	}
	q.Verdict = q.Data.Verdict
	for _, l := range q.Data.Late {
		q.late[place{l.Shard, l.Row}] = l.Rule
	}
	if err := q.loadResults(ctx); err != nil {
		return nil, err
	}
	return q, errors.Join(q.findReplaced(ctx), q.findGone(ctx))
}

// files reads the contract and the pipeline file of a plan.
func files(ctx context.Context, b *store.Bucket, plan *run.Plan) (*contract.Contract, *pipeline.Config, error) {
	text, err := b.GetBlob(ctx, plan.Contract)
	if err != nil {
		return nil, nil, err
	}
	c, err := contract.Parse(string(plan.Contract), text)
	if err != nil {
		return nil, nil, err
	}
	if text, err = b.GetBlob(ctx, plan.File); err != nil {
		return nil, nil, err
	}
	conf, err := pipeline.ParseKept(string(plan.File), text)
	return c, conf, err
}

// loadResults reads what the shards wrote.
func (q *Quarantine) loadResults(ctx context.Context) (err error) {
	// Before a row was read there are no results, and verdicts of the first version do not
	// name them.
	if len(q.Data.Shards) > 0 {
		if q.results, err = run.Results(ctx, q.bucket, q.Plan, q.Data); err != nil {
			return err
		}
	}
	for _, s := range q.Data.Skipped {
		q.Notes = append(q.Notes, s.Sentence())
	}
	var found int64
	for _, r := range q.results {
		found += r.Quarantined
	}
	if missing := q.Data.Quarantined - found - int64(len(q.late)); missing > 0 && len(q.results) > 0 {
		q.Notes = append(q.Notes, fmt.Sprintf("%d rows that only the whole batch shows to be bad are counted and not listed", missing))
	}
	return nil
}

// Rules returns the rules that sent rows to quarantine, those with most rows first.
func (q *Quarantine) Rules() []RuleCount {
	var all []RuleCount
	for rule, rows := range q.Data.Rules {
		all = append(all, RuleCount{rule, rows})
	}
	slices.SortFunc(all, func(a, b RuleCount) int { return cmp.Or(cmp.Compare(b.Rows, a.Rows), cmp.Compare(a.Rule, b.Rule)) })
	return all
}

// A RuleCount is how many rows a rule sent to quarantine. A row may break several.
type RuleCount struct {
	Rule string `json:"rule"`
	Rows int64  `json:"rows"`
}
