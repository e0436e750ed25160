package contract

import (
	"errors"
	"slices"

	"headgate/internal/rowrule"
	"headgate/internal/strictyaml"
)

// engineName is our engine in rules of type custom.
const engineName = "headgate"

// checks are what rules of our engine do, each with the keys of its implementation.
var checks = map[string][]string{
	"row":     append([]string{"check", "rule", "unit"}, operators...),
	"history": append([]string{"check"}, historyKeys...),
	"drift":   {"check", "moderate", "major", "ignore"},
}

var checkNames = []string{"row", "history", "drift"}

// engine reads a rule of type custom: ours, or one that cannot be run.
//
//	type: custom
//	engine: headgate
//	implementation: { check: row, rule: discount <= price }
//
// The operator and the unit stand in the implementation, because the standard's
// schema has none on a custom rule. A text for an implementation is a row rule.
func (p *parser) engine(at strictyaml.Value, fs strictyaml.Fields, col *column) {
	name, ok := fs.Need("engine")
	if !ok {
		return
	}
	if s, ok := name.Str("engine"); !ok || s != engineName {
		if ok {
			name.Problemf("rules of the engine %q cannot be run here%s", s, strictyaml.Hint(s, []string{engineName}))
		}
		return
	}
	for _, key := range append([]string{"metric", "rule", "query", "arguments", "unit"}, operators...) {
		if fs.Has(key) {
			fs.Key(key).Problemf("a custom rule has no %s of its own; write it in implementation", key)
			return
		}
	}
	impl, ok := fs.Need("implementation")
	if !ok {
		return
	}
	if !impl.IsMap() {
		p.rowCheck(at, fs, strictyaml.Fields{}, impl, col)
		return
	}
	parts, _ := impl.AnyMap("implementation")
	v, ok := parts.Need("check")
	if !ok {
		return
	}
	check, ok := v.OneOf("check", checkNames...)
	if !ok {
		return
	}
	if parts, ok = impl.Map("implementation of a "+check+" rule", checks[check]...); !ok {
		return
	}
	switch check {
	case "row":
		if rule, ok := parts.Need("rule"); ok {
			p.rowCheck(at, fs, parts, rule, col)
		}
	case "history":
		p.historyCheck(at, fs, parts, col)
	case "drift":
		p.driftCheck(at, fs, parts, col)
	}
}

// A pendingRow is a row rule that waits until all columns are known.
type pendingRow struct {
	rule int // index in Contract.Rules
	text string
	at   strictyaml.Value
}

// rowCheck reads a rule across the columns of a row. parts are empty if the
// implementation is the text alone.
func (p *parser) rowCheck(at strictyaml.Value, fs, parts strictyaml.Fields, text strictyaml.Value, col *column) {
	r := Rule{Kind: KindRow, Severity: Error, Limit: none}
	if col != nil {
		r.Column = col.Name
	}
	ok := true
	if slices.ContainsFunc(append([]string{"unit"}, operators...), parts.Has) {
		r.Limit, ok = p.limit(at, parts, r.Kind)
	}
	s, isText := text.Str("the rule")
	if p.finish(at, fs, r, ok && isText) {
		p.rows = append(p.rows, pendingRow{rule: len(p.c.Rules) - 1, text: s, at: text})
	}
}

// compileRows compiles the row rules, now that every column is known.
func (p *parser) compileRows() {
	columns := make([]rowrule.Column, len(p.made))
	for i, col := range p.made {
		columns[i] = rowrule.Column{Name: col.LogicalName, Type: rowrule.Type(col.Type)}
	}
	for _, pending := range p.rows {
		compiled, err := rowrule.Compile(pending.text, columns)
		var problems *rowrule.Error
		switch {
		case errors.As(err, &problems):
			for _, problem := range problems.Problems {
				pending.at.Problemf("row rule, line %d, column %d: %s", problem.Line, problem.Column, problem.Message)
			}
			continue
		case err != nil:
			pending.at.Problemf("row rule: %v", err)
			continue
		}
		r := &p.c.Rules[pending.rule]
		for _, name := range compiled.Columns() {
			r.Columns = append(r.Columns, p.fileName(name))
		}
		r.test = across{compiled}
	}
}
