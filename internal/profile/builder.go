package profile

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/apache/arrow/go/v17/arrow"
)

// Options choose what a [Builder] reads. The zero value is every column in full.
type Options struct {
	Columns []string // names; nil means all

	// Restricted names columns of which only rows, nulls, NaNs and infinities may
	// be counted. Confidential names columns of which no single value may be kept,
	// see [Column]. A column that is named in both is restricted.
	Restricted, Confidential []string

	// Slices names profiled columns; the others are also described for each of
	// their values. Texts, booleans and integers can be slices; other types give
	// [ErrSlice]. A restricted or confidential column has no slices, because their
	// values would be shown.
	Slices []string

	// Scores names columns of which every slice has quantiles.
	Scores []string
}

// A Builder makes the profile of the records it is given. It is not safe for
// concurrent use; give each shard its own and merge.
type Builder struct {
	only, restricted, confidential, scores map[string]bool

	rows    int64
	columns map[string]*Column
	slicers []*slicer // by name
	scratch scratch
}

// NewBuilder returns a builder that has seen no rows.
func NewBuilder(o *Options) *Builder {
	if o == nil {
		o = &Options{}
	}
	b := &Builder{restricted: set(o.Restricted), confidential: set(o.Confidential), scores: set(o.Scores), columns: map[string]*Column{}}
	if o.Columns != nil {
		b.only = set(o.Columns)
	}
	for _, name := range slices.Sorted(maps.Keys(set(o.Slices))) {
		if b.wants(name) && !b.restricted[name] && !b.confidential[name] {
			b.slicers = append(b.slicers, newSlicer(name))
		}
	}
	return b
}

// wants reports whether a column is to be profiled.
func (b *Builder) wants(name string) bool { return b.only == nil || b.only[name] }

// set returns the names as a set.
func set(names []string) map[string]bool {
	s := make(map[string]bool, len(names))
	for _, n := range names {
		s[n] = true
	}
	return s
}

// Add reads a record. Records may have different columns; one column must keep
// its kind, else Add returns [ErrKind] and the builder is of no more use.
func (b *Builder) Add(rec arrow.Record) error {
	var slicers []*slicer
	for _, s := range b.slicers {
		if at := rec.Schema().FieldIndices(s.name); len(at) > 0 {
			if err := s.code(rec.Column(at[0])); err != nil {
				return err
			}
			slicers = append(slicers, s)
		}
	}
	b.rows += rec.NumRows()
	for i, field := range rec.Schema().Fields() {
		if !b.wants(field.Name) {
			continue
		}
		c, err := b.column(field)
		if err != nil {
			return err
		}
		c.add(rec.Column(i), &b.scratch)
		addCells(slicers, c, rec.Column(i), &b.scratch)
	}
	return nil
}

// column returns the column of a field.
func (b *Builder) column(f arrow.Field) (*Column, error) {
	kind, integral := kindOf(f.Type)
	c := b.columns[f.Name]
	if c == nil {
		c = &Column{Name: f.Name, Kind: kind, Integral: integral, Score: b.scores[f.Name],
			Restricted: b.restricted[f.Name], Confidential: b.confidential[f.Name] && !b.restricted[f.Name]}
		b.columns[f.Name] = c
	}
	if c.Kind != kind {
		return nil, fmt.Errorf("column %s: %s and %s: %w", c.Name, c.Kind, kind, ErrKind)
	}
	c.Integral = c.Integral && integral
	return c, nil
}

// Profile returns what was seen so far. It shares memory with the builder, which
// must not be used afterwards.
func (b *Builder) Profile() *Profile {
	p := &Profile{Rows: b.rows}
	for _, c := range b.columns {
		p.Columns = append(p.Columns, c)
	}
	slices.SortFunc(p.Columns, func(a, b *Column) int { return strings.Compare(a.Name, b.Name) })
	for _, s := range b.slicers {
		if out := s.column(p.Columns); len(out.Slices) > 0 {
			p.Slices = append(p.Slices, out)
		}
	}
	return p
}

// kindOf returns the kind of an Arrow type, and whether its values are integers.
func kindOf(t arrow.DataType) (k Kind, integral bool) {
	switch t.ID() {
	case arrow.DICTIONARY:
		return kindOf(t.(*arrow.DictionaryType).ValueType)
	case arrow.INT8, arrow.INT16, arrow.INT32, arrow.INT64, arrow.UINT8, arrow.UINT16, arrow.UINT32, arrow.UINT64:
		return Number, true
	case arrow.FLOAT16, arrow.FLOAT32, arrow.FLOAT64, arrow.DECIMAL128, arrow.DECIMAL256:
		return Number, false
	case arrow.BOOL:
		return Boolean, true
	case arrow.DATE32, arrow.DATE64:
		return Date, true
	case arrow.TIMESTAMP:
		return Timestamp, true
	case arrow.TIME32, arrow.TIME64:
		return Time, true
	case arrow.STRING, arrow.LARGE_STRING:
		return Text, false
	case arrow.BINARY, arrow.LARGE_BINARY, arrow.FIXED_SIZE_BINARY:
		return Binary, false
	}
	return Opaque, false
}
