package infer

import (
	"slices"
	"strings"

	"github.com/apache/arrow/go/v17/arrow"

	"headgate/internal/profile"
)

// CouldBeKey reports whether the column may be guessed to name whom a row is about:
// text or whole numbers, no nulls, no role, and not a name that published tables have.
func (c *Column) CouldBeKey() bool {
	text := c.Type.ID() == arrow.STRING || c.Type.ID() == arrow.DICTIONARY
	taken := slices.Contains([]string{"batch", "model", "contract", "run"}, c.Name) || strings.HasPrefix(c.Name, "headgate_")
	return c.Nulls == 0 && c.Role == "" && !taken && (text || arrow.IsInteger(c.Type.ID()))
}

// maxSingles and maxParts bound how many keys are looked at: each costs a set of
// digests of all rows, until it repeats.
const (
	maxSingles = 12
	maxParts   = 5
)

// Candidates returns the keys that are worth counting, in groups: count one group
// after the other, until one has a tuple that never repeats; the first is the best.
// First come columns named like keys, then tuples with such a column, then other
// columns, those that may be personal last, and then other tuples.
//
// A profile only estimates how many different values there are, so a candidate may
// repeat. A tuple has two or three columns: texts, dates, and whole numbers named
// like keys, but nothing personal.
func (d *Draft) Candidates(p *profile.Profile) [][][]string {
	k := keySearch{p: p, enough: 0.95 * float64(d.Rows)} // the estimate is within about 0.8 %
	var parts []*Column
	for i := range d.Columns {
		if c := &d.Columns[i]; p.Column(c.Name) != nil && (c.CouldBeKey() || c.couldBePart()) {
			parts = append(parts, c)
		}
	}
	slices.SortStableFunc(parts, func(a, b *Column) int { return k.rank(a) - k.rank(b) })
	var named, others [][]string
	for _, c := range parts {
		switch {
		case !c.CouldBeKey() || !k.enoughValues(c.Name):
		case KeyRank(c.Name) < noKey:
			named = append(named, []string{c.Name})
		default:
			others = append(others, []string{c.Name})
		}
	}
	parts = slices.DeleteFunc(parts, func(c *Column) bool {
		return k.rank(c) == personal || arrow.IsInteger(c.Type.ID()) && KeyRank(c.Name) == noKey
	})
	parts = parts[:min(len(parts), maxParts)]
	var namedTuples, otherTuples [][]string
	for _, tuple := range tuples(parts) {
		switch {
		case !k.enoughValues(tuple...):
		case KeyRank(tuple[0]) < noKey:
			namedTuples = append(namedTuples, tuple)
		default:
			otherTuples = append(otherTuples, tuple)
		}
	}
	groups := [][][]string{named[:min(len(named), maxSingles)], namedTuples, others[:min(len(others), maxSingles)], otherTuples}
	return slices.DeleteFunc(groups, func(g [][]string) bool { return len(g) == 0 })
}

// personal is the rank of columns that may be about a person.
const personal = noKey + 2

// A keySearch judges columns by what a profile says of them.
type keySearch struct {
	p      *profile.Profile
	enough float64 // different values that a key must have
}

// rank puts likely parts of a key first: names of keys, times, names of nothing, and
// what may be personal.
func (k keySearch) rank(c *Column) int {
	switch {
	case KeyRank(c.Name) < noKey:
		return KeyRank(c.Name)
	case kindOfName(c.Name) != "" || kindOfValues(k.p.Column(c.Name)) != "":
		return personal
	case c.couldBePart():
		return noKey
	}
	return noKey + 1
}

// enoughValues reports whether the columns may differ in every row, together.
func (k keySearch) enoughValues(names ...string) bool {
	all := 1.0
	for _, name := range names {
		all *= k.p.Column(name).Distincts()
	}
	return all >= k.enough
}

// couldBePart reports whether the column may complete a key: a date or a time that
// the others repeat at.
func (c *Column) couldBePart() bool {
	switch c.Type.ID() {
	case arrow.DATE32, arrow.DATE64, arrow.TIMESTAMP:
		return c.Nulls == 0 && c.Role == ""
	}
	return false
}

// tuples returns all pairs and then all triples of columns, in order.
func tuples(parts []*Column) [][]string {
	var pairs, triples [][]string
	for i, a := range parts {
		for j, b := range parts[i+1:] {
			pairs = append(pairs, []string{a.Name, b.Name})
			for _, c := range parts[i+j+2:] {
				triples = append(triples, []string{a.Name, b.Name, c.Name})
			}
		}
	}
	return append(pairs, triples...)
}

// noKey is the rank of names that say nothing of a key.
const noKey = 3

// KeyRank puts names that keys usually have first: 0 is the best.
func KeyRank(name string) int {
	switch lower := strings.ToLower(name); {
	case lower == "id":
		return 0
	case strings.HasSuffix(lower, "_id"), strings.HasSuffix(name, "Id"), strings.HasSuffix(name, "ID"):
		return 1
	case strings.Contains(lower, "key"):
		return 2
	}
	return noKey
}
