package activities

import (
	"bufio"
	"cmp"
	"context"
	"io"
	"slices"

	"headgate/internal/contract"
	"headgate/internal/pass"
	"headgate/internal/run"
)

// keyBuffer is the read buffer of one key list while lists are merged.
const keyBuffer = 16 << 10

// RuleReplay is the rule of corrected rows whose key is not in quarantine: their
// customer has a score already.
const RuleReplay = "replay"

// A place is a row within the shards of a run.
type place struct {
	shard int
	row   int64
}

// A lateCheck finds what only the whole batch shows: rows that share a key, rows
// without a partner in another set, and rows whose corrected row is there. It holds as
// many places as it has room for.
type lateCheck struct {
	plan    *run.Plan
	tuples  [][]string // of the key lists
	results []run.ShardResult
	data    *run.Data // gets Late, Quarantined and Replaced

	late   map[place]string
	room   int64 // places that late may have; with more rows the batch is blocked
	beyond int64 // rows without a place
	counts contract.Counts
}

// checkLate makes the late check. index names the key lists of other sets.
func (a *Activities) checkLate(ctx context.Context, plan *run.Plan, c *contract.Contract, results []run.ShardResult, index run.Index, room int64, d *run.Data) (*lateCheck, error) {
	l := &lateCheck{plan: plan, tuples: pass.KeyTuples(c), results: results, data: d, late: map[place]string{},
		room:   room,
		counts: contract.Counts{Duplicates: map[string]int64{}, Unmatched: map[string]int64{}, Corrected: replayed(plan), Unread: unread(d.Skipped)}}
	for _, tuple := range c.NeedsKeys() {
		if err := a.duplicates(ctx, c, tuple, l); err != nil {
			return nil, err
		}
	}
	for _, rel := range c.Relationships {
		if err := a.unmatched(ctx, c, rel, index, l); err != nil {
			return nil, err
		}
	}
	if replayed(plan) > 0 {
		if err := a.corrections(ctx, c, l); err != nil {
			return nil, err
		}
	}
	for at, rule := range l.late {
		d.Late = append(d.Late, run.Late{Shard: at.shard, Row: at.row, Rule: rule})
	}
	slices.SortFunc(d.Late, func(a, b run.Late) int { return cmp.Or(a.Shard-b.Shard, cmp.Compare(a.Row, b.Row)) })
	d.Quarantined += int64(len(d.Late)) + l.beyond
	return l, nil
}

// add sends a row to quarantine.
func (l *lateCheck) add(row pass.Duplicate, rule string) {
	at := place{row.Shard, row.Row}
	switch {
	case row.Quarantined || l.late[at] != "":
	case l.data.Quarantined+int64(len(l.late)) >= l.room:
		l.beyond++
	default:
		l.late[at] = rule
	}
}

// addAll sends rows to quarantine.
func (l *lateCheck) addAll(rows []pass.Duplicate, rule string) {
	for _, row := range rows {
		l.add(row, rule)
	}
}

// mostShown is how many late rows of a batch with a small error budget are listed all the
// same, so that whoever corrects them can see which they are.
const mostShown = 100_000

// roomFor returns how many rows may be in quarantine while late ones are still listed: as
// many as a batch within its budget can have, and more if those are few.
func roomFor(budget int64, plan *run.Plan) int64 {
	return max(budget+1+rowsPerReplay*replayed(plan), mostShown)
}

// rowsPerReplay is how many rows one corrected row may take the place of; more of them
// count against the budget. So a batch within its budget has room for all its late rows.
const rowsPerReplay = 4

// replayed returns how many corrected rows a plan has.
func replayed(plan *run.Plan) (rows int64) {
	for _, f := range plan.Files {
		if f.Replay {
			rows += f.Rows
		}
	}
	return rows
}

// replay reports whether a row is a corrected one.
func (l *lateCheck) replay(row pass.Duplicate) bool {
	return l.plan.Files[l.plan.Shards[row.Shard].File].Replay
}

// duplicates counts the delivered rows that share a key, and sends them to quarantine if
// a rule of the contract says so. One whose fellows are all in quarantine is unique after
// all.
func (a *Activities) duplicates(ctx context.Context, c *contract.Contract, tuple []string, l *lateCheck) error {
	name := contract.KeyName(tuple)
	l.counts.Duplicates[name] = 0
	rule, quarantine := quarantineRule(c, tuple)
	var key pass.Key
	var rows, good int64 // delivered with this key, and those of them that are not in quarantine
	var first pass.Duplicate
	return a.eachKey(ctx, tuple, l, func(k pass.Key, row pass.Duplicate) {
		if k != key {
			key, rows, good = k, 0, 0
		}
		if l.replay(row) {
			return
		}
		if rows++; rows > 1 {
			l.counts.Duplicates[name]++
		}
		if row.Quarantined || !quarantine {
			return
		}
		switch good++; good {
		case 1:
			first = row
		case 2:
			l.add(first, rule)
			l.add(row, rule)
		default:
			l.add(row, rule)
		}
	})
}

