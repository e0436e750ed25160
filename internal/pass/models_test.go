package pass_test

import (
	"bytes"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"

	"headgate/internal/columnar"
	"headgate/internal/model"
	"headgate/internal/pass"
	"headgate/internal/run"
)

// A second is a model that says of x what say does; "" inputs ask for x.
type second struct {
	input string
	say   func(rows int, dst *model.Scores) error
}

func (s second) Inputs() []model.Input { return []model.Input{{Name: s.input}} }
func (s second) Outputs() int          { return 1 }
func (s second) Objective() string     { return "test" }
func (s second) Score(dst *model.Scores, rec arrow.Record) error {
	dst.Resize(int(rec.NumRows()), 1)
	return s.say(int(rec.NumRows()), dst)
}

func constant(v float64) func(int, *model.Scores) error {
	return func(rows int, dst *model.Scores) error {
		for i := range rows {
			dst.Raw[i], dst.Pred[i] = -v, v
		}
		return nil
	}
}

// Whatever a model beside the champion does, the champion's bytes are those that it
// writes alone.
func TestAModelBesideTheChampionDisturbsNothing(t *testing.T) {
	s := newShop(t)
	shard := run.Shard{Groups: 2, Rows: 2 * 3001}
	in := pass.Input{File: s.file, Name: "shop", Shard: shard, Contract: s.contract, Scorer: s.scorer}
	alone := mustRun(t, in)
	for _, tt := range []struct {
		name   string
		model  model.Scorer
		failed string
	}{
		{"it scores", second{"tenure", constant(0.25)}, ""},
		{"it panics", second{"tenure", func(int, *model.Scores) error { panic("out of range") }}, "the model broke off: out of range"},
		{"it has an error", second{"tenure", func(int, *model.Scores) error { return errors.New("no tree") }}, "no tree"},
		{"a score is not finite", second{"tenure", constant(math.Inf(1))}, "the model gave a row the score -Inf, which is no finite number"},
		{"it wants a column that nobody delivers", second{"moon", constant(0.25)}, `column "moon", which the model needs, is missing`},
		{"it forgets rows", second{"tenure", func(rows int, dst *model.Scores) error { dst.Resize(rows-1, 1); return nil }}, "the model gave 3000 scores for 3001 rows"},
		{"it could not be loaded", nil, "the model cannot be loaded"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := in
			in.Models = []model.Scorer{tt.model, second{"tenure", constant(0.5)}}
			got := mustRun(t, in)
			if !bytes.Equal(got.Scores, alone.Scores) || !bytes.Equal(got.Profile, alone.Profile) || got.Content != alone.Content || !bytes.Equal(got.Quarantine, alone.Quarantine) {
				t.Error("the champion wrote other bytes")
			}
			if m := got.Models[0]; m.Failed != tt.failed || (m.Scores == nil) != (tt.failed != "") {
				t.Errorf("failed %q, want %q", m.Failed, tt.failed)
			}
			other := lines(t, got.Models[1].Scores, "customer_id", pass.ColumnRow)
			if want := lines(t, alone.Scores, "customer_id", pass.ColumnRow); got.Models[1].Failed != "" || !slices.Equal(other, want) {
				t.Errorf("the other model has %d rows of %d, failed %q", len(other), len(want), got.Models[1].Failed)
			}
		})
	}
}

