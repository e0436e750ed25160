package profile

import (
	"cmp"
	"math"
	"slices"
	"strings"

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

	numeric bool           // there is more than counts
	moments sketch.Moments // of the finite numbers
}

// Values returns how many values are neither null, NaN nor infinite.
func (c *Cell) Values() int64 { return c.Rows - c.Nulls - c.NaNs - c.Infs }

// SliceColumn returns the slices by the column of that name, or nil.
func (p *Profile) SliceColumn(name string) *SliceColumn {
	i, ok := slices.BinarySearchFunc(p.Slices, name, func(s *SliceColumn, name string) int { return strings.Compare(s.Name, name) })
	if !ok {
		return nil
	}
	return p.Slices[i]
}

// Complete reports whether every value of the column has a slice.
func (s *SliceColumn) Complete() bool { return s.others() == nil }

// others returns the slice of the rows whose values have none of their own, or nil.
func (s *SliceColumn) others() *Slice {
	if n := len(s.Slices); n > 0 && s.Slices[n-1].Others {
		return s.Slices[n-1]
	}
	return nil
}

// Cell returns the cell of the column of that name, or nil if no row of the slice
// has the column.
func (s *Slice) Cell(name string) *Cell {
	i, ok := s.find(name)
	if !ok {
		return nil
	}
	return s.Cells[i]
}

// find returns where the cell of a column is or belongs.
func (s *Slice) find(name string) (int, bool) {
	return slices.BinarySearchFunc(s.Cells, name, func(c *Cell, name string) int { return strings.Compare(c.Name, name) })
}

// MeanStd returns mean and population standard deviation of the finite numbers,
// each rounded only once. Without numbers, and where a cell has counts only, both
// are NaN.
func (c *Cell) MeanStd() (mean, std float64) {
	if !c.numeric {
		return math.NaN(), math.NaN()
	}
	mean, variance := c.moments.MeanVariance(c.Values())
	return mean, math.Sqrt(variance)
}

// numeric reports whether the cells of the column have more than counts.
func (c *Column) numeric() bool {
	return c.open() && c.Kind != Opaque && !c.hasText()
}

// sliceable reports whether a column of the kind can have slices.
func sliceable(k Kind, integral bool) bool {
	return k == Text || k == Boolean || k == Number && integral
}

// mergeSlices makes p's slices out of those of a and b. The columns of p are there.
func (p *Profile) mergeSlices(a, b *Profile) {
	for _, side := range []*Profile{a, b} {
		for _, s := range side.Slices {
			if !p.Column(s.Name).open() {
				continue
			}
			i, ok := slices.BinarySearchFunc(p.Slices, s.Name, func(s *SliceColumn, name string) int { return strings.Compare(s.Name, name) })
			if !ok {
				p.Slices = slices.Insert(p.Slices, i, &SliceColumn{Name: s.Name})
			}
			p.Slices[i].merge(s, p)
		}
	}
	for _, s := range p.Slices {
		s.trim(p)
	}
}

// merge adds the slices of o as far as the columns of p allow. There may be too
// many afterwards, and in no particular order.
func (s *SliceColumn) merge(o *SliceColumn, p *Profile) {
	mine := make(map[sliceKey]*Slice, len(s.Slices))
	for _, v := range s.Slices {
		mine[v.key()] = v
	}
	for _, v := range o.Slices {
		to := mine[v.key()]
		if to == nil {
			to = &Slice{Value: v.Value, Null: v.Null, Others: v.Others, hash: v.hash}
			s.Slices = append(s.Slices, to)
		}
		// If two values share a hash, the smaller one stands for both.
		to.Value = min(to.Value, v.Value)
		to.merge(v, p)
	}
}

// A sliceKey tells the slices of a column apart.
type sliceKey struct {
	null, others bool
	hash         uint64
}

func (s *Slice) key() sliceKey { return sliceKey{s.Null, s.Others, s.hash} }

// value reports whether the slice is that of one value.
func (s *Slice) value() bool { return !s.Null && !s.Others }

// merge adds the rows of o as far as the columns of p allow.
func (s *Slice) merge(o *Slice, p *Profile) {
	s.Rows += o.Rows
	for _, c := range o.Cells {
		i, ok := s.find(c.Name)
		if !ok {
			s.Cells = slices.Insert(s.Cells, i, newCell(p.Column(c.Name)))
		}
		s.Cells[i].merge(c)
	}
}

// newCell returns an empty cell of the column.
func newCell(c *Column) *Cell {
	cell := &Cell{Name: c.Name, numeric: c.numeric()}
	if c.Score && cell.numeric {
		cell.Quantiles = &sketch.Quantiles{}
	}
	return cell
}

// merge adds the rows of o. What c may not have is left out.
func (c *Cell) merge(o *Cell) {
	c.Rows += o.Rows
	c.Nulls += o.Nulls
	c.NaNs += o.NaNs
	c.Infs += o.Infs
	if c.numeric {
		c.moments.Merge(&o.moments)
	}
	if c.Quantiles != nil {
		c.Quantiles.Merge(o.Quantiles)
	}
}

// trim sorts the slices, after it has moved those beyond maxSlices to the others.
// A value that either side of a merge left out is not among the first maxSlices
// of both together, so the rows of those that stay are complete.
func (s *SliceColumn) trim(p *Profile) {
	slices.SortFunc(s.Slices, func(a, b *Slice) int {
		return cmp.Or(compareBools(a.Others, b.Others), compareBools(a.Null, b.Null), cmp.Compare(a.hash, b.hash))
	})
	values := 0
	for values < len(s.Slices) && s.Slices[values].value() {
		values++
	}
	if values > maxSlices {
		others := s.others()
		if others == nil {
			others = &Slice{Others: true}
			s.Slices = append(s.Slices, others)
		}
		for _, v := range s.Slices[maxSlices:values] {
			others.merge(v, p)
		}
		s.Slices = slices.Delete(s.Slices, maxSlices, values)
	}
	s.sort()
}

// sort puts the slices into the order of [SliceColumn].
func (s *SliceColumn) sort() { slices.SortFunc(s.Slices, compareSlices) }

func compareSlices(a, b *Slice) int {
	return cmp.Or(compareBools(a.Others, b.Others), compareBools(a.Null, b.Null),
		strings.Compare(a.Value, b.Value), cmp.Compare(a.hash, b.hash))
}

// compareBools puts false before true.
func compareBools(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}
