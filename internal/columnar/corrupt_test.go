package columnar

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// readAll reads every value of a file. It returns a digest of sorts: the printed records.
func readAll(b []byte, o *OpenOptions) (string, error) {
	f, err := Open(bytes.NewReader(b), int64(len(b)), o)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	for rec, err := range f.Records(context.Background(), ReadOptions{}) {
		if err != nil {
			return "", err
		}
		for _, c := range rec.Columns() {
			for i := range c.Len() {
				out.WriteString(c.ValueStr(i))
				out.WriteByte(' ')
			}
		}
	}
	f.RowGroups()
	f.Describe()
	return out.String(), nil
}

func smallFile(t testing.TB, codec string) []byte {
	rec := makeRecord(everyType(), 60, 9, func(i int) bool { return i%5 == 0 })
	defer rec.Release()
	return writeFile(t, rec, &Options{RowGroup: 40, Compression: codec})
}

func TestErrors(t *testing.T) {
	whole := smallFile(t, "snappy")
	read := func(name string) []byte {
		b, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	badMagic := bytes.Clone(whole)
	badMagic[len(badMagic)-1] = '?'
	badPage := bytes.Clone(whole)
	f := openBytes(t, whole, nil)
	_, p, err := f.locate(1, &f.layout.columns[f.layout.byName["float64"]])
	if err != nil {
		t.Fatal(err)
	}
	badPage[p.end()-3] ^= 0x10
	cases := []struct {
		name    string
		file    []byte
		columns []string
		err     error
		text    string
	}{
		{name: "an empty file", file: nil, err: ErrCorrupt, text: "columnar: F: corrupt: the file is empty"},
		{name: "a file of three bytes", file: []byte("PAR"), err: ErrCorrupt, text: "columnar: F: corrupt: 3 bytes are too few for a Parquet file"},
		{name: "a file cut short", file: whole[:len(whole)-100], err: ErrCorrupt, text: "columnar: F: corrupt: the last four bytes are not PAR1"},
		{name: "another magic", file: badMagic, err: ErrCorrupt, text: `columnar: F: corrupt: the last four bytes are not PAR1; the file may be cut short`},
		{name: "a flipped bit in a page", file: badPage, err: ErrCorrupt, text: `columnar: F: row group 1: column "float64": corrupt: page checksum`},
		{name: "an encrypted footer", file: read("encrypted_footer.parquet"), err: ErrEncrypted, text: "columnar: F: encrypted"},
		{name: "an encrypted column", file: read("encrypted_column.parquet"), err: ErrEncrypted, text: "columnar: F: "},
		{name: "a column that is not there", file: whole, columns: []string{"bool", "boil"}, err: ErrColumn, text: `columnar: F: column "boil": no such column`},
		{name: "a list", file: read("pyarrow_nested.parquet"), columns: []string{"list"}, err: ErrNested, text: `columnar: F: column "list": nested column`},
		{name: "a struct", file: read("pyarrow_nested.parquet"), columns: []string{"after", "struct"}, err: ErrNested, text: `columnar: F: column "struct": nested column`},
	}
	for _, c := range cases {
		for _, remote := range []bool{false, true} {
			t.Run(c.name, func(t *testing.T) {
				f, err := Open(bytes.NewReader(c.file), int64(len(c.file)), &OpenOptions{Name: "F", Remote: remote})
				if err == nil {
					for _, err = range f.Records(context.Background(), ReadOptions{Columns: c.columns}) {
					}
				}
				var e *Error
				if !errors.Is(err, c.err) || !errors.As(err, &e) || !strings.HasPrefix(err.Error(), c.text) {
					t.Errorf("got %v, want %s…", err, c.text)
				}
			})
		}
	}
}

func TestNestedColumnsAreNoObstacle(t *testing.T) {
	b, err := os.ReadFile("testdata/pyarrow_nested.parquet")
	if err != nil {
		t.Fatal(err)
	}
	f := openBytes(t, b, nil)
	if got := strings.Join(f.Nested(), " "); got != "list struct" {
		t.Errorf("nested columns %q, want list and struct", got)
	}
	if _, ok := f.Schema().FieldsByName("list"); ok {
		t.Error("the schema has the list")
	}
	for rec, err := range f.Records(context.Background(), ReadOptions{Columns: []string{"after", "int8"}}) {
		if err != nil {
			t.Fatal(err)
		}
		if rec.ColumnName(0) != "after" || rec.ColumnName(1) != "int8" || rec.NumCols() != 2 {
			t.Errorf("columns %v, want after and int8", rec.Schema())
		}
	}
}

// TestFlippedBits damages a file with checksums: reading it fails, or else brings
// the values that were written. Statistics and names are outside the checksums.
func TestFlippedBits(t *testing.T) {
	for _, codec := range []string{"none", "snappy", "zstd", "gzip", "lz4"} {
		whole := smallFile(t, codec)
		want, err := readAll(whole, nil)
		if err != nil {
			t.Fatal(err)
		}
		footerStart := len(whole) - 8 - int(le32(whole[len(whole)-8:]))
		rng := rand.New(rand.NewPCG(7, 7))
		for range 400 {
			b := bytes.Clone(whole)
			at := rng.IntN(len(b))
			b[at] ^= 1 << rng.IntN(8)
			got, err := readAll(b, nil)
			if err == nil && got != want && at < footerStart {
				t.Errorf("%s: a flipped bit at %d of %d changed values silently", codec, at, len(b))
			}
		}
	}
}

func le32(b []byte) uint32 {
	return uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24
}

func TestTruncatedFiles(t *testing.T) {
	whole := smallFile(t, "none")
	for n := 0; n < len(whole); n += 1 + n/200 {
		if _, err := readAll(whole[:n], nil); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%d of %d bytes: %v, want an error that is ErrCorrupt", n, len(whole), err)
		}
	}
}

