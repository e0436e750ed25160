package quarantine

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"slices"

	"headgate/internal/contract"
	"headgate/internal/pass"
	"headgate/internal/run"
)

// keyBuffer is the read buffer of one key list while lists are merged.
const keyBuffer = 64 << 10

// replayed reports whether a shard has corrected rows.
func (q *Quarantine) replayed(shard int) bool {
	return q.Plan.Files[q.Plan.Shards[shard].File].Replay
}

// mergeKeys goes through the keys of all rows of the run, by a tuple of columns.
// out says that the row is in quarantine.
func (q *Quarantine) mergeKeys(ctx context.Context, tuple []string, each func(k pass.Key, at place, out bool) error) error {
	index := pass.KeyIndex(pass.KeyTuples(q.Contract), tuple)
	var lists []io.Reader
	for i, r := range q.results {
		if index < 0 || index >= len(r.Keys) {
			return fmt.Errorf("run %s: shard %d kept no keys of %s", run.Short(q.Run), i, contract.KeyName(tuple))
		}
		f, err := q.bucket.Reader(ctx, r.Keys[index].Key)
		if err != nil {
			return err
		}
		defer f.Close()
		lists = append(lists, bufio.NewReaderSize(io.NewSectionReader(f, 0, f.Size()), keyBuffer))
	}
	return pass.MergeKeys(lists, func(k pass.Key, row pass.Duplicate) error {
		at := place{row.Shard, row.Row}
		_, late := q.late[at]
		if err := each(k, at, row.Quarantined || late); err != nil {
			return err
		}
		return ctx.Err()
	})
}

// findReplaced finds the rows in quarantine whose corrected row is scored.
func (q *Quarantine) findReplaced(ctx context.Context) error {
	if q.Data.Replaced == 0 {
		return nil
	}
	var key pass.Key
	var bad []place // of key
	corrected := false
	settle := func() {
		for _, at := range bad {
			if corrected {
				q.replaced[at] = struct{}{}
			}
		}
		bad, corrected = bad[:0], false
	}
	err := q.mergeKeys(ctx, pass.ReplayTuple(q.Contract), func(k pass.Key, at place, out bool) error {
		if k != key {
			settle()
		}
		key = k
		switch {
		case q.replayed(at.shard):
			corrected = corrected || !out
		case out:
			bad = append(bad, at)
		}
		return nil
	})
	settle()
	return err
}

// unique reports whether rows that share the tuple go to quarantine.
func unique(c *contract.Contract, tuple []string) bool {
	return slices.ContainsFunc(c.Rules, func(r contract.Rule) bool {
		return r.Quarantine && r.Duplicates() && slices.Equal(r.Columns, tuple)
	})
}
