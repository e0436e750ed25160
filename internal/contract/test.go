package contract

import (
	"math/big"
	"regexp"
)

// A test finds the values that break a rule. The checker compiles it for the
// physical type that a column has in the file.
type test interface{ isTest() }

type (
	isNull struct{} // the value is null
	bound  struct {
		kind  Kind
		limit literal
	} // the value is outside a limit, or NaN
	within   struct{ lo, hi *big.Rat } // the value is outside [lo, hi]
	multiple struct{ of *big.Rat }     // the value is no multiple
	length   struct {
		kind Kind
		n    int64
	} // the text has too few or too many characters
	matches   struct{ re *regexp.Regexp }    // the text has no match
	formatted struct{ ok func(string) bool } // the text is not well-formed
	missing   struct{ values []literal }     // the value is null or one of these
	invalid   struct {                       // the value is not null, and not one of these or without a match
		values []literal // nil means any
		re     *regexp.Regexp
	}
)

func (isNull) isTest()    {}
func (bound) isTest()     {}
func (within) isTest()    {}
func (multiple) isTest()  {}
func (length) isTest()    {}
func (matches) isTest()   {}
func (formatted) isTest() {}
func (missing) isTest()   {}
func (invalid) isTest()   {}

// nulls reports whether a null breaks the rule.
func nulls(t test) bool {
	switch t.(type) {
	case isNull, missing:
		return true
	}
	return false
}

// values reports whether anything but a null can break the rule.
func values(t test) bool {
	switch t := t.(type) {
	case isNull:
		return false
	case missing:
		return len(t.values) > 0
	}
	return true
}
