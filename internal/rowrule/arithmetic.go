package rowrule

import (
	"cmp"
	"math"
	"math/bits"
	"time"
)

// The operations report whether the result fits; where it does not, the row fails.

func addInt(a, b int64) (int64, bool) {
	c := a + b
	return c, (a^c)&(b^c) >= 0
}

func subtractInt(a, b int64) (int64, bool) {
	c := a - b
	return c, (a^b)&(a^c) >= 0
}

func multiplyInt(a, b int64) (int64, bool) {
	high, low := bits.Mul64(uint64(a), uint64(b))
	signed := int64(high)
	if a < 0 {
		signed -= b
	}
	if b < 0 {
		signed -= a
	}
	return int64(low), signed == int64(low)>>63
}

func divideInt(a, b int64) (int64, bool) {
	if b == 0 || a == math.MinInt64 && b == -1 {
		return 0, false
	}
	return a / b, true
}

func moduloInt(a, b int64) (int64, bool) {
	if b == 0 || a == math.MinInt64 && b == -1 {
		return 0, false
	}
	return a % b, true
}

func negateInt(a int64) (int64, bool) { return -a, a != math.MinInt64 }

func absInt(a int64) (int64, bool) { return max(a, -a), a != math.MinInt64 }

// intOf cuts a double to a whole number, as CEL's int does.
func intOf(v float64) (int64, bool) {
	if !(v > math.MinInt64 && v < math.MaxInt64) {
		return 0, false
	}
	return int64(v), true
}

// CEL's timestamps are those of the years 1 to 9999.
const (
	firstSecond = -62135596800
	lastSecond  = 253402300799
)

// shift adds a duration in nanoseconds to an instant.
func shift(t moment, d int64) (moment, bool) {
	const second = int64(time.Second)
	s, n := d/second, int64(t.nanos)+d%second
	switch {
	case n < 0:
		s, n = s-1, n+second
	case n >= second:
		s, n = s+1, n-second
	}
	s, ok := addInt(t.seconds, s)
	return moment{s, int32(n)}, ok && s >= firstSecond && s <= lastSecond
}

// since is the duration from b to a in nanoseconds.
func since(a, b moment) (int64, bool) {
	s, ok1 := subtractInt(a.seconds, b.seconds)
	n, ok2 := multiplyInt(s, int64(time.Second))
	d, ok3 := addInt(n, int64(a.nanos)-int64(b.nanos))
	return d, ok1 && ok2 && ok3
}

// A moment is an instant of any year, in seconds and nanoseconds since 1970 UTC.
type moment struct {
	seconds int64
	nanos   int32
}

func (a moment) compare(b moment) int {
	return cmp.Or(cmp.Compare(a.seconds, b.seconds), cmp.Compare(a.nanos, b.nanos))
}

func momentOf(t time.Time) moment { return moment{t.Unix(), int32(t.Nanosecond())} }
