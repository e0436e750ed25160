package activities

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/apache/arrow/go/v17/arrow/array"

	"headgate/internal/columnar"
	"headgate/internal/contract"
	"headgate/internal/labels"
	"headgate/internal/learn"
	"headgate/internal/pass"
	"headgate/internal/run"
	"headgate/internal/store"
	"headgate/internal/trigger"
)

// labelsAtOnce is how many label rows are held in memory, at about 120 bytes each. A
// batch with more is read in several passes, each over a share of the entities.
const labelsAtOnce = 4_000_000

// SnapshotBatchInput names a batch of a training.
type SnapshotBatchInput struct {
	Plan  run.Object `json:"plan"` // a learn.Plan
	Batch string     `json:"batch"`
}

// SnapshotBatchOutput is where the batch's rows are, with their labels.
type SnapshotBatchOutput struct {
	Set run.Object `json:"set"` // a learn.Set
	learn.Counts
}

// SnapshotBatch joins the rows of a batch that were scored with their labels, and writes
// them as files of bounded size. Every input is checked against what was recorded when
// the batch was scored and when its labels were found. Rows in quarantine are not among
// them; treated rows are left out, and the untreated weigh 1/(1 − propensity).
//
// A set follows from the batch, its labels and the columns. One that is there already,
// from another training, is used again.
func (a *Activities) SnapshotBatch(ctx context.Context, in SnapshotBatchInput) (SnapshotBatchOutput, error) {
	return stage(ctx, func(ctx context.Context, report func(Progress)) (SnapshotBatchOutput, error) {
		var p learn.Plan
		if err := run.LoadJSON(ctx, a.store, in.Plan, &p); err != nil {
			return SnapshotBatchOutput{}, err
		}
		at := slices.IndexFunc(p.Batches, func(b learn.Batch) bool { return b.Name == in.Batch })
		if at < 0 {
			return SnapshotBatchOutput{}, fail(KindUnknown, "batch %s is not in the plan of the training", in.Batch)
		}
		s, err := a.newSnapshot(ctx, &p, p.Batches[at])
		if err != nil {
			return SnapshotBatchOutput{}, err
		}
		if data, err := a.store.Get(ctx, s.dir+"/set.json"); !errors.Is(err, store.ErrNotFound) {
			if err != nil {
				return SnapshotBatchOutput{}, err
			}
			return s.found(data)
		}
		if err := a.join(ctx, s, report); err != nil {
			return SnapshotBatchOutput{}, err
		}
		data, err := run.Encode(s.set)
		if err != nil {
			return SnapshotBatchOutput{}, err
		}
		if err := a.store.Put(ctx, s.dir+"/set.json", data); err != nil {
			return SnapshotBatchOutput{}, err
		}
		return s.found(data)
	})
}

// A snapshot is a set on its way.
type snapshot struct {
	set      learn.Set
	dir      string // of the set
	plan     *run.Plan
	data     *run.Data // verdict
	contract *contract.Contract
	labels   *contract.Contract
	version  *labels.Version
	weight   string // column of the batch, or ""
}

// newSnapshot gathers what a set is made of. Everything that decides its bytes is in
// the name of its folder.
func (a *Activities) newSnapshot(ctx context.Context, p *learn.Plan, b learn.Batch) (*snapshot, error) {
	s := &snapshot{set: learn.Set{Format: learn.Format, Batch: b}}
	var err error
	if s.contract, err = a.contract(ctx, p.Contract); err != nil {
		return nil, err
	}
	if s.labels, err = a.contract(ctx, p.Labels); err != nil {
		return nil, err
	}
	if s.plan, err = run.LoadPlan(ctx, a.store, p.Pipeline, b.Name, b.Run); err != nil {
		return nil, err
	}
	if s.data, err = run.LoadVerdict(ctx, a.store, p.Pipeline, b.Name, b.Run, b.Decision); err != nil {
		return nil, err
	}
	if s.version, err = labels.Load(ctx, a.store, b.Labels); err != nil {
		return nil, err
	}
	if err := a.setColumns(ctx, p, s); err != nil {
		return nil, err
	}
	name, err := run.Encode(struct {
		Set              learn.Set    `json:"set"`
		Labels, Contract store.Digest // contracts
		Weight           string
	}{s.set, p.Labels, p.Contract, s.weight})
	s.dir = fmt.Sprintf("training/%s/sets/%s/%s", p.Pipeline, b.Name, run.Short(store.DigestOf(name)))
	return s, err
}

