package evidence

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"headgate/internal/columnar"
	"headgate/internal/labels"
	"headgate/internal/pass"
	"headgate/internal/run"
	"headgate/internal/store"
)

// readShard reads one shard of a batch: keys and kept columns from the champion's file,
// and then what each model said of the same rows.
func (l *loader) readShard(ctx context.Context, at int32, b *batch, shard int) error {
	base := b.base.Shards[shard].Scores
	if base == nil {
		return nil
	}
	s := &shardRows{loader: l, at: at, batch: b, late: b.data.LateRows(shard), first: b.plan.Shards[shard].FirstRow,
		without: l.rows.Request.Batches[at].Without}
	if err := scoreFile(ctx, l.own, *base, s.base); err != nil {
		return err
	}
	l.done += int64(len(s.kept))
	for m, scored := range b.scored {
		if scored == nil || scored.Shards[shard].Scores == nil {
			for range s.rows {
				l.rows.Scores[m] = append(l.rows.Scores[m], math.NaN())
			}
			continue
		}
		s.row = 0
		err := scoreFile(ctx, l.own, *scored.Shards[shard].Scores, func(rec arrow.Record) error { return s.scores(rec, m) })
		if err == nil && s.row != len(s.kept) {
			err = fmt.Errorf("%s has %d rows, the champion's file %d: %w", scored.Shards[shard].Scores.Key, s.row, len(s.kept), columnar.ErrCorrupt)
		}
		if err != nil {
			return err
		}
	}
	if l.progress != nil {
		l.progress(l.done, l.total)
	}
	return nil
}

// scoreFile calls each with the records of a score file.
func scoreFile(ctx context.Context, own *store.Bucket, o run.Object, each func(arrow.Record) error) error {
	data, err := run.Load(ctx, own, o)
	if err != nil {
		return err
	}
	f, err := columnar.Open(bytes.NewReader(data), int64(len(data)), &columnar.OpenOptions{Name: o.Key})
	if err != nil {
		return err
	}
	if len(f.Schema().FieldIndices("pred_1")) > 0 {
		return fmt.Errorf("%s: %w", o.Key, ErrOutputs)
	}
	for rec, err := range f.Records(ctx, columnar.ReadOptions{}) {
		if err == nil {
			err = each(rec)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// shardRows are the rows of a shard while its files are read.
type shardRows struct {
	*loader
	at      int32
	batch   *batch
	late    map[int64]string
	without []Left  // slices whose rows do not count
	first   int64   // ordinal in the input file of the shard's first row
	kept    []int64 // of each row of the file its ordinal, or −1 if it is not read
	rows    int     // that are read
	row     int     // of the file that is being read
}

// base reads a record of the champion's file.
func (s *shardRows) base(rec arrow.Record) error {
	keyOf, err := pass.Keys(rec, s.batch.contract.Entity())
	if err != nil {
		return err
	}
	if err := s.comparable(rec.Schema()); err != nil {
		return err
	}
	cluster := func(int) (pass.Key, bool) { return pass.Key{}, false }
	if name := s.loader.rows.Request.Cluster; name != "" {
		if cluster, err = pass.Keys(rec, []string{name}); err != nil {
			return err
		}
	}
	ordinals, err := ordinals(rec)
	if err != nil {
		return err
	}
	values := s.sliced(rec)
	for i := range int(rec.NumRows()) {
		key, ok := keyOf(i)
		_, late := s.late[ordinals.Value(i)-s.first]
		if !ok || late || !s.keeps(key.Hash()) {
			s.kept = append(s.kept, -1)
			continue
		}
		s.kept = append(s.kept, ordinals.Value(i))
		s.rows++
		s.add(key)
		if by, ok := cluster(i); ok {
			r := s.loader.rows
			r.Cluster[len(r.Cluster)-1] = by.Hash()
		}
		for _, value := range values {
			value(i)
		}
	}
	return nil
}

func ordinals(rec arrow.Record) (*array.Int64, error) {
	at := rec.Schema().FieldIndices(pass.ColumnRow)
	if len(at) == 1 {
		if col, ok := rec.Column(at[0]).(*array.Int64); ok {
			return col, nil
		}
	}
	return nil, fmt.Errorf("the score file has no column %s: %w", pass.ColumnRow, columnar.ErrCorrupt)
}

// comparable refuses labels whose keys cannot be equal to those of the scores.
func (s *shardRows) comparable(schema *arrow.Schema) error {
	kinds := s.batch.labels.Kinds
	if kinds == nil {
		return nil
	}
	entity := s.batch.contract.Entity()
	var own []string
	for _, name := range entity {
		own = append(own, pass.KeyKind(schema.Field(schema.FieldIndices(name)[0]).Type))
	}
	if !slices.Equal(own, kinds) && len(s.batch.labels.Refused) == 0 {
		s.batch.labels.Refused = []string{fmt.Sprintf("the key of the scores, %v, is %v, and that of the labels is %v: no label would find its score", entity, own, kinds)}
	}
	return nil
}

// add appends a row with its label.
func (s *shardRows) add(key pass.Key) {
	r := s.loader.rows
	r.Entity = append(r.Entity, key.Hash())
	r.Cluster = append(r.Cluster, key.Hash())
	r.Batch = append(r.Batch, s.at)
	r.Served = append(r.Served, s.served(key))
	label, ok := s.batch.labels.Of(key)
	absent := !ok && s.batch.negative
	if absent {
		label = labels.Label{Weight: 1}
	} else if !ok {
		label.Value = math.NaN()
	}
	state, weight := Judged, label.Weight
	switch {
	case math.IsNaN(label.Value):
		state, weight = Missing, 0
	case label.Treated:
		state, weight = Treated, 0
	case label.Propensity >= 1:
		state, weight = Unusable, 0
	case s.batch.labels.Treatment:
		weight /= 1 - label.Propensity
	}
	r.Labels, r.Weights = append(r.Labels, label.Value), append(r.Weights, weight)
	r.State, r.Absent = append(r.State, state), append(r.Absent, absent)
}

// served returns whose score an entity got, as an index into the request's models.
func (s *shardRows) served(key pass.Key) int32 {
	model := s.batch.plan.Champion
	if serving := s.batch.serving; serving != nil {
		model = serving.Model
		if serving.Routing != nil {
			model = store.Digest(serving.Routing.Arms[serving.Routing.Assign(key[:])].Model)
		}
	}
	return int32(slices.Index(s.loader.rows.Request.Models, model))
}

// scores reads a record of the file of a model.
func (s *shardRows) scores(rec arrow.Record, model int) error {
	ordinals, err := ordinals(rec)
	if err != nil {
		return err
	}
	at := rec.Schema().FieldIndices("pred_0")
	if len(at) != 1 {
		return fmt.Errorf("the score file has no column pred_0: %w", columnar.ErrCorrupt)
	}
	pred, ok := rec.Column(at[0]).(*array.Float64)
	if !ok || s.row+int(rec.NumRows()) > len(s.kept) {
		return fmt.Errorf("the score file does not have the rows of the champion's: %w", columnar.ErrCorrupt)
	}
	dst := &s.loader.rows.Scores[model]
	for i := range int(rec.NumRows()) {
		if row := s.kept[s.row+i]; row >= 0 {
			if row != ordinals.Value(i) {
				return fmt.Errorf("row %d of the score file is row %d of the champion's: %w", ordinals.Value(i), row, columnar.ErrCorrupt)
			}
			*dst = append(*dst, pred.Value(i))
		}
	}
	s.row += int(rec.NumRows())
	return nil
}
