package pass

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"headgate/internal/columnar"
	"headgate/internal/contract"
)

// AssembleInput is what the published rows of one shard are made of.
type AssembleInput struct {
	Scores   *columnar.File // score file of the shard's pass
	Name     string         // key of the input file, for late quarantine rows
	FirstRow int64          // of the shard within that file
	Columns  []string       // entity key and kept columns, in the table's order
	Outputs  int            // of the model
	Late     map[int64]string
	Model    string   // digest of the bundle
	Contract string   // digest of the contract
	Run      string   // digest of the plan
	Hidden   []string // columns whose bounds statistics must not show

	Compression string // of the published file: zstd (also ""), snappy or none

	// Others are models whose scores some rows have in place of Model's: those of which
	// Arm says 1 and more, by the digest of the entity's key. ok is false if it has none.
	Others []Other
	Entity []string
	Arm    func(key Key, ok bool) int
	Ranks  [][]*Ranks // by model, Model's first, and output; nil: there is no [ColumnRank]
}

// Other is a model that has scored the rows of a shard beside the champion.
type Other struct {
	Model  string         // digest of the bundle
	Scores *columnar.File // the same rows in the same order
}

// Assembled is one data file of the published table.
type Assembled struct {
	Data       []byte        // Parquet; nil if no row is left
	Schema     *arrow.Schema // as the file has it
	Rows       int64
	Stats      json.RawMessage // Delta Lake statistics
	Values     [32]byte        // digest of the decoded rows, see [Values]
	Models     []int64         // rows with the score of Model, then of the others; fallback has none
	Quarantine []byte          // late rows as Parquet; nil if there are none
}

// Assemble writes the published rows of a shard: key and kept columns, score and
// raw score of each output, and the digests of model, contract and run. Rows of
// in.Late go to quarantine instead. The file is read back before it is returned.
func Assemble(ctx context.Context, in AssembleInput) (*Assembled, error) {
	good, late, stats := newTable(in.Scores.NumRows(), in.Compression), newTable(0, ""), newStats(in.Hidden)
	choice, err := newChoice(ctx, &in)
	if err != nil {
		return nil, fmt.Errorf("assemble %s: %w", in.Name, err)
	}
	var rows int64
	for rec, err := range in.Scores.Records(ctx, columnar.ReadOptions{}) {
		if err != nil {
			return nil, err
		}
		n, err := in.record(rec, choice, good, late, stats)
		if err != nil {
			return nil, fmt.Errorf("assemble %s: %w", in.Name, err)
		}
		rows += n
	}
	quarantine, err := late.close()
	if err != nil {
		return nil, err
	}
	data, err := good.close()
	if err != nil || data == nil {
		return &Assembled{Quarantine: quarantine, Models: choice.rows}, err
	}
	out, err := finished(ctx, data, rows, stats)
	if err != nil {
		return nil, err
	}
	out.Quarantine, out.Models = quarantine, choice.rows
	return out, nil
}

// record writes one record of scores and returns how many of its rows are published.
func (in *AssembleInput) record(rec arrow.Record, choice *choice, good, late *table, stats *fileStats) (int64, error) {
	if err := in.complete(rec); err != nil {
		return 0, err
	}
	ordinals := rec.Column(rec.Schema().FieldIndices(ColumnRow)[0]).(*array.Int64)
	n := int(rec.NumRows())
	rule := func(i int) string { return in.Late[ordinals.Value(i)-in.FirstRow] }
	published, err := in.published(rec, choice, func(i int) bool { return rule(i) == "" })
	if err != nil {
		return 0, err
	}
	defer published.Release()
	if len(in.Late) == 0 {
		stats.add(published)
		return int64(n), good.write(published)
	}
	var rows int64
	for from := 0; from < n; {
		to := from + 1
		for to < n && rule(to) == rule(from) {
			to++
		}
		if r := rule(from); r != "" {
			if err := in.quarantine(rec.NewSlice(int64(from), int64(to)), r, late); err != nil {
				return 0, err
			}
		} else {
			slice := published.NewSlice(int64(from), int64(to))
			if err := good.write(slice); err != nil {
				return 0, err
			}
			stats.add(slice)
			slice.Release()
			rows += int64(to - from)
		}
		from = to
	}
	return rows, nil
}

// complete checks that a record of scores has the columns that every model writes.
func (in *AssembleInput) complete(rec arrow.Record) error {
	var names []string
	for o := range in.Outputs {
		for _, c := range ScoreColumns(o, in.Outputs) {
			names = append(names, c.From)
		}
	}
	for _, name := range append(names, ColumnRow) {
		if len(rec.Schema().FieldIndices(name)) != 1 {
			return fmt.Errorf("score file has no column %s", name)
		}
	}
	return nil
}

