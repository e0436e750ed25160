package registry

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"headgate/internal/store"
)

// digest returns a digest that is different for each name.
func digest(name string) store.Digest { return store.DigestOf([]byte(name)) }

var noon = time.Date(2024, 1, 31, 12, 0, 0, 0, time.UTC)

// line is an entry as it is kept.
var line = fmt.Sprintf(`{"seq":2,"prev":"%s","kind":"published","id":"score/retailer/2024-01","at":"2024-01-31T12:00:00Z",`+
	`"by":"worker <a&b>","run":"%s"}`+"\n", digest("one"), digest("run"))

func TestEntryBytes(t *testing.T) {
	version := int64(0)
	e := Entry{
		Seq: 2, Prev: digest("one"), Kind: KindPublished, ID: "score/retailer/2024-01",
		At: noon.In(time.FixedZone("CET", 3600)), By: "worker <a&b>", Cause: "schedule",
		Batch: "2024-01", Run: digest("run"), Publication: 1, TableVersion: &version, Model: digest("model"),
		Reasons: []string{"rows in = scored + quarantined"},
	}
	want := fmt.Sprintf(`{"seq":2,"prev":"%s","kind":"published","id":"score/retailer/2024-01","at":"2024-01-31T12:00:00Z",`+
		`"by":"worker <a&b>","cause":"schedule","model":"%s","batch":"2024-01","run":"%s","publication":1,"tableVersion":0,`+
		`"reasons":["rows in = scored + quarantined"]}`+"\n", digest("one"), digest("model"), digest("run"))
	got, err := e.Bytes()
	if err != nil || string(got) != want {
		t.Fatalf("Bytes = %s, %v\nwant    %s", got, err, want)
	}
	back, err := ParseEntry(got)
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := back.Bytes(); !bytes.Equal(again, got) {
		t.Errorf("parsed and written again: %s", again)
	}
}

func TestParseEntryRefuses(t *testing.T) {
	good := fmt.Sprintf(`{"seq":1,"prev":"%s","kind":"register","id":"i","at":"2024-01-31T12:00:00Z","by":"b","model":"%s"}`+"\n",
		digest("0"), digest("m"))
	if _, err := ParseEntry([]byte(good)); err != nil {
		t.Fatal(err)
	}
	edit := func(old, new string) string {
		if !strings.Contains(good, old) {
			t.Fatalf("%s is not in the entry", old)
		}
		return strings.Replace(good, old, new, 1)
	}
	tests := []struct {
		name, data, want string
	}{
		{"nothing", "", "EOF"},
		{"no JSON", "seq: 1", "invalid character"},
		{"half of it", good[:50], "unexpected EOF"},
		{"an unknown field", edit(`"by":"b"`, `"by":"b","force":true`), `unknown field "force"`},
		{"an unknown kind", edit(`register`, `forget`), `kind "forget" is unknown`},
		{"a missing field", edit(fmt.Sprintf(`,"model":"%s"`, digest("m")), ``), "kind register needs model"},
		{"a digest that is none", edit(string(digest("m")), "sha256:abc"), "model must be a digest"},
		{"no author and no id", edit(`"id":"i"`, `"id":""`), "id is needed"},
		{"no time", edit("2024-01-31T12:00:00Z", "0001-01-01T00:00:00Z"), "at is needed"},
		{"another time zone", edit("12:00:00Z", "13:00:00+01:00"), "canonical"},
		{"a space", edit(`"seq":1`, `"seq": 1`), "canonical"},
		{"another order", edit(`"id":"i","at":"2024-01-31T12:00:00Z"`, `"at":"2024-01-31T12:00:00Z","id":"i"`), "canonical"},
		{"a field twice", edit(`"by":"b"`, `"by":"a","by":"b"`), "canonical"},
		{"a field in capitals", edit(`"by":"b"`, `"BY":"b"`), "canonical"},
		{"an escape that is not needed", edit(`"by":"b"`, `"by":"\u0062"`), "canonical"},
		{"an empty field", edit(`"by":"b"`, `"by":"b","cause":""`), "canonical"},
		{"no newline", strings.TrimSuffix(good, "\n"), "canonical"},
		{"two newlines", good + "\n", "canonical"},
		{"two entries", good + good, "something follows"},
		{"a number too large", edit(`"seq":1`, `"seq":99999999999999999999`), "cannot unmarshal number"},
		{"a negative number", edit(`"seq":1`, `"seq":-1`), "seq counts from 1"},
		{"an unknown verdict", edit(`"by":"b"`, `"by":"b","verdict":"maybe"`), `verdict "maybe" is unknown`},
		{"an unknown answer", edit(`"by":"b"`, `"by":"b","answer":"maybe"`), `answer "maybe" is unknown`},
		{"an unknown control", edit(`"by":"b"`, `"by":"b","control":"push"`), `control "push" is unknown`},
		{"a paper that is none", edit(`"}`, `","paper":"sha256:abc"}`), "paper must be a digest"},
		{"labels that are none", edit(`"}`, `","labels":"sha256:abc"}`), "labels must be a digest"},
		{"another time zone of until", edit(`"}`, `","until":"2024-01-31T13:00:00+01:00"}`), "canonical"},
		{"another time zone of slot", edit(`"}`, `","slot":"2024-01-31T13:00:00+01:00"}`), "canonical"},
		{"a proposal before the first entry", edit(`"}`, `","proposal":-1}`), "proposal is the number of an entry"},
		{"too much", good[:len(good)-2] + strings.Repeat(" ", maxEntry), "bytes are over"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := ParseEntry([]byte(test.data))
			if !errors.Is(err, ErrEntry) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("ParseEntry: %v, want %s", err, test.want)
			}
		})
	}
}

func TestEachKindNeedsItsFields(t *testing.T) {
	if len(kinds) != 20 {
		t.Errorf("%d kinds, want 20", len(kinds))
	}
	for kind, needs := range kinds {
		e := Entry{Seq: 1, Prev: digest("0"), Kind: kind, ID: "i", At: noon, By: "b"}
		err := e.check()
		for _, name := range needs {
			if err == nil || !strings.Contains(err.Error(), "kind "+kind+" needs "+name) {
				t.Errorf("a bare %s: %v, want it to need %s", kind, err, name)
			}
		}
	}
}

// The other way round: what a kind needs is all it needs.
func TestEachKindIsWholeWithItsFields(t *testing.T) {
	for _, e := range everything() {
		e.Seq, e.Prev = 1, digest("0")
		if err := e.check(); err != nil {
			t.Errorf("%s: %v", e.Kind, err)
		}
		data, err := e.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		back, err := ParseEntry(data)
		if err != nil || !sameFacts(e, back) {
			t.Errorf("%s: %v, %+v", e.Kind, err, back)
		}
	}
}

func FuzzParseEntry(f *testing.F) {
	f.Add([]byte(line))
	for _, e := range everything() {
		e.Seq, e.Prev = 1, digest("0")
		data, err := e.Bytes()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := ParseEntry(data)
		if err != nil {
			if !errors.Is(err, ErrEntry) {
				t.Errorf("ParseEntry: %v", err)
			}
			return
		}
		again, err := e.Bytes()
		if err != nil || !bytes.Equal(again, data) {
			t.Errorf("Bytes = %s, %v\nof      %s", again, err, data)
		}
	})
}
