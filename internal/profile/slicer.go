package profile

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/zeebo/xxh3"

	"headgate/internal/sketch"
)

// The first slots of a slicer. Values have those that follow.
const (
	slotOthers = iota
	slotNull
	firstValue
	slotCount = firstValue + maxSlices
)

// A slicer builds a [SliceColumn]. For each record it first finds the slot of every
// row, and then each column adds its values to the cells of these slots.
type slicer struct {
	name  string
	slots map[uint64]uint8 // by hash of the value
	slice [slotCount]Slice // without cells
	used  int              // slots in use
	last  uint8            // the slot with the largest hash, once all are in use

	// cells holds, for each column, those of the slots in use.
	cells map[*Column][]Cell

	// Of one record: whether the values are texts, the hash of each value or
	// dictionary entry, which entries were seen, the index and the slot of each
	// row, and the rows of each slot.
	texts   bool
	hashes  []uint64
	seen    []bool
	indices []int32
	codes   []uint8
	rows    [slotCount]int64
}

func newSlicer(name string) *slicer {
	return &slicer{name: name, slots: map[uint64]uint8{}, used: firstValue, cells: map[*Column][]Cell{}}
}

// code finds the slot of each row of a record, whose slice column is a.
func (s *slicer) code(a arrow.Array) error {
	kind, integral := kindOf(a.DataType())
	if !sliceable(kind, integral) {
		return fmt.Errorf("slice column %s of type %s: %w", s.name, a.DataType(), ErrSlice)
	}
	s.texts = kind == Text
	s.codes = slices.Grow(s.codes[:0], a.Len())[:a.Len()]
	null := nullOf(a)
	if d, ok := a.(*array.Dictionary); ok {
		s.codeDictionary(d, null)
	} else {
		s.codeValues(a, null)
	}
	clear(s.rows[:])
	for _, slot := range s.codes {
		s.rows[slot]++
	}
	for slot, n := range s.rows {
		s.slice[slot].Rows += n
	}
	return nil
}

// codeValues is code for an array that holds its values.
func (s *slicer) codeValues(a arrow.Array, null func(int) bool) {
	hash, text := keysOf(a)
	s.hashes = slices.Grow(s.hashes[:0], a.Len())[:a.Len()]
	for i := range s.hashes {
		if null == nil || !null(i) {
			s.hashes[i] = hash(i)
			s.offer(s.hashes[i], i, text)
		}
	}
	for i, h := range s.hashes {
		s.codes[i] = s.slots[h] // slotOthers if h has no slot
		if null != nil && null(i) {
			s.codes[i] = slotNull
		}
	}
}

// codeDictionary is code for an array of indices.
func (s *slicer) codeDictionary(a *array.Dictionary, null func(int) bool) {
	hash, text := keysOf(a.Dictionary())
	n := a.Dictionary().Len()
	s.hashes = slices.Grow(s.hashes[:0], n)[:n]
	s.seen = slices.Grow(s.seen[:0], n)[:n]
	clear(s.seen)
	s.readIndices(a)
	for i, j := range s.indices {
		if (null == nil || !null(i)) && !s.seen[j] {
			s.seen[j] = true
			s.hashes[j] = hash(int(j))
			s.offer(s.hashes[j], int(j), text)
		}
	}
	// The hashes become slots.
	for j, seen := range s.seen {
		if seen {
			s.hashes[j] = uint64(s.slots[s.hashes[j]])
		}
	}
	for i, j := range s.indices {
		if null != nil && null(i) {
			s.codes[i] = slotNull
			continue
		}
		s.codes[i] = uint8(s.hashes[j])
	}
}

// readIndices reads the indices of an array. A null has 0.
func (s *slicer) readIndices(a *array.Dictionary) {
	s.indices = slices.Grow(s.indices[:0], a.Len())[:a.Len()]
	if codes, ok := a.Indices().(*array.Int32); ok && a.NullN() == 0 {
		copy(s.indices, codes.Int32Values())
		return
	}
	for i := range s.indices {
		s.indices[i] = 0
		if a.IsValid(i) {
			s.indices[i] = int32(a.GetValueIndex(i))
		}
	}
}

