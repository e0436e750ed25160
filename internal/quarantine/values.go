package quarantine

import (
	"fmt"
	"math/big"
	"strconv"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// A TypeError means that a value cannot be of the type that the column has in the
// delivery. It does not say the value.
type TypeError struct {
	Column     string
	Row        int64 // ordinal in the record, from 0
	Have, Want arrow.DataType
}

func (e *TypeError) Error() string {
	return fmt.Sprintf("row %d (from 0): column %s is %s, and this value is no %s, as the column has in the delivery", e.Row, e.Column, e.Have, e.Want)
}

// fit returns the record with the columns of a schema: those that it lacks are null,
// and those of another type are converted.
func fit(rec arrow.Record, schema *arrow.Schema) (arrow.Record, error) {
	var cols []arrow.Array
	for _, f := range schema.Fields() {
		at := rec.Schema().FieldIndices(f.Name)
		if len(at) == 0 {
			cols = append(cols, array.MakeArrayOfNull(memory.DefaultAllocator, f.Type, int(rec.NumRows())))
			continue
		}
		col, err := convert(f.Name, rec.Column(at[0]), f.Type)
		if err != nil {
			return nil, err
		}
		cols = append(cols, col)
	}
	return array.NewRecord(schema, cols, rec.NumRows()), nil
}

// convert returns a column in another type, value by value: programs that correct a few
// rows write integers with nulls as doubles, and dates as texts. Only floating-point
// columns take the nearest value, any other takes the same one or none.
func convert(name string, col arrow.Array, want arrow.DataType) (arrow.Array, error) {
	if arrow.TypeEqual(col.DataType(), want) {
		return col, nil
	}
	b := array.NewBuilder(memory.DefaultAllocator, want)
	defer b.Release()
	for i := range col.Len() {
		if err := appendValue(b, col, i); err != nil {
			return nil, &TypeError{Column: name, Row: int64(i), Have: col.DataType(), Want: want}
		}
	}
	out := b.NewArray()
	if _, decimal := want.(arrow.DecimalType); decimal { // its builder rounds
		for i := range col.Len() {
			if !sameNumber(col, out, i) {
				return nil, &TypeError{Column: name, Row: int64(i), Have: col.DataType(), Want: want}
			}
		}
	}
	return out, nil
}

func sameNumber(a, b arrow.Array, i int) bool {
	if b.IsNull(i) {
		return true
	}
	x, okX := new(big.Rat).SetString(text(a, i))
	y, okY := new(big.Rat).SetString(text(b, i))
	return okX && okY && x.Cmp(y) == 0
}

// appendValue appends value i of a column to a builder of any type, by its text.
func appendValue(b array.Builder, col arrow.Array, i int) error {
	if col.IsNull(i) || col.DataType().ID() == arrow.NULL {
		b.AppendNull()
		return nil
	}
	return appendText(b, text(col, i))
}

// appendText appends a value that text has written.
func appendText(b array.Builder, value string) error {
	if s, ok := b.(*array.StringBuilder); ok {
		s.Append(value) // a text may be what the other way to write null is
		return nil
	}
	return b.AppendValueFromString(value)
}

// text writes a value so that appendText reads the same one.
func text(col arrow.Array, i int) string {
	switch c := col.(type) {
	case *array.Dictionary:
		return text(c.Dictionary(), c.GetValueIndex(i))
	case *array.String:
		return c.Value(i)
	case *array.Float64:
		return strconv.FormatFloat(c.Value(i), 'f', -1, 64) // 1e+06 would be no integer
	case *array.Float32:
		return strconv.FormatFloat(float64(c.Value(i)), 'f', -1, 32)
	}
	return col.ValueStr(i)
}
