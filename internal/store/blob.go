package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
)

// A Digest is what some bytes are: "sha256:" and 64 lower-case hex digits.
// The zero Digest, "", stands for none.
type Digest string

const digestPrefix = "sha256:"

// DigestOf returns the digest of b.
func DigestOf(b []byte) Digest {
	sum := sha256.Sum256(b)
	return Digest(digestPrefix + hex.EncodeToString(sum[:]))
}

// ParseDigest returns s as a digest, or an error if it is not exactly one.
func ParseDigest(s string) (Digest, error) {
	d := Digest(s)
	if !d.Valid() {
		return "", fmt.Errorf("store: %q is not a digest: want sha256: and 64 lower-case hex digits", s)
	}
	return d, nil
}

// Valid reports whether d has the form of a digest. The zero Digest has not.
func (d Digest) Valid() bool {
	if len(d) != len(digestPrefix)+2*sha256.Size || d[:len(digestPrefix)] != digestPrefix {
		return false
	}
	for _, c := range []byte(d[len(digestPrefix):]) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// A Ref is where bytes are, by content, and how many.
type Ref struct {
	Digest Digest `json:"digest"`
	Size   int64  `json:"size"`
}

// BlobKey returns the key of the blob with that digest,
//
//	blobs/sha256/ab/abcd…
//
// where the last name is the whole hex sum. It panics unless d is valid.
func BlobKey(d Digest) string {
	if !d.Valid() {
		panic(fmt.Sprintf("store: BlobKey(%q): not a digest", d))
	}
	sum := string(d[len(digestPrefix):])
	return "blobs/sha256/" + sum[:2] + "/" + sum
}

// A CorruptError means that a blob does not have the bytes that its name says.
type CorruptError struct {
	URL        string // of the store
	Key        string
	Want, Have Digest
}

func (e *CorruptError) Error() string {
	return fmt.Sprintf("store: %q in %s is corrupt: its bytes are %s", e.Key, e.URL, e.Have)
}

// PutBlob stores data under its own digest. The same data again is success. A
// blob that is there but corrupt gives a [*CorruptError]: nothing is replaced.
func (b *Bucket) PutBlob(ctx context.Context, data []byte) (Ref, error) {
	ref := Ref{Digest: DigestOf(data), Size: int64(len(data))}
	err := b.Put(ctx, BlobKey(ref.Digest), data)
	if err == nil {
		return ref, nil
	}
	if errors.Is(err, ErrExists) {
		if _, corrupt := b.GetBlob(ctx, ref.Digest); corrupt != nil {
			return Ref{}, corrupt
		}
	}
	return Ref{}, err
}

// GetBlob returns the blob with that digest, [ErrNotFound], or a [*CorruptError]
// if the bytes have another digest.
func (b *Bucket) GetBlob(ctx context.Context, d Digest) ([]byte, error) {
	if _, err := ParseDigest(string(d)); err != nil {
		return nil, err
	}
	key := BlobKey(d)
	data, err := b.Get(ctx, key)
	if err != nil {
		return nil, err
	}
	if have := DigestOf(data); have != d {
		return nil, &CorruptError{URL: b.url, Key: key, Want: d, Have: have}
	}
	return data, nil
}
