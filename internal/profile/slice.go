package profile

import (
	"math"

	"headgate/internal/sketch"
)

// maxSlices is how many values of a slice column are slices of their own.
const maxSlices = 64

// A SliceColumn cuts the rows into slices by its values. Every row of a record
// that has the column is in exactly one of its slices.
type SliceColumn struct {
	Name string

	// Slices are sorted by value. The rows without a value and the others come
	// last, if there are any.
	Slices []*Slice
}

// A Slice describes the rows with one value of a slice column.
//
// A slice column keeps at most 64 values: those with the smallest hashes, which
// are a random sample of the values and do not depend on the order of the rows.
// The rows of all other values together are one more slice, and so is null.
type Slice struct {
	Value  string // as people write it, cut after 128 bytes; empty if Null or Others
	Null   bool   // the rows without a value
	Others bool   // the rows whose values are no slices of their own

	Rows  int64
	Cells []*Cell // by name; of each profiled column that the rows have

	hash uint64 // of the value
}

// A Cell describes one column within a slice.
//
// Rows = Nulls + NaNs + Infs + finite values. The rows of a cell are fewer than
// those of its slice if some records lack the column. Of texts, bytes and opaque
// values a cell has counts only, and also of restricted and confidential columns:
// in a slice of one row any sum is a value.
type Cell struct {
	Name                    string
	Rows, Nulls, NaNs, Infs int64

	// Quantiles has the numbers of a score column. It is nil for other columns.
	Quantiles *sketch.Quantiles

	sum, squares sketch.Sum // of the finite numbers
}

// Values returns how many values are neither null, NaN nor infinite.
func (c *Cell) Values() int64 { return c.Rows - c.Nulls - c.NaNs - c.Infs }

// SliceColumn returns the slices by the column of that name, or nil.
func (p *Profile) SliceColumn(name string) *SliceColumn { return nil }

// Slice returns the slice of a value, or nil.
func (s *SliceColumn) Slice(value string) *Slice { return nil }

// Cell returns the cell of the column of that name, or nil.
func (s *Slice) Cell(name string) *Cell { return nil }

// MeanStd returns mean and population standard deviation of the finite numbers,
// each rounded only once. Without numbers, and where a cell has counts only, both
// are NaN.
func (c *Cell) MeanStd() (mean, std float64) { return math.NaN(), math.NaN() }