// setColumns says which columns a set has.
func (a *Activities) setColumns(ctx context.Context, p *learn.Plan, s *snapshot) error {
	label := s.labels.WithRole(contract.RoleLabel)
	if len(label) != 1 {
		return fail(KindConfig, "the contract of the labels, %s, has %d columns with mlRole label; it takes one", s.labels.Name, len(label))
	}
	s.set.Label = label[0]
	var features []string
	for _, kind := range []trigger.Kind{trigger.Refit, trigger.Recalibrate} {
		if !p.Kind.Has(kind) {
			continue
		}
		of, err := a.features(ctx, p, kind, s.contract, s.set.Label)
		if err != nil {
			return err
		}
		features = append(features, of...)
	}
	add := func(name string) {
		if name != "" && name != s.set.Label && !slices.Contains(s.set.Columns, name) {
			s.set.Columns = append(s.set.Columns, name)
		}
	}
	for _, name := range features {
		add(name)
	}
	for _, name := range features {
		col, _ := s.contract.Column(name)
		add(col.Available)
	}
	for _, name := range slices.Concat(s.contract.Entity(), s.contract.WithRole(contract.RoleEventTime)) {
		add(name)
	}
	add(p.Cluster)
	if own := s.contract.WithRole(contract.RoleWeight); len(own) == 1 {
		s.weight = own[0]
	}
	if s.weight != "" || len(s.labels.WithRole(contract.RoleWeight))+len(s.labels.WithRole(contract.RoleTreatment)) > 0 {
		s.set.Weight = learn.ColumnWeight
	}
	return nil
}

// features returns what a training learns from: what the settings name, or all features
// of the contract, or the inputs of the model that is recalibrated.
func (a *Activities) features(ctx context.Context, p *learn.Plan, kind trigger.Kind, c *contract.Contract, label string) ([]string, error) {
	if kind == trigger.Recalibrate {
		v, err := a.version(ctx, p.Champion)
		if err != nil {
			return nil, err
		}
		var names []string
		for _, in := range v.Scorer.Inputs() {
			names = append(names, in.Name)
		}
		return names, nil
	}
	if len(p.Training.Features) > 0 {
		return p.Training.Features, nil
	}
	return slices.DeleteFunc(c.Features(), func(name string) bool { return name == label }), nil
}

// found returns a set that is stored.
func (s *snapshot) found(data []byte) (SnapshotBatchOutput, error) {
	out := SnapshotBatchOutput{Set: run.Object{Key: s.dir + "/set.json", Digest: store.DigestOf(data), Size: int64(len(data))}}
	set, err := learn.ParseSet(data)
	if err != nil {
		return out, &kindError{KindCorrupt, fmt.Errorf("%s: %w", out.Set.Key, err)}
	}
	out.Counts = set.Counts
	return out, nil
}

