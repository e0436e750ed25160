package model

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// A CSVError is a place in a CSV file that cannot be read.
type CSVError struct {
	Line, Column int    // from 1; Column counts bytes
	Name         string // the column's name, or "" for the line as a whole
	Err          error
}

func (e *CSVError) Error() string {
	if e.Name == "" {
		return fmt.Sprintf("line %d, column %d: %v", e.Line, e.Column, e.Err)
	}
	return fmt.Sprintf("line %d, column %d (%s): %v", e.Line, e.Column, e.Name, e.Err)
}

func (e *CSVError) Unwrap() error { return e.Err }

// ReadCSV yields the rows of a CSV file with a header as records of up to rows
// rows, with one column per input, in the order of inputs. Columns of the file
// that are no input are ignored, wherever they stand.
//
// An empty field is missing. Inputs whose categories are text are read as text,
// all others as numbers (or true and false, which are 1 and 0). A column that is
// missing or named twice gives an *[InputError], a field that is not a number a
// *[CSVError]; both end the sequence. A record is valid until the next iteration.
func ReadCSV(r io.Reader, inputs []Input, rows int) iter.Seq2[arrow.Record, error] {
	return func(yield func(arrow.Record, error) bool) {
		c, err := newCSVReader(r, inputs)
		if err != nil {
			yield(nil, err)
			return
		}
		defer c.builder.Release()
		for {
			rec, err := c.next(rows)
			if err == io.EOF {
				return
			}
			if err != nil {
				yield(nil, err)
				return
			}
			more := yield(rec, nil)
			rec.Release()
			if !more {
				return
			}
		}
	}
}

// csvReader reads the columns of some inputs.
type csvReader struct {
	r       *csv.Reader
	names   []string // of the inputs
	fields  []int    // where each input stands in a line
	builder *array.RecordBuilder
	single  bool  // the file has one column, so that a blank line could be a row
	line    int   // where the next row must begin, if single
	offset  int64 // where the last row ended
}

// newCSVReader reads the header.
func newCSVReader(r io.Reader, inputs []Input) (*csvReader, error) {
	c := &csvReader{r: csv.NewReader(r), line: 2}
	c.r.ReuseRecord = true
	header, err := c.r.Read()
	if err == io.EOF {
		return nil, &CSVError{1, 1, "", errors.New("there is no header line")}
	}
	if err != nil {
		return nil, csvError(err)
	}
	c.single = len(header) == 1
	c.offset = c.r.InputOffset()
	at := make(map[string][]int, len(header))
	for i, name := range header {
		if i == 0 {
			name = strings.TrimPrefix(name, "\ufeff")
		}
		at[name] = append(at[name], i)
	}
	schema := make([]arrow.Field, len(inputs))
	for i, in := range inputs {
		switch n := len(at[in.Name]); {
		case n == 0:
			return nil, &InputError{in.Name, "is missing from the header"}
		case n > 1:
			return nil, &InputError{in.Name, fmt.Sprintf("is there %d times", n)}
		}
		c.names = append(c.names, in.Name)
		c.fields = append(c.fields, at[in.Name][0])
		schema[i] = arrow.Field{Name: in.Name, Type: arrow.PrimitiveTypes.Float64, Nullable: true}
		if in.Categories != nil && byValue(in.Categories) == nil {
			schema[i].Type = arrow.BinaryTypes.String
		}
	}
	c.builder = array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema(schema, nil))
	return c, nil
}

// next returns up to n rows, or io.EOF.
func (c *csvReader) next(n int) (arrow.Record, error) {
	rows := 0
	for ; rows < n; rows++ {
		fields, err := c.r.Read()
		if err == io.EOF {
			if c.single && c.r.InputOffset() != c.offset {
				return nil, c.blank()
			}
			break
		}
		if err != nil {
			return nil, csvError(err)
		}
		if err := c.add(fields); err != nil {
			return nil, err
		}
	}
	if rows == 0 {
		return nil, io.EOF
	}
	rec := c.builder.NewRecord()
	if len(c.fields) > 0 {
		return rec, nil
	}
	rec.Release()
	return array.NewRecord(rec.Schema(), nil, int64(rows)), nil
}

// add appends one row.
func (c *csvReader) add(fields []string) error {
	if c.single {
		if line, _ := c.r.FieldPos(0); line != c.line {
			return c.blank()
		}
		c.line += 1 + strings.Count(fields[0], "\n")
		c.offset = c.r.InputOffset()
	}
	for i, at := range c.fields {
		text := fields[at]
		switch b := c.builder.Field(i).(type) {
		case *array.StringBuilder:
			if text == "" {
				b.AppendNull()
			} else {
				b.Append(text)
			}
		case *array.Float64Builder:
			if text == "" {
				b.AppendNull()
				continue
			}
			v, err := parseNumber(text)
			if err != nil {
				line, column := c.r.FieldPos(at)
				return &CSVError{line, column, c.names[i], err}
			}
			b.Append(v)
		}
	}
	return nil
}

// blank refuses a blank line in a file of one column: encoding/csv drops it, but
// some writers mean a row whose only value is missing.
func (c *csvReader) blank() error {
	return &CSVError{c.line, 1, "", errors.New(`the line is blank; write "" for a missing value`)}
}

// parseNumber reads a number, exactly. Its errors do not show the text, which may be
// nobody's business.
func parseNumber(text string) (float64, error) {
	v, err := strconv.ParseFloat(text, 64)
	if err == nil {
		return v, nil
	}
	trimmed := strings.TrimSpace(text)
	switch strings.ToLower(trimmed) {
	case "true":
		return 1, nil
	case "false":
		return 0, nil
	}
	if v, again := strconv.ParseFloat(trimmed, 64); again == nil {
		return v, nil
	}
	if errors.Is(err, strconv.ErrRange) {
		return 0, errors.New("the number is too large for a double")
	}
	return 0, errors.New("the text is not a number")
}

// csvError says where a line breaks the format.
func csvError(err error) error {
	var e *csv.ParseError
	if errors.As(err, &e) {
		return &CSVError{Line: e.Line, Column: e.Column, Err: e.Err}
	}
	return err
}
