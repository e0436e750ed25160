package train

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/zeebo/xxh3"

	"headgate/internal/model"
)

// How much of the data the guard keeps to see what predicts the label: so many rows,
// fewer if there are many features.
const (
	guardRows   = 20_000
	guardFewest = 2_000
	guardValues = 8 << 20
)

// streamGuard keeps the guard's draws apart from those of the trainer.
const streamGuard = 101

// A guardian looks at the rows of the training part.
type guardian struct {
	m        *Manifest
	limit    time.Time // first moment that is too late; zero without as-of
	rows     int64
	label    labelWatch
	features []featureWatch
	draw     *rand.Rand
	room     int       // rows of the sample
	labels   []float64 // of the sample
	slots    []int     // of each row of a record: where in the sample it goes, or −1
}

// A featureWatch follows one feature.
type featureWatch struct {
	Feature
	groups  bool // values name groups; their order means nothing
	present int64
	first   float64
	varies  bool
	unequal bool      // some row has another value than the label
	late    int64     // rows that have a value from after as-of
	sample  []float64 // NaN if missing
}

func newGuard(m *Manifest) (*guardian, error) {
	limit, err := m.limit()
	if err != nil {
		return nil, err
	}
	g := &guardian{m: m, limit: limit, draw: rand.New(rand.NewPCG(uint64(m.Seed), streamGuard)),
		room: min(guardRows, max(guardFewest, guardValues/(len(m.Features)+1)))}
	for _, f := range m.Features {
		g.features = append(g.features, featureWatch{Feature: f, groups: f.Kind == model.Categorical.String()})
	}
	return g, nil
}

// add looks at a record.
func (g *guardian) add(rec arrow.Record) error {
	label, _, err := numbersOf(rec, g.m.Label)
	if err != nil {
		return err
	}
	for i, v := range label {
		if math.IsInf(v, 0) {
			return &LabelError{g.m.Label, fmt.Sprintf("is %g in row %d; it must be finite", v, g.rows+int64(i))}
		}
		g.label.add(v)
	}
	g.choose(len(label))
	put(&g.labels, g.slots, label)
	for i := range g.features {
		f := &g.features[i]
		values, text, err := numbersOf(rec, f.Name)
		if err != nil {
			return err
		}
		f.groups = f.groups || text
		f.add(values, label)
		put(&f.sample, g.slots, values)
		if err := f.addTimes(rec, g); err != nil {
			return err
		}
	}
	g.rows += int64(len(label))
	return nil
}

// choose draws where in the sample each of some rows goes: after any number of rows,
// each has had the same chance.
//
// Source: Vitter, "Random Sampling with a Reservoir", 1985, algorithm R.
func (g *guardian) choose(rows int) {
	g.slots = slices.Grow(g.slots[:0], rows)[:rows]
	for i := range g.slots {
		slot := int(g.rows) + i
		if slot >= g.room {
			if slot = g.draw.IntN(slot + 1); slot >= g.room {
				slot = -1
			}
		}
		g.slots[i] = slot
	}
}

// put writes values to their places in a sample.
func put(sample *[]float64, slots []int, values []float64) {
	for i, slot := range slots {
		switch {
		case slot < 0:
		case slot == len(*sample):
			*sample = append(*sample, values[i])
		default:
			(*sample)[slot] = values[i]
		}
	}
}

func (f *featureWatch) add(values, label []float64) {
	for i, v := range values {
		f.unequal = f.unequal || v != label[i]
		if v != v {
			continue
		}
		if f.present == 0 {
			f.first = v
		}
		f.present++
		f.varies = f.varies || v != f.first
	}
}

// addTimes counts the rows whose value is from after as-of: known later than the row was
// true, if the feature says when it was known, or else itself a date after as-of.
func (f *featureWatch) addTimes(rec arrow.Record, g *guardian) error {
	if f.Available != "" {
		return f.addAvailable(rec, g)
	}
	c, err := columnOf(rec, f.Name)
	if err != nil {
		return err
	}
	at := moments(c)
	if at == nil || g.limit.IsZero() {
		return nil
	}
	for i := range c.Len() {
		if c.IsValid(i) && !at(i).Before(g.limit) {
			f.late++
		}
	}
	return nil
}

