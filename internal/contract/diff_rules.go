package contract

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
)

// rules compares the rules of one column of a, or those of the table if column is "".
func (d *differ) rules(column string) {
	var was, is []*Rule
	for i := range d.a.Rules {
		if r := &d.a.Rules[i]; r.Column == column {
			was = append(was, r)
		}
	}
	for i := range d.b.Rules {
		r := &d.b.Rules[i]
		if column == "" && r.Column == "" || column != "" && r.Column == d.renamed[column] {
			is = append(is, r)
		}
	}
	pairs := d.pairRules(was, is)
	for _, r := range was {
		if other := pairs[r]; other != nil {
			d.changed(r, other)
			continue
		}
		c := Change{Column: r.Column, Rule: r.ID, Producer: Compatible, Consumer: Compatible}
		if r.Quarantine {
			c.Consumer = Breaking
		}
		d.add(c, "rule %s is removed: %s", r.ID, d.a.words(r))
	}
	for _, r := range is {
		if slices.ContainsFunc(was, func(w *Rule) bool { return pairs[w] == r }) {
			continue
		}
		c := Change{Column: column, Rule: r.ID, Producer: Compatible, Consumer: Compatible}
		if r.Severity == Error {
			c.Producer = Breaking
		}
		d.add(c, "rule %s is new: %s", r.ID, d.b.words(r))
	}
}

// pairRules finds for each rule what became of it, among the rules about the same
// thing: the one that says the same, or else the one with the same id, or else the
// next one.
func (d *differ) pairRules(was, is []*Rule) map[*Rule]*Rule {
	pairs := map[*Rule]*Rule{}
	taken := map[*Rule]bool{}
	for _, fits := range []func(w, r *Rule) bool{
		func(w, r *Rule) bool { return w.ID == r.ID && len(d.compare(w, r)) == 0 },
		func(w, r *Rule) bool { return len(d.compare(w, r)) == 0 },
		func(w, r *Rule) bool { return w.ID == r.ID },
		func(w, r *Rule) bool { return w.Kind != KindRow },
	} {
		for _, w := range was {
			for _, r := range is {
				if pairs[w] == nil && !taken[r] && d.subjectOf(w) == r.about() && fits(w, r) {
					pairs[w], taken[r] = r, true
				}
			}
		}
	}
	return pairs
}

// about returns what a rule is about: rules that can follow each other agree in it.
func (r *Rule) about() string {
	kind := string(r.Kind)
	switch r.Kind {
	case KindMinimum, KindExclusiveMinimum:
		kind = "lower"
	case KindMaximum, KindExclusiveMaximum:
		kind = "upper"
	case KindPrimaryKey, KindRow:
		return kind // its columns may change
	}
	return kind + ":" + strings.Join(r.Columns, ",")
}

// subjectOf is about of a rule of a, with the names that its columns have in b.
func (d *differ) subjectOf(r *Rule) string {
	renamed := *r
	renamed.Columns = d.inB(r.Columns)
	return renamed.about()
}

// inB returns the names that columns of a have in b.
func (d *differ) inB(columns []string) []string {
	var names []string
	for _, name := range columns {
		if is := d.renamed[name]; is != "" {
			name = is
		}
		names = append(names, name)
	}
	return names
}

// changed adds how a rule changes, if it does.
func (d *differ) changed(was, is *Rule) {
	for _, diff := range d.compare(was, is) {
		c := Change{Column: was.Column, Rule: was.ID, Producer: Compatible, Consumer: Compatible}
		if diff.tighter && is.Severity == Error {
			c.Producer = Breaking
		}
		if diff.looser && was.Quarantine {
			c.Consumer = Breaking
		}
		word := "changes"
		switch {
		case diff.tighter && !diff.looser:
			word = "is tightened"
		case diff.looser && !diff.tighter:
			word = "is loosened"
		}
		d.add(c, "rule %s %s: %s", was.ID, word, diff.words)
	}
	if was.Description != is.Description || was.ID != is.ID && !derived(was, is) {
		c := Change{Column: was.Column, Rule: was.ID, Producer: Documentation, Consumer: Documentation}
		if was.ID != is.ID {
			d.add(c, "rule %s is called %s now", was.ID, is.ID)
			return
		}
		d.add(c, "the description of rule %s changes", was.ID)
	}
}

// derived reports whether both ids are made by us, so that a new one means nothing.
func derived(was, is *Rule) bool {
	return strings.Contains(was.ID, "."+string(was.Kind)) && strings.Contains(is.ID, "."+string(is.Kind))
}

// A difference is one way in which a rule changed. A rule is tighter if it can find
// more to complain about, and looser if it can find less; it may be both.
type difference struct {
	tighter, looser bool
	words           string
}

