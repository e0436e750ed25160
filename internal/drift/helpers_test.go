package drift_test

import (
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"headgate/internal/drift"
	"headgate/internal/profile"
)

// column is one column of a test's profile.
type column struct {
	name   string
	typ    arrow.DataType
	append func(array.Builder)
}

// profiled returns the profile of columns, which are equally long.
func profiled(t testing.TB, o *profile.Options, columns ...column) *profile.Profile {
	t.Helper()
	var fields []arrow.Field
	var arrays []arrow.Array
	for _, c := range columns {
		b := array.NewBuilder(memory.NewGoAllocator(), c.typ)
		c.append(b)
		arrays = append(arrays, b.NewArray())
		fields = append(fields, arrow.Field{Name: c.name, Type: c.typ, Nullable: true})
	}
	builder := profile.NewBuilder(o)
	rec := array.NewRecord(arrow.NewSchema(fields, nil), arrays, int64(arrays[0].Len()))
	if err := builder.Add(rec); err != nil {
		t.Fatal(err)
	}
	return builder.Profile()
}

// float, text and boolean make columns; nil and every value that is missing are null.
func float(name string, values ...any) column {
	return column{name, arrow.PrimitiveTypes.Float64, func(b array.Builder) {
		for _, v := range values {
			if x, ok := v.(float64); ok {
				b.(*array.Float64Builder).Append(x)
			} else {
				b.AppendNull()
			}
		}
	}}
}

func text(name string, values ...any) column {
	return column{name, arrow.BinaryTypes.String, func(b array.Builder) {
		for _, v := range values {
			if x, ok := v.(string); ok {
				b.(*array.StringBuilder).Append(x)
			} else {
				b.AppendNull()
			}
		}
	}}
}

func boolean(name string, values ...any) column {
	return column{name, arrow.FixedWidthTypes.Boolean, func(b array.Builder) {
		for _, v := range values {
			if x, ok := v.(bool); ok {
				b.(*array.BooleanBuilder).Append(x)
			} else {
				b.AppendNull()
			}
		}
	}}
}

// numbers returns the profile of one column x.
func numbers(t testing.TB, values ...float64) *profile.Profile {
	t.Helper()
	return profiled(t, nil, column{"x", arrow.PrimitiveTypes.Float64, func(b array.Builder) {
		b.(*array.Float64Builder).AppendValues(values, nil)
	}})
}

// compare is drift.Compare with options that make sense.
func compare(t testing.TB, ref, cur *profile.Profile, o *drift.Options) *drift.Report {
	t.Helper()
	r, err := drift.Compare(ref, cur, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// many returns n values, one after the other from of, again and again.
func many(n int, of ...any) []any {
	out := make([]any, n)
	for i := range out {
		out[i] = of[i%len(of)]
	}
	return out
}
