package rowrule

import "github.com/apache/arrow/go/v17/arrow"

// chunk is how many rows a kernel takes at a time: the vectors of a rule then stay
// in the first cache.
const chunk = 1024

// A frame is the rows that are being looked at.
type frame struct {
	columns []arrow.Array
	from, n int
}

// A truth is what a condition is in one row. The order matters: of two that are not
// known, the greater wins.
type truth uint8

const (
	no truth = iota
	yes
	failed
	null
)

// A logic computes a condition for the rows of a frame. Its result is valid until
// the next call.
type logic func(f *frame) []truth

// A vector computes values for the rows of a frame. Where the second result is
// failed or null there is no value; if it is nil, every row has one.
type vector[T any] func(f *frame) ([]T, []truth)

// join merges what is not known of two vectors.
func join(buf, a, b []truth) []truth {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	}
	buf = buf[:len(a)]
	for i := range buf {
		buf[i] = max(a[i], b[i])
	}
	return buf
}

// unknown overwrites a condition where a or b is not known.
func unknown(out, a, b []truth) []truth {
	for _, state := range [][]truth{a, b} {
		for i, s := range state {
			if s > yes {
				out[i] = max(out[i], s)
			}
		}
	}
	return out
}

func constant[T any](v T) vector[T] {
	buf := make([]T, chunk)
	for i := range buf {
		buf[i] = v
	}
	return func(f *frame) ([]T, []truth) { return buf[:f.n], nil }
}

func truths(t truth) logic {
	buf := make([]truth, chunk)
	for i := range buf {
		buf[i] = t
	}
	return func(f *frame) []truth { return buf[:f.n] }
}

// nulls is the vector of the word null.
func nulls[T any]() vector[T] {
	buf, state := make([]T, chunk), make([]truth, chunk)
	for i := range state {
		state[i] = null
	}
	return func(f *frame) ([]T, []truth) { return buf[:f.n], state[:f.n] }
}

// combine applies a truth table to two conditions: the first gives the row, the
// second the column.
func combine(table *[16]truth, a, b logic) logic {
	buf := make([]truth, chunk)
	return func(f *frame) []truth {
		x, y := a(f), b(f)
		out := buf[:len(x)]
		y = y[:len(x)]
		for i := range out {
			out[i] = table[(x[i]<<2|y[i])&15]
		}
		return out
	}
}

// The truth tables, with no, yes, failed and null in this order.
var (
	andTable = [16]truth{
		no, no, no, no,
		no, yes, failed, null,
		no, failed, failed, null,
		no, null, null, null,
	}
	orTable = [16]truth{
		no, yes, failed, null,
		yes, yes, yes, yes,
		failed, yes, failed, null,
		null, yes, null, null,
	}
	equalTable = [16]truth{
		yes, no, failed, null,
		no, yes, failed, null,
		failed, failed, failed, null,
		null, null, null, null,
	}
	notTable = [4]truth{yes, no, failed, null}
)

func not(a logic) logic {
	buf := make([]truth, chunk)
	return func(f *frame) []truth {
		x := a(f)
		out := buf[:len(x)]
		for i := range out {
			out[i] = notTable[x[i]&3]
		}
		return out
	}
}

// isNull tests whether a value is there.
func isNull[T any](v vector[T]) logic {
	buf := make([]truth, chunk)
	return func(f *frame) []truth {
		x, state := v(f)
		out := buf[:len(x)]
		clear(out)
		for i, s := range state {
			out[i] = nullTable[s&3]
		}
		return out
	}
}

var nullTable = [4]truth{no, no, failed, yes}

func isNullTruth(a logic) logic {
	buf := make([]truth, chunk)
	return func(f *frame) []truth {
		x := a(f)
		out := buf[:len(x)]
		for i := range out {
			out[i] = nullTable[x[i]&3]
		}
		return out
	}
}

// ordered are the types whose values Go compares as CEL does.
type ordered interface{ int64 | float64 | string }

// less is a < b, or a <= b if orEqual. NaN is neither less nor greater than anything.
func less[T ordered](a, b vector[T], orEqual bool) logic {
	buf := make([]truth, chunk)
	return func(f *frame) []truth {
		x, sx := a(f)
		y, sy := b(f)
		out := buf[:len(x)]
		y = y[:len(x)]
		if orEqual {
			for i, v := range x {
				out[i] = of(v <= y[i])
			}
		} else {
			for i, v := range x {
				out[i] = of(v < y[i])
			}
		}
		return unknown(out, sx, sy)
	}
}

