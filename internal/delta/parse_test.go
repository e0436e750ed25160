package delta

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestPathsAreEscapedTwice(t *testing.T) {
	tests := []struct {
		batch, path, uri string
	}{
		{batch: "2024-01", path: "batch=2024-01/f.parquet", uri: "batch=2024-01/f.parquet"},
		{batch: "a b", path: "batch=a b/f.parquet", uri: "batch=a%20b/f.parquet"},
		{batch: "12:30", path: "batch=12%3A30/f.parquet", uri: "batch=12%253A30/f.parquet"},
		{batch: "50%", path: "batch=50%25/f.parquet", uri: "batch=50%2525/f.parquet"},
		{batch: "a/b", path: "batch=a%2Fb/f.parquet", uri: "batch=a%252Fb/f.parquet"},
		{batch: "..", path: "batch=../f.parquet", uri: "batch=../f.parquet"},
		{batch: "a+b&c", path: "batch=a+b&c/f.parquet", uri: "batch=a+b&c/f.parquet"},
		{batch: "März", path: "batch=März/f.parquet", uri: "batch=M%C3%A4rz/f.parquet"},
		{batch: "\t", path: "batch=%09/f.parquet", uri: "batch=%2509/f.parquet"},
	}
	for _, tt := range tests {
		if got := FilePath(tt.batch, "f.parquet"); got != tt.path {
			t.Errorf("batch %q: path is %q, want %q", tt.batch, got, tt.path)
		}
		if got := escapePath(tt.path); got != tt.uri {
			t.Errorf("batch %q: URI is %q, want %q", tt.batch, got, tt.uri)
		}
		if got, err := unescapePath(tt.uri); got != tt.path || err != nil {
			t.Errorf("URI %q: path is %q, %v; want %q", tt.uri, got, err, tt.path)
		}
		if reason := checkPath(tt.batch, tt.path); reason != "" {
			t.Errorf("path %q: %s", tt.path, reason)
		}
	}
}

func TestColumnsOnlyEverGrow(t *testing.T) {
	table := []Field{{"id", "long", false}, {"score", "double", false}, {"note", "string", true}}
	tests := []struct {
		name   string
		fields []Field
		want   string // columns after; "" means unchanged
		err    string
	}{
		{name: "the same", fields: table},
		{name: "another order", fields: []Field{table[2], table[0], table[1]}},
		{name: "a column that is no longer null in the files", fields: []Field{table[0], table[1], {"note", "string", false}}},
		{name: "a column that may be null now", fields: []Field{table[0], {"score", "double", true}, table[2]}, want: "id long! score double note string batch string!"},
		{name: "a new column", fields: append(table[:3:3], Field{"band", "decimal(5,2)", true}), want: "id long! score double! note string batch string! band decimal(5,2)"},
		{name: "a new column is nullable, since earlier files lack it", fields: append(table[:3:3], Field{"band", "date", false}), want: "id long! score double! note string batch string! band date"},
		{name: "a column that may be null is gone", fields: table[:2]},
		{name: "a column that may not be null is gone", fields: table[1:], want: "id long score double! note string batch string!"},
		{name: "another type", fields: []Field{{"id", "integer", false}}, err: `column "id" has type integer`},
		{name: "another case", fields: []Field{{"ID", "long", false}}, err: `the published table has "id" of type long`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before := firstColumns(table)
			got, changed, err := evolve(before, tt.fields)
			if tt.err != "" {
				var bad *SchemaError
				if !errors.As(err, &bad) || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("got %v, want an error with %q", err, tt.err)
				}
				return
			}
			want := tt.want
			if want == "" {
				want = "id long! score double! note string batch string!"
			}
			if err != nil || changed != (tt.want != "") || columnNames(got) != want {
				t.Errorf("got %q, changed %t, %v; want %q", columnNames(got), changed, err, want)
			}
			if columnNames(before) != "id long! score double! note string batch string!" {
				t.Errorf("the table's columns were changed in place: %q", columnNames(before))
			}
		})
	}
}

// columnNames shows columns; "!" means not nullable.
func columnNames(columns []column) string {
	var all []string
	for _, c := range columns {
		s := c.Name + " " + c.Type
		if !c.Nullable {
			s += "!"
		}
		all = append(all, s)
	}
	return strings.Join(all, " ")
}

func TestASchemaSurvivesTheLog(t *testing.T) {
	columns := firstColumns([]Field{{"id", "long", false}, {"größe", "decimal(38,38)", true}, {"t", "timestamp_ntz", true}})
	columns[1].Metadata = []byte(`{"comment":"<in cm>"}`)
	s, err := encodeSchema(columns)
	if err != nil {
		t.Fatal(err)
	}
	got, feature, err := parseSchema(s)
	if err != nil || feature != "" || !reflect.DeepEqual(got, columns) {
		t.Errorf("got %v, %q, %v\nwant %v", got, feature, err, columns)
	}
}

