package store_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"headgate/internal/store"
)

func TestCheckKeySaysWhy(t *testing.T) {
	tests := []struct {
		name, key, want string
	}{
		{"nothing", "", `store: an empty string is not a key`},
		{"a way out", "../etc/passwd", `store: "../etc/passwd" is not a key: a name ends in "."`},
		{"a way out, inside", "a/../../b", `store: "a/../../b" is not a key: a name ends in "."`},
		{"absolute", "/etc/passwd", `store: "/etc/passwd" is not a key: a name is empty ("/" first, last or doubled)`},
		{"a folder", "a/", `store: "a/" is not a key: a name is empty ("/" first, last or doubled)`},
		{"a Windows path", `a\b`, `store: "a\\b" is not a key: it contains '\\'`},
		{"a NUL", "a\x00", `store: "a\x00" is not a key: it contains '\x00'`},
		{"Latin-1", "caf\xe9", `store: "caf\xe9" is not a key: it is not UTF-8`},
		{"an unfinished file", "a/.headgate-put-00", `store: "a/.headgate-put-00" is not a key: names that begin with .headgate-put- are for unfinished files`},
		{"a long name", strings.Repeat("n", 256), `store: "` + strings.Repeat("n", 256) + `" is not a key: a name of 256 bytes is over 255`},
		{"a long key", strings.Repeat("k/", 512) + "k", `store: "` + strings.Repeat("k/", 16) + `"… is not a key: 1025 bytes are over 1024`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := store.CheckKey(test.key)
			if err == nil || err.Error() != test.want || !errors.Is(err, store.ErrKey) {
				t.Errorf("CheckKey: %v\nwant      %s", err, test.want)
			}
		})
	}
}

// FuzzKey checks that whatever CheckKey lets through names an object of its own
// inside the directory, and that nothing else can be written at all.
func FuzzKey(f *testing.F) {
	for _, key := range []string{"a", "a/b", "../a", "a/../b", "a//b", "/a", "a/", "a.", ".a", "a\x00b", "ä", "\xff",
		"C:\\a", "a:b", "%2e%2e/a", ".headgate-put-1", "a/.headgate-put-1", strings.Repeat("n", 300), "batch=2024-01/x.parquet"} {
		f.Add(key)
	}
	f.Fuzz(func(t *testing.T, key string) {
		ctx := context.Background()
		parent := t.TempDir()
		root := filepath.Join(parent, "root")
		b, err := store.Open(ctx, root)
		if err != nil {
			t.Fatal(err)
		}
		err = b.Put(ctx, key, []byte("x"))
		if bad := store.CheckKey(key); bad != nil {
			if !errors.Is(err, store.ErrKey) {
				t.Errorf("Put(%q): %v, but CheckKey: %v", key, err, bad)
			}
			if entries, _ := os.ReadDir(parent); len(entries) != 0 {
				t.Errorf("Put(%q) was refused and wrote %q", key, entries)
			}
			return
		}
		if err != nil {
			t.Fatalf("Put(%q): %v", key, err)
		}
		if entries, _ := os.ReadDir(parent); len(entries) != 1 || entries[0].Name() != "root" {
			t.Errorf("Put(%q) wrote outside: %q", key, entries)
		}
		n := 0
		for attrs, err := range b.List(ctx, "") {
			if err != nil || attrs.Key != key {
				t.Errorf("List = %q, %v, want %q", attrs.Key, err, key)
			}
			n++
		}
		if n != 1 {
			t.Errorf("Put(%q) made %d objects", key, n)
		}
	})
}

func TestParseDigest(t *testing.T) {
	good := store.DigestOf([]byte("x"))
	if d, err := store.ParseDigest(string(good)); d != good || err != nil {
		t.Errorf("ParseDigest(%q) = %q, %v", good, d, err)
	}
	for _, s := range []string{"", "sha256:", string(good[:70]), string(good) + "0", strings.ToUpper(string(good)),
		"md5:" + string(good[7:]) + "000", string(good[:70]) + "g", string(good[:70]) + "/"} {
		if d, err := store.ParseDigest(s); err == nil || d != "" {
			t.Errorf("ParseDigest(%q) = %q, %v, want an error", s, d, err)
		}
	}
}
