package model

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"strconv"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
)

// A CSVWriter writes records of numbers as CSV. Doubles have 17 significant
// digits, which tell any two of them apart, as C's %.17g writes them: nan, inf
// and -inf included.
type CSVWriter struct {
	w    *bufio.Writer
	line []byte
}

// NewCSVWriter returns a writer of the columns of schema. It writes the header
// line only if header is true.
func NewCSVWriter(w io.Writer, schema *arrow.Schema, header bool) *CSVWriter {
	c := &CSVWriter{w: bufio.NewWriterSize(w, 64<<10)}
	if !header {
		return c
	}
	for i, f := range schema.Fields() {
		if i > 0 {
			c.line = append(c.line, ',')
		}
		c.line = append(c.line, f.Name...)
	}
	c.w.Write(append(c.line, '\n')) // an error stays in c.w until Close
	return c
}

// Write appends the rows of rec, whose columns hold doubles or 32-bit integers.
func (c *CSVWriter) Write(rec arrow.Record) error {
	columns := make([]func([]byte, int) []byte, rec.NumCols())
	for i, a := range rec.Columns() {
		switch a := a.(type) {
		case *array.Float64:
			columns[i] = func(line []byte, row int) []byte { return AppendFloat(line, a.Value(row)) }
		case *array.Int32:
			columns[i] = func(line []byte, row int) []byte { return strconv.AppendInt(line, int64(a.Value(row)), 10) }
		default:
			return fmt.Errorf("column %q is of type %s, which is not written as CSV", rec.ColumnName(i), a.DataType())
		}
	}
	for row := range int(rec.NumRows()) {
		c.line = c.line[:0]
		for i, appendTo := range columns {
			if i > 0 {
				c.line = append(c.line, ',')
			}
			c.line = appendTo(c.line, row)
		}
		if _, err := c.w.Write(append(c.line, '\n')); err != nil {
			return err
		}
	}
	return nil
}

// Close writes what is still in memory. It does not close the underlying writer.
func (c *CSVWriter) Close() error { return c.w.Flush() }

// AppendFloat appends v as C's %.17g writes it.
func AppendFloat(line []byte, v float64) []byte {
	switch {
	case math.IsNaN(v):
		return append(line, "nan"...)
	case math.IsInf(v, 1):
		return append(line, "inf"...)
	case math.IsInf(v, -1):
		return append(line, "-inf"...)
	}
	return strconv.AppendFloat(line, v, 'g', 17, 64)
}
