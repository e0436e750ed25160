package serving

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/zeebo/xxh3"

	"headgate/internal/columnar"
	"headgate/internal/compare"
	"headgate/internal/contract"
	"headgate/internal/evaluate"
	"headgate/internal/gate"
	"headgate/internal/pass"
	"headgate/internal/release"
	"headgate/internal/run"
	"headgate/internal/store"
)

// Sample is how many rows are compared, about: those of entities that a hash of their key
// draws. Ranks and volumes are of all rows.
const Sample = 10_000

// Input names a judged run whose plan has models beside the champion.
type Input struct {
	Plan      *run.Plan
	Data      *run.Data // the verdict, with late rows
	Results   []run.ShardResult
	Contract  *contract.Contract
	Outputs   int      // of the champion
	Threshold *float64 // from which a score decides; nil: nothing is decided
	// Shadows has, for models that the routing names, what they said in their shadow.
	Shadows map[store.Digest]*Shadow
	// Unfit says why a model that the routing names cannot serve in it.
	Unfit    map[store.Digest]string
	Sample   int // 0: [Sample]
	Progress func(done, total int64)
}

// A Comparison is what the models of a plan said of a run, against its champion.
type Comparison struct {
	Format  int          `json:"format"`
	Run     store.Digest `json:"run"`
	Data    store.Digest `json:"data"`    // verdict whose rows are compared
	Rows    int64        `json:"rows"`    // scored, without late ones
	Sampled int64        `json:"sampled"` // of them, that are compared
	Models  []Model      `json:"models"`  // of the plan, in its order
	Ranks   *run.Object  `json:"ranks,omitempty"`
}

// A Model is what one model said.
type Model struct {
	Model    store.Digest        `json:"model"`
	Evidence gate.Compare        `json:"evidence"`
	Compare  *compare.Comparison `json:"compare,omitempty"` // nil if it failed, or nothing can be compared
	Note     string              `json:"note,omitempty"`    // why nothing was compared
}

// A comparer goes over the score files of all models, shard by shard.
type comparer struct {
	in     Input
	routed *release.Routing
	models []store.Digest // that have scored every row; the champion is first
	limit  uint64         // hashes up to here are in the sample

	rows     int64
	scores   [][]float64 // of the sample, by model
	clusters []uint64
	volumes  []int64                        // rows by arm
	ranks    map[store.Digest][]*pass.Ranks // of a mixed routing
}

// Compare holds the scores of all models of a plan against the champion's, and ranks the
// scores of a batch that is to be mixed. What goes wrong with a model is in its evidence.
func Compare(ctx context.Context, b *store.Bucket, in Input) (*Comparison, *Ranks, error) {
	if in.Sample == 0 {
		in.Sample = Sample
	}
	failed := in.failures()
	c := &comparer{in: in, routed: in.Plan.Routing, models: []store.Digest{in.Plan.Champion}, limit: math.MaxUint64}
	for _, m := range in.Plan.Models {
		if failed[m] == "" {
			c.models = append(c.models, m)
		}
	}
	if share := float64(in.Sample) / float64(max(1, in.Plan.Rows)); share < 1 {
		c.limit = uint64(share * (1 << 64))
	}
	c.scores = make([][]float64, len(c.models))
	c.prepare()
	for i, r := range in.Results {
		if err := c.shard(ctx, b, r); err != nil {
			return nil, nil, fmt.Errorf("compare scores of shard %d: %w", i, err)
		}
		if in.Progress != nil {
			in.Progress(int64(i+1), int64(len(in.Results)))
		}
	}
	out := &Comparison{Format: run.Format, Run: in.Data.Run, Rows: c.rows, Sampled: int64(len(c.clusters)), Models: []Model{}}
	for _, m := range in.Plan.Models {
		found, err := c.model(m, failed[m])
		if err != nil {
			return nil, nil, err
		}
		out.Models = append(out.Models, found)
	}
	return out, c.ranked(), nil
}

