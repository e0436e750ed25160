package train_test

import (
	"errors"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"headgate/internal/columnar"
	"headgate/internal/train"
)

func TestQuota(t *testing.T) {
	ids := func(n int) train.Rows {
		keys := make([]int64, 3*n)
		for i := range keys {
			keys[i] = int64(i % n)
		}
		schema := arrow.NewSchema([]arrow.Field{{Name: "id", Type: arrow.PrimitiveTypes.Int64}}, nil)
		return func(yield func(arrow.Record, error) bool) {
			yield(array.NewRecord(schema, []arrow.Array{columnar.Int64s(keys)}, int64(len(keys))), nil)
		}
	}
	for _, tt := range []struct {
		name        string
		keys        int
		share       float64
		least, want int
	}{
		{"a tenth of thirty", 30, 0.1, 1, 3},
		{"a tenth of thirty-six, rounded", 36, 0.1, 1, 4},
		{"at least two", 5, 0.1, 2, 2},
		{"not all", 2, 0.1, 2, 1},
		{"thousands", 5000, 0.1, 2, 500},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for seed := range int64(20) {
				share, err := train.Quota(ids(tt.keys), []string{"id"}, seed, tt.share, tt.least)
				if err != nil {
					t.Fatal(err)
				}
				held := map[int64]bool{}
				for rec, err := range train.Entities(ids(tt.keys), []string{"id"}, seed, share, true) {
					if err != nil {
						t.Fatal(err)
					}
					for _, id := range rec.Column(0).(*array.Int64).Int64Values() {
						held[id] = true
					}
				}
				if len(held) != tt.want {
					t.Errorf("seed %d: %d of %d keys are held by a share of %g, want %d", seed, len(held), tt.keys, share, tt.want)
				}
			}
		})
	}
	if share, err := train.Quota(ids(1), []string{"id"}, 1, 0.1, 2); err != nil || share != 0.1 {
		t.Errorf("one key cannot be divided: got %g, %v", share, err)
	}
	if _, err := train.Quota(ids(3), []string{"day"}, 1, 0.1, 1); err == nil {
		t.Error("no error without the column")
	}
	gone := errors.New("gone")
	if _, err := train.Quota(func(yield func(arrow.Record, error) bool) { yield(nil, gone) }, []string{"id"}, 1, 0.1, 1); !errors.Is(err, gone) {
		t.Errorf("got %v", err)
	}
}
