package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/zeebo/xxh3"

	"headgate/internal/columnar"
	"headgate/internal/strictyaml"
)

// A localTable has columns of a local file in memory.
type localTable struct {
	name    string
	rows    int
	numbers map[string][]float64 // null is NaN
	texts   map[string][]string  // null is "(null)"
}

// readTable reads columns of a Parquet file: some as numbers, some as text. Names
// that are empty are left out.
func readTable(ctx context.Context, e *env, name string, numbers, texts []string) (*localTable, error) {
	f, err := openLocal(name)
	if err != nil {
		return nil, err
	}
	defer f.f.Close()
	t := &localTable{name: name, numbers: map[string][]float64{}, texts: map[string][]string{}}
	columns, err := t.columns(f.Schema(), numbers, texts)
	if err != nil {
		return nil, err
	}
	meter := newMeter(e.stderr, "read")
	shared := map[string]string{} // so that a value that is often there is there once
	for rec, err := range f.Records(ctx, columnar.ReadOptions{Columns: columns}) {
		if err != nil {
			return nil, inFile(name, err)
		}
		t.rows += int(rec.NumRows())
		for i, column := range columns {
			if slices.Contains(numbers, column) {
				t.numbers[column] = appendNumbers(t.numbers[column], rec.Column(i))
			}
			if slices.Contains(texts, column) {
				t.texts[column] = appendTexts(t.texts[column], rec.Column(i), shared)
			}
		}
		meter.add(int(rec.NumRows()))
	}
	meter.end()
	return t, nil
}

// columns returns which columns to read, each once.
func (t *localTable) columns(schema *arrow.Schema, numbers, texts []string) ([]string, error) {
	var known, columns []string
	for _, field := range schema.Fields() {
		known = append(known, field.Name)
	}
	for _, name := range slices.Concat(numbers, texts) {
		if name == "" || slices.Contains(columns, name) {
			continue
		}
		field, ok := schema.FieldsByName(name)
		if !ok {
			return nil, fmt.Errorf("%s has no column %s%s", t.name, name, strictyaml.Hint(name, known))
		}
		if slices.Contains(numbers, name) && !numeric(field[0].Type) {
			return nil, fmt.Errorf("%s: column %s is %s, and must be a number or a boolean", t.name, name, field[0].Type)
		}
		columns = append(columns, name)
	}
	return columns, nil
}

// numeric reports whether the values of a type are numbers or booleans.
func numeric(t arrow.DataType) bool {
	return arrow.IsInteger(t.ID()) || t.ID() == arrow.FLOAT32 || t.ID() == arrow.FLOAT64 || t.ID() == arrow.BOOL
}

// appendNumbers appends a column. Whole numbers beyond 2⁵³ are rounded.
func appendNumbers(to []float64, column arrow.Array) []float64 {
	for i := range column.Len() {
		x := math.NaN()
		if !column.IsNull(i) {
			x = numberAt(column, i)
		}
		to = append(to, x)
	}
	return to
}

func numberAt(column arrow.Array, i int) float64 {
	switch c := column.(type) {
	case *array.Float64:
		return c.Value(i)
	case *array.Float32:
		return float64(c.Value(i))
	case *array.Int64:
		return float64(c.Value(i))
	case *array.Int32:
		return float64(c.Value(i))
	case *array.Int16:
		return float64(c.Value(i))
	case *array.Int8:
		return float64(c.Value(i))
	case *array.Uint64:
		return float64(c.Value(i))
	case *array.Uint32:
		return float64(c.Value(i))
	case *array.Uint16:
		return float64(c.Value(i))
	case *array.Uint8:
		return float64(c.Value(i))
	case *array.Boolean:
		if c.Value(i) {
			return 1
		}
		return 0
	}
	return math.NaN() // numeric has refused it
}

// appendTexts appends a column as text.
func appendTexts(to []string, column arrow.Array, shared map[string]string) []string {
	for i := range column.Len() {
		value := column.ValueStr(i)
		if known, ok := shared[value]; ok {
			value = known
		} else if len(shared) < 100_000 {
			value = strings.Clone(value)
			shared[value] = value
		} else {
			value = strings.Clone(value)
		}
		to = append(to, value)
	}
	return to
}

// hashes returns numbers that name the values of a column.
func hashes(values []string) []uint64 {
	if values == nil {
		return nil
	}
	out := make([]uint64, len(values))
	for i, v := range values {
		out[i] = xxh3.HashString(v)
	}
	return out
}

// patiently runs work and says after two seconds what takes so long. It returns early
// if ctx ends.
func patiently(ctx context.Context, w io.Writer, what string, work func() error) error {
	done := make(chan error, 1)
	go func() { done <- work() }()
	timer := time.NewTimer(2 * time.Second)
	defer timer.Stop()
	for {
		select {
		case err := <-done:
			return err
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
			fmt.Fprintln(w, what)
		}
	}
}