// keysOf returns how to read the hash and the text of a value that is not null.
// Different numbers never share a hash.
func keysOf(a arrow.Array) (hash func(int) uint64, text func(int) string) {
	whole := func(value func(int) int64) (func(int) uint64, func(int) string) {
		return func(i int) uint64 { return sketch.Mix(uint64(value(i))) },
			func(i int) string { return strconv.FormatInt(value(i), 10) }
	}
	switch a := a.(type) {
	case *array.Boolean:
		hash, _ = whole(func(i int) int64 {
			if a.Value(i) {
				return 1
			}
			return 0
		})
		return hash, func(i int) string { return strconv.FormatBool(a.Value(i)) }
	case *array.Int8:
		return whole(func(i int) int64 { return int64(a.Value(i)) })
	case *array.Int16:
		return whole(func(i int) int64 { return int64(a.Value(i)) })
	case *array.Int32:
		return whole(func(i int) int64 { return int64(a.Value(i)) })
	case *array.Int64:
		return whole(a.Value)
	case *array.Uint8:
		return whole(func(i int) int64 { return int64(a.Value(i)) })
	case *array.Uint16:
		return whole(func(i int) int64 { return int64(a.Value(i)) })
	case *array.Uint32:
		return whole(func(i int) int64 { return int64(a.Value(i)) })
	case *array.Uint64:
		text := func(i int) string { return strconv.FormatUint(a.Value(i), 10) }
		return func(i int) uint64 {
			if a.Value(i) <= math.MaxInt64 {
				return sketch.Mix(a.Value(i))
			}
			return xxh3.HashString(text(i))
		}, text
	}
	value := textOf(a)
	return func(i int) uint64 { return xxh3.HashString(value(i)) }, value
}

// offer gives a value a slot if it is new and its hash small enough. Another value
// may lose its slot, so slots are looked up when the whole record was offered.
func (s *slicer) offer(hash uint64, i int, text func(int) string) {
	full := s.used == slotCount
	if full && hash > s.slice[s.last].hash {
		return
	}
	if slot, ok := s.slots[hash]; ok {
		// If two texts share a hash, the smaller one stands for both.
		if v := &s.slice[slot]; s.texts && sketch.Head(text(i)) < v.Value {
			v.Value = strings.Clone(sketch.Head(text(i)))
		}
		return
	}
	slot := uint8(s.used)
	if full {
		slot = s.last
		s.evict(slot)
	} else {
		s.used++
	}
	s.slots[hash] = slot
	s.slice[slot] = Slice{Value: strings.Clone(sketch.Head(text(i))), hash: hash}
	if s.used == slotCount {
		s.last = s.largest()
	}
}

// evict moves the rows of a value to the others.
func (s *slicer) evict(slot uint8) {
	for c, cells := range s.cells {
		if int(slot) < len(cells) {
			cells[slotOthers].merge(&cells[slot])
			cells[slot] = *newCell(c)
		}
	}
	s.slice[slotOthers].Rows += s.slice[slot].Rows
	delete(s.slots, s.slice[slot].hash)
}

// largest returns the slot of the value with the largest hash.
func (s *slicer) largest() uint8 {
	last := firstValue
	for i := last; i < s.used; i++ {
		if s.slice[i].hash > s.slice[last].hash {
			last = i
		}
	}
	return uint8(last)
}

// column returns the slices by the column, with the cells of those columns in
// which they have rows.
func (s *slicer) column(columns []*Column) *SliceColumn {
	out := &SliceColumn{Name: s.name}
	for slot := range s.used {
		if s.slice[slot].Rows == 0 {
			continue
		}
		v := s.slice[slot]
		v.Others, v.Null = slot == slotOthers, slot == slotNull
		for _, c := range columns {
			if cells := s.cells[c]; slot < len(cells) && cells[slot].Rows > 0 {
				v.Cells = append(v.Cells, &cells[slot])
			}
		}
		out.Slices = append(out.Slices, &v)
	}
	out.sort()
	return out
}
