package columnar

import (
	"math/bits"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// makeElement chooses how a field is stored. Both the new and the old annotation
// are written where both exist, so that old readers see the same type.
func makeElement(f arrow.Field) (format.SchemaElement, error) {
	e := format.SchemaElement{Name: f.Name, RepetitionType: thrift.New(format.Required)}
	if f.Nullable || f.Type.ID() == arrow.NULL {
		e.RepetitionType.V = format.Optional
	}
	set := func(t format.Type, l format.LogicalTypeValue, old ...deprecated.ConvertedType) (format.SchemaElement, error) {
		e.Type = thrift.New(t)
		e.LogicalType.Value = l
		if len(old) > 0 {
			e.ConvertedType = thrift.New(old[0])
		}
		return e, nil
	}
	switch t := f.Type.(type) {
	case *arrow.NullType:
		return set(format.Int32, &format.NullType{})
	case *arrow.BooleanType:
		return set(format.Boolean, nil)
	case *arrow.Int8Type:
		return set(format.Int32, &format.IntType{BitWidth: 8, IsSigned: true}, deprecated.Int8)
	case *arrow.Int16Type:
		return set(format.Int32, &format.IntType{BitWidth: 16, IsSigned: true}, deprecated.Int16)
	case *arrow.Int32Type:
		return set(format.Int32, nil)
	case *arrow.Int64Type:
		return set(format.Int64, nil)
	case *arrow.Uint8Type:
		return set(format.Int32, &format.IntType{BitWidth: 8}, deprecated.Uint8)
	case *arrow.Uint16Type:
		return set(format.Int32, &format.IntType{BitWidth: 16}, deprecated.Uint16)
	case *arrow.Uint32Type:
		return set(format.Int32, &format.IntType{BitWidth: 32}, deprecated.Uint32)
	case *arrow.Uint64Type:
		return set(format.Int64, &format.IntType{BitWidth: 64}, deprecated.Uint64)
	case *arrow.Float16Type:
		e.TypeLength = thrift.New[int32](2)
		return set(format.FixedLenByteArray, &format.Float16Type{})
	case *arrow.Float32Type:
		return set(format.Float, nil)
	case *arrow.Float64Type:
		return set(format.Double, nil)
	case *arrow.Date32Type:
		return set(format.Int32, &format.DateType{}, deprecated.Date)
	case *arrow.StringType, *arrow.LargeStringType:
		return set(format.ByteArray, &format.StringType{}, deprecated.UTF8)
	case *arrow.BinaryType, *arrow.LargeBinaryType:
		return set(format.ByteArray, nil)
	case *arrow.FixedSizeBinaryType:
		e.TypeLength = thrift.New(int32(t.ByteWidth))
		return set(format.FixedLenByteArray, nil)
	case *arrow.DictionaryType:
		if id := t.ValueType.ID(); id == arrow.STRING || id == arrow.LARGE_STRING {
			return set(format.ByteArray, &format.StringType{}, deprecated.UTF8)
		}
	case arrow.DecimalType:
		return decimalElement(e, t), nil
	case *arrow.Time32Type, *arrow.Time64Type, *arrow.TimestampType:
		return timeElement(e, t)
	}
	return e, unsupported("Arrow type %s", f.Type)
}

// decimalElement stores decimals as the smallest integer that holds every number
// of their precision, or else as fixed bytes.
func decimalElement(e format.SchemaElement, t arrow.DecimalType) format.SchemaElement {
	precision, scale := t.GetPrecision(), t.GetScale()
	e.LogicalType.Value = &format.DecimalType{Precision: precision, Scale: scale}
	e.ConvertedType = thrift.New(deprecated.Decimal)
	e.Precision, e.Scale = thrift.New(precision), thrift.New(scale)
	switch {
	case precision <= 9:
		e.Type = thrift.New(format.Int32)
	case precision <= 18:
		e.Type = thrift.New(format.Int64)
	default:
		e.Type = thrift.New(format.FixedLenByteArray)
		// log₂ 10 < 3.322, and a bit for the sign.
		e.TypeLength = thrift.New((precision*3322/1000 + 1 + 1 + 7) / 8)
	}
	return e
}

func timeElement(e format.SchemaElement, t arrow.DataType) (format.SchemaElement, error) {
	var unit arrow.TimeUnit
	var zone string
	stamp := false
	e.Type = thrift.New(format.Int64)
	switch t := t.(type) {
	case *arrow.Time32Type:
		unit = t.Unit
		e.Type = thrift.New(format.Int32)
	case *arrow.Time64Type:
		unit = t.Unit
	case *arrow.TimestampType:
		unit, zone, stamp = t.Unit, t.TimeZone, true
	}
	var u format.TimeUnit
	switch unit {
	case arrow.Millisecond:
		u.Value = &format.MilliSeconds{}
	case arrow.Microsecond:
		u.Value = &format.MicroSeconds{}
	case arrow.Nanosecond:
		u.Value = &format.NanoSeconds{}
	default:
		return e, unsupported("Arrow type %s; Parquet has no seconds", t)
	}
	if !stamp {
		e.LogicalType.Value = &format.TimeType{Unit: u}
		return e, nil
	}
	e.LogicalType.Value = &format.TimestampType{IsAdjustedToUTC: zone != "", Unit: u}
	// The old annotation always means UTC.
	if zone != "" && unit == arrow.Millisecond {
		e.ConvertedType = thrift.New(deprecated.TimestampMillis)
	}
	if zone != "" && unit == arrow.Microsecond {
		e.ConvertedType = thrift.New(deprecated.TimestampMicros)
	}
	return e, nil
}

// widthOf returns the bytes of a physical value; 0 for booleans and byte arrays.
func widthOf(e *format.SchemaElement) int {
	switch e.Type.V {
	case format.Int32, format.Float:
		return 4
	case format.Int64, format.Double:
		return 8
	case format.FixedLenByteArray:
		return int(e.TypeLength.V)
	}
	return 0
}

// indexBits returns the bits of an index into a dictionary of n entries.
func indexBits(n int) int { return bits.Len(uint(max(n-1, 0))) }
