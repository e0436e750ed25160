package columnar

import (
	"errors"
	"io"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/parquet-go/parquet-go/format"
)

// OpenOptions tune how a file is read. The zero value is good for local files.
type OpenOptions struct {
	Name   string // for error messages
	Remote bool   // reads are slow to start: coalesce them, fetch in parallel and ahead

	// InFlight bounds the compressed bytes that a remote file keeps in memory at
	// once, for each running [File.Records]; 0 means 128 MiB. A row group whose
	// columns need more is read through one window for each column instead; a
	// window is at least 64 KiB and grows to the largest page that it meets.
	InFlight int64

	// MaxPage bounds the bytes of one page, compressed or not; 0 means 256 MiB.
	MaxPage int64
}

const (
	defaultInFlight = 128 << 20
	defaultMaxPage  = 256 << 20
)

// A File is an open Parquet file. It is safe for concurrent use if its reader is.
type File struct {
	name   string
	r      io.ReaderAt
	size   int64
	opts   OpenOptions
	footer *footer
	digest [32]byte
	layout *layout
	schema *arrow.Schema
}

// Open reads the footer of the Parquet file of size bytes behind r: with one read
// if the footer is shorter than 64 KiB, else with two. Everything wrong with a
// file is an [*Error].
func Open(r io.ReaderAt, size int64, o *OpenOptions) (*File, error) {
	f := &File{r: r, size: size}
	if o != nil {
		f.opts = *o
	}
	f.name = f.opts.Name
	if f.opts.InFlight <= 0 {
		f.opts.InFlight = defaultInFlight
	}
	if f.opts.MaxPage <= 0 {
		f.opts.MaxPage = defaultMaxPage
	}
	var err error
	if f.footer, f.digest, err = readFooter(r, size); err != nil {
		return nil, f.wrap(-1, "", err)
	}
	if f.layout, err = makeLayout(f.footer); err != nil {
		return nil, f.wrap(-1, "", err)
	}
	if err := f.checkGroups(); err != nil {
		return nil, err
	}
	fields := make([]arrow.Field, len(f.layout.columns))
	for i := range fields {
		fields[i] = f.layout.columns[i].field
	}
	f.schema = arrow.NewSchema(fields, nil)
	return f, nil
}

// wrap adds where it happened.
func (f *File) wrap(group int, column string, err error) error {
	var e *Error
	if errors.As(err, &e) {
		e.Name = f.name
		return e
	}
	return &Error{Name: f.name, RowGroup: group, Column: column, Err: err}
}

func (f *File) checkGroups() error {
	left := f.footer.NumRows
	for i := range f.footer.RowGroups {
		g := &f.footer.RowGroups[i]
		if len(g.Columns) != f.layout.leaves {
			return f.wrap(i, "", corrupt("%d column chunks for %d columns", len(g.Columns), f.layout.leaves))
		}
		if g.NumRows < 0 || g.NumRows > left {
			return f.wrap(i, "", corrupt("%d rows in a file of %d", g.NumRows, f.footer.NumRows))
		}
		left -= g.NumRows
	}
	if left != 0 {
		return f.wrap(-1, "", corrupt("the row groups lack %d of %d rows", left, f.footer.NumRows))
	}
	return nil
}

// A place is where a column chunk lies in the file.
type place struct {
	off, length int64
}

// locate finds a chunk and checks what the footer says of it.
func (f *File) locate(group int, c *column) (*columnMeta, place, error) {
	g := &f.footer.RowGroups[group]
	ch := &g.Columns[c.leaf]
	m := &ch.Meta
	if ch.Crypto.Value != nil || ch.Encrypted != nil {
		return nil, place{}, f.wrap(group, c.name, ErrEncrypted)
	}
	if ch.FilePath != "" {
		return nil, place{}, f.wrap(group, c.name, unsupported("the column is in another file, %q", ch.FilePath))
	}
	p := place{off: m.DataOffset, length: m.Compressed}
	if m.DictOffset > 0 && m.DictOffset < p.off {
		p.off = m.DictOffset
	}
	switch {
	case m.Type != c.physical:
		return nil, p, f.wrap(group, c.name, corrupt("the chunk has type %s, the schema %s", m.Type, c.physical))
	case m.NumValues != g.NumRows:
		return nil, p, f.wrap(group, c.name, corrupt("%d values for %d rows", m.NumValues, g.NumRows))
	case p.length < 0 || p.off < magicSize || p.off > f.size || p.length > f.size-p.off:
		return nil, p, f.wrap(group, c.name, corrupt("the chunk is said to have %d bytes at offset %d, in a file of %d", p.length, p.off, f.size))
	}
	return m, p, nil
}