// failures says why models cannot serve or have not scored.
func (in *Input) failures() map[store.Digest]string {
	failed := map[store.Digest]string{}
	for _, r := range in.Results {
		for _, m := range r.Models {
			if m.Failed != "" && failed[m.Model] == "" {
				failed[m.Model] = fmt.Sprintf("shard %d: %s", r.Shard, m.Failed)
			}
		}
	}
	return failed
}

// prepare makes room for what is counted for the routing.
func (c *comparer) prepare() {
	if c.routed == nil {
		return
	}
	c.volumes = make([]int64, len(c.routed.Arms))
	if !run.Mixed(c.routed) {
		return
	}
	c.ranks = map[store.Digest][]*pass.Ranks{}
	for _, m := range c.models {
		if m != c.in.Plan.Champion && !slices.Contains(run.Serves(c.routed), m) || c.in.Unfit[m] != "" {
			continue
		}
		for range c.in.Outputs {
			c.ranks[m] = append(c.ranks[m], new(pass.Ranks))
		}
	}
}

// shard adds the rows of a shard that are not late.
func (c *comparer) shard(ctx context.Context, b *store.Bucket, r run.ShardResult) error {
	if r.Scores == nil {
		return nil
	}
	all := make([]scoreFile, len(c.models))
	for i, m := range c.models {
		o := r.Scores
		if i > 0 {
			at := slices.IndexFunc(r.Models, func(s run.ModelScores) bool { return s.Model == m })
			if at < 0 || r.Models[at].Scores == nil {
				return fmt.Errorf("there are no scores of model %s", run.Short(m))
			}
			o = r.Models[at].Scores
		}
		var err error
		if all[i], err = readScores(ctx, b, *o, c.in.Contract.Entity()); err != nil {
			return err
		}
		if !slices.Equal(all[i].rows, all[0].rows) {
			return fmt.Errorf("%s has other rows than %s", o.Key, r.Scores.Key)
		}
	}
	late, first := c.in.Data.LateRows(r.Shard), c.in.Plan.Shards[r.Shard].FirstRow
	for row, ordinal := range all[0].rows {
		if late[ordinal-first] == "" {
			c.add(all, row)
		}
	}
	return nil
}

// add adds one row.
func (c *comparer) add(all []scoreFile, row int) {
	c.rows++
	key, ok := all[0].keys[row], all[0].has[row]
	if c.volumes != nil {
		arm := 0
		if ok {
			arm = c.routed.Assign(key[:])
		}
		c.volumes[arm]++
	}
	for i, m := range c.models {
		for o, ranks := range c.ranks[m] {
			ranks.Add(all[i].preds[o][row])
		}
	}
	// The key is hashed once more: it drew the entity's arm as it is.
	if !ok || xxh3.HashSeed(key[:], 1) > c.limit {
		return
	}
	for i := range c.models {
		c.scores[i] = append(c.scores[i], all[i].preds[0][row])
	}
	c.clusters = append(c.clusters, binary.BigEndian.Uint64(key[:]))
}

// model returns what is to be said of a model. failed is why it has no scores.
func (c *comparer) model(m store.Digest, failed string) (out Model, err error) {
	out = Model{Model: m, Evidence: gate.Compare{Failed: failed, Rows: int64(len(c.clusters))}}
	for _, r := range c.in.Results {
		for _, s := range r.Models {
			if s.Model == m {
				out.Evidence.Invalid += s.Invalid
			}
		}
	}
	if c.routed != nil {
		out.Evidence.Volume = c.volume(m)
	}
	if unfit := c.in.Unfit[m]; failed == "" && unfit != "" {
		out.Evidence.Failed = unfit
	}
	at := slices.Index(c.models, m)
	switch {
	case failed != "":
		out.Evidence.Rows = 0
		return out, nil
	case c.in.Outputs != 1:
		out.Note = fmt.Sprintf("scores of %d outputs are not compared", c.in.Outputs)
		return out, nil
	}
	if s := c.in.Shadows[m]; s != nil {
		if out.Evidence.Moved, err = c.moved(s, at); err != nil {
			return out, err
		}
	}
	options := &compare.Options{Threshold: c.in.Threshold, Movers: 1}
	clusters := c.clusters
	if unique(clusters) {
		clusters = nil
	}
	found, err := compare.Scores(compare.Data{Champion: c.scores[0], Clusters: clusters,
		Challengers: []compare.Challenger{{Name: string(m), Scores: c.scores[at]}}}, options)
	var input *evaluate.InputError
	var side *compare.Error
	switch {
	case errors.As(err, &input), errors.As(err, &side):
		out.Note = err.Error()
		return out, nil
	case err != nil:
		return out, err
	}
	out.Compare = &found.Challengers[0]
	out.Evidence.PSI, out.Evidence.Spearman, out.Evidence.Shift = &out.Compare.PSI, out.Compare.Spearman, &out.Compare.Shift
	if d := out.Compare.Decisions; d != nil {
		out.Evidence.Flips = &d.Flips
	}
	return out, nil
}

