package model

import (
	"fmt"
	"math"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/decimal128"
	"github.com/apache/arrow/go/v17/arrow/decimal256"
	"github.com/apache/arrow/go/v17/arrow/float16"
)

// An Encoder turns the columns of a record into the doubles that models read:
//
//   - null is NaN, false and true are 0 and 1;
//   - integers, floats and decimals are the nearest double, dates are days since 1970;
//   - with categories, a value is its code, and a value that is not among them is NaN.
//
// Times and timestamps are refused: which unit a model was trained with is not known.
// An Encoder is safe for concurrent use.
type Encoder struct {
	inputs       []Input
	dictionaries []*dictionary // nil where an input has no categories
}

// NewEncoder prepares to read inputs. It returns an *[InputError] if two inputs
// have one name, or two codes of an input one value.
func NewEncoder(inputs []Input) (*Encoder, error) {
	e := &Encoder{inputs: inputs, dictionaries: make([]*dictionary, len(inputs))}
	seen := make(map[string]bool, len(inputs))
	for i, in := range inputs {
		if seen[in.Name] {
			return nil, &InputError{in.Name, "is named twice by the model"}
		}
		seen[in.Name] = true
		if in.Categories == nil {
			continue
		}
		d, err := newDictionary(in)
		if err != nil {
			return nil, err
		}
		e.dictionaries[i] = d
	}
	return e, nil
}

// A Frame is a record seen through an [Encoder]. It is valid as long as the record is.
type Frame struct {
	columns []column
}

// column writes rows from … to-1, the first to dst[0], each next one stride further.
type column func(dst []float64, stride, from, to int)

// Bind finds the encoder's inputs among the columns of rec. It returns an
// *[InputError] for a column that is missing, named twice, or of a type that the
// input cannot be read from.
func (e *Encoder) Bind(rec arrow.Record) (*Frame, error) {
	f := &Frame{columns: make([]column, len(e.inputs))}
	for i, in := range e.inputs {
		at := rec.Schema().FieldIndices(in.Name)
		switch {
		case len(at) == 0:
			return nil, &InputError{in.Name, "is missing"}
		case len(at) > 1:
			return nil, &InputError{in.Name, fmt.Sprintf("is there %d times", len(at))}
		}
		c, err := bind(rec.Column(at[0]), in, e.dictionaries[i])
		if err != nil {
			return nil, err
		}
		f.columns[i] = c
	}
	return f, nil
}

// Fill writes rows from … to-1 to dst, row-major: one double per input.
func (f *Frame) Fill(dst []float64, from, to int) {
	if from == to {
		return
	}
	for j, c := range f.columns {
		c(dst[j:], len(f.columns), from, to)
	}
}

// bind returns the reader of one array.
func bind(a arrow.Array, in Input, d *dictionary) (column, error) {
	switch a := a.(type) {
	case *array.Dictionary:
		return bindDictionary(a, in, d)
	case array.StringLike:
		if d == nil {
			return nil, &InputError{in.Name, "holds text, and the model knows no categories for it"}
		}
		return texts(a, d), nil
	case *array.Boolean:
		return withNulls(a, booleans(a, d)), nil
	}
	c, ok := bindNumber(a)
	switch {
	case !ok:
		return nil, &InputError{in.Name, fmt.Sprintf("is of type %s, which no model reads", a.DataType())}
	case d == nil:
		return c, nil
	case a.DataType().ID() != arrow.NULL && d.numbers == nil:
		return nil, &InputError{in.Name, fmt.Sprintf("is of type %s, and the model's categories are text", a.DataType())}
	}
	return d.coded(c), nil
}

// bindNumber returns the reader of an array of numbers or dates.
func bindNumber(a arrow.Array) (column, bool) {
	var c column
	switch a := a.(type) {
	case *array.Null:
		c = missing
	case *array.Float64:
		c = numbers(a.Float64Values())
	case *array.Float32:
		c = numbers(a.Float32Values())
	case *array.Float16:
		c = converted(a.Values(), func(v float16.Num) float64 { return float64(v.Float32()) })
	case *array.Int8:
		c = numbers(a.Int8Values())
	case *array.Int16:
		c = numbers(a.Int16Values())
	case *array.Int32:
		c = numbers(a.Int32Values())
	case *array.Int64:
		c = numbers(a.Int64Values())
	case *array.Uint8:
		c = numbers(a.Uint8Values())
	case *array.Uint16:
		c = numbers(a.Uint16Values())
	case *array.Uint32:
		c = numbers(a.Uint32Values())
	case *array.Uint64:
		c = numbers(a.Uint64Values())
	case *array.Date32:
		c = numbers(a.Date32Values())
	case *array.Date64:
		c = converted(a.Date64Values(), func(v arrow.Date64) float64 { return float64(v) / 86_400_000 })
	case *array.Decimal128:
		scale := a.DataType().(arrow.DecimalType).GetScale()
		c = converted(a.Values(), func(v decimal128.Num) float64 { return decimal(v.ToString(scale)) })
	case *array.Decimal256:
		scale := a.DataType().(arrow.DecimalType).GetScale()
		c = converted(a.Values(), func(v decimal256.Num) float64 { return decimal(v.ToString(scale)) })
	default:
		return nil, false
	}
	return withNulls(a, c), true
}

func missing(dst []float64, stride, from, to int) {
	for i := range to - from {
		dst[i*stride] = math.NaN()
	}
}

func numbers[T int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64 | float32 | float64 | arrow.Date32](values []T) column {
	return func(dst []float64, stride, from, to int) {
		for i, v := range values[from:to] {
			dst[i*stride] = float64(v)
		}
	}
}

func converted[T any](values []T, convert func(T) float64) column {
	return func(dst []float64, stride, from, to int) {
		for i, v := range values[from:to] {
			dst[i*stride] = convert(v)
		}
	}
}

// withNulls writes NaN over the nulls of a, whose slots may hold anything.
func withNulls(a arrow.Array, c column) column {
	if a.NullN() == 0 {
		return c
	}
	return func(dst []float64, stride, from, to int) {
		c(dst, stride, from, to)
		for i := range to - from {
			if a.IsNull(from + i) {
				dst[i*stride] = math.NaN()
			}
		}
	}
}
