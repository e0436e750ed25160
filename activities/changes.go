package activities

import (
	"context"
	"errors"
	"strconv"

	"github.com/apache/arrow/go/v17/arrow"

	"headgate/internal/columnar"
	"headgate/internal/delta"
	"headgate/internal/pass"
	"headgate/internal/run"
	"headgate/internal/store"
)

const (
	keysAtOnce = 4 << 20 // that are in memory while changes are counted: about 200 MB
	mostPasses = 8       // over the files of both publications; beyond, changes are not counted
)

// changes counts the keys whose published rows are not what they were in another
// publication, or that only one of the two has. What says where a row comes from is no
// part of it: model, contract and run. known is false if the count would take too long,
// or if the files of the other publication are gone or have other keys.
//
// Keys are taken in parts of about atOnce; all files are read once for each.
func (a *Activities) changes(ctx context.Context, name string, was, is []delta.File, key []string, atOnce int64) (changed int64, known bool, err error) {
	rows := int64(0)
	for _, files := range [][]delta.File{was, is} {
		n := int64(0)
		for _, f := range files {
			n += f.Rows
		}
		rows = max(rows, n)
	}
	parts := uint64(rows/atOnce + 1)
	if parts > mostPasses {
		return 0, false, nil
	}
	for part := range parts {
		sums := map[uint64]uint64{} // by key: what was, less what is
		for sign, files := range map[uint64][]delta.File{1: was, ^uint64(0): is} {
			for _, f := range files {
				err := a.sum(ctx, run.TablePrefix(name)+"/"+f.Path, key, func(k, v uint64) {
					if k%parts == part {
						sums[k] += sign * v
					}
				})
				if errors.Is(err, store.ErrNotFound) || errors.Is(err, errOtherKey) {
					return 0, false, nil
				}
				if err != nil {
					return 0, false, err
				}
			}
		}
		for _, v := range sums {
			if v != 0 {
				changed++
			}
		}
	}
	return changed, true, nil
}

// errOtherKey means that a publication has not the columns of the key.
var errOtherKey = errors.New("the publication has other keys")

// sum goes over the rows of a data file: add gets the hashes of each key and of what the
// row says.
func (a *Activities) sum(ctx context.Context, name string, key []string, add func(key, value uint64)) error {
	r, err := a.store.Reader(ctx, name)
	if err != nil {
		return err
	}
	defer r.Close()
	f, err := columnar.Open(r, r.Size(), &columnar.OpenOptions{Name: name, Remote: !r.Local()})
	if err != nil {
		return err
	}
	for rec, err := range f.Records(ctx, columnar.ReadOptions{}) {
		if err != nil {
			return err
		}
		keyOf, err := pass.Keys(rec, key)
		if err != nil {
			return errOtherKey
		}
		says := rowHash(rec)
		for i := range int(rec.NumRows()) {
			if k, ok := keyOf(i); ok {
				add(k.Hash(), says(i))
			}
		}
	}
	return nil
}

// rowHash returns a function that makes one number of what a row says.
func rowHash(rec arrow.Record) func(i int) uint64 {
	var columns []*pass.Keyer
	for _, field := range rec.Schema().Fields() {
		switch field.Name {
		case "model", "contract", "run":
		default:
			columns = append(columns, pass.NewKeyer(rec, []string{field.Name}))
		}
	}
	return func(i int) uint64 {
		h := uint64(1)
		for _, c := range columns {
			v := uint64(0)
			if k, ok := c.Key(i); ok {
				v = k.Hash()
			}
			h = h*0x9E3779B97F4A7C15 + v
		}
		return h
	}
}

// replace adds to a commit what it changes of the publication before, and whether it is
// restated. Of a publication that is there already, by an earlier attempt, it repeats what
// that one said.
func (a *Activities) replace(ctx context.Context, in PublishInput, snapshot *delta.Snapshot, c *delta.Commit, out *PublishOutput) (err error) {
	current, published := snapshot.Current(in.Batch)
	if current.Number != in.Expect { // its own, or a conflict: the table says which
		out.Changed, out.Restated = keysChanged(current.Info), current.Info["restated"] == "true"
		return nil
	}
	if in.Backfill != nil {
		c.Info["backfill"] = in.Backfill.Mode
		if out.Restated, err = a.restated(ctx, in, snapshot); err != nil {
			return err
		}
		if out.Restated {
			c.Info["restated"] = "true"
		}
	}
	if !published {
		return nil
	}
	k, err := a.contract(ctx, in.Contract)
	if err != nil {
		return err
	}
	n, known, err := a.changes(ctx, in.Pipeline, current.Files, c.Files, k.Entity(), keysAtOnce)
	if err != nil || !known {
		return err
	}
	out.Changed, c.Info["changed"] = &n, strconv.FormatInt(n, 10)
	return nil
}

// keysChanged reads from what a publication says of itself how many keys it changed; nil if
// it does not say.
func keysChanged(info map[string]string) *int64 {
	n, err := strconv.ParseInt(info["changed"], 10, 64)
	if err != nil {
		return nil
	}
	return &n
}
