package contract

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A Result is what checkers counted. It has no value of any row. Results of parts
// of a batch are added up by [Merge]; as JSON, equal results have equal bytes.
type Result struct {
	Rows  int64            `json:"rows"`  // checked
	Bad   int64            `json:"bad"`   // of these, in quarantine
	Rules map[string]int64 `json:"rules"` // by rule id, how many rows break it; also when it is 0
}

// Result returns the counts so far.
func (k *Checker) Result() Result {
	r := Result{Rows: k.rows, Bad: k.bad, Rules: map[string]int64{}}
	for i := range k.c.Rules {
		if k.c.Rules[i].counted() {
			r.Rules[k.c.Rules[i].ID] = k.sink.counts[i]
		}
	}
	return r
}

// Merge adds two results of one contract, in either order. It changes neither.
func Merge(a, b Result) Result {
	out := Result{Rows: a.Rows + b.Rows, Bad: a.Bad + b.Bad, Rules: map[string]int64{}}
	maps.Copy(out.Rules, a.Rules)
	for id, n := range b.Rules {
		out.Rules[id] += n
	}
	return out
}

// Counts are what only the whole batch shows.
type Counts struct {
	// Duplicates has, under the [KeyName] of each tuple in [Contract.NeedsKeys], how
	// many rows repeat the tuple of another: rows − distinct tuples, where a tuple
	// with a null is not counted.
	Duplicates map[string]int64

	// Unmatched has, under the rule of each of [Contract.Relationships], how many
	// rows have no partner.
	Unmatched map[string]int64

	// Corrected is how many of the rows are corrections of others, which is not what
	// rowCount counts.
	Corrected int64

	// Unread is how many rows more were delivered, of which no rule knows anything.
	Unread int64
}

// Of returns how many rows break a rule, and whether that was counted. For rowCount
// it is the rows of the batch as it was delivered.
func (n Counts) Of(rule Rule, r Result) (count int64, ok bool) {
	switch {
	case rule.Kind == KindRowCount:
		return r.Rows - n.Corrected + n.Unread, true
	case rule.Kind == KindRelationship:
		count, ok = n.Unmatched[rule.ID]
	case rule.Duplicates():
		count, ok = n.Duplicates[KeyName(rule.Columns)]
	default:
		count, ok = r.Rules[rule.ID]
	}
	return count, ok
}

// Judge returns the rules over the whole batch that it breaks, in the order of
// the contract. Rules that quarantine rows are not among them: whether those rows
// are too many is for the error budget. A rule that was not counted is a violation.
func (c *Contract) Judge(r Result, n Counts) []Violation {
	var out []Violation
	for _, rule := range c.Rules {
		count, ok := n.Of(rule, r)
		if !ok {
			out = append(out, Violation{Rule: rule.ID, Column: rule.Column, Severity: rule.Severity, Total: r.Rows,
				Message: fmt.Sprintf("rule %s was not counted", rule.ID)})
			continue
		}
		if !rule.Quarantine {
			out = rule.judge(out, count, r.Rows)
		}
	}
	return out
}

// NeedsKeys returns the tuples of columns whose duplicates must be counted over
// the whole batch, each once, in the order of the contract.
func (c *Contract) NeedsKeys() [][]string {
	var out [][]string
	for _, r := range c.Rules {
		if r.Duplicates() && !slices.ContainsFunc(out, func(t []string) bool { return slices.Equal(t, r.Columns) }) {
			out = append(out, slices.Clone(r.Columns))
		}
	}
	return out
}

// KeyName names a tuple of columns: the columns joined by commas.
func KeyName(columns []string) string { return strings.Join(columns, ",") }

// subject returns what the rule is about, in words.
func (r *Rule) subject() string {
	if t, ok := r.test.(across); ok {
		return t.String()
	}
	if r.Column != "" {
		return r.Column
	}
	return "(" + strings.Join(r.Columns, ", ") + ")"
}
