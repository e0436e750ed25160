package evaluate

import (
	"math/bits"

	"headgate/internal/sketch"
)

// A source is a stream of random numbers that a seed and a number determine, the
// same on every machine.
//
// Source: SplitMix64, Steele, Lea and Flood, 2014.
type source uint64

func newSource(seed, stream uint64) *source {
	s := source(sketch.Mix(seed ^ sketch.Mix(stream)))
	return &s
}

func (s *source) next() uint64 {
	*s += 0x9e3779b97f4a7c15
	return sketch.Mix(uint64(*s))
}

// below returns a whole number in [0, n), each equally likely up to n/2⁶⁴.
func (s *source) below(n int) int {
	high, _ := bits.Mul64(s.next(), uint64(n))
	return int(high)
}
