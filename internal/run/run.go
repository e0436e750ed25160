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
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"path"
	"strings"
	"time"

	"headgate/internal/contract"
	"headgate/internal/delta"
	"headgate/internal/figure"
	"headgate/internal/release"
	"headgate/internal/store"
)

// Format is the version of the papers of this package.
const Format = 1

// ScoringVersion changes when the same inputs may give other scores, keys or
// quarantines. It is part of every plan, so such a change makes new runs.
const ScoringVersion = 2

// An Object is a paper or data file of a run: where it is and what it is.
type Object struct {
	Key    string       `json:"key"`
	Digest store.Digest `json:"digest"`
	Size   int64        `json:"size"` // bytes
}

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

// A ShardResult says what one pass over a shard found and wrote.
// Rows = Scored + Quarantined.
type ShardResult struct {
	Format      int              `json:"format"`
	Shard       int              `json:"shard"`
	Rows        int64            `json:"rows"`
	Scored      int64            `json:"scored"`
	Quarantined int64            `json:"quarantined"`
	Content     store.Digest     `json:"content"`          // of the decoded input values
	Scores      *Object          `json:"scores,omitempty"` // nil if every row is in quarantine
	Quarantine  *Object          `json:"quarantine,omitempty"`
	Profile     *Object          `json:"profile"`
	Keys        []Object         `json:"keys,omitempty"` // one per tuple of the pass, see pass.KeyTuples
	Check       contract.Result  `json:"check"`
	Output      *contract.Result `json:"output,omitempty"`  // what the contract of the scores counted
	Models      []ModelScores    `json:"models,omitempty"`  // of the plan's models, in its order
	Skipped     *Skip            `json:"skipped,omitempty"` // a person left the shard out: nothing of it was scored
}

// ModelScores are what a model that is not the champion said of a shard's scored rows.
type ModelScores struct {
	Model  store.Digest `json:"model"`
	Scores *Object      `json:"scores,omitempty"` // nil if every row is in quarantine, or it failed
	Failed string       `json:"failed,omitempty"` // why it could not score; the champion's month goes on
	// Invalid counts the rows whose scores break the contract of the scores.
	Invalid int64 `json:"invalid,omitempty"`
}

// Data is the verdict over the whole batch.
type Data struct {
	Format      int                  `json:"format"`
	Run         store.Digest         `json:"run"`
	Stage       string               `json:"stage"` // "footers" or "rows"
	Verdict     Verdict              `json:"verdict"`
	Rows        int64                `json:"rows"`
	Quarantined int64                `json:"quarantined"`
	Budget      int64                `json:"budget"`          // rows that may be quarantined
	Rules       map[string]int64     `json:"rules,omitempty"` // rows in quarantine by rule; a row may break several
	Reasons     []string             `json:"reasons,omitempty"`
	Violations  []contract.Violation `json:"violations,omitempty"`
	Late        []Late               `json:"late,omitempty"` // none if they are too many to be listed
	Profile     *Object              `json:"profile,omitempty"`

	History  *Object  `json:"history,omitempty"`  // a [History]
	Output   int64    `json:"output,omitempty"`   // rows that only the contract of the scores sent to quarantine
	Replaced int64    `json:"replaced,omitempty"` // rows in quarantine whose corrected row is scored, at most four for each; not in the budget
	Asks     []string `json:"asks,omitempty"`     // why a person decides; also when one has decided
	Notes    []string `json:"notes,omitempty"`    // what could not be judged yet
	Shards   []Object `json:"shards,omitempty"`   // lists of shard results: later batches find keys by them
	Keys     *Keys    `json:"keys,omitempty"`
	Drift    *Drift   `json:"drift,omitempty"`
	Fallback *Object  `json:"fallback,omitempty"` // digests of the keys that get a fallback score
	Answer   *Answer  `json:"answer,omitempty"`   // what a person said to a verdict that asked

	Gate store.Digest `json:"gate,omitempty"` // blob of the decision by the publish rules of the policy

	Skipped []Skip `json:"skipped,omitempty"` // shards that a person left out
}

// An Answer is what a person said, or that nobody said anything in time.
type Answer struct {
	Asked    store.Digest `json:"asked"` // digest of the verdict that asked
	Approved bool         `json:"approved"`
	By       string       `json:"by"` // as claimed
	Reason   string       `json:"reason"`
}

// Keys counts entity keys against the batch before. Delivered = Scored + Unscored,
// in distinct keys.
type Keys struct {
	Before    string `json:"before,omitempty"` // the batch that is compared with; empty for the first
	Expected  int64  `json:"expected"`         // scored in that batch
	Delivered int64  `json:"delivered"`
	Scored    int64  `json:"scored"`
	Unscored  int64  `json:"unscored"` // delivered, and every row of them is in quarantine
	New       int64  `json:"new"`      // delivered and not expected
	Vanished  int64  `json:"vanished"` // expected and not delivered
}

// Drift says how far the batch is from its reference. The paper has every measure.
type Drift struct {
	Reference string   `json:"reference"` // what the batch is compared with
	Level     string   `json:"level"`     // none, warn, trigger or inconclusive
	Columns   []string `json:"columns,omitempty"`
	Causes    []string `json:"causes,omitempty"` // the columns and slices that carry it, heaviest first
	Worst     []Moved  `json:"worst,omitempty"`  // of Columns, those that moved most, at most five
	Paper     Object   `json:"paper"`
}

// A Moved column has drifted.
type Moved struct {
	Column string  `json:"column"`
	Effect float64 `json:"effect"` // PSI beyond what chance gives on average, in nats
	Reason string  `json:"reason,omitempty"`
}

// A Late row passed the checks of its own shard and is quarantined all the same,
// because only the whole batch shows that its key is not unique, that it has no partner,
// or that it corrects nothing.
type Late struct {
	Shard int    `json:"shard"`
	Row   int64  `json:"row"` // ordinal within the shard, from 0
	Rule  string `json:"rule"`
}

// A Verdict answers whether a batch may be published.
type Verdict string

// The verdicts of this version. An empty verdict is never a pass.
const (
	Pass  Verdict = "pass"
	Block Verdict = "block"
	Ask   Verdict = "ask" // a person decides
)

// A TableFile is a data file of the published table, made from one shard.
type TableFile struct {
	Shard      int             `json:"shard"`
	Path       string          `json:"path"` // relative to the table's root
	Digest     store.Digest    `json:"digest"`
	Size       int64           `json:"size"` // bytes
	Rows       int64           `json:"rows"`
	Stats      json.RawMessage `json:"stats"`  // Delta Lake statistics
	Values     store.Digest    `json:"values"` // of the decoded rows; survives a library upgrade
	Fields     []delta.Field   `json:"fields"`
	Quarantine *Object         `json:"quarantine,omitempty"` // rows quarantined late

	Serving store.Digest `json:"serving,omitempty"` // blob of the [Serving] by which rows got their scores
	Models  []ModelRows  `json:"models,omitempty"`  // rows by model, if there is a Serving
}

// ModelRows counts the rows that have the score of a model.
type ModelRows struct {
	Model store.Digest `json:"model"`
	Rows  int64        `json:"rows"`
}

// An Index names the key lists of the sets that relationships point to.
type Index struct {
	Format int                 `json:"format"`
	Lists  map[string][]Object `json:"lists"` // by the relationship's rule
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
