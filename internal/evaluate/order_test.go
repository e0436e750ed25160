package evaluate

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestDescendingIsTheOrderOfAStableSort(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	for name, value := range map[string]func() float64{
		"probabilities":       random.Float64,
		"few values":          func() float64 { return float64(random.IntN(3)) / 2 },
		"one value":           func() float64 { return 0.5 },
		"amounts of any sign": func() float64 { return random.NormFloat64() * math.Exp(50*random.NormFloat64()) },
		"zeros of both signs": func() float64 { return math.Copysign(0, random.NormFloat64()) },
		"the ends of doubles": func() float64 {
			return []float64{math.MaxFloat64, -math.MaxFloat64, math.SmallestNonzeroFloat64, -math.SmallestNonzeroFloat64, 0}[random.IntN(5)]
		},
	} {
		for _, n := range []int{0, 1, 999, 1000, 5000} {
			values := make([]float64, n)
			want := make([]int32, n)
			for i := range values {
				values[i], want[i] = value(), int32(i)
			}
			slices.SortStableFunc(want, func(a, b int32) int { return cmp.Compare(values[b], values[a]) })
			if got := descending(values); !slices.Equal(got, want) {
				t.Errorf("%s: %d values are in another order", name, n)
			}
		}
	}
}

func TestScaledIsLdexp(t *testing.T) {
	for k := -1080; k <= 1030; k++ {
		for _, y := range []float64{0.71, 1, 1.2345678901234567, 1.41} {
			if got, want := scaled(y, k), math.Ldexp(y, k); got != want {
				t.Fatalf("scaled(%g, %d) is %g, want %g", y, k, got, want)
			}
		}
	}
}
