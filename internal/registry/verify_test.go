package registry

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"headgate/internal/store"
)

// replace does what nobody should be able to do.
func replace(t *testing.T, b *store.Bucket, key string, data []byte) {
	t.Helper()
	if err := b.Delete(ctx, key); err != nil {
		t.Fatal(err)
	}
	if data == nil {
		return
	}
	if err := b.Put(ctx, key, data); err != nil {
		t.Fatal(err)
	}
}

func object(t *testing.T, b *store.Bucket, seq int64) []byte {
	t.Helper()
	data, err := b.Get(ctx, Key("retailer", seq))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestVerifyOfASoundLog(t *testing.T) {
	b := memory(t)
	empty, err := Verify(ctx, b, "retailer", "0:"+string(Genesis("retailer")))
	if err != nil || empty.Err() != nil || empty.Head != 0 || empty.Anchor != load(t, b).Anchor() {
		t.Errorf("Verify of no log = %+v, %v", empty, err)
	}
	l := load(t, b)
	var anchors []string
	for _, e := range story() {
		appendTo(t, l, e)
		anchors = append(anchors, l.Anchor())
	}
	report, err := Verify(ctx, b, "retailer", anchors...)
	if err != nil || report.Err() != nil {
		t.Fatalf("Verify: %v, %v", err, report.Err())
	}
	if report.Entries != 6 || report.Head != 6 || report.Anchor != l.Anchor() || report.Pipeline != "retailer" {
		t.Errorf("report %+v", report)
	}
}

func TestVerifyNamesEveryProblem(t *testing.T) {
	key := func(seq int64) string { return Key("retailer", seq) }
	edit := func(t *testing.T, b *store.Bucket, seq int64, old, new string) {
		t.Helper()
		data := object(t, b, seq)
		if !bytes.Contains(data, []byte(old)) {
			t.Fatalf("entry %d has no %s", seq, old)
		}
		replace(t, b, key(seq), bytes.Replace(data, []byte(old), []byte(new), 1))
	}
	swap := func(t *testing.T, b *store.Bucket, i, j int64) {
		t.Helper()
		a, c := object(t, b, i), object(t, b, j)
		replace(t, b, key(i), c)
		replace(t, b, key(j), a)
	}
	tests := []struct {
		name   string
		damage func(t *testing.T, b *store.Bucket)
		want   []string // one for each problem, in order
		load   any      // target of errors.As for Load; nil if it cannot notice
	}{
		{"an edited entry", func(t *testing.T, b *store.Bucket) { edit(t, b, 4, "3 of 20000", "0 of 20000") },
			[]string{"5.json: it continues"}, new(*HashError)},
		{"the last entry edited", func(t *testing.T, b *store.Bucket) { edit(t, b, 6, "wrong prices", "a whim") },
			[]string{"6.json: it is sha256:"}, nil},
		{"an edit that shows by itself", func(t *testing.T, b *store.Bucket) { edit(t, b, 4, `"pass"`, `"fine"`) },
			[]string{`4.json: not an entry: verdict "fine" is unknown`, "5.json: it continues"}, new(*EntryError)},
		{"an unknown field", func(t *testing.T, b *store.Bucket) { edit(t, b, 1, `"by"`, `"approved":true,"by"`) },
			[]string{`1.json: not an entry: unknown field "approved"`, "2.json: it continues"}, new(*EntryError)},
		{"an empty object", func(t *testing.T, b *store.Bucket) { replace(t, b, key(6), []byte{}) },
			[]string{"6.json: not an entry: EOF", "6.json: it is sha256:"}, new(*EntryError)},
		{"a missing entry", func(t *testing.T, b *store.Bucket) { replace(t, b, key(4), nil) },
			[]string{"4.json: the entry is missing"}, new(*HashError)},
		{"the first missing", func(t *testing.T, b *store.Bucket) { replace(t, b, key(1), nil) },
			[]string{"1.json: the entry is missing"}, new(*HashError)},
		{"several missing", func(t *testing.T, b *store.Bucket) { replace(t, b, key(4), nil); replace(t, b, key(5), nil) },
			[]string{"4.json: the entries 4 to 5 are missing"}, new(*HashError)},
		{"two entries swapped", func(t *testing.T, b *store.Bucket) { swap(t, b, 4, 5) },
			[]string{"4.json: it says that it is entry 5", "4.json: it continues", "5.json: it says that it is entry 4",
				"5.json: it continues", "6.json: it continues"}, new(*EntryError)},
		{"an entry repeated", func(t *testing.T, b *store.Bucket) {
			if err := b.Put(ctx, key(7), object(t, b, 6)); err != nil {
				t.Fatal(err)
			}
		}, []string{"7.json: it says that it is entry 6", "7.json: it continues", "7.json: its id \"restored\" is that of entry 6"}, new(*EntryError)},
		{"its end cut off", func(t *testing.T, b *store.Bucket) { replace(t, b, key(6), nil) },
			[]string{"log/: the log ends at entry 5, but the anchor 6:sha256:"}, nil},
		{"all gone", func(t *testing.T, b *store.Bucket) {
			for seq := int64(1); seq <= 6; seq++ {
				replace(t, b, key(seq), nil)
			}
		}, []string{"log/: the log ends at entry 0, but the anchor 6:sha256:"}, nil},
		{"a stray object", func(t *testing.T, b *store.Bucket) {
			if err := b.Put(ctx, Prefix("retailer")+"6.json", []byte("x")); err != nil {
				t.Fatal(err)
			}
		}, []string{"6.json: this object is no entry's"}, nil},
		{"a number far away", func(t *testing.T, b *store.Bucket) {
			if err := b.Put(ctx, key(9999999999), []byte("x")); err != nil {
				t.Fatal(err)
			}
		}, []string{"the entries 7 to 9999999998 are missing", "9999999999.json: not an entry"}, new(*HashError)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b := memory(t)
			anchor := told(t, b).Anchor()
			test.damage(t, b)
			report, err := Verify(ctx, b, "retailer", anchor)
			if err != nil {
				t.Fatal(err)
			}
			for i, p := range report.Problems {
				if i >= len(test.want) || !strings.Contains(p.String(), test.want[i]) {
					t.Errorf("problem %d: %s", i, p)
				}
			}
			if len(report.Problems) != len(test.want) {
				t.Errorf("%d problems, want %d: %q", len(report.Problems), len(test.want), test.want)
			}
			_, err = Load(ctx, b, "retailer")
			if test.load == nil && err != nil || test.load != nil && (err == nil || !errors.As(err, test.load)) {
				t.Errorf("Load: %v, want %T", err, test.load)
			}
		})
	}
}