// Schema returns the flat columns, in the order of the file. Strings are utf8 here;
// records may bring them as dictionary<int32, utf8>.
func (f *File) Schema() *arrow.Schema { return f.schema }

// Nested returns the names of the columns that are lists, maps or structs.
func (f *File) Nested() []string { return f.layout.nested }

// NumRows returns the rows of all row groups.
func (f *File) NumRows() int64 { return f.footer.NumRows }

// FooterDigest returns the SHA-256 of the footer's thrift bytes. Footers hold sizes,
// offsets and statistics, so it pins a file cheaply, though not its values.
func (f *File) FooterDigest() [32]byte { return f.digest }

// A RowGroup is what the footer says of one row group.
type RowGroup struct {
	Rows    int64
	Bytes   int64                  // compressed, all columns
	Columns map[string]ColumnStats // flat columns
}

// ColumnStats are the footer's statistics of one column in one row group.
type ColumnStats struct {
	Nulls int64 // -1 if the file does not say
	Bytes int64 // compressed

	// Min and Max bound the values from below and above. They are nil if the file
	// has none, or none that can be trusted. They are not always values of the
	// column, because writers may shorten long strings; NaN is never counted.
	//
	// Types: bool; int64 for signed integers, dates (in days), times and timestamps
	// (in their unit); uint64; float64; string for utf8; [decimal128.Num];
	// [decimal256.Num].
	Min, Max any
}

// RowGroups returns what the footer says, without reading any row.
func (f *File) RowGroups() []RowGroup {
	groups := make([]RowGroup, len(f.footer.RowGroups))
	for i := range groups {
		g := &f.footer.RowGroups[i]
		groups[i] = RowGroup{Rows: g.NumRows, Columns: make(map[string]ColumnStats, len(f.layout.columns))}
		for k := range g.Columns {
			groups[i].Bytes += g.Columns[k].Meta.Compressed
		}
		for k := range f.layout.columns {
			c := &f.layout.columns[k]
			groups[i].Columns[c.name] = c.stats(g)
		}
	}
	return groups
}

// A Description tells a person how a file is laid out.
type Description struct {
	CreatedBy string
	Rows      int64
	Bytes     int64
	Nested    []string
	Columns   []ColumnDescription
}

// A ColumnDescription sums one flat column up over all row groups.
type ColumnDescription struct {
	Name         string
	Physical     string // type and, for fixed-length bytes, length
	Type         string // Arrow's name
	Optional     bool
	Encodings    []string // in order of appearance, levels included
	Compression  []string
	Compressed   int64 // bytes
	Uncompressed int64 // bytes
	Encrypted    bool
}

// Describe returns how the file is laid out, from the footer alone.
func (f *File) Describe() Description {
	d := Description{CreatedBy: f.footer.CreatedBy, Rows: f.footer.NumRows, Bytes: f.size, Nested: f.layout.nested}
	for i := range f.layout.columns {
		d.Columns = append(d.Columns, f.describeColumn(&f.layout.columns[i]))
	}
	return d
}

func (f *File) describeColumn(c *column) ColumnDescription {
	d := ColumnDescription{Name: c.name, Physical: c.physical.String(), Type: c.field.Type.String(), Optional: c.optional}
	if c.physical == format.FixedLenByteArray {
		d.Physical = physicalName(c)
	}
	encodings, codecs := map[string]bool{}, map[string]bool{}
	for i := range f.footer.RowGroups {
		ch := &f.footer.RowGroups[i].Columns[c.leaf]
		d.Encrypted = d.Encrypted || ch.Crypto.Value != nil || ch.Encrypted != nil
		d.Compressed += ch.Meta.Compressed
		d.Uncompressed += ch.Meta.Uncompressed
		for _, e := range ch.Meta.Encodings {
			d.Encodings = appendNew(d.Encodings, encodings, e.String())
		}
		d.Compression = appendNew(d.Compression, codecs, ch.Meta.Codec.String())
	}
	return d
}

func appendNew(list []string, seen map[string]bool, s string) []string {
	if seen[s] {
		return list
	}
	seen[s] = true
	return append(list, s)
}
