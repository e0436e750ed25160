package contract_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"headgate/internal/columnar"
	"headgate/internal/contract"
	"headgate/internal/model"
	"headgate/internal/pass"
	"headgate/internal/profile"
	"headgate/internal/run"
)

// A suiteBatch is one batch on its way through the passes.
type suiteBatch struct {
	c        *contract.Contract
	file     *columnar.File
	partners map[string]*columnar.File // other objects, by name

	shards     []run.Shard
	outs       []*pass.Output
	scored     map[int64]string // by row of the file, its key
	quarantine map[int64]string // by row of the file, its key and the rules that it breaks
}

// verdict says what becomes of a batch: the verdict, the violations, notes on what
// could not be judged, and the rows in quarantine.
func (b *suiteBatch) verdict(t *testing.T, c *suiteCase) string {
	t.Helper()
	footer := b.footer()
	violations := b.c.CheckFooter(footer)
	var notes []string
	if !contract.Blocks(violations) {
		violations = b.judge(t)
		for _, v := range b.c.CheckTotals(footer) {
			if !slices.Contains(violations, v) {
				t.Errorf("the footers alone say %s, and the rows do not", v.Message)
			}
		}
		violations = append(violations, b.judgeTimes(t, c)...)
		later, more := b.judgeHistory(t, c)
		violations, notes = append(violations, later...), more
	}
	word := "pass"
	if contract.Blocks(violations) {
		word = "block"
	}
	lines := []string{"verdict " + word}
	if len(violations) > 0 {
		lines = append(lines, say(violations))
	}
	for _, note := range notes {
		lines = append(lines, "note "+note)
	}
	for row := range b.file.NumRows() {
		if why := b.quarantine[row]; why != "" {
			lines = append(lines, fmt.Sprintf("quarantine row %d %s", row, why))
		}
	}
	return strings.Join(lines, "\n") + "\n"
}

// footer is what the footer says of the file.
func (b *suiteBatch) footer() contract.Footer {
	footer := contract.Footer{Schema: b.file.Schema(), Nested: b.file.Nested(), Rows: b.file.NumRows(), Nulls: map[string]int64{}}
	for _, g := range b.file.RowGroups() {
		for name, s := range g.Columns {
			footer.Nulls[name] += s.Nulls
		}
	}
	return footer
}

// judge makes the passes over all row groups and judges them together.
func (b *suiteBatch) judge(t *testing.T) []contract.Violation {
	t.Helper()
	b.scored, b.quarantine = map[int64]string{}, map[int64]string{}
	b.shards = b.plan()
	var result contract.Result
	for i, shard := range b.shards {
		out, err := pass.Run(t.Context(), pass.Input{File: b.file, Name: "batch", Shard: shard, Contract: b.c, Scorer: constant{}})
		if err != nil {
			t.Fatal(err)
		}
		b.outs = append(b.outs, out)
		maps.Copy(b.scored, keyed(t, b.c, out.Scores))
		maps.Copy(b.quarantine, keyed(t, b.c, out.Quarantine, pass.ColumnRules))
		if i == 0 {
			result = out.Check
		} else {
			result = contract.Merge(result, out.Check)
		}
	}
	n := contract.Counts{Duplicates: map[string]int64{}, Unmatched: map[string]int64{}}
	for i, tuple := range b.c.NeedsKeys() {
		n.Duplicates[contract.KeyName(tuple)] = b.repeated(t, tuple, i)
	}
	for _, r := range b.c.Relationships {
		n.Unmatched[r.Rule] = b.unmatched(t, r)
	}
	return b.c.Judge(result, n)
}

// plan makes each row group a shard. A batch without rows has one shard as well.
func (b *suiteBatch) plan() []run.Shard {
	var shards []run.Shard
	var first int64
	for i, g := range b.file.RowGroups() {
		shards = append(shards, run.Shard{FirstGroup: i, Groups: 1, FirstRow: first, Rows: g.Rows})
		first += g.Rows
	}
	if shards == nil {
		return []run.Shard{{}}
	}
	return shards
}

// late sends a row that the passes found good to quarantine.
func (b *suiteBatch) late(row int64, rule string) {
	if b.quarantine[row] == "" {
		b.quarantine[row] = b.scored[row] + rule
	}
}

