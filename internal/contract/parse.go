package contract

import (
	"cmp"
	"fmt"
	"slices"

	"headgate/internal/strictyaml"
)

// Parse reads a contract. name stands before the line and column of every
// problem; the error is a [*strictyaml.Error] that lists all of them.
//
// What Parse accepts can be run: a key, rule or pattern that cannot be is a
// problem, or, where it is documentation, a note in the contract.
func Parse(name string, data []byte) (*Contract, error) {
	root, file, err := strictyaml.Open(name, data)
	if err != nil {
		return nil, err
	}
	p := &parser{c: &Contract{}, ids: map[string]int{}}
	p.contract(root)
	if err := file.Err(); err != nil {
		return nil, err
	}
	return p.c, nil
}

// A parser fills one contract.
type parser struct {
	c    *Contract
	ids  map[string]int // rule id → line
	made []*column      // in the order of the file
	rows []pendingRow   // row rules that are compiled when all columns are known

	at           strictyaml.Value      // of one object of schema, and what it has
	objectID     string                // its id, or ""
	physicalName string                // or ""
	pending      []pendingRelationship // its relationships
	objects      []*parser             // of the whole contract, one parser each
}

// versions are the versions of the standard that are read, all by the rules of 3.1.
var versions = []string{"v3.1.0", "v3.0.2", "v3.0.1", "v3.0.0"}

var topKeys = []string{
	"apiVersion", "kind", "id", "name", "version", "status", "schema", "tenant", "tags", "domain",
	"dataProduct", "description", "servers", "support", "price", "team", "roles", "slaProperties",
	"slaDefaultElement", "authoritativeDefinitions", "customProperties", "contractCreatedTs",
}

func (p *parser) contract(root strictyaml.Value) {
	fs, ok := root.Map("the contract", append(topKeys, later32...)...)
	if !ok {
		return
	}
	refuse32(fs)
	if v, ok := fs.Need("apiVersion"); ok {
		p.version(v)
	}
	if v, ok := fs.Need("kind"); ok {
		v.OneOf("kind", "DataContract")
	}
	for _, key := range []string{"id", "version", "status"} {
		if v, ok := fs.Need(key); ok {
			p.text(key, v)
		}
	}
	for _, key := range []string{"name", "tenant", "domain", "dataProduct", "slaDefaultElement", "contractCreatedTs"} {
		if v, ok := fs.Get(key); ok {
			p.text(key, v)
		}
	}
	documents(fs)
	customs(fs, ofContract)
	if v, ok := fs.Need("schema"); ok {
		p.schema(v)
	}
	if len(p.objects) > 0 {
		p.promises(fs)
	}
	slices.SortStableFunc(p.c.Notes, func(a, b Note) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
}

// text reads a scalar at the top level, and keeps those that the contract has.
func (p *parser) text(key string, v strictyaml.Value) {
	s, ok := v.Text(key)
	if !ok {
		return
	}
	if s == "" {
		v.Problemf("%s is empty", key)
	}
	switch key {
	case "id":
		p.c.ID = s
	case "name":
		p.c.Name = s
	case "version":
		p.c.Version = s
	case "status":
		p.c.Status = s
	}
}

func (p *parser) version(v strictyaml.Value) {
	s, ok := v.Text("apiVersion")
	switch {
	case !ok || s == "v3.1.0":
	case slices.Contains(versions, s):
		p.c.Compat = "3.0"
		p.note(v, "the contract is of ODCS 3.0 and read by the rules of 3.1, but for what is noted")
	case len(s) > 2 && s[:2] == "v2":
		v.Problemf("apiVersion %s is an older format; write v3.1.0, with schema for dataset, properties for columns, required for isNullable (the opposite) and unique for isUnique", s)
	case len(s) > 4 && s[:4] == "v3.2":
		v.Problemf("apiVersion %s is not final yet; this program reads v3.1.0", s)
	default:
		v.Problemf("apiVersion %q is not one of v3.1.0, v3.0.2, v3.0.1, v3.0.0", s)
	}
}

// later32 are keys of version 3.2, which get a reason and not a guess.
var later32 = []string{"enum", "map", "semanticType", "synonyms", "context"}

// refuse32 adds a problem for each key of version 3.2.
func refuse32(fs strictyaml.Fields) {
	for _, key := range later32 {
		if fs.Has(key) {
			fs.Key(key).Problemf("%s is of ODCS 3.2, which is not final yet%s", key, instead32[key])
		}
	}
}

var instead32 = map[string]string{
	"enum": "; use a quality rule with metric invalidValues and arguments.validValues",
}

var tableKeys = []string{
	"id", "name", "physicalName", "physicalType", "logicalType", "description", "businessName",
	"dataGranularityDescription", "properties", "relationships", "quality", "tags",
	"customProperties", "authoritativeDefinitions",
}

func (p *parser) table(fs strictyaml.Fields) {
	refuse32(fs)
	if v, ok := fs.Need("name"); ok {
		p.c.Table, _ = v.Str("name")
	}
	if v, ok := fs.Get("id"); ok {
		p.objectID, _ = v.Text("id")
	}
	if v, ok := fs.Get("physicalName"); ok {
		p.physicalName, _ = v.Text("physicalName")
	}
	for _, key := range []string{"physicalType", "description", "businessName", "dataGranularityDescription"} {
		if v, ok := fs.Get(key); ok {
			v.Text(key)
		}
	}
	if v, ok := fs.Get("logicalType"); ok {
		v.OneOf("logicalType of a table", "object")
	}
	documents(fs)
	p.labelPolicy(customs(fs, ofObject))
	p.properties(fs)
	p.availability()
	p.primaryKey()
	p.relationships(fs, nil)
	p.roleCounts()
	if v, ok := fs.Get("quality"); ok {
		p.quality(v, nil)
	}
	p.compileRows()
}

func (p *parser) properties(fs strictyaml.Fields) {
	v, ok := fs.Need("properties")
	if !ok {
		return
	}
	list, ok := v.List("properties")
	if !ok {
		return
	}
	if len(list) == 0 {
		v.Problemf("properties is empty; a table needs a column")
	}
	for _, e := range list {
		p.property(e)
	}
}

// addRule gives a rule its id and place, and refuses an id that is taken.
// It reports whether it was added.
func (p *parser) addRule(r Rule, at strictyaml.Value, explicit bool) bool {
	id, ok := p.take(r.ID, at, explicit)
	if !ok {
		return false
	}
	r.ID = id
	r.Line, r.Col = at.Pos()
	p.c.Rules = append(p.c.Rules, r)
	return true
}

// take returns an id that only one rule has, and refuses one that is written and
// taken. A derived id that is taken gets a number: basket_value.nullValues.2.
func (p *parser) take(id string, at strictyaml.Value, explicit bool) (string, bool) {
	line, taken := p.ids[id]
	if taken && explicit {
		at.Problemf("rule id %s is taken by the rule on line %d", id, line)
		return "", false
	}
	base := id
	for n := 2; taken; n++ {
		id = fmt.Sprintf("%s.%d", base, n)
		_, taken = p.ids[id]
	}
	p.ids[id], _ = at.Pos()
	return id, true
}

func (p *parser) note(at strictyaml.Value, format string, args ...any) {
	line, column := at.Pos()
	p.c.Notes = append(p.c.Notes, Note{Line: line, Column: column, Text: fmt.Sprintf(format, args...)})
}
