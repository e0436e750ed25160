package contract

import (
	"slices"

	"headgate/internal/strictyaml"
)

// A column in the making: with the places that later problems point to.
type column struct {
	Column
	at       strictyaml.Value
	roleAt   strictyaml.Value
	position int64 // primaryKeyPosition, or 0
	primary  bool
	options  strictyaml.Fields
	temporal temporal
	id       string // of the property, or ""

	availableAt *strictyaml.Value // the name of a column, or nil
}

var propertyKeys = []string{
	"id", "name", "physicalName", "physicalType", "logicalType", "logicalTypeOptions", "description", "businessName",
	"required", "unique", "primaryKey", "primaryKeyPosition", "partitioned", "partitionKeyPosition", "classification",
	"criticalDataElement", "encryptedName", "transformSourceObjects", "transformLogic", "transformDescription",
	"examples", "items", "properties", "relationships", "quality", "tags", "customProperties", "authoritativeDefinitions",
}

// logicalTypes are those of the standard, also the ones that are then refused.
var logicalTypes = []string{"string", "integer", "number", "boolean", "date", "timestamp", "time", "array", "object"}

func (p *parser) property(v strictyaml.Value) {
	fs, ok := v.Map("a column", append(propertyKeys, later32...)...)
	if !ok {
		return
	}
	refuse32(fs)
	col := &column{at: v}
	if !p.names(fs, col) {
		return
	}
	if v, ok := fs.Get("id"); ok {
		col.id, _ = v.Text("id")
	}
	p.documentation(fs)
	refuseNested(fs)
	p.logicalType(fs, col)
	p.keyFields(fs, col)
	p.custom(fs, col)
	if v, ok := fs.Get("classification"); ok {
		col.Classification, _ = v.OneOf("classification", classifications...)
	}
	if col.primary || col.Has(RoleEntityKey) {
		col.Required = true
	}
	before := len(p.c.Rules)
	p.requiredAndUnique(fs, col)
	p.typeOptions(fs, col)
	p.checkRoles(col)
	if q, ok := fs.Get("quality"); ok {
		p.quality(q, col)
	}
	p.relationships(fs, col)
	if len(p.c.Rules)-before > maxColumnRules {
		v.Problemf("column %s has %d rules, more than %d", col.Name, len(p.c.Rules)-before, maxColumnRules)
	}
	p.c.Columns = append(p.c.Columns, col.Column)
	p.made = append(p.made, col)
}

// requiredAndUnique adds the rules of the two flags. A column of the primary key,
// or that names the entity, is required in any case.
func (p *parser) requiredAndUnique(fs strictyaml.Fields, col *column) {
	if col.Required {
		at := col.at
		if fs.Has("required") {
			at = fs.Key("required")
		}
		p.addRule(Rule{ID: col.Name + ".required", Kind: KindRequired, Column: col.Name, Severity: Error, Limit: none, Quarantine: true, test: isNull{}}, at, false)
	}
	if col.Unique {
		p.addRule(Rule{ID: col.Name + ".unique", Kind: KindUnique, Column: col.Name, Columns: []string{col.Name}, Severity: Error, Limit: none, Quarantine: true}, fs.Key("unique"), false)
	}
}

// names reads name and physicalName, and refuses a name that is taken.
func (p *parser) names(fs strictyaml.Fields, col *column) bool {
	v, ok := fs.Need("name")
	if !ok {
		return false
	}
	if col.LogicalName, ok = v.Str("name"); !ok {
		return false
	}
	col.Name = col.LogicalName
	if ph, has := fs.Get("physicalName"); has {
		if col.Name, ok = ph.Str("physicalName"); !ok {
			return false
		}
		v = ph
	}
	if col.Name == "" || col.LogicalName == "" {
		v.Problemf("the name of a column is empty")
		return false
	}
	for _, other := range p.made {
		if other.Name == col.Name || other.LogicalName == col.LogicalName {
			line, _ := other.at.Pos()
			v.Problemf("column %s is there twice; the first is on line %d", col.Name, line)
			return false
		}
	}
	return true
}

// documentation checks the keys that mean nothing to a check.
func (p *parser) documentation(fs strictyaml.Fields) {
	for _, key := range []string{"physicalType", "description", "businessName", "encryptedName", "transformLogic", "transformDescription"} {
		if v, ok := fs.Get(key); ok {
			v.Text(key)
		}
	}
	for _, key := range []string{"partitioned", "criticalDataElement"} {
		if v, ok := fs.Get(key); ok {
			v.Bool(key)
		}
	}
	if v, ok := fs.Get("partitionKeyPosition"); ok {
		v.Int("partitionKeyPosition")
	}
	for _, key := range []string{"transformSourceObjects", "examples"} {
		if v, ok := fs.Get(key); ok {
			v.List(key)
		}
	}
	documents(fs)
}

