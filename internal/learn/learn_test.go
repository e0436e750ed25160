package learn_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"headgate/internal/columnar"
	"headgate/internal/learn"
	"headgate/internal/pipeline"
	"headgate/internal/run"
	"headgate/internal/train"
	"headgate/internal/trigger"
)

// customers are rows of customers 0 to n − 1.
func customers(n int) train.Rows {
	return func(yield func(arrow.Record, error) bool) {
		ids := make([]int64, n)
		for i := range ids {
			ids[i] = int64(i)
		}
		schema := arrow.NewSchema([]arrow.Field{{Name: "id", Type: arrow.PrimitiveTypes.Int64}}, nil)
		yield(array.NewRecord(schema, []arrow.Array{columnar.Int64s(ids)}, int64(n)), nil)
	}
}

// count counts the rows of each customer.
func count(t *testing.T, rows train.Rows) map[int64]int {
	t.Helper()
	seen := map[int64]int{}
	if rows == nil {
		return seen
	}
	for rec, err := range rows {
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range rec.Column(0).(*array.Int64).Int64Values() {
			seen[id]++
		}
	}
	return seen
}

func TestWhatDividesRows(t *testing.T) {
	for _, tt := range []struct{ name, cluster, want string }{
		{"nothing but entities depend on each other", "", "id"},
		{"rows of a day depend on each other", "day", "day"},
		{"a model must have seen the values of its features", "region", "id"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := learn.Plan{Cluster: tt.cluster}
			if got := p.Apart([]string{"id"}, []string{"age", "region"}); len(got) != 1 || got[0] != tt.want {
				t.Errorf("got %v, want %s", got, tt.want)
			}
		})
	}
}

func TestACustomerIsInOnePartOnly(t *testing.T) {
	const n = 20_000
	stopping := map[string]string{"early_stopping_round": "5"}
	for _, tt := range []struct {
		name                       string
		training                   pipeline.Training
		train, valids, calibration float64 // shares of the customers
	}{
		{"customers tell when to stop", pipeline.Training{}, .8, .1, 0},
		{"customers tell when to stop and calibrate", pipeline.Training{Calibrate: "platt"}, .7, .1, .1},
		{"folds calibrate, and nothing stops", pipeline.Training{Trainer: "gbdt", Calibrate: "platt", Folds: 5}, .9, 0, 0},
		{"folds calibrate, and customers tell when to stop", pipeline.Training{Trainer: "gbdt", Calibrate: "platt", Folds: 5, Parameters: stopping}, .8, .1, 0},
		{"folds calibrate what a program may stop", pipeline.Training{Trainer: "command", Calibrate: "platt", Folds: 5}, .8, .1, 0},
		{"folds of no calibration", pipeline.Training{Trainer: "gbdt", Folds: 5}, .8, .1, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := &learn.Plan{Seed: 5, Kind: trigger.Refit, Training: tt.training}
			w := learn.Window{Name: "1", Train: []string{"2024-01"}}
			id := []string{"id"}
			shares, err := p.Shares(w, id, id, nil)
			if err != nil {
				t.Fatal(err)
			}
			parts := p.Divide(w, shares, id, func([]string) train.Rows { return customers(n) }, func([]string) []train.File { return nil })
			held := count(t, parts.Held)
			seen := count(t, parts.Held)
			for _, part := range []struct {
				rows train.Rows
				want float64
			}{{parts.Train, tt.train}, {parts.Valid, tt.valids}, {parts.Calibration, tt.calibration}} {
				rows := 0
				for id := range count(t, part.rows) {
					if held[id] == 0 { // the trainer leaves them out by itself
						seen[id]++
						rows++
					}
				}
				if share := float64(rows) / n; share < part.want-.01 || share > part.want+.01 {
					t.Errorf("a part has %.3f of the customers, want %.3f", share, part.want)
				}
			}
			if len(seen) != n {
				t.Errorf("%d of %d customers are in a part", len(seen), n)
			}
			for id, times := range seen {
				if times != 1 {
					t.Fatalf("customer %d is in %d parts", id, times)
				}
			}
		})
	}
}

// Of a few clusters each part has its tenth, and never none, whatever the seed.
func TestFewClustersAreInEachPart(t *testing.T) {
	for _, days := range []int{6, 30, 31, 92} {
		for seed := range int64(200) {
			p := &learn.Plan{Seed: seed, Cluster: "id", Training: pipeline.Training{Calibrate: "platt"}}
			w := learn.Window{Name: "1", Train: []string{"2024-01"}}
			day, rows := []string{"id"}, func([]string) train.Rows { return customers(days) }
			shares, err := p.Shares(w, day, []string{"flight"}, rows)
			if err != nil {
				t.Fatal(err)
			}
			parts := p.Divide(w, shares, day, rows, func([]string) []train.File { return nil })
			held := count(t, parts.Held)
			tenth := (days + 5) / 10
			for _, part := range []struct {
				name  string
				rows  train.Rows
				least int
			}{{"held", parts.Held, 2}, {"valid", parts.Valid, 1}, {"calibration", parts.Calibration, 2}} {
				n := 0
				for id := range count(t, part.rows) {
					if part.name == "held" || held[id] == 0 {
						n++
					}
				}
				if want := max(part.least, tenth); n < want-1 || n < part.least || n > want+1 {
					t.Fatalf("seed %d: %d of %d days are in the part %s, want about %d", seed, n, days, part.name, want)
				}
			}
		}
	}
}

func FuzzParseSet(f *testing.F) {
	good, err := run.Encode(learn.Set{Format: learn.Format, Columns: []string{"a"}, Label: "bought", Files: []learn.SetFile{{Rows: 3}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(`{"format":1,"more":2}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := learn.ParseSet(data)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "learn: set: ") {
				t.Errorf("%v", err)
			}
			return
		}
		again, err := run.Encode(s)
		if err != nil {
			t.Fatal(err)
		}
		if twice, err := learn.ParseSet(again); err != nil || !bytes.Equal(encode(t, twice), again) {
			t.Errorf("%v: %s", err, again)
		}
	})
}

func encode(t *testing.T, s *learn.Set) []byte {
	t.Helper()
	data, err := run.Encode(s)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
