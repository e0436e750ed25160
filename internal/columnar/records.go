package columnar

import (
	"context"
	"fmt"
	"io"
	"iter"
	"slices"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/parquet-go/parquet-go/format"
)

// ReadOptions say what [File.Records] reads. The zero value is everything.
type ReadOptions struct {
	Columns    []string // in this order; nil means all flat columns
	FirstGroup int      // the first row group, from 0
	Groups     int      // how many; 0 means all that follow
	Rows       int      // rows of a record; 0 means 16 384
}

const defaultRows = 16384

// Records decodes row groups into records, in order. No record spans two row
// groups; all but the last of a group have the rows that were asked for. Memory
// depends on the columns and their pages, never on the file.
//
// A record is valid until the next iteration; Retain it to keep it. A string
// column is a dictionary<int32, utf8> as long as the pages under the record are
// dictionary-coded, and utf8 otherwise, so its type may differ from record to
// record; the dictionary is one and the same array within a row group. Null
// slots of float columns hold NaN. Strings are not checked to be valid UTF-8.
//
// After an error, which is always an [*Error] unless ctx ended, nothing follows.
func (f *File) Records(ctx context.Context, o ReadOptions) iter.Seq2[arrow.Record, error] {
	return func(yield func(arrow.Record, error) bool) {
		s, err := f.newScan(ctx, o)
		if err != nil {
			yield(nil, err)
			return
		}
		defer s.source.close()
		for g := s.first; g < s.last; g++ {
			more, err := s.group(g, yield)
			if err != nil {
				yield(nil, err)
				return
			}
			if !more {
				return
			}
		}
	}
}

// A source brings the bytes of column chunks.
type source interface {
	open(group int) ([]*stream, error) // one stream for each column; invalidates the last ones
	close()
}

// A scan is one running read.
type scan struct {
	f           *File
	ctx         context.Context
	columns     []*column
	first, last int
	rows        int
	source      source
	schema      *arrow.Schema // of the last record
}

func (f *File) newScan(ctx context.Context, o ReadOptions) (*scan, error) {
	s := &scan{f: f, ctx: ctx, first: o.FirstGroup, last: len(f.footer.RowGroups), rows: o.Rows}
	if s.rows <= 0 {
		s.rows = defaultRows
	}
	if o.FirstGroup < 0 || o.FirstGroup > s.last || o.Groups < 0 || o.Groups > s.last-o.FirstGroup {
		return nil, f.wrap(-1, "", fmt.Errorf("%d row groups from %d on, of a file with %d", o.Groups, o.FirstGroup, s.last))
	}
	if o.Groups > 0 {
		s.last = s.first + o.Groups
	}
	names := o.Columns
	if names == nil {
		for i := range f.layout.columns {
			names = append(names, f.layout.columns[i].name)
		}
	}
	for _, name := range names {
		i, ok := f.layout.byName[name]
		switch {
		case ok:
			s.columns = append(s.columns, &f.layout.columns[i])
		case slices.Contains(f.layout.nested, name):
			return nil, f.wrap(-1, name, ErrNested)
		default:
			return nil, f.wrap(-1, name, ErrColumn)
		}
	}
	if f.opts.Remote {
		s.source = newRemote(s)
	} else {
		s.source = &local{scan: s}
	}
	return s, nil
}

// group decodes one row group. It reports whether the caller wants more.
func (s *scan) group(g int, yield func(arrow.Record, error) bool) (bool, error) {
	if err := s.ctx.Err(); err != nil {
		return false, err
	}
	chunks, err := s.openChunks(g)
	defer func() {
		for _, c := range chunks {
			c.free()
		}
	}()
	if err != nil {
		return false, err
	}
	for left := s.f.footer.RowGroups[g].NumRows; left > 0; {
		if err := s.ctx.Err(); err != nil {
			return false, err
		}
		n := int(min(left, int64(s.rows)))
		rec, err := s.record(g, chunks, n)
		if err != nil {
			return false, err
		}
		left -= int64(n)
		if left == 0 {
			err = s.finish(g, chunks)
		}
		if err != nil {
			rec.Release()
			return false, err
		}
		more := yield(rec, nil)
		rec.Release()
		if !more {
			return false, nil
		}
	}
	return true, nil
}

func (s *scan) openChunks(g int) ([]*chunk, error) {
	chunks := make([]*chunk, 0, len(s.columns))
	if s.f.footer.RowGroups[g].NumRows == 0 {
		return nil, nil // such chunks may lie nowhere
	}
	for _, c := range s.columns {
		m, _, err := s.f.locate(g, c)
		if err != nil {
			return chunks, err
		}
		if m.Codec == format.Lz4 || m.Codec == format.LZO {
			return chunks, s.f.wrap(g, c.name, unsupported("compression %s; write the file with LZ4_RAW, ZSTD or SNAPPY", m.Codec))
		}
		chunks = append(chunks, &chunk{
			col:     c,
			codec:   m.Codec,
			maxPage: s.f.opts.MaxPage,
			rows:    int(m.NumValues),
		})
	}
	streams, err := s.source.open(g)
	if err != nil {
		return chunks, s.f.wrap(g, "", err)
	}
	for i, c := range chunks {
		c.src = streams[i]
	}
	return chunks, nil
}

// record decodes n rows of every column.
func (s *scan) record(g int, chunks []*chunk, n int) (arrow.Record, error) {
	arrays := make([]arrow.Array, 0, len(chunks))
	defer func() {
		for _, a := range arrays {
			a.Release()
		}
	}()
	for _, c := range chunks {
		a, err := c.read(n)
		if err != nil {
			return nil, s.f.wrap(g, c.col.name, err)
		}
		arrays = append(arrays, a)
	}
	return array.NewRecord(s.schemaOf(arrays), arrays, int64(n)), nil
}

// schemaOf returns the schema of a record, the last one again if nothing changed.
func (s *scan) schemaOf(arrays []arrow.Array) *arrow.Schema {
	same := s.schema != nil
	for i := 0; same && i < len(arrays); i++ {
		same = s.schema.Field(i).Type.ID() == arrays[i].DataType().ID()
	}
	if !same {
		fields := make([]arrow.Field, len(arrays))
		for i, a := range arrays {
			fields[i] = s.columns[i].field
			fields[i].Type = a.DataType()
		}
		s.schema = arrow.NewSchema(fields, nil)
	}
	return s.schema
}

func (s *scan) finish(g int, chunks []*chunk) error {
	for _, c := range chunks {
		if err := c.finish(); err != nil {
			return s.f.wrap(g, c.col.name, err)
		}
	}
	return nil
}

// A local source streams each chunk through a window of its own.
type local struct{ scan *scan }

const (
	maxWindow  = 1 << 20
	minWindow  = 64 << 10
	allWindows = 64 << 20 // all windows together, however many columns there are
)

func (l *local) open(g int) ([]*stream, error) {
	window := allWindows / max(len(l.scan.columns), 1)
	return windows(l.scan, g, l.scan.f.r, max(min(window, maxWindow), minWindow))
}

func (l *local) close() {}

func windows(s *scan, g int, r io.ReaderAt, window int) ([]*stream, error) {
	streams := make([]*stream, len(s.columns))
	for i, c := range s.columns {
		_, p, err := s.f.locate(g, c)
		if err != nil {
			return nil, err
		}
		streams[i] = windowed(r, p.off, p.length, window)
	}
	return streams, nil
}
