package contract

import (
	"slices"

	"headgate/internal/strictyaml"
)

// argumentKeys are the arguments that a metric has. A metric that is not here has none.
var argumentKeys = map[Kind][]string{
	KindMissingValues:   {"missingValues"},
	KindInvalidValues:   {"validValues", "pattern"},
	KindDuplicateValues: {"properties"},
}

// arguments reads the arguments of a metric and makes the rule's test.
func (p *parser) arguments(at strictyaml.Value, fs strictyaml.Fields, col *column, r *Rule) bool {
	keys := argumentKeys[r.Kind]
	v, given := fs.Get("arguments")
	var args strictyaml.Fields
	switch {
	case given && len(keys) == 0 || given && r.Kind == KindDuplicateValues && col != nil:
		fs.Key("arguments").Problemf("%s of a column has no arguments", r.Kind)
		return false
	case given:
		ok := false
		if args, ok = v.Map("arguments of "+string(r.Kind), keys...); !ok {
			return false
		}
	}
	switch r.Kind {
	case KindNullValues:
		r.test = isNull{}
	case KindMissingValues:
		return p.missing(at, args, col, r)
	case KindInvalidValues:
		return p.invalid(at, args, col, r)
	case KindDuplicateValues:
		return p.duplicates(at, args, col, r)
	}
	return true
}

func (p *parser) missing(at strictyaml.Value, args strictyaml.Fields, col *column, r *Rule) bool {
	v, ok := args.Get("missingValues")
	if !ok {
		at.Problemf("missingValues needs arguments.missingValues; to count nulls alone use nullValues")
		return false
	}
	values, ok := col.literals("missingValues", v)
	r.test = missing{values: values}
	return ok
}

func (p *parser) invalid(at strictyaml.Value, args strictyaml.Fields, col *column, r *Rule) bool {
	var t invalid
	ok := true
	if v, has := args.Get("validValues"); has {
		t, ok = col.validValues(v)
	}
	if v, has := args.Get("pattern"); has {
		if col.Type != String {
			v.Problemf("pattern needs a column of logicalType string")
			return false
		}
		re, compiled := pattern(v)
		t.re, ok = re, ok && compiled
	}
	if !args.Has("validValues") && !args.Has("pattern") {
		at.Problemf("invalidValues needs arguments.validValues or arguments.pattern")
		return false
	}
	r.test = t
	return ok
}

// validValues reads the values that are not invalid.
func (col *column) validValues(v strictyaml.Value) (invalid, bool) {
	values, ok := col.literals("validValues", v)
	if ok && len(values) == 0 {
		v.Problemf("validValues has no value besides null")
		ok = false
	}
	return invalid{values: values}, ok
}

// literals reads a list of values of the column's type. A null in it is left out:
// null is always missing and never invalid.
func (col *column) literals(what string, v strictyaml.Value) ([]literal, bool) {
	list, ok := v.List(what)
	if !ok {
		return nil, false
	}
	var out []literal
	for _, e := range list {
		if e.IsNull() {
			continue
		}
		lit, valid := col.literal("an entry of "+what+" of a column of type "+string(col.Type), e)
		if !valid {
			ok = false
			continue
		}
		out = append(out, lit)
	}
	return out, ok
}

// duplicates reads which columns together must not repeat.
func (p *parser) duplicates(at strictyaml.Value, args strictyaml.Fields, col *column, r *Rule) bool {
	if col != nil {
		r.Columns = []string{col.Name}
		return true
	}
	v, ok := args.Get("properties")
	if !ok {
		at.Problemf("duplicateValues of the table needs arguments.properties")
		return false
	}
	list, ok := v.List("properties")
	if ok && len(list) == 0 {
		v.Problemf("properties is empty")
		ok = false
	}
	for _, e := range list {
		name, valid := e.Str("an entry of properties")
		if !valid {
			ok = false
			continue
		}
		column := p.fileName(name)
		switch {
		case column == "":
			e.Problemf("there is no column %s%s", name, strictyaml.Hint(name, p.logicalNames()))
			ok = false
		case slices.Contains(r.Columns, column):
			e.Problemf("column %s is there twice", name)
			ok = false
		default:
			r.Columns = append(r.Columns, column)
		}
	}
	return ok
}

// fileName returns the name in the file of the column with a logical name, or "".
func (p *parser) fileName(logical string) string {
	for _, col := range p.made {
		if col.LogicalName == logical {
			return col.Name
		}
	}
	return ""
}

func (p *parser) logicalNames() []string {
	names := make([]string, len(p.made))
	for i, col := range p.made {
		names[i] = col.LogicalName
	}
	return names
}
