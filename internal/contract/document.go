package contract

import (
	"slices"
	"strings"

	"headgate/internal/strictyaml"
)

// A shape is what a part of the contract that only documents may look like.
type shape struct {
	list bool
	keys []string // nil means any
	need []string
}

// shapes are the parts that mean nothing to a check, with the keys that the
// standard's schema allows. Servers differ by type, so their keys are open.
var shapes = map[string]shape{
	"authoritativeDefinitions": {list: true, keys: []string{"id", "url", "type", "description"}, need: []string{"url", "type"}},
	"servers":                  {list: true, need: []string{"server", "type"}},
	"support": {list: true, need: []string{"channel"},
		keys: []string{"id", "channel", "url", "description", "tool", "scope", "invitationUrl", "customProperties"}},
	"price": {keys: []string{"id", "priceAmount", "priceCurrency", "priceUnit"}},
	"roles": {list: true, need: []string{"role"},
		keys: []string{"id", "role", "description", "access", "firstLevelApprovers", "secondLevelApprovers", "customProperties"}},
	"description": {keys: []string{"purpose", "limitations", "usage", "authoritativeDefinitions", "customProperties"}},
}

var team = shape{keys: []string{"id", "name", "description", "members", "tags", "customProperties", "authoritativeDefinitions"}}

var member = shape{list: true, need: []string{"username"}, keys: []string{"id", "username", "name", "description", "role",
	"dateIn", "dateOut", "replacedByUsername", "tags", "customProperties", "authoritativeDefinitions"}}

// documents checks the parts of a map that only document.
func documents(fs strictyaml.Fields) {
	for key, s := range shapes {
		v, ok := fs.Get(key)
		switch {
		case !ok:
		case key == "description" && !v.IsMap():
			v.Text(key) // of a table or column it is a text
		default:
			s.check(key, v)
		}
	}
	if v, ok := fs.Get("tags"); ok {
		texts("tags", v)
	}
	if v, ok := fs.Get("team"); ok {
		people(v)
	}
}

// people checks a team: a map since 3.1, a list of members before.
func people(v strictyaml.Value) {
	if v.IsList() {
		member.check("team", v)
		return
	}
	fs, ok := v.Map("team", team.keys...)
	if !ok {
		return
	}
	if m, ok := fs.Get("members"); ok {
		member.check("members", m)
	}
}

func (s shape) check(what string, v strictyaml.Value) {
	if !s.list {
		v.Map(what, s.keys...)
		return
	}
	list, _ := v.List(what)
	for _, e := range list {
		fs, ok := strictyaml.Fields{}, false
		if s.keys == nil {
			fs, ok = e.AnyMap(what)
		} else {
			fs, ok = e.Map("an entry of "+what, s.keys...)
		}
		if !ok {
			continue
		}
		for _, key := range s.need {
			fs.Need(key)
		}
	}
}

// texts checks a list of scalars.
func texts(what string, v strictyaml.Value) {
	list, _ := v.List(what)
	for _, e := range list {
		e.Text("an entry of " + what)
	}
}

var customKeys = []string{"id", "property", "value", "description"}

// columnOwn and objectOwn are the custom properties that are ours, by their place.
var (
	columnOwn = []string{"mlRole", "piiKind", "availableAt"}
	objectOwn = []string{"labelWindow", "labelSettlement", "labelAbsence", "labelMarker"}
)

// A level is where custom properties stand.
type level int

// The levels.
const (
	ofContract level = iota
	ofObject
	ofColumn
)

// own returns our custom properties of a level.
func (l level) own() []string {
	return map[level][]string{ofObject: objectOwn, ofColumn: columnOwn}[l]
}

// customs returns the values of our custom properties; those of others are theirs. A
// name that is ours in another spelling or place is a problem.
func customs(fs strictyaml.Fields, at level) map[string]strictyaml.Value {
	v, ok := fs.Get("customProperties")
	if !ok {
		return nil
	}
	list, _ := v.List("customProperties")
	ours := map[string]strictyaml.Value{}
	for _, e := range list {
		entry, ok := e.Map("an entry of customProperties", customKeys...)
		if !ok {
			continue
		}
		nameValue, ok := entry.Need("property")
		if !ok {
			continue
		}
		name, ok := nameValue.Str("property")
		value, hasValue := entry.Need("value")
		if !ok || !hasValue {
			continue
		}
		_, twice := ours[name]
		switch {
		case twice && at == ofColumn:
			nameValue.Problemf("the column has %s twice; give a list", name)
		case twice:
			nameValue.Problemf("the object has %s twice", name)
		case slices.Contains(at.own(), name):
			ours[name] = value
		case slices.Contains(columnOwn, name):
			nameValue.Problemf("%s belongs to a column", name)
		case slices.Contains(objectOwn, name):
			nameValue.Problemf("%s belongs to an object of schema", name)
		default:
			foreign(name, nameValue)
		}
	}
	return ours
}

// custom reads the custom properties of a column.
func (p *parser) custom(fs strictyaml.Fields, col *column) {
	ours := customs(fs, ofColumn)
	if v, ok := ours["mlRole"]; ok {
		p.roles(v, col)
	}
	if v, ok := ours["piiKind"]; ok {
		col.PII, _ = v.OneOf("piiKind", piiKinds...)
	}
	if v, ok := ours["availableAt"]; ok {
		col.availableAt = &v
	}
}

// foreign refuses a custom property that was probably meant to be ours.
func foreign(name string, at strictyaml.Value) {
	flat := strings.NewReplacer("_", "", "-", "", " ", "").Replace(name)
	near := strictyaml.Nearest(flat, slices.Concat(columnOwn, objectOwn))
	if near != "" && len(flat) > max(3, len(near)-3) {
		at.Problemf("custom property %q is not known; did you mean %s?", name, near)
	}
}

// piiKinds is our closed list of what a personal value is.
var piiKinds = []string{
	"name", "email", "phone", "address", "birthDate", "nationalId", "account", "ipAddress", "deviceId", "location", "health", "other",
}

// classifications is our closed list, from open to closed.
var classifications = []string{"public", "internal", "confidential", "restricted"}

var roleNames = []string{
	string(RoleEntityKey), string(RoleEventTime), string(RoleFeature), string(RoleLabel), string(RoleWeight),
	string(RoleSlice), string(RoleProtected), string(RolePrediction), string(RoleTreatment), string(RolePropensity),
}

// roles reads one role or a list of them.
func (p *parser) roles(v strictyaml.Value, col *column) {
	list := []strictyaml.Value{v}
	if v.IsList() {
		list, _ = v.List("mlRole")
	}
	for _, e := range list {
		s, ok := e.OneOf("mlRole", roleNames...)
		switch {
		case !ok:
		case col.Has(Role(s)):
			e.Problemf("mlRole %s is there twice", s)
		default:
			col.Roles = append(col.Roles, Role(s))
			col.roleAt = e
		}
	}
}
