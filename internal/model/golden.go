package model

import (
	"fmt"
	"math"
	"strconv"

	"github.com/apache/arrow/go/v17/arrow"
)

// Ulps is how far a transformed score may be from the recorded one, in units in
// the last place: exp and log differ by that much between libraries.
const Ulps = 4

// CheckGolden scores rows and compares the result with the scores that were
// recorded when the model was made: raw scores bit for bit (a NaN equals a NaN,
// and zeros of either sign are equal), transformed ones within [Ulps]. It returns
// a *[GoldenError] for the first difference.
func CheckGolden(s Scorer, rows arrow.Record, expected *Scores) error {
	if expected.Outputs != s.Outputs() || len(expected.Raw) != len(expected.Pred) ||
		len(expected.Raw) != int(rows.NumRows())*s.Outputs() {
		return fmt.Errorf("golden rows: %d × %d scores for %d rows of a model with %d outputs",
			expected.Rows(), expected.Outputs, rows.NumRows(), s.Outputs())
	}
	var got Scores
	if err := s.Score(&got, rows); err != nil {
		return fmt.Errorf("golden rows: %w", err)
	}
	for i := range expected.Raw {
		row, column := i/expected.Outputs, strconv.Itoa(i%expected.Outputs)
		if !Near(got.Raw[i], expected.Raw[i], 0) {
			return &GoldenError{Row: row, Column: "raw_" + column, Got: got.Raw[i], Want: expected.Raw[i]}
		}
		if !Near(got.Pred[i], expected.Pred[i], Ulps) {
			return &GoldenError{Row: row, Column: "pred_" + column, Got: got.Pred[i], Want: expected.Pred[i]}
		}
	}
	return nil
}

// Near reports whether a and b are at most ulps doubles apart. NaN is near NaN
// and nothing else; an infinity is near itself only.
func Near(a, b float64, ulps uint64) bool {
	switch {
	case a == b:
		return true
	case math.IsNaN(a) || math.IsNaN(b):
		return math.IsNaN(a) && math.IsNaN(b)
	case math.IsInf(a, 0) || math.IsInf(b, 0):
		return false
	}
	x, y := ordinal(a), ordinal(b)
	if x < y {
		x, y = y, x
	}
	return uint64(x)-uint64(y) <= ulps
}

// ordinal numbers the doubles in their order; both zeros are 0.
func ordinal(f float64) int64 {
	n := int64(math.Float64bits(f))
	if n < 0 {
		return math.MinInt64 - n
	}
	return n
}