// TestLyingPageHeader raises the number of values that a page claims. Decoders that
// compare with the capacity of their buffers return stale memory here.
func TestLyingPageHeader(t *testing.T) {
	fields := []arrow.Field{{Name: "x", Type: arrow.PrimitiveTypes.Float64}}
	rec := makeRecord(fields, 1000, 1, func(int) bool { return false })
	whole := writeFile(t, rec, &Options{Compression: "none"})
	var h pageHeader
	n, err := decodeThrift(whole[4:], &h)
	if err != nil {
		t.Fatal(err)
	}
	h.Data.V.NumValues = 980
	lie, err := thrift.Marshal(&compact, &h)
	if err != nil || len(lie) != n {
		t.Fatalf("a header of %d bytes, want %d (%v)", len(lie), n, err)
	}
	copy(whole[4:], lie)
	if _, err := readAll(whole, nil); !errors.Is(err, ErrCorrupt) {
		t.Errorf("got %v, want ErrCorrupt", err)
	}
}

func TestHugeClaimsAllocateNothing(t *testing.T) {
	// A list of 2³¹−1 schema elements in a footer of a few bytes.
	footer := []byte{0x15, 2, 0x19, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x07, 0}
	b := append([]byte("PAR1"), footer...)
	b = append(b, byte(len(footer)), 0, 0, 0)
	b = append(b, "PAR1"...)
	if _, err := readAll(b, nil); !errors.Is(err, ErrCorrupt) {
		t.Errorf("got %v, want ErrCorrupt", err)
	}
}

func TestHadoopCodecsAreRefused(t *testing.T) {
	f := openBytes(t, smallFile(t, "snappy"), nil)
	f.footer.RowGroups[0].Columns[1].Meta.Codec = format.Lz4
	for _, err := range f.Records(context.Background(), ReadOptions{}) {
		if !errors.Is(err, ErrUnsupported) || !strings.Contains(err.Error(), "LZ4_RAW") {
			t.Errorf("got %v, want ErrUnsupported with advice", err)
		}
	}
}

func TestPageLimit(t *testing.T) {
	whole := smallFile(t, "snappy")
	if _, err := readAll(whole, &OpenOptions{MaxPage: 64}); !errors.Is(err, ErrLimit) {
		t.Errorf("got %v, want ErrLimit", err)
	}
}

func FuzzRead(f *testing.F) {
	for _, codec := range []string{"none", "snappy", "zstd", "gzip", "lz4"} {
		f.Add(smallFile(f, codec))
	}
	files, err := filepath.Glob("testdata/*.parquet")
	if err != nil || len(files) == 0 {
		f.Fatalf("no files (%v)", err)
	}
	for _, path := range files {
		b, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		_, err := readAll(b, &OpenOptions{MaxPage: 1 << 20})
		var e *Error
		if err != nil && !errors.As(err, &e) {
			t.Errorf("an error without a place: %v", err)
		}
	})
}
