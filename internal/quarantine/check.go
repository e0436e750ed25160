package quarantine

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"github.com/apache/arrow/go/v17/arrow/array"

	"headgate/internal/columnar"
	"headgate/internal/contract"
	"headgate/internal/pass"
	"headgate/internal/run"
)

// checkRows makes the pass that a worker makes, and finds the rows that still break a
// rule by themselves.
func (c *corrected) checkRows(ctx context.Context) error {
	data, err := encode(c.table.Schema(), c.table)
	if err != nil {
		return err
	}
	f, err := columnar.Open(bytes.NewReader(data), int64(len(data)), nil)
	if err != nil {
		return err
	}
	out, err := pass.Run(ctx, pass.Input{File: f, Name: "the corrected rows", Contract: c.q.Contract, Output: c.output,
		Scorer: c.scorer, Keep: c.q.Config.Scores.Keep, Shard: run.Shard{Groups: len(f.RowGroups()), Rows: f.NumRows()}})
	if err != nil {
		return err
	}
	c.keys = out.Keys
	if out.Quarantine == nil {
		return nil
	}
	bad, err := columnar.Open(bytes.NewReader(out.Quarantine), int64(len(out.Quarantine)), nil)
	if err != nil {
		return err
	}
	for rec, err := range bad.Records(ctx, columnar.ReadOptions{Columns: []string{pass.ColumnRules, pass.ColumnRow}}) {
		if err != nil {
			return err
		}
		rows := rec.Column(1).(*array.Int64)
		for i := range int(rec.NumRows()) {
			c.wrong[rows.Value(i)] = strings.Fields(strings.Clone(text(rec.Column(0), i)))
		}
	}
	return nil
}

func (c *corrected) refuse(row int64, format string, args ...any) {
	c.wrong[row] = append(c.wrong[row], fmt.Sprintf(format, args...))
}

// A twin is what the batch has of one key of a corrected row.
type twin struct {
	rows      []int64 // of the table
	good, bad int     // delivered rows that are scored and in quarantine
	corrected int     // corrected rows that are scored
	pending   bool    // a corrected row was handed in and no run has read it yet
}

// twins finds what the batch has of the keys of the corrected rows. loose is how many
// rows in quarantine have no key.
func (c *corrected) twins(ctx context.Context, tuple []string, pending [][]byte) (twins map[pass.Key]*twin, loose int64, err error) {
	twins = map[pass.Key]*twin{}
	for list := c.keys[pass.KeyIndex(pass.KeyTuples(c.q.Contract), tuple)]; len(list) > 0; list = list[pass.KeySize:] {
		row := int64(binary.BigEndian.Uint32(list[16:]))
		if c.wrong[row] != nil || row >= c.table.NumRows() { // the top bit says that it is in quarantine
			continue
		}
		k := pass.Key(list[:16])
		if twins[k] == nil {
			twins[k] = new(twin)
		}
		twins[k].rows = append(twins[k].rows, row)
	}
	for _, data := range pending {
		if err := markPending(ctx, data, tuple, twins); err != nil {
			return nil, 0, err
		}
	}
	if len(c.q.results) == 0 {
		return twins, 0, nil
	}
	for i, r := range c.q.results {
		if !c.q.replayed(i) {
			loose += r.Quarantined
		}
	}
	err = c.q.mergeKeys(ctx, tuple, func(k pass.Key, at place, out bool) error {
		replay := c.q.replayed(at.shard)
		if _, late := c.q.late[at]; out && !late && !replay {
			loose--
		}
		t := twins[k]
		switch {
		case t == nil:
		case replay && !out:
			t.corrected++
		case !replay && out:
			t.bad++
		case !replay:
			t.good++
		}
		return nil
	})
	return twins, loose, err
}

// markPending notes the keys of rows that were handed in and that no run has read.
func markPending(ctx context.Context, data []byte, tuple []string, twins map[pass.Key]*twin) error {
	f, err := columnar.Open(bytes.NewReader(data), int64(len(data)), nil)
	if err != nil {
		return err
	}
	list, err := pass.IndexKeys(ctx, f, tuple, 0, len(f.RowGroups()))
	for ; len(list) > 0; list = list[pass.KeySize:] {
		if t := twins[pass.Key(list[:16])]; t != nil {
			t.pending = true
		}
	}
	return err
}

