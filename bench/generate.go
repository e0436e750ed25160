package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"headgate/internal/retailer"
)

// fileRows is how many rows a file of the batch has at most.
const fileRows = 1_000_000

// batchDir is where a batch of that many rows lies.
func (s settings) batchDir() string { return filepath.Join(s.dir, fmt.Sprintf("%s-%d", month, s.rows)) }

// batchFiles are the paths of the batch's files.
func (s settings) batchFiles() []string {
	var paths []string
	for i := range (s.rows + fileRows - 1) / fileRows {
		paths = append(paths, filepath.Join(s.batchDir(), fmt.Sprintf("part-%04d.parquet", i)))
	}
	return paths
}

// generate writes the files of the batch that are not there yet. A file appears
// under its name when it is complete.
func generate(ctx context.Context, s settings, progress io.Writer) error {
	if err := os.MkdirAll(s.batchDir(), 0o777); err != nil {
		return err
	}
	world := retailer.World{Seed: 1, Customers: s.rows}
	files := s.batchFiles()
	began := time.Now()
	var done atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(s.parallel)
	for i, path := range files {
		if _, err := os.Stat(path); err == nil {
			done.Add(1)
			continue
		}
		group.Go(func() error {
			err := writeFile(path, func(to io.Writer) error {
				return world.Write(ctx, to, month, &retailer.Options{Part: i, Parts: len(files)})
			})
			if err == nil {
				fmt.Fprintf(progress, "generated %d of %d files of %s (%s)\n",
					done.Add(1), len(files), s.batchDir(), time.Since(began).Round(time.Second))
			}
			return err
		})
	}
	return group.Wait()
}

func writeFile(path string, write func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".writing-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	if err := write(f); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
