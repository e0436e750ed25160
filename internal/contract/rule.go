package contract

import (
	"fmt"
	"math/big"
	"strings"
)

// A Kind is what a rule looks at.
type Kind string

// Rules about one row at a time.
const (
	KindRequired         Kind = "required"
	KindMinimum          Kind = "minimum"
	KindMaximum          Kind = "maximum"
	KindExclusiveMinimum Kind = "exclusiveMinimum"
	KindExclusiveMaximum Kind = "exclusiveMaximum"
	KindMultipleOf       Kind = "multipleOf"
	KindMinLength        Kind = "minLength"
	KindMaxLength        Kind = "maxLength"
	KindPattern          Kind = "pattern"
	KindFormat           Kind = "format"
)

// The metrics of the standard's library.
const (
	KindNullValues      Kind = "nullValues"
	KindMissingValues   Kind = "missingValues"
	KindInvalidValues   Kind = "invalidValues"
	KindDuplicateValues Kind = "duplicateValues"
	KindRowCount        Kind = "rowCount"
)

// Rules about the whole batch that are not metrics.
const (
	KindPrimaryKey   Kind = "primaryKey"
	KindUnique       Kind = "unique"
	KindRelationship Kind = "relationship" // rows without a partner in another object
)

// KindRow is a rule across the columns of one row, written in CEL.
const KindRow Kind = "row"

// Promises about the times in a batch. They are no rules of [Contract.Rules].
const (
	KindLatency   Kind = "latency"
	KindRetention Kind = "retention"
)

// A Rule is one thing that a batch must keep.
type Rule struct {
	ID          string
	Kind        Kind
	Column      string   // "" for rules about the table
	Columns     []string // the tuple of primaryKey, unique, duplicateValues and relationship; the columns of row
	Severity    Severity
	Description string
	Limit       Limit // of a metric; of the others: mustBe 0

	// Quarantine says that each row that breaks the rule goes to quarantine, and
	// that the rule itself never blocks: the error budget does. Of rows that repeat
	// each other all go, for nobody can say which of them is right. A [Checker]
	// does not see those; they are known when the whole batch has been read.
	Quarantine bool

	Line, Col int // where the contract says so

	test test // how to find the values that break it; nil if rows need not be read
}

// counted reports whether the checker counts the rule over rows.
func (r *Rule) counted() bool {
	switch r.Kind {
	case KindRowCount, KindDuplicateValues, KindPrimaryKey, KindUnique, KindRelationship:
		return false
	}
	return true
}

// Duplicates reports whether the rule is about rows that repeat each other.
func (r *Rule) Duplicates() bool {
	switch r.Kind {
	case KindDuplicateValues, KindPrimaryKey, KindUnique:
		return true
	}
	return false
}

// A Limit compares a count, or a share of the rows in percent, with numbers.
type Limit struct {
	Op      string // mustBe, mustBeLessThan, …
	A, B    *big.Rat
	Percent bool
}

// operators are the names of the standard, in its order.
var operators = []string{
	"mustBe", "mustNotBe", "mustBeGreaterThan", "mustBeGreaterOrEqualTo",
	"mustBeLessThan", "mustBeLessOrEqualTo", "mustBeBetween", "mustNotBeBetween",
}

// none is the limit of rules that tolerate nothing.
var none = Limit{Op: "mustBe", A: new(big.Rat)}

// zero reports whether the limit allows a count of 0 and no other count.
func (l Limit) zero() bool {
	switch l.Op {
	case "mustBe", "mustBeLessOrEqualTo":
		return l.A.Sign() == 0
	case "mustBeLessThan":
		return !l.Percent && l.A.Sign() > 0 && l.A.Cmp(big.NewRat(1, 1)) <= 0
	}
	return false
}

// Allows reports whether count out of total rows keeps the limit. Percent is
// 100 · count / total, exactly, and 0 if there are no rows.
func (l Limit) Allows(count, total int64) bool {
	v := l.measure(count, total)
	switch l.Op {
	case "mustBe":
		return v.Cmp(l.A) == 0
	case "mustNotBe":
		return v.Cmp(l.A) != 0
	case "mustBeGreaterThan":
		return v.Cmp(l.A) > 0
	case "mustBeGreaterOrEqualTo":
		return v.Cmp(l.A) >= 0
	case "mustBeLessThan":
		return v.Cmp(l.A) < 0
	case "mustBeLessOrEqualTo":
		return v.Cmp(l.A) <= 0
	case "mustBeBetween":
		return v.Cmp(l.A) > 0 && v.Cmp(l.B) < 0
	case "mustNotBeBetween":
		return v.Cmp(l.A) <= 0 || v.Cmp(l.B) >= 0
	}
	return false
}

func (l Limit) measure(count, total int64) *big.Rat {
	switch {
	case !l.Percent:
		return new(big.Rat).SetInt64(count)
	case total == 0:
		return new(big.Rat)
	}
	v := big.NewRat(count, total)
	return v.Mul(v, big.NewRat(100, 1))
}

// disputed reports whether the limit would be kept if the two numbers of a
// between counted as inside, as some other tools have it.
func (l Limit) disputed(count, total int64) bool {
	v := l.measure(count, total)
	return strings.HasSuffix(l.Op, "Between") && (v.Cmp(l.A) == 0 || v.Cmp(l.B) == 0)
}

// String returns the limit in words: "less than 2 percent".
func (l Limit) String() string {
	words := map[string]string{
		"mustBe": "%s", "mustNotBe": "not %s",
		"mustBeGreaterThan": "greater than %s", "mustBeGreaterOrEqualTo": "at least %s",
		"mustBeLessThan": "less than %s", "mustBeLessOrEqualTo": "at most %s",
		"mustBeBetween": "strictly between %s and %s", "mustNotBeBetween": "not strictly between %s and %s",
	}[l.Op]
	args := []any{ratString(l.A)}
	if l.B != nil {
		args = append(args, ratString(l.B))
	}
	s := fmt.Sprintf(words, args...)
	if l.Percent {
		s += " percent"
	}
	return s
}

// ratString prints a decimal as it was written, without trailing zeros.
func ratString(r *big.Rat) string {
	if r.IsInt() {
		return r.Num().String()
	}
	if n, exact := r.FloatPrec(); exact {
		return r.FloatString(n)
	}
	return r.FloatString(6)
}