// What a model says of a shard after the fact is what it said in the pass, byte by byte.
func TestRescoringWritesTheSameBytes(t *testing.T) {
	s := newShop(t)
	shard := run.Shard{FirstGroup: 1, Groups: 2, FirstRow: 3001, Rows: 2 * 3001}
	models := []model.Scorer{s.scorer, second{"tenure", func(int, *model.Scores) error { panic("late") }}}
	first := mustRun(t, pass.Input{File: s.file, Name: "shop", Shard: shard, Contract: s.contract, Scorer: s.scorer, Models: models})
	content, again, err := pass.Rescore(t.Context(), pass.RescoreInput{File: s.file, Name: "shop", Shard: shard, Contract: s.contract,
		Champion: s.scorer, Models: models, Scores: open(t, first.Scores)})
	if err != nil || content != first.Content || first.Quarantined == 0 {
		t.Fatalf("%v, content %x of %x, %d quarantined", err, content, first.Content, first.Quarantined)
	}
	for i, m := range first.Models {
		if !bytes.Equal(again[i].Scores, m.Scores) || again[i].Failed != m.Failed {
			t.Errorf("model %d: %d bytes, failed %q; in the pass %d bytes, %q", i, len(again[i].Scores), again[i].Failed, len(m.Scores), m.Failed)
		}
	}
	shard.FirstRow = 0
	if _, _, err := pass.Rescore(t.Context(), pass.RescoreInput{File: s.file, Shard: shard, Contract: s.contract, Champion: s.scorer, Scores: open(t, first.Scores)}); err == nil || !strings.Contains(err.Error(), "which is not of the shard") {
		t.Errorf("rows of another shard: %v", err)
	}
}

// A row has the score, the raw score, the name and the rank of the model that its arm
// names; late rows have none.
func TestRowsHaveTheScoresOfTheirArm(t *testing.T) {
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "id", Type: arrow.PrimitiveTypes.Int64, Nullable: true}, {Name: pass.ColumnRow, Type: arrow.PrimitiveTypes.Int64},
		{Name: "raw_0", Type: arrow.PrimitiveTypes.Float64}, {Name: "pred_0", Type: arrow.PrimitiveTypes.Float64}}, nil)
	file := func(rows string) *columnar.File { return parquet(t, nil, record(t, schema, rows)) }
	mine := `[{"id":1,"headgate_row":10,"raw_0":-1,"pred_0":0.1},{"id":2,"headgate_row":12,"raw_0":-2,"pred_0":0.2},{"id":3,"headgate_row":13,"raw_0":-3,"pred_0":0.3},{"id":null,"headgate_row":14,"raw_0":-4,"pred_0":0.4}]`
	theirs := `[{"id":1,"headgate_row":10,"raw_0":-5,"pred_0":0.5},{"id":2,"headgate_row":12,"raw_0":-6,"pred_0":0.6},{"id":3,"headgate_row":13,"raw_0":-7,"pred_0":0.7},{"id":null,"headgate_row":14,"raw_0":-8,"pred_0":0.8}]`
	ranks := [][]*pass.Ranks{{new(pass.Ranks)}, {new(pass.Ranks)}}
	for i := range 4 {
		ranks[0][0].Add(float64(i+1) / 10)
		ranks[1][0].Add(float64(i+5) / 10)
	}
	calls := 0
	in := pass.AssembleInput{Scores: file(mine), Name: "people", FirstRow: 10, Columns: []string{"id"}, Outputs: 1, Late: map[int64]string{3: "key"}, Model: "a",
		Contract: "c", Run: "r", Entity: []string{"id"}, Others: []pass.Other{{Model: "b", Scores: file(theirs)}}, Ranks: ranks,
		Arm: func(_ pass.Key, ok bool) int {
			calls++
			if !ok || calls == 2 {
				return 0
			}
			return 1
		}}
	got, err := pass.Assemble(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"1 0.5 -5 0.125 b", "2 0.2 -2 0.375 a", "- 0.4 -4 0.875 a"}
	if have := lines(t, got.Data, "id", "score", "raw_score", "rank_pct", "model"); !slices.Equal(have, want) || !slices.Equal(got.Models, []int64{2, 1}) {
		t.Errorf("got %q, rows %v\nwant %q", have, got.Models, want)
	}
	in.Others = []pass.Other{{Model: "b", Scores: file(strings.Replace(theirs, `"headgate_row":12`, `"headgate_row":11`, 1))}}
	if _, err := pass.Assemble(t.Context(), in); err == nil || !strings.Contains(err.Error(), "model b has not scored row 12") {
		t.Errorf("other rows: %v", err)
	}
	in.Others, in.Arm = []pass.Other{{Model: "b", Scores: file(theirs)}}, func(pass.Key, bool) int { return 2 }
	if _, err := pass.Assemble(t.Context(), in); err == nil || !strings.Contains(err.Error(), "belongs to arm 2, and there are 2") {
		t.Errorf("an arm that is not there: %v", err)
	}
}
