package run

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"headgate/internal/delta"
	"headgate/internal/store"
)

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

// Digest returns the run's name: the digest of the plan's canonical bytes.
func (p *Plan) Digest() (store.Digest, error) {
	b, err := Encode(p)
	if err != nil {
		return "", err
	}
	return store.DigestOf(b), nil
}

// Dir returns the key prefix of a run, without a slash at the end.
func Dir(pipeline, batch string, run store.Digest) string {
	return path.Join("runs", pipeline, batch, Short(run))
}

// Short returns the first 16 hexadecimal digits of a digest, enough to name a run
// to a person. Keys that rest on it are put if absent, so a collision is an error
// and never a mix-up.
func Short(d store.Digest) string {
	hex := strings.TrimPrefix(string(d), "sha256:")
	return hex[:min(16, len(hex))]
}

// SavePlan stores the plan and returns its run. Saving it again is a success.
func SavePlan(ctx context.Context, b *store.Bucket, p *Plan) (store.Digest, error) {
	data, err := Encode(p)
	if err != nil {
		return "", err
	}
	d := store.DigestOf(data)
	return d, b.Put(ctx, Dir(p.Pipeline, p.Batch, d)+"/plan.json", data)
}

// LoadPlan reads the plan of a run and checks that it is that plan.
func LoadPlan(ctx context.Context, b *store.Bucket, pipeline, batch string, run store.Digest) (*Plan, error) {
	key := Dir(pipeline, batch, run) + "/plan.json"
	data, err := b.Get(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("plan of run %s: %w", Short(run), err)
	}
	var p Plan
	return &p, decode(key, data, run, &p)
}

// Save stores bytes under dir as NAME.<digest>.EXT, where name is "NAME.EXT".
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

// Load reads an object whole and checks its digest.
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

// LoadJSON reads a paper into v and checks its digest.
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

// TablePrefix returns the key prefix of a pipeline's published table.
func TablePrefix(pipeline string) string { return "scores/" + pipeline }

// LoadVerdict reads the verdict over the rows of a run, which its digest names.
func LoadVerdict(ctx context.Context, b *store.Bucket, pipeline, batch string, run, decision store.Digest) (*Data, error) {
	key := fmt.Sprintf("%s/data.%s.json", Dir(pipeline, batch, run), Short(decision))
	data := new(Data)
	return data, LoadJSON(ctx, b, Object{Key: key, Digest: decision}, data)
}

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
