package evaluate

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
)

// ErrFormat means that bytes are not what [Sketch.MarshalBinary] writes.
var ErrFormat = errors.New("evaluate: malformed sketch")

// sketchMagic begins the bytes of a sketch: its format and version.
const sketchMagic = "hgev1\n"

// MarshalBinary returns the state: magic, 1 if there are clusters, number of
// thresholds, thresholds, number of cells, and the cells, the lowest scores first. A
// cell is the distance of its key to the one before, and for each label the rows, and
// if there are any, weight, squares, offset and the weights of the groups. Whole
// numbers are varints, others float64, little endian. Equal states give equal bytes.
func (s *Sketch) MarshalBinary() ([]byte, error) {
	b := []byte(sketchMagic)
	b = append(b, byte(one(s.grouped)))
	b = binary.AppendUvarint(b, uint64(len(s.thresholds)))
	for _, t := range s.thresholds {
		b = appendFloat(b, t)
	}
	keys := s.keys()
	slices.Reverse(keys)
	b = binary.AppendUvarint(b, uint64(len(keys)))
	last := int64(math.MinInt64)
	for _, key := range keys {
		b = binary.AppendUvarint(b, uint64(key-last))
		last = key
		b = s.cells[key].append(b)
	}
	return b, nil
}

func appendFloat(b []byte, x float64) []byte {
	return binary.LittleEndian.AppendUint64(b, math.Float64bits(x))
}

// append appends the counts of a cell.
func (c *cell) append(b []byte) []byte {
	for class := range 2 {
		b = binary.AppendUvarint(b, uint64(c.rows[class]))
		if c.rows[class] == 0 {
			continue
		}
		b = appendFloat(b, c.weight[class])
		b = appendFloat(b, c.square[class])
		b = appendFloat(b, c.offset[class])
		if c.members == nil {
			continue
		}
		parts := c.portions(class, map[int32]bool{})
		b = binary.AppendUvarint(b, uint64(len(parts)))
		for _, p := range parts {
			b = append(b, byte(p.cluster))
			b = appendFloat(b, p.weight)
		}
	}
	return b
}

// UnmarshalBinary reads what MarshalBinary wrote. Other bytes give [ErrFormat].
func (s *Sketch) UnmarshalBinary(data []byte) error {
	r := &sketchReader{data: data}
	if string(r.bytes(len(sketchMagic))) != sketchMagic {
		return fmt.Errorf("%w: it does not begin as one", ErrFormat)
	}
	out := Sketch{cells: map[int64]*cell{}}
	flag := r.bytes(1)[0]
	out.grouped = flag == 1
	r.check(flag <= 1, "clusters are neither 0 nor 1")
	n := r.uvarint()
	r.check(n <= 255, "too many thresholds")
	for i := uint64(0); i < n && r.err == nil; i++ {
		t := r.float()
		r.check(i == 0 || t > out.thresholds[i-1], "thresholds do not rise")
		out.thresholds = append(out.thresholds, t)
	}
	key := int64(math.MinInt64)
	for cells := r.uvarint(); cells > 0 && r.err == nil; cells-- {
		step := r.uvarint()
		next := int64(uint64(key) + step)
		r.check(next > key, "cells do not rise")
		key = next
		at, above := key>>8, int(key&0xff)
		r.check(at >= -(1<<22) && at <= 1<<23 && above <= len(out.thresholds), "a cell that no score has")
		out.cell(key).read(r)
	}
	r.check(len(r.data) == 0, "bytes are left over")
	if r.err != nil {
		return r.err
	}
	*s = out
	return nil
}

// read reads what append wrote.
func (c *cell) read(r *sketchReader) {
	for class := range 2 {
		rows := r.uvarint()
		r.check(rows < 1<<53, "too many rows")
		if c.rows[class] = int64(rows); rows == 0 {
			continue
		}
		c.weight[class], c.square[class], c.offset[class] = r.float(), r.float(), r.float()
		w := c.weight[class]
		r.check(w > 0 && c.square[class] >= 0, "a weight is not above 0")
		r.check(c.offset[class] >= 0 && c.offset[class] <= float64(w*(1<<offsetBits)), "an offset is outside of its cell")
		if c.members == nil {
			continue
		}
		last := -1
		for parts := r.uvarint(); parts > 0 && r.err == nil; parts-- {
			g := int(r.bytes(1)[0])
			weight := r.float()
			r.check(g > last && g < groups && weight > 0, "groups do not rise")
			if last = g; r.err == nil {
				c.members[g][class] = weight
			}
		}
		r.check(last >= 0, "a cell without groups")
	}
	r.check(c.rows[0]+c.rows[1] > 0, "a cell without rows")
}

// A sketchReader takes values off the front of bytes. After the first failure it
// returns zeros; err tells.
type sketchReader struct {
	data []byte
	err  error
}

func (r *sketchReader) check(ok bool, reason string) {
	if !ok && r.err == nil {
		r.err = fmt.Errorf("%w: %s", ErrFormat, reason)
		r.data = nil
	}
}

func (r *sketchReader) bytes(n int) []byte {
	r.check(len(r.data) >= n, "it ends too early")
	if r.err != nil {
		return make([]byte, n)
	}
	b := r.data[:n]
	r.data = r.data[n:]
	return b
}

// uvarint reads a number in its shortest form.
func (r *sketchReader) uvarint() uint64 {
	v, n := binary.Uvarint(r.data)
	r.check(n > 0 && (n == 1 || r.data[n-1] != 0), "a number is cut off or too long")
	if r.err != nil {
		return 0
	}
	r.data = r.data[n:]
	return v
}

// float reads a finite number.
func (r *sketchReader) float() float64 {
	x := math.Float64frombits(binary.LittleEndian.Uint64(r.bytes(8)))
	r.check(!math.IsNaN(x) && !math.IsInf(x, 0), "a number is not finite")
	if r.err != nil {
		return 0
	}
	return x
}
