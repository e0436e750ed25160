package main

import (
	"context"
	"io"
	"iter"
	"os"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"headgate/internal/retailer"
)

// customers is how many the simulated retailer has; each month has a row for each.
const customers = 20_000

// writeRetailer writes some months of the simulated retailer, with who bought as the
// label, unless they are there already.
func writeRetailer(ctx context.Context, path string, seed uint64, months ...string) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	world := retailer.World{Seed: seed, Customers: customers}
	var records []arrow.Record
	for _, month := range months {
		next, stop := iter.Pull2(world.Labels(month, nil))
		for rec, err := range world.Month(month) {
			var labels arrow.Record
			if err == nil {
				labels, err, _ = next()
			}
			if err == nil {
				err = ctx.Err()
			}
			if err != nil {
				stop()
				return err
			}
			records = append(records, labelled(rec, labels))
		}
		stop()
	}
	return create(path, func(w io.Writer) error { return writeAll(w, records) })
}

// labelled is the features of a record, and the label as a double.
func labelled(rec, labels arrow.Record) arrow.Record {
	var fields []arrow.Field
	var columns []arrow.Array
	for i, f := range rec.Schema().Fields() {
		if f.Name != "customer_id" && f.Name != "as_of" && f.Name != "birthday" {
			fields = append(fields, f)
			columns = append(columns, rec.Column(i))
		}
	}
	bought := labels.Column(labels.Schema().FieldIndices("bought")[0]).(*array.Boolean)
	b := array.NewFloat64Builder(memory.NewGoAllocator())
	for i := range bought.Len() {
		v := 0.0
		if bought.Value(i) {
			v = 1
		}
		b.Append(v)
	}
	fields = append(fields, arrow.Field{Name: "label", Type: arrow.PrimitiveTypes.Float64})
	return array.NewRecord(arrow.NewSchema(fields, nil), append(columns, b.NewArray()), rec.NumRows())
}