// unique reports whether every entity has one row.
func unique(clusters []uint64) bool {
	sorted := slices.Sorted(slices.Values(clusters))
	return len(slices.Compact(sorted)) == len(clusters)
}

// volume returns the rows that a model serves by the routing; nil if it has no arm.
func (c *comparer) volume(m store.Digest) *gate.Volume {
	at := slices.IndexFunc(c.routed.Arms, func(a release.Arm) bool { return a.Model == string(m) })
	if at < 0 {
		return nil
	}
	var shares []int
	for _, a := range c.routed.Arms {
		shares = append(shares, a.Share)
	}
	p, _ := release.SRM(c.volumes, shares)
	return &gate.Volume{Share: float64(shares[at]) / release.Whole, Rows: c.volumes[at], Of: c.rows, P: p}
}

// ranked returns the ranks of the models that may serve a mixed batch; nil if it is none.
func (c *comparer) ranked() *Ranks {
	if c.ranks == nil {
		return nil
	}
	out := &Ranks{}
	for _, m := range c.models {
		if c.ranks[m] != nil {
			out.Models, out.Outputs = append(out.Models, m), append(out.Outputs, c.ranks[m])
		}
	}
	return out
}

// A scoreFile has the scores of one model for the rows of a shard.
type scoreFile struct {
	rows  []int64 // ordinals in the input file
	keys  []pass.Key
	has   []bool      // a key
	preds [][]float64 // by output
}

// readScores reads a score file.
func readScores(ctx context.Context, b *store.Bucket, o run.Object, entity []string) (s scoreFile, err error) {
	f, err := Open(ctx, b, o)
	if err != nil {
		return s, err
	}
	columns := append(slices.Clone(entity), pass.ColumnRow)
	for len(f.Schema().FieldIndices(fmt.Sprintf("pred_%d", len(s.preds)))) > 0 {
		columns = append(columns, fmt.Sprintf("pred_%d", len(s.preds)))
		s.preds = append(s.preds, nil)
	}
	for rec, err := range f.Records(ctx, columnar.ReadOptions{Columns: columns}) {
		if err != nil {
			return s, err
		}
		s.add(rec, entity)
	}
	return s, nil
}

func (s *scoreFile) add(rec arrow.Record, entity []string) {
	keys := pass.NewKeyer(rec, entity)
	for i := range int(rec.NumRows()) {
		key, ok := keys.Key(i)
		s.keys, s.has = append(s.keys, key), append(s.has, ok)
	}
	s.rows = append(s.rows, rec.Column(len(entity)).(*array.Int64).Int64Values()...)
	for o := range s.preds {
		s.preds[o] = append(s.preds[o], rec.Column(len(entity)+1+o).(*array.Float64).Float64Values()...)
	}
}

// Open opens a stored Parquet file and checks its digest.
func Open(ctx context.Context, b *store.Bucket, o run.Object) (*columnar.File, error) {
	data, err := run.Load(ctx, b, o)
	if err != nil {
		return nil, err
	}
	return columnar.Open(bytes.NewReader(data), int64(len(data)), &columnar.OpenOptions{Name: o.Key})
}