// published returns the table's columns for a record of scores. Rows that keep does not
// name are not published in the end.
func (in *AssembleInput) published(rec arrow.Record, choice *choice, keep func(i int) bool) (arrow.Record, error) {
	fields, cols := pick(rec, in.Columns)
	n := int(rec.NumRows())
	add := func(name string, t arrow.DataType, col arrow.Array) {
		fields, cols = append(fields, arrow.Field{Name: name, Type: t}), append(cols, col)
	}
	chosen, err := choice.next(rec, keep)
	if err != nil {
		return nil, err
	}
	for i, values := range chosen.values {
		add(ScoreColumns(i/2, in.Outputs)[i%2].Name, arrow.PrimitiveTypes.Float64, values)
	}
	for o, ranks := range chosen.ranks {
		add(rankColumn(o, in.Outputs), arrow.PrimitiveTypes.Float64, ranks)
	}
	add("model", columnar.DictionaryType, chosen.model)
	add("contract", columnar.DictionaryType, columnar.Repeat(in.Contract, n))
	add("run", columnar.DictionaryType, columnar.Repeat(in.Run, n))
	return array.NewRecord(arrow.NewSchema(fields, nil), cols, int64(n)), nil
}

func (in *AssembleInput) quarantine(rec arrow.Record, rule string, late *table) error {
	defer rec.Release()
	n := int(rec.NumRows())
	fields, cols := pick(rec, append([]string{ColumnRow}, in.Columns...))
	fields = append([]arrow.Field{{Name: ColumnRules, Type: columnar.DictionaryType}, {Name: ColumnFile, Type: columnar.DictionaryType}}, fields...)
	cols = append([]arrow.Array{columnar.Repeat(rule, n), columnar.Repeat(in.Name, n)}, cols...)
	bad := array.NewRecord(arrow.NewSchema(fields, nil), cols, rec.NumRows())
	defer bad.Release()
	return late.write(bad)
}

// A ScoreColumn names a column of the published table and where it comes from.
type ScoreColumn struct{ Name, From string }

// ScoreColumns names the columns of output o of a model with k outputs: score and
// raw_score for one output, score_0, raw_score_0, score_1, … for several.
func ScoreColumns(o, k int) []ScoreColumn {
	suffix := ""
	if k > 1 {
		suffix = fmt.Sprintf("_%d", o)
	}
	return []ScoreColumn{
		{Name: "score" + suffix, From: fmt.Sprintf("pred_%d", o)},
		{Name: "raw_score" + suffix, From: fmt.Sprintf("raw_%d", o)},
	}
}

// Values returns a digest of a file's decoded rows. It depends on the values and
// their order, not on compression or encoding, so it outlives library upgrades.
func Values(ctx context.Context, f *columnar.File) (sum [32]byte, err error) {
	var names []string
	for _, field := range f.Schema().Fields() {
		names = append(names, field.Name)
	}
	h := newContentHash(names)
	for rec, err := range f.Records(ctx, columnar.ReadOptions{Columns: names}) {
		if err != nil {
			return sum, err
		}
		h.add(rec)
	}
	h.total(&sum)
	return sum, nil
}

// CheckNames checks that no key or kept column bears the name of a column that
// Headgate adds to the published table, and that there is a key at all.
func CheckNames(c *contract.Contract, keep []string, outputs int) error {
	taken := map[string]bool{"batch": true, "model": true, "contract": true, "run": true, ColumnFallback: true}
	for o := range outputs {
		for _, s := range ScoreColumns(o, outputs) {
			taken[s.Name] = true
		}
	}
	if len(c.Entity()) == 0 {
		return fmt.Errorf("contract %s names no entity key; give one column the mlRole entityKey, or a primary key", c.Name)
	}
	for _, name := range TableColumns(c, keep) {
		if taken[name] || strings.HasPrefix(name, "headgate_") {
			return fmt.Errorf("column %q cannot be published: the table has a column of that name of its own", name)
		}
	}
	return nil
}

// Hidden lists the classified columns: what is written about files must not show
// their values.
func Hidden(c *contract.Contract) []string {
	var names []string
	for _, col := range c.Columns {
		if col.Classified() {
			names = append(names, col.Name)
		}
	}
	return names
}

// TableColumns lists the input columns of the published table: the entity key, then
// the kept columns.
func TableColumns(c *contract.Contract, keep []string) []string {
	names := slices.Clone(c.Entity())
	for _, name := range keep {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}
