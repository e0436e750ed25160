package model_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"headgate/internal/model"
)

// column builds an array of the given type from JSON.
func column(t *testing.T, typ arrow.DataType, json string) arrow.Array {
	t.Helper()
	a, _, err := array.FromJSON(memory.DefaultAllocator, typ, strings.NewReader(json))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func record(columns map[string]arrow.Array, names ...string) arrow.Record {
	var fields []arrow.Field
	var arrays []arrow.Array
	for _, name := range names {
		fields = append(fields, arrow.Field{Name: name, Type: columns[name].DataType(), Nullable: true})
		arrays = append(arrays, columns[name])
	}
	return array.NewRecord(arrow.NewSchema(fields, nil), arrays, int64(arrays[0].Len()))
}

func TestEveryTypeBecomesDoubles(t *testing.T) {
	nan := math.NaN()
	texts := &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: arrow.BinaryTypes.String}
	shorts := &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Uint8, ValueType: arrow.PrimitiveTypes.Int16}
	cities := []string{"Bern", "Oslo"}
	for _, test := range []struct {
		name       string
		typ        arrow.DataType
		json       string
		categories []string
		want       []float64
	}{
		{name: "doubles", typ: arrow.PrimitiveTypes.Float64, json: `[1.5, null, -0.1]`, want: []float64{1.5, nan, -0.1}},
		{name: "floats are widened, not reread", typ: arrow.PrimitiveTypes.Float32, json: `[0.1, null]`, want: []float64{float64(float32(0.1)), nan}},
		{name: "half floats", typ: arrow.FixedWidthTypes.Float16, json: `[0.5, null]`, want: []float64{0.5, nan}},
		{name: "bytes", typ: arrow.PrimitiveTypes.Int8, json: `[-128, null]`, want: []float64{-128, nan}},
		{name: "shorts", typ: arrow.PrimitiveTypes.Int16, json: `[-7, null]`, want: []float64{-7, nan}},
		{name: "ints", typ: arrow.PrimitiveTypes.Int32, json: `[7, null]`, want: []float64{7, nan}},
		{name: "longs take the nearest double", typ: arrow.PrimitiveTypes.Int64, json: `[9007199254740993, null]`, want: []float64{9007199254740992, nan}},
		{name: "unsigned bytes", typ: arrow.PrimitiveTypes.Uint8, json: `[255]`, want: []float64{255}},
		{name: "unsigned shorts", typ: arrow.PrimitiveTypes.Uint16, json: `[65535]`, want: []float64{65535}},
		{name: "unsigned ints", typ: arrow.PrimitiveTypes.Uint32, json: `[4294967295]`, want: []float64{4294967295}},
		{name: "unsigned longs", typ: arrow.PrimitiveTypes.Uint64, json: `[9223372036854775807]`, want: []float64{9223372036854775808}},
		{name: "booleans", typ: arrow.FixedWidthTypes.Boolean, json: `[false, true, null]`, want: []float64{0, 1, nan}},
		{name: "decimals take the nearest double", typ: &arrow.Decimal128Type{Precision: 20, Scale: 2}, json: `["1.15", null]`, want: []float64{1.15, nan}},
		{name: "large decimals", typ: &arrow.Decimal256Type{Precision: 50, Scale: 3}, json: `["-123456789012345678901234567890.125"]`, want: []float64{-123456789012345678901234567890.125}},
		{name: "dates are days", typ: arrow.FixedWidthTypes.Date32, json: `["1970-01-11", null]`, want: []float64{10, nan}},
		{name: "dates in milliseconds are days", typ: arrow.FixedWidthTypes.Date64, json: `["1970-01-11"]`, want: []float64{10}},
		{name: "no values at all", typ: arrow.Null, json: `[null, null]`, want: []float64{nan, nan}},
		{name: "no values at all, with categories", typ: arrow.Null, json: `[null]`, categories: cities, want: []float64{nan}},
		{name: "text has codes, unseen text has none", typ: arrow.BinaryTypes.String, json: `["Oslo", "Rome", null, "Bern"]`, categories: cities, want: []float64{1, nan, nan, 0}},
		{name: "large text", typ: arrow.BinaryTypes.LargeString, json: `["Oslo", null]`, categories: cities, want: []float64{1, nan}},
		{name: "dictionaries of text", typ: texts, json: `["Oslo", "Rome", null, "Oslo"]`, categories: cities, want: []float64{1, nan, nan, 1}},
		{name: "dictionaries of numbers", typ: shorts, json: `[40, null, 40]`, want: []float64{40, nan, 40}},
		{name: "numbers that are categories", typ: arrow.PrimitiveTypes.Int64, json: `[12, 5, null]`, categories: []string{"3", "12"}, want: []float64{1, nan, nan}},
		{name: "text that is a number", typ: arrow.BinaryTypes.String, json: `["12", "12.0"]`, categories: []string{"3", "12"}, want: []float64{1, nan}},
		{name: "booleans that are categories", typ: arrow.FixedWidthTypes.Boolean, json: `[true, false, null]`, categories: []string{"true", "false"}, want: []float64{0, 1, nan}},
		{name: "booleans as text, however written", typ: arrow.BinaryTypes.String, json: `["True", "FALSE", "true", "yes"]`, categories: []string{"false", "true"}, want: []float64{1, 0, 1, nan}},
		{name: "two names of true are two texts", typ: arrow.BinaryTypes.String, json: `["True", "TRUE", "true"]`, categories: []string{"true", "True"}, want: []float64{1, nan, 0}},
		{name: "text beside booleans is text", typ: arrow.BinaryTypes.String, json: `["True", "true"]`, categories: []string{"true", "maybe"}, want: []float64{nan, 0}},
		{name: "booleans as Python writes them", typ: arrow.FixedWidthTypes.Boolean, json: `[true, false]`, categories: []string{"True"}, want: []float64{0, nan}},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := column(t, test.typ, test.json)
			for _, skip := range []int{0, len(test.want) - 1} {
				rec := record(map[string]arrow.Array{"x": a}, "x").NewSlice(int64(skip), int64(a.Len()))
				checkEncoding(t, rec, model.Input{Name: "x", Categories: test.categories}, test.want[skip:])
			}
		})
	}
}