// compare returns in which ways two rules about the same thing differ.
func (d *differ) compare(was, is *Rule) []difference {
	var out []difference
	if diff := d.compareTests(was, is); diff.tighter || diff.looser {
		out = append(out, diff)
	}
	if diff := d.comparePartners(was, is); diff.tighter || diff.looser {
		out = append(out, diff)
	}
	if w, i := slices.Sorted(slices.Values(d.inB(was.Columns))), slices.Sorted(slices.Values(is.Columns)); was.Kind == KindPrimaryKey && !slices.Equal(w, i) {
		out = append(out, difference{tighter: true, looser: true,
			words: fmt.Sprintf("its columns become (%s), were (%s)", strings.Join(is.Columns, ", "), strings.Join(was.Columns, ", "))})
	}
	more, fewer := compareLimits(was.Limit, is.Limit)
	if more || fewer {
		out = append(out, difference{tighter: more, looser: fewer, words: fmt.Sprintf("must be %s, not %s", is.Limit, was.Limit)})
	}
	if w, i := rank(was.Severity), rank(is.Severity); w != i {
		out = append(out, difference{tighter: i > w, looser: i < w, words: fmt.Sprintf("severity becomes %s, was %s", is.Severity, was.Severity)})
	}
	return out
}

func rank(s Severity) int { return slices.Index([]Severity{Info, Warning, Error}, s) }

// compareTests compares how two rules find the values that break them.
func (d *differ) compareTests(was, is *Rule) difference {
	col, _ := d.a.Column(was.Column)
	now, _ := d.b.Column(is.Column)
	if was.test != nil && values(was.test) && !sameOrder(col.Type, now.Type) {
		return difference{tighter: true, looser: true, words: "it is about values of another type"}
	}
	words := fmt.Sprintf("%s, was %s", is.option(col.Type), was.option(col.Type))
	switch w := was.test.(type) {
	case bound:
		i := is.test.(bound)
		c := compareBounds(w, i)
		return difference{tighter: c > 0, looser: c < 0, words: words}
	case within:
		i := is.test.(within)
		return difference{tighter: i.lo.Cmp(w.lo) > 0 || i.hi.Cmp(w.hi) < 0, looser: i.lo.Cmp(w.lo) < 0 || i.hi.Cmp(w.hi) > 0,
			words: fmt.Sprintf("format becomes %s, was %s", d.formatOf(d.b, is), d.formatOf(d.a, was))}
	case multiple:
		i := is.test.(multiple)
		return difference{tighter: !new(big.Rat).Quo(w.of, i.of).IsInt(), looser: !new(big.Rat).Quo(i.of, w.of).IsInt(), words: words}
	case length:
		i := is.test.(length)
		shorter, longer := i.n < w.n, i.n > w.n
		if w.kind == KindMinLength {
			shorter, longer = longer, shorter
		}
		return difference{tighter: shorter, looser: longer, words: words}
	case formatted:
		f, g := d.formatOf(d.a, was), d.formatOf(d.b, is)
		return difference{tighter: f != g, looser: f != g, words: fmt.Sprintf("format becomes %s, was %s", g, f)}
	case matches:
		differ := w.re.String() != is.test.(matches).re.String()
		return difference{tighter: differ, looser: differ, words: "it is another one"}
	case across:
		differ := w.String() != is.test.(across).String()
		return difference{tighter: differ, looser: differ, words: fmt.Sprintf("%s, was %s", is.test.(across), w)}
	case missing:
		return compareLists(w.values, is.test.(missing).values, col.Type).counted(was.Limit)
	case invalid:
		return compareValid(w, is.test.(invalid), col.Type).counted(was.Limit)
	}
	return difference{} // of nulls, duplicates and rows there is one test
}

// sameOrder reports whether values of two types can be held against each other.
func sameOrder(a, b Type) bool {
	number := func(t Type) bool { return t == Integer || t == Number }
	return a == b || number(a) && number(b)
}

// formatOf returns the format of a rule's column.
func (d *differ) formatOf(c *Contract, r *Rule) string {
	col, _ := c.Column(r.Column)
	return col.Options.Format
}

// compareBounds returns whether a limit of values moved inwards (1), outwards (−1)
// or not (0).
func compareBounds(was, is bound) int {
	c := is.limit.num.Cmp(was.limit.num)
	if was.kind == KindMaximum || was.kind == KindExclusiveMaximum {
		c = -c
	}
	open := func(b bound) int {
		if b.kind == KindExclusiveMinimum || b.kind == KindExclusiveMaximum {
			return 1
		}
		return 0
	}
	if c == 0 {
		return open(is) - open(was)
	}
	return c
}
