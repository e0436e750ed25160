package profile

import (
	"math"
	"slices"
	"strconv"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"headgate/internal/sketch"
)

// small is such that whole numbers below it are counted first and then read once
// each. Days until 2059 are small.
const small = 1 << 15

// addWholes reads the whole numbers of a piece, also those that no float64 holds.
// The small ones are only counted; addSmalls reads them.
func (c *Column) addWholes(p piece, s *scratch) {
	if c.Restricted {
		return
	}
	s.room(small)
	for i, x := range p.wholes {
		switch {
		case p.valid != nil && !p.valid[i]:
		case x >= 0 && x < small:
			s.count(int(x))
		case x >= -exact && x <= exact:
			c.addFloat(float64(x))
		default:
			c.addBig(float64(x), strconv.FormatInt(x, 10))
		}
	}
}

// addSmalls reads the small whole numbers that were counted.
func (c *Column) addSmalls(s *scratch) {
	for _, code := range s.codes {
		c.addSmall(uint64(code), s.counts[code])
		s.counts[code] = 0
	}
	s.codes = s.codes[:0]
}

// addSmall reads a small whole number that occurs n times.
func (c *Column) addSmall(x, n uint64) {
	v := float64(x)
	if x == 0 {
		c.Zeros += int64(n)
	}
	c.Quantiles.AddN(v, n)
	hash := sketch.Mix(math.Float64bits(v))
	c.Distinct.Add(hash)
	if c.Confidential {
		return
	}
	c.Frequent.Add(hash, n)
	c.extend(!c.ranged, v, v)
	c.ranged = true
	c.moments.AddWhole(x, n)
}

// addBooleans counts false and true.
func (c *Column) addBooleans(a *array.Boolean) {
	if c.Restricted {
		return
	}
	var counts [2]uint64
	for i := range a.Len() {
		switch {
		case a.IsNull(i):
		case a.Value(i):
			counts[1]++
		default:
			counts[0]++
		}
	}
	for x, n := range counts {
		if n > 0 {
			c.addSmall(uint64(x), n)
		}
	}
}

// addDictionary counts each code and then reads each value that occurs once.
func (c *Column) addDictionary(a *array.Dictionary, s *scratch) {
	dict := a.Dictionary()
	s.room(dict.Len())
	c.Rows += int64(a.Len())
	c.Nulls += int64(a.NullN())
	if codes, ok := a.Indices().(*array.Int32); ok && a.NullN() == 0 {
		for _, code := range codes.Int32Values() {
			s.count(int(code))
		}
	} else {
		for i := range a.Len() {
			if a.IsValid(i) {
				s.count(a.GetValueIndex(i))
			}
		}
	}
	// Entries that are numbers use the scratch themselves.
	codes := slices.Clone(s.codes)
	counts := make([]uint64, len(codes))
	for i, code := range codes {
		counts[i], s.counts[code] = s.counts[code], 0
	}
	s.codes = s.codes[:0]
	for i, code := range codes {
		c.addEntry(dict, code, counts[i], s)
	}
}

// addEntry reads a value of a dictionary that occurs n times.
func (c *Column) addEntry(dict arrow.Array, code int, n uint64, s *scratch) {
	switch {
	case dict.IsNull(code):
		c.Nulls += int64(n)
	case c.Kind == Opaque:
	case c.hasText():
		if !c.Restricted {
			c.addText(textOf(dict)(code), n)
		}
	default:
		one := array.NewSlice(dict, int64(code), int64(code)+1)
		defer one.Release()
		for range n {
			c.addArray(one, s)
		}
	}
}
