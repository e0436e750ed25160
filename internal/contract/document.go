package contract

import (
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

// custom reads customProperties. Ours, on a column, fill col; those of others are
// theirs. A name that is ours in another spelling or place is a problem.
func (p *parser) custom(fs strictyaml.Fields, col *column) {
	v, ok := fs.Get("customProperties")
	if !ok {
		return
	}
	list, _ := v.List("customProperties")
	seen := map[string]bool{}
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
		ours := name == "mlRole" || name == "piiKind"
		switch {
		case ours && col == nil:
			nameValue.Problemf("%s belongs to a column", name)
		case ours && seen[name]:
			nameValue.Problemf("the column has %s twice; give a list", name)
		case name == "mlRole":
			p.roles(value, col)
		case name == "piiKind":
			col.PII, _ = value.OneOf("piiKind", piiKinds...)
		default:
			foreign(name, nameValue)
		}
		seen[name] = true
	}
}

// foreign refuses a custom property that was probably meant to be ours.
func foreign(name string, at strictyaml.Value) {
	flat := strings.NewReplacer("_", "", "-", "", " ", "").Replace(name)
	if near := strictyaml.Nearest(flat, []string{"mlRole", "piiKind"}); near != "" && len(flat) > 3 {
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
