package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/apache/arrow/go/v17/arrow"

	"headgate/internal/columnar"
	"headgate/internal/contract"
	"headgate/internal/pass"
)

// partners looks for the partners of a relationship.
type partners struct {
	rel    contract.Relationship
	within bool     // the partners are rows of the batch itself
	ours   keyTuple // what needs a partner
	theirs keyTuple // within: what is one
	have   map[[16]byte]bool
}

// add notes the keys of a record of the batch.
func (p *partners) add(rec arrow.Record, marks contract.Marks, first int64) error {
	err := p.ours.add(rec, marks, first)
	if p.within && err == nil {
		err = p.theirs.add(rec, marks, first)
	}
	return err
}

// known reports whether the other set was read.
func (p *partners) known() bool { return p.within || p.have != nil }

// read looks for the keys in the files of the other set. It keeps those that are needed.
func (p *partners) read(ctx context.Context, files []*localFile, meter *meter) error {
	need := map[[16]byte]bool{}
	for _, key := range p.ours.keys {
		need[key.digest] = true
	}
	p.have = map[[16]byte]bool{}
	for _, f := range files {
		for rec, err := range f.Records(ctx, columnar.ReadOptions{Columns: p.rel.To}) {
			if err != nil {
				return inFile(f.name, err)
			}
			err := eachKey(rec, p.rel.To, func(_ int, digest [16]byte) {
				if need[digest] {
					p.have[digest] = true
				}
			})
			if err != nil {
				return inFile(f.name, err)
			}
			meter.add(int(rec.NumRows()))
		}
	}
	return nil
}

// count returns how many rows have no partner, and adds those that are still in the
// batch to the ones that leave it.
func (p *partners) count(leaves map[int64]bool) (rows int64) {
	have := p.have
	if p.within {
		have = map[[16]byte]bool{}
		for _, key := range p.theirs.keys {
			have[key.digest] = true
		}
	}
	for _, key := range p.ours.keys {
		if have[key.digest] {
			continue
		}
		rows++
		if !key.bad {
			leaves[key.row] = true
		}
	}
	return rows
}

// readSets reads NAME=FILE.
func (v *validation) readSets(flags []string) error {
	v.sets = map[string][]string{}
	for _, text := range flags {
		name, file, ok := strings.Cut(text, "=")
		if !ok || name == "" || file == "" {
			return fmt.Errorf("--reference-set %s: give NAME=FILE, as in customers=customers.parquet", text)
		}
		v.sets[name] = append(v.sets[name], file)
	}
	return nil
}

// checkFlags refuses sets that no relationship points to, and batches that the pipeline
// does not have.
func (v *validation) checkFlags() error {
	for name := range v.sets {
		if !slices.ContainsFunc(v.contract.Relationships, func(r contract.Relationship) bool { return r.Object == name && name != v.contract.Table }) {
			return fmt.Errorf("--reference-set %s: no relationship of the contract points to %s%s", name, name, v.pointsTo())
		}
	}
	if v.batch == "" {
		return nil
	}
	if v.pipeline != nil {
		return v.pipeline.CheckBatch(v.batch)
	}
	if _, ok := v.begin(); !ok {
		return fmt.Errorf("--batch %s is no month and no day, as in 2024-01", v.batch)
	}
	return nil
}

// pointsTo lists the sets that relationships point to.
func (v *validation) pointsTo() string {
	var names []string
	for _, r := range v.contract.Relationships {
		if r.Object != v.contract.Table && !slices.Contains(names, r.Object) {
			names = append(names, r.Object)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return "; they point to " + strings.Join(names, ", ")
}

// readPartners reads the sets that were given.
func (v *validation) readPartners(ctx context.Context, e *env, batch []*localFile, keys *keyCounter) error {
	meter := newMeter(e.stderr, "compared with")
	for i := range keys.rels {
		p := &keys.rels[i]
		names := v.sets[p.rel.Object]
		if p.within || len(names) == 0 {
			continue
		}
		files, err := openAll(names)
		if err == nil {
			err = errors.Join(sameKinds(p.rel, batch[0], files), p.read(ctx, files, meter))
		}
		closeAll(files)
		if err != nil {
			return err
		}
	}
	meter.end()
	return nil
}

// sameKinds refuses a relationship between columns whose values could never be equal,
// such as a number and its digits.
func sameKinds(rel contract.Relationship, batch *localFile, sets []*localFile) error {
	for _, set := range sets {
		for i, name := range rel.Columns {
			ours, _ := batch.Schema().FieldsByName(name)
			theirs, _ := set.Schema().FieldsByName(rel.To[i])
			if len(theirs) != 1 {
				return fmt.Errorf("%s has no flat column %s, which the relationship %s points to", set.name, rel.To[i], rel.Rule)
			}
			if len(ours) == 1 && pass.KeyKind(ours[0].Type) != pass.KeyKind(theirs[0].Type) {
				return fmt.Errorf("the relationship %s compares %s, which is %s, with %s of %s, which is %s: no key can be in the other set",
					rel.Rule, name, ours[0].Type, rel.To[i], set.name, theirs[0].Type)
			}
		}
	}
	return nil
}
