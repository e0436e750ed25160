package run

import (
	"context"
	"errors"
	"fmt"

	"headgate/internal/contract"
	"headgate/internal/store"
)

// Data is the verdict over the whole batch.
type Data struct {
	Format      int                  `json:"format"`
	Run         store.Digest         `json:"run"`
	Stage       string               `json:"stage"` // [StageFooters] or [StageRows]
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

// The stages of a batch that a verdict is over.
const (
	StageFooters = "footers" // before a row was read
	StageRows    = "rows"
)

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

// LoadVerdict reads the verdict over the rows of a run, which its digest names. The error
// wraps [store.ErrNotFound] if the batch was blocked before a row was read, or somebody has
// deleted the papers of the run.
func LoadVerdict(ctx context.Context, b *store.Bucket, pipeline, batch string, run, decision store.Digest) (*Data, error) {
	key := fmt.Sprintf("%s/data.%s.json", Dir(pipeline, batch, run), Short(decision))
	data := new(Data)
	return data, LoadJSON(ctx, b, Object{Key: key, Digest: decision}, data)
}

// FindVerdict reads the verdict over a run that its digest names: over its rows or, if no
// row was read, over its footers. The error wraps [store.ErrNotFound] if there is neither.
func FindVerdict(ctx context.Context, b *store.Bucket, pipeline, batch string, run, decision store.Digest) (*Data, error) {
	data, err := LoadVerdict(ctx, b, pipeline, batch, run, decision)
	if !errors.Is(err, store.ErrNotFound) {
		return data, err
	}
	data = new(Data)
	key := fmt.Sprintf("%s/footers.%s.json", Dir(pipeline, batch, run), Short(decision))
	return data, LoadJSON(ctx, b, Object{Key: key, Digest: decision}, data)
}
