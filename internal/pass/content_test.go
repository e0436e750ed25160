package pass

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"headgate/internal/columnar"
)

var contentSchema = arrow.NewSchema([]arrow.Field{
	{Name: "s", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "f", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
	{Name: "b", Type: arrow.FixedWidthTypes.Boolean, Nullable: true},
	{Name: "i", Type: arrow.PrimitiveTypes.Int16, Nullable: true},
}, nil)

const contentRowsJSON = `[
	{"s": "a", "f": 1.5, "b": true, "i": 1},
	{"s": "", "f": null, "b": false, "i": 2},
	{"s": null, "f": -0.0, "b": null, "i": null},
	{"s": "Ärger", "f": 7, "b": true, "i": -3},
	{"s": "a", "f": 1.5, "b": true, "i": 1}
]`

func fromJSON(t *testing.T, schema *arrow.Schema, rows string) arrow.Record {
	t.Helper()
	rec, _, err := array.RecordFromJSON(memory.DefaultAllocator, schema, strings.NewReader(rows))
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

// digest is the content digest of some records.
func digest(names []string, records ...arrow.Record) string {
	h := newContentHash(names)
	for _, rec := range records {
		h.add(rec)
	}
	var sum [32]byte
	h.total(&sum)
	return hex.EncodeToString(sum[:])
}

var contentNames = []string{"s", "f", "b", "i"}

// A change of these bytes makes every digest on record worthless.
const contentWant = "3f54268d952f037068a2047b6e1ff9283ffbd89907283577fa8c8854892b2276"

func TestContentDigestIsOfValuesAlone(t *testing.T) {
	whole := fromJSON(t, contentSchema, contentRowsJSON)
	padded := fromJSON(t, contentSchema, `[{"s": "x", "b": true}, {"f": 3},`+contentRowsJSON[1:])
	for _, tc := range []struct {
		name    string
		records []arrow.Record
	}{
		{name: "one record", records: []arrow.Record{whole}},
		{name: "a record a row", records: []arrow.Record{whole.NewSlice(0, 1), whole.NewSlice(1, 2), whole.NewSlice(2, 3), whole.NewSlice(3, 4), whole.NewSlice(4, 5)}},
		{name: "an empty record between", records: []arrow.Record{whole.NewSlice(0, 3), whole.NewSlice(3, 3), whole.NewSlice(3, 5)}},
		{name: "rows in the middle of larger arrays", records: []arrow.Record{padded.NewSlice(2, 7)}},
		{name: "strings as a dictionary", records: []arrow.Record{withDictionary(whole)}},
		{name: "a dictionary first and plain strings then", records: []arrow.Record{withDictionary(whole.NewSlice(0, 2)), whole.NewSlice(2, 5)}},
		{name: "other bytes under nulls", records: []arrow.Record{withGarbage(whole)}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := digest(contentNames, tc.records...); got != contentWant {
				t.Errorf("got %s, want %s", got, contentWant)
			}
		})
	}
}

func TestContentDigestTellsValuesApart(t *testing.T) {
	for _, tc := range []struct{ name, old, new string }{
		{name: "another text", old: `"Ärger"`, new: `"Arger"`},
		{name: "null and the empty text", old: `"s": ""`, new: `"s": null`},
		{name: "another number", old: `"f": 7`, new: `"f": 7.000000000000001`},
		{name: "minus zero", old: `-0.0`, new: `0`},
		{name: "null and false", old: `"b": null`, new: `"b": false`},
		{name: "null and zero", old: `"i": null`, new: `"i": 0`},
		{name: "a row less", old: "\n\t{\"s\": \"a\", \"f\": 1.5, \"b\": true, \"i\": 1},", new: ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			rows := strings.Replace(contentRowsJSON, tc.old, tc.new, 1)
			if rows == contentRowsJSON {
				t.Fatal("nothing was replaced")
			}
			if got := digest(contentNames, fromJSON(t, contentSchema, rows)); got == contentWant {
				t.Error("got the same digest")
			}
		})
	}
	whole := fromJSON(t, contentSchema, contentRowsJSON)
	if got := digest([]string{"s", "f", "b", "j"}, whole); got == contentWant {
		t.Error("a column of another name has the same digest")
	}
}

// withDictionary codes the first column as a dictionary in no order.
func withDictionary(rec arrow.Record) arrow.Record {
	texts := rec.Column(0).(*array.String)
	values := array.NewStringBuilder(memory.DefaultAllocator)
	values.AppendValues([]string{"unused", "Ärger", "", "a"}, nil)
	codes := array.NewInt32Builder(memory.DefaultAllocator)
	for i := range texts.Len() {
		if texts.IsNull(i) {
			codes.AppendNull()
			continue
		}
		codes.Append(map[string]int32{"Ärger": 1, "": 2, "a": 3}[texts.Value(i)])
	}
	cols := append([]arrow.Array{array.NewDictionaryArray(columnar.DictionaryType, codes.NewArray(), values.NewArray())}, rec.Columns()[1:]...)
	fields := append([]arrow.Field{{Name: "s", Type: columnar.DictionaryType, Nullable: true}}, rec.Schema().Fields()[1:]...)
	return array.NewRecord(arrow.NewSchema(fields, nil), cols, rec.NumRows())
}

// withGarbage fills the null slots of the numbers and booleans.
func withGarbage(rec arrow.Record) arrow.Record {
	cols := append([]arrow.Array(nil), rec.Columns()...)
	for at := 1; at < len(cols); at++ {
		data := cols[at].Data()
		values := bytes.Clone(data.Buffers()[1].Bytes())
		width := fixedWidth(cols[at].DataType())
		for i := range cols[at].Len() {
			switch {
			case cols[at].IsValid(i):
			case width == 0:
				values[i/8] |= 1 << (i % 8)
			default:
				values[i*width] = 0xAB
			}
		}
		cols[at] = array.MakeFromData(array.NewData(cols[at].DataType(), data.Len(),
			[]*memory.Buffer{data.Buffers()[0], memory.NewBufferBytes(values)}, nil, data.NullN(), 0))
	}
	return array.NewRecord(rec.Schema(), cols, rec.NumRows())
}

// Files of the same rows have the same digest, however they were written, also when
// their rows are more than the digest takes in at once.
func TestValuesAreThoseOfAnyFile(t *testing.T) {
	rows := fromJSON(t, contentSchema, contentRowsJSON)
	write := func(o *columnar.Options) *columnar.File {
		var b bytes.Buffer
		w, err := columnar.Create(&b, contentSchema, o)
		if err != nil {
			t.Fatal(err)
		}
		for range 2*contentRows/5 + 1 {
			if err := w.Write(rows); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		f, err := columnar.Open(bytes.NewReader(b.Bytes()), int64(b.Len()), nil)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	want, err := Values(t.Context(), write(nil))
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name string
		o    columnar.Options
	}{
		{name: "small row groups", o: columnar.Options{RowGroup: 1000}},
		{name: "row groups that end inside of what the digest takes in", o: columnar.Options{RowGroup: 20_011}},
		{name: "another compression", o: columnar.Options{Compression: "snappy"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := Values(t.Context(), write(&tc.o))
			if err != nil || got != want {
				t.Errorf("got %x, %v; want %x", got, err, want)
			}
		})
	}
}
