package sketch

import (
	"math"
	"math/big"
	"math/bits"
)

// Moments add float64s and their squares, exactly. The zero value is empty.
type Moments struct{ Sum, Squares Sum }

// Add adds a finite x and x². It ignores what [Sum.Add] ignores.
func (m *Moments) Add(x float64) {
	var t Term
	t.Set(x)
	m.AddTerm(&t)
}

// AddWhole adds a whole number below 2^53, n times. The products x·n and x²·n must
// be below 2^107.
func (m *Moments) AddWhole(x, n uint64) {
	m.Sum.AddProduct(x, n)
	m.Squares.AddProduct(x*x, n)
}

// Merge adds all that o has added.
func (m *Moments) Merge(o *Moments) {
	m.Sum.Merge(&o.Sum)
	m.Squares.Merge(&o.Squares)
}

// A Term is a number that has been cut into digits, so that it can be added to
// several [Moments] for little more than the price of one.
type Term struct {
	at, squareAt int // the first digits, see [Sum]
	value        [3]int64
	square       [5]int64
}

// Set makes the term that of x. An infinity or NaN counts as 0.
func (t *Term) Set(x float64) {
	m, exp := split(x)
	at := exp + sumShift
	shift, sign := uint(at&31), int64(math.Float64bits(x))>>63
	top, low := m>>(64-shift), m<<shift // shift 0: Go shifts everything out
	t.at = at >> 5
	t.value[0] = (int64(low&0xffffffff) ^ sign) - sign
	t.value[1] = (int64(low>>32) ^ sign) - sign
	t.value[2] = (int64(top) ^ sign) - sign

	hi, lo := bits.Mul64(m, m)
	at = 2*exp + sumShift
	shift = uint(at & 31)
	top, low = hi<<shift|lo>>(64-shift), lo<<shift
	t.squareAt = at >> 5
	t.square[0] = int64(low & 0xffffffff)
	t.square[1] = int64(low >> 32)
	t.square[2] = int64(top & 0xffffffff)
	t.square[3] = int64(top >> 32)
	t.square[4] = int64(hi >> 32 >> (32 - shift))
}

// AddTerm adds the number and the square of a term.
func (m *Moments) AddTerm(t *Term) {
	i, j := t.at-m.Sum.first, t.squareAt-m.Squares.first
	if i < 0 || i+3 > len(m.Sum.digit) || j < 0 || j+5 > len(m.Squares.digit) || (m.Sum.pending|m.Squares.pending) >= maxPending {
		if t.square == [5]int64{} {
			return
		}
		m.room(t)
		i, j = t.at-m.Sum.first, t.squareAt-m.Squares.first
	}
	v := (*[3]int64)(m.Sum.digit[i:])
	v[0] += t.value[0]
	v[1] += t.value[1]
	v[2] += t.value[2]
	m.Sum.pending++
	s := (*[5]int64)(m.Squares.digit[j:])
	s[0] += t.square[0]
	s[1] += t.square[1]
	s[2] += t.square[2]
	s[3] += t.square[3]
	s[4] += t.square[4]
	m.Squares.pending++
}

// room makes room for a term.
func (m *Moments) room(t *Term) {
	if (m.Sum.pending | m.Squares.pending) >= maxPending {
		m.Sum.settle()
		m.Squares.settle()
	}
	m.Sum.cover(t.at, t.at+len(t.value))
	m.Squares.cover(t.squareAt, t.squareAt+len(t.square))
}

// MeanVariance returns the mean and the population variance of the n values that
// were added. Both are rounded once, from the exact values: there is no
// cancellation. Without values both are NaN.
func (m *Moments) MeanVariance(n int64) (mean, variance float64) {
	if n == 0 {
		return math.NaN(), math.NaN()
	}
	const prec = 2 * sumDigits * 32
	count := new(big.Float).SetPrec(prec).SetInt64(n)
	s := new(big.Float).SetPrec(prec).Set(m.Sum.big())
	mean, _ = new(big.Float).Quo(s, count).Float64()

	// variance = (n·Σx² − (Σx)²) / n²
	v := new(big.Float).SetPrec(prec).Mul(m.Squares.big(), count)
	v.Sub(v, s.Mul(s, s))
	v.Quo(v, count.Mul(count, count))
	variance, _ = v.Float64()
	return mean, variance
}
