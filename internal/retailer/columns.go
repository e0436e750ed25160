package retailer

import (
	"fmt"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// A column knows its name, its type, and how to read its value off a customer.
type column struct {
	name   string
	typ    arrow.DataType
	value  func(*customer) float64 // number, 0 or 1, days since 1970, or code of a category
	null   func(*customer) bool    // nil means never
	labels []string                // of a category
}

var (
	category = &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: arrow.BinaryTypes.String}
	double   = arrow.PrimitiveTypes.Float64
	float    = arrow.PrimitiveTypes.Float32
	integer  = arrow.PrimitiveTypes.Int32
	date     = arrow.FixedWidthTypes.Date32
	boolean  = arrow.FixedWidthTypes.Boolean
)

// features lists the columns of a month in their order. The first one,
// customer_id, is a string and has no value function.
var features = []column{
	{name: "customer_id", typ: arrow.BinaryTypes.String, null: func(c *customer) bool { return c.nameless }},
	{name: "as_of", typ: date, value: func(c *customer) float64 { return float64(c.asOf) }},
	{name: "tenure", typ: double, value: func(c *customer) float64 { return c.tenure }},
	{name: "recency", typ: double, value: func(c *customer) float64 { return c.recency }},
	{name: "orders_12m", typ: integer, value: func(c *customer) float64 { return c.orders }},
	{name: "visits_30d", typ: integer, value: func(c *customer) float64 { return c.visits }},
	{name: "discount_share", typ: double, value: func(c *customer) float64 { return c.discountShare }},
	{name: "abandoned_carts", typ: integer, value: func(c *customer) float64 { return c.abandoned }},
	{name: "return_rate", typ: double, value: func(c *customer) float64 { return c.returnRate }},
	{name: "basket_value", typ: double, value: func(c *customer) float64 { return c.basket }, null: func(c *customer) bool { return c.orders == 0 }},
	{name: "age", typ: integer, value: func(c *customer) float64 { return c.age }, null: func(c *customer) bool { return c.ageUnknown }},
	{name: "email_open_rate", typ: double, value: func(c *customer) float64 { return c.openRate }, null: func(c *customer) bool { return !c.consent }},
	{name: "days_since_visit", typ: integer, value: func(c *customer) float64 { return c.daysSinceVisit }},
	{name: "tickets", typ: integer, value: func(c *customer) float64 { return c.tickets }},
	{name: "items_viewed", typ: integer, value: func(c *customer) float64 { return c.itemsViewed }},
	{name: "distance_km", typ: float, value: func(c *customer) float64 { return c.distance }},
	{name: "wishlist_items", typ: integer, value: func(c *customer) float64 { return c.wishlist }},
	{name: "coupons_used", typ: integer, value: func(c *customer) float64 { return c.couponsUsed }},
	{name: "reviews", typ: integer, value: func(c *customer) float64 { return c.reviews }},
	{name: "delivery_days", typ: integer, value: func(c *customer) float64 { return c.deliveryDay }},
	{name: "region", typ: category, labels: regions, value: func(c *customer) float64 { return float64(c.region) }},
	{name: "brand", typ: category, labels: brands, value: func(c *customer) float64 { return float64(c.brand) }},
	{name: "segment", typ: category, labels: segments, value: func(c *customer) float64 { return float64(c.segment) }},
	{name: "device", typ: category, labels: devices, value: func(c *customer) float64 { return float64(c.device) }},
	{name: "channel", typ: category, labels: channels, value: func(c *customer) float64 { return float64(c.channel) }},
	{name: "payment", typ: category, labels: payments, value: func(c *customer) float64 { return float64(c.payment) }},
	{name: "loyalty", typ: category, labels: loyalty, value: func(c *customer) float64 { return float64(c.loyalty) }},
	{name: "app", typ: boolean, value: func(c *customer) float64 { return oneIf(c.app) }},
	{name: "newsletter", typ: boolean, value: func(c *customer) float64 { return oneIf(c.newsletter) }},
	{name: "consent", typ: boolean, value: func(c *customer) float64 { return oneIf(c.consent) }},
	{name: "birthday", typ: date, value: func(c *customer) float64 { return float64(c.birthday) }},
}

