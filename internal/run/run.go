// Package run holds the papers of one run over one batch: the plan that says what
// is read, and the results that say what came of it.
//
// A run is named by the digest of its plan, and the plan names everything that the
// run reads: pipeline file, contract, model bundle, input files with size, version
// and footer digest. Same inputs, same run. Every other paper is an [Object] whose
// key holds the digest of its bytes, so two attempts that differ (after a library
// upgrade, say) stand beside each other and overwrite nothing.
//
// Start with [Plan]; the layout of the keys is in docs/formats.md.
package run

import (
	"context"
	"fmt"
	"path"
	"time"

	"headgate/internal/figure"
	"headgate/internal/release"
	"headgate/internal/store"
)

// Format is the version of the papers of this package.
const Format = 1

// ScoringVersion changes when the same inputs may give other scores, keys or
// quarantines. It is part of every plan, so such a change makes new runs.
const ScoringVersion = 2

// A Plan names everything that a run reads and how it is cut into shards.
type Plan struct {
	Format   int          `json:"format"`
	Scoring  int          `json:"scoring"` // [ScoringVersion]
	Pipeline string       `json:"pipeline"`
	Batch    string       `json:"batch"`
	File     store.Digest `json:"pipeline_file"`
	Contract store.Digest `json:"contract"`
	Output   store.Digest `json:"output,omitempty"` // contract of the scores, if there is one
	Champion store.Digest `json:"champion"`         // model bundle that scores every row
	Input    string       `json:"input"`            // store URL of the files; empty: Headgate's own store
	Files    []File       `json:"files"`
	Shards   []Shard      `json:"shards"`
	Rows     int64        `json:"rows"`

	References []Reference `json:"references,omitempty"` // sets that relationships of the contract point to

	// Models score every row beside the champion: the other arms of the routing, then
	// those in shadow.
	Models []store.Digest `json:"models,omitempty"`
	// Routing says who gets whose score; nil if all get the champion's.
	Routing *release.Routing `json:"routing,omitempty"`
}

// Base returns the plan without the files of corrected rows: what was delivered.
// Corrected rows belong to the delivery that they correct, and to no later one.
func (p *Plan) Base() *Plan {
	base := *p
	base.Files, base.Shards, base.Rows = nil, nil, 0
	for _, f := range p.Files {
		if !f.Replay {
			base.Files = append(base.Files, f)
			base.Rows += f.Rows
		}
	}
	for _, s := range p.Shards {
		if !p.Files[s.File].Replay {
			base.Shards = append(base.Shards, s)
		}
	}
	return &base
}

// ReplayPrefix returns the prefix of the keys of corrected rows of a delivery, whose
// run is named without them.
func ReplayPrefix(pipeline, batch string, base store.Digest) string {
	return Dir(pipeline, batch, base) + "/replay/"
}

// A Correction is the note beside a file of corrected rows.
type Correction struct {
	Format int       `json:"format"`
	Rows   int64     `json:"rows"`
	By     string    `json:"by"` // as claimed
	Reason string    `json:"reason,omitempty"`
	At     time.Time `json:"at"`
	Filled []string  `json:"filled,omitempty"` // columns that were taken from the delivery
}

// A Reference is another Parquet set, which keys of the batch must be in.
type Reference struct {
	Name  string `json:"name"`  // of the object in the contract
	Input string `json:"input"` // store URL of the files; empty: Headgate's own store
	Files []File `json:"files"`
}

// A History names the batches that a batch is compared with. They passed and are
// published. It is no part of the plan: what was published before changes no score,
// so it makes no new run, but another verdict.
type History struct {
	Format   int    `json:"format"`
	Past     []Past `json:"past,omitempty"`      // before this batch, oldest first
	LastYear *Past  `json:"last_year,omitempty"` // the same period a year before

	// Corrections counts the corrected rows that the batch was last published with, and
	// that are not in this run: they belong to another delivery, contract or model.
	Corrections int64 `json:"corrections,omitempty"`
}

// A Past is a batch that passed and is published: its verdict names rows, profile and
// keys, which are under its run.
type Past struct {
	Batch       string       `json:"batch"`
	Run         store.Digest `json:"run"`
	Decision    store.Digest `json:"decision"`
	Publication int64        `json:"publication"`
}

// A File is one input file as it was when the run was planned.
type File struct {
	Key     string       `json:"key"`
	Size    int64        `json:"size"`    // bytes
	Version string       `json:"version"` // ETag, or size and mtime of a local file
	Footer  store.Digest `json:"footer"`  // digest of the Parquet footer
	Rows    int64        `json:"rows"`
	// Replay says that the file has corrected rows of quarantined ones. It lies in
	// Headgate's own store, wherever the input is.
	Replay bool `json:"replay,omitempty"`
}

// A Shard is a range of row groups of one file: the unit of work and of retry.
type Shard struct {
	File       int   `json:"file"` // index into Plan.Files
	FirstGroup int   `json:"first_group"`
	Groups     int   `json:"groups"`
	FirstRow   int64 `json:"first_row"` // ordinal of the first row within the file, from 0
	Rows       int64 `json:"rows"`
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

// Short returns what a digest is called in keys, and therefore everywhere: see
// [figure.Short]. Keys that rest on it are put if absent, so a collision is an error and
// never a mix-up.
func Short(d store.Digest) string { return figure.Short(d) }

// PlanKey returns the key of the plan of a run.
func PlanKey(pipeline, batch string, run store.Digest) string {
	return Dir(pipeline, batch, run) + "/plan.json"
}

// SavePlan stores the plan and returns its run. Saving it again is a success.
func SavePlan(ctx context.Context, b *store.Bucket, p *Plan) (store.Digest, error) {
	data, err := Encode(p)
	if err != nil {
		return "", err
	}
	d := store.DigestOf(data)
	return d, b.Put(ctx, PlanKey(p.Pipeline, p.Batch, d), data)
}

// LoadPlan reads the plan of a run and checks that it is that plan.
func LoadPlan(ctx context.Context, b *store.Bucket, pipeline, batch string, run store.Digest) (*Plan, error) {
	key := PlanKey(pipeline, batch, run)
	data, err := b.Get(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("plan of run %s: %w", Short(run), err)
	}
	var p Plan
	return &p, decode(key, data, run, &p)
}
