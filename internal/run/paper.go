package run

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"path"
	"strings"

	"headgate/internal/store"
)

// An Object is a paper or data file of a run: where it is and what it is.
type Object struct {
	Key    string       `json:"key"`
	Digest store.Digest `json:"digest"`
	Size   int64        `json:"size"` // bytes
}

// A List gathers the papers of many shards, so that a workflow passes one reference.
type List struct {
	Format int      `json:"format"`
	Items  []Object `json:"items"`
}

// Encode returns the canonical bytes of a paper: JSON in field order, no HTML
// escapes, a newline at the end.
func Encode(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("run: encode %T: %w", v, err)
	}
	return buf.Bytes(), nil
}

// Save stores bytes under dir as NAME.<digest>.EXT, where name is "NAME.EXT". Saving them
// again is a success.
func Save(ctx context.Context, b *store.Bucket, dir, name string, data []byte) (Object, error) {
	d := store.DigestOf(data)
	ext := path.Ext(name)
	key := fmt.Sprintf("%s/%s.%s%s", dir, strings.TrimSuffix(name, ext), Short(d), ext)
	return Object{Key: key, Digest: d, Size: int64(len(data))}, b.Put(ctx, key, data)
}

// SaveJSON stores a paper in its canonical bytes.
func SaveJSON(ctx context.Context, b *store.Bucket, dir, name string, v any) (Object, error) {
	data, err := Encode(v)
	if err != nil {
		return Object{}, err
	}
	return Save(ctx, b, dir, name, data)
}

// Load reads an object whole. The error wraps [store.ErrNotFound] if it is gone, and is a
// [*DigestError] if it was changed.
func Load(ctx context.Context, b *store.Bucket, o Object) ([]byte, error) {
	data, err := b.Get(ctx, o.Key)
	if err != nil {
		return nil, err
	}
	if d := store.DigestOf(data); d != o.Digest {
		return nil, &DigestError{Key: o.Key, Want: o.Digest, Have: d}
	}
	return data, nil
}

// LoadJSON reads a paper into v. The errors are those of [Load]; a field that v does not
// have is one too, because nobody can say what the paper means without it.
func LoadJSON(ctx context.Context, b *store.Bucket, o Object, v any) error {
	data, err := b.Get(ctx, o.Key)
	if err != nil {
		return err
	}
	return decode(o.Key, data, o.Digest, v)
}

func decode(key string, data []byte, want store.Digest, v any) error {
	if d := store.DigestOf(data); d != want {
		return &DigestError{Key: key, Want: want, Have: d}
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return fmt.Errorf("run: %s: %w", key, err)
	}
	return nil
}

// A DigestError means that stored bytes are not the bytes that were written.
type DigestError struct {
	Key        string
	Want, Have store.Digest
}

func (e *DigestError) Error() string {
	return fmt.Sprintf("run: %s was changed: its digest is %s, recorded was %s", e.Key, e.Have, e.Want)
}

// LoadBlob reads a paper that is kept as a blob into v, with the errors of [LoadJSON]; a
// blob that was changed is an error of the store.
func LoadBlob(ctx context.Context, b *store.Bucket, d store.Digest, v any) error {
	data, err := b.GetBlob(ctx, d)
	if err != nil {
		return err
	}
	return decode("blob "+string(d), data, d, v)
}

// SaveBlob keeps a paper as a blob, in its canonical bytes.
func SaveBlob(ctx context.Context, b *store.Bucket, v any) (store.Digest, error) {
	data, err := Encode(v)
	if err != nil {
		return "", err
	}
	ref, err := b.PutBlob(ctx, data)
	return ref.Digest, err
}
