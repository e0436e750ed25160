package delta

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"headgate/internal/store"
)

// A Problem is a data file that is not as the log says.
type Problem struct {
	Batch       string
	Publication int64 // the last one that has the file; 0 means that another writer added it
	Live        bool  // readers need the file now; if not, only a restore or time travel does
	File        File
	Have        int64 // bytes in the store; -1 means that the file is not there
}

func (p Problem) String() string {
	what := fmt.Sprintf("has %d bytes and not %d", p.Have, p.File.Size)
	if p.Have < 0 {
		what = "is missing"
	}
	of := fmt.Sprintf("publication %d of batch %s", p.Publication, p.Batch)
	if p.Publication == 0 {
		of = fmt.Sprintf("another writer in batch %q", p.Batch)
	}
	return fmt.Sprintf("%s, a file of %s, %s", p.File.Path, of, what)
}

// Verify compares the log with the store. It returns the files that are missing
// or of another size: of the table as it is now and of all earlier publications,
// by path. It opens no file. The error is that of [Table.Snapshot]; whether other
// writers changed a batch, [Snapshot.Intact] tells.
func (t *Table) Verify(ctx context.Context) ([]Problem, error) {
	s, err := t.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	sizes, err := t.sizes(ctx, "")
	if err != nil {
		return nil, err
	}
	known := map[string]Problem{}
	for batch, history := range s.history {
		for _, p := range history {
			for _, f := range p.Files {
				known[f.Path] = Problem{Batch: batch, Publication: p.Number, File: f}
			}
		}
	}
	for path, a := range s.live {
		p := known[path] // the zero Problem if another writer added the file
		p.Batch, p.Live, p.File = a.batch, true, a.file
		known[path] = p
	}
	var problems []Problem
	for _, path := range slices.Sorted(maps.Keys(known)) {
		p := known[path]
		if p.Have = have(sizes, path); p.Have != p.File.Size {
			problems = append(problems, p)
		}
	}
	return problems, nil
}

// Commit returns the key of the log entry that makes a version, and the digest of its
// bytes. The error is [store.ErrNotFound] if there is none.
func (t *Table) Commit(ctx context.Context, version int64) (key string, d store.Digest, err error) {
	key = t.logKey(version)
	data, err := t.bucket.Get(ctx, key)
	if err != nil {
		return key, "", fmt.Errorf("delta: %w", err)
	}
	return key, store.DigestOf(data), nil
}

// missing returns the files that are not in place for a publication of the batch.
func (t *Table) missing(ctx context.Context, batch string, publication int64, files []File) ([]Problem, error) {
	sizes, err := t.sizes(ctx, dir(batch))
	if err != nil {
		return nil, err
	}
	var problems []Problem
	for _, f := range files {
		if n := have(sizes, f.Path); n != f.Size {
			problems = append(problems, Problem{Batch: batch, Publication: publication, File: f, Have: n})
		}
	}
	return problems, nil
}

// sizes returns the sizes of the objects in the table's root whose paths begin with start.
func (t *Table) sizes(ctx context.Context, start string) (map[string]int64, error) {
	sizes := map[string]int64{}
	for attrs, err := range t.bucket.List(ctx, t.prefix+"/"+start) {
		if err != nil {
			return nil, fmt.Errorf("delta: %w", err)
		}
		sizes[strings.TrimPrefix(attrs.Key, t.prefix+"/")] = attrs.Size
	}
	return sizes, nil
}

// have returns the size of a file, or -1 if it is not there.
func have(sizes map[string]int64, path string) int64 {
	if n, ok := sizes[path]; ok {
		return n
	}
	return -1
}
