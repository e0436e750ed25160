package profile

import (
	"bytes"
	"encoding"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
)

// ErrFormat means that bytes are not what MarshalBinary writes.
var ErrFormat = errors.New("profile: malformed bytes")

// magic starts every profile. The version of the format is the byte after it.
const (
	magic   = "hgprof\x00"
	version = 2
)

// kinds lists the kinds by the byte that stands for them. Append only.
var kinds = [...]Kind{Opaque, Number, Boolean, Date, Timestamp, Time, Text, Binary}

const (
	flagRestricted = 1 << iota
	flagIntegral
	flagRanged
	flagConfidential // since version 2, as all below
	flagScore
)

// A part is a piece of a column that writes and reads itself.
type part interface {
	encoding.BinaryAppender
	encoding.BinaryUnmarshaler
}

// parts lists the summaries that the column may keep in the order in which they
// are written.
func (c *Column) parts() []part {
	switch {
	case c.Restricted:
		return nil
	case c.Confidential:
		return []part{&c.Quantiles, &c.Distinct}
	}
	return []part{&c.Quantiles, &c.Distinct, &c.Frequent, &c.moments.Sum, &c.moments.Squares}
}

// counts lists the counts in the order in which they are written.
func (c *Column) counts() []*int64 {
	return []*int64{&c.Rows, &c.Nulls, &c.NaNs, &c.PosInfs, &c.NegInfs, &c.Zeros}
}

// MarshalBinary returns the profile's bytes. Equal multisets of rows give equal
// bytes. docs/formats.md describes them.
func (p *Profile) MarshalBinary() ([]byte, error) {
	b := binary.AppendUvarint(append([]byte(magic), version), uint64(p.Rows))
	b = binary.AppendUvarint(b, uint64(len(p.Columns)))
	for _, c := range p.Columns {
		var err error
		if b, err = c.append(b); err != nil {
			return nil, fmt.Errorf("column %s: %w", c.Name, err)
		}
	}
	return p.appendSlices(b)
}

// append appends the column.
func (c *Column) append(b []byte) ([]byte, error) {
	b = appendText(b, c.Name)
	b = append(b, byte(slices.Index(kinds[:], c.Kind)), c.flags())
	for _, n := range c.counts() {
		b = binary.AppendUvarint(b, uint64(*n))
	}
	if c.open() {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(c.Min))
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(c.Max))
		b = appendText(appendText(b, c.MinText), c.MaxText)
	}
	return appendParts(b, c.parts())
}

// appendParts appends summaries, each with its length.
func appendParts(b []byte, parts []part) ([]byte, error) {
	for _, part := range parts {
		data, err := part.AppendBinary(nil)
		if err != nil {
			return nil, err
		}
		b = appendText(b, string(data))
	}
	return b, nil
}

// flags returns what is true of the column.
func (c *Column) flags() (flags byte) {
	if c.Restricted {
		flags |= flagRestricted
	}
	if c.Integral {
		flags |= flagIntegral
	}
	if c.ranged {
		flags |= flagRanged
	}
	if c.Confidential {
		flags |= flagConfidential
	}
	if c.Score {
		flags |= flagScore
	}
	return flags
}

// appendText appends a text or bytes with their length.
func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// UnmarshalBinary reads what MarshalBinary wrote, of this version or of version 1,
// which had neither slices nor confidential columns. Other bytes give [ErrFormat]
// and leave p as it was. Memory is bounded by the length of data: about 64
// KiB for a column and 1 KiB for a bin at most.
func (p *Profile) UnmarshalBinary(data []byte) error {
	body, ok := bytes.CutPrefix(data, []byte(magic))
	if !ok || len(body) == 0 || body[0] < 1 || body[0] > version {
		return fmt.Errorf("%w: not a profile of version 1 to %d", ErrFormat, version)
	}
	r := &reader{data: body[1:], version: body[0]}
	out := Profile{Rows: r.count()}
	for n := r.uvarint(); n > 0 && r.err == nil; n-- {
		c := &Column{}
		c.read(r)
		if last := len(out.Columns); last > 0 && out.Columns[last-1].Name >= c.Name {
			r.fail("column %q out of order", c.Name)
		}
		out.Columns = append(out.Columns, c)
	}
	if r.version > 1 {
		out.readSlices(r)
	}
	if r.err == nil && len(r.data) > 0 {
		r.fail("%d bytes too many", len(r.data))
	}
	if r.err != nil {
		return r.err
	}
	*p = out
	return nil
}

// read reads a column.
func (c *Column) read(r *reader) {
	c.Name = r.text()
	kind, flags := r.take(1)[0], r.take(1)[0]
	if int(kind) >= len(kinds) || flags >= flagConfidential && r.version == 1 || flags >= flagScore<<1 {
		r.fail("kind %d, flags %d", kind, flags)
		return
	}
	c.Kind = kinds[kind]
	c.Restricted, c.Confidential = flags&flagRestricted != 0, flags&flagConfidential != 0
	c.Integral, c.ranged, c.Score = flags&flagIntegral != 0, flags&flagRanged != 0, flags&flagScore != 0
	for _, n := range c.counts() {
		*n = r.count()
	}
	r.within(c.Rows, c.Nulls, c.NaNs, c.PosInfs, c.NegInfs)
	if c.Restricted && (c.Confidential || c.Zeros != 0) || c.ranged && !c.open() {
		r.fail("column %q shows what it must not", c.Name)
	}
	if c.open() {
		c.Min = math.Float64frombits(binary.LittleEndian.Uint64(r.take(8)))
		c.Max = math.Float64frombits(binary.LittleEndian.Uint64(r.take(8)))
		c.MinText, c.MaxText = r.text(), r.text()
	}
	r.parts(c.parts())
}

// A reader takes values off the front of bytes. After the first failure it
// returns zeros and keeps the error.
type reader struct {
	data    []byte
	version byte
	err     error
}

// fail keeps the first error.
func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: %s", ErrFormat, fmt.Sprintf(format, args...))
	}
	r.data = nil
}

// uvarint reads an unsigned number in its shortest form.
func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.data)
	if n <= 0 || n > 1 && r.data[n-1] == 0 {
		r.fail("number at %d bytes before the end", len(r.data))
		return 0
	}
	r.data = r.data[n:]
	return v
}

// count reads a number of rows.
func (r *reader) count() int64 {
	n := r.uvarint()
	if n > math.MaxInt64 {
		r.fail("%d rows", n)
		return 0
	}
	return int64(n)
}

// take reads n ≤ 8 bytes.
func (r *reader) take(n int) []byte {
	if n > len(r.data) {
		r.fail("%d bytes wanted, %d left", n, len(r.data))
		return make([]byte, 8)
	}
	b := r.data[:n]
	r.data = r.data[n:]
	return b
}

// text reads a text or bytes with their length.
func (r *reader) text() string {
	n := r.uvarint()
	if n > uint64(len(r.data)) {
		r.fail("text of %d bytes in %d bytes", n, len(r.data))
		return ""
	}
	s := string(r.data[:n])
	r.data = r.data[n:]
	return s
}

// parts reads summaries.
func (r *reader) parts(parts []part) {
	for _, part := range parts {
		data := r.text()
		if r.err != nil {
			return
		}
		if err := part.UnmarshalBinary([]byte(data)); err != nil {
			r.fail("%v", err)
		}
	}
}

// within refuses counts that are more than the rows together.
func (r *reader) within(rows int64, counts ...int64) {
	for _, n := range counts {
		if rows -= n; rows < 0 {
			r.fail("more values than rows")
			return
		}
	}
}
