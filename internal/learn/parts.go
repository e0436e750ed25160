package learn

import (
	"context"
	"slices"

	"github.com/apache/arrow/go/v17/arrow"

	"headgate/internal/columnar"
	"headgate/internal/pipeline"
	"headgate/internal/store"
	"headgate/internal/train"
	"headgate/internal/trigger"
)

// Shares are the shares of the keys in each part, each of what the one before left.
type Shares struct {
	Held        float64 // that no training sees: [Judge] does
	Valid       float64 // that tell when to stop, where no batches do
	Calibration float64 // that the calibration is fitted on, if it is not cross-fitted
}

// tenths make each part a tenth of all.
var tenths = Shares{Held: 0.1, Valid: 1.0 / 9, Calibration: 1.0 / 8}

// pair is how many keys a part needs at least that something is judged by: one alone
// says nothing of how they differ.
const pair = 2

// maxHeld bounds the rows that [Judge] reads into memory.
const maxHeld = 1_000_000

// Apart returns the columns by which rows are divided: the entity key, or the plan's
// cluster. Rows that depend on each other must be in one part, or what a training is
// stopped, calibrated and judged by has already been learned from. A cluster that is a
// feature divides nothing: a model must have seen its values.
func (p *Plan) Apart(entity, features []string) []string {
	if p.Cluster == "" || slices.Contains(features, p.Cluster) {
		return entity
	}
	return []string{p.Cluster}
}

// CrossFits reports whether a window's calibration is cross-fitted, so that no part is kept
// apart for it.
func (p *Plan) CrossFits(w Window) bool {
	return p.Training.Folds > 0 && p.Training.Calibrate != "" && p.Does(w) == trigger.Refit
}

// drawsValid reports whether a share of the keys tells when to stop: where no batches do,
// unless folds can show how the training goes and nothing stops it.
func (p *Plan) drawsValid(w Window) bool {
	stops := p.Training.Trainer != pipeline.TrainerGBDT || train.StopsEarly(p.Training.Parameters)
	return len(w.Valid) == 0 && (stops || !p.CrossFits(w))
}

// Shares returns by which shares the rows of a window are divided: tenths. If clusters
// divide them, there may be few, and tenths of the draw might be none; then the shares are
// those that give each part its tenth of the clusters that there are, and enough of them.
// keys streams the columns that divide.
func (p *Plan) Shares(w Window, apart, entity []string, keys func(batches []string) train.Rows) (Shares, error) {
	s := tenths
	if slices.Equal(apart, entity) {
		return s, nil
	}
	var err error
	if s.Held, err = train.Quota(keys(slices.Concat(w.Train, w.Valid)), apart, p.Seed, s.Held, pair); err != nil {
		return s, err
	}
	left := func(of train.Rows, draw int64, share float64) train.Rows {
		return train.Entities(of, apart, p.Seed+draw, share, false)
	}
	from := w.Train // that the calibration is drawn from, see [Plan.Divide]
	if len(w.Valid) > 0 {
		from = w.Valid
	}
	drawn := left(keys(from), 0, s.Held)
	if p.drawsValid(w) {
		if s.Valid, err = train.Quota(drawn, apart, p.Seed+1, s.Valid, 1); err != nil {
			return s, err
		}
		drawn = left(drawn, 1, s.Valid)
	}
	if p.CrossFits(w) {
		return s, nil
	}
	s.Calibration, err = train.Quota(drawn, apart, p.Seed+2, s.Calibration, pair)
	return s, err
}

// Parts are the rows of a window, divided by batch and by entity: each entity is in one
// part only. What divides is given, so it may be another key, see [Plan.Apart].
type Parts struct {
	Train, Valid, Calibration train.Rows // Valid and Calibration may be nil, see [Plan.CrossFits]
	Held                      train.Rows // of entities that no other part has
	Data                      train.Data // files of the parts
}

