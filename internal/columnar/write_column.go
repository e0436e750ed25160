package columnar

import (
	"encoding/binary"
	"hash/crc32"
	"slices"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/bitutil"
	"github.com/parquet-go/parquet-go/compress"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

const (
	stepRows  = 256     // pages end, and dictionaries are given up, only at multiples of this
	pageRows  = 1 << 16 // rows of a page at most
	pageBytes = 1 << 20 // a page ends when its values have reached this size
)

// A columnWriter encodes one column chunk after the other, page by page.
type columnWriter struct {
	element  *format.SchemaElement
	codec    compress.Codec
	optional bool
	width    int

	// The page that is being filled.
	rows   int
	nulls  int
	valid  []byte // a bit for each row, if optional
	values []byte // plain-encoded; a bitmap for booleans
	count  int    // values
	index  []int32
	terms  terms

	// The finished pages of the chunk.
	dictPage     []byte
	pages        []byte
	uncompressed int64
	plainPages   int32
	codedPages   int32
	nullCount    int64
	bounds       bounds

	raw, packed, wide []byte
}

func newColumnWriter(e *format.SchemaElement, codec compress.Codec) *columnWriter {
	c := &columnWriter{element: e, codec: codec, optional: e.RepetitionType.V == format.Optional, width: widthOf(e)}
	if c.optional {
		c.valid = make([]byte, pageRows/8)
	}
	_, text := e.LogicalType.Value.(*format.StringType)
	c.terms.init(text)
	c.bounds.init(e)
	return c
}

// append adds n rows of arr from row from on.
func (c *columnWriter) append(arr arrow.Array, from, n int) error {
	bitmap, off := arr.NullBitmapBytes(), arr.Data().Offset()+from
	if arr.NullN() == 0 || len(bitmap) == 0 {
		bitmap = nil
	}
	present := n
	switch {
	case arr.DataType().ID() == arrow.NULL:
		present = 0
	case bitmap != nil:
		present = bitutil.CountSetBits(bitmap, off, n)
	}
	if present < n && !c.optional {
		return unsupported("a null in a field that is not nullable")
	}
	if c.optional {
		if bitmap != nil {
			bitutil.CopyBitmap(bitmap, off, n, c.valid, c.rows)
		} else {
			bitutil.SetBitsTo(c.valid, int64(c.rows), int64(n), present > 0)
		}
	}
	if present == n {
		bitmap = nil
	}
	if present > 0 {
		if err := c.appendValues(arr, from, n, present, bitmap, off); err != nil {
			return err
		}
	}
	c.rows += n
	c.count += present
	c.nulls += n - present
	if c.rows%stepRows == 0 {
		return c.step()
	}
	return nil
}

// step decides, at fixed rows, whether the page ends and the dictionary still pays.
func (c *columnWriter) step() error {
	if c.terms.on && !c.terms.pays() {
		if err := c.giveUp(); err != nil {
			return err
		}
	}
	if c.rows >= pageRows || len(c.values) >= pageBytes {
		return c.endPage()
	}
	return nil
}

// giveUp ends dictionary coding for the rest of the chunk. If no page refers to the
// dictionary yet, the chunk goes without one.
func (c *columnWriter) giveUp() error {
	if c.codedPages > 0 {
		if err := c.endPage(); err != nil {
			return err
		}
	} else {
		for _, k := range c.index {
			c.values = appendPlain(c.values, c.terms.value(int(k)))
		}
		c.index = c.index[:0]
		c.terms.clear()
	}
	c.terms.on = false
	return nil
}

// endPage encodes the current page.
func (c *columnWriter) endPage() error {
	if c.rows == 0 {
		return nil
	}
	c.raw = c.raw[:0]
	if c.optional {
		c.raw = c.appendLevels(c.raw)
	}
	enc := format.Plain
	if c.terms.on {
		enc = format.RLEDictionary
		width := max(indexBits(c.terms.len()), 1)
		c.raw = appendIndices(append(c.raw, byte(width)), c.index, width)
		c.codedPages++
	} else {
		c.raw = append(c.raw, c.values...)
		c.plainPages++
	}
	h := pageHeader{Type: format.DataPage, Data: thrift.New(dataHeader{
		NumValues: int32(c.rows),
		Encoding:  enc,
		DefLevels: format.RLE,
		RepLevels: format.RLE,
	})}
	var err error
	c.pages, err = c.appendPage(c.pages, &h)
	c.nullCount += int64(c.nulls)
	c.rows, c.nulls, c.count = 0, 0, 0
	c.values, c.index = c.values[:0], c.index[:0]
	return err
}

// appendLevels encodes the validity bitmap: one repeated run if all rows are alike,
// else one bit-packed run, which is the bitmap itself.
func (c *columnWriter) appendLevels(dst []byte) []byte {
	start := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	switch c.nulls {
	case 0:
		dst = append(binary.AppendUvarint(dst, uint64(c.rows)<<1), 1)
	case c.rows:
		dst = append(binary.AppendUvarint(dst, uint64(c.rows)<<1), 0)
	default:
		size := (c.rows + 7) / 8
		bitutil.SetBitsTo(c.valid, int64(c.rows), int64(size*8-c.rows), false)
		dst = append(binary.AppendUvarint(dst, uint64(size)<<1|1), c.valid[:size]...)
	}
	binary.LittleEndian.PutUint32(dst[start:], uint32(len(dst)-start-4))
	return dst
}

// appendPage compresses what is in raw and appends it behind its header.
func (c *columnWriter) appendPage(dst []byte, h *pageHeader) ([]byte, error) {
	if len(c.raw) > defaultMaxPage {
		return dst, tooLarge("a page of %d bytes", len(c.raw))
	}
	body := c.raw
	if c.codec.CompressionCodec() != format.Uncompressed {
		var err error
		if c.packed, err = c.codec.Encode(c.packed[:cap(c.packed)], c.raw); err != nil {
			return dst, err
		}
		body = c.packed
	}
	h.Uncompressed, h.Compressed = int32(len(c.raw)), int32(len(body))
	h.CRC = thrift.New(int32(crc32.ChecksumIEEE(body)))
	head, err := thrift.Marshal(&compact, h)
	if err != nil {
		return dst, err
	}
	c.uncompressed += int64(len(head) + len(c.raw))
	return append(append(dst, head...), body...), nil
}

// close ends the chunk: the last page, and the dictionary that goes before all others.
func (c *columnWriter) close() error {
	if c.rows > 0 {
		if err := c.endPage(); err != nil {
			return err
		}
	}
	if c.codedPages == 0 {
		return nil
	}
	c.raw = c.raw[:0]
	for i := range c.terms.len() {
		c.raw = appendPlain(c.raw, c.terms.value(i))
	}
	h := pageHeader{Type: format.DictionaryPage, Dict: thrift.New(format.DictionaryPageHeader{
		NumValues: int32(c.terms.len()),
		Encoding:  format.Plain,
	})}
	var err error
	c.dictPage, err = c.appendPage(c.dictPage, &h)
	return err
}

// metadata describes the finished chunk, which starts at offset off.
func (c *columnWriter) metadata(rows, off int64) format.ColumnMetaData {
	m := format.ColumnMetaData{
		Type:                  c.element.Type.V,
		PathInSchema:          []string{c.element.Name},
		Codec:                 c.codec.CompressionCodec(),
		NumValues:             rows,
		TotalUncompressedSize: c.uncompressed,
		TotalCompressedSize:   int64(len(c.dictPage) + len(c.pages)),
		DataPageOffset:        off + int64(len(c.dictPage)),
	}
	add := func(page format.PageType, e format.Encoding, n int32) {
		m.EncodingStats = append(m.EncodingStats, format.PageEncodingStats{PageType: page, Encoding: e, Count: n})
		if !slices.Contains(m.Encoding, e) {
			m.Encoding = append(m.Encoding, e)
		}
	}
	if c.codedPages > 0 {
		m.DictionaryPageOffset = off
		add(format.DictionaryPage, format.Plain, 1)
		add(format.DataPage, format.RLEDictionary, c.codedPages)
	}
	if c.plainPages > 0 {
		add(format.DataPage, format.Plain, c.plainPages)
	}
	if c.optional {
		m.Encoding = append(m.Encoding, format.RLE)
	}
	m.Statistics.NullCount = c.nullCount
	m.Statistics.MinValue, m.Statistics.MaxValue = c.bounds.encode()
	return m
}

// reset makes ready for the next chunk.
func (c *columnWriter) reset() {
	c.dictPage, c.pages = c.dictPage[:0], c.pages[:0]
	c.uncompressed, c.plainPages, c.codedPages, c.nullCount = 0, 0, 0, 0
	c.terms.clear()
	c.terms.on = c.terms.text
	c.bounds.init(c.element)
}

func (c *columnWriter) free() { c.terms.forget() }

// appendPlain appends a byte array with its length in front.
func appendPlain(dst, b []byte) []byte {
	return append(binary.LittleEndian.AppendUint32(dst, uint32(len(b))), b...)
}

// appendIndices encodes indices as runs: eight or more equal ones as a repeated run,
// all else bit-packed in groups of eight.
func appendIndices(dst []byte, index []int32, width int) []byte {
	for start := 0; start < len(index); {
		packed := start
		for packed < len(index) && repeats(index[packed:]) < 8 {
			packed = min(packed+8, len(index))
		}
		if packed > start {
			dst = appendPacked(dst, index[start:packed], width)
			start = packed
			continue
		}
		n := repeats(index[start:])
		dst = binary.AppendUvarint(dst, uint64(n)<<1)
		for k := 0; k < width; k += 8 {
			dst = append(dst, byte(index[start]>>k))
		}
		start += n
	}
	return dst
}

// repeats returns how often the first index comes in a row.
func repeats(index []int32) int {
	n := 1
	for n < len(index) && index[n] == index[0] {
		n++
	}
	return n
}

func appendPacked(dst []byte, index []int32, width int) []byte {
	groups := (len(index) + 7) / 8
	dst = binary.AppendUvarint(dst, uint64(groups)<<1|1)
	var word uint64
	bits := 0
	for i := range groups * 8 {
		if i < len(index) {
			word |= uint64(index[i]) << bits
		}
		for bits += width; bits >= 8; bits -= 8 {
			dst = append(dst, byte(word))
			word >>= 8
		}
	}
	return dst
}
