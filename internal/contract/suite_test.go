package contract_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"golang.org/x/tools/txtar"

	"headgate/internal/columnar"
	"headgate/internal/contract"
)

// suite is the conformance suite; its README says what a case looks like.
var suite = filepath.Join("..", "..", "testdata", "odcs")

// A suiteCase is one contract and one batch with the verdict that they must get.
type suiteCase struct {
	path    string // of the archive
	archive *txtar.Archive
}

// file returns a part of the archive.
func (c *suiteCase) file(t *testing.T, name string) []byte {
	t.Helper()
	data, ok := c.part(name)
	if !ok {
		t.Fatalf("%s has no part %s", c.path, name)
	}
	return data
}

// part returns a part of the archive, if it is there.
func (c *suiteCase) part(name string) ([]byte, bool) {
	for _, f := range c.archive.Files {
		if f.Name == name {
			return f.Data, true
		}
	}
	return nil, false
}

// table opens the Parquet file of the batch, or of another object, after comparing it
// with the rows in the archive.
func (c *suiteCase) table(t *testing.T, object string) *columnar.File {
	t.Helper()
	path, suffix := strings.TrimSuffix(c.path, ".txtar")+".parquet", ""
	if object != "" {
		path, suffix = strings.TrimSuffix(c.path, ".txtar")+"."+object+".parquet", " "+object
	}
	rows := c.rows(t, suffix)
	defer rows.Release()
	if *update {
		writeParquet(t, path, rows)
	}
	f := openBytes(t, readFile(t, path))
	sameRows(t, f, rows)
	return f
}

// suiteCases reads the cases. A suite without cases is no suite.
func suiteCases(t *testing.T) []*suiteCase {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(suite, "batches", "*.txtar"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no cases (%v)", err)
	}
	var cases []*suiteCase
	for _, path := range paths {
		ar, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		cases = append(cases, &suiteCase{path: path, archive: ar})
	}
	return cases
}