// pending reads the files that were handed in and that no run has read yet.
func (q *Quarantine) pending(ctx context.Context, prefix string) ([][]byte, error) {
	var all [][]byte
	for attrs, err := range q.bucket.List(ctx, prefix) {
		if err != nil {
			return nil, err
		}
		planned := slices.ContainsFunc(q.Plan.Files, func(f run.File) bool { return f.Key == attrs.Key })
		if planned || !strings.HasSuffix(attrs.Key, ".parquet") {
			continue
		}
		data, err := q.bucket.Get(ctx, attrs.Key)
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

// checkKeys finds the rows that correct nothing, or that the batch has already.
func (c *corrected) checkKeys(ctx context.Context, prefix string) error {
	pending, err := c.q.pending(ctx, prefix)
	if err != nil {
		return err
	}
	replay := pass.ReplayTuple(c.q.Contract)
	for _, tuple := range c.q.Contract.NeedsKeys() {
		if slices.Equal(tuple, replay) || !unique(c.q.Contract, tuple) {
			continue
		}
		twins, _, err := c.twins(ctx, tuple, pending)
		if err != nil {
			return err
		}
		for _, t := range twins {
			for _, row := range t.rows {
				if len(t.rows) > 1 || t.good > 0 || t.corrected > 0 || t.pending {
					c.refuse(row, "%s is that of another row", contract.KeyName(tuple))
				}
			}
		}
	}
	twins, loose, err := c.twins(ctx, replay, pending)
	if err != nil {
		return err
	}
	return c.judgeTwins(ctx, twins, loose)
}

// judgeTwins refuses rows by the key that says which row they correct.
func (c *corrected) judgeTwins(ctx context.Context, twins map[pass.Key]*twin, loose int64) error {
	name := contract.KeyName(pass.ReplayTuple(c.q.Contract))
	one := unique(c.q.Contract, pass.ReplayTuple(c.q.Contract))
	var unknown []int64
	for _, t := range twins {
		for _, row := range t.rows {
			switch {
			case one && len(t.rows) > 1:
				c.refuse(row, "%s is that of another row of the file", name)
			case t.pending:
				c.refuse(row, "%s was corrected before, by rows that are not scored yet", name)
			case one && t.corrected > 0:
				c.refuse(row, "%s was corrected before", name)
			case one && t.good == 1: // of several none is scored
				c.refuse(row, "%s is scored already", name)
			case t.bad == 0 && t.good < 2:
				unknown = append(unknown, row)
			}
		}
	}
	if len(unknown) == 0 || len(c.q.results) == 0 {
		return nil
	}
	slices.Sort(unknown)
	out, err := c.q.rowsOut(ctx)
	if err != nil {
		return err
	}
	for _, row := range unknown {
		switch at := c.whom[row]; {
		case at.file >= 0 && out[at]:
		case at.file < 0 && loose > 0:
			loose-- // its key may be what was corrected
		default:
			c.refuse(row, "no row in quarantine has its %s", name)
		}
	}
	return nil
}

// rowsOut lists the delivered rows in quarantine, by file and row in it.
func (q *Quarantine) rowsOut(ctx context.Context) (map[origin]bool, error) {
	out := map[origin]bool{}
	for i, r := range q.results {
		s := q.Plan.Shards[i]
		if q.replayed(i) || r.Quarantine == nil {
			continue
		}
		data, err := run.Load(ctx, q.bucket, *r.Quarantine)
		if err != nil {
			return nil, err
		}
		f, err := columnar.Open(bytes.NewReader(data), int64(len(data)), &columnar.OpenOptions{Name: r.Quarantine.Key})
		if err != nil {
			return nil, err
		}
		for rec, err := range f.Records(ctx, columnar.ReadOptions{Columns: []string{pass.ColumnRow}}) {
			if err != nil {
				return nil, err
			}
			for _, row := range rec.Column(0).(*array.Int64).Int64Values() {
				out[origin{s.File, row}] = true
			}
		}
	}
	for at := range q.late {
		if s := q.Plan.Shards[at.shard]; !q.replayed(at.shard) {
			out[origin{s.File, s.FirstRow + at.row}] = true
		}
	}
	return out, nil
}

// checkPartners finds the rows that have no partner in another set.
func (c *corrected) checkPartners(ctx context.Context) error {
	for _, rel := range c.q.Contract.Relationships {
		twins, _, err := c.twins(ctx, rel.Columns, nil)
		if err != nil {
			return err
		}
		if rel.Object == c.q.Contract.Table {
			err = c.partnersWithin(ctx, rel, twins)
		} else {
			err = c.partnersIn(ctx, rel, twins)
		}
		if err != nil {
			return err
		}
		for _, t := range twins {
			for _, row := range t.rows {
				c.wrong[row] = append(c.wrong[row], rel.Rule)
			}
		}
	}
	return nil
}

// partnersWithin strikes the keys that a row of the batch or of the file has.
func (c *corrected) partnersWithin(ctx context.Context, rel contract.Relationship, twins map[pass.Key]*twin) error {
	for list := c.keys[pass.KeyIndex(pass.KeyTuples(c.q.Contract), rel.To)]; len(list) > 0; list = list[pass.KeySize:] {
		delete(twins, pass.Key(list[:16]))
	}
	if len(c.q.results) == 0 {
		return nil
	}
	return c.q.mergeKeys(ctx, rel.To, func(k pass.Key, _ place, _ bool) error {
		delete(twins, k)
		return nil
	})
}

// partnersIn strikes the keys that another set has.
func (c *corrected) partnersIn(ctx context.Context, rel contract.Relationship, twins map[pass.Key]*twin) error {
	at := slices.IndexFunc(c.q.Plan.References, func(r run.Reference) bool { return r.Name == rel.Object })
	if at < 0 {
		return fmt.Errorf("run %s read no %s, to which rule %s points", run.Short(c.q.Run), rel.Object, rel.Rule)
	}
	ref := c.q.Plan.References[at]
	for _, file := range ref.Files {
		if err := c.strike(ctx, ref.Input, file, rel.To, twins); err != nil {
			return err
		}
	}
	return nil
}

func (c *corrected) strike(ctx context.Context, input string, file run.File, columns []string, twins map[pass.Key]*twin) error {
	f, err := c.q.openIn(ctx, input, file)
	if err != nil {
		return err
	}
	defer f.close()
	for group := range f.RowGroups() {
		list, err := pass.IndexKeys(ctx, f.File, columns, group, 1)
		if err != nil {
			return err
		}
		for ; len(list) > 0; list = list[pass.KeySize:] {
			delete(twins, pass.Key(list[:16]))
		}
		if len(twins) == 0 {
			return nil
		}
	}
	return nil
}