// eachKey goes through the keys of a tuple, in ascending order.
func (a *Activities) eachKey(ctx context.Context, tuple []string, l *lateCheck, each func(k pass.Key, row pass.Duplicate)) error {
	lists, closeAll, err := a.keyLists(ctx, l.results, pass.KeyIndex(l.tuples, tuple))
	if err != nil {
		return err
	}
	defer closeAll()
	return pass.MergeKeys(lists, func(k pass.Key, row pass.Duplicate) error {
		each(k, row)
		return ctx.Err()
	})
}

// A keyGroup is what is known of the rows with one key. It holds corrected rows only, of
// which there are few.
type keyGroup struct {
	good, bad int64            // delivered, and not in quarantine or in it
	corrected []pass.Duplicate // not in quarantine
}

// groups calls settle for every key that a corrected row has which is not in quarantine.
func (a *Activities) groups(ctx context.Context, tuple []string, l *lateCheck, settle func(g keyGroup)) error {
	var key pass.Key
	var g keyGroup
	end := func() {
		if len(g.corrected) > 0 {
			settle(g)
		}
		g = keyGroup{corrected: g.corrected[:0]}
	}
	err := a.eachKey(ctx, tuple, l, func(k pass.Key, row pass.Duplicate) {
		if k != key {
			end()
		}
		key = k
		out := row.Quarantined || l.late[place{row.Shard, row.Row}] != ""
		switch {
		case l.replay(row) && !out:
			g.corrected = append(g.corrected, row)
		case l.replay(row):
		case out:
			g.bad++
		default:
			g.good++
		}
	})
	end()
	return err
}

// corrections judges the corrected rows against the delivered ones that are left, and
// lets the good ones take the place of those in quarantine. It comes last, when it is
// known of every delivered row whether it is in quarantine.
func (a *Activities) corrections(ctx context.Context, c *contract.Contract, l *lateCheck) error {
	replay := pass.ReplayTuple(c)
	for _, tuple := range c.NeedsKeys() {
		rule, quarantine := quarantineRule(c, tuple)
		if !quarantine || slices.Equal(tuple, replay) {
			continue
		}
		err := a.groups(ctx, tuple, l, func(g keyGroup) {
			if g.good > 0 || len(g.corrected) > 1 {
				l.addAll(g.corrected, rule)
			}
		})
		if err != nil {
			return err
		}
	}
	_, unique := quarantineRule(c, replay)
	return a.groups(ctx, replay, l, func(g keyGroup) { l.replace(g, unique) })
}

// replace settles a group of rows with the key by which a corrected row finds the rows
// that it replaces: those in quarantine. One whose key is scored already, or that comes
// twice, is no correction and goes to quarantine itself, if the key is to be unique.
func (l *lateCheck) replace(g keyGroup, unique bool) {
	if unique && (len(g.corrected) > 1 || g.good > 0) {
		l.addAll(g.corrected, RuleReplay)
		return
	}
	l.data.Replaced += min(g.bad, rowsPerReplay*int64(len(g.corrected)))
}

// unmatched counts the rows without a partner and sends them to quarantine.
func (a *Activities) unmatched(ctx context.Context, c *contract.Contract, rel contract.Relationship, index run.Index, l *lateCheck) error {
	l.counts.Unmatched[rel.Rule] = 0
	rows, closeRows, err := a.keyLists(ctx, l.results, pass.KeyIndex(l.tuples, rel.Columns))
	if err != nil {
		return err
	}
	defer closeRows()
	sets, closeSets, err := a.partners(ctx, c, rel, index, l)
	if err != nil {
		return err
	}
	defer closeSets()
	return pass.Unmatched(rows, sets, func(row pass.Duplicate) error {
		l.counts.Unmatched[rel.Rule]++
		l.add(row, rel.Rule)
		return ctx.Err()
	})
}

// partners opens the key lists of the set that a relationship points to.
func (a *Activities) partners(ctx context.Context, c *contract.Contract, rel contract.Relationship, index run.Index, l *lateCheck) ([]io.Reader, func(), error) {
	if rel.Object == c.Table {
		return a.keyLists(ctx, l.results, pass.KeyIndex(l.tuples, rel.To))
	}
	lists, ok := index.Lists[rel.Rule]
	if !ok {
		return nil, nil, fail(KindCorrupt, "the keys of %s, which rule %s needs, were not read", rel.Object, rel.Rule)
	}
	return a.openLists(ctx, lists)
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
	var lists []run.Object
	for _, r := range results {
		if tuple < 0 || tuple >= len(r.Keys) {
			return nil, nil, fail(KindCorrupt, "shard %d has %d key lists", r.Shard, len(r.Keys))
		}
		lists = append(lists, r.Keys[tuple])
	}
	return a.openLists(ctx, lists)
}

// openLists opens key lists.
func (a *Activities) openLists(ctx context.Context, lists []run.Object) ([]io.Reader, func(), error) {
	var readers []io.Reader
	var open []io.Closer
	closeAll := func() {
		for _, c := range open {
			c.Close()
		}
	}
	for _, o := range lists {
		f, err := a.store.Reader(ctx, o.Key)
		if err != nil {
			closeAll()
			return nil, nil, err
		}
		open = append(open, f)
		readers = append(readers, bufio.NewReaderSize(io.NewSectionReader(f, 0, f.Size()), keyBuffer))
	}
	return readers, closeAll, nil
}
