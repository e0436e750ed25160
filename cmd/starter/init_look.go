package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/zeebo/xxh3"

	"headgate/internal/columnar"
	"headgate/internal/contract"
	"headgate/internal/figure"
	"headgate/internal/infer"
	"headgate/internal/model"
	"headgate/internal/strictyaml"
)

// A draft is what init found out about a batch and a model.
type draft struct {
	*infer.Draft
	data, model string
	label       string
	inputs      []model.Input
	notes       []string
	progress    io.Writer
}

// look fills the draft from the batch.
func (d *draft) look(ctx context.Context, f *columnar.File, scorer model.Scorer, keys []string) error {
	if f.NumRows() == 0 {
		return errors.New("it has no rows to learn from")
	}
	d.Draft = infer.New(d.Name, f.Schema(), f.NumRows(), nil)
	d.Nested = f.Nested()
	for _, input := range d.inputs {
		if d.Column(input.Name) == nil {
			return fmt.Errorf("the model reads %s, and there is no such flat column%s", input.Name, strictyaml.Hint(input.Name, d.names()))
		}
		d.Column(input.Name).Role = contract.RoleFeature
	}
	for _, name := range append(slices.Clone(keys), d.labels()...) {
		if d.Column(name) == nil {
			return fmt.Errorf("there is no flat column %s%s", name, strictyaml.Hint(name, d.names()))
		}
		if d.Column(name).Role == contract.RoleFeature {
			return fmt.Errorf("%s is a feature of the model, so it can be neither the key nor the label", name)
		}
	}
	if d.label != "" {
		d.Column(d.label).Role = contract.RoleLabel
	}
	if err := d.tryScore(ctx, f, scorer); err != nil {
		return err
	}
	if err := d.countNulls(ctx, f); err != nil {
		return err
	}
	if err := d.findKey(ctx, f, keys); err != nil {
		return err
	}
	for _, name := range d.Key {
		d.Column(name).Role = contract.RoleEntityKey
	}
	return nil
}

func (d *draft) labels() []string {
	if d.label == "" {
		return nil
	}
	return []string{d.label}
}

func (d *draft) names() []string {
	names := make([]string, len(d.Columns))
	for i, c := range d.Columns {
		names[i] = c.Name
	}
	return names
}

// tryScore scores the first rows, so that a column that the model cannot read is
// found now and not on the first of the month.
func (d *draft) tryScore(ctx context.Context, f *columnar.File, scorer model.Scorer) error {
	var names []string
	for _, input := range d.inputs {
		names = append(names, input.Name)
	}
	var scores model.Scores
	for rec, err := range f.Records(ctx, columnar.ReadOptions{Columns: names, Rows: 256}) {
		if err != nil {
			return err
		}
		if err := scorer.Score(&scores, rec); err != nil {
			return fmt.Errorf("the model cannot score it: %w", err)
		}
		return nil
	}
	return nil
}

// countNulls takes the nulls from the footer, and counts those that it lacks.
func (d *draft) countNulls(ctx context.Context, f *columnar.File) error {
	known := footerOf(f).Nulls
	var unknown []string
	for i := range d.Columns {
		c := &d.Columns[i]
		if n, ok := known[c.Name]; ok {
			c.Nulls = n
			continue
		}
		unknown = append(unknown, c.Name)
	}
	if len(unknown) == 0 {
		return nil
	}
	for rec, err := range f.Records(ctx, columnar.ReadOptions{Columns: unknown}) {
		if err != nil {
			return err
		}
		for i, name := range unknown {
			d.Column(name).Nulls += int64(rec.Column(i).NullN())
		}
	}
	return nil
}

// findKey takes the key that was named, or guesses one.
func (d *draft) findKey(ctx context.Context, f *columnar.File, named []string) error {
	if len(named) > 0 {
		for _, name := range named {
			if n := d.Column(name).Nulls; n > 0 {
				d.notes = append(d.notes, fmt.Sprintf("key column %s has %s, whose rows go to quarantine", name, figure.Things(int(n), "null")))
			}
		}
		d.Key = named
		repeated, err := repeats(ctx, f, [][]string{named}, d.progress)
		if err == nil {
			d.Repeated = repeated[0]
		}
		return err
	}
	var candidates [][]string
	for _, c := range d.Columns {
		if c.CouldBeKey() {
			candidates = append(candidates, []string{c.Name})
		}
	}
	repeated, err := repeats(ctx, f, candidates, d.progress)
	if err != nil {
		return err
	}
	var unique []string
	for i, c := range candidates {
		if repeated[i] == 0 {
			unique = append(unique, c[0])
		}
	}
	if len(unique) == 0 {
		return errors.New("no column is different in every row; say with --key whom a row is about")
	}
	slices.SortStableFunc(unique, func(a, b string) int { return infer.KeyRank(a) - infer.KeyRank(b) })
	d.Key = unique[:1]
	d.notes = append(d.notes, fmt.Sprintf("%s is taken for the entity key because it is different in every row; if it is not, use --key", unique[0]))
	if len(unique) > 1 {
		d.notes = append(d.notes, fmt.Sprintf("so are %s", strings.Join(unique[1:], ", ")))
	}
	return nil
}

// repeats counts, for each tuple of columns, the rows that repeat an earlier one.
// With several tuples it only finds out which of them never repeat.
func repeats(ctx context.Context, f *columnar.File, tuples [][]string, progress io.Writer) ([]int64, error) {
	counts := make([]int64, len(tuples))
	seen := make([]map[[16]byte]struct{}, len(tuples))
	var names []string
	for i, tuple := range tuples {
		seen[i] = map[[16]byte]struct{}{}
		for _, name := range tuple {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	if len(names) == 0 {
		return counts, nil
	}
	meter := newMeter(progress, "looked at")
	for rec, err := range f.Records(ctx, columnar.ReadOptions{Columns: names}) {
		if err != nil {
			return nil, err
		}
		meter.add(int(rec.NumRows()))
		for i, tuple := range tuples {
			if len(tuples) > 1 && counts[i] > 0 {
				seen[i] = nil
				continue
			}
			err := eachKey(rec, tuple, func(_ int, digest [16]byte) {
				if _, again := seen[i][digest]; again {
					counts[i]++
				}
				seen[i][digest] = struct{}{}
			})
			if err != nil {
				return nil, err
			}
		}
	}
	meter.end()
	return counts, nil
}

// eachKey calls found with a digest of the tuple of each row in which no part of it
// is null.
func eachKey(rec arrow.Record, columns []string, found func(row int, digest [16]byte)) error {
	var cols []arrow.Array
	for _, name := range columns {
		at := rec.Schema().FieldIndices(name)
		if len(at) != 1 {
			return fmt.Errorf("key column %s is missing", name)
		}
		cols = append(cols, rec.Column(at[0]))
	}
	var buf []byte
rows:
	for i := range int(rec.NumRows()) {
		buf = buf[:0]
		for _, col := range cols {
			if col.IsNull(i) {
				continue rows
			}
			value := col.ValueStr(i)
			buf = append(append(fmt.Appendf(buf, "%d:", len(value)), value...), ',')
		}
		found(i, xxh3.Hash128(buf).Bytes())
	}
	return nil
}
