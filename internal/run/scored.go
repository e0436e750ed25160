package run

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"headgate/internal/release"
	"headgate/internal/store"
)

// ErrNotScored means that a model has not scored all rows of a run.
var ErrNotScored = errors.New("run: the model has not scored this run")

// Scored says where the scores are that one model gave the rows of a run. Whatever the
// model, the file of a shard has the same rows in the same order, with the entity key,
// the ordinal of the row in its input file, and raw_i and pred_i for each output: those
// that no rule sent to quarantine when the shard was scored. Rows that were quarantined
// late ([Data.LateRows]) are still among them; they were never published.
type Scored struct {
	Format   int           `json:"format"`
	Pipeline string        `json:"pipeline"`
	Batch    string        `json:"batch"`
	Run      store.Digest  `json:"run"`
	Model    store.Digest  `json:"model"`
	Rows     int64         `json:"rows"`
	Shards   []ShardScores `json:"shards"` // one for each of the plan, in its order
}

// ShardScores is the score file of one shard.
type ShardScores struct {
	Shard  int     `json:"shard"`
	Rows   int64   `json:"rows"`
	Scores *Object `json:"scores,omitempty"` // nil if every row is in quarantine
	// Invalid counts the rows whose scores break the contract of the scores.
	Invalid int64 `json:"invalid,omitempty"`
}

// A Serving says whose score each row of a publication has. It is kept as a blob, which
// the publication names; one without has the champion's score in every row.
type Serving struct {
	Format   int          `json:"format"`
	Run      store.Digest `json:"run"`
	Data     store.Digest `json:"data"`     // verdict that lets the rows out
	Model    store.Digest `json:"model"`    // that scores everybody whom Routing gives to nobody else
	Champion store.Digest `json:"champion"` // of the run's plan
	// Routing draws the entities of the other models; nil if Model scores all.
	Routing *release.Routing `json:"routing,omitempty"`
	Ranks   *Object          `json:"ranks,omitempty"`  // of a mixed batch, see pass.Ranks
	Scores  []store.Digest   `json:"scores,omitempty"` // blobs of [Scored] of models that are not in the plan
	Compare *Object          `json:"compare,omitempty"`
	Gates   []store.Digest   `json:"gates,omitempty"`  // blobs of the decisions about the candidates
	Reason  string           `json:"reason,omitempty"` // why it is not what the plan says
}

// Models returns the models whose scores rows have.
func (s *Serving) Models() []store.Digest {
	if s.Routing != nil {
		return Serves(s.Routing)
	}
	return []store.Digest{s.Model}
}

// Mixed reports whether a routing gives scores of several models to one batch.
func Mixed(r *release.Routing) bool {
	return len(Serves(r)) > 1
}

// Serves returns the models with a share of the entities, in the order of the arms.
func Serves(r *release.Routing) []store.Digest {
	var out []store.Digest
	if r == nil {
		return nil
	}
	for _, arm := range r.Arms {
		if arm.Share > 0 {
			out = append(out, store.Digest(arm.Model))
		}
	}
	return out
}

// LateRows returns the rules of the late rows of a shard by their ordinal in the shard.
func (d *Data) LateRows(shard int) map[int64]string {
	late := map[int64]string{}
	for _, l := range d.Late {
		if l.Shard == shard {
			late[l.Row] = l.Rule
		}
	}
	return late
}

// Results loads the shard results of a judged run, in the order of the shards.
func Results(ctx context.Context, b *store.Bucket, p *Plan, d *Data) ([]ShardResult, error) {
	var results []ShardResult
	for _, o := range d.Shards {
		var list List
		if err := LoadJSON(ctx, b, o, &list); err != nil {
			return nil, err
		}
		for _, item := range list.Items {
			var r ShardResult
			if err := LoadJSON(ctx, b, item, &r); err != nil {
				return nil, err
			}
			if r.Shard != len(results) {
				return nil, fmt.Errorf("run: the result of shard %d stands in the place of shard %d", r.Shard, len(results))
			}
			results = append(results, r)
		}
	}
	if len(results) != len(p.Shards) {
		return nil, fmt.Errorf("run: %d shard results for %d shards of batch %s", len(results), len(p.Shards), p.Batch)
	}
	return results, nil
}

// FindScored says where the scores of a model are for a judged run: with those of the
// champion if the plan names it, or else in the blob that a shadow entry names. The
// error is [ErrNotScored] if they are in neither place.
func FindScored(ctx context.Context, b *store.Bucket, p *Plan, d *Data, model, shadow store.Digest) (*Scored, error) {
	if model == p.Champion || slices.Contains(p.Models, model) {
		results, err := Results(ctx, b, p, d)
		if err != nil {
			return nil, err
		}
		s, err := ScoredIn(p, d.Run, results, model)
		if err == nil || shadow == "" {
			return s, err
		}
	}
	if shadow == "" {
		return nil, fmt.Errorf("model %s, batch %s: %w", Short(model), p.Batch, ErrNotScored)
	}
	s := new(Scored)
	if err := LoadBlob(ctx, b, shadow, s); err != nil {
		return nil, err
	}
	if s.Run != d.Run || s.Model != model || len(s.Shards) != len(p.Shards) {
		return nil, fmt.Errorf("run: blob %s has scores of model %s for run %s, not of %s for %s",
			shadow, Short(s.Model), Short(s.Run), Short(model), Short(d.Run))
	}
	return s, nil
}

// ScoredIn gathers the score files of a model that the plan of a run names. The error is
// [ErrNotScored], with the model's own reason, if it failed in a shard.
func ScoredIn(p *Plan, name store.Digest, results []ShardResult, model store.Digest) (*Scored, error) {
	s := &Scored{Format: Format, Pipeline: p.Pipeline, Batch: p.Batch, Run: name, Model: model}
	for _, r := range results {
		m := ModelScores{Scores: r.Scores}
		if model != p.Champion {
			i := slices.IndexFunc(r.Models, func(m ModelScores) bool { return m.Model == model })
			if i < 0 {
				return nil, fmt.Errorf("model %s, shard %d of batch %s: %w", Short(model), r.Shard, p.Batch, ErrNotScored)
			}
			m = r.Models[i]
		}
		if m.Failed != "" {
			return nil, fmt.Errorf("model %s, shard %d of batch %s: %w: %s", Short(model), r.Shard, p.Batch, ErrNotScored, m.Failed)
		}
		s.Shards = append(s.Shards, ShardScores{Shard: r.Shard, Rows: r.Scored, Scores: m.Scores, Invalid: m.Invalid})
		s.Rows += r.Scored
	}
	return s, nil
}
