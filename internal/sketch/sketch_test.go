package sketch_test

import (
	"bytes"
	"encoding"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"headgate/internal/sketch"
)

// hard returns numbers whose float64 sum depends on the order.
func hard(rng *rand.Rand, n int) []float64 {
	edges := []float64{math.MaxFloat64, -math.MaxFloat64, 5e-324, -5e-324, 0x1p-1022, 1e300, -1e300, 1, -1, 0}
	out := make([]float64, n)
	for i := range out {
		if rng.IntN(8) == 0 {
			out[i] = edges[rng.IntN(len(edges))]
			continue
		}
		out[i] = math.Ldexp(rng.NormFloat64(), rng.IntN(600)-300)
	}
	return out
}

// exact returns the sum and the sum of squares by math/big.
func exact(values []float64) (sum, squares *big.Float) {
	sum, squares = new(big.Float).SetPrec(5000), new(big.Float).SetPrec(5000)
	for _, v := range values {
		x := new(big.Float).SetPrec(5000).SetFloat64(v)
		sum.Add(sum, x)
		squares.Add(squares, x.Mul(x, x))
	}
	return sum, squares
}

func TestSumIsExact(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for _, n := range []int{0, 1, 2, 10, 1000} {
		values := hard(rng, n)
		var m sketch.Moments
		var sum sketch.Sum
		for _, v := range values {
			m.Add(v)
			sum.Add(v)
		}
		wantSum, wantSquares := exact(values)
		if want, _ := wantSum.Float64(); sum.Float64() != want || m.Sum.Float64() != want {
			t.Errorf("%d values: got sums %g and %g, want %g", n, sum.Float64(), m.Sum.Float64(), want)
		}
		if want, _ := wantSquares.Float64(); m.Squares.Float64() != want {
			t.Errorf("%d values: got squares %g, want %g", n, m.Squares.Float64(), want)
		}
	}
}

func TestSumIgnoresWhatIsNotFinite(t *testing.T) {
	var s sketch.Sum
	var m sketch.Moments
	for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		s.Add(v)
		m.Add(v)
	}
	if s.Float64() != 0 || m.Sum.Float64() != 0 || m.Squares.Float64() != 0 {
		t.Errorf("got %g, %g and %g, want 0", s.Float64(), m.Sum.Float64(), m.Squares.Float64())
	}
}

func TestAddProduct(t *testing.T) {
	var s sketch.Sum
	s.AddProduct(1<<53+1, 1<<53+1)
	s.Add(-0x1p106)
	if got, want := s.Float64(), float64(1<<54+1); got != want {
		t.Errorf("got %g, want %g", got, want)
	}
}

func TestMeanVarianceWithoutCancellation(t *testing.T) {
	tests := []struct {
		name           string
		values         []float64
		mean, variance float64
	}{
		{name: "far from zero", values: []float64{1e9 + 1, 1e9 + 2, 1e9 + 3, 1e9 + 4}, mean: 1e9 + 2.5, variance: 1.25},
		{name: "one value", values: []float64{-3}, mean: -3, variance: 0},
		{name: "a constant that is no binary fraction", values: []float64{0.1, 0.1, 0.1}, mean: 0.1, variance: 0},
		{name: "squares beyond float64", values: []float64{1e200, 1e200}, mean: 1e200, variance: 0},
		{name: "no values", mean: math.NaN(), variance: math.NaN()},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var m sketch.Moments
			for _, v := range tt.values {
				m.Add(v)
			}
			mean, variance := m.MeanVariance(int64(len(tt.values)))
			if !same(mean, tt.mean) || !same(variance, tt.variance) {
				t.Errorf("got %g and %g, want %g and %g", mean, variance, tt.mean, tt.variance)
			}
		})
	}
}

// same is == with NaN equal to itself.
func same(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }

func TestQuantilesKeepTheirPromise(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	draws := map[string]func() float64{
		"normal":            rng.NormFloat64,
		"exponential":       rng.ExpFloat64,
		"over 200 decades":  func() float64 { return math.Pow(10, 200*rng.Float64()-100) },
		"half of them zero": func() float64 { return max(0, rng.NormFloat64()) },
		"huge":              func() float64 { return math.MaxFloat64 * rng.Float64() },
	}
	for name, draw := range draws {
		t.Run(name, func(t *testing.T) {
			var q sketch.Quantiles
			values := make([]float64, 10_000)
			for i := range values {
				values[i] = draw()
				q.Add(values[i])
			}
			slices.Sort(values)
			for _, p := range []float64{0, 0.001, 0.1, 0.5, 0.9, 0.999, 1} {
				got, want := q.Quantile(p), values[int(p*float64(len(values)-1))]
				if math.Abs(got-want) > math.Abs(want)/257*(1+1e-12) {
					t.Errorf("p %g: got %g, want %g", p, got, want)
				}
			}
		})
	}
}

