package sketch

import (
	"encoding/binary"
	"math"
	"math/big"
	"math/bits"
)

// A Sum adds float64s, or their squares, without any rounding, so that the order
// does not matter. The zero value is an empty sum.
//
// It is a fixed-point number of 4,480 bits: digit i counts units of
// 2^(32·i − sumShift). Digits are signed and overlap; carries are settled
// before they can overflow.
//
// Source: Neal, "Fast exact summation using small and large superaccumulators",
// 2015; ours is wide enough for squares.
type Sum struct {
	digit   [sumDigits]int64
	pending int // additions since the carries were settled
}

const (
	sumShift   = 2176 // 68·32 ≥ 2·1074: the smallest square fits
	sumDigits  = 140  // 2·1024 + 2176 bits and 2^63 values on top
	maxPending = 1 << 29
)

// Add adds a finite x. An infinity or NaN must be counted apart; Add ignores it.
func (s *Sum) Add(x float64) {
	m, exp := split(x)
	s.addProduct(0, m, exp, int64(math.Float64bits(x))>>63)
}

// AddSquare adds x², exactly. It ignores what Add ignores.
func (s *Sum) AddSquare(x float64) {
	m, exp := split(x)
	hi, lo := bits.Mul64(m, m)
	s.addProduct(hi, lo, 2*exp, 0)
}

// split returns m and exp with |x| = m·2^exp, and zeros for an infinity or NaN.
func split(x float64) (m uint64, exp int) {
	b := math.Float64bits(x)
	m, exp = b&(1<<52-1), int(b>>52)&0x7ff
	switch exp {
	case 0x7ff:
		return 0, 0
	case 0:
		return m, 1 - 1075
	}
	return m | 1<<52, exp - 1075
}

// AddProduct adds the product of two whole numbers, exactly. The product must be
// below 2^107.
func (s *Sum) AddProduct(a, b uint64) {
	hi, lo := bits.Mul64(a, b)
	s.addProduct(hi, lo, 0, 0)
}

// addProduct adds (hi·2^64 + lo)·2^exp, negated if sign is −1 and not if it is 0.
// hi is below 2^43.
func (s *Sum) addProduct(hi, lo uint64, exp int, sign int64) {
	at := exp + sumShift
	i, shift := at>>5, uint(at&31)
	d := (*[5]int64)(s.digit[i : i+5])
	top := hi<<shift | lo>>(64-shift) // shift 0: Go shifts everything out
	low := lo << shift
	d[0] += (int64(low&0xffffffff) ^ sign) - sign
	d[1] += (int64(low>>32) ^ sign) - sign
	d[2] += (int64(top&0xffffffff) ^ sign) - sign
	if hi != 0 {
		d[3] += (int64(top>>32) ^ sign) - sign
		d[4] += int64(hi >> 32 >> (32 - shift))
	}
	if s.pending++; s.pending == maxPending {
		s.settle()
	}
}

// Merge adds all that o has added.
func (s *Sum) Merge(o *Sum) {
	s.settle()
	c := *o
	c.settle()
	for i, d := range c.digit {
		s.digit[i] += d
	}
	s.settle()
}

// settle moves carries up until all digits but the last are in [0, 2^32). This
// form is unique.
func (s *Sum) settle() {
	carry := int64(0)
	for i := range len(s.digit) - 1 {
		d := s.digit[i] + carry
		carry = d >> 32
		s.digit[i] = d & 0xffffffff
	}
	s.digit[len(s.digit)-1] += carry
	s.pending = 0
}

// magnitude returns the settled digits of |s|, and whether s is negative.
func (s *Sum) magnitude() (d [sumDigits]uint32, negative bool) {
	c := *s
	c.settle()
	if negative = c.digit[sumDigits-1] < 0; negative {
		for i := range c.digit {
			c.digit[i] = -c.digit[i]
		}
		c.settle()
	}
	for i, v := range c.digit {
		d[i] = uint32(v)
	}
	return d, negative
}

// Float64 returns the sum rounded once, to the nearest float64; ±Inf if it is
// beyond them.
func (s *Sum) Float64() float64 {
	f, _ := s.big().Float64()
	return f
}

// big returns the sum exactly.
func (s *Sum) big() *big.Float {
	d, negative := s.magnitude()
	var buf [4 * sumDigits]byte
	for i, v := range d {
		binary.BigEndian.PutUint32(buf[4*(sumDigits-1-i):], v)
	}
	n := new(big.Int).SetBytes(buf[:])
	f := new(big.Float).SetPrec(sumDigits * 32).SetInt(n)
	f.SetMantExp(f, -sumShift)
	if negative {
		f.Neg(f)
	}
	return f
}

// MeanVariance returns the mean and the population variance of n values whose
// sum and sum of squares are given. Both are rounded once, from the exact
// values: there is no cancellation. Without values both are NaN.
func MeanVariance(n int64, sum, squares *Sum) (mean, variance float64) {
	if n == 0 {
		return math.NaN(), math.NaN()
	}
	const prec = 2 * sumDigits * 32
	count := new(big.Float).SetPrec(prec).SetInt64(n)
	s := new(big.Float).SetPrec(prec).Set(sum.big())
	mean, _ = new(big.Float).Quo(s, count).Float64()

	// variance = (n·Σx² − (Σx)²) / n²
	v := new(big.Float).SetPrec(prec).Mul(squares.big(), count)
	v.Sub(v, s.Mul(s, s))
	v.Quo(v, count.Mul(count, count))
	variance, _ = v.Float64()
	return mean, variance
}

// AppendBinary appends the settled magnitude: sign, first digit that is not
// zero, number of digits, digits.
func (s *Sum) AppendBinary(b []byte) ([]byte, error) {
	d, negative := s.magnitude()
	first, end := 0, sumDigits
	for end > 0 && d[end-1] == 0 {
		end--
	}
	for first < end && d[first] == 0 {
		first++
	}
	if end == 0 {
		first = 0
	}
	sign := uint64(0)
	if negative {
		sign = 1
	}
	b = binary.AppendUvarint(b, uint64(first)<<1|sign)
	b = binary.AppendUvarint(b, uint64(end-first))
	for _, v := range d[first:end] {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	return b, nil
}

// MarshalBinary returns the canonical bytes of s.
func (s *Sum) MarshalBinary() ([]byte, error) { return s.AppendBinary(nil) }

// UnmarshalBinary reads what MarshalBinary wrote. Other bytes give [ErrFormat].
func (s *Sum) UnmarshalBinary(data []byte) error {
	r := &reader{data: data}
	head := r.uvarint()
	n := r.count(4)
	first := head >> 1
	if first+uint64(n) > sumDigits-1 {
		r.fail("digits %d to %d", first, first+uint64(n))
		return r.err
	}
	var out Sum
	for i := range n {
		out.digit[int(first)+i] = int64(binary.LittleEndian.Uint32(r.bytes(4)))
	}
	if r.err == nil {
		out.checkCanonical(r, int(first), n, head&1 == 1)
	}
	if err := r.end(); err != nil {
		return err
	}
	if head&1 == 1 {
		for i := range out.digit {
			out.digit[i] = -out.digit[i]
		}
		out.settle()
	}
	*s = out
	return nil
}

// checkCanonical refuses a second way to write the same sum.
func (s *Sum) checkCanonical(r *reader, first, n int, negative bool) {
	switch {
	case n == 0 && (first != 0 || negative):
		r.fail("zero is written without sign or place")
	case n > 0 && (s.digit[first] == 0 || s.digit[first+n-1] == 0):
		r.fail("zero digits at the ends of a sum")
	}
}
