package retailer

import (
	"context"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"

	"github.com/apache/arrow/go/v17/arrow"

	"headgate/internal/columnar"
)

// Write writes a month of features, or the part that o chooses, as a Parquet
// file. Equal worlds and options give equal bytes.
func (w World) Write(ctx context.Context, to io.Writer, month string, o *Options) error {
	return writeRecords(ctx, to, w.Records(month, o))
}

// WriteLabels writes the labels of a month as a Parquet file.
func (w World) WriteLabels(ctx context.Context, to io.Writer, month string, o *LabelOptions) error {
	return writeRecords(ctx, to, w.Labels(month, o))
}

// WriteTruth writes the truth of a month as a Parquet file.
func (w World) WriteTruth(ctx context.Context, to io.Writer, month string) error {
	return writeRecords(ctx, to, w.Truth(month))
}

// WriteDir writes a month as Parquet files part-0000.parquet, … in a directory,
// which it makes if needed: o.Parts files, of which o.Part is not used. It
// returns their paths. A file appears when it is complete, in place of any older
// one of that name.
func (w World) WriteDir(ctx context.Context, dir, month string, o *Options) ([]string, error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	if o == nil {
		o = &Options{}
	}
	part := *o
	part.Parts = max(o.Parts, 1)
	var paths []string
	for part.Part = 0; part.Part < part.Parts; part.Part++ {
		path := filepath.Join(dir, fmt.Sprintf("part-%04d.parquet", part.Part))
		err := writeFile(path, func(to io.Writer) error { return w.Write(ctx, to, month, &part) })
		if err != nil {
			return paths, err
		}
		paths = append(paths, path)
	}
	return paths, nil
}

// writeFile writes a file under another name and moves it to its place.
func writeFile(path string, write func(io.Writer) error) error {
	// A hidden name: a reader that lists *.parquet must not meet half a file.
	f, err := os.CreateTemp(filepath.Dir(path), ".writing-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	if err := write(f); err != nil {
		return err
	}
	if err := f.Chmod(0o644); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// writeRecords writes records as a Parquet file. There is at least one record,
// unless there are no rows at all.
func writeRecords(ctx context.Context, to io.Writer, records iter.Seq2[arrow.Record, error]) error {
	var w *columnar.Writer
	for rec, err := range records {
		if err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if w == nil {
			if w, err = columnar.Create(to, rec.Schema(), nil); err != nil {
				return err
			}
		}
		if err := w.Write(rec); err != nil {
			return err
		}
	}
	if w == nil {
		return ErrEmpty
	}
	return w.Close()
}
