package store

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"syscall"
)

// A dir is a directory on a disk. A key is a path below its root; so unlike in
// other stores, one key cannot be the beginning of another key's path.
//
// An object is written beside its final name, synced, and then linked to that
// name. gocloud's fileblob does a stat and a rename instead, and has two winners
// for some keys.
type dir struct {
	root  string   // absolute
	known sync.Map // directories that this process has made durable: path → struct{}

	write func(f *os.File, data []byte) error // (*os.File).Write and Sync, but in tests
}

// openDir returns the driver of a directory, which put will make if it is missing.
func openDir(root string) (*dir, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(root)
	switch {
	case err == nil && !info.IsDir():
		return nil, errors.New("it is a file, not a directory")
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	return &dir{root: root, write: writeSync}, nil
}

func (d *dir) path(key string) string { return filepath.Join(d.root, filepath.FromSlash(key)) }

func (d *dir) local() bool { return true }

func (d *dir) close() error { return nil }

func (d *dir) put(_ context.Context, key string, data []byte) error {
	path := d.path(key)
	folder := filepath.Dir(path)
	if err := d.ensure(folder); err != nil {
		return err
	}
	temp, err := d.writeTemp(folder, data)
	if errors.Is(err, fs.ErrNotExist) {
		// Somebody removed the directory since this process made it.
		d.known.Clear()
		if err = d.ensure(folder); err == nil {
			temp, err = d.writeTemp(folder, data)
		}
	}
	if err != nil {
		return err
	}
	defer os.Remove(temp)

	// Link, unlike rename, refuses to replace a file.
	err = os.Link(temp, path)
	taken := errors.Is(err, fs.ErrExist)
	if err != nil && !taken {
		return linkError(err)
	}
	// Also when the name is taken: its writer may have died before it got here.
	if err := syncDir(folder); err != nil {
		return fmt.Errorf("%w: %w", errVolatile, err)
	}
	if taken {
		return errConflict
	}
	return nil
}

// writeTemp writes data to a new file in folder, safely on disk, and returns its
// path. On an error there is no file.
func (d *dir) writeTemp(folder string, data []byte) (string, error) {
	var random [8]byte
	if _, err := rand.Read(random[:]); err != nil {
		return "", err
	}
	path := filepath.Join(folder, tempPrefix+hex.EncodeToString(random[:]))
	// os.CreateTemp would make a file that nobody else may read.
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return "", err
	}
	err = d.write(f, data)
	err = errors.Join(err, f.Close())
	if err != nil {
		return "", errors.Join(err, os.Remove(path))
	}
	return path, nil
}

func writeSync(f *os.File, data []byte) error {
	if _, err := f.Write(data); err != nil {
		return err
	}
	return f.Sync()
}

// linkError explains a file system that cannot do what a store needs.
func linkError(err error) error {
	for _, unable := range []error{errors.ErrUnsupported, syscall.EPERM, syscall.EMLINK} {
		if errors.Is(err, unable) {
			return fmt.Errorf("the file system makes no hard links, which this store needs: %w", err)
		}
	}
	return err
}

// ensure makes folder and everything above it, down from the root's parent, so
// that they survive a crash.
func (d *dir) ensure(folder string) error {
	if _, ok := d.known.Load(folder); ok {
		return nil
	}
	parent := filepath.Dir(folder)
	var err error
	if folder == d.root {
		err = os.MkdirAll(folder, 0o777)
	} else {
		if err := d.ensure(parent); err != nil {
			return err
		}
		err = os.Mkdir(folder, 0o777)
	}
	if errors.Is(err, fs.ErrExist) {
		info, statErr := os.Stat(folder)
		if err = statErr; err == nil && !info.IsDir() {
			err = fmt.Errorf("%s is an object, not a directory", folder)
		}
	}
	if err != nil {
		return err
	}
	if err := syncDir(parent); err != nil {
		return err
	}
	d.known.Store(folder, struct{}{})
	return nil
}

// syncDir makes the names in a directory survive a crash.
func syncDir(path string) error {
	if runtime.GOOS == "windows" {
		return nil // it has no such call, and keeps names safe by itself
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// missing turns the ways in which a file can be absent into ErrNotFound.
func missing(err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return ErrNotFound
	}
	return err
}

// fileAttrs describes a regular file; anything else is no object.
func fileAttrs(key string, info fs.FileInfo) (Attrs, error) {
	if !info.Mode().IsRegular() {
		return Attrs{}, ErrNotFound
	}
	size, modified := info.Size(), info.ModTime()
	return Attrs{
		Key:     key,
		Size:    size,
		Version: strconv.FormatInt(size, 10) + "-" + strconv.FormatInt(modified.UnixNano(), 10),
		ModTime: modified,
	}, nil
}

func (d *dir) get(ctx context.Context, key string) ([]byte, error) {
	source, attrs, err := d.open(ctx, key)
	if err != nil {
		return nil, err
	}
	defer source.close()
	data := make([]byte, attrs.Size)
	if err := source.readAt(ctx, data, 0); err != nil {
		return nil, err
	}
	return data, nil
}

func (d *dir) stat(_ context.Context, key string) (Attrs, error) {
	info, err := os.Stat(d.path(key))
	if err != nil {
		return Attrs{}, missing(err)
	}
	return fileAttrs(key, info)
}

func (d *dir) remove(ctx context.Context, key string) error {
	if _, err := d.stat(ctx, key); err != nil {
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		return err
	}
	if err := missing(os.Remove(d.path(key))); err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	return nil
}

func (d *dir) open(ctx context.Context, key string) (source, Attrs, error) {
	// Opening a named pipe would wait for its other end.
	if _, err := d.stat(ctx, key); err != nil {
		return nil, Attrs{}, err
	}
	f, err := os.Open(d.path(key))
	if err != nil {
		return nil, Attrs{}, missing(err)
	}
	info, err := f.Stat()
	if err == nil {
		var attrs Attrs
		if attrs, err = fileAttrs(key, info); err == nil {
			return &file{f: f, attrs: attrs}, attrs, nil
		}
	}
	return nil, Attrs{}, errors.Join(err, f.Close())
}

// A file is an open object of a directory. It stays readable when its name goes.
type file struct {
	f     *os.File
	attrs Attrs
}

func (f *file) readAt(_ context.Context, p []byte, off int64) error {
	_, err := f.f.ReadAt(p, off)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	info, err := f.f.Stat()
	if err != nil {
		return err
	}
	now, err := fileAttrs(f.attrs.Key, info)
	if err != nil {
		return err
	}
	if now.Version != f.attrs.Version {
		return fmt.Errorf("%w: it was %s and is %s", ErrChanged, f.attrs.Version, now.Version)
	}
	return nil
}

func (f *file) close() error { return f.f.Close() }