// Each batch of the suite gets its verdict and quarantine from its Parquet file,
// read, checked and merged as a run does it, one shard for each row group.
func TestSuite(t *testing.T) {
	for _, c := range suiteCases(t) {
		t.Run(strings.TrimSuffix(filepath.Base(c.path), ".txtar"), func(t *testing.T) {
			if len(bytes.TrimSpace(c.archive.Comment)) == 0 {
				t.Error("the first line must say why the case exists")
			}
			con, err := contract.Parse("contract.yaml", c.file(t, "contract.yaml"))
			if err != nil {
				t.Fatal(err)
			}
			b := &suiteBatch{c: con, file: c.table(t, ""), partners: map[string]*columnar.File{}}
			for _, r := range con.Relationships {
				if r.Object != con.Table {
					b.partners[r.Object] = c.table(t, r.Object)
				}
			}
			got := b.verdict(t, c)
			if *update {
				c.rewrite(t, "want", got)
			}
			if want := string(c.file(t, "want")); got != want {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}

// rewrite replaces a part of the archive, or adds it at the end.
func (c *suiteCase) rewrite(t *testing.T, name, text string) {
	t.Helper()
	i := slices.IndexFunc(c.archive.Files, func(f txtar.File) bool { return f.Name == name })
	if i < 0 {
		i = len(c.archive.Files)
		c.archive.Files = append(c.archive.Files, txtar.File{Name: name})
	}
	c.archive.Files[i].Data = []byte(text)
	if err := os.WriteFile(c.path, txtar.Format(c.archive), 0o644); err != nil {
		t.Fatal(err)
	}
}

// rows makes the record that the parts columns and rows describe, of the batch or,
// with the suffix of its name, of another object.
func (c *suiteCase) rows(t *testing.T, suffix string) arrow.Record {
	t.Helper()
	var fields []arrow.Field
	for line := range strings.Lines(string(c.file(t, "columns"+suffix))) {
		line = strings.TrimSpace(line)
		at := strings.LastIndexByte(line, ' ')
		if at < 0 {
			t.Fatalf("columns: %q is not NAME TYPE", line)
		}
		fields = append(fields, arrow.Field{Name: line[:at], Type: arrowType(t, line[at+1:]), Nullable: true})
	}
	var lines []string
	for line := range strings.Lines(string(c.file(t, "rows"+suffix))) {
		line, times, again := strings.Cut(strings.TrimSpace(line), " × ")
		n := 1
		if again {
			var err error
			if n, err = strconv.Atoi(times); err != nil {
				t.Fatalf("rows: %v", err)
			}
		}
		lines = append(lines, slices.Repeat([]string{line}, n)...)
	}
	text := "[" + strings.Join(lines, ",") + "]"
	rec, _, err := array.RecordFromJSON(memory.DefaultAllocator, arrow.NewSchema(fields, nil), strings.NewReader(text), array.WithUseNumber())
	if err != nil {
		t.Fatalf("rows: %v", err)
	}
	return rec
}

// flatTypes are the types that a suite's column can have, by the names in its
// part columns. decimal(P,S) and fixed(N) come on top.
var flatTypes = map[string]arrow.DataType{
	"bool": arrow.FixedWidthTypes.Boolean,
	"int8": arrow.PrimitiveTypes.Int8, "int16": arrow.PrimitiveTypes.Int16, "int32": arrow.PrimitiveTypes.Int32, "int64": arrow.PrimitiveTypes.Int64,
	"uint8": arrow.PrimitiveTypes.Uint8, "uint16": arrow.PrimitiveTypes.Uint16, "uint32": arrow.PrimitiveTypes.Uint32, "uint64": arrow.PrimitiveTypes.Uint64,
	"half": arrow.FixedWidthTypes.Float16, "float": arrow.PrimitiveTypes.Float32, "double": arrow.PrimitiveTypes.Float64,
	"date":    arrow.FixedWidthTypes.Date32,
	"time-ms": arrow.FixedWidthTypes.Time32ms, "time-us": arrow.FixedWidthTypes.Time64us, "time-ns": arrow.FixedWidthTypes.Time64ns,
	"timestamp-ms": &arrow.TimestampType{Unit: arrow.Millisecond}, "timestamp-ms-utc": &arrow.TimestampType{Unit: arrow.Millisecond, TimeZone: "UTC"},
	"timestamp-us": &arrow.TimestampType{Unit: arrow.Microsecond}, "timestamp-us-utc": &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"},
	"timestamp-ns": &arrow.TimestampType{Unit: arrow.Nanosecond}, "timestamp-ns-utc": &arrow.TimestampType{Unit: arrow.Nanosecond, TimeZone: "UTC"},
	"string": arrow.BinaryTypes.String, "dictionary": columnar.DictionaryType, "binary": arrow.BinaryTypes.Binary, "null": arrow.Null,
}

func arrowType(t *testing.T, name string) arrow.DataType {
	t.Helper()
	var p, s int32
	var width int
	switch typ := flatTypes[name]; {
	case typ != nil:
		return typ
	case strings.HasPrefix(name, "decimal("):
		if _, err := fmt.Sscanf(name, "decimal(%d,%d)", &p, &s); err != nil {
			t.Fatalf("columns: type %s: %v", name, err)
		}
		if p > 38 {
			return &arrow.Decimal256Type{Precision: p, Scale: s}
		}
		return &arrow.Decimal128Type{Precision: p, Scale: s}
	}
	if _, err := fmt.Sscanf(name, "fixed(%d)", &width); err != nil {
		t.Fatalf("columns: no type %s", name)
	}
	return &arrow.FixedSizeBinaryType{ByteWidth: width}
}

// writeParquet writes rows in groups of four, so that every case is also about
// shards that are put together.
func writeParquet(t *testing.T, path string, rows arrow.Record) {
	t.Helper()
	var b bytes.Buffer
	w, err := columnar.Create(&b, rows.Schema(), &columnar.Options{RowGroup: 4})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(rows); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func openBytes(t *testing.T, data []byte) *columnar.File {
	t.Helper()
	f, err := columnar.Open(bytes.NewReader(data), int64(len(data)), nil)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// sameRows checks that the Parquet file holds the rows that people read in the
// archive.
func sameRows(t *testing.T, f *columnar.File, rows arrow.Record) {
	t.Helper()
	at := 0
	for rec, err := range f.Records(t.Context(), columnar.ReadOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		for i, field := range rec.Schema().Fields() {
			for row := range int(rec.NumRows()) {
				if got, want := rec.Column(i).ValueStr(row), rows.Column(i).ValueStr(at+row); got != want {
					t.Fatalf("row %d: the Parquet file has %s %s, the archive %s; run with -update", at+row, field.Name, got, want)
				}
			}
		}
		at += int(rec.NumRows())
	}
	if int64(at) != rows.NumRows() {
		t.Fatalf("the Parquet file has %d rows, the archive %d; run with -update", at, rows.NumRows())
	}
}
