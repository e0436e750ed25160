// Package pipeline reads the YAML file of one pipeline: which files a batch is,
// which contract they keep, how many bad rows are too many, and what is published.
//
// A bad file fails here, with line and column, and never later. The package opens
// no files and knows no store.
package pipeline

// A Config is one pipeline, with its defaults filled in.
type Config struct {
	Name        string     `json:"pipeline"`
	Description string     `json:"description,omitempty"`
	Owner       string     `json:"owner,omitempty"`
	Contract    string     `json:"contract"` // path beside the pipeline file
	Input       Input      `json:"input"`
	Batch       BatchKind  `json:"batch"`
	Scores      Scores     `json:"scores"`
	Quarantine  Quarantine `json:"quarantine"`
	Shards      Shards     `json:"shards"`
}

// Input says where the files of a batch are.
type Input struct {
	// Files is a key pattern in the store, or an absolute URL. {batch} stands for
	// the batch, * for anything but a slash, ** for anything, ? for one character.
	Files string `json:"files"`
}

// A BatchKind says what the name of a batch is.
type BatchKind string

// The kinds of batches.
const (
	Month BatchKind = "month" // 2024-01
	Day   BatchKind = "day"   // 2024-01-31
	Any   BatchKind = "any"   // any name of letters, digits, dots, dashes and underscores
)

// Scores says what the published table has beside the scores.
type Scores struct {
	Keep        []string `json:"keep,omitempty"` // input columns that are copied
	Compression string   `json:"compression"`    // zstd, snappy or none
}

// Quarantine says how many bad rows are too many.
type Quarantine struct {
	Budget Budget `json:"budget"`
}

// A Budget is how many rows of a batch may go to quarantine before the batch is
// blocked. Both limits must be kept.
type Budget struct {
	Share float64 `json:"share"`          // of all rows, in [0, 1]
	Rows  int64   `json:"rows,omitempty"` // 0 means no limit in rows
}

// Shards says how a batch is cut.
type Shards struct {
	Rows     int64 `json:"rows"`     // aimed at for one shard
	Parallel int   `json:"parallel"` // shards in flight
}
