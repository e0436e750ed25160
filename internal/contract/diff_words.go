package contract

import (
	"fmt"
	"math/big"
	"strings"
	"time"
)

// words says what a rule of c asks for, with its limits.
func (c *Contract) words(r *Rule) string {
	col, _ := c.Column(r.Column)
	switch r.test.(type) {
	case isNull:
		if r.Kind == KindRequired {
			return "no null in " + r.Column
		}
	case bound, multiple, length:
		return fmt.Sprintf("%s has %s", r.Column, r.option(col.Type))
	case matches:
		return r.Column + " has a pattern"
	case across:
		if r.Quarantine {
			return r.subject()
		}
		return fmt.Sprintf("rows that break %s must be %s", r.subject(), r.Limit)
	case within, formatted:
		return fmt.Sprintf("%s has format %s", r.Column, col.Options.Format)
	}
	switch r.Kind {
	case KindRowCount:
		return fmt.Sprintf("rows must be %s", r.Limit)
	case KindPrimaryKey:
		return fmt.Sprintf("the primary key is (%s)", strings.Join(r.Columns, ", "))
	case KindRelationship:
		return fmt.Sprintf("every (%s) is one of %s", strings.Join(r.Columns, ", "), c.partners(r.ID))
	case KindUnique:
		return fmt.Sprintf("no value of %s repeats", strings.Join(r.Columns, ", "))
	}
	return fmt.Sprintf("%s of %s must be %s", r.Kind, r.subject(), r.Limit)
}

// option returns the option of logicalTypeOptions that a rule of a column of type t
// comes from: "minimum 18". It is the kind for rules that come from none.
func (r *Rule) option(t Type) string {
	switch o := r.test.(type) {
	case bound:
		return fmt.Sprintf("%s %s", o.kind, o.limit.words(t))
	case multiple:
		return "multipleOf " + ratString(o.of)
	case length:
		return fmt.Sprintf("%s %d", o.kind, o.n)
	}
	return string(r.Kind)
}

// words returns a value of a type as a contract's author would write it: dates and
// times in ISO 8601, timestamps in UTC.
func (l literal) words(t Type) string {
	switch {
	case l.nan:
		return ".nan"
	case t == String:
		return fmt.Sprintf("%q", l.text)
	case t == Boolean:
		return fmt.Sprint(l.yes)
	case t != Date && t != Time && t != Timestamp:
		return ratString(l.num)
	}
	nanos := new(big.Int).Div(l.num.Num(), l.num.Denom())
	seconds, rest := new(big.Int).DivMod(nanos, big.NewInt(1e9), new(big.Int))
	at := time.Unix(seconds.Int64(), rest.Int64()).UTC()
	switch t {
	case Date:
		return at.Format(time.DateOnly)
	case Time:
		return at.Format("15:04:05.999999999")
	}
	return at.Format(time.RFC3339Nano)
}
