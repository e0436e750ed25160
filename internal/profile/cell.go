package profile

import (
	"math"

	"github.com/apache/arrow/go/v17/arrow"
)

// add adds the values of a column to the cells of their slots. The record's slots
// are known.
func (s *slicer) add(c *Column, a arrow.Array, scratch *scratch) {
	cells := s.cells[c]
	for len(cells) < s.used {
		cells = append(cells, *newCell(c))
	}
	s.cells[c] = cells
	for slot := range cells {
		cells[slot].Rows += s.rows[slot]
	}
	if null := nullOf(a); null != nil {
		for i, slot := range s.codes {
			if null(i) {
				cells[slot].Nulls++
			}
		}
	}
	switch {
	case c.moments():
		s.addNumbers(cells, a, scratch)
	case c.Kind == Number && !c.Integral:
		s.addSpecials(cells, a, scratch)
	}
}

// addNumbers adds the numbers of an array to the cells of their slots.
func (s *slicer) addNumbers(cells []Cell, a arrow.Array, scratch *scratch) {
	var w wholeSums
	for from := 0; from < a.Len(); from += pieceRows {
		p := scratch.piece(a, from)
		codes := s.codes[from : from+max(len(p.wholes), len(p.floats))]
		for i, x := range p.wholes {
			if p.valid == nil || p.valid[i] {
				w.add(cells, codes[i], x)
			}
		}
		for i, v := range p.floats {
			if p.valid == nil || p.valid[i] {
				cells[codes[i]].add(v)
			}
		}
		if w.rows += len(p.wholes); w.rows > maxWholeRows {
			w.flush(cells)
		}
	}
	w.flush(cells)
}

// addSpecials counts what is no finite number.
func (s *slicer) addSpecials(cells []Cell, a arrow.Array, scratch *scratch) {
	for from := 0; from < a.Len(); from += pieceRows {
		p := scratch.piece(a, from)
		for i, v := range p.floats {
			if v-v != 0 && (p.valid == nil || p.valid[i]) {
				cells[s.codes[from+i]].addSpecial(v)
			}
		}
	}
}

// add adds a number that is not null.
func (c *Cell) add(v float64) {
	if v-v != 0 { // NaN or infinite
		c.addSpecial(v)
		return
	}
	c.sum.Add(v)
	c.squares.AddSquare(v)
	if c.Quantiles != nil {
		c.Quantiles.Add(v)
	}
}

// addSpecial counts NaN and the infinities.
func (c *Cell) addSpecial(v float64) {
	if math.IsNaN(v) {
		c.NaNs++
	} else {
		c.Infs++
	}
}

const (
	maxWhole     = 1 << 23
	maxWholeRows = 1 << 16
)

// wholeSums adds up whole numbers below maxWhole in magnitude. The squares of
// maxWholeRows + pieceRows of them fit into their sum.
type wholeSums struct {
	sums    [slotCount]int64
	squares [slotCount]uint64
	rows    int
}

// add adds a number to the sums of a slot, or to its cell if the number is large.
func (w *wholeSums) add(cells []Cell, slot uint8, x int64) {
	if cell := &cells[slot]; x < -maxWhole || x > maxWhole || cell.Quantiles != nil {
		cell.add(float64(x))
		return
	}
	w.sums[slot] += x
	w.squares[slot] += uint64(x * x)
}

// flush moves the sums to the cells.
func (w *wholeSums) flush(cells []Cell) {
	for slot := range cells {
		cells[slot].sum.Add(float64(w.sums[slot]))
		cells[slot].squares.AddProduct(w.squares[slot], 1)
	}
	*w = wholeSums{}
}
