package pass

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// ColumnRank is the column of a batch with scores of several models that says how high a
// score is among those of its own model, see [Ranks.Share]. With several outputs there
// is one for each: rank_pct_0, rank_pct_1, …
const ColumnRank = "rank_pct"

// rankColumn names the rank of output o of a model with k outputs.
func rankColumn(o, k int) string {
	if k == 1 {
		return ColumnRank
	}
	return fmt.Sprintf("%s_%d", ColumnRank, o)
}

// Bins of scores. From 2⁻³³ to ½ each power of two has 2¹⁴ of them; above ½ they mirror
// those below.
const (
	binBits  = 14
	binPower = 33
	binHalf  = (binPower-1)<<binBits + 1 // of ½
	bins     = 2*binHalf + 1
)

// bin returns the bin of a probability; what is outside of [0, 1] counts as 0 or 1. It
// never falls as the score rises.
func bin(score float64) int {
	if score < 0.5 || score != score {
		return lowBin(score)
	}
	return 2*binHalf - lowBin(1-score) // 1 − score is exact
}

func lowBin(score float64) int {
	if !(score >= 1.0/(1<<binPower)) {
		return 0
	}
	return int(math.Float64bits(score)>>(52-binBits)) - (1023-binPower)<<binBits + 1
}

// Ranks count the scores that one model gave the rows of a batch, in [0, 1], so that each
// can be told its rank. Its memory is 8 MB, however many rows there are. The zero value
// is ready.
type Ranks struct {
	counts []int64
	below  []int64 // rows in lower bins; nil until [Ranks.Share] needs it
	total  int64
}

// Add counts a score.
func (r *Ranks) Add(score float64) {
	if r.counts == nil {
		r.counts = make([]int64, bins)
	}
	r.counts[bin(score)]++
	r.total++
	r.below = nil
}

// Rows returns how many scores were counted.
func (r *Ranks) Rows() int64 { return r.total }

// Share returns the share of the counted scores that are lower than score, plus half the
// share of those that are the same: in [0, 1], with a mean of ½ over all of them. Scores
// count as the same if they are in one bin, which is nowhere wider than 2⁻¹⁴ of the
// score's distance from 0 or from 1, whichever is nearer, or than 2⁻³³. So it differs
// from the mid-rank of the exact scores by at most half the share of the scores in the
// bin. Without scores it is ½.
func (r *Ranks) Share(score float64) float64 {
	if r.total == 0 {
		return 0.5
	}
	if r.below == nil {
		r.below = make([]int64, bins)
		for i := 1; i < bins; i++ {
			r.below[i] = r.below[i-1] + r.counts[i-1]
		}
	}
	i := bin(score)
	return (float64(r.below[i]) + float64(r.counts[i])/2) / float64(r.total)
}

// MarshalBinary returns the counts: the number of bins that are not empty, and for each
// its distance from the one before and its count, all as unsigned varints.
func (r *Ranks) MarshalBinary() ([]byte, error) {
	var used uint64
	for _, n := range r.counts {
		if n > 0 {
			used++
		}
	}
	b := binary.AppendUvarint(nil, used)
	last := 0
	for i, n := range r.counts {
		if n > 0 {
			b = binary.AppendUvarint(b, uint64(i-last))
			b = binary.AppendUvarint(b, uint64(n))
			last = i
		}
	}
	return b, nil
}

var errRanks = errors.New("pass: ranks are damaged")

// UnmarshalBinary reads what MarshalBinary wrote.
func (r *Ranks) UnmarshalBinary(b []byte) error {
	next := func() (uint64, bool) {
		v, n := binary.Uvarint(b)
		if n <= 0 {
			return 0, false
		}
		b = b[n:]
		return v, true
	}
	used, ok := next()
	if !ok || used > bins {
		return errRanks
	}
	out := Ranks{counts: make([]int64, bins)}
	var at uint64
	for i := range used {
		step, ok := next()
		count, also := next()
		if !ok || !also || step > bins || at+step >= bins || (step == 0 && i > 0) || count == 0 || count > 1<<48 {
			return errRanks
		}
		at += step
		out.counts[at] = int64(count)
		out.total += int64(count)
	}
	if len(b) > 0 {
		return errRanks
	}
	*r = out
	return nil
}
