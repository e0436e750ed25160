package model_test

import (
	"math"
	"testing"

	"headgate/internal/model"
)

// The values are rounded from 60 digits of Python's decimal module.
func TestExpIsTheNearestDouble(t *testing.T) {
	for _, test := range []struct {
		name    string
		x, want float64
	}{
		{name: "zero", x: 0, want: 1},
		{name: "minus zero", x: math.Copysign(0, -1), want: 1},
		{name: "one", x: 1, want: math.E},
		{name: "minus one", x: -1, want: 0.36787944117144233},
		{name: "tiny", x: 1e-17, want: 1},
		{name: "half a logarithm of two", x: 0.34657359027997264, want: 1.414213562373095},
		{name: "ten", x: 10, want: 22026.465794806718},
		{name: "a usual margin", x: -2.5647241013876552, want: 0.076940406265072},
		{name: "the largest", x: 709.782712893384, want: 1.7976931348622732e308},
		{name: "beyond the largest", x: 709.7827128933841, want: math.Inf(1)},
		{name: "the smallest", x: -745.1332191019411, want: 5e-324},
		{name: "below the smallest", x: -745.14, want: 0},
		{name: "infinity", x: math.Inf(1), want: math.Inf(1)},
		{name: "minus infinity", x: math.Inf(-1), want: 0},
		{name: "no number", x: math.NaN(), want: math.NaN()},
	} {
		if got := model.Exp(test.x); !model.Near(got, test.want, 0) {
			t.Errorf("%s: Exp(%v) = %.17g, want %.17g", test.name, test.x, got, test.want)
		}
	}
}

func TestExpIsCloseToTheStandardLibrary(t *testing.T) {
	for x := -700.0; x < 700; x += 0.0373 {
		if got, near := model.Exp(x), math.Exp(x); !model.Near(got, near, 2) {
			t.Errorf("Exp(%v) = %.17g, math.Exp gives %.17g", x, got, near)
		}
	}
}
