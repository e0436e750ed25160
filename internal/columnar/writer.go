package columnar

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// Options tune the files that a [Writer] makes. The zero value is good.
type Options struct {
	RowGroup    int    // rows in a row group; 0 means 131 072
	Compression string // "zstd" (also ""), "snappy", "gzip", "lz4" or "none"
}

const (
	defaultRowGroup = 131072

	// createdBy is the same for every build, so that the same values are the same
	// bytes. Readers parse it: name, version, build.
	createdBy = "headgate version 1 (build columnar)"
)

// ErrClosed means that a writer was used after Close or after an error.
var ErrClosed = errors.New("columnar: writer is closed")

// A Writer writes one Parquet file. It holds one compressed row group in memory.
// The bytes depend on schema, options and values alone, not on how the rows were
// cut into records. It is not safe for concurrent use.
type Writer struct {
	w        io.Writer
	off      int64
	schema   *arrow.Schema
	elements []format.SchemaElement
	columns  []*columnWriter
	rowGroup int
	rows     int // in the current row group
	total    int64
	groups   []format.RowGroup
	err      error
}

// Create starts a Parquet file on w. Types that Parquet has no flat column for are
// [ErrUnsupported], named in an [*Error].
//
// Strings are dictionary-coded as long as that pays; a field of type
// dictionary<…, utf8> and one of type utf8 are the same thing. Every page has a
// checksum, every column chunk has statistics. The schema's metadata become the
// file's key-value pairs, in their order.
func Create(w io.Writer, schema *arrow.Schema, o *Options) (*Writer, error) {
	if o == nil {
		o = &Options{}
	}
	codec, err := lookupCodec(o.Compression)
	if err != nil {
		return nil, &Error{RowGroup: -1, Err: err}
	}
	wr := &Writer{w: w, schema: schema, rowGroup: o.RowGroup}
	if wr.rowGroup <= 0 {
		wr.rowGroup = defaultRowGroup
	}
	for i, f := range schema.Fields() {
		if k := schema.FieldIndices(f.Name)[0]; k != i {
			return nil, &Error{RowGroup: -1, Column: f.Name, Err: unsupported("two columns of one name")}
		}
		e, err := makeElement(f)
		if err != nil {
			return nil, &Error{RowGroup: -1, Column: f.Name, Err: err}
		}
		wr.elements = append(wr.elements, e)
	}
	for i := range wr.elements {
		wr.columns = append(wr.columns, newColumnWriter(&wr.elements[i], codec))
	}
	return wr, wr.emit([]byte("PAR1"))
}

func lookupCodec(name string) (compress.Codec, error) {
	codecs := map[string]compress.Codec{
		"":       &parquet.Zstd,
		"zstd":   &parquet.Zstd,
		"snappy": &parquet.Snappy,
		"gzip":   &parquet.Gzip,
		"lz4":    &parquet.Lz4Raw,
		"none":   &parquet.Uncompressed,
	}
	if c, ok := codecs[name]; ok {
		return c, nil
	}
	return nil, unsupported("compression %q; use zstd, snappy, gzip, lz4 or none", name)
}

func (w *Writer) emit(b []byte) error {
	n, err := w.w.Write(b)
	w.off += int64(n)
	if err != nil {
		return fmt.Errorf("columnar: write at offset %d: %w", w.off, err)
	}
	return nil
}

// Write appends the rows of a record, whose columns must be those of the schema in
// name, order and type; only strings may come plain or as a dictionary. A null in
// a field that is not nullable is an error. After an error the file is unusable.
func (w *Writer) Write(rec arrow.Record) error {
	if w.err != nil {
		return w.err
	}
	if err := w.write(rec); err != nil {
		w.err = ErrClosed
		return err
	}
	return nil
}

