package columnar

import (
	"math"
	"unicode/utf8"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/parquet-go/parquet-go/format"
)

// plainDictionary is the encoding that version 1 of the format names for pages with
// a dictionary. The format deprecates it; files still have it.
const plainDictionary format.Encoding = 2

// A dictionary holds the distinct values that the pages of a chunk refer to.
type dictionary struct {
	loaded bool
	count  int
	fixed  []byte  // Arrow values of a fixed width
	bytes  byteRun // or byte arrays
	array  arrow.Array

	judged  bool
	invalid map[int32]bool // texts that are not UTF-8

	page, room scratch
}

// decodeDictionary decodes a dictionary page.
func (c *chunk) decodeDictionary(raw []byte) error {
	h, d := &c.header.Dict.V, &c.dict
	switch {
	case d.loaded:
		return corrupt("two dictionaries")
	case h.Encoding != format.Plain && h.Encoding != plainDictionary:
		return unsupported("a dictionary encoded as %s", h.Encoding)
	case h.NumValues < 0:
		return corrupt("a dictionary of %d values", h.NumValues)
	case c.col.physical == format.Boolean:
		return unsupported("a dictionary of booleans")
	}
	data, err := c.inflate(raw, int(c.header.Uncompressed), &d.page)
	if err != nil {
		return err
	}
	if c.codec == format.Uncompressed {
		data = d.page.take(len(raw))
		copy(data, raw)
	}
	n := int(h.NumValues)
	d.loaded, d.count = true, n
	if c.col.physical != format.ByteArray {
		if err := exactly(n, c.col.width, data); err != nil {
			return err
		}
		if c.col.form == formNull {
			return nil
		}
		d.fixed, err = c.col.convert(data, n, &d.room)
		return err
	}
	if err := d.bytes.decodePlain(n, data, &d.room); err != nil {
		return err
	}
	if c.col.form == formBig {
		d.fixed = d.page.take(n * c.col.out)
		return bigEndianRun(d.fixed, &d.bytes, c.col.out)
	}
	return nil
}

// check refuses indices outside the dictionary.
func (d *dictionary) check(index []int32) error {
	var most uint32
	for _, k := range index {
		most = max(most, uint32(k))
	}
	if len(index) > 0 && int64(most) >= int64(d.count) {
		return corrupt("index %d into a dictionary of %d", most, d.count)
	}
	return nil
}

// values returns the dictionary as an Arrow array, made once for each row group.
func (d *dictionary) values() (arrow.Array, error) {
	if d.array != nil {
		return d.array, nil
	}
	if len(d.bytes.data) > math.MaxInt32 {
		return nil, tooLarge("a dictionary of %d bytes", len(d.bytes.data))
	}
	offsets := pooled{}.Allocate(4 * (d.count + 1))
	clear(offsets[:4])
	for i, at := range d.bytes.offsets {
		view[int32](offsets)[i] = int32(at)
	}
	data := pooled{}.Allocate(int(view[int32](offsets)[d.count]))
	copy(data, d.bytes.data)
	buffers := []*memory.Buffer{
		nil,
		memory.NewBufferWithAllocator(offsets, pooled{}),
		memory.NewBufferWithAllocator(data, pooled{}),
	}
	d.array = makeArray(arrow.BinaryTypes.String, d.count, buffers, 0)
	return d.array, nil
}

// invalidTexts returns the places of texts that are not UTF-8, looked for once for each
// row group. Pages need not refer to them.
func (d *dictionary) invalidTexts() map[int32]bool {
	if d.judged || len(d.bytes.offsets) == 0 {
		return d.invalid
	}
	d.judged = true
	if firstInvalid(d.bytes.data, d.bytes.offsets) < 0 {
		return nil
	}
	d.invalid = map[int32]bool{}
	for i := range d.count {
		if !utf8.Valid(d.bytes.value(i)) {
			d.invalid[int32(i)] = true
		}
	}
	return d.invalid
}

func (d *dictionary) release() {
	if d.array != nil {
		d.array.Release()
	}
	d.array = nil
}

// makeArray builds an array that owns its buffers.
func makeArray(t arrow.DataType, n int, buffers []*memory.Buffer, nulls int) arrow.Array {
	data := array.NewData(t, n, buffers, nil, nulls, 0)
	defer data.Release()
	for _, b := range buffers {
		if b != nil {
			b.Release()
		}
	}
	return array.MakeFromData(data)
}
