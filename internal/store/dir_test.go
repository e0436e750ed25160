package store

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

var ctx = context.Background()

func openTemp(t *testing.T) (*Bucket, *dir) {
	t.Helper()
	b, err := Open(ctx, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return b, b.driver.(*dir)
}

// files returns every file below a directory, unfinished ones as well.
func files(t *testing.T, root string) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			found = append(found, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestFullDisk(t *testing.T) {
	b, d := openTemp(t)
	real := d.write
	d.write = func(f *os.File, data []byte) error {
		if _, err := f.Write(data[:len(data)/2]); err != nil {
			return err
		}
		return &os.PathError{Op: "write", Path: f.Name(), Err: syscall.ENOSPC}
	}
	err := b.Put(ctx, "a/b.json", []byte("twelve bytes"))
	if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "no space left") || !strings.Contains(err.Error(), "a/b.json") {
		t.Errorf("Put: %v", err)
	}
	if got := files(t, d.root); got != nil {
		t.Errorf("the directory has %q", got)
	}
	d.write = real
	if err := b.Put(ctx, "a/b.json", []byte("twelve bytes")); err != nil {
		t.Errorf("Put with space again: %v", err)
	}
	if got := files(t, d.root); len(got) != 1 {
		t.Errorf("the directory has %q", got)
	}
}

func TestUnfinishedFilesAreNoObjects(t *testing.T) {
	b, d := openTemp(t)
	if err := b.Put(ctx, "a/b", []byte("x")); err != nil {
		t.Fatal(err)
	}
	// As a process leaves it that was killed between write and link.
	if err := os.WriteFile(filepath.Join(d.root, "a", tempPrefix+"0123456789abcdef"), []byte("half"), 0o666); err != nil {
		t.Fatal(err)
	}
	n := 0
	for attrs, err := range b.List(ctx, "") {
		if err != nil || attrs.Key != "a/b" {
			t.Errorf("List yields %q, %v", attrs.Key, err)
		}
		n++
	}
	if n != 1 {
		t.Errorf("List yields %d objects, want 1", n)
	}
}

func TestReaderSeesAFileChange(t *testing.T) {
	tests := []struct {
		name   string
		change func(path string) error
	}{
		{"written in place, shorter", func(path string) error { return os.WriteFile(path, []byte("tw"), 0o666) }},
		{"written in place, longer", func(path string) error { return os.WriteFile(path, []byte("one and two"), 0o666) }},
		{"emptied", func(path string) error { return os.Truncate(path, 0) }},
		{"touched", func(path string) error {
			info, err := os.Stat(path)
			if err != nil {
				return err
			}
			later := info.ModTime().Add(1)
			return os.Chtimes(path, later, later)
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b, d := openTemp(t)
			if err := b.Put(ctx, "in", []byte("one")); err != nil {
				t.Fatal(err)
			}
			r, err := b.Reader(ctx, "in")
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			if err := test.change(filepath.Join(d.root, "in")); err != nil {
				t.Fatal(err)
			}
			if n, err := r.ReadAt(make([]byte, 3), 0); n != 0 || !errors.Is(err, ErrChanged) {
				t.Errorf("ReadAt = %d, %v, want ErrChanged", n, err)
			}
		})
	}
}

func TestListFollowsLinks(t *testing.T) {
	b, d := openTemp(t)
	if err := b.Put(ctx, "real/a", []byte("x")); err != nil {
		t.Fatal(err)
	}
	link := func(old, new string) {
		t.Helper()
		if err := os.Symlink(old, filepath.Join(d.root, new)); err != nil {
			t.Fatal(err)
		}
	}
	link("real", "linked")
	link("real/a", "b")
	var got []string
	for attrs, err := range b.List(ctx, "") {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, attrs.Key)
	}
	if want := "b linked/a real/a"; strings.Join(got, " ") != want {
		t.Errorf("List = %q, want %s", got, want)
	}

	if got, err := b.Folders(ctx, ""); err != nil || strings.Join(got, " ") != "linked/ real/" {
		t.Errorf("Folders = %q, %v", got, err)
	}

	link("..", "real/up")
	if err := listError(b, ""); err == nil || !strings.Contains(err.Error(), "links back") {
		t.Errorf("List of a circle: %v", err)
	}
	os.Remove(filepath.Join(d.root, "real", "up"))
	link("nowhere", "dangling")
	if err := listError(b, ""); err == nil || !strings.Contains(err.Error(), "links to nowhere") {
		t.Errorf("List of a dangling link: %v", err)
	}
}

func listError(b *Bucket, prefix string) (last error) {
	for _, err := range b.List(ctx, prefix) {
		last = err
	}
	return last
}

func TestOnlyFilesAreObjects(t *testing.T) {
	b, d := openTemp(t)
	if err := os.MkdirAll(filepath.Join(d.root, "empty"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(d.root, "pipe"), 0o666); err != nil {
		t.Fatal(err)
	}
	// Opening the pipe would wait for ever.
	for _, key := range []string{"empty", "pipe"} {
		if _, err := b.Get(ctx, key); !errors.Is(err, ErrNotFound) {
			t.Errorf("Get(%s): %v", key, err)
		}
	}
	for _, prefix := range []string{"", "empty", "empty/", "pipe", "pipe/"} {
		for attrs, err := range b.List(ctx, prefix) {
			t.Errorf("List of %q yields %q, %v", prefix, attrs.Key, err)
		}
		if got, err := b.Folders(ctx, prefix); err != nil || got != nil {
			t.Errorf("Folders of %q: %q, %v", prefix, got, err)
		}
	}
	err := b.Put(ctx, "pipe/x", []byte("x"))
	if err == nil || !strings.Contains(err.Error(), "not a directory") {
		t.Errorf("Put below a file: %v", err)
	}
}

func TestTheDirectoryMayVanish(t *testing.T) {
	b, d := openTemp(t)
	for range 2 {
		if err := b.Put(ctx, "a/b/c", []byte("x")); err != nil {
			t.Fatal(err)
		}
		if err := os.RemoveAll(d.root); err != nil {
			t.Fatal(err)
		}
	}
	if err := listError(b, ""); err != nil {
		t.Errorf("List without a directory: %v", err)
	}
}

func TestObjectsAreForEverybodyToRead(t *testing.T) {
	b, d := openTemp(t)
	if err := b.Put(ctx, "x", []byte("x")); err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(d.root, "other")
	if err := os.WriteFile(other, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	want, err := os.Stat(other)
	if err != nil {
		t.Fatal(err)
	}
	have, err := os.Stat(filepath.Join(d.root, "x"))
	if err != nil {
		t.Fatal(err)
	}
	if have.Mode() != want.Mode() {
		t.Errorf("mode %v, want %v as any program makes", have.Mode(), want.Mode())
	}
}

func TestURLOfADirectory(t *testing.T) {
	root := filepath.Join(t.TempDir(), "a b")
	for _, url := range []string{root, "file://" + strings.ReplaceAll(root, " ", "%20")} {
		b, err := Open(ctx, url)
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Put(ctx, "x", []byte("x")); err != nil {
			t.Fatal(err)
		}
		again, err := Open(ctx, b.URL())
		if err != nil {
			t.Fatal(err)
		}
		if have, err := again.Get(ctx, "x"); err != nil || !bytes.Equal(have, []byte("x")) {
			t.Errorf("Open(%s).Get = %q, %v", b.URL(), have, err)
		}
	}
}