// of compiles to one instruction without a jump.
func of(b bool) truth {
	var t truth
	if b {
		t = 1
	}
	return t
}

func equal[T comparable](a, b vector[T]) logic {
	buf := make([]truth, chunk)
	return func(f *frame) []truth {
		x, sx := a(f)
		y, sy := b(f)
		out := buf[:len(x)]
		y = y[:len(x)]
		for i, v := range x {
			out[i] = of(v == y[i])
		}
		return unknown(out, sx, sy)
	}
}

// test applies a condition to each value.
func test[T any](a vector[T], is func(T) bool) logic {
	buf := make([]truth, chunk)
	return func(f *frame) []truth {
		x, state := a(f)
		out := buf[:len(x)]
		for i, v := range x {
			out[i] = of(is(v))
		}
		return unknown(out, state, nil)
	}
}

// test2 applies a condition to pairs of values.
func test2[T any](a, b vector[T], is func(T, T) bool) logic {
	buf := make([]truth, chunk)
	return func(f *frame) []truth {
		x, sx := a(f)
		y, sy := b(f)
		out := buf[:len(x)]
		for i, v := range x {
			out[i] = of(is(v, y[i]))
		}
		return unknown(out, sx, sy)
	}
}

// choose is condition ? a : b. A row of the branch that is not taken cannot fail.
func choose[T any](condition logic, a, b vector[T]) vector[T] {
	buf, state := make([]T, chunk), make([]truth, chunk)
	return func(f *frame) ([]T, []truth) {
		c := condition(f)
		x, sx := a(f)
		y, sy := b(f)
		out, s := buf[:len(c)], state[:len(c)]
		for i, t := range c {
			switch s[i] = no; {
			case t == yes:
				out[i] = x[i]
				if sx != nil {
					s[i] = sx[i]
				}
			case t == no:
				out[i] = y[i]
				if sy != nil {
					s[i] = sy[i]
				}
			default:
				s[i] = t
			}
		}
		return out, s
	}
}

func chooseTruth(condition, a, b logic) logic {
	buf := make([]truth, chunk)
	return func(f *frame) []truth {
		c, x, y := condition(f), a(f), b(f)
		out := buf[:len(c)]
		for i, t := range c {
			switch t {
			case yes:
				out[i] = x[i]
			case no:
				out[i] = y[i]
			default:
				out[i] = t
			}
		}
		return out
	}
}

// map1 converts values, none of which can fail.
func map1[T, U any](a vector[T], to func(T) U) vector[U] {
	buf := make([]U, chunk)
	return func(f *frame) ([]U, []truth) {
		x, state := a(f)
		out := buf[:len(x)]
		for i, v := range x {
			out[i] = to(v)
		}
		return out, state
	}
}

// try1 converts values, and fails where ok is false.
func try1[T, U any](a vector[T], to func(T) (v U, ok bool)) vector[U] {
	buf, states := make([]U, chunk), make([]truth, chunk)
	return func(f *frame) ([]U, []truth) {
		x, state := a(f)
		out, s := buf[:len(x)], states[:len(x)]
		for i, v := range x {
			u, ok := to(v)
			out[i], s[i] = u, failed*of(!ok)
		}
		return out, join(s, s, state)
	}
}

// try2 computes from pairs of values, and fails where ok is false.
func try2[T, U, V any](a vector[T], b vector[U], op func(T, U) (v V, ok bool)) vector[V] {
	buf, states, joined := make([]V, chunk), make([]truth, chunk), make([]truth, chunk)
	return func(f *frame) ([]V, []truth) {
		x, sx := a(f)
		y, sy := b(f)
		out, s := buf[:len(x)], states[:len(x)]
		for i, v := range x {
			w, ok := op(v, y[i])
			out[i], s[i] = w, failed*of(!ok)
		}
		return out, join(s, s, join(joined, sx, sy))
	}
}

// doubles computes from pairs of doubles, which cannot fail. op names it.
func doubles(a, b vector[float64], op byte) vector[float64] {
	buf, states := make([]float64, chunk), make([]truth, chunk)
	return func(f *frame) ([]float64, []truth) {
		x, sx := a(f)
		y, sy := b(f)
		out := buf[:len(x)]
		y = y[:len(x)]
		switch op {
		case '+':
			for i, v := range x {
				out[i] = v + y[i]
			}
		case '-':
			for i, v := range x {
				out[i] = v - y[i]
			}
		case '*':
			for i, v := range x {
				out[i] = v * y[i]
			}
		case '/':
			for i, v := range x {
				out[i] = v / y[i]
			}
		}
		return out, join(states, sx, sy)
	}
}
