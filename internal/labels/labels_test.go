package labels_test

import (
	"bytes"
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"headgate/internal/columnar"
	"headgate/internal/contract"
	"headgate/internal/labels"
	"headgate/internal/pass"
	"headgate/internal/run"
	"headgate/internal/store"
)

const shop = `apiVersion: v3.1.0
kind: DataContract
id: labels
name: labels
version: 1.0.0
status: active
schema:
  - name: labels
    logicalType: object
    customProperties:
      - { property: labelWindow, value: 30d }
      - { property: labelMarker, value: _COMPLETE }
    properties:
      - { name: id, logicalType: integer, required: true, primaryKey: true, customProperties: [{ property: mlRole, value: entityKey }] }
      - { name: bought, logicalType: integer, logicalTypeOptions: { minimum: 0, maximum: 1 }, customProperties: [{ property: mlRole, value: label }] }
      - { name: treated, logicalType: boolean, customProperties: [{ property: mlRole, value: treatment }] }
      - { name: p, logicalType: number, customProperties: [{ property: mlRole, value: propensity }] }
      - { name: w, logicalType: number, customProperties: [{ property: mlRole, value: weight }] }
`

func parse(t *testing.T, text string) *contract.Contract {
	t.Helper()
	c, err := contract.Parse("labels.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// A row is a label; null says which of its columns are null.
type row struct {
	id      int64
	bought  int64
	treated bool
	p, w    float64
	null    string
}

func good(id, bought int64) row { return row{id: id, bought: bought, w: 1} }

// file returns rows as Parquet, without the columns that lack names.
func file(t *testing.T, rows []row, lack string) []byte {
	t.Helper()
	fields := []arrow.Field{{Name: "id", Type: arrow.PrimitiveTypes.Int64, Nullable: true}, {Name: "bought", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
		{Name: "treated", Type: arrow.FixedWidthTypes.Boolean, Nullable: true}, {Name: "p", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
		{Name: "w", Type: arrow.PrimitiveTypes.Float64, Nullable: true}}
	b := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema(fields, nil))
	defer b.Release()
	for _, r := range rows {
		for i, f := range fields {
			if strings.Contains(r.null, f.Name) {
				b.Field(i).AppendNull()
				continue
			}
			switch to := b.Field(i).(type) {
			case *array.Int64Builder:
				to.Append(map[string]int64{"id": r.id, "bought": r.bought}[f.Name])
			case *array.BooleanBuilder:
				to.Append(r.treated)
			case *array.Float64Builder:
				to.Append(map[string]float64{"p": r.p, "w": r.w}[f.Name])
			}
		}
	}
	rec := b.NewRecord()
	defer rec.Release()
	var cols []arrow.Array
	kept := slices.DeleteFunc(slices.Clone(fields), func(f arrow.Field) bool { return f.Name == lack })
	for i, f := range fields {
		if f.Name != lack {
			cols = append(cols, rec.Column(i))
		}
	}
	some := array.NewRecord(arrow.NewSchema(kept, nil), cols, rec.NumRows())
	defer some.Release()
	var out bytes.Buffer
	w, err := columnar.Create(&out, some.Schema(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Write(some), w.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func memoryBucket(t *testing.T) *store.Bucket {
	t.Helper()
	b, err := store.Open(t.Context(), "mem://")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

var where = labels.Where{Prefix: "labels/2024-01/", Match: func(key string) bool { return strings.HasSuffix(key, ".parquet") }, Marker: "labels/2024-01/_COMPLETE"}

func put(t *testing.T, b *store.Bucket, key string, data []byte) {
	t.Helper()
	if err := b.Put(t.Context(), key, data); err != nil {
		t.Fatal(err)
	}
}

func find(t *testing.T, b *store.Bucket) *labels.Version {
	t.Helper()
	v, err := labels.Find(t.Context(), b, labels.Version{Pipeline: "shop", Batch: "2024-01"}, where)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func digest(t *testing.T, v *labels.Version) store.Digest {
	t.Helper()
	data, err := run.Encode(v)
	if err != nil {
		t.Fatal(err)
	}
	return store.DigestOf(data)
}

// key returns the digest of an id.
func key(t *testing.T, id int64) pass.Key {
	t.Helper()
	rec := array.NewRecord(arrow.NewSchema([]arrow.Field{{Name: "id", Type: arrow.PrimitiveTypes.Int64}}, nil), []arrow.Array{columnar.Int64s([]int64{id})}, 1)
	keyOf, err := pass.Keys(rec, []string{"id"})
	if err != nil {
		t.Fatal(err)
	}
	k, _ := keyOf(0)
	return k
}

func TestAVersionIsWhatIsThere(t *testing.T) {
	b := memoryBucket(t)
	put(t, b, "labels/2024-01/b.parquet", file(t, []row{good(1, 1), good(2, 0)}, ""))
	put(t, b, "labels/2024-01/notes.txt", []byte("none of ours"))
	put(t, b, "labels/2024-02/a.parquet", file(t, []row{good(1, 1)}, ""))
	first := find(t, b)
	if len(first.Files) != 1 || first.Rows != 2 || first.Complete || first.Marker != "" || digest(t, find(t, b)) != digest(t, first) {
		t.Errorf("%+v", first)
	}
	put(t, b, "labels/2024-01/_COMPLETE", nil)
	second := find(t, b)
	if !second.Complete || second.Marker == "" || digest(t, second) == digest(t, first) {
		t.Errorf("%+v", second)
	}
	put(t, b, "labels/2024-01/a.parquet", file(t, []row{good(1, 0)}, ""))
	third := find(t, b)
	if len(third.Files) != 2 || third.Files[0].Key != "labels/2024-01/a.parquet" || third.Rows != 3 || digest(t, third) == digest(t, second) {
		t.Errorf("%+v", third)
	}
	d, err := labels.Save(t.Context(), b, third)
	if err != nil || d != digest(t, third) {
		t.Fatal(d, err)
	}
	back, err := labels.Load(t.Context(), b, d)
	if err != nil || digest(t, back) != d {
		t.Errorf("%+v, %v", back, err)
	}
	if _, err := labels.Load(t.Context(), b, digest(t, first)); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a version that was not saved: %v", err)
	}
}

func TestWhereNoMarkerIsNeededLabelsAreComplete(t *testing.T) {
	b := memoryBucket(t)
	at := where
	at.Marker = ""
	v, err := labels.Find(t.Context(), b, labels.Version{}, at)
	if err != nil || !v.Complete || len(v.Files) != 0 {
		t.Errorf("%+v, %v", v, err)
	}
}

func TestRead(t *testing.T) {
	for _, tt := range []struct {
		name  string
		files [][]row
		want  map[int64]float64 // value by id; NaN where it is not known
		count labels.Counts
	}{
		{name: "one file", files: [][]row{{good(1, 1), good(2, 0)}}, want: map[int64]float64{1: 1, 2: 0},
			count: labels.Counts{Rows: 2, Entities: 2}},
		{name: "the last file by name counts", files: [][]row{{good(1, 1), good(2, 1)}, {good(1, 0)}}, want: map[int64]float64{1: 0, 2: 1},
			count: labels.Counts{Rows: 3, Entities: 2, Revised: 1}},
		{name: "a bad row revises nothing", files: [][]row{{good(1, 1)}, {good(1, 5)}}, want: map[int64]float64{1: 1},
			count: labels.Counts{Rows: 2, Bad: 1, Rules: map[string]int64{"bought.maximum": 1}, Entities: 1}},
		{name: "twice in one file is not known", files: [][]row{{good(1, 1), good(1, 1), good(2, 0)}}, want: map[int64]float64{1: math.NaN(), 2: 0},
			count: labels.Counts{Rows: 3, Entities: 2, Repeated: 1}},
		{name: "until a later file says it", files: [][]row{{good(1, 1), good(1, 0)}, {good(1, 0)}}, want: map[int64]float64{1: 0},
			count: labels.Counts{Rows: 3, Entities: 1, Revised: 1}},
		{name: "an outcome that nobody could observe", files: [][]row{{{id: 1, w: 1, null: "bought"}}}, want: map[int64]float64{1: math.NaN()},
			count: labels.Counts{Rows: 1, Entities: 1, Unknown: 1}},
		{name: "rows without a key, a treatment, a propensity or a weight", want: map[int64]float64{},
			files: [][]row{{{w: 1, null: "id"}, {id: 1, w: 1, null: "treated"}, {id: 2, w: 1, null: "p,"}, {id: 3, w: 1, p: 1.5}, {id: 4, w: 0}, {id: 5, w: math.Inf(1)}}},
			count: labels.Counts{Rows: 6, Bad: 6, Rules: map[string]int64{"id.required": 1, labels.RuleKey: 1, labels.RuleTreatment: 1, labels.RulePropensity: 2, labels.RuleWeight: 2}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := memoryBucket(t)
			for i, rows := range tt.files {
				put(t, b, "labels/2024-01/"+string(rune('a'+i))+".parquet", file(t, rows, ""))
			}
			table, err := labels.Read(t.Context(), b, find(t, b), parse(t, shop), labels.Limits{})
			if err != nil || len(table.Refused) > 0 {
				t.Fatal(err, table.Refused)
			}
			if got, want := table.Counts, tt.count; got.Rows != want.Rows || got.Bad != want.Bad || got.Entities != want.Entities ||
				got.Unknown != want.Unknown || got.Repeated != want.Repeated || got.Revised != want.Revised || !same(got.Rules, want.Rules) {
				t.Errorf("got %+v, want %+v", got, want)
			}
			for id := range int64(7) {
				l, ok := table.Of(key(t, id))
				want, has := tt.want[id]
				if ok != has || ok && l.Value != want && !(math.IsNaN(l.Value) && math.IsNaN(want)) {
					t.Errorf("%d: got %v %v, want %v %v", id, l, ok, want, has)
				}
			}
		})
	}
}

func same(a, b map[string]int64) bool {
	if len(a) != len(b) {
		return false
	}
	for rule, n := range a {
		if b[rule] != n {
			return false
		}
	}
	return true
}

func TestReadRefuses(t *testing.T) {
	for _, tt := range []struct {
		name, lack, want string
		rows             []row
		bad              func(bad, total int64) bool
	}{
		{name: "files without the label", lack: "bought", rows: []row{good(1, 1)}, want: "column bought is missing"},
		{name: "files without the key", lack: "id", rows: []row{good(1, 1)}, want: "column id is missing"},
		{name: "files without the treatment, which a batch may come without", lack: "treated", rows: []row{good(1, 1)}, want: "column treated is missing"},
		{name: "too many bad rows", rows: []row{good(1, 1), good(2, 7)}, bad: func(bad, total int64) bool { return bad > 0 && total == 2 }, want: "1 of 2 label rows"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := memoryBucket(t)
			put(t, b, "labels/2024-01/a.parquet", file(t, tt.rows, tt.lack))
			table, err := labels.Read(t.Context(), b, find(t, b), parse(t, shop), labels.Limits{Bad: tt.bad})
			if err != nil || !strings.Contains(strings.Join(table.Refused, "; "), tt.want) {
				t.Errorf("%v, %q", err, table.Refused)
			}
		})
	}
	b := memoryBucket(t)
	put(t, b, "labels/2024-01/a.parquet", file(t, []row{good(1, 1)}, ""))
	for name, c := range map[string]string{
		"no label":                  strings.Replace(shop, "value: label }", "value: prediction }", 1),
		"a treatment by itself":     strings.Replace(shop, "value: propensity }", "value: prediction }", 1),
		"another key than the rest": shop,
	} {
		limits := labels.Limits{}
		if name == "another key than the rest" {
			limits.Entity = []string{"customer"}
		}
		if _, err := labels.Read(t.Context(), b, find(t, b), parse(t, c), limits); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestAFileThatWasReplacedIsNotRead(t *testing.T) {
	b := memoryBucket(t)
	put(t, b, "labels/2024-01/a.parquet", file(t, []row{good(1, 1)}, ""))
	v := find(t, b)
	for _, again := range [][]byte{file(t, []row{good(1, 0)}, ""), nil} {
		if err := b.Delete(t.Context(), "labels/2024-01/a.parquet"); err != nil {
			t.Fatal(err)
		}
		if again != nil {
			put(t, b, "labels/2024-01/a.parquet", again)
		}
		if _, err := labels.Read(t.Context(), b, v, parse(t, shop), labels.Limits{}); !errors.Is(err, store.ErrChanged) {
			t.Errorf("%v", err)
		}
	}
}

func TestASampleKeepsWholeEntities(t *testing.T) {
	b := memoryBucket(t)
	var rows []row
	for id := range int64(1000) {
		rows = append(rows, good(id, 1))
	}
	put(t, b, "labels/2024-01/a.parquet", file(t, rows, ""))
	half := func(hash uint64) bool { return hash < 1<<63 }
	table, err := labels.Read(context.Background(), b, find(t, b), parse(t, shop), labels.Limits{Keep: half})
	if err != nil || table.Counts.Rows != 1000 || table.Counts.Entities < 430 || table.Counts.Entities > 570 {
		t.Fatalf("%v, %+v", err, table.Counts)
	}
	for id := range int64(1000) {
		if _, ok := table.Of(key(t, id)); ok != half(key(t, id).Hash()) {
			t.Errorf("%d: %v", id, ok)
		}
	}
}
