package activities

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"headgate/internal/contract"
	"headgate/internal/delta"
	"headgate/internal/model"
	"headgate/internal/pipeline"
	"headgate/internal/registry"
	"headgate/internal/release"
	"headgate/internal/run"
	"headgate/internal/store"
)

// A DryRun says what the scoring of a batch would be, from the footers of its files alone.
type DryRun struct {
	Pipeline    string         `json:"pipeline"`
	Batch       string         `json:"batch"`
	Champion    store.Digest   `json:"champion,omitempty"`
	Models      []store.Digest `json:"models,omitempty"` // that score beside the champion
	Files       int            `json:"files"`
	Bytes       int64          `json:"bytes"`
	Rows        int64          `json:"rows"`
	Shards      int            `json:"shards"`
	Parallel    int            `json:"parallel"`    // shards in flight
	Budget      int64          `json:"budget"`      // rows that may go to quarantine
	Publication int64          `json:"publication"` // number that it would have

	Verdict  run.Verdict `json:"verdict,omitempty"`  // of the footers; "" if they could not be read
	Reasons  []string    `json:"reasons,omitempty"`  // of a block
	Estimate *Estimate   `json:"estimate,omitempty"` // nil if there is nothing to read
	Gates    []string    `json:"gates"`              // that will be asked, in their order
	People   []string    `json:"people,omitempty"`   // who may have to act
	Missing  []string    `json:"missing,omitempty"`  // what keeps it from being scored
}

// An Estimate is what a batch will cost.
type Estimate struct {
	Wall   float64 `json:"wallSeconds"` // if as many shards run at a time as the pipeline allows
	CPU    float64 `json:"cpuSeconds"`  // at most, if it is measured
	Rate   float64 `json:"rowsPerSecond"`
	Source string  `json:"source"` // where the rate comes from
}

// DefaultRate is how many rows one model scores in a second of one processor, with
// everything that is done besides, by bench/README.md: 28 features, a champion of 800 KB.
const DefaultRate = 120_000

// scoreShare is the share of that second that goes into the model; another one costs it
// again.
const scoreShare = 0.72

// TryBatch says what the scoring of a batch would be. It writes nothing and reads no row.
// What keeps a batch from being scored is an answer; an error means that nobody could look.
func TryBatch(ctx context.Context, b *store.Bucket, formats model.Formats, log *registry.Log, batch string, report func(Progress)) (*DryRun, error) {
	a := New(b, formats)
	state := log.State()
	f, err := a.files(ctx, state.Pipeline, state.Contract, state.Output)
	if err != nil {
		return nil, err
	}
	if err := f.pipeline.CheckBatch(batch); err != nil {
		return nil, err
	}
	snapshot, err := delta.Open(b, run.TablePrefix(log.Pipeline())).Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	out := &DryRun{Pipeline: log.Pipeline(), Batch: batch, Champion: state.Champion(), Parallel: f.pipeline.Shards.Parallel, Publication: snapshot.Publication(batch) + 1}
	plan := &run.Plan{Format: run.Format, Scoring: run.ScoringVersion, Pipeline: out.Pipeline, Batch: batch,
		File: state.Pipeline, Contract: state.Contract, Output: state.Output, Champion: out.Champion}
	if out.Champion == "" {
		out.lacks("there is no champion; run: starter register PIPELINE.yaml --model FILE --champion")
	} else if err := errors.Join(a.fits(ctx, f, out.Champion, batch), a.planModels(ctx, &state, f, plan)); err != nil {
		out.lacks("%v", err)
	}
	out.Models = plan.Models
	if err := a.tryInput(ctx, f, plan, out, report); err != nil {
		return nil, err
	}
	if len(plan.Files) > 0 {
		if out.Estimate, err = a.estimate(ctx, snapshot, plan, out.Parallel); err != nil {
			return nil, err
		}
	}
	out.gates(f, plan)
	return out, nil
}

func (d *DryRun) lacks(format string, args ...any) {
	d.Missing = append(d.Missing, fmt.Sprintf(format, args...))
}

// tryInput plans what would be read, and asks the footers.
func (a *Activities) tryInput(ctx context.Context, f files, plan *run.Plan, out *DryRun, report func(Progress)) error {
	for _, part := range []func() error{
		func() error { return a.planFiles(ctx, f.pipeline, plan, report) },
		func() error { return a.planReferences(ctx, f, plan) },
	} {
		switch err := part(); {
		case err == nil:
		case kindOf(err) == "":
			return err
		default:
			out.lacks("%v", err)
		}
	}
	if len(plan.Files) == 0 {
		return nil
	}
	if err := a.planReplays(ctx, f.pipeline, plan); err != nil {
		return err
	}
	out.Files, out.Rows, out.Shards = len(plan.Files), plan.Rows, len(plan.Shards)
	for _, file := range plan.Files {
		out.Bytes += file.Size
	}
	paper, err := a.judgeFooters(ctx, plan, f, report)
	switch {
	case err == nil:
		out.Budget, out.Verdict, out.Reasons = paper.Budget, paper.Verdict, few(paper.Reasons)
	case kindOf(err) == "":
		return err
	default:
		out.lacks("%v", err)
	}
	return nil
}

