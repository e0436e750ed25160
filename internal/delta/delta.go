// Package delta keeps the published scores of a pipeline as a Delta Lake table.
//
// The table lies under a prefix of the store and is partitioned by batch. One
// commit publishes a batch, one commit takes it back; a commit is one object of
// the log, put if absent, so readers never see half a batch. Spark, DuckDB,
// Polars, Trino and every other reader of Delta tables reads it as it is.
//
// The commit decides what is published, and nothing else does. Every publication
// of a batch has a number, from 1. [Table.Publish] and [Table.Restore] are told
// the number that their caller has seen and refuse to act on any other, so a
// process that was thought dead cannot overwrite what came after it.
//
// The package moves no data files: they must be in place, under names that
// contain their digest, before they are published. It writes no checkpoints, and
// it never deletes.
//
// Start at [Open], [Table.Publish] and [Table.Restore].
//
// Source: the Delta Transaction Log Protocol,
// https://github.com/delta-io/delta/blob/master/PROTOCOL.md.
package delta

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"headgate/internal/store"
)

// ErrConflict means that the batch is not at the publication that was expected,
// nor at our own: someone else published or restored it. Look again and decide
// again; no retry helps.
var ErrConflict = errors.New("delta: the batch was published by another")

// A LogError means that the table's log breaks the protocol, or our rules for it,
// so that nobody can say what the table contains.
type LogError struct {
	Key    string // of the log entry
	Line   int    // from 1; 0 means the entry as a whole
	Reason string
}

func (e *LogError) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("delta: %s: %s", e.Key, e.Reason)
	}
	return fmt.Sprintf("delta: %s:%d: %s", e.Key, e.Line, e.Reason)
}

// An UnsupportedError means that another writer gave the table a feature of Delta
// Lake that this package does not know. Reading on would give wrong answers.
type UnsupportedError struct {
	Key     string // of the log entry that needs the feature
	Feature string
}

func (e *UnsupportedError) Error() string {
	return fmt.Sprintf("delta: %s needs %s, which Headgate does not support", e.Key, e.Feature)
}

// A ForeignError means that another writer changed the rows of a batch after its
// publication. [Table.Publish] refuses to build on that; [Table.Restore] puts any
// publication back in place, also the current one.
type ForeignError struct {
	Batch       string
	Publication int64 // whose files are no longer the batch's; 0 means that there is none
	Version     int64 // of the last commit by another writer that touched the batch
}

func (e *ForeignError) Error() string {
	hint := fmt.Sprintf("restore publication %d first", e.Publication)
	if e.Publication == 0 {
		hint = "delete its rows first, with the program that wrote them"
	}
	return fmt.Sprintf("delta: table version %d, by another writer, changed batch %s; %s", e.Version, e.Batch, hint)
}

// A MissingError means that data files are not in the store, or not as they
// should be, so that publishing them would break every reader.
type MissingError struct {
	Batch    string
	Problems []Problem // at least one
}

func (e *MissingError) Error() string {
	first := e.Problems[0].String()
	if n := len(e.Problems) - 1; n > 0 {
		first += fmt.Sprintf(" (and %d more)", n)
	}
	return "delta: " + first
}

// A SchemaError means that a column cannot be part of the table, or cannot become
// what the table has under its name.
type SchemaError struct {
	Column string
	Reason string
}

func (e *SchemaError) Error() string { return fmt.Sprintf("delta: column %q %s", e.Column, e.Reason) }

// A Field is a column of the data files.
type Field struct {
	Name     string
	Type     string // a primitive type of Delta Lake: long, double, string, decimal(10,2), …
	Nullable bool
}

// A File is a data file of the table, in Parquet.
type File struct {
	Path    string          // relative to the table's root, see [FilePath]
	Size    int64           // bytes
	Rows    int64           // -1 if another writer added the file and did not say
	Stats   json.RawMessage // numRecords, minValues, maxValues, nullCount; nil means numRecords alone
	ModTime int64           // milliseconds since 1970, UTC; 0 means the time of the commit
}

// A Commit publishes a batch: the files become all that the batch has.
type Commit struct {
	Pipeline  string
	Batch     string
	Expect    int64  // publication of the batch that the caller has seen; 0 means none
	Operation string // names this publication among all; the same in each attempt

	// Fields are the columns of the files, without the column "batch", which the
	// table takes from the partition. See [Table.Publish] for how they may differ
	// from the table's. A commit without files needs none, unless it is the first.
	Fields []Field

	Files []File            // may be empty: the batch then has no rows
	Info  map[string]string // run, decision, models, …: kept with the commit
	At    time.Time         // rounded down to milliseconds; the same in each attempt
}

// A RestoreCommit puts an earlier publication of a batch back in place.
type RestoreCommit struct {
	Pipeline  string
	Batch     string
	Expect    int64  // publication of the batch that the caller has seen
	To        int64  // publication to restore; Expect itself repairs the batch
	Operation string // names this restore among all; the same in each attempt

	// Files stand in for the publication's own, which may have been vacuumed. They
	// must hold as many rows. None means the publication's own.
	Files []File

	Info map[string]string
	At   time.Time // rounded down to milliseconds; the same in each attempt
}

// Published says where a publication went.
type Published struct {
	Version     int64 // of the table
	Publication int64 // of the batch, from 1
	Already     bool  // an earlier attempt had done it
}

// A Publication is one that took place.
type Publication struct {
	Pipeline     string
	Batch        string
	Number       int64 // from 1, without gaps
	Version      int64 // of the table, for time travel
	Operation    string
	Supersedes   int64  // number of the publication before; 0 means none
	RestoredFrom int64  // number of the publication that it put back; 0 means that it is new
	Files        []File // all of the batch, by path
	Info         map[string]string
	At           time.Time    // UTC
	Commit       store.Digest // of the commit's bytes in the log
}

// Rows returns the rows of the publication, or -1 if they are not known.
func (p Publication) Rows() int64 { return countRows(p.Files) }

func countRows(files []File) int64 {
	var rows int64
	for _, f := range files {
		if f.Rows < 0 {
			return -1
		}
		rows += f.Rows
	}
	return rows
}

// A Table is the published scores of one pipeline. It holds no state and is safe
// for concurrent use.
type Table struct {
	bucket *store.Bucket
	prefix string
}

// Open returns the table under a prefix, such as "scores/retailer". It reads
// nothing: a table exists from its first commit on.
func Open(b *store.Bucket, prefix string) *Table {
	return &Table{bucket: b, prefix: strings.Trim(prefix, "/")}
}

// Key returns the store's key of a data file, given its path in the table.
func (t *Table) Key(path string) string { return t.prefix + "/" + path }