// Divide divides the rows of a window. An entity's key and the plan's seed decide where
// its rows go. What is held, train leaves out by itself: Train and Valid have it.
func (p *Plan) Divide(w Window, s Shares, entity []string, rows func(batches []string) train.Rows, files func(batches []string) []train.File) Parts {
	all := rows(w.Train)
	out := Parts{Train: all, Data: train.Data{Train: files(w.Train)}}
	judged := w.Train
	if p.Does(w) == trigger.Recalibrate {
		out.Held = p.held(s.Held, entity, rows(judged), files(judged))
		return out
	}
	part := func(of train.Rows, draw int64, share float64, inside bool) train.Rows {
		return train.Entities(of, entity, p.Seed+draw, share, inside)
	}
	rest, drawn := all, all
	switch {
	case len(w.Valid) > 0:
		judged = slices.Concat(w.Train, w.Valid)
		drawn, out.Data.Valid = rows(w.Valid), files(w.Valid)
		out.Valid = drawn
	case p.drawsValid(w):
		out.Valid, rest = part(all, 1, s.Valid, true), part(all, 1, s.Valid, false)
		drawn, out.Data.Valid = rest, files(w.Train)
	}
	if p.Training.Calibrate != "" && !p.CrossFits(w) {
		out.Calibration = part(drawn, 2, s.Calibration, true)
		out.Data.Calibration = out.Data.Valid
		if len(w.Valid) > 0 {
			out.Valid = part(drawn, 2, s.Calibration, false)
		} else {
			rest = part(drawn, 2, s.Calibration, false)
		}
	}
	out.Train = rest
	out.Held = p.held(s.Held, entity, rows(judged), files(judged))
	return out
}

// held returns the rows of entities that no training sees, or a sample of their
// entities if they are very many.
func (p *Plan) held(share float64, entity []string, of train.Rows, files []train.File) train.Rows {
	var total int64
	for _, f := range files {
		total += f.Rows
	}
	held := train.Entities(of, entity, p.Seed, share, true)
	if expected := share * float64(total); expected > maxHeld {
		return train.Entities(held, entity, p.Seed+3, maxHeld/expected, true)
	}
	return held
}

// Split says how the rows of a window are divided, for the manifest.
func (s Shares) Split(w Window) train.Split {
	return train.Split{Window: len(w.Train), Valid: len(w.Valid), Entities: s.Held}
}

// Files lists the files of some batches.
func Files(sets []*Set, batches []string) []train.File {
	var all []train.File
	for _, s := range sets {
		if !slices.Contains(batches, s.Batch.Name) {
			continue
		}
		for _, f := range s.Files {
			all = append(all, train.File{Batch: s.Batch.Name, Digest: string(f.Digest), Rows: f.Rows})
		}
	}
	return all
}

// Rows streams columns of the sets of some batches, in the order of the sets.
func Rows(ctx context.Context, b *store.Bucket, sets []*Set, batches, columns []string) train.Rows {
	return func(yield func(arrow.Record, error) bool) {
		for _, s := range sets {
			if !slices.Contains(batches, s.Batch.Name) {
				continue
			}
			for _, f := range s.Files {
				if !stream(ctx, b, f, columns, yield) {
					return
				}
			}
		}
	}
}

// stream yields the records of one file. It returns false if the sequence ends.
func stream(ctx context.Context, b *store.Bucket, f SetFile, columns []string, yield func(arrow.Record, error) bool) bool {
	r, err := b.Reader(ctx, f.Key)
	if err != nil {
		yield(nil, err)
		return false
	}
	defer r.Close()
	file, err := columnar.Open(r, r.Size(), &columnar.OpenOptions{Name: f.Key, Remote: !r.Local()})
	if err != nil {
		yield(nil, err)
		return false
	}
	for rec, err := range file.Records(ctx, columnar.ReadOptions{Columns: slices.Clone(columns)}) {
		if !yield(rec, err) || err != nil {
			return false
		}
	}
	return true
}
