package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

func (d *dir) list(ctx context.Context, prefix string) ([]Attrs, error) {
	w := walk{ctx: ctx, prefix: prefix}
	err := d.walk(&w)
	return w.found, err
}

func (d *dir) folders(ctx context.Context, prefix string) ([]string, error) {
	w := walk{ctx: ctx, prefix: prefix, shallow: true}
	err := d.walk(&w)
	return w.folders, err
}

// walk visits what begins with the walk's prefix, which may be nothing.
func (d *dir) walk(w *walk) error {
	folder, _ := splitPrefix(w.prefix)
	err := w.folder(d.path(folder), folder, nil)
	if errors.Is(missing(err), ErrNotFound) {
		return nil
	}
	return err
}

// A walk collects the files below a directory, through symbolic links as well. A shallow
// one collects the directories on the first level that hold a file.
type walk struct {
	ctx     context.Context
	prefix  string
	found   []Attrs
	shallow bool
	folders []string
}

// errSeen ends a shallow walk's look into a directory.
var errSeen = errors.New("it holds a file")

// folder visits a directory whose key is key; above are those that lead to it.
func (w *walk) folder(path, key string, above []fs.FileInfo) error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fs.ErrNotExist // and opening a named pipe would wait for its other end
	}
	for _, a := range above {
		if os.SameFile(a, info) {
			return fmt.Errorf("%s links back to a directory above it", path)
		}
	}
	above = append(above[:len(above):len(above)], info)
	return eachName(path, func(name string) error {
		if isTemp(name) {
			return nil
		}
		below := name
		if key != "" {
			below = key + "/" + below
		}
		return w.entry(filepath.Join(path, name), below, above)
	})
}

// eachName calls visit for the names in a directory, in no order, until it returns an
// error. It does not read a long directory further than that.
func eachName(path string, visit func(name string) error) error {
	const some = 256
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	for {
		names, err := f.Readdirnames(some)
		for _, name := range names {
			if err := visit(name); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
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
	first := len(above) == 1 // on the level of the prefix
	if info.IsDir() {
		err := w.folder(path, key, above)
		switch {
		case first && errors.Is(err, errSeen):
			w.folders = append(w.folders, key+"/")
			return nil
		case errors.Is(err, fs.ErrNotExist):
			return nil
		}
		return err
	}
	attrs, err := fileAttrs(key, info)
	switch {
	case err != nil:
		return nil
	case w.shallow && !first:
		return errSeen
	}
	w.found = append(w.found, attrs)
	return nil
}
