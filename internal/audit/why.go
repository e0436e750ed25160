package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"headgate/internal/columnar"
	"headgate/internal/delta"
	"headgate/internal/pass"
	"headgate/internal/registry"
	"headgate/internal/run"
	"headgate/internal/store"
)

// An Origin says where one published score came from.
type Origin struct {
	Batch       string
	Publication int64
	At          time.Time // of the commit
	By          string
	Row         []Value // of the published table
	Inputs      []Value // what the model read
	File        string  // input file
	FileRow     int64   // ordinal in it, from 0
	Model       store.Digest
	Objective   string
	Contract    store.Digest
	Run         store.Digest
	Decision    store.Digest
	Verdict     *run.Data
	LetIn       []registry.Entry // registry entries about the model version
	Published   *registry.Entry  // the entry of the publication
	Champion    store.Digest     // of the run; not Model if a candidate scored the row
	Serving     *run.Serving     // who serves whom; nil: the champion alone
}

// A Value is one column of a row, as text.
type Value struct{ Name, Text string }

// Fallback returns what the score is if it is not the model's of this batch: "last" or
// "constant", else "".
func (o *Origin) Fallback() string {
	for _, v := range o.Row {
		if v.Name == pass.ColumnFallback && v.Text != "null" {
			return v.Text
		}
	}
	return ""
}

// Why finds the row with the given entity key in a published batch and tells where
// its score came from. Parts of a composite key are separated by commas. Values of
// restricted columns are not shown, and errors do not repeat the key.
func (a *Auditor) Why(ctx context.Context, batch, key string) (*Origin, error) {
	snapshot, err := delta.Open(a.Store, run.TablePrefix(a.Pipeline)).Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	current, ok := snapshot.Current(batch)
	if !ok {
		return nil, fmt.Errorf("batch %s of %s is not published", batch, a.Pipeline)
	}
	o := &Origin{Batch: batch, Publication: current.Number, At: current.At, By: current.Info["by"],
		Run: store.Digest(current.Info["run"]), Decision: store.Digest(current.Info["decision"])}
	p, err := a.load(ctx, batch, o.Run)
	if err != nil {
		return nil, err
	}
	o.Model, o.Champion, o.Contract, o.Objective = p.plan.Champion, p.plan.Champion, p.plan.Contract, p.version.Bundle.Objective
	parts := strings.Split(key, ",")
	if n := len(p.contract.Entity()); len(parts) != n {
		return nil, fmt.Errorf("the entity key is %s, of %d parts; the key that was asked for has %d", strings.Join(p.contract.Entity(), ","), n, len(parts))
	}
	if o.Verdict, err = a.verdict(ctx, batch, o.Run, o.Decision); err != nil {
		return nil, err
	}
	if err := a.findRow(ctx, p, current, parts, o); err != nil {
		return nil, err
	}
	if err := a.scoredBy(ctx, p, current, o); err != nil {
		return nil, err
	}
	if o.Fallback() == "" { // a row that the model did not score need not be in the input
		if err := a.findInput(ctx, p, parts, o); err != nil {
			return nil, err
		}
	}
	return o, a.entries(ctx, o)
}

// findRow reads the published files until one has the key.
func (a *Auditor) findRow(ctx context.Context, p *papers, current delta.Publication, key []string, o *Origin) error {
	entity := p.contract.Entity()
	for _, f := range current.Files {
		a.say("searching %s", f.Path)
		data, err := a.Store.Get(ctx, run.TablePrefix(a.Pipeline)+"/"+f.Path)
		if err != nil {
			return err
		}
		file, err := columnar.Open(bytes.NewReader(data), int64(len(data)), &columnar.OpenOptions{Name: f.Path})
		if err != nil {
			return err
		}
		rec, i, _, err := search(ctx, file, columnar.ReadOptions{}, entity, key, func(int64) bool { return true })
		if err != nil {
			return err
		}
		if rec != nil {
			defer rec.Release()
			o.Row = values(rec, i, nil)
			return nil
		}
	}
	left := ""
	for _, s := range o.Verdict.Skipped {
		left += ", or among those left out: " + s.Sentence()
	}
	return fmt.Errorf("batch %s has no published row with this key; it may be in quarantine: see starter status %s%s", o.Batch, a.Pipeline, left)
}

// An inputRow is the place of a row in the input.
type inputRow struct {
	file int   // index into the plan's files
	row  int64 // ordinal in it, from 0
}

