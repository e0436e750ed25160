package activities

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"headgate/internal/columnar"
	"headgate/internal/pass"
	"headgate/internal/registry"
	"headgate/internal/run"
	"headgate/internal/serving"
	"headgate/internal/store"
)

// CheckRoutingInput names what a batch was published with.
type CheckRoutingInput struct {
	Run
	Serving store.Digest `json:"serving,omitempty"`
}

// CheckRoutingOutput says whether that still holds.
type CheckRoutingOutput struct {
	Rejected []store.Digest `json:"rejected,omitempty"` // models whose scores were published, and that may serve no longer
	Reason   string         `json:"reason,omitempty"`
	Champion store.Digest   `json:"champion"` // now
}

// CheckRouting looks into the registry again after the commit. A rollback appends first
// and then looks for publications; a batch commits first and then looks here: whoever
// comes second sees the other.
func (a *Activities) CheckRouting(ctx context.Context, in CheckRoutingInput) (CheckRoutingOutput, error) {
	return stage(ctx, func(ctx context.Context, _ func(Progress)) (CheckRoutingOutput, error) {
		plan, err := run.LoadPlan(ctx, a.store, in.Pipeline, in.Batch, in.Run.Run)
		if err != nil {
			return CheckRoutingOutput{}, err
		}
		s, err := serving.Load(ctx, a.store, in.Serving, in.Run.Run)
		if err != nil {
			return CheckRoutingOutput{}, err
		}
		log, err := registry.Load(ctx, a.store, in.Pipeline)
		if err != nil {
			return CheckRoutingOutput{}, err
		}
		state := log.State()
		out := CheckRoutingOutput{Champion: state.Aliases[registry.AliasChampion]}
		for _, m := range (&publishedRun{plan: plan, serving: s}).serves() {
			if why, rejected := state.Rejected[m]; rejected {
				out.Rejected = append(out.Rejected, m)
				out.Reason = fmt.Sprintf("model %s was rejected while the batch was being scored: %s", run.Short(m), why)
			}
		}
		return out, nil
	})
}

// PlanRepublishInput names a published batch that gets the scores of one model.
type PlanRepublishInput struct {
	Pipeline string       `json:"pipeline"`
	Batch    string       `json:"batch"`
	Model    store.Digest `json:"model,omitempty"` // default: the champion in force
	Reason   string       `json:"reason"`
}

// PlanRepublishOutput pins what is published again, and by whose scores.
type PlanRepublishOutput struct {
	Run
	Model    store.Digest `json:"model"`
	Contract store.Digest `json:"contract"`
	Head     int64        `json:"head"`
	Expect   int64        `json:"expect"`
	Data     run.Object   `json:"data"`
	Lists    []run.Object `json:"lists"`
	Shards   int          `json:"shards"`
	Parallel int          `json:"parallel"`
	Fallback bool         `json:"fallback,omitempty"`
	Serving  store.Digest `json:"serving,omitempty"`
	Unscored bool         `json:"unscored,omitempty"` // the model has first to score the run

	// Current is set if all rows have the model's scores already.
	Current *PublishOutput `json:"current,omitempty"`
}

// PlanRepublish pins the current publication of a batch and who serves all of it from now
// on. It refuses a model that is rejected, that has other outputs than the run's
// champion, or whose scores break the contract of the scores.
func (a *Activities) PlanRepublish(ctx context.Context, in PlanRepublishInput) (PlanRepublishOutput, error) {
	return stage(ctx, func(ctx context.Context, _ func(Progress)) (PlanRepublishOutput, error) {
		p, err := a.published(ctx, in.Pipeline, in.Batch)
		if err != nil {
			return PlanRepublishOutput{}, err
		}
		log, err := registry.Load(ctx, a.store, in.Pipeline)
		if err != nil {
			return PlanRepublishOutput{}, err
		}
		state := log.State()
		out := PlanRepublishOutput{Run: p.run, Model: in.Model, Contract: p.plan.Contract, Head: log.Head(), Expect: p.Number, Data: p.paper,
			Lists: p.data.Shards, Shards: len(p.plan.Shards), Parallel: p.files.pipeline.Shards.Parallel, Fallback: p.data.Fallback != nil}
		if out.Model == "" {
			out.Model = state.Aliases[registry.AliasChampion]
		}
		if why, rejected := state.Rejected[out.Model]; rejected {
			return out, fail(KindConfig, "model %s is rejected and publishes nothing: %s", run.Short(out.Model), why)
		}
		if slices.Equal(p.serves(), []store.Digest{out.Model}) {
			out.Current = &PublishOutput{Publication: p.Number, TableVersion: p.Version, Unchanged: true, Rows: p.Rows(),
				Values: store.Digest(p.Info["values"]), Anchor: log.Anchor()}
			return out, nil
		}
		scored, err := a.mayServe(ctx, log, p, out.Model)
		if errors.Is(err, run.ErrNotScored) {
			out.Unscored = true
			return out, nil
		}
		if err != nil {
			return out, err
		}
		s := run.Serving{Format: run.Format, Run: p.run.Run, Data: p.paper.Digest, Model: out.Model, Champion: p.plan.Champion, Reason: in.Reason}
		if scored != "" {
			s.Scores = []store.Digest{scored}
		}
		out.Serving, err = run.SaveBlob(ctx, a.store, s)
		return out, err
	})
}

