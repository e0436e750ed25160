package activities

import (
	"context"
	"errors"
	"strings"
	"time"

	"headgate/internal/columnar"
	"headgate/internal/delta"
	"headgate/internal/pass"
	"headgate/internal/pipeline"
	"headgate/internal/registry"
	"headgate/internal/run"
	"headgate/internal/store"
)

// ResolveInput names the batch to plan.
type ResolveInput struct {
	Pipeline string    `json:"pipeline"`
	Batch    string    `json:"batch"`
	Backfill *Backfill `json:"backfill,omitempty"` // nil: the batch is scored by what is in force
	At       time.Time `json:"at,omitzero"`        // of the question whether a published batch is acted on
}

// ResolveOutput is what the workflow needs to know of the plan.
type ResolveOutput struct {
	Run
	Model    store.Digest `json:"model"`
	Contract store.Digest `json:"contract"`
	Files    int          `json:"files"`
	Bytes    int64        `json:"bytes"`
	Rows     int64        `json:"rows"`
	Shards   int          `json:"shards"`
	Parallel int          `json:"parallel"`
	Head     int64        `json:"head"`   // registry entries when the run was planned
	Expect   int64        `json:"expect"` // publications of the batch so far

	References int           `json:"references,omitempty"` // sets that relationships point to
	Replayed   int64         `json:"replayed,omitempty"`   // rows that are corrections of quarantined ones
	History    *run.Object   `json:"history,omitempty"`    // a run.History: what the batch is compared with
	Wait       time.Duration `json:"wait,omitempty"`       // how long a question waits for a person
	Labels     bool          `json:"labels,omitempty"`     // somebody will write down what came true

	Models []store.Digest `json:"models,omitempty"` // that score every row beside the champion
	Routed bool           `json:"routed,omitempty"` // some of them have an arm: the gate decides whether they serve
	Colour bool           `json:"colour,omitempty"` // all that is to be published is read again before the commit
	Kept   string         `json:"kept,omitempty"`   // why a backfill leaves the batch as it is; all else is empty then
	Acted  string         `json:"acted,omitempty"`  // why a person decides whether the publication is replaced
	Check  bool           `json:"check,omitempty"`  // models of this pipeline come and go: look again after the commit
	Alerts bool           `json:"alerts,omitempty"` // somebody is told when something goes wrong

	OnFail string `json:"onFail,omitempty"` // pipeline.OnFailFail or OnFailAsk; empty in runs that nobody could hurry
}

// OnFailAsk is the OnFail of a pipeline that asks about shards which cannot be scored.
const OnFailAsk = pipeline.OnFailAsk

// Resolve pins what a run reads: pipeline file, contract, champion, and the input
// files with their footers, cut into shards. It writes plan.json, whose digest is
// the run.
func (a *Activities) Resolve(ctx context.Context, in ResolveInput) (ResolveOutput, error) {
	return stage(ctx, func(ctx context.Context, report func(Progress)) (ResolveOutput, error) {
		log, err := registry.Load(ctx, a.store, in.Pipeline)
		if err != nil {
			return ResolveOutput{}, err
		}
		state := log.State()
		by, err := inForce(in.Pipeline, &state)
		if err != nil {
			return ResolveOutput{}, err
		}
		if in.Backfill != nil {
			kept := ""
			if by, kept, err = a.past(ctx, in, log, by); err != nil || kept != "" {
				return ResolveOutput{Run: Run{Pipeline: in.Pipeline, Batch: in.Batch}, Kept: kept}, err
			}
		}
		f, err := a.files(ctx, by.file, by.contract, by.output)
		if err != nil {
			return ResolveOutput{}, err
		}
		if err := a.fits(ctx, f, by.champion, in.Batch); err != nil {
			return ResolveOutput{}, err
		}
		plan := &run.Plan{Format: run.Format, Scoring: run.ScoringVersion, Pipeline: in.Pipeline, Batch: in.Batch,
			File: by.file, Contract: by.contract, Output: by.output, Champion: by.champion}
		if in.Backfill == nil { // challengers take no part in one
			if err := a.planModels(ctx, &state, f, plan); err != nil {
				return ResolveOutput{}, err
			}
		}
		if err := a.planInput(ctx, f, plan, report); err != nil {
			return ResolveOutput{}, err
		}
		snapshot, err := delta.Open(a.store, run.TablePrefix(in.Pipeline)).Snapshot(ctx)
		if err != nil {
			return ResolveOutput{}, err
		}
		name, err := run.SavePlan(ctx, a.store, plan)
		if err != nil {
			return ResolveOutput{}, err
		}
		out := ResolveOutput{Run: Run{in.Pipeline, in.Batch, name}, Model: plan.Champion, Contract: plan.Contract,
			Files: len(plan.Files), Rows: plan.Rows, Shards: len(plan.Shards), Parallel: f.pipeline.Shards.Parallel,
			Head: log.Head(), Expect: snapshot.Publication(in.Batch),
			References: len(plan.References), Replayed: replayed(plan), Wait: time.Duration(f.pipeline.Ask.Wait),
			Models: plan.Models, Routed: plan.Routing != nil, Colour: swaps(f.pipeline, plan),
			Check:  f.pipeline.Labels != nil || state.Routing != "" || len(state.Rejected) > 0,
			Labels: f.pipeline.Labels != nil, Alerts: f.pipeline.Alerts != nil, OnFail: f.pipeline.Shards.OnFail}
		for _, file := range plan.Files {
			out.Bytes += file.Size
		}
		current, published := snapshot.Current(in.Batch)
		out.Acted = actedOn(in, f.pipeline, name, current, published)
		out.History, err = a.saveHistory(ctx, out.Run, plan, f.pipeline, snapshot)
		return out, err
	})
}

