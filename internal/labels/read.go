package labels

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"headgate/internal/columnar"
	"headgate/internal/contract"
	"headgate/internal/pass"
	"headgate/internal/run"
	"headgate/internal/store"
)

// A Label is what is known of one entity.
type Label struct {
	Value   float64 // what happened: 0 or 1, or an amount; NaN if nobody could observe it
	Weight  float64 // for how many it stands; 1 if the contract has no weight
	Treated bool    // something was done because of the score, which changed the outcome
	// Propensity is the probability with which it could have been treated, in [0, 1]; 0
	// if the contract has none.
	Propensity float64
}

// Counts say what was in the files of a version.
type Counts struct {
	Rows     int64            `json:"rows"`               // read
	Bad      int64            `json:"bad"`                // break the contract of the labels, and count for nothing
	Rules    map[string]int64 `json:"rules,omitempty"`    // rows by the rule that they break; a row may break several
	Entities int64            `json:"entities"`           // with a row that counts, among those that were asked for
	Unknown  int64            `json:"unknown,omitempty"`  // of these, nobody could observe the outcome
	Repeated int64            `json:"repeated,omitempty"` // of these, have several rows in one file, and so no outcome
	Revised  int64            `json:"revised,omitempty"`  // of these, have an earlier row that a later file replaced
}

// Limits say what is read of a version.
type Limits struct {
	// Bad says whether so many bad rows out of total are too many; nil: none is.
	Bad func(bad, total int64) bool
	// Keep chooses entities by [pass.Key.Hash]; nil: all.
	Keep func(hash uint64) bool
	// Entity are the columns of the key in the order in which the other side has them;
	// nil: as in the contract of the labels.
	Entity []string
}

// A Table has the labels of a version by entity.
type Table struct {
	Counts Counts
	// Treatment says that the contract has a treatment: what the treated did is then no
	// evidence, and the untreated stand for all.
	Treatment bool
	// Kinds are what the columns of the entity's key are, see [pass.KeyKind].
	Kinds []string
	// Refused is why the labels cannot be used as a whole; empty if they can.
	Refused []string

	rows map[pass.Key]entry
}

// An entry is the label of an entity, and which file it is of.
type entry struct {
	Label
	file              int32
	repeated, revised bool
}

// Of returns the label of an entity, and whether it has one.
func (t *Table) Of(key pass.Key) (Label, bool) {
	e, ok := t.rows[key]
	return e.Label, ok
}

// Rules of rows that no contract has to spell out.
const (
	RuleKey        = "key.null"         // nobody knows whom the row is about
	RuleLabel      = "label.finite"     // the outcome is infinite
	RuleTreatment  = "treatment.null"   // nobody knows whether it was treated
	RulePropensity = "propensity.range" // is not in [0, 1]
	RuleWeight     = "weight.range"     // is not above 0
)

// Read reads the labels of a version by entity. Rows that break the contract of the
// labels count for nothing, so an earlier row of the same entity stands. An entity that
// has several rows in one file has no outcome, because nobody knows which is meant, until
// a later file says it. bucket is where the files are; one that was changed since is
// [store.ErrChanged].
//
// It holds about 120 bytes for each entity.
func Read(ctx context.Context, bucket *store.Bucket, v *Version, c *contract.Contract, l Limits) (*Table, error) {
	r := &reader{c: c, limits: l, checker: c.NewChecker(), table: &Table{rows: map[pass.Key]entry{}, Counts: Counts{Rules: map[string]int64{}}}}
	if err := r.roles(); err != nil {
		return nil, err
	}
	for i, file := range v.Files {
		if err := r.read(ctx, bucket, file, int32(i)); err != nil {
			return nil, err
		}
		if len(r.table.Refused) > 0 {
			return r.table, nil
		}
	}
	r.finish()
	return r.table, nil
}

// A reader reads label files one after the other.
type reader struct {
	c       *contract.Contract
	limits  Limits
	checker *contract.Checker
	table   *Table

	entity                               []string
	label, treatment, propensity, weight string // columns; empty without the role
}