// mayServe checks that a model can serve all rows of a published run. It returns the blob
// of its scores, "" if only the results of the run's own shards name them.
func (a *Activities) mayServe(ctx context.Context, log *registry.Log, p *publishedRun, model store.Digest) (store.Digest, error) {
	champion, err := a.version(ctx, p.plan.Champion)
	if err != nil {
		return "", err
	}
	v, err := a.version(ctx, model)
	if err != nil {
		return "", err
	}
	if have, want := v.Scorer.Outputs(), champion.Scorer.Outputs(); have != want {
		return "", fail(KindConfig, "model %s has %d outputs, and the table of batch %s is made for %d", run.Short(model), have, p.run.Batch, want)
	}
	scored, err := a.scoredFiles(ctx, log, p.plan, p.data, model)
	if err != nil {
		return "", err
	}
	if model == p.plan.Champion {
		return "", nil
	}
	var invalid int64
	for _, shard := range scored.Shards {
		invalid += shard.Invalid
	}
	if invalid > 0 {
		return "", fail(KindConfig, "%d scores of model %s for batch %s break the contract of the scores", invalid, run.Short(model), p.run.Batch)
	}
	return shadowPaper(log, p.run.Batch, p.run.Run, model), nil
}

// CheckTableInput names what is about to be published.
type CheckTableInput struct {
	Run
	Data     run.Object   `json:"data"`
	Table    Papers       `json:"table"`
	Fallback *run.Object  `json:"fallback,omitempty"`
	Serving  store.Digest `json:"serving,omitempty"`
}

// CheckTableOutput counts what was read.
type CheckTableOutput struct {
	Files int   `json:"files"`
	Rows  int64 `json:"rows"`
}

// CheckTable reads back every file that is about to be published: digest, rows, values,
// and the contract of the scores. It is the full check of a new colour before the commit
// that swaps the whole month; until then readers have the former one.
func (a *Activities) CheckTable(ctx context.Context, in CheckTableInput) (CheckTableOutput, error) {
	return stage(ctx, func(ctx context.Context, report func(Progress)) (CheckTableOutput, error) {
		_, f, err := a.plan(ctx, in.Run)
		if err != nil {
			return CheckTableOutput{}, err
		}
		d, err := a.passed(ctx, in.Run, in.Data)
		if err != nil {
			return CheckTableOutput{}, err
		}
		items, err := a.whole(ctx, PublishInput{Run: in.Run, Data: in.Data, Table: in.Table, Fallback: in.Fallback}, d)
		if err != nil {
			return CheckTableOutput{}, err
		}
		var out CheckTableOutput
		want := d.Rows - d.Quarantined
		for i, o := range items {
			var file run.TableFile
			if err := run.LoadJSON(ctx, a.store, o, &file); err != nil {
				return out, err
			}
			if in.Fallback != nil && o == *in.Fallback {
				want += file.Rows
			}
			if file.Rows > 0 {
				if err := a.checkFile(ctx, in.Run, f, file); err != nil {
					return out, err
				}
				out.Files++
				out.Rows += file.Rows
			}
			report(Progress{Done: int64(i + 1), Total: int64(len(items))})
		}
		if out.Rows != want {
			return out, fail(KindCorrupt, "the files of batch %s have %d rows, and the verdict lets out %d", in.Batch, out.Rows, want)
		}
		return out, nil
	})
}

// checkFile reads one file of the table back.
func (a *Activities) checkFile(ctx context.Context, r Run, f files, file run.TableFile) error {
	key := run.TablePrefix(r.Pipeline) + "/" + file.Path
	opened, err := serving.Open(ctx, a.store, run.Object{Key: key, Digest: file.Digest, Size: file.Size})
	if err != nil {
		return err
	}
	values, err := pass.Values(ctx, opened)
	switch {
	case err != nil:
		return err
	case digest(values) != file.Values || opened.NumRows() != file.Rows:
		return fail(KindCorrupt, "%s does not have the values that were written", key)
	case f.output == nil:
		return nil
	}
	checker := f.output.NewChecker()
	for rec, err := range opened.Records(ctx, columnar.ReadOptions{}) {
		if err != nil {
			return err
		}
		if _, err := checker.Add(rec); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
	}
	if bad := checker.Result().Bad; bad > 0 {
		return fail(KindCorrupt, "%d rows of %s break the contract of the scores", bad, key)
	}
	return nil
}
