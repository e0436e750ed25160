package pass

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// keys makes a key list from "KEY:ORDINAL" words, where KEY is one letter; a ! at
// the end is a row in quarantine.
func keys(words string) []byte {
	var b []byte
	for _, w := range strings.Fields(words) {
		var ordinal uint32
		fmt.Sscanf(w[2:], "%d", &ordinal)
		if strings.HasSuffix(w, "!") {
			ordinal |= bad
		}
		b = append(b, bytes.Repeat([]byte{w[0]}, 16)...)
		b = binary.BigEndian.AppendUint32(b, ordinal)
	}
	return b
}

func TestMergeKeys(t *testing.T) {
	for _, tc := range []struct {
		name  string
		lists []string
		want  string
		err   string
	}{
		{name: "no list", want: ""},
		{name: "empty lists", lists: []string{"", ""}, want: ""},
		{name: "no key twice", lists: []string{"a:1 c:0", "b:0 d:7"}, want: ""},
		{name: "twice within a shard", lists: []string{"a:1 a:4 b:0"}, want: "0/1 0/4;"},
		{name: "twice over two shards", lists: []string{"a:1 b:2", "b:9 c:1"}, want: "0/2 1/9;"},
		{name: "by shard, whichever list is shorter", lists: []string{"x:5 z:1", "a:0 b:0 x:2", "x:1"}, want: "0/5 1/2 2/1;"},
		{name: "two groups and the last key", lists: []string{"a:0 m:1 z:2", "a:3 z:4"}, want: "0/0 1/3; 0/2 1/4;"},
		{name: "a row in quarantine says so, and comes after the others of its shard", lists: []string{"a:7 a:2!", "a:1!"}, want: "0/7 0/2! 1/1!;"},
		{name: "a list that is not sorted", lists: []string{"a:0 b:0", "c:0 b:1"}, err: "key list of shard 1 is not sorted"},
		{name: "ordinals that are not sorted", lists: []string{"a:2 a:1"}, err: "key list of shard 0 is not sorted"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var lists []io.Reader
			for _, l := range tc.lists {
				lists = append(lists, bytes.NewReader(keys(l)))
			}
			got, err := groups(lists)
			if msg := fmt.Sprint(err); err != nil && msg != tc.err || err == nil && tc.err != "" {
				t.Fatalf("got error %v, want %q", err, tc.err)
			}
			if err == nil && got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

// groups shows the rows that share a key, as the merge of lists finds them.
func groups(lists []io.Reader) (string, error) {
	var out, rows []string
	var key Key
	end := func() {
		if len(rows) > 1 {
			out = append(out, strings.Join(rows, " ")+";")
		}
		rows = nil
	}
	err := MergeKeys(lists, func(k Key, d Duplicate) error {
		if k != key {
			end()
		}
		row := fmt.Sprintf("%d/%d", d.Shard, d.Row)
		if d.Quarantined {
			row += "!"
		}
		key, rows = k, append(rows, row)
		return nil
	})
	end()
	return strings.Join(out, " "), err
}

func TestMergeKeysStops(t *testing.T) {
	stop := errors.New("enough")
	calls := 0
	err := MergeKeys([]io.Reader{bytes.NewReader(keys("a:0 a:1 b:2 b:3 c:4"))}, func(Key, Duplicate) error { calls++; return stop })
	if !errors.Is(err, stop) || calls != 1 {
		t.Errorf("got %v after %d calls, want %v after 1", err, calls, stop)
	}
	whole := keys("a:0 b:1")
	_, err = groups([]io.Reader{bytes.NewReader(whole), bytes.NewReader(whole[:len(whole)-3])})
	if !errors.Is(err, io.ErrUnexpectedEOF) || !strings.Contains(err.Error(), "shard 1") {
		t.Errorf("a list that is cut short: got %v, want %v of shard 1", err, io.ErrUnexpectedEOF)
	}
}

// The merge of any number of lists finds what sorting all of them finds.
func TestMergeKeysOfAnyLists(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for round := range 200 {
		lists := make([][]byte, rng.IntN(9))
		places := map[[16]byte][]string{}
		for shard := range lists {
			for row := range rng.IntN(60) {
				var key [16]byte
				key[rng.IntN(2)*15] = byte(rng.IntN(1 + rng.IntN(200)))
				lists[shard] = binary.BigEndian.AppendUint32(append(lists[shard], key[:]...), uint32(row))
				places[key] = append(places[key], fmt.Sprintf("%d/%d", shard, row))
			}
		}
		var readers []io.Reader
		for _, l := range lists {
			sortKeys(l, 0)
			readers = append(readers, bytes.NewReader(l))
		}
		var want []string
		for _, key := range slices.SortedFunc(maps.Keys(places), func(a, b [16]byte) int { return bytes.Compare(a[:], b[:]) }) {
			if len(places[key]) > 1 {
				want = append(want, strings.Join(places[key], " ")+";")
			}
		}
		got, err := groups(readers)
		if err != nil || got != strings.Join(want, " ") {
			t.Fatalf("round %d: got %q, %v; want %q", round, got, err, want)
		}
	}
}

func TestSortKeysSortsAnything(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, tc := range []struct {
		name  string
		rows  int
		value func(at int) byte
	}{
		{name: "none", rows: 0, value: func(int) byte { return 0 }},
		{name: "a few", rows: fewKeys, value: func(int) byte { return byte(rng.Uint32()) }},
		{name: "digests", rows: 20_000, value: func(int) byte { return byte(rng.Uint32()) }},
		{name: "all alike", rows: 1000, value: func(int) byte { return 7 }},
		{name: "alike but for the last byte", rows: 5000, value: func(at int) byte {
			if at == KeySize-1 {
				return byte(rng.Uint32())
			}
			return 255
		}},
		{name: "two values a byte", rows: 5000, value: func(int) byte { return byte(rng.Uint32() & 1) }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			entries := make([][KeySize]byte, tc.rows)
			var list []byte
			for i := range entries {
				for at := range KeySize {
					entries[i][at] = tc.value(at)
				}
				list = append(list, entries[i][:]...)
			}
			slices.SortFunc(entries, func(a, b [KeySize]byte) int { return bytes.Compare(a[:], b[:]) })
			sortKeys(list, 0)
			for i := range entries {
				if !bytes.Equal(list[i*KeySize:(i+1)*KeySize], entries[i][:]) {
					t.Fatalf("entry %d: got %x, want %x", i, list[i*KeySize:(i+1)*KeySize], entries[i])
				}
			}
		})
	}
}

func TestUnmatched(t *testing.T) {
	for _, tc := range []struct {
		name        string
		lists, sets []string
		want        string
	}{
		{name: "nothing to find", sets: []string{"a:0"}, want: ""},
		{name: "no set has any key", lists: []string{"a:1 b:0"}, sets: []string{""}, want: "0/1 0/0"},
		{name: "keys in either set are found", lists: []string{"a:1 b:0", "c:4"}, sets: []string{"a:0", "c:0"}, want: "0/0"},
		{name: "many rows share a key that is there", lists: []string{"m:1 m:2 m:3", "m:0"}, sets: []string{"a:0 m:9"}, want: ""},
		{name: "many rows share a key that is not there", lists: []string{"m:1 m:2", "m:0"}, sets: []string{"a:0 z:9"}, want: "0/1 0/2 1/0"},
		{name: "a row in quarantine says so", lists: []string{"x:1!"}, sets: []string{""}, want: "0/1!"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var got []string
			err := Unmatched(readers(tc.lists), readers(tc.sets), func(row Duplicate) error {
				mark := ""
				if row.Quarantined {
					mark = "!"
				}
				got = append(got, fmt.Sprintf("%d/%d%s", row.Shard, row.Row, mark))
				return nil
			})
			if err != nil || strings.Join(got, " ") != tc.want {
				t.Errorf("got %v, %v, want %s", got, err, tc.want)
			}
		})
	}
}

func readers(lists []string) []io.Reader {
	var out []io.Reader
	for _, l := range lists {
		out = append(out, bytes.NewReader(keys(l)))
	}
	return out
}
