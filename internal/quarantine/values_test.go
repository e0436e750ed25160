package quarantine

import (
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"headgate/internal/columnar"
)

// column makes a column from JSON.
func column(t *testing.T, kind arrow.DataType, values string) arrow.Array {
	t.Helper()
	col, _, err := array.FromJSON(memory.DefaultAllocator, kind, strings.NewReader(values))
	if err != nil {
		t.Fatal(err)
	}
	return col
}

func TestValuesKeepTheirMeaningInAnotherType(t *testing.T) {
	utc := &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}
	wall := &arrow.TimestampType{Unit: arrow.Microsecond}
	cents := &arrow.Decimal128Type{Precision: 10, Scale: 2}
	for _, tt := range []struct {
		name     string
		from, to arrow.DataType
		have     string
		want     string // "" if a value cannot be of that type
	}{
		{"doubles that are integers, as a program writes integers with nulls", arrow.PrimitiveTypes.Float64, arrow.PrimitiveTypes.Int32, `[1000000, null, -3]`, `[1000000, null, -3]`},
		{"doubles that are no integers", arrow.PrimitiveTypes.Float64, arrow.PrimitiveTypes.Int32, `[1, 1.5]`, ""},
		{"large doubles", arrow.PrimitiveTypes.Float64, arrow.PrimitiveTypes.Int64, `[9007199254740992]`, `[9007199254740992]`},
		{"wide integers that fit", arrow.PrimitiveTypes.Int64, arrow.PrimitiveTypes.Int8, `[127, -128]`, `[127, -128]`},
		{"wide integers that do not fit", arrow.PrimitiveTypes.Int64, arrow.PrimitiveTypes.Int8, `[128]`, ""},
		{"doubles of floats", arrow.PrimitiveTypes.Float64, arrow.PrimitiveTypes.Float32, `[0.10000000149011612]`, `[0.1]`},
		{"integers as doubles", arrow.PrimitiveTypes.Int64, arrow.PrimitiveTypes.Float64, `[3, null]`, `[3, null]`},
		{"dates as texts", arrow.BinaryTypes.String, arrow.FixedWidthTypes.Date32, `["2024-01-31", null]`, `["2024-01-31", null]`},
		{"texts that are no dates", arrow.BinaryTypes.String, arrow.FixedWidthTypes.Date32, `["January"]`, ""},
		{"finer timestamps", &arrow.TimestampType{Unit: arrow.Nanosecond, TimeZone: "UTC"}, utc, `["2024-01-31T23:59:59.123456Z"]`, `["2024-01-31T23:59:59.123456Z"]`},
		{"timestamps that are too fine", &arrow.TimestampType{Unit: arrow.Nanosecond, TimeZone: "UTC"}, utc, `["2024-01-31T23:59:59.123456789Z"]`, ""},
		{"finer clock readings", &arrow.TimestampType{Unit: arrow.Nanosecond}, wall, `["2024-01-31 23:59:59.123456"]`, `["2024-01-31 23:59:59.123456"]`},
		{"decimals of doubles", arrow.PrimitiveTypes.Float64, cents, `[12.25]`, `["12.25"]`},
		{"doubles that are no cents", arrow.PrimitiveTypes.Float64, cents, `[12.255]`, ""},
		{"truth as text", arrow.BinaryTypes.String, arrow.FixedWidthTypes.Boolean, `["true", "false"]`, `[true, false]`},
		{"a column of nulls", arrow.Null, arrow.PrimitiveTypes.Int32, `[null, null]`, `[null, null]`},
		{"dictionary-coded texts", columnar.DictionaryType, arrow.BinaryTypes.String, `["a", "(null)", null]`, `["a", "(null)", null]`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := convert("x", column(t, tt.from, tt.have), tt.to)
			if tt.want == "" {
				if err == nil {
					t.Errorf("got %v", got)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if want := column(t, tt.to, tt.want); !array.Equal(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
}

// What the delivery has is written as text and read again.
func TestTextsOfValuesAreReadAsTheSameValues(t *testing.T) {
	for _, tt := range []struct {
		kind   arrow.DataType
		values string
	}{
		{arrow.PrimitiveTypes.Int64, `[-9223372036854775808, 9223372036854775807]`},
		{arrow.PrimitiveTypes.Uint64, `[18446744073709551615]`},
		{arrow.PrimitiveTypes.Float64, `[1.7976931348623157e308, 5e-324, -0.0, 0.1]`},
		{arrow.PrimitiveTypes.Float32, `[3.4028235e38, 1e-45]`},
		{arrow.FixedWidthTypes.Boolean, `[true, false, null]`},
		{arrow.FixedWidthTypes.Date32, `["1899-12-31", "2024-02-29"]`},
		{arrow.FixedWidthTypes.Time64us, `["23:59:59.999999"]`},
		{&arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}, `["1969-12-31T23:59:59.999999Z"]`},
		{&arrow.TimestampType{Unit: arrow.Nanosecond}, `["2024-01-01 00:00:00.000000001"]`},
		{&arrow.Decimal128Type{Precision: 38, Scale: 10}, `["-1234567890123456789.0123456789"]`},
		{arrow.BinaryTypes.Binary, `["AP8="]`},
		{arrow.BinaryTypes.String, `["", "(null)", "ä\n\u0000"]`},
	} {
		t.Run(tt.kind.String(), func(t *testing.T) {
			col := column(t, tt.kind, tt.values)
			b := array.NewBuilder(memory.DefaultAllocator, tt.kind)
			for i := range col.Len() {
				if err := appendValue(b, col, i); err != nil {
					t.Fatal(err)
				}
			}
			if got := b.NewArray(); !array.Equal(got, col) {
				t.Errorf("got %v, want %v", got, col)
			}
		})
	}
}
