package gbdt

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

func TestNumericBins(t *testing.T) {
	inf := math.Inf(1)
	above := func(v float64) float64 { return math.Nextafter(v, inf) }
	many := make([]float64, 1000)
	for i := range many {
		many[i] = float64(i + 1)
	}
	for _, test := range []struct {
		name    string
		sample  []float64 // sorted
		missing bool
		maxBin  int
		least   int
		want    []float64
		bins    int
	}{
		{name: "a bin for each value", sample: []float64{1, 1, 2, 2, 4, 4}, maxBin: 255, least: 1, want: []float64{zero, above(1.5), above(3), inf}, bins: 4},
		{name: "rare values share a bin", sample: []float64{1, 2, 4, 4, 4, 4}, maxBin: 255, least: 2, want: []float64{zero, above(3), inf}, bins: 3},
		{name: "zero is alone", sample: []float64{-2, -1, 0, 1, 2}, maxBin: 255, least: 1, want: []float64{above(-1.5), -zero, zero, above(1.5), inf}, bins: 5},
		{name: "missing values have a bin", sample: []float64{1, 2}, missing: true, maxBin: 255, least: 1, want: []float64{zero, above(1.5), inf}, bins: 4},
		{name: "neighbours are one value", sample: []float64{1, above(1), 2}, maxBin: 255, least: 1, want: []float64{zero, above((above(1) + 2) / 2), inf}, bins: 3},
		{name: "all the same", sample: []float64{7, 7, 7}, maxBin: 255, least: 1, want: []float64{zero, inf}, bins: 1},
		{name: "nothing", maxBin: 255, missing: true, least: 1, bins: 1},
		{name: "only negative", sample: []float64{-3, -3, -2, -2}, maxBin: 255, least: 1, want: []float64{above(-2.5), -zero, inf}, bins: 3},
		{name: "quantiles", sample: many, maxBin: 5, least: 3, want: []float64{zero, above(250.5), above(500.5), above(750.5), inf}, bins: 5},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := DefaultParams()
			p.MaxBin, p.MinDataInBin = test.maxBin, test.least
			low, high := inf, -inf
			if n := len(test.sample); n > 0 {
				low, high = test.sample[0], test.sample[n-1]
			}
			m := numericMapper(test.sample, test.missing, low, high, &p)
			if !slices.Equal(m.bounds, test.want) || m.bins != test.bins {
				t.Errorf("got bounds %v in %d bins, want %v in %d", m.bounds, m.bins, test.want, test.bins)
			}
		})
	}
}

func TestFrequentValuesHaveBinsOfTheirOwn(t *testing.T) {
	p := DefaultParams()
	p.MaxBin = 10
	var sample []float64
	for i := range 1000 {
		sample = append(sample, 1+float64(i)/1000)
	}
	sample = append(sample, slices.Repeat([]float64{1.5}, 2000)...)
	slices.Sort(sample)
	m := numericMapper(sample, false, 1, 2, &p)
	if at := m.bin(1.5); m.bin(1.499) == at || m.bin(1.501) == at || m.bins > 10 {
		t.Errorf("1.5 shares bin %d of %d: %v", at, m.bins, m.bounds)
	}
}

func TestBinsOfValues(t *testing.T) {
	p := DefaultParams()
	p.MinDataInBin = 1
	gaps := numericMapper([]float64{-1, 0, 1}, true, -1, 1, &p)
	full := numericMapper([]float64{-1, 0, 1}, false, -1, 1, &p)
	for _, test := range []struct {
		name  string
		m     *mapper
		value float64
		want  uint16
	}{
		{name: "below all", m: &full, value: -1e300, want: 0},
		{name: "zero", m: &full, value: 0, want: 1},
		{name: "minus zero", m: &full, value: math.Copysign(0, -1), want: 1},
		{name: "nearly zero", m: &full, value: 1e-36, want: 1},
		{name: "above all", m: &full, value: 1e300, want: 2},
		{name: "missing", m: &gaps, value: math.NaN(), want: 3},
		{name: "missing where nothing was missing counts as zero", m: &full, value: math.NaN(), want: 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := test.m.bin(test.value); got != test.want {
				t.Errorf("got %d, want %d", got, test.want)
			}
		})
	}
}

func TestCategoricalBins(t *testing.T) {
	p := DefaultParams()
	p.MinDataInBin = 2
	sample := []float64{0, 0, 0, 3, 3, 3, 3, 5, 5, 9}
	m := categoricalMapper(sample, 12, &p)
	if got := fmt.Sprint(m.codes); got != "[-1 3 0 5]" {
		t.Errorf("got codes %s, want those of two rows or more, the most frequent first", got)
	}
	if got := m.info(); got != "-1:3:0:5" {
		t.Errorf("got feature_infos %s", got)
	}
	for value, want := range map[float64]uint16{3: 1, 3.9: 1, 0: 2, 5: 3, 9: 0, 1: 0, -1: 0, 1e9: 0} {
		if got := m.bin(value); got != want {
			t.Errorf("code %g is in bin %d, want %d", value, got, want)
		}
	}
	if got := m.bin(math.NaN()); got != 0 {
		t.Errorf("missing is in bin %d, want 0", got)
	}
}

// Every row has the same chance to be in the sample.
func TestSamplesAreFair(t *testing.T) {
	counts := make([]int, 10)
	for seed := range int64(3000) {
		p := DefaultParams()
		p.SampleRows, p.Seed = 3, seed
		s, err := newSampler(Columns{Label: "y", Features: mixedColumns("", "").Features[1:2]}, p)
		if err != nil {
			t.Fatal(err)
		}
		for from := 0; from < 10; from += 5 {
			if err := s.add([]float64{float64(from), float64(from + 1), float64(from + 2), float64(from + 3), float64(from + 4)}, 1); err != nil {
				t.Fatal(err)
			}
		}
		for _, v := range s.values[0] {
			counts[int(v)]++
		}
	}
	for row, n := range counts {
		if math.Abs(float64(n)-900) > 4*math.Sqrt(900*0.7) {
			t.Errorf("row %d was drawn %d times of 3000, want about 900", row, n)
		}
	}
}