// inForce returns what the registry says that a batch goes by now.
func inForce(name string, state *registry.State) (goesBy, error) {
	switch {
	case state.Pipeline == "":
		return goesBy{}, fail(KindUnknown, "pipeline %q is not registered in this store; run: starter register PIPELINE.yaml", name)
	case state.Champion() == "":
		return goesBy{}, fail(KindUnknown, "pipeline %q has no champion; run: starter register PIPELINE.yaml --model FILE --champion", name)
	}
	return goesBy{state.Pipeline, state.Contract, state.Output, state.Champion()}, nil
}

// fits checks what the pipeline file, the contract and the model say of each other.
func (a *Activities) fits(ctx context.Context, f files, champion store.Digest, batch string) error {
	v, err := a.version(ctx, champion)
	if err != nil {
		return err
	}
	err = errors.Join(f.pipeline.CheckBatch(batch), f.pipeline.CheckContract(f.contract), f.pipeline.CheckOutputs(v.Scorer.Outputs()),
		pass.CheckNames(f.contract, f.pipeline.Scores.Keep, v.Scorer.Outputs()))
	if f.output != nil {
		err = errors.Join(err, pass.CheckOutput(f.output, f.contract, f.pipeline.Scores.Keep, v.Scorer.Outputs()))
	}
	if err != nil {
		return &kindError{KindConfig, err}
	}
	return nil
}

// planInput adds everything that a run reads to its plan.
func (a *Activities) planInput(ctx context.Context, f files, plan *run.Plan, report func(Progress)) error {
	if err := a.planFiles(ctx, f.pipeline, plan, report); err != nil {
		return err
	}
	if err := a.planReferences(ctx, f, plan); err != nil {
		return err
	}
	return a.planReplays(ctx, f.pipeline, plan)
}

// planFiles lists the files of the batch, reads their footers, and cuts shards.
func (a *Activities) planFiles(ctx context.Context, c *pipeline.Config, plan *run.Plan, report func(Progress)) error {
	base, prefix, match := c.Files(plan.Batch)
	in, err := a.openInputs(ctx, base)
	if err != nil {
		return err
	}
	defer in.close()
	plan.Input = base
	found, err := in.list(ctx, prefix, match)
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return fail(KindNoData, "no file matches %q for batch %s in %s; deliver the batch or correct input.files",
			c.Input.Files, plan.Batch, in.bucket.URL())
	}
	for i, key := range found {
		if err := planFile(ctx, in, key, false, plan, c.Shards.Rows); err != nil {
			return err
		}
		report(Progress{Done: int64(i + 1), Total: int64(len(found))})
	}
	return nil
}

// planReplays adds the files of corrected rows that were handed in for this delivery.
func (a *Activities) planReplays(ctx context.Context, c *pipeline.Config, plan *run.Plan) error {
	base, err := plan.Digest()
	if err != nil {
		return err
	}
	in := &inputs{bucket: a.store}
	found, err := in.list(ctx, run.ReplayPrefix(plan.Pipeline, plan.Batch, base), func(key string) bool { return strings.HasSuffix(key, ".parquet") })
	if err != nil {
		return err
	}
	for _, key := range found {
		if err := planFile(ctx, in, key, true, plan, c.Shards.Rows); err != nil {
			return err
		}
	}
	return nil
}

// planFile adds a file and its shards to a plan.
func planFile(ctx context.Context, in *inputs, key string, replay bool, plan *run.Plan, rows int64) error {
	file, groups, err := in.pin(ctx, key)
	if err != nil {
		return err
	}
	file.Replay = replay
	plan.Files = append(plan.Files, file)
	plan.Rows += file.Rows
	plan.Shards = append(plan.Shards, cutShards(len(plan.Files)-1, groups, rows)...)
	return nil
}

// cutShards groups neighbouring row groups into shards of about the given rows. A row
// group is never split.
func cutShards(file int, groups []columnar.RowGroup, rows int64) []run.Shard {
	var shards []run.Shard
	var row int64
	for i, g := range groups {
		if g.Rows == 0 {
			continue
		}
		last := len(shards) - 1
		if last < 0 || shards[last].Rows+g.Rows > rows {
			shards = append(shards, run.Shard{File: file, FirstGroup: i, FirstRow: row})
			last++
		}
		s := &shards[last]
		s.Groups = i + 1 - s.FirstGroup
		s.Rows += g.Rows
		row += g.Rows
	}
	return shards
}