func TestQuantilesWithoutValues(t *testing.T) {
	var q sketch.Quantiles
	q.Add(math.NaN())
	q.Add(math.Inf(-1))
	if got := q.Quantile(0.5); !math.IsNaN(got) || q.Count() != 0 {
		t.Errorf("got %g of %d values, want NaN of none", got, q.Count())
	}
}

func TestDistinctIsNearTheTruth(t *testing.T) {
	for _, n := range []int{0, 1, 10, 1000, 20_000, 100_000, 1_000_000} {
		var d sketch.Distinct
		for i := range n {
			d.Add(sketch.Mix(uint64(i)))
			d.Add(sketch.Mix(uint64(i / 2)))
		}
		// Four standard errors.
		if got := d.Estimate(); math.Abs(got-float64(n)) > 4*0.0081*float64(n) {
			t.Errorf("got %.0f, want %d", got, n)
		}
	}
}

// TestDistinctHasItsStandardError estimates many sets of one size.
func TestDistinctHasItsStandardError(t *testing.T) {
	const sets, size = 200, 20_000
	var squares float64
	for set := range sets {
		var d sketch.Distinct
		for i := range size {
			d.Add(sketch.Mix(uint64(set*size + i)))
		}
		e := d.Estimate()/size - 1
		squares += e * e / sets
	}
	// Of 200 sets the standard error is itself known within 5 %.
	if got := math.Sqrt(squares); got > 0.0081*1.15 {
		t.Errorf("got a standard error of %.4f, want 0.0081", got)
	}
}

func TestUnmixUndoesMix(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	for _, x := range []uint64{0, 1, math.MaxUint64, rng.Uint64(), rng.Uint64()} {
		if got := sketch.Unmix(sketch.Mix(x)); got != x {
			t.Errorf("got %x, want %x", got, x)
		}
	}
}

func TestFrequentIsExactForSmallDomains(t *testing.T) {
	var f sketch.Frequent
	for i := range 50_000 {
		f.Add(sketch.Mix(uint64(i%1000)), 1)
	}
	if !f.Complete() || len(f.Values()) != 1000 {
		t.Fatalf("got %d values, complete %v", len(f.Values()), f.Complete())
	}
	for _, v := range f.Values() {
		if v.Count != 50 {
			t.Errorf("value %d: got %d, want 50", sketch.Unmix(v.Hash), v.Count)
		}
	}
}

func TestFrequentKeepsExactCountsOfASample(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	var f sketch.Frequent
	counts := map[uint64]uint64{}
	for range 100_000 {
		h := sketch.Mix(uint64(rng.IntN(20_000)))
		counts[h]++
		f.Add(h, 1)
	}
	if f.Complete() || len(f.Values()) != 1000 {
		t.Fatalf("got %d values, complete %v", len(f.Values()), f.Complete())
	}
	for _, v := range f.Values() {
		if v.Count != counts[v.Hash] {
			t.Errorf("got %d, want %d", v.Count, counts[v.Hash])
		}
	}
}

func TestFrequentTexts(t *testing.T) {
	long := string(bytes.Repeat([]byte("ä"), 100))
	var f sketch.Frequent
	f.AddText(7, "seven", 3)
	f.AddText(7, "another with this hash", 1)
	f.AddText(1, long, 9)
	top := f.Top(10)
	want := []sketch.Value{{Hash: 1, Text: long[:128], Count: 9}, {Hash: 7, Text: "another with this hash", Count: 4}}
	if !slices.Equal(top, want) {
		t.Errorf("got %v, want %v", top, want)
	}
}

// A summary can be marshalled and merged.
type summary interface {
	encoding.BinaryMarshaler
	encoding.BinaryUnmarshaler
	add(seed uint64)
	merge(summary)
}

type (
	sum       struct{ sketch.Sum }
	squares   struct{ sketch.Moments }
	quantiles struct{ sketch.Quantiles }
	distinct  struct{ sketch.Distinct }
	frequent  struct{ sketch.Frequent }
)

