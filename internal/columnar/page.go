package columnar

import (
	"encoding/binary"

	"github.com/apache/arrow/go/v17/arrow/bitutil"
	"github.com/parquet-go/parquet-go/format"
)

func (c *chunk) decodePage(raw []byte) error {
	h := &c.header
	switch {
	case h.Type == format.DictionaryPage && h.Dict.Valid:
		return c.decodeDictionary(raw)
	case h.Type == format.DataPage && h.Data.Valid:
		return c.decodeV1(raw)
	case h.Type == format.DataPageV2 && h.DataV2.Valid:
		return c.decodeV2(raw)
	case h.Type == format.IndexPage:
		return nil
	}
	return corrupt("a page of type %d without its header", h.Type)
}

// begin starts a page of n rows.
func (c *chunk) begin(n int32) error {
	if n < 0 || int64(n) > int64(c.rows) {
		return corrupt("a page of %d rows where %d are missing", n, c.rows)
	}
	if n > maxPageRows {
		return tooLarge("a page of %d rows, where %d are allowed", n, maxPageRows)
	}
	c.rows -= int(n)
	c.left, c.row, c.value = int(n), 0, 0
	c.valid = nil
	return nil
}

func (c *chunk) decodeV1(raw []byte) error {
	h := &c.header.Data.V
	if err := c.begin(h.NumValues); err != nil {
		return err
	}
	data, err := c.inflate(raw, int(c.header.Uncompressed), &c.page)
	if err != nil {
		return err
	}
	if !c.col.optional {
		return c.decodeValues(h.Encoding, c.left, data)
	}
	n := c.left
	switch h.DefLevels {
	case format.RLE:
		if len(data) < 4 || uint64(binary.LittleEndian.Uint32(data)) > uint64(len(data)-4) {
			return corrupt("levels are cut short")
		}
		end := 4 + int(binary.LittleEndian.Uint32(data))
		if err := c.levels(n, data[4:end], decodeBits); err != nil {
			return err
		}
		data = data[end:]
	case format.BitPacked:
		if err := c.levels(n, data, reverseBits); err != nil {
			return err
		}
		data = data[(n+7)/8:]
	default:
		return unsupported("levels encoded as %s", h.DefLevels)
	}
	return c.decodeValues(h.Encoding, c.present(n), data)
}

func (c *chunk) decodeV2(raw []byte) error {
	h := &c.header.DataV2.V
	if err := c.begin(h.NumValues); err != nil {
		return err
	}
	n, rep, def := c.left, int(h.RepBytes), int(h.DefBytes)
	if rep < 0 || def < 0 || rep > len(raw) || def > len(raw)-rep || h.NumNulls < 0 || int(h.NumNulls) > n {
		return corrupt("levels are cut short")
	}
	levels, body := raw[rep:rep+def], raw[rep+def:]
	switch {
	case c.col.optional && def > 0:
		if err := c.levels(n, levels, decodeBits); err != nil {
			return err
		}
	case c.col.optional && h.NumNulls > 0:
		if int(h.NumNulls) != n {
			return corrupt("nulls without levels")
		}
		c.valid = c.bits.take((n + 7) / 8)
		clear(c.valid)
	}
	present := c.present(n)
	if n-present != int(h.NumNulls) {
		return corrupt("%d nulls, not %d", n-present, h.NumNulls)
	}
	if h.IsCompressed.Valid && !h.IsCompressed.V {
		if len(body) != int(c.header.Uncompressed)-rep-def {
			return corrupt("a page of %d bytes, %d uncompressed", len(raw), c.header.Uncompressed)
		}
		return c.decodeValues(h.Encoding, present, body)
	}
	size := int(c.header.Uncompressed) - rep - def
	if size < 0 {
		return corrupt("levels are cut short")
	}
	if len(body) == 0 && size == 0 {
		return c.decodeValues(h.Encoding, present, nil)
	}
	data, err := c.inflate(body, size, &c.page)
	if err != nil {
		return err
	}
	return c.decodeValues(h.Encoding, present, data)
}

// levels decodes definition levels 0 and 1 into the bitmap of the page.
func (c *chunk) levels(n int, src []byte, decode func([]byte, int, []byte) error) error {
	c.valid = c.bits.take((n + 7) / 8)
	return decode(c.valid, n, src)
}

// present counts the values among n rows.
func (c *chunk) present(n int) int {
	if c.valid == nil {
		return n
	}
	present := bitutil.CountSetBits(c.valid, 0, n)
	if present == n {
		c.valid = nil
	}
	return present
}

// inflate decompresses src, or returns it as it is.
func (c *chunk) inflate(src []byte, size int, room *scratch) ([]byte, error) {
	if c.codec == format.Uncompressed {
		if len(src) != size {
			return nil, corrupt("a page of %d bytes, %d uncompressed", len(src), size)
		}
		return src, nil
	}
	dst := room.take(size)
	return dst, decompress(c.codec, dst, src)
}
