package storetest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	"headgate/internal/store"
)

func testPutTwice(t *testing.T, b *store.Bucket) {
	ctx := context.Background()
	put(t, b, "log/1.json", []byte("one"))
	put(t, b, "log/1.json", []byte("one"))
	for _, other := range []string{"two", "on", "one and more", ""} {
		wants(t, fmt.Sprintf("Put of %q over \"one\"", other), b.Put(ctx, "log/1.json", []byte(other)), store.ErrExists)
	}
	holds(t, b, "log/1.json", []byte("one"))

	put(t, b, "empty", nil)
	put(t, b, "empty", []byte{})
	wants(t, "Put of bytes over none", b.Put(ctx, "empty", []byte("x")), store.ErrExists)
	holds(t, b, "empty", nil)
}

// noise returns n bytes that do not compress and differ by seed.
func noise(seed uint64, n int) []byte {
	var key [32]byte
	key[0], key[1] = byte(seed), byte(seed>>8)
	data := make([]byte, n)
	rand.NewChaCha8(key).Read(data)
	return data
}

func testSizes(t *testing.T, b *store.Bucket) {
	// The last one takes several parts on S3 (5 MiB), Azure (8) and Google (16).
	for i, size := range []int{0, 1, 4096, 1<<20 + 1, 18 << 20} {
		key, data := fmt.Sprintf("sizes/%d.parquet", size), noise(uint64(i), size)
		put(t, b, key, data)
		holds(t, b, key, data)
		put(t, b, key, data)
		if size > 0 {
			data[size-1]++
			wants(t, fmt.Sprintf("Put of another %d bytes", size), b.Put(context.Background(), key, data), store.ErrExists)
		}
	}
}

func testKeys(t *testing.T, b *store.Bucket) {
	keys := []string{
		"a", "A", "a b", "a+b", "a%20b", "a%2Fb", "ä/日本語/🙂", "batch=2024-01/part-0.parquet",
		"q?x=1&y=2#z", "[x]*{y}", "'quoted' \"twice\"", "_delta_log/00000000000000000007.json",
		".hidden/..x", "semi;colon:at@comma,", "~tilde`back|pipe^caret<less>more$dollar!",
		"deep/" + strings.Repeat("d/", 20) + "leaf", "long/" + strings.Repeat("n", 255),
		"__0x2f__", "%", "a//b"[:1] + "-", strings.Repeat("k", 100) + "/" + strings.Repeat("l", 100),
	}
	for _, key := range keys {
		put(t, b, key, []byte("under "+key))
	}
	for _, key := range keys {
		holds(t, b, key, []byte("under "+key))
		if got := listKeys(t, b, key); !slices.Contains(got, key) {
			t.Errorf("List(%q) = %q, without the key itself", key, got)
		}
	}
	slices.Sort(keys)
	if got := Keys(t, b); !slices.Equal(got, keys) {
		t.Errorf("List = %q\nwant   %q", got, keys)
	}
}

func testBadKeys(t *testing.T, b *store.Bucket) {
	ctx := context.Background()
	for _, key := range []string{"", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/../b", "a/./b", "a\\b", "a\x00b",
		"a\nb", "\xff", "a.", ".headgate-put-1", "a/.headgate-put-1/b", strings.Repeat("n", 256), strings.Repeat("k/", 600) + "k"} {
		short := key[:min(len(key), 20)]
		wants(t, fmt.Sprintf("Put(%q)", short), b.Put(ctx, key, []byte("x")), store.ErrKey)
		_, err := b.Get(ctx, key)
		wants(t, fmt.Sprintf("Get(%q)", short), err, store.ErrKey)
		_, err = b.Stat(ctx, key)
		wants(t, fmt.Sprintf("Stat(%q)", short), err, store.ErrKey)
		_, err = b.Reader(ctx, key)
		wants(t, fmt.Sprintf("Reader(%q)", short), err, store.ErrKey)
		wants(t, fmt.Sprintf("Delete(%q)", short), b.Delete(ctx, key), store.ErrKey)
	}
	for _, prefix := range []string{"/", "../", "a/../", "a//", "\x00", "../../etc/"} {
		for _, err := range b.List(ctx, prefix) {
			wants(t, fmt.Sprintf("List(%q)", prefix), err, store.ErrKey)
		}
		_, err := b.Folders(ctx, prefix)
		wants(t, fmt.Sprintf("Folders(%q)", prefix), err, store.ErrKey)
	}
}

