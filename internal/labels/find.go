package labels

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"

	"headgate/internal/columnar"
	"headgate/internal/run"
	"headgate/internal/store"
)

// Find returns v with the label files that are there now, their footers read, and the
// marker beside them. bucket is where the files are. Without a file nothing is known,
// whatever the marker says, and the version has none.
func Find(ctx context.Context, bucket *store.Bucket, v Version, at Where) (*Version, error) {
	v.Format, v.Input, v.Files, v.Rows, v.Marker = Format, at.Input, nil, 0, ""
	// The marker is looked for first: files that come between the two looks are then in
	// a version that is not yet called complete.
	if at.Marker != "" {
		switch _, err := bucket.Stat(ctx, at.Marker); {
		case err == nil:
			v.Marker = at.Marker
		case !errors.Is(err, store.ErrNotFound):
			return nil, err
		}
	}
	v.Complete = v.Marker != "" || at.Marker == ""
	for attrs, err := range bucket.List(ctx, at.Prefix) {
		if err != nil {
			return nil, err
		}
		if attrs.Key == at.Marker || !at.Match(attrs.Key) {
			continue
		}
		file, err := pin(ctx, bucket, attrs.Key)
		if err != nil {
			return nil, err
		}
		v.Files = append(v.Files, file)
		v.Rows += file.Rows
	}
	return &v, nil
}

// pin reads a file's footer and says what the file is now.
func pin(ctx context.Context, bucket *store.Bucket, key string) (run.File, error) {
	f, r, err := open(ctx, bucket, key)
	if err != nil {
		return run.File{}, err
	}
	defer r.Close()
	at := r.Attrs()
	return run.File{Key: key, Size: at.Size, Version: at.Version, Footer: footer(f), Rows: f.NumRows()}, nil
}

func open(ctx context.Context, bucket *store.Bucket, key string) (*columnar.File, *store.Reader, error) {
	r, err := bucket.Reader(ctx, key)
	if err != nil {
		return nil, nil, err
	}
	f, err := columnar.Open(r, r.Size(), &columnar.OpenOptions{Name: key, Remote: !r.Local()})
	if err != nil {
		r.Close()
		return nil, nil, err
	}
	return f, r, nil
}

// openPinned opens a file of a version and checks that it is still the same.
func openPinned(ctx context.Context, bucket *store.Bucket, want run.File) (*columnar.File, *store.Reader, error) {
	f, r, err := open(ctx, bucket, want.Key)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil, fmt.Errorf("label file %s is gone: %w", want.Key, store.ErrChanged)
	}
	if err != nil {
		return nil, nil, err
	}
	if at := r.Attrs(); at.Size != want.Size || at.Version != want.Version || footer(f) != want.Footer {
		r.Close()
		return nil, nil, fmt.Errorf("label file %s was replaced; a revision is a new file with a later name: %w", want.Key, store.ErrChanged)
	}
	return f, r, nil
}

func footer(f *columnar.File) store.Digest {
	sum := f.FooterDigest()
	return store.Digest("sha256:" + hex.EncodeToString(sum[:]))
}
