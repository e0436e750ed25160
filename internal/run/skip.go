package run

import (
	"fmt"
	"slices"

	"headgate/internal/store"
)

// RuleSkipped is the rule of rows in quarantine that nobody could read: a person left
// their shard out.
const RuleSkipped = "skipped"

// A Skip says that a shard is left out of a run on a person's word. All of its rows count
// as quarantined. It is kept in the shard's result and in the verdict, and as the blob
// that the registry's entry names.
type Skip struct {
	Format   int          `json:"format"`
	Run      store.Digest `json:"run"`
	Shard    int          `json:"shard"`
	File     string       `json:"file"`      // key of the input file
	FirstRow int64        `json:"first_row"` // ordinal of the first row within the file, from 0
	Rows     int64        `json:"rows"`
	By       string       `json:"by"` // as claimed
	Reason   string       `json:"reason"`
	Failed   string       `json:"failed"` // why the shard could not be scored
	// Keys says that the entity keys of the rows could be read, so that their customers
	// are known to be without a score.
	Keys bool `json:"keys"`
}

// Sentence says which rows are left out, on whose word.
func (s Skip) Sentence() string {
	text := fmt.Sprintf("shard %d was left out by %s (claimed): %s; rows %d to %d of %s count as quarantined",
		s.Shard, s.By, s.Reason, s.FirstRow, s.FirstRow+s.Rows-1, s.File)
	if !s.Keys {
		text += ", and whose rows they are is not known: none of those customers gets a fallback score as quarantined"
	}
	return text
}

// Skips reports whether a shard is left out of the run.
func (d *Data) Skips(shard int) bool {
	return slices.ContainsFunc(d.Skipped, func(s Skip) bool { return s.Shard == shard })
}
