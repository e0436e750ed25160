package activities

import (
	"bufio"
	"context"
	"io"
	"slices"

	"headgate/internal/contract"
	"headgate/internal/pass"
	"headgate/internal/run"
)

// keyBuffer is the read buffer of one key list while lists are merged.
const keyBuffer = 16 << 10

// duplicates counts, for each key tuple of the contract, the rows that share a key,
// and adds those that must leave the batch to d.Late and d.Quarantined. It holds at
// most one place per row of the error budget.
func (a *Activities) duplicates(ctx context.Context, c *contract.Contract, results []run.ShardResult, d *run.Data) (map[string]int64, error) {
	counts := map[string]int64{}
	type place struct {
		shard int
		row   int64
	}
	late := map[place]string{}
	var beyond int64 // rows over the budget: the batch is blocked, so they need no place
	for t, tuple := range c.NeedsKeys() {
		name := contract.KeyName(tuple)
		counts[name] = 0
		rule, quarantine := quarantineRule(c, tuple)
		lists, closeAll, err := a.keyLists(ctx, results, t)
		if err != nil {
			return nil, err
		}
		err = pass.Duplicates(lists, func(group []pass.Duplicate) error {
			counts[name] += int64(len(group)) - 1
			for _, row := range group {
				at := place{row.Shard, row.Row}
				switch {
				case !quarantine || row.Quarantined || stillGood(group) < 2 || late[at] != "":
				case d.Quarantined+int64(len(late)) > d.Budget:
					beyond++
				default:
					late[at] = rule
				}
			}
			return ctx.Err()
		})
		closeAll()
		if err != nil {
			return nil, err
		}
	}
	for at, rule := range late {
		d.Late = append(d.Late, run.Late{Shard: at.shard, Row: at.row, Rule: rule})
	}
	slices.SortFunc(d.Late, func(a, b run.Late) int {
		if a.Shard != b.Shard {
			return a.Shard - b.Shard
		}
		return int(a.Row - b.Row)
	})
	d.Quarantined += int64(len(d.Late)) + beyond
	return counts, nil
}

// stillGood counts the rows of a group that are not in quarantine: one that is left
// alone is unique after all.
func stillGood(group []pass.Duplicate) (n int) {
	for _, row := range group {
		if !row.Quarantined {
			n++
		}
	}
	return n
}

// quarantineRule returns the rule that sends rows with a duplicate key to quarantine.
func quarantineRule(c *contract.Contract, tuple []string) (id string, ok bool) {
	for _, r := range c.Rules {
		if r.Quarantine && r.Duplicates() && slices.Equal(r.Columns, tuple) {
			return r.ID, true
		}
	}
	return "", false
}

// keyLists opens the key lists of one tuple, one per shard.
func (a *Activities) keyLists(ctx context.Context, results []run.ShardResult, tuple int) ([]io.Reader, func(), error) {
	var lists []io.Reader
	var open []io.Closer
	closeAll := func() {
		for _, c := range open {
			c.Close()
		}
	}
	for _, r := range results {
		if tuple >= len(r.Keys) {
			closeAll()
			return nil, nil, fail(KindCorrupt, "shard %d has %d key lists", r.Shard, len(r.Keys))
		}
		f, err := a.store.Reader(ctx, r.Keys[tuple].Key)
		if err != nil {
			closeAll()
			return nil, nil, err
		}
		open = append(open, f)
		lists = append(lists, bufio.NewReaderSize(io.NewSectionReader(f, 0, f.Size()), keyBuffer))
	}
	return lists, closeAll, nil
}
