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

// Candidates returns the keys that are worth counting, the likeliest first: columns
// that may be different in every row and then, if composite, tuples of two and three
// columns whose values may be, together. A profile only estimates how many different
// values there are, so each must be counted.
func (d *Draft) Candidates(p *profile.Profile, composite bool) [][]string {
	var parts []*Column
	distinct := map[string]float64{}
	for i := range d.Columns {
		c := &d.Columns[i]
		seen := p.Column(c.Name)
		if seen == nil || !c.CouldBeKey() && !(composite && c.couldBePart()) {
			continue
		}
		distinct[c.Name] = seen.Distincts()
		parts = append(parts, c)
	}
	slices.SortStableFunc(parts, func(a, b *Column) int { return KeyRank(a.Name) - KeyRank(b.Name) })
	enough := 0.95 * float64(d.Rows) // the estimate is within about 0.8 %
	var out [][]string
	if !composite {
		for _, c := range parts {
			if distinct[c.Name] >= enough && len(out) < maxSingles {
				out = append(out, []string{c.Name})
			}
		}
		return out
	}
	parts = parts[:min(len(parts), maxParts)]
	for _, tuple := range tuples(parts) {
		all := 1.0
		for _, name := range tuple {
			all *= distinct[name]
		}
		if all >= enough {
			out = append(out, tuple)
		}
	}
	return out
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
