package sketch

import (
	"encoding/binary"
	"iter"
	"math"
	"slices"
)

// Quantiles counts float64s in bins that are at most 1/128 as wide as their
// values, so that any quantile is known with a relative error of 1/257 (0.39 %),
// whatever the distribution. The zero value is empty.
//
// It is a DDSketch with the bins of an HDR histogram: 128 equal bins between
// two powers of two. A value's bin is the top 18 bits of its magnitude: integer
// arithmetic, the same on every machine. Below 2^-1022 bins are 2^-1029 wide.
//
// Source: Masson, Rim and Lee, "DDSketch", 2019 (the linearly interpolated
// mapping).
type Quantiles struct {
	positive, negative bins
	zeros              uint64
}

const (
	binShift  = 52 - 7
	binCount  = 0x7ff << 7 // finite magnitudes
	pageShift = 7
	binPage   = 1 << pageShift
)

// bins are counts in pages: the count of bin b is in page b>>pageShift − first, one
// page for each power of two. Pages without values are nil.
type bins struct {
	first int
	pages []*[binPage]uint64
}

// Add counts a finite value. It ignores NaN and infinities.
func (q *Quantiles) Add(x float64) { q.AddN(x, 1) }

// AddN counts a value n times.
func (q *Quantiles) AddN(x float64, n uint64) {
	b := math.Float64bits(x)
	switch bin := int(b << 1 >> 1 >> binShift); {
	case bin >= binCount:
	case b<<1 == 0:
		q.zeros += n
	case b>>63 == 0:
		q.positive.add(bin, n)
	default:
		q.negative.add(bin, n)
	}
}

// add counts n values in a bin.
func (w *bins) add(bin int, n uint64) {
	page := bin >> pageShift
	i := uint(page - w.first)
	if i >= uint(len(w.pages)) || w.pages[i] == nil {
		w.cover(page)
		i = uint(page - w.first)
	}
	w.pages[i][bin&(binPage-1)] += n
}

// cover makes room for the counts of a page.
func (w *bins) cover(page int) {
	if len(w.pages) == 0 {
		w.first = page
	}
	if page < w.first {
		w.pages = slices.Insert(w.pages, 0, make([]*[binPage]uint64, w.first-page)...)
		w.first = page
	}
	if n := page - w.first + 1; n > len(w.pages) {
		w.pages = append(w.pages, make([]*[binPage]uint64, n-len(w.pages))...)
	}
	if w.pages[page-w.first] == nil {
		w.pages[page-w.first] = new([binPage]uint64)
	}
}

// merge adds the counts of o.
func (w *bins) merge(o *bins) {
	for bin, n := range o.all() {
		w.add(bin, n)
	}
}

// all yields the bins that are not empty and their counts, from the lowest to the
// highest magnitude.
func (w *bins) all() iter.Seq2[int, uint64] {
	return func(yield func(int, uint64) bool) {
		for i, page := range w.pages {
			if page == nil {
				continue
			}
			for j, n := range page {
				if n > 0 && !yield((w.first+i)*binPage+j, n) {
					return
				}
			}
		}
	}
}

// total returns the number of values.
func (w *bins) total() (n uint64) {
	for _, c := range w.all() {
		n += c
	}
	return n
}

// Merge adds all that o has counted.
func (q *Quantiles) Merge(o *Quantiles) {
	q.positive.merge(&o.positive)
	q.negative.merge(&o.negative)
	q.zeros += o.zeros
}

// Count returns how many values were counted.
func (q *Quantiles) Count() uint64 {
	return q.negative.total() + q.zeros + q.positive.total()
}

// A Bin holds Count values in [Low, High), or, of negative values, in (Low,
// High]. Low and High are both 0 for the zeros.
type Bin struct {
	Low, High float64
	Count     uint64
}

// Mid returns the value of the bin whose largest relative distance to any other
// is smallest.
func (b Bin) Mid() float64 {
	if b.Low == b.High {
		return b.Low
	}
	// 2·low·high / (low + high), without overflow.
	return b.Low * (b.High / (b.Low/2 + b.High/2))
}

// Bins returns the bins that are not empty, from the lowest to the highest.
func (q *Quantiles) Bins() []Bin {
	var out []Bin
	for bin, n := range q.negative.all() {
		low, high := edges(bin)
		out = append(out, Bin{Low: -high, High: -low, Count: n})
	}
	slices.Reverse(out)
	if q.zeros > 0 {
		out = append(out, Bin{Count: q.zeros})
	}
	for bin, n := range q.positive.all() {
		low, high := edges(bin)
		out = append(out, Bin{Low: low, High: high, Count: n})
	}
	return out
}

// edges returns the magnitudes between which a bin lies.
func edges(bin int) (low, high float64) {
	low = math.Float64frombits(uint64(bin) << binShift)
	high = math.Float64frombits(uint64(bin+1) << binShift)
	if math.IsInf(high, 1) {
		high = math.MaxFloat64
	}
	return low, high
}

// Quantile returns the value below or at which a share p of the values lies,
// p in [0, 1], within 0.39 % of the true one. Without values it is NaN.
func (q *Quantiles) Quantile(p float64) float64 {
	return At(q.Bins(), p)
}

// At is Quantile for the bins of a [Quantiles], to be used for many p.
func At(bins []Bin, p float64) float64 {
	var total uint64
	for _, b := range bins {
		total += b.Count
	}
	if total == 0 || !(p >= 0 && p <= 1) {
		return math.NaN()
	}
	rank := uint64(p * float64(total-1))
	for _, b := range bins {
		if rank < b.Count {
			return b.Mid()
		}
		rank -= b.Count
	}
	return bins[len(bins)-1].Mid()
}

// AppendBinary appends the zeros, then for the positive and the negative values
// the number of bins that are not empty, and for each its distance to the one
// before and its count.
func (q *Quantiles) AppendBinary(b []byte) ([]byte, error) {
	b = binary.AppendUvarint(b, q.zeros)
	b = q.positive.append(b)
	return q.negative.append(b), nil
}

// append appends one side.
func (w *bins) append(b []byte) []byte {
	used := 0
	for range w.all() {
		used++
	}
	b = binary.AppendUvarint(b, uint64(used))
	last := -1
	for bin, n := range w.all() {
		b = binary.AppendUvarint(b, uint64(bin-last-1))
		b = binary.AppendUvarint(b, n)
		last = bin
	}
	return b
}

// MarshalBinary returns the canonical bytes of q.
func (q *Quantiles) MarshalBinary() ([]byte, error) { return q.AppendBinary(nil) }

// UnmarshalBinary reads what MarshalBinary wrote. Other bytes give [ErrFormat].
func (q *Quantiles) UnmarshalBinary(data []byte) error {
	r := &reader{data: data}
	out := Quantiles{zeros: r.uvarint()}
	out.positive.read(r)
	out.negative.read(r)
	if err := r.end(); err != nil {
		return err
	}
	*q = out
	return nil
}

// read reads one side.
func (w *bins) read(r *reader) {
	bin := -1
	for range r.count(2) {
		gap, n := r.uvarint(), r.uvarint()
		if r.err != nil {
			return
		}
		if gap >= binCount || bin+1+int(gap) >= binCount || n == 0 {
			r.fail("bin %d+%d with %d values", bin, gap, n)
			return
		}
		bin += 1 + int(gap)
		w.add(bin, n)
	}
}
