package quarantine

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"

	"headgate/internal/columnar"
	"headgate/internal/run"
	"headgate/internal/store"
)

// A delivered file is an open input file of the run.
type delivered struct {
	*columnar.File
	close func()
}

// open opens an input file of the run, if it is still what was scored.
func (q *Quarantine) open(ctx context.Context, want run.File) (*delivered, error) {
	if want.Replay {
		return q.openIn(ctx, "", want)
	}
	return q.openIn(ctx, q.Plan.Input, want)
}

// openIn opens a planned file in the store of a URL, or in the own one.
func (q *Quarantine) openIn(ctx context.Context, url string, want run.File) (*delivered, error) {
	b, closeBucket := q.bucket, func() {}
	if url != "" {
		input, err := store.Open(ctx, url)
		if err != nil {
			return nil, fmt.Errorf("input %w", err)
		}
		b, closeBucket = input, func() { input.Close() }
	}
	r, err := b.Reader(ctx, want.Key)
	if err != nil {
		closeBucket()
		return nil, err
	}
	closeAll := func() { r.Close(); closeBucket() }
	f, err := columnar.Open(r, r.Size(), &columnar.OpenOptions{Name: want.Key, Remote: !r.Local()})
	if err != nil {
		closeAll()
		return nil, err
	}
	if sum := f.FooterDigest(); "sha256:"+hex.EncodeToString(sum[:]) != string(want.Footer) {
		closeAll()
		return nil, fmt.Errorf("%s was replaced since: %w", want.Key, ErrStale)
	}
	return &delivered{f, closeAll}, nil
}

// findGone notes which files with late rows are not what they were: their values
// cannot be shown any more.
func (q *Quarantine) findGone(ctx context.Context) error {
	seen := map[int]bool{}
	for _, late := range q.Data.Late {
		file := q.Plan.Shards[late.Shard].File
		if seen[file] {
			continue
		}
		seen[file] = true
		f, err := q.open(ctx, q.Plan.Files[file])
		switch {
		case err == nil:
			f.close()
		case errors.Is(err, ErrStale), errors.Is(err, store.ErrNotFound):
			q.gone[file] = true
			q.Notes = append(q.Notes, fmt.Sprintf("%s was replaced since: rows of it that only the whole batch showed to be bad come without values", q.Plan.Files[file].Key))
		default:
			return err
		}
	}
	return nil
}

// having returns those of the names that are columns of the file.
func (f *delivered) having(names []string) []string {
	out := []string{}
	for _, name := range names {
		if len(f.Schema().FieldIndices(name)) > 0 {
			out = append(out, name)
		}
	}
	return out
}
