package pass

import (
	"slices"

	"github.com/apache/arrow/go/v17/arrow"

	"headgate/internal/columnar"
)

// A table is a Parquet file in memory that begins with its first record.
type table struct {
	compression string
	want, rows  int64 // rows that are expected at most, or 0, and rows so far
	reserved    bool
	data        []byte
	w           *columnar.Writer
}

func newTable(want int64, compression string) *table {
	return &table{want: want, compression: compression}
}

// Write appends bytes of the file.
func (t *table) Write(b []byte) (int, error) {
	t.data = append(t.data, b...)
	return len(b), nil
}

func (t *table) write(rec arrow.Record) error {
	if t.w == nil {
		w, err := columnar.Create(t, rec.Schema(), &columnar.Options{Compression: t.compression})
		if err != nil {
			return err
		}
		t.w = w
	}
	before := len(t.data)
	if err := t.w.Write(rec); err != nil {
		return err
	}
	t.rows += rec.NumRows()
	if !t.reserved && len(t.data) > before {
		t.reserve()
	}
	return nil
}

// reserve makes room for the file when its first row group shows how many bytes a
// row takes. A file that grew step by step would be copied again and again, and the
// copies would take more memory than all the rest.
func (t *table) reserve() {
	t.reserved = true
	if left := t.want - t.rows; left > 0 {
		size := int64(len(t.data)) * left / t.rows
		t.data = slices.Grow(t.data, int(size+size/16)) // row groups differ a little
	}
}

// close returns the file, or nil if nothing was written.
func (t *table) close() ([]byte, error) {
	if t.w == nil {
		return nil, nil
	}
	if err := t.w.Close(); err != nil {
		return nil, err
	}
	return t.data, nil
}
