package pass

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"strconv"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/bitutil"
)

// contentRows is how many rows a contentHash takes in at once.
const contentRows = 16384

// A contentHash is a digest of decoded values, independent of compression, encoding,
// row groups and records: one SHA-256 per column over, for each 16,384 rows and for
// the rest, the number of rows, the validity bitmap and the values (strings with
// their length, null slots of other types as zero bytes), and one over the columns'
// names and digests.
type contentHash struct {
	names   []string
	columns []columnHash
}

func newContentHash(columns []string) *contentHash {
	h := &contentHash{names: columns, columns: make([]columnHash, len(columns))}
	for i := range h.columns {
		h.columns[i] = columnHash{sum: sha256.New(), valid: make([]byte, contentRows/8)}
	}
	return h
}

func (h *contentHash) add(rec arrow.Record) {
	for i, col := range rec.Columns() {
		h.columns[i].add(col)
	}
}

// total writes the digest. Nothing can be added afterwards.
func (h *contentHash) total(dst *[32]byte) {
	total := sha256.New()
	for i, name := range h.names {
		total.Write(binary.AppendUvarint(nil, uint64(len(name))))
		total.Write([]byte(name))
		h.columns[i].flush()
		total.Write(h.columns[i].sum.Sum(nil))
	}
	total.Sum(dst[:0])
}

// A columnHash gathers rows until there are contentRows of them.
type columnHash struct {
	sum    hash.Hash
	rows   int
	valid  []byte // bitmap
	values []byte
	bits   bool // values are a bitmap too
}

func (c *columnHash) add(col arrow.Array) {
	n := col.Len()
	for from := 0; from < n; {
		step := min(n-from, contentRows-c.rows)
		c.append(col, from, step)
		c.rows += step
		from += step
		if c.rows == contentRows {
			c.flush()
		}
	}
}

func (c *columnHash) flush() {
	if c.rows == 0 {
		return
	}
	size := (c.rows + 7) / 8
	bitutil.SetBitsTo(c.valid, int64(c.rows), int64(size*8-c.rows), false)
	if c.bits {
		c.values = c.values[:size]
		for i, v := range c.valid[:size] {
			c.values[i] &= v
		}
	}
	c.sum.Write(binary.AppendUvarint(nil, uint64(c.rows)))
	c.sum.Write(c.valid[:size])
	c.sum.Write(c.values)
	c.rows, c.values = 0, c.values[:0]
}

// append adds n rows of a column from row from on.
func (c *columnHash) append(col arrow.Array, from, n int) {
	bitmap := col.NullBitmapBytes()
	switch {
	case col.NullN() == 0:
		bitutil.SetBitsTo(c.valid, int64(c.rows), int64(n), true)
	case len(bitmap) == 0: // a column of type null
		bitutil.SetBitsTo(c.valid, int64(c.rows), int64(n), false)
	default:
		bitutil.CopyBitmap(bitmap, col.Data().Offset()+from, n, c.valid, c.rows)
	}
	if width := fixedWidth(col.DataType()); width > 0 {
		c.appendFixed(col, from, n, width)
		return
	}
	switch col := col.(type) {
	case *array.Boolean:
		c.bits = true
		if c.rows == 0 {
			c.values = append(c.values[:0], make([]byte, contentRows/8)...)
		}
		bitutil.CopyBitmap(col.Data().Buffers()[1].Bytes(), col.Data().Offset()+from, n, c.values, c.rows)
	case *array.Dictionary:
		if codes, ok := col.Indices().(*array.Int32); ok {
			c.appendCodes(codes.Int32Values(), stringValue(col.Dictionary()), col, from, n)
			return
		}
		c.appendTexts(col, from, n)
	default:
		c.appendTexts(col, from, n)
	}
}

func (c *columnHash) appendFixed(col arrow.Array, from, n, width int) {
	data := col.Data()
	start := len(c.values)
	c.values = append(c.values, data.Buffers()[1].Bytes()[(data.Offset()+from)*width:(data.Offset()+from+n)*width]...)
	if col.NullN() == 0 {
		return
	}
	for i := range n {
		if col.IsNull(from + i) {
			clear(c.values[start+i*width : start+(i+1)*width])
		}
	}
}

// appendCodes is appendTexts for the dictionary codes that the reader makes.
func (c *columnHash) appendCodes(codes []int32, value func(int) string, col arrow.Array, from, n int) {
	nulls := col.NullN() > 0
	for i := from; i < from+n; i++ {
		if nulls && col.IsNull(i) {
			continue
		}
		c.values = appendText(c.values, value(int(codes[i])))
	}
}

func (c *columnHash) appendTexts(col arrow.Array, from, n int) {
	value, nulls := stringValue(col), col.NullN() > 0
	for i := from; i < from+n; i++ {
		if nulls && col.IsNull(i) {
			continue
		}
		c.values = appendText(c.values, value(i))
	}
}

// appendText appends a text with its length in front.
func appendText(b []byte, v string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(v))), v...)
}

// fixedWidth returns the bytes of a value, or 0 for types of other layouts.
func fixedWidth(t arrow.DataType) int {
	if f, ok := t.(arrow.FixedWidthDataType); ok && t.ID() != arrow.DICTIONARY && f.BitWidth()%8 == 0 {
		return f.BitWidth() / 8
	}
	return 0
}

// stringValue returns a reader of the valid values of a string-like column.
func stringValue(col arrow.Array) func(i int) string {
	if d, ok := col.(*array.Dictionary); ok {
		value := stringValue(d.Dictionary())
		return func(i int) string { return value(d.GetValueIndex(i)) }
	}
	switch c := col.(type) {
	case *array.String:
		return c.Value
	case *array.Binary:
		return c.ValueString
	}
	return col.ValueStr
}

// Text returns value i of a column, which must be valid, as people write it.
func Text(col arrow.Array, i int) string {
	switch c := col.(type) {
	case *array.Dictionary, *array.String:
		return stringValue(c)(i)
	case *array.Float64:
		return strconv.FormatFloat(c.Value(i), 'g', -1, 64)
	}
	return col.ValueStr(i)
}
