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
	o.Model, o.Contract, o.Objective = p.plan.Champion, p.plan.Contract, p.version.Bundle.Objective
	parts := strings.Split(key, ",")
	if n := len(p.contract.Entity()); len(parts) != n {
		return nil, fmt.Errorf("the entity key is %s, of %d parts; the key that was asked for has %d", strings.Join(p.contract.Entity(), ","), n, len(parts))
	}
	if err := a.findRow(ctx, p, current, parts, o); err != nil {
		return nil, err
	}
	if o.Fallback() == "" { // a row that the model did not score need not be in the input
		if err := a.findInput(ctx, p, parts, o); err != nil {
			return nil, err
		}
	}
	if o.Verdict, err = a.verdict(ctx, batch, o.Run, o.Decision); err != nil {
		return nil, err
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
		rec, i, err := search(ctx, file, columnar.ReadOptions{}, entity, key)
		if err != nil {
			return err
		}
		if rec != nil {
			defer rec.Release()
			o.Row = values(rec, i, nil)
			return nil
		}
	}
	return fmt.Errorf("batch %s has no published row with this key; it may be in quarantine: see starter status %s", o.Batch, a.Pipeline)
}

// findInput reads the key columns of the input, then the row's model inputs.
func (a *Auditor) findInput(ctx context.Context, p *papers, key []string, o *Origin) error {
	columns := slices.Clone(p.contract.Entity())
	for _, in := range p.version.Scorer.Inputs() {
		if !slices.Contains(columns, in.Name) {
			columns = append(columns, in.Name)
		}
	}
	// Corrected rows come after those that they replace.
	for _, want := range slices.Backward(p.plan.Files) {
		found, err := a.searchFile(ctx, want, columns, p, key, o)
		if err != nil || found {
			return err
		}
	}
	return errors.New("no input file of the run has this key")
}

func (a *Auditor) searchFile(ctx context.Context, want run.File, columns []string, p *papers, key []string, o *Origin) (bool, error) {
	a.say("searching %s", want.Key)
	src, closeInput, err := a.input(ctx, p, want)
	if err != nil {
		return false, err
	}
	defer closeInput()
	r, err := src.Reader(ctx, want.Key)
	if err != nil {
		return false, err
	}
	defer r.Close()
	f, err := columnar.Open(r, r.Size(), &columnar.OpenOptions{Name: want.Key, Remote: !r.Local()})
	if err != nil {
		return false, err
	}
	var before int64
	rec, i, err := search(ctx, f, columnar.ReadOptions{Columns: columns}, p.contract.Entity(), key, &before)
	if err != nil || rec == nil {
		return false, err
	}
	defer rec.Release()
	o.File, o.FileRow = want.Key, before+int64(i)
	o.Inputs = values(rec, i, func(name string) bool {
		c, _ := p.contract.Column(name)
		return c.Classification == "restricted" && !slices.Contains(p.contract.Entity(), name)
	})
	return true, nil
}

// search returns the record and the row that have the key, or nil. before, if given,
// counts the rows of the records that came earlier.
func search(ctx context.Context, f *columnar.File, o columnar.ReadOptions, columns, key []string, before ...*int64) (arrow.Record, int, error) {
	for rec, err := range f.Records(ctx, o) {
		if err != nil {
			return nil, 0, err
		}
		if i := rowOf(rec, columns, key); i >= 0 {
			rec.Retain()
			return rec, i, nil
		}
		for _, n := range before {
			*n += rec.NumRows()
		}
	}
	return nil, 0, nil
}

func rowOf(rec arrow.Record, columns, key []string) int {
rows:
	for i := range int(rec.NumRows()) {
		for k, name := range columns {
			at := rec.Schema().FieldIndices(name)
			if len(at) == 0 || rec.Column(at[0]).IsNull(i) || pass.Text(rec.Column(at[0]), i) != key[k] {
				continue rows
			}
		}
		return i
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