func testMissing(t *testing.T, b *store.Bucket) {
	ctx := context.Background()
	put(t, b, "there/object", []byte("x"))
	// A directory has these as parts of a path, but no store has them as objects.
	for _, key := range []string{"absent", "there", "there/absent", "there/object/below"} {
		_, err := b.Get(ctx, key)
		wants(t, "Get "+key, err, store.ErrNotFound)
		_, err = b.Stat(ctx, key)
		wants(t, "Stat "+key, err, store.ErrNotFound)
		_, err = b.Reader(ctx, key)
		wants(t, "Reader "+key, err, store.ErrNotFound)
		if err != nil && !strings.Contains(err.Error(), key) {
			t.Errorf("the error does not name %s: %v", key, err)
		}
	}
	_, err := b.GetBlob(ctx, store.DigestOf([]byte("absent")))
	wants(t, "GetBlob", err, store.ErrNotFound)
	if got := listKeys(t, b, "absent/"); got != nil {
		t.Errorf("List of an absent prefix = %q", got)
	}
	if got := folders(t, b, "absent/"); got != nil {
		t.Errorf("Folders of an absent prefix = %q", got)
	}
}

func testDelete(t *testing.T, b *store.Bucket) {
	ctx := context.Background()
	put(t, b, "d/x", []byte("first"))
	for range 2 {
		wants(t, "Delete", b.Delete(ctx, "d/x"), nil)
	}
	wants(t, "Delete of a part of a path", b.Delete(ctx, "d"), nil)
	_, err := b.Get(ctx, "d/x")
	wants(t, "Get of the deleted", err, store.ErrNotFound)
	put(t, b, "d/x", []byte("second"))
	holds(t, b, "d/x", []byte("second"))
}

func testList(t *testing.T, b *store.Bucket) {
	keys := []string{"a-b", "a/b/c", "a/b/d", "a/c", "a0", "ab", "b"}
	for _, i := range rand.Perm(len(keys)) {
		put(t, b, keys[i], []byte("x"))
	}
	tests := []struct {
		prefix string
		want   []string
	}{
		{"", keys},
		{"a", []string{"a-b", "a/b/c", "a/b/d", "a/c", "a0", "ab"}},
		{"a/", []string{"a/b/c", "a/b/d", "a/c"}},
		{"a/b", []string{"a/b/c", "a/b/d"}},
		{"a/b/", []string{"a/b/c", "a/b/d"}},
		{"a/b/c", []string{"a/b/c"}},
		{"a/b/c/", nil},
		{"a/x/y", nil},
		{"c", nil},
	}
	for _, test := range tests {
		if got := listKeys(t, b, test.prefix); !slices.Equal(got, test.want) {
			t.Errorf("List(%q) = %q, want %q", test.prefix, got, test.want)
		}
	}
	for attrs, err := range b.List(context.Background(), "") {
		if err != nil || attrs.Key != "a-b" {
			t.Errorf("the first of List = %q, %v", attrs.Key, err)
		}
		break // the rest is not wanted, which must be fine
	}
}

func testFolders(t *testing.T, b *store.Bucket) {
	for _, key := range []string{"a-b/x", "a/b/c/d", "a/b/d", "a/c", "a/e f/ä", "a0", "b/batch=2024-01/x", "c"} {
		put(t, b, key, []byte("x"))
	}
	tests := []struct {
		prefix string
		want   []string
	}{
		{"", []string{"a-b/", "a/", "b/"}},
		{"a", []string{"a-b/", "a/"}},
		{"a/", []string{"a/b/", "a/e f/"}},
		{"a/b", []string{"a/b/"}},
		{"a/b/", []string{"a/b/c/"}},
		{"a/b/c/", nil},
		{"a/b/d", nil},
		{"a/b/d/", nil},
		{"a/x/y", nil},
		{"a0", nil},
		{"b/batch=2024", []string{"b/batch=2024-01/"}},
		{"d", nil},
	}
	for _, test := range tests {
		if got := folders(t, b, test.prefix); !slices.Equal(got, test.want) {
			t.Errorf("Folders(%q) = %q, want %q", test.prefix, got, test.want)
		}
	}
}