func (w *Writer) write(rec arrow.Record) error {
	if err := w.fits(rec.Schema()); err != nil {
		return err
	}
	n := int(rec.NumRows())
	for from := 0; from < n; {
		// Steps end at the same rows however the records were cut.
		step := min(n-from, stepRows-w.rows%stepRows, w.rowGroup-w.rows)
		for i, c := range w.columns {
			if err := c.append(rec.Column(i), from, step); err != nil {
				return &Error{RowGroup: len(w.groups), Column: c.element.Name, Err: err}
			}
		}
		from += step
		w.rows += step
		if w.rows == w.rowGroup {
			if err := w.flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

// fits checks a record's schema against the file's.
func (w *Writer) fits(s *arrow.Schema) error {
	if s.NumFields() != w.schema.NumFields() {
		return &Error{RowGroup: -1, Err: fmt.Errorf("a record of %d columns for a file of %d", s.NumFields(), w.schema.NumFields())}
	}
	for i, have := range s.Fields() {
		want := w.schema.Field(i)
		if have.Name != want.Name {
			return &Error{RowGroup: -1, Column: want.Name, Err: fmt.Errorf("the record has %q in its place", have.Name)}
		}
		if !arrow.TypeEqual(have.Type, want.Type) && !(isText(have.Type) && isText(want.Type)) {
			return &Error{RowGroup: -1, Column: want.Name, Err: fmt.Errorf("the record has type %s, the file %s", have.Type, want.Type)}
		}
	}
	return nil
}

func isText(t arrow.DataType) bool {
	if d, ok := t.(*arrow.DictionaryType); ok {
		t = d.ValueType
	}
	return t.ID() == arrow.STRING || t.ID() == arrow.LARGE_STRING
}

// flush ends the current row group and writes it out.
func (w *Writer) flush() error {
	if w.rows == 0 {
		return nil
	}
	if len(w.groups) == math.MaxInt16 {
		return &Error{RowGroup: len(w.groups), Err: unsupported("more than %d row groups", math.MaxInt16)}
	}
	g := format.RowGroup{NumRows: int64(w.rows), FileOffset: w.off, Ordinal: int16(len(w.groups))}
	for _, c := range w.columns {
		if err := c.close(); err != nil {
			return &Error{RowGroup: len(w.groups), Column: c.element.Name, Err: err}
		}
		m := c.metadata(int64(w.rows), w.off)
		g.TotalByteSize += m.TotalUncompressedSize
		g.TotalCompressedSize += m.TotalCompressedSize
		for _, b := range [][]byte{c.dictPage, c.pages} {
			if err := w.emit(b); err != nil {
				return err
			}
		}
		g.Columns = append(g.Columns, format.ColumnChunk{MetaData: m})
		c.reset()
	}
	w.groups = append(w.groups, g)
	w.total += int64(w.rows)
	w.rows = 0
	return nil
}

// Close writes what is left and the footer. It does not close the io.Writer.
// Closing again returns [ErrClosed], so a deferred Close does no harm.
func (w *Writer) Close() error {
	if w.err != nil {
		return w.err
	}
	w.err = ErrClosed
	defer func() {
		for _, c := range w.columns {
			c.free()
		}
	}()
	if err := w.flush(); err != nil {
		return err
	}
	root := format.SchemaElement{Name: "schema", NumChildren: thrift.New(int32(len(w.elements)))}
	meta := format.FileMetaData{
		Version:   2,
		Schema:    append([]format.SchemaElement{root}, w.elements...),
		NumRows:   w.total,
		RowGroups: w.groups,
		CreatedBy: createdBy,
	}
	for i, key := range w.schema.Metadata().Keys() {
		meta.KeyValueMetadata = append(meta.KeyValueMetadata, format.KeyValue{Key: key, Value: w.schema.Metadata().Values()[i]})
	}
	if meta.RowGroups == nil {
		meta.RowGroups = []format.RowGroup{}
	}
	for range w.elements {
		meta.ColumnOrders = append(meta.ColumnOrders, format.ColumnOrder{Value: &format.TypeDefinedOrder{}})
	}
	b, err := thrift.Marshal(&compact, &meta)
	if err != nil {
		return fmt.Errorf("columnar: footer: %w", err)
	}
	b = binary.LittleEndian.AppendUint32(b, uint32(len(b)))
	return w.emit(append(b, "PAR1"...))
}
