package profile

import (
	"math"
	"slices"

	"github.com/apache/arrow/go/v17/arrow"

	"headgate/internal/sketch"
)

// A target is where the numbers of a column go: row i to cell codes[i].
type target struct {
	cells []Cell
	codes []uint8
	whole wholeSums
}

// addCells adds the values of a column to the cells of all slicers, which know the
// slots of the record's rows.
func addCells(slicers []*slicer, c *Column, a arrow.Array, s *scratch) {
	s.targets = slices.Grow(s.targets[:0], len(slicers))[:len(slicers)]
	null := nullOf(a)
	for k, slicer := range slicers {
		t := &s.targets[k]
		t.cells, t.codes = slicer.cellsOf(c), slicer.codes
		for slot := range t.cells {
			t.cells[slot].Rows += slicer.rows[slot]
		}
		if null == nil {
			continue
		}
		for i, slot := range t.codes {
			if null(i) {
				t.cells[slot].Nulls++
			}
		}
	}
	if len(slicers) == 0 {
		return
	}
	// Of other columns only NaN and the infinities are counted.
	if kind, integral := kindOf(a.DataType()); c.numeric() || kind == Number && !integral {
		addNumbers(s.targets, a, s)
	}
}

// cellsOf returns the cells of a column, one for each slot in use.
func (s *slicer) cellsOf(c *Column) []Cell {
	cells := s.cells[c]
	for len(cells) < s.used {
		cells = append(cells, *newCell(c))
	}
	s.cells[c] = cells
	return cells
}

// addNumbers adds the numbers of an array to all targets.
func addNumbers(targets []target, a arrow.Array, s *scratch) {
	for from := 0; from < a.Len(); from += pieceRows {
		p := s.piece(a, from)
		if p.wholes == nil {
			addFloats(targets, p, from)
			continue
		}
		for k := range targets {
			targets[k].addWholes(p, from)
		}
	}
	for k := range targets {
		targets[k].flush()
	}
}

// addFloats adds the numbers of a piece to all targets.
func addFloats(targets []target, p piece, from int) {
	var term sketch.Term
	for i, v := range p.floats {
		if p.valid != nil && !p.valid[i] {
			continue
		}
		term.Set(v)
		for k := range targets {
			t := &targets[k]
			t.cells[t.codes[from+i]].add(v, &term)
		}
	}
}

// add adds a number that is not null, and its term.
func (c *Cell) add(v float64, t *sketch.Term) {
	switch {
	case v-v != 0: // NaN or infinite
		c.addSpecial(v)
		return
	case !c.numeric:
		return
	}
	c.moments.AddTerm(t)
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

// wholeSums adds up whole numbers of at most maxWhole in magnitude. The squares of
// maxWholeRows + pieceRows of them fit into their sum.
type wholeSums struct {
	sums    [slotCount]int64
	squares [slotCount]uint64
	rows    int
}

// addWholes adds the numbers of a piece, large ones at once and the others when
// the target is flushed.
func (t *target) addWholes(p piece, from int) {
	w := &t.whole
	for i, x := range p.wholes {
		if p.valid != nil && !p.valid[i] {
			continue
		}
		slot := t.codes[from+i]
		if x < -maxWhole || x > maxWhole || t.cells[slot].Quantiles != nil {
			var term sketch.Term
			term.Set(float64(x))
			t.cells[slot].add(float64(x), &term)
			continue
		}
		w.sums[slot] += x
		w.squares[slot] += uint64(x * x)
	}
	if w.rows += len(p.wholes); w.rows >= maxWholeRows {
		t.flush()
	}
}

// flush moves the sums to the cells.
func (t *target) flush() {
	if t.whole.rows == 0 {
		return
	}
	for slot := range t.cells {
		m := &t.cells[slot].moments
		m.Sum.Add(float64(t.whole.sums[slot]))
		m.Squares.AddProduct(t.whole.squares[slot], 1)
	}
	t.whole = wholeSums{}
}
