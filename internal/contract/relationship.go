package contract

import (
	"regexp"
	"slices"
	"strings"

	"headgate/internal/strictyaml"
)

// A Relationship is a foreign key: every row's tuple of Columns must be the tuple
// To of a row of Object. A tuple with a null has no partner to look for.
//
// A [Checker] does not see it, because the other rows are in other files, or further
// down in the same: rows without a partner are found when the whole batch has been
// read, and go to quarantine late. [Counts] has how many they are.
type Relationship struct {
	Rule    string   // id of its rule
	Columns []string // in the files of the batch
	Object  string   // may be the contract's own table
	To      []string // columns in the files of Object, in the order of Columns
}

var relationshipKeys = []string{"type", "to", "customProperties"}

// A pendingRelationship waits until all objects are known.
type pendingRelationship struct {
	rule int // index in Contract.Rules
	to   []strictyaml.Value
}

// relationships reads the foreign keys of a column, or of the table if col is nil.
func (p *parser) relationships(fs strictyaml.Fields, col *column) {
	v, ok := fs.Get("relationships")
	if !ok {
		return
	}
	list, _ := v.List("relationships")
	for _, e := range list {
		p.relationship(e, col)
	}
}

func (p *parser) relationship(e strictyaml.Value, col *column) {
	rel, ok := e.Map("a relationship", append([]string{"from"}, relationshipKeys...)...)
	if !ok {
		return
	}
	p.custom(rel, nil)
	if t, has := rel.Get("type"); has {
		t.OneOf("type of a relationship", "foreignKey")
	}
	v, ok := rel.Need("to")
	if !ok {
		return
	}
	to := sides(v)
	r := Rule{ID: string(KindRelationship), Kind: KindRelationship, Severity: Error, Limit: none, Quarantine: true}
	if col != nil {
		if rel.Has("from") {
			rel.Key("from").Problemf("from is the column itself; leave it out")
			return
		}
		if v.IsList() {
			v.Problemf("a relationship of one column has one target; write that of several columns at the table, with from")
			return
		}
		r.ID, r.Column, r.Columns = col.Name+"."+r.ID, col.Name, []string{col.Name}
	} else {
		from, ok := rel.Need("from")
		if !ok {
			return
		}
		if r.Columns, ok = p.from(from); !ok {
			return
		}
		if from.IsList() != v.IsList() {
			v.Problemf("from and to must both be lists, or both be one column")
			return
		}
		if len(to) != len(r.Columns) {
			v.Problemf("a relationship has as many columns in to as in from, %d, and not %d", len(r.Columns), len(to))
			return
		}
	}
	if p.addRule(r, e, false) {
		p.pending = append(p.pending, pendingRelationship{rule: len(p.c.Rules) - 1, to: to})
	}
}

// sides returns the entries of a list, or the value itself.
func sides(v strictyaml.Value) []strictyaml.Value {
	if !v.IsList() {
		return []strictyaml.Value{v}
	}
	list, _ := v.List("a side of a relationship")
	return list
}

// from reads the columns of the table itself.
func (p *parser) from(v strictyaml.Value) ([]string, bool) {
	var columns []string
	list := sides(v)
	ok := len(list) > 0
	if !ok {
		v.Problemf("from is empty")
	}
	for _, e := range list {
		ref, valid := reference("from", e)
		if !valid {
			ok = false
			continue
		}
		col := p.referred(ref)
		switch {
		case ref.object != p.objectName(ref):
			e.Problemf("from must name a column of the table %s", p.c.Table)
			ok = false
		case col == nil:
			e.Problemf("there is no column %s in %s%s", ref.column, ref.object, strictyaml.Hint(ref.column, p.logicalNames()))
			ok = false
		case slices.Contains(columns, col.Name):
			e.Problemf("column %s is there twice", ref.column)
			ok = false
		default:
			columns = append(columns, col.Name)
		}
	}
	return columns, ok
}

// A ref names a column of an object, by names or by ids.
type ref struct {
	object, column string
	ids            bool
}

var (
	shorthand = regexp.MustCompile(`^([A-Za-z_][A-Za-z0-9_]*)\.([A-Za-z_][A-Za-z0-9_]*)$`)
	qualified = regexp.MustCompile(`^/?schema/([A-Za-z0-9_-]+)/properties/([A-Za-z0-9_-]+)$`)
)

// reference reads accounts.id or /schema/<id of accounts>/properties/<id of id>.
func reference(what string, v strictyaml.Value) (ref, bool) {
	s, ok := v.Str(what)
	if !ok {
		return ref{}, false
	}
	if m := shorthand.FindStringSubmatch(s); m != nil {
		return ref{object: m[1], column: m[2]}, true
	}
	if m := qualified.FindStringSubmatch(s); m != nil {
		return ref{object: m[1], column: m[2], ids: true}, true
	}
	if strings.Contains(s, "#") {
		v.Problemf("%s %q is in another file; write object.column, and in the pipeline file where the object's files are", what, s)
	} else {
		v.Problemf("%s %q is not object.column or /schema/<id>/properties/<id>", what, s)
	}
	return ref{}, false
}

// objectName returns the name or the id of the parser's object, as a reference has it.
func (p *parser) objectName(r ref) string {
	if r.ids {
		return p.objectID
	}
	return p.c.Table
}

// referred returns the column of the parser's object that is meant, or nil.
func (p *parser) referred(r ref) *column {
	for _, col := range p.made {
		if r.ids && col.id == r.column || !r.ids && col.LogicalName == r.column {
			return col
		}
	}
	return nil
}
