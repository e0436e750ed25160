package activities

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"headgate/internal/bundle"
	"headgate/internal/columnar"
	"headgate/internal/pass"
	"headgate/internal/pipeline"
	"headgate/internal/registry"
	"headgate/internal/release"
	"headgate/internal/run"
	"headgate/internal/serving"
	"headgate/internal/store"
)

// planModels puts the routing in force into a plan, and the models that score beside the
// champion because of it. A routing that was made for another champion, or that gives
// rows to a rejected model, routes nobody; its other models score in shadow all the same.
func (a *Activities) planModels(ctx context.Context, state *registry.State, f files, plan *run.Plan) error {
	if state.Routing == "" {
		return nil
	}
	routing := new(release.Routing)
	if err := run.LoadBlob(ctx, a.store, state.Routing, routing); err != nil {
		return fmt.Errorf("routing: %w", err)
	}
	if err := routing.Check(); err != nil {
		return fail(KindCorrupt, "routing %s: %w", run.Short(state.Routing), err)
	}
	var models []store.Digest
	rejected := false
	for _, arm := range routing.Arms {
		m := store.Digest(arm.Model)
		models = append(models, m)
		_, bad := state.Rejected[m]
		rejected = rejected || bad && arm.Share > 0
	}
	for _, m := range routing.Shadow {
		models = append(models, store.Digest(m))
	}
	for _, m := range models {
		if _, bad := state.Rejected[m]; !bad && m != plan.Champion && !slices.Contains(plan.Models, m) {
			plan.Models = append(plan.Models, m)
		}
	}
	if routing.Arms[0].Model != string(plan.Champion) || len(routing.Arms) < 2 || rejected {
		return nil
	}
	plan.Routing = routing
	if run.Mixed(routing) && slices.ContainsFunc(pass.TableColumns(f.contract, f.pipeline.Scores.Keep), func(name string) bool {
		return strings.HasPrefix(name, pass.ColumnRank)
	}) {
		return fail(KindConfig, "a kept column begins with %s, which a batch with scores of several models has of its own; leave it out of scores.keep", pass.ColumnRank)
	}
	return nil
}

// swaps reports whether the plan gives all rows to another colour.
func swaps(c *pipeline.Config, plan *run.Plan) bool {
	serves := run.Serves(plan.Routing)
	return c.Release != nil && c.Release.Strategy == release.StrategyBlueGreen && len(serves) == 1 && serves[0] != plan.Champion
}

// unfit says why models with an arm cannot serve beside the champion, of those that have
// scored every row.
func (a *Activities) unfit(ctx context.Context, plan *run.Plan, results []run.ShardResult, champion *bundle.Version) (map[store.Digest]string, error) {
	out := map[store.Digest]string{}
	if plan.Routing == nil {
		return out, nil
	}
	mixed := run.Mixed(plan.Routing)
	for _, arm := range plan.Routing.Arms[1:] {
		m := store.Digest(arm.Model)
		if _, err := run.ScoredIn(plan, "", results, m); errors.Is(err, run.ErrNotScored) {
			continue
		}
		b, err := bundle.Read(ctx, a.store, m)
		switch {
		case err != nil:
			return nil, err
		case b.Outputs != champion.Bundle.Outputs:
			out[m] = fmt.Sprintf("it has %d outputs, and the champion %d", b.Outputs, champion.Bundle.Outputs)
		case mixed && !probabilities(champion.Bundle):
			out[m] = notCalibrated("the champion's", champion.Bundle)
		case mixed && !probabilities(b):
			out[m] = notCalibrated("its", b)
		}
	}
	return out, nil
}

func notCalibrated(whose string, b *bundle.Bundle) string {
	return fmt.Sprintf("%s scores are no probabilities (objective %s, no calibration), and a batch with scores of several models needs calibrated ones", whose, b.Objective)
}

// probabilities reports whether a model's predictions are probabilities, and so can stand
// beside those of another model.
func probabilities(b *bundle.Bundle) bool {
	objective, _, _ := strings.Cut(b.Objective, " ")
	return b.Calibration != nil || slices.Contains([]string{"binary", "cross_entropy", "multiclass", "multiclassova"}, objective)
}

// choose fills in whose score each row of a shard gets.
func (a *Activities) choose(ctx context.Context, in AssembleShardInput, result *run.ShardResult, rows *pass.AssembleInput) error {
	s, err := serving.Load(ctx, a.store, in.Serving, in.Run.Run)
	if err != nil || s == nil {
		return err
	}
	if s.Data != in.Data.Digest {
		return fail(KindCorrupt, "serving %s rests on verdict %s, not on %s", in.Serving, s.Data, in.Data.Digest)
	}
	ranks, err := serving.LoadRanks(ctx, a.store, s)
	if err != nil {
		return err
	}
	scores := map[store.Digest]*run.Object{}
	for _, m := range result.Models {
		scores[m.Model] = m.Scores
	}
	for _, d := range s.Scores {
		var scored run.Scored
		if err := run.LoadBlob(ctx, a.store, d, &scored); err != nil {
			return err
		}
		if in.Shard < len(scored.Shards) && scored.Run == in.Run.Run {
			scores[scored.Model] = scored.Shards[in.Shard].Scores
		}
	}
	return serving.Choose(rows, s, ranks, func(m store.Digest) (*columnar.File, error) {
		if scores[m] == nil {
			return nil, fail(KindCorrupt, "shard %d: model %s serves rows that it has not scored", in.Shard, run.Short(m))
		}
		return serving.Open(ctx, a.store, *scores[m])
	})
}

// rowsByModel says how many rows of an assembled file each model serves.
func rowsByModel(in pass.AssembleInput, got *pass.Assembled) []run.ModelRows {
	out := addRows(nil, []run.ModelRows{{Model: store.Digest(in.Model), Rows: got.Models[0]}})
	for i, o := range in.Others {
		out = addRows(out, []run.ModelRows{{Model: store.Digest(o.Model), Rows: got.Models[i+1]}})
	}
	return out
}

// addRows adds counts to those of the same models.
func addRows(sum, more []run.ModelRows) []run.ModelRows {
	for _, m := range more {
		at := slices.IndexFunc(sum, func(have run.ModelRows) bool { return have.Model == m.Model })
		if at < 0 {
			sum, at = append(sum, run.ModelRows{Model: m.Model}), len(sum)
		}
		sum[at].Rows += m.Rows
	}
	return sum
}

// served adds to what a publication says of itself who serves whom, and why.
func served(info map[string]string, in PublishInput, rows []run.ModelRows) error {
	if in.Reason != "" {
		info["reason"] = in.Reason
	}
	if in.Serving == "" {
		return nil
	}
	models := map[store.Digest]int64{}
	for _, m := range rows {
		if m.Rows > 0 {
			models[m.Model] = m.Rows
		}
	}
	text, err := json.Marshal(models)
	info["serving"], info["models"] = string(in.Serving), string(text)
	return err
}
