package columnar

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/ipc"
)

// TestForeignFiles reads small files of other writers, made by testdata/peers.py.
func TestForeignFiles(t *testing.T) {
	compareFolder(t, "testdata")
}

// compareFolder reads each Parquet file of a folder in several ways and compares it
// with the Arrow file beside it.
func compareFolder(t *testing.T, folder string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.parquet"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files in %s (%v)", folder, err)
	}
	for _, path := range files {
		if strings.HasPrefix(filepath.Base(path), "encrypted") {
			continue
		}
		t.Run(filepath.Base(path), func(t *testing.T) {
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			want := readIPC(t, strings.TrimSuffix(path, ".parquet")+".arrow")
			defer want.Release()
			for _, o := range []OpenOptions{{Name: path}, {Name: path, Remote: true}} {
				f := openBytes(t, b, &o)
				compareSchema(t, f, want.Schema())
				compare(t, f, ReadOptions{}, want)
				compare(t, f, ReadOptions{Rows: 17}, want)
				compareStats(t, f, want)
			}
		})
	}
}

func compareSchema(t *testing.T, f *File, want *arrow.Schema) {
	t.Helper()
	if f.Schema().NumFields() != want.NumFields() {
		t.Fatalf("columns %v, want %v", f.Schema(), want)
	}
	for i, w := range want.Fields() {
		g := f.Schema().Field(i)
		if g.Name != w.Name || !arrow.TypeEqual(g.Type, w.Type) {
			t.Errorf("column %d is %s %s, want %s %s", i, g.Name, g.Type, w.Name, w.Type)
		}
	}
}

// compareStats checks that no value lies outside the bounds and that nulls are counted right.
func compareStats(t *testing.T, f *File, want arrow.Record) {
	t.Helper()
	row := int64(0)
	for g, group := range f.RowGroups() {
		for i, field := range want.Schema().Fields() {
			st, ok := group.Columns[field.Name]
			if !ok {
				t.Fatalf("row group %d: no statistics of %s", g, field.Name)
			}
			part := array.NewSlice(want.Column(i), row, row+group.Rows)
			if st.Nulls >= 0 && st.Nulls != int64(part.NullN()) && field.Type.ID() != arrow.NULL {
				t.Errorf("row group %d, %s: %d nulls, want %d", g, field.Name, st.Nulls, part.NullN())
			}
			for r := range part.Len() {
				x := boundValue(part, r)
				if x != nil && st.Min != nil && (after(st.Min, x) || after(x, st.Max)) {
					t.Errorf("row group %d, %s: %v is not in [%v, %v]", g, field.Name, x, st.Min, st.Max)
				}
			}
			part.Release()
		}
		row += group.Rows
	}
}

// boundValue returns a value as ColumnStats would have it, for the types that matter.
func boundValue(a arrow.Array, i int) any {
	if a.IsNull(i) {
		return nil
	}
	switch a := a.(type) {
	case *array.Boolean:
		return a.Value(i)
	case *array.Int8:
		return int64(a.Value(i))
	case *array.Int64:
		return a.Value(i)
	case *array.Uint32:
		return uint64(a.Value(i))
	case *array.Uint64:
		return a.Value(i)
	case *array.Float32:
		return float64(a.Value(i))
	case *array.Float64:
		return a.Value(i)
	case *array.Date32:
		return int64(a.Value(i))
	case *array.Timestamp:
		return int64(a.Value(i))
	case *array.Decimal128:
		return a.Value(i)
	case *array.Decimal256:
		return a.Value(i)
	case *array.String:
		return a.Value(i)
	}
	return nil
}

func readIPC(t *testing.T, path string) arrow.Record {
	t.Helper()
	in, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	r, err := ipc.NewFileReader(in)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if r.NumRecords() == 0 {
		return array.NewRecord(r.Schema(), emptyColumns(r.Schema()), 0)
	}
	rec, err := r.RecordAt(0)
	if err != nil || r.NumRecords() != 1 {
		t.Fatalf("%s: %d records (%v)", path, r.NumRecords(), err)
	}
	return rec
}

func emptyColumns(s *arrow.Schema) []arrow.Array {
	arrays := make([]arrow.Array, s.NumFields())
	for i, f := range s.Fields() {
		arrays[i] = makeValues(f, 0, nil, nil)
	}
	return arrays
}
