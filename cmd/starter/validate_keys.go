package main

import (
	"bytes"
	"slices"

	"github.com/apache/arrow/go/v17/arrow"

	"headgate/internal/contract"
)

// A keyCounter finds rows of a local batch that repeat each other, or have no partner.
// It keeps 32 bytes a row and tuple; workers sort key lists on disk instead.
type keyCounter struct {
	tuples []keyTuple
	rels   []partners
	row    int64
}

// A keyTuple is one tuple of columns whose duplicates are counted.
type keyTuple struct {
	columns    []string
	quarantine bool // do rows that repeat each other leave the batch?
	keys       []rowKey
}

// A rowKey is the digest of one row's tuple.
type rowKey struct {
	digest [16]byte
	row    int64
	bad    bool // the row leaves the batch in any case
}

func newKeyCounter(c *contract.Contract) *keyCounter {
	k := &keyCounter{}
	for _, tuple := range c.NeedsKeys() {
		t := keyTuple{columns: tuple}
		for _, r := range c.Rules {
			t.quarantine = t.quarantine || r.Quarantine && r.Duplicates() && slices.Equal(r.Columns, tuple)
		}
		k.tuples = append(k.tuples, t)
	}
	for _, rel := range c.Relationships {
		p := partners{rel: rel, ours: keyTuple{columns: rel.Columns}, within: rel.Object == c.Table}
		p.theirs.columns = rel.To
		k.rels = append(k.rels, p)
	}
	return k
}

// add notes the keys of a record. A row with a null in a tuple has no key.
func (k *keyCounter) add(rec arrow.Record, marks contract.Marks) error {
	for i := range k.tuples {
		if err := k.tuples[i].add(rec, marks, k.row); err != nil {
			return err
		}
	}
	for i := range k.rels {
		if err := k.rels[i].add(rec, marks, k.row); err != nil {
			return err
		}
	}
	k.row += rec.NumRows()
	return nil
}

func (t *keyTuple) add(rec arrow.Record, marks contract.Marks, first int64) error {
	return eachKey(rec, t.columns, func(row int, digest [16]byte) {
		t.keys = append(t.keys, rowKey{digest: digest, row: first + int64(row), bad: marks.Bad(row)})
	})
}

// count returns the duplicates of each tuple, as [contract.Contract.Judge] wants
// them, how many rows have no partner, and how many leave the batch because of that. A
// row is unique after all if the others like it have left.
func (k *keyCounter) count() (counts contract.Counts, late int64) {
	duplicates := map[string]int64{}
	leaves := map[int64]bool{}
	for _, t := range k.tuples {
		slices.SortFunc(t.keys, func(a, b rowKey) int { return bytes.Compare(a.digest[:], b.digest[:]) })
		name := contract.KeyName(t.columns)
		duplicates[name] = 0
		for from := 0; from < len(t.keys); {
			to := from + 1
			for to < len(t.keys) && t.keys[to].digest == t.keys[from].digest {
				to++
			}
			duplicates[name] += int64(to - from - 1)
			if t.quarantine {
				leave(t.keys[from:to], leaves)
			}
			from = to
		}
	}
	unmatched := map[string]int64{}
	for _, p := range k.rels {
		if p.known() {
			unmatched[p.rel.Rule] = p.count(leaves)
		}
	}
	return contract.Counts{Duplicates: duplicates, Unmatched: unmatched}, int64(len(leaves))
}

// leave adds the rows of a group that are still in the batch, if they are several.
func leave(group []rowKey, leaves map[int64]bool) {
	var good []int64
	for _, key := range group {
		if !key.bad {
			good = append(good, key.row)
		}
	}
	if len(good) < 2 {
		return
	}
	for _, row := range good {
		leaves[row] = true
	}
}