// join writes the files of a set.
func (a *Activities) join(ctx context.Context, s *snapshot, report func(Progress)) error {
	scored, err := run.FindScored(ctx, a.store, s.plan, s.data, s.plan.Champion, "")
	if err != nil {
		return err
	}
	bucket, err := a.openInputs(ctx, s.version.Input)
	if err != nil {
		return err
	}
	defer bucket.close()
	j := &learn.Join{Entity: s.contract.Entity(), Columns: s.set.Columns, Label: s.set.Label, Weight: s.weight, Weighted: s.set.Weight != ""}
	j.Emit = func(data []byte, rows int64) error {
		o, err := run.Save(ctx, a.store, s.dir, fmt.Sprintf("%06d.parquet", len(s.set.Files)), data)
		s.set.Files = append(s.set.Files, learn.SetFile{Object: o, Rows: rows})
		return err
	}
	passes := uint64(max(1, (s.version.Rows+labelsAtOnce-1)/labelsAtOnce))
	done := int64(0)
	for n := range passes {
		mine := func(hash uint64) bool { return hash%passes == n }
		table, err := labels.Read(ctx, bucket.bucket, s.version, s.labels, labels.Limits{Keep: mine})
		if err != nil {
			return err
		}
		if len(table.Refused) > 0 {
			return fail(KindConfig, "labels of %s: %s", s.set.Batch.Name, strings.Join(table.Refused, "; "))
		}
		j.Mine = func(k pass.Key) bool { return mine(k.Hash()) }
		j.Lookup = s.lookup(table)
		for i, shard := range scored.Shards {
			if err := a.joinShard(ctx, s, j, shard, n == 0); err != nil {
				return err
			}
			done += s.plan.Shards[i].Rows
			report(Progress{Done: done, Total: s.plan.Rows * int64(passes)})
		}
	}
	s.set.Counts = j.Counts
	return nil
}

// lookup returns what is known of an entity. One without a label has the outcome 0 if
// the contract says so and no more labels will come.
func (s *snapshot) lookup(table *labels.Table) func(pass.Key) labels.Label {
	absent := labels.Label{Value: math.NaN(), Weight: 1}
	if s.labels.Labels != nil && s.labels.Labels.Negative && s.version.Complete {
		absent.Value = 0
	}
	return func(key pass.Key) labels.Label {
		if l, ok := table.Of(key); ok {
			return l
		}
		return absent
	}
}

// joinShard joins the rows of one shard.
func (a *Activities) joinShard(ctx context.Context, s *snapshot, j *learn.Join, shard run.ShardScores, first bool) error {
	ordinals, err := a.publishedRows(ctx, s, shard)
	if err != nil || len(ordinals) == 0 {
		return err
	}
	cut := s.plan.Shards[shard.Shard]
	planned := s.plan.Files[cut.File]
	src, err := a.openFile(ctx, s.plan, planned)
	if err != nil {
		return err
	}
	defer src.close()
	file, err := src.openPlanned(ctx, planned)
	if kindOf(err) == KindInputChanged {
		return fail(KindInputChanged, "%s was replaced or removed since %s was scored, so nobody can learn from it; the next training leaves %s out",
			planned.Key, s.set.Batch.Name, s.set.Batch.Name)
	}
	if err != nil {
		return err
	}
	defer file.close()
	return j.Add(ctx, learn.Source{File: file.File, Shard: cut, Scored: ordinals}, first)
}

// publishedRows returns the ordinals of the rows of a shard that were scored, and not
// quarantined later.
func (a *Activities) publishedRows(ctx context.Context, s *snapshot, shard run.ShardScores) ([]int64, error) {
	if shard.Scores == nil {
		return nil, nil
	}
	data, err := run.Load(ctx, a.store, *shard.Scores)
	if err != nil {
		return nil, err
	}
	file, err := columnar.Open(bytes.NewReader(data), int64(len(data)), &columnar.OpenOptions{Name: shard.Scores.Key})
	if err != nil {
		return nil, err
	}
	late, from := s.data.LateRows(shard.Shard), s.plan.Shards[shard.Shard].FirstRow
	ordinals := make([]int64, 0, file.NumRows())
	for rec, err := range file.Records(ctx, columnar.ReadOptions{Columns: []string{pass.ColumnRow}}) {
		if err != nil {
			return nil, err
		}
		rows, ok := rec.Column(0).(*array.Int64)
		if !ok {
			return nil, fail(KindCorrupt, "%s: %s is of type %s", shard.Scores.Key, pass.ColumnRow, rec.Column(0).DataType())
		}
		for _, row := range rows.Int64Values() {
			if _, out := late[row-from]; !out {
				ordinals = append(ordinals, row)
			}
		}
	}
	return ordinals, nil
}