// roles finds the columns that a label has.
func (r *reader) roles() error {
	r.entity = r.limits.Entity
	if r.entity == nil {
		r.entity = r.c.Entity()
	}
	for _, name := range r.entity {
		if _, ok := r.c.Column(name); !ok {
			return fmt.Errorf("the contract of the labels, %s, has no column %s, which is of the entity key", r.c.Name, name)
		}
	}
	if len(r.entity) == 0 {
		return fmt.Errorf("the contract of the labels, %s, has no column with mlRole entityKey and no primary key", r.c.Name)
	}
	for _, role := range []struct {
		role contract.Role
		dst  *string
	}{{contract.RoleLabel, &r.label}, {contract.RoleTreatment, &r.treatment}, {contract.RolePropensity, &r.propensity}, {contract.RoleWeight, &r.weight}} {
		names := r.c.WithRole(role.role)
		if len(names) > 1 {
			return fmt.Errorf("the contract of the labels, %s, has the columns %v with mlRole %s; one is needed", r.c.Name, names, role.role)
		}
		if len(names) == 1 {
			*role.dst = names[0]
		}
	}
	switch {
	case r.label == "":
		return fmt.Errorf("the contract of the labels, %s, has no column with mlRole label", r.c.Name)
	case r.treatment != "" && r.propensity == "":
		return fmt.Errorf("the contract of the labels, %s, has a treatment and no propensity, so nobody can say whom the untreated stand for", r.c.Name)
	}
	r.table.Treatment = r.treatment != ""
	return nil
}

// read reads one file.
func (r *reader) read(ctx context.Context, bucket *store.Bucket, want run.File, file int32) error {
	f, from, err := openPinned(ctx, bucket, want)
	if err != nil {
		return err
	}
	defer from.Close()
	r.table.Refused = r.refuse(f, want.Key)
	if len(r.table.Refused) > 0 {
		return nil
	}
	var columns []string
	for _, col := range r.c.Columns {
		if len(f.Schema().FieldIndices(col.Name)) > 0 {
			columns = append(columns, col.Name)
		}
	}
	for rec, err := range f.Records(ctx, columnar.ReadOptions{Columns: columns}) {
		if err != nil {
			return err
		}
		if err := r.add(rec, file); err != nil {
			return fmt.Errorf("label file %s: %w", want.Key, err)
		}
	}
	return nil
}

// refuse returns what a file's schema breaks. The columns of the roles must be there,
// though a batch may come without them.
func (r *reader) refuse(f *columnar.File, key string) []string {
	var out []string
	for _, v := range r.c.CheckFooter(contract.Footer{Schema: f.Schema(), Nested: f.Nested()}) {
		out = append(out, key+": "+v.Message)
	}
	for _, name := range append([]string{r.label, r.treatment, r.propensity, r.weight}, r.entity...) {
		if name != "" && len(f.Schema().FieldIndices(name)) == 0 {
			out = append(out, fmt.Sprintf("%s: column %s is missing", key, name))
		}
	}
	if len(out) > 0 {
		return out
	}
	var kinds []string
	for _, name := range r.entity {
		kinds = append(kinds, pass.KeyKind(f.Schema().Field(f.Schema().FieldIndices(name)[0]).Type))
	}
	if r.table.Kinds != nil && !slices.Equal(kinds, r.table.Kinds) {
		out = append(out, fmt.Sprintf("%s: the key is %v, and %v in a file before", key, kinds, r.table.Kinds))
	}
	r.table.Kinds = kinds
	return out
}

// add reads the rows of a record.
func (r *reader) add(rec arrow.Record, file int32) error {
	marks, err := r.checker.Add(rec)
	if err != nil {
		return err
	}
	keyOf, err := pass.Keys(rec, r.entity)
	if err != nil {
		return err
	}
	values, err := r.columns(rec)
	if err != nil {
		return err
	}
	counts := &r.table.Counts
	for i := range int(rec.NumRows()) {
		counts.Rows++
		var broken []string
		if marks.Bad(i) {
			broken = marks.Rules(i)
		}
		key, ok := keyOf(i)
		if !ok {
			broken = append(broken, RuleKey)
		}
		label, also := values.label(i)
		if broken = append(broken, also...); len(broken) > 0 {
			counts.Bad++
			for _, rule := range broken {
				counts.Rules[rule]++
			}
			continue
		}
		if r.limits.Keep == nil || r.limits.Keep(key.Hash()) {
			r.put(key, label, file)
		}
	}
	return nil
}

// put enters a label. A later file replaces what an earlier one says.
func (r *reader) put(key pass.Key, label Label, file int32) {
	before, ok := r.table.rows[key]
	e := entry{Label: label, file: file}
	switch {
	case ok && before.file == file:
		e.repeated, e.revised = true, before.revised
		e.Value = math.NaN()
	case ok:
		e.revised = true
	}
	r.table.rows[key] = e
}

