package delta

import (
	"context"
	"fmt"
	"strings"
)

// A Problem is a data file that is not in place for a publication.
type Problem struct {
	Batch       string
	Publication int64 // that has the file, or is to have it
	File        File
	Have        int64 // bytes in the store; -1 means that the file is not there
}

func (p Problem) String() string {
	what := fmt.Sprintf("has %d bytes and not %d", p.Have, p.File.Size)
	if p.Have < 0 {
		what = "is missing"
	}
	return fmt.Sprintf("%s, a file of publication %d of batch %s, %s", p.File.Path, p.Publication, p.Batch, what)
}

// missing returns the files that are not in place for a publication of the batch.
func (t *Table) missing(ctx context.Context, batch string, publication int64, files []File) ([]Problem, error) {
	sizes := map[string]int64{}
	for attrs, err := range t.bucket.List(ctx, t.prefix+"/"+dir(batch)) {
		if err != nil {
			return nil, fmt.Errorf("delta: %w", err)
		}
		sizes[strings.TrimPrefix(attrs.Key, t.prefix+"/")] = attrs.Size
	}
	var problems []Problem
	for _, f := range files {
		have, ok := sizes[f.Path]
		if !ok {
			have = -1
		}
		if have != f.Size {
			problems = append(problems, Problem{Batch: batch, Publication: publication, File: f, Have: have})
		}
	}
	return problems, nil
}
