package columnar

import (
	"hash/crc32"

	"github.com/parquet-go/parquet-go/format"
)

// A chunk decodes the pages of one column chunk, one after the other.
type chunk struct {
	col     *column
	codec   format.CompressionCodec
	src     *stream
	maxPage int64
	rows    int // of the row group that no page has brought yet
	done    int // rows that records have

	header pageHeader
	page   scratch // the decompressed page
	dict   dictionary

	// The current page. Values are dense: nulls have none.
	left  int    // rows not yet handed out
	row   int    // rows handed out
	valid []byte // a bit for each row; nil if none is null
	value int    // values handed out
	vals  values
	bits  scratch // holds valid
	index scratch // indices into the dictionary, for one record
}

// values are the non-null values of a page, in one of four shapes.
type values struct {
	coded bool // indices into the dictionary
	index runs
	fixed []byte  // Arrow values of a fixed width
	bools []byte  // a bitmap
	bytes byteRun // byte arrays
	count int

	first, second, third scratch // room for decoding
	prefixes             []int64
}

const (
	firstHeader = 1 << 10 // most page headers are far smaller
	maxHeader   = 16 << 20
	maxPageRows = 1 << 28 // repeated runs are tiny, whatever they claim
)

// nextPage decodes pages until one has rows.
func (c *chunk) nextPage() error {
	for c.left == 0 {
		if c.src.left() == 0 {
			return corrupt("the pages end with %d rows missing", c.rows)
		}
		if err := c.readHeader(); err != nil {
			return err
		}
		h := &c.header
		if h.Compressed < 0 || h.Uncompressed < 0 {
			return corrupt("a page of %d bytes, %d uncompressed", h.Compressed, h.Uncompressed)
		}
		if int64(h.Uncompressed) > c.maxPage || int64(h.Compressed) > c.maxPage {
			return tooLarge("a page of %d bytes, %d uncompressed, where %d are allowed", h.Compressed, h.Uncompressed, c.maxPage)
		}
		raw, err := c.src.next(int(h.Compressed))
		if err != nil {
			return err
		}
		if h.CRC.Valid && uint32(h.CRC.V) != crc32.ChecksumIEEE(raw) {
			return corrupt("page checksum %08x, not %08x", crc32.ChecksumIEEE(raw), uint32(h.CRC.V))
		}
		if err := c.decodePage(raw); err != nil {
			return err
		}
	}
	return nil
}

// finish checks that the pages ended together with the row group. A header that
// lies about its values is found here at the latest.
func (c *chunk) finish() (err error) {
	defer guard(&err)
	if c.left != 0 || c.rows != 0 {
		return corrupt("%d rows missing", c.rows)
	}
	for c.src.left() > 0 {
		if err := c.readHeader(); err != nil {
			return err
		}
		h := &c.header
		if h.Data.V.NumValues != 0 || h.DataV2.V.NumValues != 0 || h.Compressed < 0 {
			return corrupt("pages after the last row")
		}
		if _, err := c.src.next(int(h.Compressed)); err != nil {
			return err
		}
	}
	return nil
}

func (c *chunk) readHeader() error {
	for size := firstHeader; ; size *= 16 {
		b, err := c.src.peek(size)
		if err != nil {
			return err
		}
		c.header = pageHeader{}
		n, err := decodeThrift(b, &c.header)
		if err == nil {
			_, err = c.src.next(n)
			return err
		}
		if len(b) < size || size >= maxHeader {
			return corrupt("page header: %v", err)
		}
	}
}

func (c *chunk) free() {
	if c.src != nil {
		c.src.close()
	}
	for _, s := range []*scratch{&c.page, &c.bits, &c.index, &c.vals.first, &c.vals.second, &c.vals.third, &c.dict.page, &c.dict.room} {
		s.free()
	}
	c.dict.release()
}