func TestASchemaThatAsksForMoreIsRefused(t *testing.T) {
	tests := []struct {
		name, schema, want string
	}{
		{name: "an invariant", want: "column metadata delta.invariants",
			schema: `{"type":"struct","fields":[{"name":"x","type":"long","nullable":true,"metadata":{"delta.invariants":"{}"}}]}`},
		{name: "a nested type", want: `type {"type":"map"} of column "x"`,
			schema: `{"type":"struct","fields":[{"name":"x","type":{"type":"map"},"nullable":true,"metadata":{}}]}`},
		{name: "a type of the future", want: `type "variant" of column "x"`,
			schema: `{"type":"struct","fields":[{"name":"x","type":"variant","nullable":true,"metadata":{}}]}`},
		{name: "no partition", want: `no column "batch"`, schema: `{"type":"struct","fields":[{"name":"x","type":"long","nullable":true}]}`},
		{name: "a name twice", want: "a name twice",
			schema: `{"type":"struct","fields":[{"name":"x","type":"long","nullable":true},{"name":"X","type":"long","nullable":true}]}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, feature, err := parseSchema(tt.schema)
			if got := fmt.Sprint(feature, err); !strings.Contains(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestTheTableIDIsAUUIDOfThePrefixAlone(t *testing.T) {
	shop, again, bank := Open(nil, "scores/shop"), Open(nil, "/scores/shop/"), Open(nil, "scores/bank")
	if shop.id() != again.id() || shop.id() == bank.id() {
		t.Errorf("ids are %s, %s and %s", shop.id(), again.id(), bank.id())
	}
	if id := shop.id(); len(id) != 36 || id[14] != '8' || !strings.ContainsRune("89ab", rune(id[19])) {
		t.Errorf("%s is no UUID of version 8", id)
	}
}

func TestLogNames(t *testing.T) {
	for name, want := range map[string]int64{
		"00000000000000000000.json": 0, "00000000000000000042.json": 42,
		"42.json": -1, "00000000000000000042.json.tmp": -1, "0000000000000000004x.json": -1, "99999999999999999999.json": -1,
		"00000000000000000042.checkpoint.parquet": -1, "00000000000000000001.00000000000000000042.compacted.json": -1,
	} {
		got, ok := parseLogName(name)
		if !ok {
			got = -1
		}
		if got != want {
			t.Errorf("%s: got %d, want %d", name, got, want)
		}
	}
}

// FuzzParseCommit checks that no log entry makes the reader panic, and that what
// a snapshot accepts can be published upon.
func FuzzParseCommit(f *testing.F) {
	goldens, err := filepath.Glob("testdata/log/*.json")
	if err != nil || len(goldens) == 0 {
		f.Fatalf("no golden log entries (%v)", err)
	}
	for _, name := range goldens {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(`{"add":{"path":"a%20b","partitionValues":{"batch":null},"size":1,"dataChange":false,"stats":"{}","deletionVector":null}}`))
	f.Add([]byte(`{"remove":{"path":"../x","dataChange":true}}` + "\n\n" + `{"cdc":{}}`))
	first, err := os.ReadFile(goldens[0])
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		start, err := parseCommit("0.json", 0, first)
		if err != nil {
			t.Fatal(err)
		}
		s := newSnapshot()
		if err := s.apply(start); err != nil {
			t.Fatal(err)
		}
		c, err := parseCommit("1.json", 1, data)
		if err == nil {
			err = s.apply(c)
		}
		if err != nil {
			wantKnown(t, err)
			return
		}
		publishUpon(t, s)
	})
}

func wantKnown(t *testing.T, err error) {
	t.Helper()
	var bad *LogError
	var unsupported *UnsupportedError
	if !errors.As(err, &bad) && !errors.As(err, &unsupported) {
		t.Errorf("got %T: %v", err, err)
	}
}

// publishUpon builds the next commit of a batch and checks that it is read as it
// was meant: parse(print(x)) = x.
func publishUpon(t *testing.T, s *Snapshot) {
	t.Helper()
	files, err := checkFiles("2024-01", []File{{Path: "batch=2024-01/new", Size: 1, Rows: 2, ModTime: 3}})
	if err != nil {
		t.Fatal(err)
	}
	ch := &change{table: Open(nil, "scores/shop"), pipeline: "shop", batch: "2024-01", expect: s.Publication("2024-01"),
		operation: "fuzz", at: time.UnixMilli(1), fields: []Field{{"fuzz", "long", true}}}
	data, err := ch.build(s, files)
	var schema *SchemaError
	if errors.As(err, &schema) {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	c, err := parseCommit("2.json", 2, data)
	if err == nil {
		err = s.apply(c)
	}
	if err != nil {
		t.Fatalf("%v, in\n%s", err, data)
	}
	p, _ := s.Current("2024-01")
	if p.Operation != "fuzz" || !reflect.DeepEqual(p.Files, files) {
		t.Errorf("got %+v, from\n%s", p, data)
	}
}
