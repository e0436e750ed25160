// Package infer writes a first contract from what a dataset looks like.
//
// It is pure: schema, profile and a key come in, YAML goes out, and the same inputs
// give the same bytes. What was seen is a rule; what was only guessed says so in a
// comment. Whether the rules hold for every row is for the caller to check, who
// then drops those that do not: see [Draft.Drop].
//
// Begin with [New], which copies the schema, and [Draft.Guess], which adds what the
// profile shows.
package infer

import (
	"slices"
	"strings"

	"github.com/apache/arrow/go/v17/arrow"

	"headgate/internal/contract"
)

// A Draft is a contract in the making.
type Draft struct {
	Name     string   // id and name of the contract and its table
	Intro    string   // what stands on top, as the text of a comment
	Rows     int64    // that were looked at
	LeastRow int64    // rowCount must be at least this; 0 means greater than 0
	Custom   []Option // custom properties of the table, in order
	Columns  []Column
	Nested   []string // columns that are left out, because they are not flat
	Key      []string // whom a row is about, in the order of the primary key; may be empty
	Repeated int64    // rows that repeat the key of another; then it is no primary key
}

// A Column is one flat column of a draft.
type Column struct {
	Name           string
	Type           arrow.DataType
	Nulls          int64
	Role           contract.Role // "" for none
	Options        []Option      // logicalTypeOptions, in order
	Valid          []string      // the values that are valid; nil means any
	NullPercent    int           // a warning if more percent are null; 0 means none
	PII            string        // piiKind, or ""
	Classification string
	Comments       []string // lines that stand above what they are about
}

// An Option is one of logicalTypeOptions.
type Option struct {
	Key, Value string // Value is YAML
}

// New returns a draft with the columns of a schema and the options that their
// physical types ask for. nulls has the nulls of each column.
func New(name string, schema *arrow.Schema, rows int64, nulls map[string]int64) *Draft {
	d := &Draft{Name: name, Rows: rows}
	for _, field := range schema.Fields() {
		_, options := logicalType(field.Type)
		d.Columns = append(d.Columns, Column{Name: field.Name, Type: field.Type, Nulls: nulls[field.Name], Options: options})
	}
	return d
}

// Column returns the column of that name, or nil.
func (d *Draft) Column(name string) *Column {
	for i := range d.Columns {
		if d.Columns[i].Name == name {
			return &d.Columns[i]
		}
	}
	return nil
}

// Drop takes back the guess behind a rule, and says in a comment that so many of the
// rows break it. It reports whether the rule is a guess of the draft.
func (d *Draft) Drop(r contract.Rule, count int64) bool {
	c := d.Column(r.Column)
	if c == nil {
		return false
	}
	if r.Kind == contract.KindInvalidValues && c.Valid != nil {
		c.Valid = nil
		return true
	}
	i := slices.IndexFunc(c.Options, func(o Option) bool { return o.Key == string(r.Kind) })
	if i < 0 {
		return false
	}
	c.comment("not %s: %s: %d of %d rows break it", c.Options[i].Key, c.Options[i].Value, count, d.Rows)
	c.Options = slices.Delete(c.Options, i, i+1)
	return true
}

// logicalType returns the standard's type for an Arrow type, and the options that
// the file's type needs. It is "" for a column without a type.
func logicalType(t arrow.DataType) (contract.Type, []Option) {
	switch id := t.ID(); {
	case id == arrow.STRING || id == arrow.LARGE_STRING:
		return contract.String, nil
	case id == arrow.DICTIONARY:
		return logicalType(t.(*arrow.DictionaryType).ValueType)
	case id == arrow.BINARY || id == arrow.LARGE_BINARY || id == arrow.FIXED_SIZE_BINARY:
		return contract.String, []Option{{"format", "binary"}}
	case arrow.IsInteger(id):
		return contract.Integer, nil
	case arrow.IsFloating(id) || arrow.IsDecimal(id):
		return contract.Number, nil
	case id == arrow.BOOL:
		return contract.Boolean, nil
	case id == arrow.DATE32 || id == arrow.DATE64:
		return contract.Date, nil
	case id == arrow.TIMESTAMP:
		zoned := "false"
		if t.(*arrow.TimestampType).TimeZone != "" {
			zoned = "true"
		}
		return contract.Timestamp, []Option{{"timezone", zoned}}
	case id == arrow.TIME32 || id == arrow.TIME64:
		return contract.Time, nil
	}
	return "", nil
}

// width returns the format that says how wide the file's numbers are, or "" for the
// widths that every program uses: 64-bit integers and doubles.
func width(t arrow.DataType) string {
	switch t.ID() {
	case arrow.INT8, arrow.INT16, arrow.INT32:
		return "i" + strings.TrimPrefix(t.Name(), "int")
	case arrow.UINT8, arrow.UINT16, arrow.UINT32, arrow.UINT64:
		return "u" + strings.TrimPrefix(t.Name(), "uint")
	case arrow.FLOAT16, arrow.FLOAT32:
		return "f32"
	}
	return ""
}
