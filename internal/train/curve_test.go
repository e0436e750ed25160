package train

import (
	"slices"
	"testing"
)

func TestTheCourseOfAMetricIsThinnedOut(t *testing.T) {
	for _, test := range []struct {
		name   string
		rounds int
		points int
		first  []int
	}{
		{"no metric", 0, 0, nil},
		{"a few rounds are all kept", 3, 3, []int{1, 2, 3}},
		{"as many as there may be", 100, 100, []int{1, 2, 3}},
		{"one more: every second, and the last", 101, 51, []int{1, 3, 5}},
		{"very many", 10_000, 100, []int{100, 200, 300}},
	} {
		t.Run(test.name, func(t *testing.T) {
			values := make([]float64, test.rounds)
			for i := range values {
				values[i] = float64(i + 1)
			}
			got := curve(values)
			var first []int
			for i, r := range got {
				if float64(r.Round) != r.Value {
					t.Errorf("round %d has the value of round %g", r.Round, r.Value)
				}
				if i < 3 {
					first = append(first, r.Round)
				}
			}
			if len(got) != test.points || !slices.Equal(first, test.first) {
				t.Errorf("%d points, first %v; want %d, first %v", len(got), first, test.points, test.first)
			}
			if len(got) > 0 && got[len(got)-1].Round != test.rounds {
				t.Errorf("the last is %d of %d", got[len(got)-1].Round, test.rounds)
			}
		})
	}
}
