package gbdt

import (
	"encoding/binary"
	"math"
)

const (
	// blockRows is how many rows' rounded gradients can be added in 64 bits.
	blockRows = 1 << 13
	// roundBits is the size of a rounded derivative: 2¹³ of them fit into 32 bits.
	roundBits = 18
	// flatBits is the size of a rounded first derivative if the second ones only
	// count rows, which takes 14 bits.
	flatBits, flatShift = 36, 14
)

// rounding says what a rounded gradient is: g << shift + h, of which g stands for
// g × gUnit and h ≥ 0 for h × hUnit. Sums of up to blockRows of them can be taken
// apart again. The units are powers of two.
type rounding struct {
	gUnit, hUnit float64
	shift        uint
}

// newRounding chooses the units for derivatives up to some size.
func newRounding(maxG, maxH float64, flat bool) rounding {
	if flat {
		return rounding{unit(maxG, flatBits), 1, flatShift}
	}
	return rounding{unit(maxG, roundBits), unit(maxH, roundBits), 32}
}

// unit is the smallest power of two of which the size, rounded to a multiple of it,
// is less than 2**bits of them.
func unit(size float64, bits int) float64 {
	_, exponent := math.Frexp(size)
	u := math.Ldexp(1, exponent-bits)
	if math.RoundToEven(size/u) >= math.Ldexp(1, bits) {
		u *= 2
	}
	return u
}

// pack rounds the derivatives of a row.
func (r rounding) pack(v pair) uint64 {
	g := int64(math.RoundToEven(float64(v.g) / r.gUnit))
	h := int64(math.RoundToEven(float64(v.h) / r.hUnit))
	return uint64(g<<r.shift + h)
}

// unpack takes a sum apart.
func (r rounding) unpack(sum uint64) (g, h int64) {
	return int64(sum) >> r.shift, int64(sum & (1<<r.shift - 1))
}

// A histogram holds the sums of the rounded gradients of a leaf's rows, by feature
// and bin: packed if the leaf has up to blockRows rows, and otherwise g and h in 64
// bits each, one after the other.
type histogram struct {
	packed bool
	cells  []uint64
}

// A pool keeps histograms that are not needed any more, to use them again.
type pool struct {
	bins   int // of all used features
	packed [][]uint64
	wide   [][]uint64
}

// get returns a histogram for a leaf of so many rows. Its cells hold anything.
func (p *pool) get(rows int) *histogram {
	list, size := &p.wide, 2*p.bins
	h := &histogram{packed: rows <= blockRows}
	if h.packed {
		list, size = &p.packed, p.bins
	}
	if n := len(*list); n > 0 {
		h.cells = (*list)[n-1]
		*list = (*list)[:n-1]
		return h
	}
	h.cells = make([]uint64, size)
	return h
}

// put takes a histogram back; nil is none.
func (p *pool) put(h *histogram) {
	switch {
	case h == nil:
	case h.packed:
		p.packed = append(p.packed, h.cells)
	default:
		p.wide = append(p.wide, h.cells)
	}
}

// groupCells are the sums of a group's features while they are added up.
type groupCells [groupWidth][256]uint64

// bufferCells are the sums of one feature, taken apart: one for each bin, or more.
type bufferCells struct{ g, h []int64 }

// read takes the sums of a feature apart, whose bins are the cells from at on.
func (h *histogram) read(dst *bufferCells, at, bins int, r rounding) {
	if h.packed {
		for i, sum := range h.cells[at : at+bins] {
			dst.g[i], dst.h[i] = r.unpack(sum)
		}
		return
	}
	cells := h.cells[2*at : 2*(at+bins)]
	for i := 0; i+1 < len(cells); i += 2 {
		dst.g[i/2], dst.h[i/2] = int64(cells[i]), int64(cells[i+1])
	}
}

// write is the opposite of read.
func (h *histogram) write(src *bufferCells, at, bins int, r rounding) {
	if h.packed {
		cells := h.cells[at : at+bins]
		for i := range cells {
			cells[i] = uint64(src.g[i]<<r.shift + src.h[i])
		}
		return
	}
	cells := h.cells[2*at : 2*(at+bins)]
	for i := 0; i+1 < len(cells); i += 2 {
		cells[i], cells[i+1] = uint64(src.g[i/2]), uint64(src.h[i/2])
	}
}

// batchRows is how many rows' bins are fetched before they are used, so that the
// memory has many requests at a time and not one after the other.
const batchRows = 128

// accumulate adds the rounded gradients of some rows to the cells of a group.
// ordered holds those of rows[0], rows[1], …. bins must have 8 bytes to spare.
func accumulate(cells *groupCells, bins []uint8, width int, rows []uint32, ordered []uint64) {
	var batch [batchRows]uint64
	for len(rows) > 0 {
		n := min(batchRows, len(rows))
		words := batch[:n]
		for i, row := range rows[:n] {
			at := int(row) * width
			words[i] = binary.LittleEndian.Uint64(bins[at : at+8])
		}
		cells.add(words, ordered[:n], width)
		rows, ordered = rows[n:], ordered[n:]
	}
}

// add adds rounded gradients to the bins of a word each, of which width bytes count.
func (cells *groupCells) add(words, ordered []uint64, width int) {
	ordered = ordered[:len(words)]
	for i, b := range words {
		v := ordered[i]
		switch width {
		case 8:
			cells[7][uint8(b>>56)] += v
			fallthrough
		case 7:
			cells[6][uint8(b>>48)] += v
			fallthrough
		case 6:
			cells[5][uint8(b>>40)] += v
			fallthrough
		case 5:
			cells[4][uint8(b>>32)] += v
			fallthrough
		case 4:
			cells[3][uint8(b>>24)] += v
			fallthrough
		case 3:
			cells[2][uint8(b>>16)] += v
			fallthrough
		case 2:
			cells[1][uint8(b>>8)] += v
			fallthrough
		case 1:
			cells[0][uint8(b)] += v
		}
	}
}

// accumulate adds the rounded gradients of some rows to the cells of a group.
func (w *workspace) accumulate(group *group, rows []uint32, ordered []uint64) {
	if group.wide == nil {
		accumulate(&w.cells, group.bins[:cap(group.bins)], group.width, rows, ordered)
		return
	}
	for i, row := range rows {
		w.wide[group.wide[row]] += ordered[i]
	}
}

// cellsOf are the cells of a group's feature with so many bins.
func (w *workspace) cellsOf(group *group, f, bins int) []uint64 {
	if group.wide != nil {
		return w.wide[:bins]
	}
	return w.cells[f][:bins]
}

// flush adds a group's cells, taken apart, to sums, which begin at the group's first
// bin, and clears them.
func (w *workspace) flush(group *group, sums []uint64, bins []int, r rounding) {
	for f, n := range bins {
		cells, own := w.cellsOf(group, f, n), sums[:2*n]
		sums = sums[2*n:]
		for i, sum := range cells {
			g, h := r.unpack(sum)
			own[2*i] += uint64(g)
			own[2*i+1] += uint64(h)
		}
		clear(cells)
	}
}

// store moves a group's cells to dst, which begins at the group's first bin.
func (w *workspace) store(group *group, dst []uint64, bins []int) {
	for f, n := range bins {
		cells := w.cellsOf(group, f, n)
		copy(dst[:n], cells)
		dst = dst[n:]
		clear(cells)
	}
}
