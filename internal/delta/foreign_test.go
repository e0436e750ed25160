package delta_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"headgate/internal/delta"
	"headgate/internal/store"
)

// logKey returns the key of a log entry.
func logKey(version int) string { return fmt.Sprintf("scores/shop/_delta_log/%020d.json", version) }

// write puts a log entry by hand, as another writer would.
func write(t *testing.T, b *store.Bucket, version int, lines ...string) {
	t.Helper()
	if err := b.Put(t.Context(), logKey(version), []byte(strings.Join(lines, "\n"))); err != nil {
		t.Fatal(err)
	}
}

// info is what other writers say of a commit; nothing of it is as ours.
const info = `{"commitInfo":{"timestamp":"yesterday","operation":{"name":"OPTIMIZE"},"clientVersion":"delta-rs.0.1"}}`

func foreignAdd(batch, name string, size int) string {
	return fmt.Sprintf(`{"add":{"path":"batch=%s/%s","partitionValues":{"batch":%q},"size":%d,"modificationTime":1,"dataChange":true,"clusteringProvider":"x"}}`,
		batch, name, batch, size)
}

func TestHarmlessThingsOfOthersAreLeftAside(t *testing.T) {
	b, table := open(t)
	first := put(t, b, "2024-01", "a")
	publish(t, table, commit("2024-01", 0, "1", first))
	write(t, b, 1, info, ``, `{"txn":{"appId":"stream-7","version":3,"extra":true}}`, `{"add":null,"domainMetadata":{"domain":"x","configuration":"","removed":false}}`)
	for _, name := range []string{"_last_checkpoint", "00000000000000000001.checkpoint.parquet", "00000000000000000001.crc",
		"00000000000000000000.00000000000000000001.compacted.json", ".s3-optimization-0", "_staged_commits/00000000000000000002.abc.json", "2.json"} {
		if err := b.Put(t.Context(), "scores/shop/_delta_log/"+name, []byte("whatever")); err != nil {
			t.Fatal(err)
		}
	}
	got := publish(t, table, commit("2024-01", 1, "2", put(t, b, "2024-01", "b")))
	if got.Version != 2 {
		t.Errorf("published as version %d, want 2", got.Version)
	}
	wantFiles(t, table, "2024-01", "b")
}

func TestARestoreRepairsWhatAnotherWriterDid(t *testing.T) {
	b, table := open(t)
	publish(t, table, commit("2024-01", 0, "1", put(t, b, "2024-01", "a"), put(t, b, "2024-01", "b")))
	write(t, b, 1, info, `{"remove":{"path":"batch=2024-01/a.parquet","dataChange":true}}`, foreignAdd("2024-01", "part%20x.parquet", 5),
		foreignAdd("2024-02", "y.parquet", 5),
		`{"add":{"path":"s3://elsewhere/z.parquet","partitionValues":{"batch":null},"size":1,"modificationTime":1,"dataChange":true}}`)

	s := snapshot(t, table)
	if got := names(s.Files("2024-01")); got != "b part x" {
		t.Errorf("readers see %q, want %q", got, "b part x")
	}
	if got := names(s.Files("")); got != "z" {
		t.Errorf("readers see %q outside of batches, want %q", got, "z")
	}
	_, err := table.Publish(t.Context(), commit("2024-01", 1, "2", put(t, b, "2024-01", "c")))
	var foreign *delta.ForeignError
	if !errors.As(err, &foreign) || *foreign != (delta.ForeignError{Batch: "2024-01", Publication: 1, Version: 1}) {
		t.Errorf("got %v, want that version 1 changed publication 1", err)
	}
	_, err = table.Publish(t.Context(), commit("2024-02", 0, "2", put(t, b, "2024-02", "c")))
	if !errors.As(err, &foreign) || foreign.Publication != 0 || !strings.Contains(err.Error(), "delete its rows first") {
		t.Errorf("got %v, want that version 1 put rows into 2024-02", err)
	}
	publish(t, table, commit("2024-03", 0, "3", put(t, b, "2024-03", "z")))

	if _, err := table.Restore(t.Context(), restore("2024-01", 1, 1, "repair")); err != nil {
		t.Fatal(err)
	}
	wantFiles(t, table, "2024-01", "a b")
	publish(t, table, commit("2024-01", 2, "4", put(t, b, "2024-01", "c")))

	write(t, b, 5, info, `{"remove":{"path":"batch=2024-02/y.parquet","dataChange":true}}`)
	publish(t, table, commit("2024-02", 0, "2", put(t, b, "2024-02", "c")))
	wantFiles(t, table, "2024-02", "c")
}