// cost is what the rows of a plan cost in rows that one model scores.
func cost(p *run.Plan) float64 { return float64(p.Rows) * (1 + scoreShare*float64(len(p.Models))) }

// measuredBatches is on how many of the last batches a rate is measured.
const measuredBatches = 3

// estimate says what the rows of a plan cost: by the last published batches, from the
// moment at which their plan was stored to that of their last shard, or by [DefaultRate].
func (a *Activities) estimate(ctx context.Context, snapshot *delta.Snapshot, plan *run.Plan, parallel int) (*Estimate, error) {
	lanes := float64(min(parallel, max(len(plan.Shards), 1)))
	var rates []float64
	var names []string
	batches := snapshot.Batches()
	for _, name := range slices.Backward(batches) {
		if len(rates) == measuredBatches {
			break
		}
		p, _ := snapshot.Current(name)
		rate, err := a.measured(ctx, p)
		if err != nil {
			return nil, err
		}
		if rate > 0 {
			rates, names = append(rates, rate), append(names, name)
		}
	}
	if len(rates) == 0 {
		cpu := cost(plan) / DefaultRate
		return &Estimate{Wall: cpu / lanes, CPU: cpu, Rate: DefaultRate * lanes,
			Source: fmt.Sprintf("no past run of this pipeline: %d rows a second and processor, as in bench/README.md, and a processor for each shard in flight", DefaultRate)}, nil
	}
	slices.Sort(rates)
	rate := rates[len(rates)/2]
	wall := cost(plan) / rate
	return &Estimate{Wall: wall, CPU: wall * lanes, Rate: rate, Source: "measured on " + strings.Join(names, ", ")}, nil
}

// measured returns how many rows of one model a publication's run scored in a second; 0 if
// its papers do not say.
func (a *Activities) measured(ctx context.Context, p delta.Publication) (float64, error) {
	name := store.Digest(p.Info["run"])
	if name == "" {
		return 0, nil
	}
	plan, err := run.LoadPlan(ctx, a.store, p.Pipeline, p.Batch, name)
	if errors.Is(err, store.ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	dir := run.Dir(p.Pipeline, p.Batch, name)
	begin, err := a.store.Stat(ctx, run.PlanKey(p.Pipeline, p.Batch, name))
	if err != nil {
		return 0, err
	}
	var end time.Time
	for attrs, err := range a.store.List(ctx, dir+"/shards/") {
		if err != nil {
			return 0, err
		}
		if attrs.ModTime.After(end) {
			end = attrs.ModTime
		}
	}
	if took := end.Sub(begin.ModTime).Seconds(); took > 0 {
		return cost(plan) / took, nil
	}
	return 0, nil
}

// gates says what will be judged, and who may have to act.
func (d *DryRun) gates(f files, plan *run.Plan) {
	c := f.pipeline
	gate := func(format string, args ...any) { d.Gates = append(d.Gates, fmt.Sprintf(format, args...)) }
	asks := func(what string) {
		d.People = append(d.People, fmt.Sprintf("%s: anybody may answer within %s; then the batch is blocked", what, c.Ask.Wait))
	}
	gate("contract: %d rules, %d comparisons with other batches, error budget %s", len(f.contract.Rules), len(f.contract.History)+len(c.History), c.Quarantine.Budget)
	if n := len(f.contract.Promises); n > 0 {
		gate("contract: %d service levels", n)
	}
	drifted := "is published, and recorded"
	if c.Drift.Action == pipeline.Asks {
		drifted = "waits for an answer"
	}
	gate("drift against %s: a drifted batch %s", c.Drift.Reference, drifted)
	if c.Warnings == pipeline.Asks && slices.ContainsFunc(f.contract.Rules, func(r contract.Rule) bool { return r.Severity == contract.Warning }) {
		asks("a warning asks")
	}
	if c.Drift.Action == pipeline.Asks {
		asks("drift asks")
	}
	if f.output != nil {
		gate("contract of the scores: %d rules", len(f.output.Rules))
	}
	if c.Gates != nil {
		for _, r := range c.Gates.Publish.Rules {
			gate("publish rule %s: else %s", r.ID, r.Else)
			if string(r.Else) == string(run.Ask) && !r.ReportOnly {
				asks("publish rule " + r.ID + " asks")
			}
		}
	}
	for _, m := range plan.Models {
		gate("model %s: scores beside the champion%s", run.Short(m), armOf(plan.Routing, m))
	}
	if d.Publication > 1 {
		gate("publication %d is there: the same bytes are no new publication", d.Publication-1)
		if c.Release != nil && c.Release.Approve.ActBy > 0 {
			asks(fmt.Sprintf("%s after the last publication, replacing it asks", c.Release.Approve.ActBy))
		}
	}
}

// armOf says which share of the entities a model serves.
func armOf(r *release.Routing, m store.Digest) string {
	if r != nil {
		for _, arm := range r.Arms {
			if store.Digest(arm.Model) == m && arm.Share > 0 {
				return fmt.Sprintf("; the canary gate lets it serve %s, or the champion does", release.StepName(arm.Share))
			}
		}
	}
	return " in shadow"
}
