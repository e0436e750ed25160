package model_test

import (
	"errors"
	"math"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"

	"headgate/internal/model"
)

// fixed is a model that always gives the same scores.
type fixed struct{ raw, pred []float64 }

func (fixed) Inputs() []model.Input { return []model.Input{{Name: "x"}} }
func (fixed) Outputs() int          { return 2 }
func (fixed) Objective() string     { return "fixed" }

func (f fixed) Score(dst *model.Scores, rec arrow.Record) error {
	if rec.Schema().Field(0).Name != "x" {
		return &model.InputError{Column: "x", Reason: "is missing"}
	}
	dst.Resize(int(rec.NumRows()), 2)
	copy(dst.Raw, f.raw)
	copy(dst.Pred, f.pred)
	return nil
}

func TestCheckGolden(t *testing.T) {
	rows := record(map[string]arrow.Array{"x": column(t, arrow.PrimitiveTypes.Int8, `[1, 2]`)}, "x")
	others := record(map[string]arrow.Array{"y": column(t, arrow.PrimitiveTypes.Int8, `[1, 2]`)}, "y")
	nan := math.NaN()
	up := func(v float64, ulps int) float64 {
		for range ulps {
			v = math.Nextafter(v, 2)
		}
		return v
	}
	s := fixed{raw: []float64{1, 2, nan, 4}, pred: []float64{.1, .2, nan, .4}}
	for _, test := range []struct {
		name      string
		rows      arrow.Record
		raw, pred []float64
		want      string
	}{
		{name: "the same", rows: rows, raw: s.raw, pred: s.pred},
		{name: "predictions 4 ulp off", rows: rows, raw: s.raw, pred: []float64{.1, up(.2, 4), nan, .4}},
		{name: "a prediction 5 ulp off", rows: rows, raw: s.raw, pred: []float64{.1, .2, nan, up(.4, 5)},
			want: "golden row 1: pred_1 is 0.40000000000000002, want 0.4000000000000003"},
		{name: "a raw score 1 ulp off", rows: rows, raw: []float64{up(1, 1), 2, nan, 4}, pred: s.pred,
			want: "golden row 0: raw_0 is 1, want 1.0000000000000002"},
		{name: "NaN is only NaN", rows: rows, raw: []float64{1, 2, 0, 4}, pred: s.pred, want: "golden row 1: raw_0 is NaN, want 0"},
		{name: "too few scores", rows: rows, raw: s.raw[:2], pred: s.pred[:2],
			want: "golden rows: 1 × 2 scores for 2 rows of a model with 2 outputs"},
		{name: "rows of something else", rows: others, raw: s.raw, pred: s.pred, want: `golden rows: column "x" is missing`},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := model.CheckGolden(s, test.rows, &model.Scores{Outputs: 2, Raw: test.raw, Pred: test.pred})
			if (err == nil) != (test.want == "") || (err != nil && err.Error() != test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
			var golden *model.GoldenError
			if errors.As(err, &golden) && golden.Column == "" {
				t.Error("the error names no column")
			}
		})
	}
}

func TestNear(t *testing.T) {
	inf, zero := math.Inf(1), math.Copysign(0, -1)
	for _, test := range []struct {
		name string
		a, b float64
		ulps uint64
		want bool
	}{
		{name: "zeros of either sign", a: 0, b: zero, want: true},
		{name: "around zero", a: 5e-324, b: -5e-324, ulps: 2, want: true},
		{name: "around zero, too far", a: 5e-324, b: -5e-324, ulps: 1},
		{name: "opposite signs", a: 1, b: -1, ulps: 1 << 60},
		{name: "the largest is not near infinity", a: math.MaxFloat64, b: inf, ulps: 4},
		{name: "infinities of one sign", a: inf, b: inf, want: true},
		{name: "infinities of both signs", a: inf, b: -inf, ulps: math.MaxUint64},
	} {
		if got := model.Near(test.a, test.b, test.ulps); got != test.want {
			t.Errorf("%s: %t, want %t", test.name, got, test.want)
		}
	}
}