// finish counts entities and judges what only all files show.
func (r *reader) finish() {
	t := r.table
	for _, e := range t.rows {
		t.Counts.Entities++
		if math.IsNaN(e.Value) && !e.repeated {
			t.Counts.Unknown++
		}
		if e.repeated {
			t.Counts.Repeated++
		}
		if e.revised {
			t.Counts.Revised++
		}
	}
	if r.limits.Bad != nil && r.limits.Bad(t.Counts.Bad, t.Counts.Rows) {
		t.Refused = append(t.Refused, fmt.Sprintf("%d of %d label rows break the contract of the labels, more than the error budget lets go", t.Counts.Bad, t.Counts.Rows))
	}
	// Entities are counted by file, because a revision repeats them; sets that the
	// contract points to are not looked into.
	counts := contract.Counts{Duplicates: map[string]int64{}, Unmatched: map[string]int64{}}
	for _, tuple := range r.c.NeedsKeys() {
		counts.Duplicates[contract.KeyName(tuple)] = 0
	}
	for _, rel := range r.c.Relationships {
		counts.Unmatched[rel.Rule] = 0
	}
	for _, v := range r.c.Judge(r.checker.Result(), counts) {
		if v.Severity == contract.Error {
			t.Refused = append(t.Refused, "labels: "+v.Message)
		}
	}
}

// columns are the columns of a record that a label is made of.
type columns struct {
	value, treatment, propensity, weight func(i int) (float64, bool)
}

func (r *reader) columns(rec arrow.Record) (columns, error) {
	var c columns
	for _, f := range []struct {
		name string
		dst  *func(i int) (float64, bool)
	}{{r.label, &c.value}, {r.treatment, &c.treatment}, {r.propensity, &c.propensity}, {r.weight, &c.weight}} {
		if f.name == "" {
			continue
		}
		col := rec.Column(rec.Schema().FieldIndices(f.name)[0])
		number := numbers(col)
		if number == nil {
			return c, fmt.Errorf("column %s is %s; a number or a boolean is needed", f.name, col.DataType())
		}
		*f.dst = func(i int) (float64, bool) {
			if col.IsNull(i) {
				return math.NaN(), false
			}
			return number(i), true
		}
	}
	return c, nil
}

// label returns the label of a row, and the rules that it breaks.
func (c columns) label(i int) (l Label, broken []string) {
	l.Weight = 1
	l.Value, _ = c.value(i)
	if math.IsInf(l.Value, 0) {
		broken = append(broken, RuleLabel)
	}
	if c.treatment != nil {
		treated, ok := c.treatment(i)
		if l.Treated = treated != 0; !ok || math.IsNaN(treated) {
			broken = append(broken, RuleTreatment)
		}
	}
	if c.propensity != nil {
		l.Propensity, _ = c.propensity(i)
		if !(l.Propensity >= 0 && l.Propensity <= 1) {
			broken = append(broken, RulePropensity)
		}
	}
	if c.weight != nil {
		l.Weight, _ = c.weight(i)
		if !(l.Weight > 0) || math.IsInf(l.Weight, 0) {
			broken = append(broken, RuleWeight)
		}
	}
	return l, broken
}

// numbers returns the reader of the valid values of a column of numbers or booleans, or
// nil for other columns.
func numbers(col arrow.Array) func(i int) float64 {
	switch c := col.(type) {
	case *array.Boolean:
		return func(i int) float64 {
			if c.Value(i) {
				return 1
			}
			return 0
		}
	case *array.Float64:
		return c.Value
	case *array.Float32:
		return number(c.Value)
	case *array.Int8:
		return number(c.Value)
	case *array.Int16:
		return number(c.Value)
	case *array.Int32:
		return number(c.Value)
	case *array.Int64:
		return number(c.Value)
	case *array.Uint8:
		return number(c.Value)
	case *array.Uint16:
		return number(c.Value)
	case *array.Uint32:
		return number(c.Value)
	case *array.Uint64:
		return number(c.Value)
	case *array.Decimal128:
		scale := c.DataType().(*arrow.Decimal128Type).Scale
		return func(i int) float64 { return c.Value(i).ToFloat64(scale) }
	}
	return nil
}

func number[T int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64 | float32](value func(int) T) func(int) float64 {
	return func(i int) float64 { return float64(value(i)) }
}
