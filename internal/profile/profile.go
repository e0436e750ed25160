// Package profile says what a dataset looks like, without keeping its rows.
//
// A [Builder] reads Arrow records, column by column; its [Profile] can be merged
// with those of other shards and written as bytes. A profile depends only on the
// multiset of rows: any split into records and shards, merged in any order,
// gives the same bytes, so a profile is named by its digest.
//
// The package decides nothing. Whether two profiles are too far apart is for
// package drift to say.
package profile

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrKind means that a column has values of kinds that cannot be summed up
// together, such as numbers and strings.
var ErrKind = errors.New("profile: kinds differ")

// ErrSlice means that a column with values of its type cannot have slices.
var ErrSlice = errors.New("profile: only texts, booleans and integers can be slices")

// A Kind says what the values of a column are and which summaries it has.
type Kind string

// The kinds. Dates are counted in days since 1970, timestamps in microseconds
// since 1970, times in microseconds since midnight, booleans as 0 and 1.
const (
	Number    Kind = "number"
	Boolean   Kind = "boolean"
	Date      Kind = "date"
	Timestamp Kind = "timestamp"
	Time      Kind = "time"
	Text      Kind = "text"
	Binary    Kind = "binary"
	Opaque    Kind = "opaque" // nested and unknown types: rows and nulls only
)

// A Profile describes a dataset. Columns and slice columns are sorted by name.
type Profile struct {
	Rows    int64
	Columns []*Column
	Slices  []*SliceColumn
}

// Column returns the column of that name, or nil.
func (p *Profile) Column(name string) *Column {
	i, ok := slices.BinarySearchFunc(p.Columns, name, func(c *Column, name string) int { return strings.Compare(c.Name, name) })
	if !ok {
		return nil
	}
	return p.Columns[i]
}

// Merge returns the profile of the rows of a and b together, and leaves both as
// they are. A column that only one of them has keeps its own count of rows, which
// is then smaller than that of the profile, and so do slices. The stricter side
// decides what is kept: a column that either side restricts is restricted, a
// confidential one stays confidential, and neither has slices. Columns of
// different kinds give [ErrKind].
func Merge(a, b *Profile) (*Profile, error) {
	out := &Profile{Rows: a.Rows + b.Rows}
	for _, side := range []*Profile{a, b} {
		for _, c := range side.Columns {
			i, ok := slices.BinarySearchFunc(out.Columns, c.Name, func(c *Column, name string) int { return strings.Compare(c.Name, name) })
			if !ok {
				out.Columns = slices.Insert(out.Columns, i, &Column{Name: c.Name, Kind: c.Kind,
					Restricted: c.Restricted, Confidential: c.Confidential, Integral: c.Integral, Score: c.Score})
			}
			if err := out.Columns[i].merge(c); err != nil {
				return nil, fmt.Errorf("column %s: %w", c.Name, err)
			}
		}
	}
	out.mergeSlices(a, b)
	return out, nil
}