// testFolderOfNothing checks that what makes a folder is an object. A directory stays
// when its last file goes.
func testFolderOfNothing(t *testing.T, b *store.Bucket) {
	put(t, b, "logs/kept/deep/er/1", nil)
	put(t, b, "logs/left/deep/er/1", nil)
	wants(t, "Delete", b.Delete(context.Background(), "logs/left/deep/er/1"), nil)
	if got, want := folders(t, b, "logs/"), []string{"logs/kept/"}; !slices.Equal(got, want) {
		t.Errorf("Folders = %q, want %q", got, want)
	}
}

func folders(t testing.TB, b *store.Bucket, prefix string) []string {
	t.Helper()
	found, err := b.Folders(context.Background(), prefix)
	if err != nil {
		t.Fatalf("Folders(%q): %v", prefix, err)
	}
	return found
}

func testListMany(t *testing.T, b *store.Bucket) {
	const n = 1100 // services return 1000 at once
	var group errgroup.Group
	group.SetLimit(32)
	names, want := make([]string, n), make([]string, n)
	for i := range want {
		names[i] = fmt.Sprintf("many/%04d/", i)
		want[i] = names[i] + "x"
		group.Go(func() error { return b.Put(context.Background(), want[i], nil) })
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	if got := listKeys(t, b, "many/"); !slices.Equal(got, want) {
		t.Errorf("List yields %d keys, want %d in order", len(got), n)
	}
	if got := folders(t, b, "many/"); !slices.Equal(got, names) {
		t.Errorf("Folders has %d names, want %d in order", len(got), n)
	}
}

func testAttrs(t *testing.T, b *store.Bucket) {
	ctx := context.Background()
	versions := make(map[string]bool)
	for _, data := range []string{"first", "other", "first"} {
		put(t, b, "in/file.parquet", []byte(data))
		stat, err := b.Stat(ctx, "in/file.parquet")
		if err != nil {
			t.Fatal(err)
		}
		if stat.Key != "in/file.parquet" || stat.Size != 5 || stat.Version == "" || stat.ModTime.IsZero() {
			t.Errorf("Stat = %+v", stat)
		}
		for listed, err := range b.List(ctx, "in/") {
			if err != nil || listed.Key != stat.Key || listed.Size != stat.Size || listed.Version != stat.Version {
				t.Errorf("List = %+v, %v\nStat = %+v", listed, err, stat)
			}
		}
		r, err := b.Reader(ctx, "in/file.parquet")
		if err != nil {
			t.Fatal(err)
		}
		if a := r.Attrs(); a.Key != stat.Key || a.Size != stat.Size || a.Version != stat.Version || r.Size() != 5 {
			t.Errorf("Reader.Attrs = %+v\nStat = %+v", a, stat)
		}
		wants(t, "Close", r.Close(), nil)
		versions[stat.Version] = true
		wants(t, "Delete", b.Delete(ctx, "in/file.parquet"), nil)
	}
	if len(versions) < 2 {
		t.Errorf("two objects had one version: %v", versions)
	}
}

func testBlobs(t *testing.T, b *store.Bucket) {
	ctx := context.Background()
	data := noise(7, 1000)
	for range 2 {
		ref, err := b.PutBlob(ctx, data)
		if err != nil || ref.Size != 1000 || ref.Digest != store.DigestOf(data) {
			t.Fatalf("PutBlob = %+v, %v", ref, err)
		}
		got, err := b.GetBlob(ctx, ref.Digest)
		if err != nil || string(got) != string(data) {
			t.Fatalf("GetBlob = %d bytes, %v", len(got), err)
		}
	}
	lost := store.DigestOf([]byte("what it should be"))
	put(t, b, store.BlobKey(lost), []byte("what it is"))
	_, err := b.GetBlob(ctx, lost)
	var corrupt *store.CorruptError
	if !errors.As(err, &corrupt) || corrupt.Want != lost || corrupt.Have != store.DigestOf([]byte("what it is")) {
		t.Errorf("GetBlob of a corrupt blob: %v", err)
	}
	if _, err := b.PutBlob(ctx, []byte("what it should be")); !errors.As(err, &corrupt) {
		t.Errorf("PutBlob over a corrupt blob: %v", err)
	}
	if _, err := b.GetBlob(ctx, "sha256:short"); err == nil {
		t.Error("GetBlob of no digest succeeds")
	}
}
