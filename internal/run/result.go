package run

import (
	"encoding/json"

	"headgate/internal/contract"
	"headgate/internal/delta"
	"headgate/internal/store"
)

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

// An Index names the key lists of the sets that relationships point to.
type Index struct {
	Format int                 `json:"format"`
	Lists  map[string][]Object `json:"lists"` // by the relationship's rule
}

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