// write appends an entry without asking the log.
func write(t *testing.T, b *store.Bucket, e Entry) {
	t.Helper()
	l := load(t, b)
	e.Seq, e.Prev = l.Head()+1, l.head
	data, err := e.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Put(ctx, Key("retailer", e.Seq), data); err != nil {
		t.Fatal(err)
	}
}

func TestVerifyTellsOfBrokenRules(t *testing.T) {
	champion := Entry{Kind: KindPromote, ID: "x", At: noon, By: "mallory", Alias: AliasChampion, Model: digest("model")}
	unknown, twice, stale := champion, story()[3], story()[3]
	unknown.Model = digest("never registered")
	stale.ID, stale.Basis = "y", digest("another basis")
	tests := []struct {
		name string
		e    Entry
		want string
	}{
		{"a champion by force", champion, ErrAliasTaken.Error()},
		{"an unknown model", unknown, ErrUnknownModel.Error()},
		{"an id twice", twice, `its id "verdict" is that of entry 4`},
		{"an old decision", stale, "its decision rests on"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b := memory(t)
			before := told(t, b).State()
			write(t, b, test.e)
			report, err := Verify(ctx, b, "retailer")
			if err != nil || len(report.Problems) != 1 || !strings.Contains(report.Problems[0].Message, test.want) || report.Problems[0].Seq != 7 {
				t.Errorf("Verify = %v, %v, want %s", report.Err(), err, test.want)
			}
			if after := load(t, b).State(); fmt.Sprint(after.Aliases) != fmt.Sprint(before.Aliases) {
				t.Errorf("aliases %v, want %v: the entry had an effect", after.Aliases, before.Aliases)
			}
		})
	}
}

func TestAnEntryOfAnotherPipeline(t *testing.T) {
	b := memory(t)
	other, err := Load(ctx, b, "other")
	if err != nil {
		t.Fatal(err)
	}
	appendTo(t, other, register("a"))
	data, err := b.Get(ctx, Key("other", 1))
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Put(ctx, Key("retailer", 1), data); err != nil {
		t.Fatal(err)
	}
	var hash *HashError
	if _, err := Load(ctx, b, "retailer"); !errors.As(err, &hash) || hash.Seq != 1 || hash.Have != Genesis("retailer") {
		t.Errorf("Load: %v", err)
	}
}

func TestParseAnchor(t *testing.T) {
	seq, d, err := ParseAnchor("42:" + string(digest("x")))
	if seq != 42 || d != digest("x") || err != nil {
		t.Errorf("ParseAnchor = %d, %s, %v", seq, d, err)
	}
	for _, s := range []string{"", "42", "42:", ":" + string(digest("x")), "-1:" + string(digest("x")), "042:" + string(digest("x")),
		"+1:" + string(digest("x")), "1:" + string(digest("x")) + "\n", "1:sha256:abc", string(digest("x"))} {
		if _, _, err := ParseAnchor(s); !errors.Is(err, ErrAnchor) {
			t.Errorf("ParseAnchor(%q): %v", s, err)
		}
		if _, err := Verify(ctx, memory(t), "retailer", s); !errors.Is(err, ErrAnchor) {
			t.Errorf("Verify(%q): %v", s, err)
		}
	}
}
