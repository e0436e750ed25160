package activities

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"

	"headgate/internal/columnar"
	"headgate/internal/run"
	"headgate/internal/store"
)

// inputs opens the input files of a plan.
type inputs struct {
	bucket *store.Bucket
	own    bool // the bucket was opened for the input and must be closed
}

// openInputs opens where the files are: an absolute URL, or the own store if it is "".
func (a *Activities) openInputs(ctx context.Context, url string) (*inputs, error) {
	if url == "" {
		return &inputs{bucket: a.store}, nil
	}
	b, err := store.Open(ctx, url)
	if err != nil {
		return nil, fmt.Errorf("input %w", err)
	}
	return &inputs{bucket: b, own: true}, nil
}

func (in *inputs) close() {
	if in.own {
		in.bucket.Close()
	}
}

// An inputFile is an open Parquet file. Close its reader after use.
type inputFile struct {
	*columnar.File
	reader *store.Reader
}

func (f *inputFile) close() { f.reader.Close() }

func (in *inputs) open(ctx context.Context, key string) (*inputFile, error) {
	r, err := in.bucket.Reader(ctx, key)
	if err != nil {
		return nil, err
	}
	f, err := columnar.Open(r, r.Size(), &columnar.OpenOptions{Name: key, Remote: !r.Local()})
	if err != nil {
		r.Close()
		return nil, err
	}
	return &inputFile{f, r}, nil
}

// list returns the keys that match, in order.
func (in *inputs) list(ctx context.Context, prefix string, match func(key string) bool) ([]string, error) {
	var keys []string
	for attrs, err := range in.bucket.List(ctx, prefix) {
		if err != nil {
			return nil, fmt.Errorf("list %s in %s: %w", prefix, in.bucket.URL(), err)
		}
		if match(attrs.Key) {
			keys = append(keys, attrs.Key)
		}
	}
	return keys, nil
}

// pin reads a file's footer and says what the file is now.
func (in *inputs) pin(ctx context.Context, key string) (run.File, []columnar.RowGroup, error) {
	f, err := in.open(ctx, key)
	if err != nil {
		return run.File{}, nil, err
	}
	defer f.close()
	// The reader pinned what the footer came from; the listing may be older.
	pinned := f.reader.Attrs()
	return run.File{Key: key, Size: pinned.Size, Version: pinned.Version, Footer: footerDigest(f.File), Rows: f.NumRows()}, f.RowGroups(), nil
}

// openFile opens where a file of a plan is: corrected rows lie in the own store.
func (a *Activities) openFile(ctx context.Context, plan *run.Plan, file run.File) (*inputs, error) {
	if file.Replay {
		return &inputs{bucket: a.store}, nil
	}
	return a.openInputs(ctx, plan.Input)
}

// openPlanned opens a file of a plan and checks that it is still the same.
func (in *inputs) openPlanned(ctx context.Context, want run.File) (*inputFile, error) {
	if err := in.unchanged(ctx, want); err != nil {
		return nil, err
	}
	f, err := in.open(ctx, want.Key)
	if err != nil {
		return nil, err
	}
	if footerDigest(f.File) != want.Footer {
		f.close()
		return nil, changed(want.Key)
	}
	return f, nil
}

// unchanged checks size and version of a planned file against the store.
func (in *inputs) unchanged(ctx context.Context, want run.File) error {
	attrs, err := in.bucket.Stat(ctx, want.Key)
	if errors.Is(err, store.ErrNotFound) {
		return changed(want.Key)
	}
	if err != nil {
		return err
	}
	if attrs.Size != want.Size || attrs.Version != want.Version {
		return changed(want.Key)
	}
	return nil
}

func changed(key string) error {
	return fail(KindInputChanged, "%s was replaced or removed while the batch was being scored; nothing was published: start the batch again", key)
}

func footerDigest(f *columnar.File) store.Digest {
	sum := f.FooterDigest()
	return digest(sum)
}

func digest(sum [32]byte) store.Digest {
	return store.Digest("sha256:" + hex.EncodeToString(sum[:]))
}
