package contract

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// partners returns what a relationship points to: (id) of accounts.
func (c *Contract) partners(rule string) string {
	for _, r := range c.Relationships {
		if r.Rule == rule {
			return fmt.Sprintf("(%s) of %s", strings.Join(r.To, ", "), r.Object)
		}
	}
	return "nothing"
}

// comparePartners compares what two rules point to, if they are relationships.
func (d *differ) comparePartners(was, is *Rule) difference {
	if was.Kind != KindRelationship {
		return difference{}
	}
	p, q := d.a.partners(was.ID), d.b.partners(is.ID)
	return difference{tighter: p != q, looser: p != q, words: fmt.Sprintf("it points to %s, not to %s", q, p)}
}

// promises compares the service levels. Who relied on fresh data is broken by later
// data, so here a looser promise breaks consumers.
func (d *differ) promises() {
	find := func(c *Contract, kind Kind, column string) *Promise {
		for i := range c.Promises {
			if p := &c.Promises[i]; p.Kind == kind && p.Column == column {
				return p
			}
		}
		return nil
	}
	for _, was := range d.a.Promises {
		c := Change{Column: was.Column, Rule: was.ID, Producer: Compatible, Consumer: Compatible}
		is := find(d.b, was.Kind, d.inB([]string{was.Column})[0])
		if is == nil {
			c.Consumer = Breaking
			d.add(c, "the %s of %s is no longer promised; it was %s", was.Kind, was.Column, was.Period)
			continue
		}
		shorter, longer := comparePeriods(was.Period, is.Period)
		if shorter {
			c.Producer = Breaking
		}
		if longer {
			c.Consumer = Breaking
		}
		if c.Breaks() {
			d.add(c, "the %s of %s becomes %s, was %s", was.Kind, was.Column, is.Period, was.Period)
		}
	}
	for _, is := range d.b.Promises {
		known := slices.ContainsFunc(d.a.Promises, func(was Promise) bool {
			return was.Kind == is.Kind && d.inB([]string{was.Column})[0] == is.Column
		})
		if !known {
			d.add(Change{Column: is.Column, Rule: is.ID, Producer: Breaking, Consumer: Compatible}, "the %s of %s is promised now: %s", is.Kind, is.Column, is.Period)
		}
	}
}

// comparePeriods returns whether a period became shorter, longer, or, if months are
// held against days, perhaps either.
func comparePeriods(was, is Period) (shorter, longer bool) {
	if (was.Months == 0) != (is.Months == 0) {
		return true, true
	}
	return is.Months < was.Months || is.Rest < was.Rest, is.Months > was.Months || is.Rest > was.Rest
}

// history compares the rules that hold the batch against others.
func (d *differ) history() {
	same := func(was, is History) bool {
		return d.inB([]string{was.Column})[0] == is.Column && was.Metric == is.Metric && was.Against == is.Against && was.Last == is.Last
	}
	for _, was := range d.a.History {
		c := Change{Column: was.Column, Rule: was.ID, Producer: Compatible, Consumer: Compatible}
		i := slices.IndexFunc(d.b.History, func(is History) bool { return same(was, is) })
		if i < 0 {
			d.add(c, "rule %s is removed: %s", was.ID, was.words())
			continue
		}
		is := d.b.History[i]
		tighter := is.Lower > was.Lower || is.Upper < was.Upper || rank(is.Severity) > rank(was.Severity) || is.MinBatches < was.MinBatches
		looser := is.Lower < was.Lower || is.Upper > was.Upper || rank(is.Severity) < rank(was.Severity) || is.MinBatches > was.MinBatches
		if tighter && is.Severity == Error {
			c.Producer = Breaking
		}
		if tighter || looser {
			d.add(c, "rule %s changes: %s; it was %s", was.ID, is.words(), was.words())
		}
	}
	for _, is := range d.b.History {
		if slices.ContainsFunc(d.a.History, func(was History) bool { return same(was, is) }) {
			continue
		}
		c := Change{Column: is.Column, Rule: is.ID, Producer: Compatible, Consumer: Compatible}
		if is.Severity == Error {
			c.Producer = Breaking
		}
		d.add(c, "rule %s is new: %s", is.ID, is.words())
	}
}

// words says what the rule asks for.
func (h History) words() string {
	against := string(h.Against)
	if h.Against == AgainstLast {
		against = fmt.Sprintf("last%d, of which %d are known,", h.Last, h.MinBatches)
	}
	return fmt.Sprintf("the %s against %s must be within %s and %s (%s)", h.subject(), against, h.showChange(h.Lower), h.showChange(h.Upper), h.Severity)
}

// drift compares how far columns may drift. That judges a batch, and promises nothing
// about its rows.
func (d *differ) drift() {
	for _, was := range slices.Sorted(maps.Keys(d.a.Drift)) {
		is, ok := d.b.Drift[d.inB([]string{was})[0]]
		if ok && is == d.a.Drift[was] {
			continue
		}
		d.add(Change{Column: was, Producer: Compatible, Consumer: Compatible}, "how far %s may drift changes: %s, was %s", was, is.words(ok), d.a.Drift[was].words(true))
	}
	for _, is := range slices.Sorted(maps.Keys(d.b.Drift)) {
		known := slices.ContainsFunc(slices.Collect(maps.Keys(d.a.Drift)), func(was string) bool { return d.inB([]string{was})[0] == is })
		if !known {
			d.add(Change{Column: is, Producer: Compatible, Consumer: Compatible}, "how far %s may drift is the contract's now: %s", is, d.b.Drift[is].words(true))
		}
	}
}

// words says what the policy is; without one it is the pipeline's.
func (p DriftPolicy) words(known bool) string {
	switch {
	case !known:
		return "as the pipeline says"
	case p.Ignore:
		return "any way"
	}
	return fmt.Sprintf("moderate from %g, major from %g", p.Moderate, p.Major)
}
