package columnar

import (
	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/decimal128"
	"github.com/apache/arrow/go/v17/arrow/decimal256"
	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/format"
)

// form says how decoded values become an Arrow column.
type form uint8

const (
	formCopy  form = iota // the bytes are Arrow's already
	formCut               // int32 narrowed to 8 or 16 bits
	formInt96             // nanoseconds since midnight and a Julian day, to a timestamp
	formSign              // int32 or int64 widened to a decimal
	formBig               // big-endian two's complement to a decimal
	formBool              // a bitmap
	formBytes             // offsets and bytes
	formNull              // nothing but nulls
)

// A column is a flat column: a leaf under the root that does not repeat.
type column struct {
	name     string
	leaf     int // position among the leaves of the schema, and so in each row group
	optional bool
	physical format.Type
	width    int // bytes of a physical value; 0 for booleans and byte arrays
	form     form
	out      int // bytes of an Arrow value, for forms of a fixed width
	field    arrow.Field
	ordered  bool // the file says that min and max follow the type's order
}

// A layout is what the schema part of a footer says.
type layout struct {
	columns []column
	byName  map[string]int // into columns
	nested  []string
	leaves  int
}

// makeLayout walks the flattened schema tree.
func makeLayout(ft *footer) (*layout, error) {
	elems := ft.Schema
	if len(elems) == 0 || elems[0].NumChildren.V < 0 {
		return nil, corrupt("the schema has no root")
	}
	l := &layout{byName: map[string]int{}}
	names := map[string]bool{}
	pos := 1
	for range elems[0].NumChildren.V {
		if pos >= len(elems) {
			return nil, corrupt("the schema ends early")
		}
		e := &elems[pos]
		if names[e.Name] {
			return nil, corrupt("two columns are named %q", e.Name)
		}
		names[e.Name] = true
		first := l.leaves
		var err error
		if pos, err = l.subtree(elems, pos, 0); err != nil {
			return nil, err
		}
		if !isLeaf(e) || e.RepetitionType.V == format.Repeated {
			l.nested = append(l.nested, e.Name)
			continue
		}
		c, err := makeColumn(e, first)
		if err != nil {
			return nil, &Error{RowGroup: -1, Column: e.Name, Err: err}
		}
		c.ordered = first < len(ft.ColumnOrders) && ft.ColumnOrders[first].Value != nil
		l.byName[c.name] = len(l.columns)
		l.columns = append(l.columns, c)
	}
	if pos != len(elems) {
		return nil, corrupt("%d of %d schema elements belong to no column", len(elems)-pos, len(elems))
	}
	return l, nil
}

const maxDepth = 100 // of nested groups

// subtree counts the leaves of the element at pos and returns the position after it.
func (l *layout) subtree(elems []format.SchemaElement, pos, depth int) (int, error) {
	if pos >= len(elems) || depth > maxDepth {
		return 0, corrupt("the schema ends early or nests too deep")
	}
	e := &elems[pos]
	pos++
	if isLeaf(e) {
		l.leaves++
		return pos, nil
	}
	for range e.NumChildren.V {
		var err error
		if pos, err = l.subtree(elems, pos, depth+1); err != nil {
			return 0, err
		}
	}
	return pos, nil
}

// isLeaf reports whether an element holds values. Some writers give leaves a
// count of zero children instead of none.
func isLeaf(e *format.SchemaElement) bool { return e.Type.Valid && e.NumChildren.V == 0 }

func makeColumn(e *format.SchemaElement, leaf int) (column, error) {
	c := column{
		name:     e.Name,
		leaf:     leaf,
		optional: e.RepetitionType.V == format.Optional,
		physical: e.Type.V,
	}
	switch e.Type.V {
	case format.Boolean, format.ByteArray:
	case format.Int32, format.Float:
		c.width = 4
	case format.Int64, format.Double:
		c.width = 8
	case format.Int96:
		c.width = 12
	case format.FixedLenByteArray:
		c.width = int(e.TypeLength.V)
		if c.width <= 0 || c.width > 1<<20 {
			return c, corrupt("a fixed length of %d bytes", c.width)
		}
	default:
		return c, unsupported("physical type %d", e.Type.V)
	}
	t, err := c.arrowType(e)
	if err != nil {
		return c, err
	}
	c.field = arrow.Field{Name: e.Name, Type: t, Nullable: c.optional || c.form == formNull}
	return c, nil
}

// arrowType chooses the Arrow type of a leaf, and sets form and out on the way.
// An annotation that does not fit its physical type is ignored, as other readers do.
func (c *column) arrowType(e *format.SchemaElement) (arrow.DataType, error) {
	a := annotate(e)
	if a.null {
		c.form = formNull
		return arrow.Null, nil
	}
	c.form, c.out = formCopy, c.width
	if a.decimal {
		return c.decimalType(e, a)
	}
	switch c.physical {
	case format.Boolean:
		c.form = formBool
		return arrow.FixedWidthTypes.Boolean, nil
	case format.Int32:
		return c.int32Type(a), nil
	case format.Int64:
		return int64Type(a), nil
	case format.Int96:
		c.form, c.out = formInt96, 8
		return &arrow.TimestampType{Unit: arrow.Nanosecond}, nil
	case format.Float:
		return arrow.PrimitiveTypes.Float32, nil
	case format.Double:
		return arrow.PrimitiveTypes.Float64, nil
	case format.ByteArray:
		c.form = formBytes
		if a.text {
			return arrow.BinaryTypes.String, nil
		}
		return arrow.BinaryTypes.Binary, nil
	}
	if a.float16 && c.width == 2 {
		return arrow.FixedWidthTypes.Float16, nil
	}
	return &arrow.FixedSizeBinaryType{ByteWidth: c.width}, nil
}

