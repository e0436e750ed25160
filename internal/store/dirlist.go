package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

func (d *dir) list(ctx context.Context, prefix string) ([]Attrs, error) {
	folder, _ := splitPrefix(prefix)
	w := walk{ctx: ctx, prefix: prefix}
	err := w.folder(d.path(folder), folder, nil)
	if errors.Is(missing(err), ErrNotFound) {
		return nil, nil
	}
	return w.found, err
}

// A walk collects the files below a directory, through symbolic links as well.
type walk struct {
	ctx    context.Context
	prefix string
	found  []Attrs
}

// folder visits a directory whose key is key; above are those that lead to it.
func (w *walk) folder(path, key string, above []fs.FileInfo) error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	for _, a := range above {
		if os.SameFile(a, info) {
			return fmt.Errorf("%s links back to a directory above it", path)
		}
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return err
	}
	above = append(above[:len(above):len(above)], info)
	for _, entry := range entries {
		if isTemp(entry.Name()) {
			continue
		}
		below := entry.Name()
		if key != "" {
			below = key + "/" + below
		}
		if err := w.entry(filepath.Join(path, entry.Name()), below, above); err != nil {
			return err
		}
	}
	return nil
}

// entry visits one name of a directory.
func (w *walk) entry(path, key string, above []fs.FileInfo) error {
	if !strings.HasPrefix(key, w.prefix) && !strings.HasPrefix(w.prefix, key+"/") {
		return nil
	}
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		if link, _ := os.Lstat(path); link != nil {
			return fmt.Errorf("%s links to nowhere", path)
		}
		return nil // removed meanwhile
	}
	if err != nil {
		return err
	}
	if info.IsDir() {
		if err := w.folder(path, key, above); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	attrs, err := fileAttrs(key, info)
	if err == nil {
		w.found = append(w.found, attrs)
	}
	return nil
}
