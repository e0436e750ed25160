package sketch

import (
	"encoding/binary"
	"math"
	"math/big"
	"math/bits"
	"slices"
)

// A Sum adds float64s, or with [Moments] their squares, without any rounding, so that the order
// does not matter. The zero value is an empty sum.
//
// It is a fixed-point number of up to 4,480 bits: digit i counts units of
// 2^(32·i − sumShift). Digits are signed and overlap; carries are settled
// before they can overflow. Only the digits between the lowest and the highest in
// use take memory.
//
// Source: Neal, "Fast exact summation using small and large superaccumulators",
// 2015; ours is wide enough for squares.
type Sum struct {
	first   int // digit[0] is digit first
	digit   []int64
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
	if hi|lo == 0 {
		return
	}
	at := exp + sumShift
	i, shift := at>>5-s.first, uint(at&31)
	if i < 0 || i+5 > len(s.digit) {
		s.cover(at>>5, at>>5+5)
		i = at>>5 - s.first
	}
	d := (*[5]int64)(s.digit[i:])
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

// cover makes room for the digits from first up to end.
func (s *Sum) cover(first, end int) {
	if n := len(s.digit); n > 0 {
		if s.first <= first && end <= s.first+n {
			return
		}
		first, end = min(first, s.first), max(end, s.first+n)
	}
	digit := make([]int64, end-first)
	copy(digit[max(0, s.first-first):], s.digit)
	s.first, s.digit = first, digit
}

// Merge adds all that o has added.
func (s *Sum) Merge(o *Sum) {
	if len(o.digit) == 0 {
		return
	}
	s.settle()
	s.cover(o.first, o.first+len(o.digit))
	for i, d := range o.digit {
		s.digit[o.first-s.first+i] += d
	}
	s.settle()
}

// settle moves carries up until all digits but the last are in [0, 2^32), and the
// last in [−2^32, 2^32).
func (s *Sum) settle() {
	s.pending = 0
	if len(s.digit) == 0 {
		return
	}
	last := len(s.digit) - 1
	carry := int64(0)
	for i := range last {
		d := s.digit[i] + carry
		carry = d >> 32
		s.digit[i] = d & 0xffffffff
	}
	s.digit[last] += carry
	for s.digit[last]>>32 != 0 && s.digit[last]>>32 != -1 {
		s.digit = append(s.digit, s.digit[last]>>32)
		s.digit[last] &= 0xffffffff
		last++
	}
}

// magnitude returns the settled digits of |s|, which are unique but for zeros at
// the ends, and whether s is negative.
func (s *Sum) magnitude() (digits []int64, negative bool) {
	c := Sum{first: s.first, digit: slices.Clone(s.digit)}
	c.settle()
	if n := len(c.digit); n > 0 && c.digit[n-1] < 0 {
		negative = true
		for i := range c.digit {
			c.digit[i] = -c.digit[i]
		}
		c.settle()
	}
	return c.digit, negative
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
	buf := make([]byte, 4*len(d))
	for i, v := range d {
		binary.BigEndian.PutUint32(buf[4*(len(d)-1-i):], uint32(v))
	}
	n := new(big.Int).SetBytes(buf)
	f := new(big.Float).SetPrec(sumDigits * 32).SetInt(n)
	f.SetMantExp(f, 32*s.first-sumShift)
	if negative {
		f.Neg(f)
	}
	return f
}

// AppendBinary appends the settled magnitude: sign, first digit that is not
// zero, number of digits, digits.
func (s *Sum) AppendBinary(b []byte) ([]byte, error) {
	d, negative := s.magnitude()
	first, end := 0, len(d)
	for end > 0 && d[end-1] == 0 {
		end--
	}
	for first < end && d[first] == 0 {
		first++
	}
	head := uint64(0)
	if end > 0 {
		head = uint64(s.first+first) << 1
	}
	if negative {
		head |= 1
	}
	b = binary.AppendUvarint(b, head)
	b = binary.AppendUvarint(b, uint64(end-first))
	for _, v := range d[first:end] {
		b = binary.LittleEndian.AppendUint32(b, uint32(v))
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
	if first > sumDigits-1 || first+uint64(n) > sumDigits-1 {
		r.fail("digits %d to %d", first, first+uint64(n))
		return r.err
	}
	out := Sum{first: int(first), digit: make([]int64, n)}
	for i := range n {
		out.digit[i] = int64(binary.LittleEndian.Uint32(r.bytes(4)))
	}
	if r.err == nil {
		out.checkCanonical(r, head&1 == 1)
	}
	if err := r.end(); err != nil {
		return err
	}
	if head&1 == 1 {
		for i := range out.digit {
			out.digit[i] = -out.digit[i]
		}
	}
	*s = out
	return nil
}

// checkCanonical refuses a second way to write the same sum.
func (s *Sum) checkCanonical(r *reader, negative bool) {
	switch n := len(s.digit); {
	case n == 0 && (s.first != 0 || negative):
		r.fail("zero is written without sign or place")
	case n > 0 && (s.digit[0] == 0 || s.digit[n-1] == 0):
		r.fail("zero digits at the ends of a sum")
	}
}
