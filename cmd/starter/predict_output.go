package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/apache/arrow/go/v17/arrow"

	"headgate/internal/columnar"
	"headgate/internal/figure"
	"headgate/internal/model"
)

// recordWriter is what CSV and Parquet files have in common.
type recordWriter interface {
	Write(arrow.Record) error
	Close() error
}

// An output is a file that appears whole or not at all, or standard output.
type output struct {
	recordWriter
	file *os.File // temporary, beside name; nil for standard output
	name string
}

// create opens the output that was asked for.
func (p *prediction) create(e *env, schema *arrow.Schema) (*output, error) {
	if p.out == "-" {
		return &output{recordWriter: model.NewCSVWriter(e.stdout, schema, !p.leaves), name: "standard output"}, nil
	}
	file, err := os.CreateTemp(filepath.Dir(p.out), "."+filepath.Base(p.out)+".*")
	if err != nil {
		// Not under the temporary name, which nobody asked for.
		var path *fs.PathError
		if errors.As(err, &path) {
			err = path.Err
		}
		return nil, fmt.Errorf("create %s: %w", p.out, err)
	}
	o := &output{file: file, name: p.out}
	if extension(p.out) == "csv" {
		o.recordWriter = model.NewCSVWriter(file, schema, !p.leaves)
		return o, nil
	}
	o.recordWriter, err = columnar.Create(file, schema, nil)
	if err != nil {
		o.discard()
		return nil, fmt.Errorf("%s: %w", p.out, err)
	}
	return o, nil
}

// commit finishes the output and gives it its name.
func (o *output) commit() error {
	if err := o.Close(); err != nil {
		return fmt.Errorf("write %s: %w", o.name, err)
	}
	if o.file == nil {
		return nil
	}
	// The permissions that a plain create would have given, short of the umask.
	if err := errors.Join(o.file.Chmod(0o644), o.file.Sync(), o.file.Close()); err != nil {
		return err
	}
	if err := os.Rename(o.file.Name(), o.name); err != nil {
		return err
	}
	o.file = nil
	return nil
}

// discard removes an output that was not committed.
func (o *output) discard() {
	if o.file != nil {
		o.file.Close()
		os.Remove(o.file.Name())
	}
}

// A meter says on w how far a long scan is: nothing in the first two seconds,
// then a line every five.
type meter struct {
	w           io.Writer
	done        string // what is done to rows: "scored"
	rows        int
	start, next time.Time
}

func newMeter(w io.Writer, done string) *meter {
	now := time.Now()
	return &meter{w: w, done: done, start: now, next: now.Add(2 * time.Second)}
}

// add counts rows.
func (m *meter) add(rows int) {
	m.rows += rows
	if now := time.Now(); now.After(m.next) {
		m.next = now.Add(5 * time.Second)
		m.print("so far")
	}
}

// end prints the total of a scan that took long enough to be announced.
func (m *meter) end() {
	if time.Since(m.start) > 2*time.Second {
		m.print("in all")
	}
}

func (m *meter) print(when string) {
	perSecond := float64(m.rows) / time.Since(m.start).Seconds()
	fmt.Fprintf(m.w, "%s %s %s, %s a second\n", m.done, figure.Things(m.rows, "row"), when, figure.Count(int64(perSecond)))
}