func (c *column) int32Type(a annotation) arrow.DataType {
	switch {
	case a.date:
		return arrow.FixedWidthTypes.Date32
	case a.time:
		return arrow.FixedWidthTypes.Time32ms
	}
	switch a.bits {
	case 8:
		c.form, c.out = formCut, 1
		if a.unsigned {
			return arrow.PrimitiveTypes.Uint8
		}
		return arrow.PrimitiveTypes.Int8
	case 16:
		c.form, c.out = formCut, 2
		if a.unsigned {
			return arrow.PrimitiveTypes.Uint16
		}
		return arrow.PrimitiveTypes.Int16
	}
	if a.unsigned {
		return arrow.PrimitiveTypes.Uint32
	}
	return arrow.PrimitiveTypes.Int32
}

func int64Type(a annotation) arrow.DataType {
	switch {
	case a.timestamp:
		zone := ""
		if a.utc {
			zone = "UTC"
		}
		return &arrow.TimestampType{Unit: a.unit, TimeZone: zone}
	case a.time && a.unit != arrow.Millisecond:
		return &arrow.Time64Type{Unit: a.unit}
	case a.unsigned:
		return arrow.PrimitiveTypes.Uint64
	}
	return arrow.PrimitiveTypes.Int64
}

func (c *column) decimalType(e *format.SchemaElement, a annotation) (arrow.DataType, error) {
	if a.precision <= 0 || a.precision > decimal256.MaxPrecision || a.scale < 0 || a.scale > a.precision {
		return nil, unsupported("a decimal with precision %d and scale %d", a.precision, a.scale)
	}
	switch e.Type.V {
	case format.Int32, format.Int64:
		c.form = formSign
	case format.FixedLenByteArray, format.ByteArray:
		c.form = formBig
	default:
		return nil, unsupported("a decimal stored as %s", e.Type.V)
	}
	if a.precision <= decimal128.MaxPrecision {
		c.out = 16
		return &arrow.Decimal128Type{Precision: a.precision, Scale: a.scale}, nil
	}
	c.out = 32
	return &arrow.Decimal256Type{Precision: a.precision, Scale: a.scale}, nil
}

// An annotation is a logical type, whether written the new way or the old.
type annotation struct {
	text, date, time, timestamp, utc, decimal, float16, null, unsigned bool

	unit             arrow.TimeUnit
	bits             int
	precision, scale int32
}

func annotate(e *format.SchemaElement) annotation {
	switch t := e.LogicalType.Value.(type) {
	case *format.StringType, *format.EnumType, *format.JsonType:
		return annotation{text: true}
	case *format.DateType:
		return annotation{date: true}
	case *format.TimeType:
		return annotation{time: true, utc: t.IsAdjustedToUTC, unit: timeUnit(t.Unit)}
	case *format.TimestampType:
		return annotation{timestamp: true, utc: t.IsAdjustedToUTC, unit: timeUnit(t.Unit)}
	case *format.DecimalType:
		return annotation{decimal: true, precision: t.Precision, scale: t.Scale}
	case *format.IntType:
		return annotation{bits: int(t.BitWidth), unsigned: !t.IsSigned}
	case *format.Float16Type:
		return annotation{float16: true}
	case *format.NullType:
		return annotation{null: true}
	case nil:
		return annotateOld(e)
	}
	return annotation{}
}

func timeUnit(u format.TimeUnit) arrow.TimeUnit {
	switch u.Value.(type) {
	case *format.MicroSeconds:
		return arrow.Microsecond
	case *format.NanoSeconds:
		return arrow.Nanosecond
	}
	return arrow.Millisecond
}

// annotateOld reads the converted types of format version 1. Its times count as
// adjusted to UTC; the specification says so.
func annotateOld(e *format.SchemaElement) annotation {
	if !e.ConvertedType.Valid {
		return annotation{}
	}
	switch e.ConvertedType.V {
	case deprecated.UTF8, deprecated.Enum, deprecated.Json:
		return annotation{text: true}
	case deprecated.Date:
		return annotation{date: true}
	case deprecated.TimeMillis:
		return annotation{time: true, utc: true, unit: arrow.Millisecond}
	case deprecated.TimeMicros:
		return annotation{time: true, utc: true, unit: arrow.Microsecond}
	case deprecated.TimestampMillis:
		return annotation{timestamp: true, utc: true, unit: arrow.Millisecond}
	case deprecated.TimestampMicros:
		return annotation{timestamp: true, utc: true, unit: arrow.Microsecond}
	case deprecated.Decimal:
		return annotation{decimal: true, precision: e.Precision.V, scale: e.Scale.V}
	case deprecated.Uint8, deprecated.Uint16, deprecated.Uint32, deprecated.Uint64:
		return annotation{unsigned: true, bits: 8 << (e.ConvertedType.V - deprecated.Uint8)}
	case deprecated.Int8, deprecated.Int16, deprecated.Int32, deprecated.Int64:
		return annotation{bits: 8 << (e.ConvertedType.V - deprecated.Int8)}
	}
	return annotation{}
}
