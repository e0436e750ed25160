package contract

import (
	"fmt"

	"github.com/apache/arrow/go/v17/arrow"
)

// accepts reports whether a column of the file may have the Arrow type.
//
// An integer column is also a number. A decimal without digits after the point is
// also an integer; a double never is, even if all its values are whole.
func (c Column) accepts(t arrow.DataType) bool {
	switch c.Type {
	case "":
		return !arrow.IsNested(t.ID())
	case String:
		return isText(t, c.Options.Format)
	case Integer:
		d, decimal := t.(arrow.DecimalType)
		return arrow.IsInteger(t.ID()) || decimal && d.GetScale() == 0
	case Number:
		return isNumber(t, c.Options.Format)
	case Boolean:
		return t.ID() == arrow.BOOL
	case Date:
		return t.ID() == arrow.DATE32 || t.ID() == arrow.DATE64
	case Timestamp:
		ts, ok := t.(*arrow.TimestampType)
		return ok && (c.Options.Timezone == nil || *c.Options.Timezone == (ts.TimeZone != ""))
	case Time:
		return t.ID() == arrow.TIME32 || t.ID() == arrow.TIME64
	}
	return false
}

func isText(t arrow.DataType, format string) bool {
	switch t := t.(type) {
	case *arrow.StringType, *arrow.LargeStringType:
		return true
	case *arrow.BinaryType, *arrow.LargeBinaryType:
		return format == "binary"
	case *arrow.FixedSizeBinaryType:
		return format == "binary" || format == "uuid" && t.ByteWidth == 16
	case *arrow.DictionaryType:
		id := t.ValueType.ID()
		return id == arrow.STRING || id == arrow.LARGE_STRING || id == arrow.BINARY && format == "binary"
	}
	return false
}

func isNumber(t arrow.DataType, format string) bool {
	if format == "f32" {
		return t.ID() == arrow.FLOAT32 || t.ID() == arrow.FLOAT16
	}
	return arrow.IsInteger(t.ID()) || arrow.IsFloating(t.ID()) || arrow.IsDecimal(t.ID())
}

// says returns the column's type as the contract has it.
func (c Column) says() string {
	s := string(c.Type)
	if c.Type == Number && c.Options.Format == "f32" {
		s += " with format f32"
	}
	if c.Options.Timezone != nil {
		s += fmt.Sprintf(" with timezone: %v", *c.Options.Timezone)
	}
	return s
}

// typeName returns an Arrow type in the words of a contract's author.
func typeName(t arrow.DataType) string {
	switch t := t.(type) {
	case *arrow.StringType, *arrow.LargeStringType:
		return "string"
	case *arrow.DictionaryType:
		return typeName(t.ValueType)
	case *arrow.BooleanType:
		return "boolean"
	case *arrow.Float16Type:
		return "half float"
	case *arrow.Float32Type:
		return "float"
	case *arrow.Float64Type:
		return "double"
	case *arrow.Date32Type, *arrow.Date64Type:
		return "date"
	case *arrow.Time32Type, *arrow.Time64Type:
		return "time"
	case *arrow.TimestampType:
		if t.TimeZone == "" {
			return "timestamp without time zone"
		}
		return "timestamp in UTC"
	case *arrow.NullType:
		return "without a type (all null)"
	case *arrow.FixedSizeBinaryType:
		return fmt.Sprintf("binary of %d bytes", t.ByteWidth)
	case arrow.DecimalType:
		return fmt.Sprintf("decimal(%d,%d)", t.GetPrecision(), t.GetScale())
	}
	return t.String()
}
