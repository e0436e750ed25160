package contract

import (
	"regexp"
	"strings"

	"headgate/internal/strictyaml"
)

// A contract of ODCS 3.0 is read by the rules of 3.1. What 3.0 writes in another way
// and means the same is mapped, with a note; all else that 3.1 does not know is
// refused as it is there.

// compat30 reports whether the contract is of ODCS 3.0.
func (p *parser) compat30() bool { return p.c.Compat == "3.0" }

// rules30 are the library rules that 3.0 names, as metrics.
var rules30 = map[string]Kind{"rowCount": KindRowCount, "duplicateCount": KindDuplicateValues, "validValues": KindInvalidValues}

// rule30 reads a library rule of 3.0, whose metric is called rule.
func (p *parser) rule30(at strictyaml.Value, fs strictyaml.Fields, col *column) {
	v, _ := fs.Get("rule")
	name, ok := v.OneOf("rule of ODCS 3.0", "rowCount", "duplicateCount", "validValues")
	if !ok {
		return
	}
	r := Rule{Kind: rules30[name], Severity: Error}
	if (r.Kind == KindRowCount) != (col == nil) {
		if col == nil {
			v.Problemf("rule %s of the table does not say of which columns; write a metric of 3.1", name)
		} else {
			v.Problemf("rowCount is not a rule of a column")
		}
		return
	}
	p.note(v, "rule %s of ODCS 3.0 is read as metric %s", name, r.Kind)
	for _, key := range []string{"arguments", "metric"} {
		if fs.Has(key) {
			fs.Key(key).Problemf("a rule of ODCS 3.0 has no %s", key)
			return
		}
	}
	if col != nil {
		r.Column = col.Name
	}
	switch r.Kind {
	case KindInvalidValues:
		r.Limit, ok = none, p.validValues30(at, fs, col, &r)
	default:
		if fs.Has("validValues") {
			fs.Key("validValues").Problemf("rule %s has no validValues", name)
			return
		}
		r.Limit, ok = p.limit(at, fs, r.Kind)
		if col != nil {
			r.Columns = []string{col.Name}
		}
	}
	p.finish(at, fs, r, ok)
}

// validValues30 reads validValues beside the rule; it tolerates no other value.
func (p *parser) validValues30(at strictyaml.Value, fs strictyaml.Fields, col *column, r *Rule) bool {
	for _, key := range append([]string{"unit"}, operators...) {
		if fs.Has(key) {
			fs.Key(key).Problemf("validValues of ODCS 3.0 has no %s; write metric invalidValues", key)
			return false
		}
	}
	v, ok := fs.Get("validValues")
	if !ok {
		at.Problemf("rule validValues needs validValues")
		return false
	}
	t, ok := col.validValues(v)
	r.test = t
	return ok
}

// exclusive30 returns which of minimum and maximum are exclusive by a boolean beside
// them, as 3.0 has it.
func (p *parser) exclusive30(opts strictyaml.Fields) map[string]bool {
	out := map[string]bool{}
	if !p.compat30() {
		return out
	}
	for key, limit := range map[string]string{"exclusiveMinimum": "minimum", "exclusiveMaximum": "maximum"} {
		v, ok := opts.Get(key)
		if !ok || v.Kind() != "a boolean" {
			continue
		}
		b, _ := v.Bool(key)
		switch {
		case b && !opts.Has(limit):
			opts.Key(key).Problemf("%s: true needs %s", key, limit)
		case b:
			p.note(opts.Key(key), "%s of ODCS 3.0 makes %s exclusive", key, limit)
		}
		out[limit] = b
		out[key] = true // it is no limit itself
	}
	return out
}

var (
	quoted    = regexp.MustCompile(`'[^']*'`)
	dateParts = "yuMLdDQqEewW"
	timeParts = "HhKkmsSaAnN"
)

// date30 gives a date of 3.0 the type that its format says: 3.0 has one type for
// dates, timestamps and times of day.
func (p *parser) date30(opts strictyaml.Fields, col *column) {
	v, ok := opts.Get("format")
	if !ok || !p.compat30() || col.Type != Date {
		return
	}
	s, _ := v.Scalar()
	s = quoted.ReplaceAllString(s, "")
	switch {
	case !strings.ContainsAny(s, timeParts):
		return
	case strings.ContainsAny(s, dateParts):
		col.Type = Timestamp
	default:
		col.Type = Time
	}
	p.note(v, "%s: a date of ODCS 3.0 in this format is read as %s", col.Name, article(string(col.Type)))
}
