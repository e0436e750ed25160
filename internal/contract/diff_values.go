package contract

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
)

// maxShown is how many values of a list a message shows.
const maxShown = 5

// compareLists compares two lists of values: longer is tighter, as of missingValues.
func compareLists(was, is []literal, t Type) difference {
	more, fewer := without(is, was, t), without(was, is, t)
	diff := difference{tighter: len(more) > 0, looser: len(fewer) > 0}
	var words []string
	if len(more) > 0 {
		words = append(words, "the list gains "+shown(more))
	}
	if len(fewer) > 0 {
		words = append(words, "the list loses "+shown(fewer))
	}
	diff.words = strings.Join(words, " and ")
	return diff
}

// compareValid compares what two rules call valid. Without a list every value is in it.
func compareValid(was, is invalid, t Type) difference {
	diff := compareLists(was.values, is.values, t)
	diff.tighter, diff.looser = diff.looser, diff.tighter
	switch {
	case was.values == nil && is.values != nil:
		diff.tighter, diff.looser = true, false
		diff.words = "only a list is valid now"
	case was.values != nil && is.values == nil:
		diff.tighter, diff.looser = false, true
		diff.words = "the list is gone"
	}
	if p, q := patternOf(was), patternOf(is); p != q {
		diff.tighter, diff.looser = diff.tighter || q != "", diff.looser || p != ""
		diff.words = strings.TrimPrefix(diff.words+" and its pattern is another one", " and ")
	}
	return diff
}

func patternOf(t invalid) string {
	if t.re == nil {
		return ""
	}
	return t.re.String()
}

// counted turns a difference of what is counted into one of the rule: if the limit
// asks for many, then to count more is looser.
func (d difference) counted(l Limit) difference {
	switch l.Op {
	case "mustBeGreaterThan", "mustBeGreaterOrEqualTo":
		d.tighter, d.looser = d.looser, d.tighter
	case "mustBeLessThan", "mustBeLessOrEqualTo":
	default:
		if !l.zero() && (d.tighter || d.looser) {
			d.tighter, d.looser = true, true
		}
	}
	return d
}

// without returns the values of list that other does not have, in words.
func without(list, other []literal, t Type) []string {
	var out []string
	for _, v := range list {
		word := v.words(t)
		if !slices.ContainsFunc(other, func(o literal) bool { return o.words(t) == word }) {
			out = append(out, word)
		}
	}
	return out
}

// shown returns a list of words that is not too long.
func shown(words []string) string {
	if n := len(words) - maxShown; n > 0 {
		words = append(slices.Clone(words[:maxShown]), fmt.Sprintf("and %d more", n))
	}
	return strings.Join(words, ", ")
}

// A piece is one interval of the counts, or shares, that a limit allows.
type piece struct {
	lo, hi         *big.Rat // nil hi is no end
	loOpen, hiOpen bool
}

// compareLimits returns whether the counts that b allows lack some of a's, and
// whether they have some that a's lack. Counts of rows are whole numbers, so below 1
// is the same as 0.
func compareLimits(a, b Limit) (tighter, looser bool) {
	if a.Percent != b.Percent {
		same := a.zero() && b.zero()
		return !same, !same
	}
	p, q := a.pieces(), b.pieces()
	return !inside(p, q), !inside(q, p)
}

// inside reports whether every piece of p lies in one of q.
func inside(p, q []piece) bool {
	for _, x := range p {
		if !slices.ContainsFunc(q, func(y piece) bool { return y.covers(x) }) {
			return false
		}
	}
	return true
}

func (p piece) covers(x piece) bool {
	if c := p.lo.Cmp(x.lo); c > 0 || c == 0 && p.loOpen && !x.loOpen {
		return false
	}
	if p.hi == nil {
		return true
	}
	if x.hi == nil {
		return false
	}
	c := p.hi.Cmp(x.hi)
	return c > 0 || c == 0 && (!p.hiOpen || x.hiOpen)
}

// pieces returns what the limit allows, from low to high, as pieces that do not touch.
func (l Limit) pieces() []piece {
	zero := new(big.Rat)
	var all []piece
	switch l.Op {
	case "mustBe":
		all = []piece{{lo: l.A, hi: l.A}}
	case "mustNotBe":
		all = []piece{{lo: zero, hi: l.A, hiOpen: true}, {lo: l.A, loOpen: true}}
	case "mustBeGreaterThan":
		all = []piece{{lo: l.A, loOpen: true}}
	case "mustBeGreaterOrEqualTo":
		all = []piece{{lo: l.A}}
	case "mustBeLessThan":
		all = []piece{{lo: zero, hi: l.A, hiOpen: true}}
	case "mustBeLessOrEqualTo":
		all = []piece{{lo: zero, hi: l.A}}
	case "mustBeBetween":
		all = []piece{{lo: l.A, hi: l.B, loOpen: true, hiOpen: true}}
	case "mustNotBeBetween":
		all = []piece{{lo: zero, hi: l.A}, {lo: l.B}}
	}
	var out []piece
	for _, p := range all {
		if !l.Percent {
			p = p.whole()
		}
		if p.hi != nil && (p.lo.Cmp(p.hi) > 0 || p.lo.Cmp(p.hi) == 0 && (p.loOpen || p.hiOpen)) {
			continue // nothing is in it
		}
		if n := len(out); n > 0 && !l.Percent && p.lo.Cmp(new(big.Rat).Add(out[n-1].hi, big.NewRat(1, 1))) <= 0 {
			out[n-1].hi = p.hi
			continue
		}
		out = append(out, p)
	}
	return out
}

// whole shrinks the piece to the whole numbers in it.
func (p piece) whole() piece {
	one := big.NewInt(1)
	lo := new(big.Int).Div(p.lo.Num(), p.lo.Denom()) // rounds down
	if p.loOpen || !p.lo.IsInt() {
		lo.Add(lo, one)
	}
	out := piece{lo: new(big.Rat).SetInt(lo)}
	if p.hi != nil {
		hi := new(big.Int).Div(p.hi.Num(), p.hi.Denom())
		if p.hiOpen && p.hi.IsInt() {
			hi.Sub(hi, one)
		}
		out.hi = new(big.Rat).SetInt(hi)
	}
	return out
}
