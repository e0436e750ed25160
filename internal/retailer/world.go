package retailer

import (
	"fmt"
	"iter"
	"slices"

	"github.com/apache/arrow/go/v17/arrow"
)

// A World is a simulated shop. Equal worlds give equal values on every machine.
type World struct {
	Seed      uint64
	Customers int  // a month has this many rows; at most 999,999,999
	Steady    bool // no campaign and no price change
}

// Options choose a part of a month and what goes wrong with it. The zero value
// is the whole month as it should be.
type Options struct {
	Fault Fault
	// Part and Parts cut a month into Parts deliveries of about equal size, of
	// which Part, counted from 0, is made. 0 Parts means 1.
	Part, Parts int
}

const (
	recordRows = 16384
	chunkRows  = 256 // customers in flight between simulating and appending
)

// Month streams the rows of a month like "2024-01", in the order of the slots.
// A record has up to 16,384 rows and is valid until the next one is asked for;
// retain it to keep it. A month outside 2023 and 2024 gives [ErrMonth].
func (w World) Month(month string) iter.Seq2[arrow.Record, error] { return w.Records(month, nil) }

// Records is Month with options.
func (w World) Records(month string, o *Options) iter.Seq2[arrow.Record, error] {
	if o == nil {
		o = &Options{}
	}
	return func(yield func(arrow.Record, error) bool) {
		m, err := monthIndex(month)
		if err != nil {
			yield(nil, err)
			return
		}
		from, to, err := w.slots(o)
		if err != nil {
			yield(nil, err)
			return
		}
		w.stream(m, from, to, newBuilder(columnsOf(o.Fault)), o.Fault, yield)
	}
}

// slots returns the slots of a part, the last one excluded, if the options make
// sense.
func (w World) slots(o *Options) (from, to int, err error) {
	parts := max(o.Parts, 1)
	if o.Part < 0 || o.Part >= parts {
		return 0, 0, fmt.Errorf("retailer: part %d of %d", o.Part, parts)
	}
	if !slices.Contains([]Fault{NoFault, BadRows, MissingColumn, Cents, Tracker}, o.Fault) {
		return 0, 0, fmt.Errorf("retailer: no fault is called %q", o.Fault)
	}
	if w.Customers < 0 || w.Customers > 999_999_999 {
		return 0, 0, fmt.Errorf("retailer: %d customers", w.Customers)
	}
	return w.Customers * o.Part / parts, w.Customers * (o.Part + 1) / parts, nil
}

// stream makes the slots' rows, a record at a time.
func (w World) stream(m, from, to int, b *builder, f Fault, yield func(arrow.Record, error) bool) {
	var chunk [chunkRows]customer
	asOf := firstDay(m)
	for from < to {
		rows := min(recordRows, to-from)
		for done := 0; done < rows; {
			n := min(chunkRows, rows-done)
			for i := range n {
				w.customer(&chunk[i], from+done+i, m, asOf)
				w.damage(&chunk[i], m, f)
			}
			b.add(chunk[:n])
			done += n
		}
		rec := b.record(rows)
		more := yield(rec, nil)
		rec.Release()
		if !more {
			return
		}
		from += rows
	}
}