func refuseNested(fs strictyaml.Fields) {
	for _, key := range []string{"items", "properties"} {
		if fs.Has(key) {
			fs.Key(key).Problemf("%s describes a nested column, and a batch has flat columns only", key)
		}
	}
}

func (p *parser) logicalType(fs strictyaml.Fields, col *column) {
	v, ok := fs.Get("logicalType")
	if !ok {
		return
	}
	s, ok := v.OneOf("logicalType", logicalTypes...)
	switch {
	case !ok:
	case s == "array" || s == "object":
		v.Problemf("%s is %s, which is nested; a batch has flat columns only", col.Name, article(s))
	default:
		col.Type = Type(s)
	}
}

func article(noun string) string {
	if slices.Contains([]byte("aeiou"), noun[0]) {
		return "an " + noun
	}
	return "a " + noun
}

func (p *parser) keyFields(fs strictyaml.Fields, col *column) {
	for key, field := range map[string]*bool{"required": &col.Required, "unique": &col.Unique, "primaryKey": &col.primary} {
		if v, ok := fs.Get(key); ok {
			*field, _ = v.Bool(key)
		}
	}
	v, ok := fs.Get("primaryKeyPosition")
	if !ok {
		return
	}
	n, ok := v.Int("primaryKeyPosition")
	switch {
	case !ok:
	case col.primary && n < 1:
		v.Problemf("primaryKeyPosition counts from 1, not %d", n)
	case !col.primary && n != -1:
		v.Problemf("primaryKeyPosition %d without primaryKey: true", n)
	case col.primary:
		col.position = n
	}
}

// primaryKey orders the key columns by position, then by place in the file.
func (p *parser) primaryKey() {
	var key []*column
	for _, col := range p.made {
		if !col.primary {
			continue
		}
		same := func(o *column) bool { return o.position == col.position && col.position != 0 }
		if i := slices.IndexFunc(key, same); i >= 0 {
			col.at.Problemf("primaryKeyPosition %d is taken by %s", col.position, key[i].Name)
		}
		if len(key) > 0 && (key[0].position == 0) != (col.position == 0) {
			col.at.Problemf("give every column of the primary key a primaryKeyPosition, or none")
		}
		key = append(key, col)
	}
	if len(key) == 0 {
		return
	}
	slices.SortStableFunc(key, func(a, b *column) int { return int(min(max(a.position-b.position, -1), 1)) })
	for i, col := range key {
		p.c.Keys = append(p.c.Keys, col.Name)
		for j := range p.c.Columns {
			if p.c.Columns[j].Name == col.Name {
				p.c.Columns[j].Key = i + 1
			}
		}
	}
	p.addRule(Rule{ID: "primaryKey", Kind: KindPrimaryKey, Columns: slices.Clone(p.c.Keys), Severity: Error, Limit: none, Quarantine: true}, key[0].at, false)
}

// checkRoles refuses roles that the type of the column, or each other, rule out.
func (p *parser) checkRoles(col *column) {
	for _, r := range col.Roles {
		switch {
		case r == RoleEventTime && col.Type != "" && col.Type != Date && col.Type != Timestamp:
			col.roleAt.Problemf("the eventTime %s must be a date or a timestamp, not %s", col.Name, col.Type)
		case (r == RoleWeight || r == RolePropensity) && col.Type != "" && col.Type != Number && col.Type != Integer:
			col.roleAt.Problemf("the %s %s must be a number, not %s", r, col.Name, col.Type)
		case r == RoleSlice && col.Type != "" && col.Type != String && col.Type != Boolean && col.Type != Integer:
			col.roleAt.Problemf("the slice %s must be a string, a boolean or an integer, not %s: every value of it is a slice", col.Name, col.Type)
		case r == RoleFeature && (col.Has(RoleLabel) || col.Has(RoleEntityKey)):
			col.roleAt.Problemf("%s cannot be a feature and the %s: a model would learn the answer by heart", col.Name, other(col))
		}
	}
}

func other(col *column) Role {
	if col.Has(RoleLabel) {
		return RoleLabel
	}
	return RoleEntityKey
}

// roleCounts refuses a second column in a role that only one can have.
func (p *parser) roleCounts() {
	for _, r := range []Role{RoleEventTime, RoleLabel, RoleWeight, RoleTreatment, RolePropensity} {
		first := ""
		for _, col := range p.made {
			switch {
			case !col.Has(r):
			case first != "":
				col.roleAt.Problemf("%s and %s are both the %s; there can be one", first, col.Name, r)
			default:
				first = col.Name
			}
		}
	}
}
