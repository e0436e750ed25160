package pass

import (
	"fmt"
	"slices"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"

	"headgate/internal/contract"
)

// keyed is a contract whose one rule is that k is positive.
const keyed = `
apiVersion: v3.1.0
kind: DataContract
id: keyed
name: keyed
version: 1.0.0
status: active
schema:
  - name: keyed
    logicalType: object
    properties:
      - { name: k, logicalType: integer, logicalTypeOptions: { minimum: 1 } }
`

// keysOf returns the key list of the given columns of a record, checked by a contract.
func keysOf(t *testing.T, rec arrow.Record, first int64, columns ...string) []byte {
	t.Helper()
	c, err := contract.Parse("keyed.yaml", []byte(keyed))
	if err != nil {
		t.Fatal(err)
	}
	marks, err := c.NewChecker().Add(rec)
	if err != nil {
		t.Fatal(err)
	}
	k := newKeyList(columns, rec.NumRows())
	if err := k.add(rec, first, marks.Bad); err != nil {
		t.Fatal(err)
	}
	return k.encode()
}

func keySchema(k, text arrow.DataType) *arrow.Schema {
	return arrow.NewSchema([]arrow.Field{{Name: "k", Type: k, Nullable: true}, {Name: "a", Type: text, Nullable: true}, {Name: "b", Type: text, Nullable: true}}, nil)
}

func TestKeyLists(t *testing.T) {
	texts := arrow.BinaryTypes.String
	rec := fromJSON(t, keySchema(arrow.PrimitiveTypes.Int64, texts), `[
		{"k": 7, "a": "x", "b": "yz"}, {"k": 0, "a": "xy", "b": "z"}, {"k": null, "a": "x", "b": null}, {"k": 7, "a": "x", "b": "yz"}]`)
	type row struct {
		ordinal     uint32
		quarantined bool
	}
	for _, tc := range []struct {
		name    string
		columns []string
		first   int64
		want    []row // in the order of the ordinals
		equal   bool  // the first and the last row have one key
	}{
		{name: "a null has no key, a bad row has one", columns: []string{"k"}, want: []row{{0, false}, {1, true}, {3, false}}, equal: true},
		{name: "where one text ends matters", columns: []string{"a", "b"}, want: []row{{0, false}, {1, true}, {3, false}}, equal: true},
		{name: "ordinals go on from the records before", columns: []string{"a"}, first: 1000,
			want: []row{{1000, false}, {1001, true}, {1002, false}, {1003, false}}, equal: true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			list := keysOf(t, rec, tc.first, tc.columns...)
			digests := map[uint32][16]byte{}
			var got []row
			for i := 0; i < len(list); i += KeySize {
				ordinal := uint32(list[i+16])<<24 | uint32(list[i+17])<<16 | uint32(list[i+18])<<8 | uint32(list[i+19])
				got = append(got, row{ordinal &^ bad, ordinal&bad != 0})
				digests[ordinal&^bad] = [16]byte(list[i:])
			}
			slices.SortFunc(got, func(a, b row) int { return int(a.ordinal) - int(b.ordinal) })
			if !slices.Equal(got, tc.want) {
				t.Errorf("got %v, want %v", got, tc.want)
			}
			first := uint32(tc.first)
			if digests[first] != digests[first+3] || digests[first] == digests[first+1] {
				t.Errorf("got keys %x", digests)
			}
		})
	}
}

// A key does not depend on how wide its integers are or how its texts are coded.
func TestKeysOfOtherTypes(t *testing.T) {
	rows := `[{"k": 7, "a": "x"}, {"k": 100, "a": "y"}]`
	want := keysOf(t, fromJSON(t, keySchema(arrow.PrimitiveTypes.Int64, arrow.BinaryTypes.String), rows), 0, "k", "a")
	for _, width := range []arrow.DataType{arrow.PrimitiveTypes.Int8, arrow.PrimitiveTypes.Uint16, arrow.PrimitiveTypes.Int32, arrow.PrimitiveTypes.Uint64} {
		got := keysOf(t, fromJSON(t, keySchema(width, arrow.BinaryTypes.String), rows), 0, "k", "a")
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %x, want %x", width, got, want)
		}
	}
	plain := fromJSON(t, contentSchema, contentRowsJSON)
	c := newKeyList([]string{"s"}, 5)
	d := newKeyList([]string{"s"}, 5)
	marks := noMarks(t, plain)
	if err := c.add(plain, 0, marks.Bad); err != nil {
		t.Fatal(err)
	}
	if err := d.add(withDictionary(plain), 0, marks.Bad); err != nil {
		t.Fatal(err)
	}
	if got, want := d.encode(), c.encode(); !slices.Equal(got, want) || len(got) != 4*KeySize {
		t.Errorf("a dictionary: got %x, want %x", got, want)
	}
}

// noMarks are marks of a record that a contract has nothing against.
func noMarks(t *testing.T, rec arrow.Record) contract.Marks {
	t.Helper()
	c, err := contract.Parse("free.yaml", []byte(`
apiVersion: v3.1.0
kind: DataContract
id: free
name: free
version: 1.0.0
status: active
schema:
  - name: free
    logicalType: object
    properties:
      - { name: s, logicalType: string }
`))
	if err != nil {
		t.Fatal(err)
	}
	marks, err := c.NewChecker().Add(rec)
	if err != nil {
		t.Fatal(err)
	}
	return marks
}

func TestKeyListsRefuse(t *testing.T) {
	rec := fromJSON(t, contentSchema, contentRowsJSON)
	marks := noMarks(t, rec)
	for _, tc := range []struct {
		name, column, want string
		first              int64
	}{
		{name: "a column that is missing", column: "id", want: `key column "id" is missing`},
		{name: "more rows than an ordinal holds", column: "s", first: 1<<31 - 5, want: fmt.Sprintf("a shard holds at most %d rows; make shards.rows smaller", 1<<31)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			err := newKeyList([]string{tc.column}, 1).add(rec, tc.first, marks.Bad)
			if err == nil || err.Error() != tc.want {
				t.Errorf("got %v, want %s", err, tc.want)
			}
		})
	}
}
