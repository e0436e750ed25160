package profile

import (
	"encoding/binary"

	"headgate/internal/sketch"
)

// appendSlices appends the slice columns.
func (p *Profile) appendSlices(b []byte) ([]byte, error) {
	b = binary.AppendUvarint(b, uint64(len(p.Slices)))
	for _, s := range p.Slices {
		b = appendText(b, s.Name)
		b = binary.AppendUvarint(b, uint64(len(s.Slices)))
		for _, v := range s.Slices {
			var err error
			if b, err = v.append(b, p.Columns); err != nil {
				return nil, err
			}
		}
	}
	return b, nil
}

// The kinds of a slice.
const (
	sliceValue = iota
	sliceNull
	sliceOthers
)

// append appends the slice, with a cell for each of the columns.
func (s *Slice) append(b []byte, columns []*Column) ([]byte, error) {
	switch {
	case s.Null:
		b = append(b, sliceNull)
	case s.Others:
		b = append(b, sliceOthers)
	default:
		b = append(b, sliceValue)
		b = appendText(binary.LittleEndian.AppendUint64(b, s.hash), s.Value)
	}
	b = binary.AppendUvarint(b, uint64(s.Rows))
	for _, c := range columns {
		cell := s.Cell(c.Name)
		if cell == nil {
			b = append(b, 0)
			continue
		}
		for _, n := range cell.counts() {
			b = binary.AppendUvarint(b, uint64(*n))
		}
		var err error
		if b, err = appendParts(b, cell.parts()); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// counts lists the counts in the order in which they are written.
func (c *Cell) counts() []*int64 { return []*int64{&c.Rows, &c.Nulls, &c.NaNs, &c.Infs} }

// parts lists the summaries of the cell in the order in which they are written.
func (c *Cell) parts() []part {
	switch {
	case !c.numeric:
		return nil
	case c.Quantiles == nil:
		return []part{&c.moments.Sum, &c.moments.Squares}
	}
	return []part{&c.moments.Sum, &c.moments.Squares, c.Quantiles}
}

// readSlices reads the slice columns.
func (p *Profile) readSlices(r *reader) {
	for n := r.uvarint(); n > 0 && r.err == nil; n-- {
		s := &SliceColumn{Name: r.text()}
		c := p.Column(s.Name)
		switch last := len(p.Slices); {
		case c == nil || !c.open() || !sliceable(c.Kind, c.Integral):
			r.fail("slices of column %q", s.Name)
		case last > 0 && p.Slices[last-1].Name >= s.Name:
			r.fail("slice column %q out of order", s.Name)
		default:
			s.read(r, p.Columns)
		}
		p.Slices = append(p.Slices, s)
	}
}

// read reads the slices of a column.
func (s *SliceColumn) read(r *reader, columns []*Column) {
	n := r.uvarint()
	if n == 0 || n > slotCount {
		r.fail("%d slices", n)
	}
	values, hashes := 0, map[uint64]bool{}
	for ; n > 0 && r.err == nil; n-- {
		v := &Slice{}
		v.read(r, columns)
		if last := len(s.Slices); last > 0 && compareSlices(s.Slices[last-1], v) >= 0 {
			r.fail("slices out of order")
		}
		if v.value() {
			values++
			hashes[v.hash] = true
		}
		s.Slices = append(s.Slices, v)
	}
	if values > maxSlices || values != len(hashes) || values < maxSlices && !s.Complete() {
		r.fail("%d values in %d slices", values, len(s.Slices))
	}
}

// read reads a slice.
func (s *Slice) read(r *reader, columns []*Column) {
	switch kind := r.take(1)[0]; kind {
	case sliceValue:
		s.hash = binary.LittleEndian.Uint64(r.take(8))
		if s.Value = r.text(); s.Value != sketch.Head(s.Value) {
			r.fail("slice of a value of %d bytes", len(s.Value))
		}
	case sliceNull:
		s.Null = true
	case sliceOthers:
		s.Others = true
	default:
		r.fail("slice of kind %d", kind)
	}
	if s.Rows = r.count(); s.Rows == 0 {
		r.fail("slice without rows")
	}
	for _, c := range columns {
		if r.err != nil {
			return
		}
		rows := r.count()
		if rows == 0 {
			continue
		}
		cell := newCell(c)
		for _, n := range cell.counts()[1:] {
			*n = r.count()
		}
		cell.Rows = rows
		r.within(s.Rows, cell.Rows)
		r.within(cell.Rows, cell.Nulls, cell.NaNs, cell.Infs)
		r.parts(cell.parts())
		s.Cells = append(s.Cells, cell)
	}
}