func (f *featureWatch) addAvailable(rec arrow.Record, g *guardian) error {
	known, err := instants(rec, f.Available)
	if err != nil {
		return err
	}
	due := func(int) (time.Time, bool) { return g.limit, !g.limit.IsZero() }
	if g.m.EventTime != "" {
		event, err := instants(rec, g.m.EventTime)
		if err != nil {
			return err
		}
		due = func(i int) (time.Time, bool) { at, ok := event(i); return at.Add(1), ok }
	}
	for i := range int(rec.NumRows()) {
		at, ok := known(i)
		limit, limited := due(i)
		if ok && limited && !at.Before(limit) {
			f.late++
		}
	}
	return nil
}

// judge says what is odd about the feature.
func (f *featureWatch) judge(g *guardian, task Task) (Finding, bool) {
	found := func(kind FindingKind, value float64, format string, args ...any) (Finding, bool) {
		return Finding{f.Name, kind, value, fmt.Sprintf("feature %q ", f.Name) + fmt.Sprintf(format, args...)}, true
	}
	switch {
	case f.present == 0:
		return found(EmptyFeature, 0, "has no value in any row")
	case f.late > 0 && f.Available != "":
		return found(LateFeature, float64(f.late), "was known only after the row was true in %d of %d rows, says %s", f.late, g.rows, f.Available)
	case f.late > 0:
		return found(LateFeature, float64(f.late), "is a date after %s in %d of %d rows", g.m.AsOf, f.late, g.rows)
	case !f.varies && f.present == g.rows:
		return found(ConstantColumn, 0, "has one value in all rows")
	case !f.unequal:
		return found(EqualsLabel, 1, "equals the label in all %d rows", g.rows)
	}
	threshold := g.m.Leak.threshold()
	strength := f.strength(g, task, threshold)
	if strength < threshold {
		return Finding{}, false
	}
	measure := "an AUC"
	if task == Regression {
		measure = "an R²"
	}
	return found(PredictsLabel, strength, "alone predicts the label with %s of %.4f; the limit is %g", measure, strength, threshold)
}

// Numbers reads a column as doubles: numbers and booleans as they are, dates and times
// as days. Missing values are NaN.
func Numbers(rec arrow.Record, name string) ([]float64, error) {
	values, _, err := numbersOf(rec, name)
	return values, err
}

// numbersOf reads a column as doubles: numbers and booleans as they are, dates and times
// as days, texts as hashes. Missing values are NaN. text says that it has texts.
func numbersOf(rec arrow.Record, name string) (values []float64, text bool, err error) {
	c, err := columnOf(rec, name)
	if err != nil {
		return nil, false, err
	}
	values = make([]float64, c.Len())
	switch a := c.(type) {
	case array.StringLike:
		for i := range values {
			values[i] = codeOf(a, i)
		}
		return values, true, nil
	case *array.Dictionary:
		if dict, ok := a.Dictionary().(array.StringLike); ok {
			codes := make([]float64, dict.Len())
			for i := range codes {
				codes[i] = codeOf(dict, i)
			}
			for i := range values {
				values[i] = math.NaN()
				if a.IsValid(i) {
					values[i] = codes[a.GetValueIndex(i)]
				}
			}
			return values, true, nil
		}
	case *array.Timestamp:
		at := moments(a)
		for i := range values {
			values[i] = math.NaN()
			if a.IsValid(i) {
				values[i] = float64(at(i).Unix()) / 86_400
			}
		}
		return values, false, nil
	}
	e, err := model.NewEncoder([]model.Input{{Name: name}})
	if err != nil {
		return nil, false, err
	}
	frame, err := e.Bind(rec)
	if err != nil {
		return nil, false, err
	}
	frame.Fill(values, 0, len(values))
	return values, false, nil
}

// codeOf is a number that stands for a text: 53 bits of its hash.
func codeOf(a array.StringLike, row int) float64 {
	if a.IsNull(row) {
		return math.NaN()
	}
	return float64(xxh3.HashString(a.Value(row)) >> 11)
}
