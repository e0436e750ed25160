package contract

import (
	"slices"

	"headgate/internal/strictyaml"
)

// schema reads the objects. One of them is the batch; the others may only be there
// to say what its relationships point to, directly or by way of each other.
func (p *parser) schema(v strictyaml.Value) {
	tables, ok := v.List("schema")
	if !ok {
		return
	}
	if len(tables) == 0 {
		v.Problemf("schema is empty; a batch needs one table")
		return
	}
	var objects []*parser
	for _, e := range tables {
		fs, ok := e.Map("the table", append(tableKeys, later32...)...)
		if !ok {
			return
		}
		o := &parser{c: &Contract{Compat: p.c.Compat}, ids: map[string]int{}, at: e}
		o.table(fs)
		if slices.ContainsFunc(objects, func(other *parser) bool { return other.c.Table == o.c.Table }) {
			e.Problemf("schema has the object %s twice", o.c.Table)
			return
		}
		objects = append(objects, o)
	}
	batch := theBatch(objects)
	if batch == nil {
		return
	}
	p.made, p.ids, p.objects = batch.made, batch.ids, objects
	c := batch.c
	c.ID, c.Name, c.Version, c.Status, c.Compat = p.c.ID, p.c.Name, p.c.Version, p.c.Status, p.c.Compat
	c.Notes = append(p.c.Notes, c.Notes...)
	*p.c = *c
	for _, o := range objects {
		if o != batch {
			p.note(o.at, "the object %s is described for the relationships to it; its own rules are not run here", o.c.Table)
		}
	}
	p.partners(batch)
}

// theBatch returns the object that no other points to, or nil after a problem.
func theBatch(objects []*parser) *parser {
	targets := map[*parser][]*parser{}
	var batch *parser
	for _, o := range objects {
		for _, to := range objects {
			if to != o && o.pointsTo(to) {
				targets[o] = append(targets[o], to)
			}
		}
	}
	for _, o := range objects {
		pointedTo := slices.ContainsFunc(objects, func(from *parser) bool { return slices.Contains(targets[from], o) })
		if !pointedTo && batch == nil {
			batch = o
		}
	}
	if batch == nil {
		objects[0].at.Problemf("the objects of schema point to each other, so none of them is the batch; give each its own contract")
		return nil
	}
	reached := []*parser{batch}
	for i := 0; i < len(reached); i++ {
		for _, to := range targets[reached[i]] {
			if !slices.Contains(reached, to) {
				reached = append(reached, to)
			}
		}
	}
	for _, o := range objects {
		if !slices.Contains(reached, o) {
			o.at.Problemf("schema has more than one table; a batch is one table, so give each its own contract")
			batch = nil
		}
	}
	return batch
}

// pointsTo reports whether a relationship of o names the object to. A reference
// that cannot be read names none; it becomes a problem in partners.
func (p *parser) pointsTo(to *parser) bool {
	for _, pending := range p.pending {
		for _, v := range pending.to {
			s, _ := v.Scalar()
			if m := shorthand.FindStringSubmatch(s); m != nil && m[1] == to.c.Table {
				return true
			}
			if m := qualified.FindStringSubmatch(s); m != nil && m[1] == to.objectID {
				return true
			}
		}
	}
	return false
}

// partners finds what the relationships of the batch point to.
func (p *parser) partners(batch *parser) {
	for _, pending := range batch.pending {
		rule := p.c.Rules[pending.rule]
		r := Relationship{Rule: rule.ID, Columns: slices.Clone(rule.Columns)}
		ok := true
		for i, v := range pending.to {
			object, column, valid := p.partner(v, rule.Columns[i])
			switch {
			case !valid:
				ok = false
			case i > 0 && object != r.Object:
				v.Problemf("a relationship points to one object, and this one to %s and %s", r.Object, object)
				ok = false
			case slices.Contains(r.To, column):
				v.Problemf("column %s is there twice", column)
				ok = false
			}
			r.Object, r.To = object, append(r.To, column)
		}
		if ok && r.Object == p.c.Table && slices.Equal(r.Columns, r.To) {
			pending.to[0].Problemf("the relationship points to its own columns: every row is its own partner")
			ok = false
		}
		if ok {
			p.c.Relationships = append(p.c.Relationships, r)
		}
	}
}

// partner returns the object and the column in its files that a reference names. Of
// an object that the contract does not describe, names are taken as they are.
func (p *parser) partner(v strictyaml.Value, from string) (object, column string, ok bool) {
	r, ok := reference("to", v)
	if !ok {
		return "", "", false
	}
	i := slices.IndexFunc(p.objects, func(o *parser) bool { return o.objectName(r) == r.object })
	if i < 0 {
		if r.ids {
			v.Problemf("no object of schema has the id %s", r.object)
		}
		return r.object, r.column, !r.ids
	}
	o := p.objects[i]
	col := o.referred(r)
	if col == nil {
		v.Problemf("there is no column %s in %s%s", r.column, o.c.Table, strictyaml.Hint(r.column, o.logicalNames()))
		return "", "", false
	}
	mine, _ := p.c.Column(from)
	if mine.Type != "" && col.Type != "" && mine.Type != col.Type {
		v.Problemf("%s is %s, and %s of %s is %s: they are never equal", mine.Name, article(string(mine.Type)), col.Name, o.c.Table, article(string(col.Type)))
		return "", "", false
	}
	return o.c.Table, col.Name, true
}