// oneIf returns 1 for true and 0 for false.
func oneIf(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// id writes the customer's key: a letter for how the shop got the customer (C,
// or P for the partner), the slot, and the months from December 2022 to the
// month of joining (00 if before).
func (c *customer) id() string {
	letter := 'C'
	if c.partner {
		letter = 'P'
	}
	b := [16]byte{byte(letter)}
	n := c.slot
	for i := 9; i > 0; i-- {
		b[i], n = byte('0'+n%10), n/10
	}
	b[10] = '-'
	b[11], b[12] = byte('0'+(c.joined+1)/10), byte('0'+(c.joined+1)%10)
	return string(b[:13])
}

// schemaOf returns the schema of the columns. A supplier's files say that
// everything may be null; what is required, the contract says.
func schemaOf(columns []column) *arrow.Schema {
	fields := make([]arrow.Field, len(columns))
	for i, c := range columns {
		fields[i] = arrow.Field{Name: c.name, Type: c.typ, Nullable: true}
	}
	md := metadata()
	return arrow.NewSchema(fields, &md)
}

// metadata says in every schema that the data are not real.
func metadata() arrow.Metadata {
	return arrow.NewMetadata([]string{"simulated", "source"}, []string{"true", "headgate internal/retailer: no real customers"})
}

// A builder collects customers column by column.
type builder struct {
	schema  *arrow.Schema
	columns []column
	arrays  []array.Builder
	dicts   []arrow.Array
}

// newBuilder returns a builder of records with the given columns.
func newBuilder(columns []column) *builder {
	b := &builder{schema: schemaOf(columns), columns: columns}
	mem := memory.NewGoAllocator()
	for _, c := range columns {
		typ := c.typ
		var dict arrow.Array
		if c.labels != nil {
			typ = integer
			dict = stringArray(mem, c.labels)
		}
		b.arrays = append(b.arrays, array.NewBuilder(mem, typ))
		b.dicts = append(b.dicts, dict)
	}
	return b
}

// stringArray returns the strings as an array.
func stringArray(mem memory.Allocator, values []string) arrow.Array {
	b := array.NewStringBuilder(mem)
	b.AppendValues(values, nil)
	return b.NewArray()
}

// add appends the customers.
func (b *builder) add(customers []customer) {
	for i := range b.columns {
		appendColumn(b.arrays[i], &b.columns[i], customers)
	}
}

// appendColumn appends one column of the customers.
func appendColumn(to array.Builder, col *column, customers []customer) {
	to.Reserve(len(customers))
	for i := range customers {
		c := &customers[i]
		if col.null != nil && col.null(c) {
			to.AppendNull()
			continue
		}
		switch to := to.(type) {
		case *array.Float64Builder:
			to.UnsafeAppend(col.value(c))
		case *array.Float32Builder:
			to.UnsafeAppend(float32(col.value(c)))
		case *array.Int32Builder:
			to.UnsafeAppend(int32(col.value(c)))
		case *array.Date32Builder:
			to.UnsafeAppend(arrow.Date32(col.value(c)))
		case *array.BooleanBuilder:
			to.UnsafeAppend(col.value(c) != 0)
		case *array.StringBuilder:
			to.Append(c.id())
		default:
			panic(fmt.Sprintf("retailer: column %s has no builder", col.name))
		}
	}
}

// record returns what was added since the last call. The caller releases it.
func (b *builder) record(rows int) arrow.Record {
	arrays := make([]arrow.Array, len(b.arrays))
	for i, from := range b.arrays {
		arrays[i] = from.NewArray()
		if b.dicts[i] != nil {
			codes := arrays[i]
			arrays[i] = array.NewDictionaryArray(category, codes, b.dicts[i])
			codes.Release()
		}
	}
	rec := array.NewRecord(b.schema, arrays, int64(rows))
	for _, a := range arrays {
		a.Release()
	}
	return rec
}
