package domain

import (
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"headgate/internal/model"
)

var features = []model.Input{{Name: "x"}, {Name: "y"}, {Name: "colour", Kind: model.Categorical}}

// world makes rows whose x and y are standard normal with a correlation, and whose
// colour is one of three, the third with the given share.
func world(n int, seed uint64, correlation, third float64) Rows {
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "x", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
		{Name: "y", Type: arrow.PrimitiveTypes.Float64},
		{Name: "colour", Type: arrow.BinaryTypes.String},
	}, nil)
	return func(yield func(arrow.Record, error) bool) {
		random := rand.New(rand.NewPCG(seed, 1))
		for left := n; left > 0; left -= 700 {
			b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
			for range min(left, 700) {
				x := random.NormFloat64()
				y := correlation*x + math.Sqrt(1-correlation*correlation)*random.NormFloat64()
				b.Field(0).(*array.Float64Builder).Append(x)
				b.Field(1).(*array.Float64Builder).Append(y)
				colour := "red"
				switch u := random.Float64(); {
				case u < third:
					colour = "blue"
				case u < (1+third)/2:
					colour = "green"
				}
				b.Field(2).(*array.StringBuilder).Append(colour)
			}
			rec := b.NewRecord()
			b.Release()
			more := yield(rec, nil)
			rec.Release()
			if !more {
				return
			}
		}
	}
}

func classify(t *testing.T, reference, current Rows, o *Options) *Result {
	t.Helper()
	r, err := Classify(t.Context(), reference, current, features, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestBatchesOfOneWorldAreAlike(t *testing.T) {
	r := classify(t, world(6000, 1, 0, 0.2), world(5000, 2, 0, 0.2), nil)
	if r.Drift || r.AUC.Low > 0.5 || r.AUC.High < 0.5 || r.Reference != 6000 || r.Current != 5000 {
		t.Errorf("got %+v, want an area of 0.5 and no drift", r)
	}
}

// Both columns look the same on their own: only how they go together has changed.
func TestAChangedCorrelationIsSeen(t *testing.T) {
	r := classify(t, world(6000, 1, 0, 0.2), world(6000, 2, 0.5, 0.2), nil)
	if !r.Drift || len(r.Features) < 2 || r.Features[0].Name == "colour" || r.Features[1].Name == "colour" {
		t.Errorf("got %+v, want drift that x and y drive", r)
	}
}

func TestTheFeatureThatDrivesItComesFirst(t *testing.T) {
	r := classify(t, world(6000, 1, 0, 0.2), world(6000, 2, 0, 0.6), nil)
	if !r.Drift || r.Features[0].Name != "colour" || r.Features[0].Share < 0.5 {
		t.Errorf("got %+v, want drift that colour drives", r)
	}
	var total float64
	for _, f := range r.Features {
		total += f.Share
	}
	if total < 0.999 || total > 1.001 {
		t.Errorf("shares add up to %g", total)
	}
}

func TestSameRowsGiveTheSameBytes(t *testing.T) {
	var last []byte
	for range 2 {
		b, err := json.Marshal(classify(t, world(3000, 1, 0, 0.2), world(3000, 2, 0.2, 0.3), &Options{Rows: 1000, Seed: 7}))
		if err != nil {
			t.Fatal(err)
		}
		if last != nil && string(b) != string(last) {
			t.Errorf("%s\n%s", last, b)
		}
		last = b
	}
}

// The same people in both batches: a classifier that has seen them on one side would
// take them for the other on sight, and be worse than chance.
func TestPeopleWhoAreInBothBatchesAreJudgedTogether(t *testing.T) {
	same := keyed(world(4000, 1, 0, 0.2))
	r := classify(t, same, same, &Options{Key: []string{"id"}})
	if r.Drift || r.AUC.Value != 0.5 {
		t.Errorf("got %+v, want an area of exactly 0.5", r.AUC)
	}
	if blind := classify(t, same, same, nil); blind.AUC.High >= 0.5 {
		t.Errorf("without a key the area is %v, want it below 0.5", blind.AUC)
	}
	if _, err := Classify(t.Context(), same, world(4000, 1, 0, 0.2), features, &Options{Key: []string{"id"}}); err == nil || !strings.Contains(err.Error(), `column "id", of the key, is missing`) {
		t.Errorf("got %v", err)
	}
}

// keyed adds a column that numbers the rows.
func keyed(rows Rows) Rows {
	return func(yield func(arrow.Record, error) bool) {
		next := int64(0)
		for rec, err := range rows {
			if err != nil {
				yield(nil, err)
				return
			}
			b := array.NewInt64Builder(memory.DefaultAllocator)
			for range rec.NumRows() {
				b.Append(next)
				next++
			}
			fields := append(slices.Clone(rec.Schema().Fields()), arrow.Field{Name: "id", Type: arrow.PrimitiveTypes.Int64})
			if !yield(array.NewRecord(arrow.NewSchema(fields, nil), append(slices.Clone(rec.Columns()), b.NewArray()), rec.NumRows()), nil) {
				return
			}
		}
	}
}

func TestOnlyAboutSoManyRowsAreLookedAt(t *testing.T) {
	r := classify(t, world(9000, 1, 0, 0.2), world(4000, 2, 0, 0.2), &Options{Rows: 1000})
	if r.Reference < 900 || r.Reference > 1100 || r.Current < 900 || r.Current > 1100 {
		t.Errorf("looked at %d and %d rows, want about 1000 each", r.Reference, r.Current)
	}
}

func TestWhatCannotBeToldApartSaysWhy(t *testing.T) {
	good, broken := world(1000, 1, 0, 0.2), errors.New("torn page")
	failing := func(yield func(arrow.Record, error) bool) { yield(nil, broken) }
	tests := []struct {
		name               string
		reference, current Rows
		features           []model.Input
		options            *Options
		want               string
	}{
		{"no features", good, good, nil, nil, "no feature"},
		{"a column that is not there", good, good, []model.Input{{Name: "z"}}, nil, `reference: column "z" is missing`},
		{"too few rows", good, world(10, 1, 0, 0.2), features, nil, "1000 and 10 rows are too few"},
		{"a file that breaks", good, failing, features, nil, "current batch: torn page"},
		{"one fold", good, good, features, &Options{Folds: 1}, "1 folds; there must be 2 to 20"},
		{"a bound of one", good, good, features, &Options{Bound: 1}, "the bound is 1"},
		{"a level of one", good, good, features, &Options{Level: 1}, "the level is 1"},
		{"few rows asked for", good, good, features, &Options{Rows: 10}, "10 rows of a side are too few"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := Classify(t.Context(), test.reference, test.current, test.features, test.options)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}
