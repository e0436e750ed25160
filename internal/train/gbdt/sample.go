package gbdt

import (
	"context"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"headgate/internal/model"
)

// A sampler looks at all rows once: it counts them, keeps a sample of them, and
// sees which features have missing values.
type sampler struct {
	columns Columns
	params  Params
	encoder *model.Encoder
	draw    *rand.Rand
	rows    int
	values  [][]float64 // of each feature, in the sampled rows
	present []int       // of each feature: rows that have a value
	low     []float64
	high    []float64
	slots   []int // of each row of a chunk: where in the sample it goes, or −1
}

// The draws of a training are of streams of their own, so that one more draw of a
// kind moves none of the others.
const (
	streamSample = iota + 1
	streamBags
	streamFeatures
)

func newSampler(c Columns, p Params) (*sampler, error) {
	encoder, err := model.NewEncoder(c.Features)
	if err != nil {
		return nil, err
	}
	n := len(c.Features)
	s := &sampler{columns: c, params: p, encoder: encoder, draw: rand.New(rand.NewPCG(uint64(p.Seed), streamSample)),
		values: make([][]float64, n), present: make([]int, n), low: make([]float64, n), high: make([]float64, n)}
	for i := range n {
		s.low[i], s.high[i] = math.Inf(1), math.Inf(-1)
	}
	return s, nil
}

// read looks at all records.
func (s *sampler) read(ctx context.Context, records iter.Seq2[arrow.Record, error]) error {
	stride := len(s.columns.Features)
	buffer := make([]float64, readChunk*stride)
	for rec, err := range records {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		frame, err := s.encoder.Bind(rec)
		if err != nil {
			return err
		}
		for from := 0; from < int(rec.NumRows()); from += readChunk {
			to := min(from+readChunk, int(rec.NumRows()))
			values := buffer[:(to-from)*stride]
			frame.Fill(values, from, to)
			if err := s.add(values, stride); err != nil {
				return err
			}
		}
	}
	if s.rows == 0 {
		return fmt.Errorf("training data: there are no rows")
	}
	return nil
}

// add looks at decoded rows.
func (s *sampler) add(values []float64, stride int) error {
	rows := len(values) / stride
	s.choose(rows)
	for f := range stride {
		for i := range rows {
			v := values[i*stride+f]
			if v == v {
				if reason := s.unfit(f, v); reason != "" {
					return &RowError{int64(s.rows + i), s.columns.Features[f].Name, reason}
				}
				s.present[f]++
				s.low[f], s.high[f] = min(s.low[f], v), max(s.high[f], v)
			}
			switch slot := s.slots[i]; {
			case slot < 0:
			case slot == len(s.values[f]):
				s.values[f] = append(s.values[f], v)
			default:
				s.values[f][slot] = v
			}
		}
	}
	s.rows += rows
	return nil
}

// choose draws for each of some rows whether and where it goes into the sample:
// after any number of rows, each has had the same chance.
//
// Source: Vitter, "Random Sampling with a Reservoir", 1985, algorithm R.
func (s *sampler) choose(rows int) {
	s.slots = slices.Grow(s.slots[:0], rows)[:rows]
	for i := range s.slots {
		slot := s.rows + i
		if slot >= s.params.SampleRows {
			if slot = s.draw.IntN(slot + 1); slot >= s.params.SampleRows {
				slot = -1
			}
		}
		s.slots[i] = slot
	}
}

// unfit says why a value cannot be trained with, or "".
func (s *sampler) unfit(feature int, v float64) string {
	switch {
	case math.IsInf(v, 0):
		return fmt.Sprintf("is %g; a feature is a finite number or missing", v)
	case s.columns.Features[feature].Kind == model.Categorical && v >= maxCode+1:
		return fmt.Sprintf("has the category code %g, beyond %d; number the categories from 0, or give them as text", v, maxCode)
	}
	return ""
}

// mappers makes the bins of all features. It uses the sample up.
func (s *sampler) mappers(threads int) []mapper {
	mappers := make([]mapper, len(s.values))
	parallel(threads, len(mappers), func(f, _ int) {
		sample, categorical := s.values[f], s.columns.Features[f].Kind == model.Categorical
		rows := len(sample)
		kept := sample[:0]
		for _, v := range sample {
			if categorical {
				v = math.Trunc(v)
			}
			if v == v && !(categorical && v < 0) {
				kept = append(kept, v)
			}
		}
		slices.Sort(kept)
		if categorical {
			mappers[f] = categoricalMapper(kept, rows, &s.params)
		} else {
			mappers[f] = numericMapper(kept, s.present[f] < s.rows, s.low[f], s.high[f], &s.params)
		}
		s.values[f] = nil
	})
	return mappers
}

// findCategories fills in the categories of text columns for which none are given:
// the values of the data, sorted.
func (c *Columns) findCategories(ctx context.Context, records iter.Seq2[arrow.Record, error]) error {
	wanted := map[int]map[string]bool{} // by feature
	text := map[int]bool{}              // features whose columns hold text
	for i, in := range c.Features {
		if in.Kind == model.Categorical && in.Categories == nil {
			wanted[i] = map[string]bool{}
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	for rec, err := range records {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		for i := range c.Features {
			at := rec.Schema().FieldIndices(c.Features[i].Name)
			if seen := wanted[i]; seen != nil && len(at) == 1 && collect(rec.Column(at[0]), seen) {
				text[i] = true
				if len(seen) > maxCode {
					return &model.InputError{Column: c.Features[i].Name, Reason: fmt.Sprintf("has more than %d categories; it looks like a key", maxCode)}
				}
			}
		}
		if len(text) == 0 {
			break
		}
	}
	for i := range text {
		c.Features[i].Categories = append([]string{}, sortedKeys(wanted[i])...)
	}
	return nil
}

// collect adds the texts of a column to seen. It returns false if it has no texts.
func collect(column arrow.Array, seen map[string]bool) bool {
	switch a := column.(type) {
	case array.StringLike:
		for i := range a.Len() {
			if a.IsValid(i) {
				if v := a.Value(i); !seen[v] {
					seen[string([]byte(v))] = true // v lies in the record's memory
				}
			}
		}
		return true
	case *array.Dictionary:
		values, ok := a.Dictionary().(array.StringLike)
		if !ok {
			return false
		}
		used := make([]bool, values.Len())
		for i := range a.Len() {
			if a.IsValid(i) {
				used[a.GetValueIndex(i)] = true
			}
		}
		for i, there := range used {
			if there && values.IsValid(i) {
				seen[string([]byte(values.Value(i)))] = true
			}
		}
		return true
	}
	return false
}
