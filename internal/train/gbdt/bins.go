package gbdt

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"headgate/internal/model"
)

const (
	// zero is LightGBM's kZeroThreshold, a float in its source: no value is nearer
	// to zero than this without counting as zero.
	zero = float64(float32(1e-35))
	// byteBins is how many bins a byte can tell apart. Only categorical features have
	// more, up to maxBins, and take two bytes for a value.
	byteBins, maxBins = 256, 1 << 16
	// maxCode is the largest category code. A model spells out one bit for each code
	// in every split, so codes should be small.
	maxCode = 1<<20 - 1
)

// A mapper puts the values of one feature into bins.
type mapper struct {
	kind model.Kind
	bins int // 1 if nothing can be told apart
	// Of numeric features.
	bounds    []float64 // largest value of each bin; the last is +Inf
	missing   bool      // one more bin follows, for missing values
	low, high float64   // of the values that are there
	// Of categorical features. Bin 0 is for missing values and rare categories.
	codes  []int32  // of each bin; −1 of bin 0
	lookup []uint16 // bin of each code
	rare   int      // categories in the sample that have no bin
}

// numericMapper makes bins of about equal numbers of rows, among them one for zero
// alone, as LightGBM does. sample is sorted and has no NaN; missing says that some
// rows have no value.
func numericMapper(sample []float64, missing bool, low, high float64, p *Params) mapper {
	m := mapper{kind: model.Numeric, bins: 1, missing: missing, low: low, high: high}
	if len(sample) == 0 {
		return m
	}
	values, counts := distinct(sample)
	limit := p.MaxBin
	if missing {
		limit = max(limit-1, 1)
	}
	m.bounds = zeroBounds(values, counts, limit, p.MinDataInBin)
	m.bins = len(m.bounds)
	switch {
	case missing:
		m.bins++
	case m.bin(low) == m.bin(high):
		m.bins = 1 // all rows are in it
	}
	return m
}

// distinct returns the different values of a sorted sample and how often each is
// there. Neighbours among the doubles are one value, the larger.
func distinct(sample []float64) (values []float64, counts []int) {
	for _, v := range sample {
		last := len(values) - 1
		if last >= 0 && v <= math.Nextafter(values[last], math.Inf(1)) {
			values[last] = v
			counts[last]++
			continue
		}
		values = append(values, v)
		counts = append(counts, 1)
	}
	return values, counts
}

// zeroBounds divides limit bins among the negative values, zero, and the positive
// values by their numbers, and returns the bins' upper bounds.
func zeroBounds(values []float64, counts []int, limit, least int) []float64 {
	negative, _ := slices.BinarySearch(values, -zero)
	if negative < len(values) && values[negative] == -zero {
		negative++
	}
	positive := negative
	for positive < len(values) && values[positive] <= zero {
		positive++
	}
	below, above := total(counts[:negative]), total(counts[positive:])
	var bounds []float64
	if negative > 0 && limit > 1 {
		bins := max(int(float64(below)/float64(below+above)*float64(limit-1)), 1)
		bounds = greedyBounds(values[:negative], counts[:negative], bins, below, least)
		bounds[len(bounds)-1] = -zero
	}
	rest := limit - 1 - len(bounds)
	if positive < len(values) && rest > 0 {
		bounds = append(bounds, zero)
		return append(bounds, greedyBounds(values[positive:], counts[positive:], rest, above, least)...)
	}
	return append(bounds, math.Inf(1))
}

func total(counts []int) int {
	sum := 0
	for _, n := range counts {
		sum += n
	}
	return sum
}

// greedyBounds cuts values into at most limit bins of about rows/limit rows, and at
// least as many as least says. A value with more rows than that has a bin alone.
func greedyBounds(values []float64, counts []int, limit, rows, least int) []float64 {
	var bounds []float64
	cut := func(after int) bool {
		bound := math.Nextafter((values[after]+values[after+1])/2, math.Inf(1))
		if n := len(bounds); n > 0 && bound <= math.Nextafter(bounds[n-1], math.Inf(1)) {
			return false
		}
		bounds = append(bounds, bound)
		return true
	}
	if len(values) <= limit {
		inBin := 0
		for i := range len(values) - 1 {
			inBin += counts[i]
			if inBin >= least && cut(i) {
				inBin = 0
			}
		}
		return append(bounds, math.Inf(1))
	}
	limit = max(min(limit, rows/least), 1)
	big := make([]bool, len(values))
	bins, left := limit, rows
	for i, n := range counts {
		if big[i] = float64(n) >= float64(rows)/float64(limit); big[i] {
			bins--
			left -= n
		}
	}
	mean := float64(left) / float64(bins)
	inBin, made := 0, 1
	for i := 0; i < len(values)-1 && made < limit; i++ {
		if !big[i] {
			left -= counts[i]
		}
		inBin += counts[i]
		full := big[i] || float64(inBin) >= mean || big[i+1] && float64(inBin) >= max(1, mean/2)
		if !full {
			continue
		}
		cut(i)
		made++
		inBin = 0
		if !big[i] {
			bins--
			mean = float64(left) / float64(bins)
		}
	}
	return append(bounds, math.Inf(1))
}

// categoricalMapper gives the most frequent codes a bin each, until they are 99 % of
// the rows and max_bin bins are used up, and at least two. sample is sorted; codes that are negative or
// NaN are left out of it. rows counts all sampled rows.
func categoricalMapper(sample []float64, rows int, p *Params) mapper {
	m := mapper{kind: model.Categorical, codes: []int32{-1}, bins: 1}
	values, counts := distinct(sample)
	if len(values) == 1 && len(sample) == rows {
		return m
	}
	order := make([]int, len(values))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return counts[j] - counts[i] })
	wanted := len(values)
	if len(sample) < rows {
		wanted++
	}
	limit := min(wanted, p.MaxBin)
	enough := int(math.Round(float64(float32(0.99)) * float64(len(sample))))
	used := 0
	for n, i := range order {
		if m.bins == maxBins || used >= enough && m.bins >= limit || counts[i] < p.MinDataInBin && n > 1 {
			break
		}
		m.codes = append(m.codes, int32(values[i]))
		m.bins++
		used += counts[i]
	}
	m.rare = len(values) - m.bins + 1
	m.lookup = make([]uint16, slices.Max(m.codes)+1)
	for bin, code := range m.codes[1:] {
		m.lookup[code] = uint16(bin + 1)
	}
	return m
}

// bin returns the bin of a value. A missing value of a feature without missing
// values counts as zero, as it does when LightGBM predicts.
func (m *mapper) bin(v float64) uint16 {
	if m.kind == model.Categorical {
		if v >= 0 && v < float64(len(m.lookup)) {
			return m.lookup[int(v)]
		}
		return 0
	}
	if v != v {
		if m.missing {
			return uint16(m.bins - 1)
		}
		v = 0
	}
	low, high := 0, len(m.bounds)-1
	for low < high {
		middle := int(uint(low+high) >> 1)
		if v <= m.bounds[middle] {
			high = middle
		} else {
			low = middle + 1
		}
	}
	return uint16(low)
}

// info is the feature's word in the model's feature_infos.
func (m *mapper) info() string {
	switch {
	case m.bins <= 1:
		return "none"
	case m.kind == model.Numeric:
		return "[" + decimal(m.low) + ":" + decimal(m.high) + "]"
	}
	words := make([]string, len(m.codes))
	for i, code := range m.codes {
		words[i] = strconv.Itoa(int(code))
	}
	return strings.Join(words, ":")
}

// decimal is the shortest text that reads back as the same double.
func decimal(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
