package sketch

import (
	"encoding/binary"
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
	binShift = 52 - 7
	binCount = 0x7ff << 7 // finite magnitudes
	binPage  = 128
)

// bins is a window of counts: counts[i] belongs to bin first+i. first and the
// length are multiples of binPage.
type bins struct {
	first  int
	counts []uint64
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
	i := uint(bin - w.first)
	if i >= uint(len(w.counts)) {
		w.cover(bin)
		i = uint(bin - w.first)
	}
	w.counts[i] += n
}

// cover widens the window to hold a bin, by at least half of its length so that
// a column which keeps widening is not copied for every page.
func (w *bins) cover(bin int) {
	page := bin &^ (binPage - 1)
	if len(w.counts) == 0 {
		w.first, w.counts = page, make([]uint64, binPage)
		return
	}
	first, end := w.first, w.first+len(w.counts)
	spare := len(w.counts) / 2 &^ (binPage - 1)
	if page < first {
		first = max(0, min(page, first-spare))
	} else {
		end = min(binCount, max(page+binPage, end+spare))
	}
	counts := make([]uint64, end-first)
	copy(counts[w.first-first:], w.counts)
	w.first, w.counts = first, counts
}

// merge adds the counts of o.
func (w *bins) merge(o *bins) {
	for i, n := range o.counts {
		if n > 0 {
			w.add(o.first+i, n)
		}
	}
}

// total returns the number of values.
func (w *bins) total() (n uint64) {
	for _, c := range w.counts {
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
	for i, n := range slices.Backward(q.negative.counts) {
		if n > 0 {
			low, high := edges(q.negative.first + i)
			out = append(out, Bin{Low: -high, High: -low, Count: n})
		}
	}
	if q.zeros > 0 {
		out = append(out, Bin{Count: q.zeros})
	}
	for i, n := range q.positive.counts {
		if n > 0 {
			low, high := edges(q.positive.first + i)
			out = append(out, Bin{Low: low, High: high, Count: n})
		}
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
	for _, n := range w.counts {
		if n > 0 {
			used++
		}
	}
	b = binary.AppendUvarint(b, uint64(used))
	last := -1
	for i, n := range w.counts {
		if n > 0 {
			b = binary.AppendUvarint(b, uint64(w.first+i-last-1))
			b = binary.AppendUvarint(b, n)
			last = w.first + i
		}
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