func (s *sum) add(x uint64)       { s.Add(number(x)) }
func (s *squares) add(x uint64)   { s.Add(number(x)) }
func (s *quantiles) add(x uint64) { s.Add(number(x)) }
func (s *distinct) add(x uint64)  { s.Add(sketch.Mix(x)) }
func (s *frequent) add(x uint64) {
	if x%3 == 0 {
		s.AddText(sketch.Mix(x), fmt.Sprint(x), x%5+1)
		return
	}
	s.Add(sketch.Mix(x), x%5+1)
}

func (s *sum) merge(o summary)       { s.Merge(&o.(*sum).Sum) }
func (s *squares) merge(o summary)   { s.Merge(&o.(*squares).Moments) }
func (s *quantiles) merge(o summary) { s.Merge(&o.(*quantiles).Quantiles) }
func (s *distinct) merge(o summary)  { s.Merge(&o.(*distinct).Distinct) }
func (s *frequent) merge(o summary)  { s.Merge(&o.(*frequent).Frequent) }

// number makes a float64 of any kind out of bits.
func number(x uint64) float64 { return math.Float64frombits(sketch.Mix(x)) }

// MarshalBinary and UnmarshalBinary are those of the squares.
func (s *squares) MarshalBinary() ([]byte, error)    { return s.Squares.MarshalBinary() }
func (s *squares) UnmarshalBinary(data []byte) error { return s.Squares.UnmarshalBinary(data) }

// kinds makes an empty summary of each kind.
var kinds = map[string]func() summary{
	"sum":       func() summary { return &sum{} },
	"squares":   func() summary { return &squares{} },
	"quantiles": func() summary { return &quantiles{} },
	"distinct":  func() summary { return &distinct{} },
	"frequent":  func() summary { return &frequent{} },
}

func TestAnySplitAndOrderGivesTheSameBytes(t *testing.T) {
	for name, make := range kinds {
		t.Run(name, func(t *testing.T) {
			for _, size := range []int{0, 1, 500, 1001, 2001, 9000} {
				rng := rand.New(rand.NewPCG(uint64(size), 5))
				values := manyOf(rng, size)
				want := bytesOf(t, whole(make, values))
				for range 5 {
					rng.Shuffle(len(values), func(i, j int) { values[i], values[j] = values[j], values[i] })
					got := bytesOf(t, merged(t, rng, make, values))
					if !bytes.Equal(got, want) {
						t.Fatalf("%d values: the bytes differ", size)
					}
				}
			}
		})
	}
}

// manyOf returns values of which some repeat.
func manyOf(rng *rand.Rand, n int) []uint64 {
	out := make([]uint64, n)
	for i := range out {
		out[i] = rng.Uint64N(uint64(n))
	}
	return out
}

// whole adds all values to one summary.
func whole(make func() summary, values []uint64) summary {
	s := make()
	for _, v := range values {
		s.add(v)
	}
	return s
}

// merged adds stretches of the values to summaries and merges them as they come,
// from the left or from the right, some after a trip through bytes.
func merged(t *testing.T, rng *rand.Rand, make func() summary, values []uint64) summary {
	t.Helper()
	all := make()
	for len(values) > 0 {
		n := 1 + rng.IntN(len(values))
		part := whole(make, values[:n])
		values = values[n:]
		if rng.IntN(2) == 0 {
			data := bytesOf(t, part)
			part = make()
			if err := part.UnmarshalBinary(data); err != nil {
				t.Fatal(err)
			}
		}
		if rng.IntN(2) == 0 {
			part, all = all, part
		}
		all.merge(part)
	}
	return all
}

// bytesOf returns the bytes of a summary.
func bytesOf(t testing.TB, s summary) []byte {
	t.Helper()
	data, err := s.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// FuzzUnmarshal checks that bytes are refused or are the only way to write what
// they say, for every kind.
func FuzzUnmarshal(f *testing.F) {
	for _, make := range kinds {
		for _, n := range []int{0, 3, 1500} {
			f.Add(bytesOf(f, whole(make, manyOf(rand.New(rand.NewPCG(6, 6)), n))))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for name, make := range kinds {
			s := make()
			if s.UnmarshalBinary(data) != nil {
				continue
			}
			if got := bytesOf(t, s); !bytes.Equal(got, data) {
				t.Errorf("%s: read %x, wrote %x", name, data, got)
			}
			s.merge(s)
		}
	})
}
