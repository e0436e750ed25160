package pass

import (
	"context"

	"headgate/internal/columnar"
	"headgate/internal/contract"
	"headgate/internal/model"
	"headgate/internal/profile"
	"headgate/internal/run"
)

// Skipped is what a pass leaves of a shard whose rows cannot be scored.
type Skipped struct {
	Profile []byte   // of no rows
	Keys    [][]byte // one list per tuple of [KeyTuples]; every row of it is in quarantine
	Known   bool     // the lists have the keys of the shard's rows; else they are empty
}

// Skip reads no more of a shard than its key columns, which may be whole although others
// are not. f is nil if the file cannot be opened; then no key is known, and neither is
// one if a key column cannot be read. The error is that of the context.
func Skip(ctx context.Context, f *columnar.File, shard run.Shard, c *contract.Contract, s model.Scorer) (*Skipped, error) {
	out := &Skipped{Known: f != nil}
	for _, tuple := range KeyTuples(c) {
		var keys []byte
		if out.Known {
			var err error
			if keys, err = indexKeys(ctx, f, tuple, shard.FirstGroup, shard.Groups, func(int) bool { return true }); err != nil {
				out.Known = false
			}
		}
		out.Keys = append(out.Keys, keys)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if !out.Known {
		out.Keys = make([][]byte, len(out.Keys))
	}
	for i, keys := range out.Keys {
		if keys == nil { // an empty list is a list
			out.Keys[i] = []byte{}
		}
	}
	var err error
	out.Profile, err = profile.NewBuilder(profileOptions(c, s)).Profile().MarshalBinary()
	return out, err
}
