// Package labels reads what came true of a batch: which label files there were at one
// moment, and what they say of each entity.
//
// A [Version] names the files as they were, by size, version and footer digest. Files
// come in the order of their names: where several have a row of one entity, the last one
// counts, so a revision is one more file. What is missing is missing: absence means 0
// only if the contract says so and the marker of completeness is there.
//
// The package compares nothing with scores; that is done by package evidence. Start at
// [Find] and [Read].
package labels

import (
	"context"
	"fmt"

	"headgate/internal/run"
	"headgate/internal/store"
)

// Format is the version of the papers of this package.
const Format = 1

// A Version names the label files of a batch as they were at one moment.
type Version struct {
	Format   int          `json:"format"`
	Pipeline string       `json:"pipeline"`
	Batch    string       `json:"batch"`
	Contract store.Digest `json:"contract"`         // of the labels
	Input    string       `json:"input"`            // store URL of the files; empty: Headgate's own store
	Files    []run.File   `json:"files"`            // in the order of their names: later ones revise earlier ones
	Rows     int64        `json:"rows"`             // of all files
	Marker   string       `json:"marker,omitempty"` // key of the marker of completeness, if it is there
	// Complete says that no label is missing that will ever come: the marker is there, or
	// the contract asks for none.
	Complete bool `json:"complete"`
}

// Where says where the label files of a batch are, as a pipeline file does.
type Where struct {
	Input  string                // store URL; empty: Headgate's own store
	Prefix string                // that the key of every file begins with
	Match  func(key string) bool // whether a key is one of them
	Marker string                // key of the object that says that they are complete; empty: none is needed
}

// Save stores a version as a blob. Saving it again is a success.
func Save(ctx context.Context, own *store.Bucket, v *Version) (store.Digest, error) {
	data, err := run.Encode(v)
	if err != nil {
		return "", err
	}
	ref, err := own.PutBlob(ctx, data)
	return ref.Digest, err
}

// Load reads a version by its digest.
func Load(ctx context.Context, own *store.Bucket, d store.Digest) (*Version, error) {
	v := new(Version)
	if err := run.LoadJSON(ctx, own, run.Object{Key: store.BlobKey(d), Digest: d}, v); err != nil {
		return nil, fmt.Errorf("label version: %w", err)
	}
	return v, nil
}