// keptBack returns the places of the rows with this key that are in quarantine, among
// others. A verdict of a run that did not keep its lists knows only those that only the
// whole batch showed.
func (a *Auditor) keptBack(ctx context.Context, p *papers, key []string, d *run.Data) (map[inputRow]bool, error) {
	out := map[inputRow]bool{}
	for _, l := range d.Late {
		s := p.plan.Shards[l.Shard]
		out[inputRow{s.File, s.FirstRow + l.Row}] = true
	}
	if len(d.Shards) == 0 {
		return out, nil
	}
	results, err := run.Results(ctx, a.Store, p.plan, d)
	if err != nil {
		return nil, err
	}
	for _, r := range results {
		if err := a.inQuarantine(ctx, p, key, r, out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// inQuarantine adds the places of the rows with this key that a shard sent to quarantine.
func (a *Auditor) inQuarantine(ctx context.Context, p *papers, key []string, r run.ShardResult, out map[inputRow]bool) error {
	if r.Quarantine == nil {
		return nil
	}
	data, err := run.Load(ctx, a.Store, *r.Quarantine)
	if err != nil {
		return err
	}
	f, err := columnar.Open(bytes.NewReader(data), int64(len(data)), &columnar.OpenOptions{Name: r.Quarantine.Key})
	if err != nil {
		return err
	}
	for rec, err := range f.Records(ctx, columnar.ReadOptions{Columns: append([]string{pass.ColumnRow}, p.contract.Entity()...)}) {
		if err != nil {
			return err
		}
		rowOf(rec, p.contract.Entity(), key, func(i int) bool {
			out[inputRow{p.plan.Shards[r.Shard].File, rec.Column(0).(*array.Int64).Value(i)}] = true
			return false
		})
	}
	return nil
}

// findInput reads the key columns of the input, then the row's model inputs.
func (a *Auditor) findInput(ctx context.Context, p *papers, key []string, o *Origin) error {
	columns := slices.Clone(p.contract.Entity())
	for _, in := range p.scorer.Scorer.Inputs() {
		if !slices.Contains(columns, in.Name) {
			columns = append(columns, in.Name)
		}
	}
	out, err := a.keptBack(ctx, p, key, o.Verdict)
	if err != nil {
		return err
	}
	for i := range p.plan.Files {
		found, err := a.searchFile(ctx, i, columns, p, key, o, func(row int64) bool { return !out[inputRow{i, row}] })
		if err != nil || found {
			return err
		}
	}
	return errors.New("no input file of the run has this key")
}

// searchFile looks for a row with the key that scored accepts.
func (a *Auditor) searchFile(ctx context.Context, file int, columns []string, p *papers, key []string, o *Origin, scored func(row int64) bool) (bool, error) {
	want := p.plan.Files[file]
	a.say("searching %s", want.Key)
	f, closeInput, err := a.openInput(ctx, p, want)
	if err != nil {
		return false, err
	}
	defer closeInput()
	for n, shard := range p.plan.Shards {
		if shard.File != file || o.Verdict.Skips(n) {
			continue
		}
		found, err := a.searchShard(ctx, f, shard, columns, p, key, o, scored)
		if err != nil || found {
			return found, err
		}
	}
	return false, nil
}

// searchShard looks in the row groups of one shard.
func (a *Auditor) searchShard(ctx context.Context, f *columnar.File, shard run.Shard, columns []string, p *papers, key []string, o *Origin, scored func(row int64) bool) (bool, error) {
	rec, i, before, err := search(ctx, f, columnar.ReadOptions{Columns: columns, FirstGroup: shard.FirstGroup, Groups: shard.Groups}, p.contract.Entity(), key,
		func(row int64) bool { return scored(shard.FirstRow + row) })
	if err != nil || rec == nil {
		return false, err
	}
	defer rec.Release()
	o.File, o.FileRow = p.plan.Files[shard.File].Key, shard.FirstRow+before+int64(i)
	o.Inputs = values(rec, i, func(name string) bool {
		c, _ := p.contract.Column(name)
		return c.Classification == "restricted" && !slices.Contains(p.contract.Entity(), name)
	})
	return true, nil
}

// search returns the record and the row in it that have the key and that take accepts
// by its ordinal in the file, or nil, and how many rows came before the record.
func search(ctx context.Context, f *columnar.File, o columnar.ReadOptions, columns, key []string, take func(row int64) bool) (rec arrow.Record, i int, before int64, err error) {
	for rec, err := range f.Records(ctx, o) {
		if err != nil {
			return nil, 0, 0, err
		}
		if i := rowOf(rec, columns, key, func(i int) bool { return take(before + int64(i)) }); i >= 0 {
			rec.Retain()
			return rec, i, before, nil
		}
		before += rec.NumRows()
	}
	return nil, 0, 0, nil
}

// rowOf returns the first row that has the key and that take accepts, or -1.
func rowOf(rec arrow.Record, columns, key []string, take func(i int) bool) int {
rows:
	for i := range int(rec.NumRows()) {
		for k, name := range columns {
			at := rec.Schema().FieldIndices(name)
			if len(at) == 0 || rec.Column(at[0]).IsNull(i) || pass.Text(rec.Column(at[0]), i) != key[k] {
				continue rows
			}
		}
		if take(i) {
			return i
		}
	}
	return -1
}

func values(rec arrow.Record, i int, hidden func(name string) bool) []Value {
	var all []Value
	for c, field := range rec.Schema().Fields() {
		text := "null"
		switch {
		case hidden != nil && hidden(field.Name):
			text = "(restricted)"
		case rec.Column(c).IsValid(i):
			text = strings.Clone(pass.Text(rec.Column(c), i)) // the record goes, its text stays
		}
		all = append(all, Value{field.Name, text})
	}
	return all
}

// entries finds what the registry says of the model version and the publication.
func (a *Auditor) entries(ctx context.Context, o *Origin) error {
	log, err := registry.Load(ctx, a.Store, a.Pipeline)
	if err != nil {
		return err
	}
	for _, e := range log.Entries() {
		switch e.Kind {
		case registry.KindRegister, registry.KindPromote:
			if e.Model == o.Model {
				o.LetIn = append(o.LetIn, e)
			}
		case registry.KindPublished, registry.KindRestored:
			if e.Batch == o.Batch && e.Publication == o.Publication {
				o.Published = &e
			}
		}
	}
	return nil
}
