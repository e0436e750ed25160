package contract

import (
	"fmt"
	"slices"
	"strings"
)

// An Effect says what a change of a contract means to one of its sides.
type Effect string

// The effects. A change breaks a producer if a batch that kept the old contract can
// be blocked, or lose rows to quarantine, by the new one. It breaks a consumer if a
// row of a batch that keeps the new contract can be what the old one ruled out, or
// lack what the old one had.
const (
	Breaking      Effect = "breaking"
	Compatible    Effect = "compatible"
	Documentation Effect = "documentation"
)

// A Change is one difference between two versions of a contract.
type Change struct {
	Column   string `json:"column,omitempty"` // in the file; of the old contract if it is gone
	Rule     string `json:"rule,omitempty"`   // id, if the change is about a rule
	What     string `json:"what"`             // in words
	Producer Effect `json:"producer"`
	Consumer Effect `json:"consumer"`
	Gone     bool   `json:"gone,omitempty"` // the column is no longer there under its name
	Type     bool   `json:"type,omitempty"` // the column may have other physical types
}

// Breaks reports whether the change breaks either side.
func (c Change) Breaks() bool { return c.Producer == Breaking || c.Consumer == Breaking }

// Diff returns what changes from a to b: the contract itself, then its columns and
// their rules in the order of a, columns that only b has, the rules of the table, and
// what is only documentation. Texts that a [Contract] does not keep, such as the
// descriptions of columns, are not compared; nor is the order of the columns.
//
// A limit on a whole batch, unlike a rule about rows, promises nothing about any
// one row, so loosening it breaks no consumer.
func Diff(a, b *Contract) []Change {
	d := &differ{a: a, b: b, renamed: map[string]string{}}
	d.pair()
	d.contract()
	for _, was := range a.Columns {
		d.column(was)
	}
	for _, is := range b.Columns {
		if !slices.Contains(d.paired, is.Name) {
			d.added(is)
		}
	}
	d.rules("")
	d.promises()
	d.history()
	d.drift()
	d.labels()
	d.notes()
	return d.out
}

// A differ collects the changes from a to b.
type differ struct {
	a, b    *Contract
	renamed map[string]string // column of a → column of b that is the same
	paired  []string          // columns of b that are in a
	out     []Change
}

func (d *differ) add(c Change, format string, args ...any) {
	c.What = fmt.Sprintf(format, args...)
	d.out = append(d.out, c)
}

// pair finds each column of a in b: by its name in the file, or else by its logical
// name.
func (d *differ) pair() {
	for _, was := range d.a.Columns {
		if _, ok := d.b.Column(was.Name); ok {
			d.renamed[was.Name] = was.Name
			d.paired = append(d.paired, was.Name)
		}
	}
	for _, was := range d.a.Columns {
		for _, is := range d.b.Columns {
			if d.renamed[was.Name] == "" && is.LogicalName == was.LogicalName && !slices.Contains(d.paired, is.Name) {
				d.renamed[was.Name] = is.Name
				d.paired = append(d.paired, is.Name)
			}
		}
	}
}

// contract compares what is said about the contract as a whole.
func (d *differ) contract() {
	if d.a.ID != d.b.ID {
		d.add(Change{Producer: Breaking, Consumer: Breaking}, "the id changes from %s to %s, so it is another contract", d.a.ID, d.b.ID)
	}
	for _, text := range []struct{ what, was, is string }{
		{"name", d.a.Name, d.b.Name}, {"status", d.a.Status, d.b.Status}, {"name of the table", d.a.Table, d.b.Table},
		{"version of the standard", standard(d.a), standard(d.b)},
	} {
		if text.was != text.is {
			d.add(Change{Producer: Documentation, Consumer: Documentation}, "the %s changes from %s to %s", text.what, orNothing(text.was), orNothing(text.is))
		}
	}
}

func standard(c *Contract) string {
	if c.Compat != "" {
		return c.Compat
	}
	return "3.1"
}

func orNothing(s string) string {
	if s == "" {
		return "nothing"
	}
	return s
}

// added notes a column that only b has. Its rules come with it.
func (d *differ) added(is Column) {
	if is.Later() {
		d.add(Change{Column: is.Name, Producer: Compatible, Consumer: Compatible}, "column %s is new, and a batch may come without it", is.Name)
		return
	}
	d.add(Change{Column: is.Name, Producer: Breaking, Consumer: Compatible}, "column %s is new, and every batch must have it", is.Name)
}

// column compares a column of a with what became of it.
func (d *differ) column(was Column) {
	is, ok := d.b.Column(d.renamed[was.Name])
	if !ok {
		hint := ""
		if other := d.twin(was); other != "" {
			hint = fmt.Sprintf("; perhaps it is now %s, which says the same", other)
		}
		d.add(Change{Column: was.Name, Producer: Compatible, Consumer: Breaking, Gone: true}, "column %s is removed%s", was.Name, hint)
		return
	}
	c := Change{Column: was.Name}
	switch {
	case was.Name != is.Name:
		c.Producer, c.Consumer, c.Gone = Breaking, Breaking, true
		d.add(c, "column %s is renamed to %s in the file", was.Name, is.Name)
	case was.LogicalName != is.LogicalName:
		c.Producer, c.Consumer = Documentation, Documentation
		d.add(c, "the logical name of column %s changes from %s to %s", was.Name, was.LogicalName, is.LogicalName)
	}
	d.out = append(d.out, d.physical(was, is)...)
	d.presence(was, is)
	d.roles(was, is)
	d.available(was, is)
	d.privacy(was, is)
	d.rules(was.Name)
}