func checkEncoding(t *testing.T, rec arrow.Record, in model.Input, want []float64) {
	t.Helper()
	e, err := model.NewEncoder([]model.Input{in})
	if err != nil {
		t.Fatal(err)
	}
	f, err := e.Bind(rec)
	if err != nil {
		t.Fatal(err)
	}
	got := make([]float64, len(want))
	f.Fill(got, 0, len(want))
	for i := range want {
		if !model.Near(got[i], want[i], 0) {
			t.Errorf("row %d is %v, want %v", i, got[i], want[i])
		}
	}
}

func TestInputsFollowTheModelNotTheRecord(t *testing.T) {
	rec := record(map[string]arrow.Array{
		"b": column(t, arrow.PrimitiveTypes.Int8, `[1, 2, 3]`),
		"z": column(t, arrow.BinaryTypes.String, `["", "", ""]`),
		"a": column(t, arrow.PrimitiveTypes.Int8, `[4, 5, 6]`),
	}, "b", "z", "a")
	e, err := model.NewEncoder([]model.Input{{Name: "a"}, {Name: "b"}})
	if err != nil {
		t.Fatal(err)
	}
	f, err := e.Bind(rec)
	if err != nil {
		t.Fatal(err)
	}
	got := make([]float64, 4)
	f.Fill(got, 1, 3)
	if want := [4]float64{5, 2, 6, 3}; [4]float64(got) != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestUnfitColumnsAreRefusedByName(t *testing.T) {
	x := func(typ arrow.DataType, json string) arrow.Record {
		return record(map[string]arrow.Array{"x": column(t, typ, json)}, "x")
	}
	twice := record(map[string]arrow.Array{"x": column(t, arrow.PrimitiveTypes.Int8, `[1]`)}, "x", "x")
	for _, test := range []struct {
		name   string
		inputs []model.Input
		rec    arrow.Record
		want   string
	}{
		{name: "missing", inputs: []model.Input{{Name: "y"}}, rec: x(arrow.PrimitiveTypes.Int8, `[1]`), want: `column "y" is missing`},
		{name: "twice in the record", inputs: []model.Input{{Name: "x"}}, rec: twice, want: `column "x" is there 2 times`},
		{name: "twice in the model", inputs: []model.Input{{Name: "x"}, {Name: "x"}}, rec: twice, want: `column "x" is named twice by the model`},
		{name: "text without categories", inputs: []model.Input{{Name: "x"}}, rec: x(arrow.BinaryTypes.String, `["a"]`), want: `column "x" holds text, and the model knows no categories for it`},
		{name: "numbers for text", inputs: []model.Input{{Name: "x", Categories: []string{"a"}}}, rec: x(arrow.PrimitiveTypes.Int8, `[1]`), want: `column "x" is of type int8, and the model's categories are text`},
		{name: "a timestamp", inputs: []model.Input{{Name: "x"}}, rec: x(arrow.FixedWidthTypes.Timestamp_ms, `[1]`), want: `column "x" is of type timestamp[ms, tz=UTC], which no model reads`},
		{name: "a list", inputs: []model.Input{{Name: "x"}}, rec: x(arrow.ListOf(arrow.PrimitiveTypes.Int8), `[[1]]`), want: `which no model reads`},
		{name: "a category twice", inputs: []model.Input{{Name: "x", Categories: []string{"a", "b", "a"}}}, rec: twice, want: `column "x" has a category twice, as 0 and 2`},
	} {
		t.Run(test.name, func(t *testing.T) {
			e, err := model.NewEncoder(test.inputs)
			if err == nil {
				_, err = e.Bind(test.rec)
			}
			var unfit *model.InputError
			if !errors.As(err, &unfit) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}