func TestALogThatBreaksTheRulesIsRefused(t *testing.T) {
	ours := func(pipeline, batch string, publication, supersedes int) string {
		return fmt.Sprintf(`{"commitInfo":{"timestamp":1,"headgate":{"pipeline":%q,"batch":%q,"publication":%d,"operation":"x","supersedes":%d}}}`,
			pipeline, batch, publication, supersedes)
	}
	count := func(batch string, n int) string {
		return fmt.Sprintf(`{"txn":{"appId":"headgate/shop/%s","version":%d}}`, batch, n)
	}
	tests := []struct {
		name  string
		lines []string
		want  string
	}{
		{name: "no JSON", lines: []string{info, `{"add":`}, want: "1.json:2: unexpected end of JSON input"},
		{name: "not an object", lines: []string{`[]`}, want: "cannot unmarshal array"},
		{name: "no action", lines: []string{`{"add":null}`}, want: "no action"},
		{name: "two actions in a line", lines: []string{`{"txn":{},"add":{}}`}, want: "two actions in one line: add and txn"},
		{name: "an unknown action", lines: []string{`{"rewrite":{}}`}, want: `needs action "rewrite"`},
		{name: "a path that is no URI", lines: []string{foreignAdd("2024-01", "%zz", 1)}, want: `invalid URL escape "%zz"`},
		{name: "a path twice", lines: []string{foreignAdd("2024-01", "b", 1), `{"remove":{"path":"batch=2024-01/b","dataChange":true}}`}, want: "added or removed twice"},
		{name: "an add without a size", lines: []string{`{"add":{"path":"b","partitionValues":{},"dataChange":true}}`}, want: "without path, size"},
		{name: "a negative size", lines: []string{foreignAdd("2024-01", "b", -1)}, want: "size of -1 bytes"},
		{name: "negative rows", lines: []string{`{"add":{"path":"b","partitionValues":{},"size":1,"dataChange":true,"stats":"{\"numRecords\":-1}"}}`}, want: "numRecords is -1"},
		{name: "deletion vectors", lines: []string{`{"add":{"path":"b","deletionVector":{"storageType":"u"}}}`}, want: "needs deletion vectors"},
		{name: "a higher reader version", lines: []string{`{"protocol":{"minReaderVersion":2,"minWriterVersion":5}}`}, want: "needs reader version 2"},
		{name: "a higher writer version", lines: []string{`{"protocol":{"minReaderVersion":1,"minWriterVersion":4}}`}, want: "needs writer version 4"},
		{name: "a reader feature", lines: []string{`{"protocol":{"minReaderVersion":3,"minWriterVersion":7,"readerFeatures":["timestampNtz","v2Checkpoint"]}}`}, want: "needs reader feature v2Checkpoint"},
		{name: "a writer feature", lines: []string{`{"protocol":{"minReaderVersion":1,"minWriterVersion":7,"writerFeatures":["rowTracking"]}}`}, want: "needs writer feature rowTracking"},
		{name: "no protocol versions", lines: []string{`{"protocol":{}}`}, want: "protocol: no versions"},
		{name: "column mapping", lines: []string{meta(`"partitionColumns":["batch"],"configuration":{"delta.columnMapping.mode":"name"}`, `"long"`)}, want: "needs column mapping"},
		{name: "append-only", lines: []string{meta(`"partitionColumns":["batch"],"configuration":{"delta.appendOnly":"true"}`, `"long"`)}, want: "needs append-only"},
		{name: "another partition", lines: []string{meta(`"partitionColumns":["day"]`, `"long"`)}, want: `needs partition columns ["day"]`},
		{name: "a nested type", lines: []string{meta(`"partitionColumns":["batch"]`, `{"type":"array"}`)}, want: `needs type {"type":"array"} of column "x"`},
		{name: "a schema that is none", lines: []string{`{"metaData":{"id":"x","schemaString":"{}"}}`}, want: "schemaString: a schema of type"},
		{name: "a count without a publication", lines: []string{info, count("2024-01", 2)}, want: "does not say which"},
		{name: "a publication that counts another", lines: []string{ours("shop", "2024-01", 2, 1), count("2024-02", 2)}, want: "but counts"},
		{name: "a publication that leaves a gap", lines: []string{ours("shop", "2024-01", 3, 2), count("2024-01", 3)}, want: "the next one is 2"},
		{name: "a publication that supersedes nothing", lines: []string{ours("shop", "2024-01", 2, 0), count("2024-01", 2)}, want: "the next one is 2"},
		{name: "a publication of another pipeline", lines: []string{ours("bank", "b", 1, 0), `{"txn":{"appId":"headgate/bank/b","version":1}}`}, want: "pipeline bank in the table of shop"},
		{name: "a publication that adds to another batch", lines: []string{ours("shop", "2024-01", 2, 1), count("2024-01", 2), foreignAdd("2024-02", "b", 1)}, want: "touches"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b, table := open(t)
			publish(t, table, commit("2024-01", 0, "1", put(t, b, "2024-01", "a")))
			write(t, b, 1, tt.lines...)
			_, err := table.Snapshot(t.Context())
			var bad *delta.LogError
			var unsupported *delta.UnsupportedError
			if !errors.As(err, &bad) && !errors.As(err, &unsupported) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want an error with %q", err, tt.want)
			}
		})
	}
}

// meta returns a metaData action whose schema has a column x of the given type.
func meta(rest, columnType string) string {
	schema := fmt.Sprintf(`{"type":"struct","fields":[{"name":"x","type":%s,"nullable":true},{"name":"batch","type":"string","nullable":true}]}`, columnType)
	return fmt.Sprintf(`{"metaData":{"id":"x","format":{"provider":"parquet"},"schemaString":%q,%s}}`, schema, rest)
}

func TestAGapInTheLogIsAnError(t *testing.T) {
	tests := []struct {
		name   string
		remove int // version
		add    int
		want   string
	}{
		{name: "the first entry is gone, as after a clean-up", remove: 0, want: "00.json: is missing: the log was cleaned up"},
		{name: "an entry in the middle is gone", remove: 1, want: "01.json: is missing, and there are later ones"},
		{name: "an entry has a wild number", remove: -1, add: 1 << 40, want: "03.json: is missing, and there are later ones"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b, table := open(t)
			for i := range 3 {
				publish(t, table, commit("2024-01", int64(i), fmt.Sprint(i)))
			}
			if tt.remove >= 0 {
				if err := b.Delete(t.Context(), logKey(tt.remove)); err != nil {
					t.Fatal(err)
				}
			}
			if tt.add > 0 {
				write(t, b, tt.add, info)
			}
			_, err := table.Snapshot(t.Context())
			var bad *delta.LogError
			if !errors.As(err, &bad) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want an error with %q", err, tt.want)
			}
		})
	}
}