// twin returns the one column that only b has and that says all that was says, or "".
func (d *differ) twin(was Column) string {
	var found []string
	for _, is := range d.b.Columns {
		if slices.Contains(d.paired, is.Name) {
			continue
		}
		same := is
		same.Name, same.LogicalName = was.Name, was.LogicalName
		if len(d.physical(was, same)) == 0 && slices.Equal(was.Roles, is.Roles) && was.Classification == is.Classification &&
			was.Key == is.Key && slices.Equal(kinds(d.a, was.Name), kinds(d.b, is.Name)) {
			found = append(found, is.Name)
		}
	}
	if len(found) == 1 {
		return found[0]
	}
	return ""
}

// kinds returns the kinds of the rules of a column.
func kinds(c *Contract, column string) []Kind {
	var all []Kind
	for _, r := range c.Rules {
		if r.Column == column {
			all = append(all, r.Kind)
		}
	}
	return all
}

// physical returns what changes about the physical types that the file's column may have.
func (d *differ) physical(was, is Column) []Change {
	var out []Change
	add := func(narrower, wider bool, format string, args ...any) {
		c := Change{Column: was.Name, Producer: Compatible, Consumer: Compatible, Type: true, What: fmt.Sprintf(format, args...)}
		if narrower {
			c.Producer = Breaking
		}
		if wider {
			c.Consumer = Breaking
		}
		out = append(out, c)
	}
	if was.Type != is.Type {
		// Every integer is a number, and everything is any type.
		narrower := !(is.Type == "" || was.Type == Integer && is.Type == Number)
		wider := !(was.Type == "" || was.Type == Number && is.Type == Integer)
		add(narrower, wider, "the type of %s changes from %s to %s", was.Name, typeWord(was.Type), typeWord(is.Type))
		return out
	}
	if f, g := physicalFormat(was), physicalFormat(is); f != g {
		// binary and uuid accept more types of the file than text does, f32 fewer.
		narrower := g == "f32" || f == "binary" || f == "uuid" && g == ""
		wider := f == "f32" || g == "binary" || g == "uuid" && f == ""
		add(narrower, wider, "the physical types of %s change: format %s becomes %s", was.Name, orNothing(was.Options.Format), orNothing(is.Options.Format))
	}
	if f, g := zone(was), zone(is); f != g {
		add(g != "either", f != "either", "timezone of %s changes from %s to %s", was.Name, f, g)
	}
	return out
}

func typeWord(t Type) string {
	if t == "" {
		return "any"
	}
	return string(t)
}

// physicalFormat returns the format of the column if it says which types the file's
// column may have.
func physicalFormat(c Column) string {
	switch c.Options.Format {
	case "f32", "binary", "uuid":
		return c.Options.Format
	}
	return ""
}

func zone(c Column) string {
	if c.Options.Timezone == nil {
		return "either"
	}
	return fmt.Sprint(*c.Options.Timezone)
}

// presence compares whether a batch may come without the column.
func (d *differ) presence(was, is Column) {
	switch {
	case was.Later() && !is.Later():
		d.add(Change{Column: was.Name, Producer: Breaking, Consumer: Compatible}, "every batch must have column %s now", was.Name)
	case !was.Later() && is.Later():
		d.add(Change{Column: was.Name, Producer: Compatible, Consumer: Breaking}, "a batch may come without column %s now", was.Name)
	}
}

// roles compares what the column is to a model.
func (d *differ) roles(was, is Column) {
	for _, r := range was.Roles {
		if !is.Has(r) {
			c := Change{Column: was.Name, Producer: Documentation, Consumer: Compatible}
			switch r {
			case RoleEntityKey, RoleEventTime, RoleFeature, RoleLabel:
				c.Consumer = Breaking
			}
			d.add(c, "%s has no longer the role %s", was.Name, r)
		}
	}
	for _, r := range is.Roles {
		if !was.Has(r) {
			c := Change{Column: was.Name, Producer: Documentation, Consumer: Compatible}
			if r == RoleEntityKey || r == RoleEventTime {
				c.Consumer = Breaking
			}
			d.add(c, "%s has the role %s now", was.Name, r)
		}
	}
}

// privacy compares who may see the column.
func (d *differ) privacy(was, is Column) {
	if was.Classification != is.Classification {
		c := Change{Column: was.Name, Producer: Documentation, Consumer: Compatible}
		if slices.Index(classifications, is.Classification) > max(slices.Index(classifications, was.Classification), slices.Index(classifications, "internal")) {
			c.Consumer = Breaking // fewer people, and fewer papers, may have the values
		}
		d.add(c, "the classification of %s changes from %s to %s", was.Name, orNothing(was.Classification), orNothing(is.Classification))
	}
	if was.PII != is.PII {
		d.add(Change{Column: was.Name, Producer: Documentation, Consumer: Compatible}, "piiKind of %s changes from %s to %s", was.Name, orNothing(was.PII), orNothing(is.PII))
	}
}

// notes compares what is written for people.
func (d *differ) notes() {
	texts := func(c *Contract) []string {
		var all []string
		for _, n := range c.Notes {
			all = append(all, n.Text)
		}
		return all
	}
	was, is := texts(d.a), texts(d.b)
	only := func(list, other []string, word string) {
		for _, s := range list {
			if !slices.Contains(other, s) {
				d.add(Change{Producer: Documentation, Consumer: Documentation}, "%s: %s", word, strings.TrimSuffix(s, "."))
			}
		}
	}
	only(was, is, "no longer said")
	only(is, was, "said now")
}
