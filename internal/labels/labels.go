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

	"headgate/internal/contract"
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
}

// Digest returns the digest that names a version: that of its canonical bytes.
func (v *Version) Digest() (store.Digest, error) {
	data, err := run.Encode(v)
	return store.DigestOf(data), err
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

// A Label is what is known of one entity.
type Label struct {
	Value   float64 // what happened: 0 or 1, or an amount; NaN if nobody could observe it
	Weight  float64 // for how many it stands; 1 if the contract has no weight
	Treated bool    // something was done because of the score, which changed the outcome
	// Propensity is the probability with which it could have been treated, in [0, 1]; 0
	// if the contract has none.
	Propensity float64
}

// Counts say what was in the files of a version.
type Counts struct {
	Rows     int64            `json:"rows"`               // read
	Bad      int64            `json:"bad"`                // break the contract of the labels, and count for nothing
	Rules    map[string]int64 `json:"rules,omitempty"`    // rows by the rule that they break; a row may break several
	Revised  int64            `json:"revised,omitempty"`  // entities with a row in a later file that replaced an earlier one
	Repeated int64            `json:"repeated,omitempty"` // entities with several rows in one file, which say nothing
	Unknown  int64            `json:"unknown,omitempty"`  // entities whose outcome nobody could observe
	Entities int64            `json:"entities"`           // with a label that counts
}

// A Table has the labels of a version by entity.
type Table struct {
	Counts Counts
	// Treatment says that the contract has a treatment: what the treated did is then no
	// evidence, and the untreated stand for all.
	Treatment bool
	// Refused is why the labels cannot be used as a whole; empty if they can.
	Refused []string
}

// Limits say what is read of a version.
type Limits struct {
	// Bad says whether so many bad rows out of total are too many.
	Bad func(bad, total int64) bool
	// Keep chooses entities by the first 8 bytes of the digest of their key; nil: all.
	Keep func(hash uint64) bool
}

// Find lists the label files of a batch and looks for the marker beside them. Without a
// file the version has none, whatever the marker says. bucket is where the files are.
func Find(ctx context.Context, bucket *store.Bucket, v Version, at Where, p contract.LabelPolicy) (*Version, error) {
	return &v, fmt.Errorf("labels of %s: not implemented", v.Batch)
}
