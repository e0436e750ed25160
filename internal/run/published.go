package run

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"headgate/internal/delta"
	"headgate/internal/store"
)

// TablePrefix returns the key prefix of a pipeline's published table.
func TablePrefix(pipeline string) string { return "scores/" + pipeline }

// Published finds a data file of the table: where it was published or, if somebody has
// vacuumed the table, among the copies of the run that made it. The error is
// [store.ErrNotFound] if it is in neither place.
func Published(ctx context.Context, b *store.Bucket, pipeline, batch string, run store.Digest, f delta.File) (Object, error) {
	o := Object{Key: TablePrefix(pipeline) + "/" + f.Path, Digest: store.Digest("sha256:" + strings.TrimSuffix(path.Base(f.Path), ".parquet")), Size: f.Size}
	_, err := b.Stat(ctx, o.Key)
	if !errors.Is(err, store.ErrNotFound) {
		return o, err
	}
	prefix := Dir(pipeline, batch, run) + "/table/"
	for attrs, listErr := range b.List(ctx, prefix) {
		if listErr != nil {
			return Object{}, listErr
		}
		if strings.HasSuffix(attrs.Key, "."+Short(o.Digest)+".parquet") {
			o.Key = attrs.Key
			return o, nil
		}
	}
	return Object{}, fmt.Errorf("%s is gone, and so is the run's own copy under %s: %w", o.Key, prefix, store.ErrNotFound)
}

// FilesDigest is the digest of the JSON list of a publication's file paths, sorted.
// The paths hold the digests of the files' bytes, so it pins every published value.
func FilesDigest(files []delta.File) (store.Digest, error) {
	paths := []string{}
	for _, f := range files {
		paths = append(paths, f.Path)
	}
	slices.Sort(paths)
	data, err := Encode(paths)
	if err != nil {
		return "", err
	}
	return store.DigestOf(data), nil
}