// repeated counts the duplicates of one tuple over all shards. The rows that share it
// leave the batch, unless their fellows have left before.
func (b *suiteBatch) repeated(t *testing.T, tuple []string, index int) (count int64) {
	t.Helper()
	var lists []io.Reader
	for _, out := range b.outs {
		lists = append(lists, bytes.NewReader(out.Keys[index]))
	}
	i := slices.IndexFunc(b.c.Rules, func(r contract.Rule) bool {
		return r.Quarantine && r.Duplicates() && slices.Equal(r.Columns, tuple)
	})
	err := pass.Duplicates(lists, func(group []pass.Duplicate) error {
		count += int64(len(group)) - 1
		good := slices.DeleteFunc(slices.Clone(group), func(d pass.Duplicate) bool { return d.Quarantined })
		if i < 0 || len(good) < 2 {
			return nil
		}
		for _, d := range good {
			b.late(b.shards[d.Shard].FirstRow+d.Row, b.c.Rules[i].ID)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return count
}

// unmatched counts the rows whose tuple no row of the other object has, and sends
// them to quarantine.
func (b *suiteBatch) unmatched(t *testing.T, r contract.Relationship) (count int64) {
	t.Helper()
	other := b.partners[r.Object]
	if other == nil {
		other = b.file
	}
	partners := map[string]bool{}
	eachTuple(t, other, r.To, func(_ int64, tuple string) { partners[tuple] = true })
	eachTuple(t, b.file, r.Columns, func(row int64, tuple string) {
		if !partners[tuple] {
			count++
			b.late(row, r.Rule)
		}
	})
	return count
}

// eachTuple calls found with the values of columns of each row that has no null there.
func eachTuple(t *testing.T, f *columnar.File, columns []string, found func(row int64, tuple string)) {
	t.Helper()
	var first int64
	for rec, err := range f.Records(t.Context(), columnar.ReadOptions{Columns: columns}) {
		if err != nil {
			t.Fatal(err)
		}
	rows:
		for i := range int(rec.NumRows()) {
			var tuple []string
			for _, col := range columnsOf(rec, columns) {
				if col.IsNull(i) {
					continue rows
				}
				tuple = append(tuple, strconv.Quote(col.ValueStr(i)))
			}
			found(first+int64(i), strings.Join(tuple, ","))
		}
		first += rec.NumRows()
	}
}

func columnsOf(rec arrow.Record, names []string) []arrow.Array {
	var out []arrow.Array
	for _, name := range names {
		out = append(out, rec.Column(rec.Schema().FieldIndices(name)[0]))
	}
	return out
}

// judgeTimes judges the promises as of the moment in the part "as of".
func (b *suiteBatch) judgeTimes(t *testing.T, c *suiteCase) []contract.Violation {
	t.Helper()
	if len(b.c.Promises) == 0 {
		return nil
	}
	asOf, err := time.Parse(time.RFC3339, strings.TrimSpace(string(c.file(t, "as of"))))
	if err != nil {
		t.Fatal(err)
	}
	newest, oldest := map[string]time.Time{}, map[string]time.Time{}
	for rec, err := range b.file.Records(t.Context(), columnar.ReadOptions{Columns: b.c.TimeColumns()}) {
		if err != nil {
			t.Fatal(err)
		}
		for i, field := range rec.Schema().Fields() {
			for row := range int(rec.NumRows()) {
				if rec.Column(i).IsNull(row) {
					continue
				}
				at := timeOf(t, rec.Column(i), row)
				if last, ok := newest[field.Name]; !ok || at.After(last) {
					newest[field.Name] = at
				}
				if first, ok := oldest[field.Name]; !ok || at.Before(first) {
					oldest[field.Name] = at
				}
			}
		}
	}
	return b.c.JudgeTimes(newest, oldest, asOf)
}

func timeOf(t *testing.T, a arrow.Array, row int) time.Time {
	t.Helper()
	switch a := a.(type) {
	case *array.Date32:
		return a.Value(row).ToTime()
	case *array.Timestamp:
		return a.Value(row).ToTime(a.DataType().(*arrow.TimestampType).Unit)
	}
	t.Fatalf("%s is no time", a.DataType())
	return time.Time{}
}

// judgeHistory compares the batch with the ones in the part "before", a line each,
// oldest first, and with the one in the part "a year ago".
func (b *suiteBatch) judgeHistory(t *testing.T, c *suiteCase) ([]contract.Violation, []string) {
	t.Helper()
	if len(b.c.History) == 0 {
		return nil, nil
	}
	builder := profile.NewBuilder(nil)
	for rec, err := range b.file.Records(t.Context(), columnar.ReadOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		if err := builder.Add(rec); err != nil {
			t.Fatal(err)
		}
	}
	now := contract.Facts{Batch: "now", Rows: b.file.NumRows(), Columns: map[string]contract.ColumnFacts{}}
	for _, col := range builder.Profile().Columns {
		mean, std := col.MeanStd()
		now.Columns[col.Name] = contract.ColumnFacts{Nulls: col.Nulls, Mean: mean, Std: std, Min: col.Min, Max: col.Max, Distinct: col.Distincts()}
	}
	past := factsOf(t, c, "before")
	var lastYear *contract.Facts
	if ago := factsOf(t, c, "a year ago"); len(ago) > 0 {
		lastYear = &ago[0]
	}
	return b.c.JudgeHistory(now, past, lastYear)
}

func factsOf(t *testing.T, c *suiteCase, part string) (all []contract.Facts) {
	t.Helper()
	data, _ := c.part(part)
	for line := range bytes.Lines(data) {
		var f contract.Facts
		if err := json.Unmarshal(line, &f); err != nil {
			t.Fatalf("%s: %v", part, err)
		}
		all = append(all, f)
	}
	return all
}

// keyed reads the rows of a score or quarantine file: by row, the key and then,
// after a colon, more columns.
func keyed(t *testing.T, c *contract.Contract, data []byte, more ...string) map[int64]string {
	t.Helper()
	out := map[int64]string{}
	if data == nil {
		return out
	}
	for rec, err := range openBytes(t, data).Records(t.Context(), columnar.ReadOptions{Columns: slices.Concat(c.Entity(), more, []string{pass.ColumnRow})}) {
		if err != nil {
			t.Fatal(err)
		}
		cells := func(names []string, i int) string {
			var all []string
			for _, col := range columnsOf(rec, names) {
				all = append(all, col.ValueStr(i))
			}
			return strings.Join(all, ", ")
		}
		for i := range int(rec.NumRows()) {
			row, err := strconv.ParseInt(cells([]string{pass.ColumnRow}, i), 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			out[row] = fmt.Sprintf("(%s): %s", cells(c.Entity(), i), cells(more, i))
		}
	}
	return out
}

// constant gives every row the score 0.
type constant struct{}

func (constant) Inputs() []model.Input { return nil }
func (constant) Outputs() int          { return 1 }
func (constant) Objective() string     { return "test" }

func (constant) Score(dst *model.Scores, rec arrow.Record) error {
	dst.Resize(int(rec.NumRows()), 1)
	clear(dst.Raw)
	clear(dst.Pred)
	return nil
}
