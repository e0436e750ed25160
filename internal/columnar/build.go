package columnar

import (
	"math"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/bitutil"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// An arrowColumn grows from the pages of a chunk until it has the rows of a record.
type arrowColumn struct {
	c     *chunk
	n     int    // rows wanted
	at    int    // rows so far
	valid []byte // nil for a required column
	nulls int
	main  []byte // values, bitmap, or indices into the dictionary
	// Byte arrays that are not, or no longer, dictionary-coded:
	plain   bool
	offsets []byte
	text    []byte
	used    int // of text
}

// maxArray bounds the bytes of one column of a record of fixed width.
const maxArray = 1 << 30

// read returns the next n rows of a chunk as an array, and an error where the
// decoder panicked.
func (c *chunk) read(n int) (arr arrow.Array, err error) {
	defer guard(&err)
	a := arrowColumn{c: c, n: n}
	if err := a.fill(); err != nil {
		a.drop()
		return nil, err
	}
	if arr, err = a.array(); err == nil {
		c.done += n
	}
	return arr, err
}

func (a *arrowColumn) fill() error {
	c := a.c
	if c.col.form == formNull {
		return a.skip()
	}
	if c.col.optional {
		a.valid = pooled{}.Allocate((a.n + 7) / 8)
	}
	switch c.col.form {
	case formBool:
		a.main = pooled{}.Allocate((a.n + 7) / 8)
	case formBytes:
		if c.col.field.Type.ID() != arrow.STRING {
			a.toPlain()
		}
	default:
		if a.n > maxArray/c.col.out {
			return tooLarge("%d values of %d bytes in a record", a.n, c.col.out)
		}
		a.main = pooled{}.Allocate(a.n * c.col.out)
	}
	for a.at < a.n {
		if c.left == 0 {
			if err := c.nextPage(); err != nil {
				return err
			}
		}
		if err := a.add(min(c.left, a.n-a.at)); err != nil {
			return err
		}
	}
	return nil
}

// skip consumes rows of a column that has only nulls.
func (a *arrowColumn) skip() error {
	for a.at < a.n {
		if a.c.left == 0 {
			if err := a.c.nextPage(); err != nil {
				return err
			}
		}
		k := min(a.c.left, a.n-a.at)
		a.c.left -= k
		a.at += k
	}
	return nil
}

// add appends k rows of the current page.
func (a *arrowColumn) add(k int) error {
	c := a.c
	present := k
	if c.valid != nil {
		present = bitutil.CountSetBits(c.valid, c.row, k)
	}
	a.nulls += k - present
	if a.valid != nil {
		if c.valid == nil {
			bitutil.SetBitsTo(a.valid, int64(a.at), int64(k), true)
		} else {
			bitutil.CopyBitmap(c.valid, c.row, k, a.valid, a.at)
		}
	}
	var index []int32
	if c.vals.coded {
		index = view[int32](c.index.take(4 * present))
		if err := c.vals.index.next(index); err != nil {
			return err
		}
		if err := c.dict.check(index); err != nil {
			return err
		}
	}
	if err := a.append(k, present, index); err != nil {
		return err
	}
	a.at += k
	c.left -= k
	c.row += k
	c.value += present
	return nil
}

func (a *arrowColumn) append(k, present int, index []int32) error {
	c := a.c
	switch c.col.form {
	case formBool:
		spreadBits(a.main, a.at, k, c.vals.bools, c.value, c.valid, c.row)
		return nil
	case formBytes:
		return a.appendBytes(k, present, index)
	}
	width := c.col.out
	dst := a.main[a.at*width : (a.at+k)*width]
	if c.vals.coded {
		a.gather(dst, index)
	} else {
		a.spread(dst, c.vals.fixed[c.value*width:])
	}
	return nil
}

func (a *arrowColumn) spread(dst, src []byte) {
	c := a.c
	switch c.col.out {
	case 1:
		spread(dst, src, c.valid, c.row, 0)
	case 2:
		spread(view[uint16](dst), view[uint16](src), c.valid, c.row, uint16(c.col.nullBits()))
	case 4:
		spread(view[uint32](dst), view[uint32](src), c.valid, c.row, uint32(c.col.nullBits()))
	case 8:
		spread(view[uint64](dst), view[uint64](src), c.valid, c.row, c.col.nullBits())
	default:
		spreadRows(dst, src, c.col.out, c.valid, c.row)
	}
}

func (a *arrowColumn) gather(dst []byte, index []int32) {
	c := a.c
	dict := c.dict.fixed
	switch c.col.out {
	case 1:
		gather(dst, dict, index, c.valid, c.row, 0)
	case 2:
		gather(view[uint16](dst), view[uint16](dict), index, c.valid, c.row, uint16(c.col.nullBits()))
	case 4:
		gather(view[uint32](dst), view[uint32](dict), index, c.valid, c.row, uint32(c.col.nullBits()))
	case 8:
		gather(view[uint64](dst), view[uint64](dict), index, c.valid, c.row, c.col.nullBits())
	default:
		gatherRows(dst, dict, index, c.col.out, c.valid, c.row)
	}
}

// nullBits returns what a null slot holds: NaN for floats, so that models which
// read the values alone see a missing one; zero for all else.
func (c *column) nullBits() uint64 {
	switch c.field.Type.ID() {
	case arrow.FLOAT16:
		return 0x7e00
	case arrow.FLOAT32:
		return uint64(math.Float32bits(float32(math.NaN())))
	case arrow.FLOAT64:
		return math.Float64bits(math.NaN())
	}
	return 0
}

// array hands the buffers over to Arrow.
func (a *arrowColumn) array() (arrow.Array, error) {
	c := a.c
	if c.col.form == formNull {
		return array.NewNull(a.n), nil
	}
	if err := a.checkText(); err != nil {
		a.drop()
		return nil, err
	}
	var valid *memory.Buffer
	if a.nulls > 0 {
		valid = memory.NewBufferWithAllocator(a.valid, pooled{})
	} else {
		pooled{}.Free(a.valid)
	}
	if a.plain {
		return makeArray(c.col.field.Type, a.n, []*memory.Buffer{
			valid,
			memory.NewBufferWithAllocator(a.offsets, pooled{}),
			memory.NewBufferWithAllocator(a.text[:a.used], pooled{}),
		}, a.nulls), nil
	}
	buffers := []*memory.Buffer{valid, memory.NewBufferWithAllocator(a.main, pooled{})}
	if c.col.form != formBytes {
		return makeArray(c.col.field.Type, a.n, buffers, a.nulls), nil
	}
	dict, err := c.dict.values()
	if err != nil {
		return nil, err
	}
	indices := makeArray(arrow.PrimitiveTypes.Int32, a.n, buffers, a.nulls)
	defer indices.Release()
	return array.NewDictionaryArray(DictionaryType, indices, dict), nil
}

// drop gives the buffers back.
func (a *arrowColumn) drop() {
	for _, b := range [][]byte{a.valid, a.main, a.offsets, a.text} {
		pooled{}.Free(b)
	}
}
