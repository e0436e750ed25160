package retailer

import (
	"fmt"
	"iter"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

const (
	couponChance = 0.8 // of a customer in the top decile
	couponEffect = 0.4 // on the logit
	windowDays   = 30  // a purchase counts until this many days after as_of
	lateShare    = 0.10
	lateDays     = 14
	returnShare  = 0.04
)

// A Campaign chooses who may get a coupon: for a record of a month's features it
// returns one bool a row, true for the top decile of the serving model's scores.
// The record is valid only during the call.
type Campaign func(features arrow.Record) ([]bool, error)

// LabelOptions choose which labels of a month are meant.
type LabelOptions struct {
	// Campaign is nil while nobody gets coupons, as in 2023.
	Campaign Campaign
	// Revised labels know the purchases that were reverted by returns: 4 % of
	// them. They come as a second file.
	Revised bool
}

// labelSchema is the schema of [World.Labels].
var labelSchema = simulated(
	arrow.Field{Name: "customer_id", Type: arrow.BinaryTypes.String},
	arrow.Field{Name: "as_of", Type: date},
	arrow.Field{Name: "bought", Type: boolean},
	arrow.Field{Name: "settled_on", Type: date},
	arrow.Field{Name: "treated", Type: boolean},
	arrow.Field{Name: "propensity", Type: double},
)

// truthSchema is the schema of [World.Truth].
var truthSchema = simulated(
	arrow.Field{Name: "customer_id", Type: arrow.BinaryTypes.String},
	arrow.Field{Name: "as_of", Type: date},
	arrow.Field{Name: "p_untreated", Type: double},
	arrow.Field{Name: "p_treated", Type: double},
)

// simulated returns a schema that says that the data are not real.
func simulated(fields ...arrow.Field) *arrow.Schema {
	md := metadata()
	return arrow.NewSchema(fields, &md)
}

// Labels streams who bought within 30 days of a month's first day: customer_id,
// as_of, bought, settled_on (when the shop knew), treated (got a coupon) and
// propensity (of being treated, 0.8 or 0). One label in ten settles up to 14
// days late, so the labels of a month are complete 44 days after its first day.
//
// The rows are those of [World.Month], in the same order, and records are as
// long. They are valid until the next one is asked for.
func (w World) Labels(month string, o *LabelOptions) iter.Seq2[arrow.Record, error] {
	if o == nil {
		o = &LabelOptions{}
	}
	return w.derive(month, o.Campaign, labelSchema, func(b *array.RecordBuilder, c *customer, m int, top bool) {
		_, monthly := w.about(c, m)
		propensity, x := 0.0, w.logit(c, m)
		if top {
			propensity = couponChance
		}
		treated := monthly.chance(drawTreated, propensity)
		if treated {
			x += couponEffect
		}
		bought := monthly.chance(drawBought, logistic(x))
		if bought && o.Revised && monthly.chance(drawReturned, returnShare) {
			bought = false
		}
		settled := c.asOf + windowDays
		if monthly.chance(drawLate, lateShare) {
			settled += 1 + int32(lateDays*monthly.uniform(drawLateDays))
		}
		b.Field(2).(*array.BooleanBuilder).Append(bought)
		b.Field(3).(*array.Date32Builder).Append(arrow.Date32(settled))
		b.Field(4).(*array.BooleanBuilder).Append(treated)
		b.Field(5).(*array.Float64Builder).Append(propensity)
	})
}

// Truth streams the probability to buy without and with a coupon. It is there to
// judge the judges; no pipeline may read it. Rows and records are those of
// [World.Month].
func (w World) Truth(month string) iter.Seq2[arrow.Record, error] {
	return w.derive(month, nil, truthSchema, func(b *array.RecordBuilder, c *customer, m int, _ bool) {
		x := w.logit(c, m)
		b.Field(2).(*array.Float64Builder).Append(logistic(x))
		b.Field(3).(*array.Float64Builder).Append(logistic(x + couponEffect))
	})
}

// derive streams one row for each customer of a month: the key, the day, and
// what add appends.
func (w World) derive(month string, top Campaign, schema *arrow.Schema, add func(b *array.RecordBuilder, c *customer, m int, top bool)) iter.Seq2[arrow.Record, error] {
	return func(yield func(arrow.Record, error) bool) {
		m, err := monthIndex(month)
		if err != nil {
			yield(nil, err)
			return
		}
		b := array.NewRecordBuilder(memory.NewGoAllocator(), schema)
		defer b.Release()
		for from := 0; from < w.Customers; from += recordRows {
			rows := min(recordRows, w.Customers-from)
			chosen, err := w.choose(m, from, rows, top)
			if err != nil {
				yield(nil, err)
				return
			}
			var c customer
			for i := range rows {
				w.customer(&c, from+i, m, firstDay(m))
				b.Field(0).(*array.StringBuilder).Append(c.id())
				b.Field(1).(*array.Date32Builder).Append(arrow.Date32(c.asOf))
				add(b, &c, m, chosen != nil && chosen[i])
			}
			rec := b.NewRecord()
			more := yield(rec, nil)
			rec.Release()
			if !more {
				return
			}
		}
	}
}

// choose asks the campaign about a stretch of slots. Without one the answer is
// nil: nobody.
func (w World) choose(m, from, rows int, top Campaign) ([]bool, error) {
	if top == nil {
		return nil, nil
	}
	var chosen []bool
	var err error
	w.stream(m, from, from+rows, newBuilder(features), NoFault, func(rec arrow.Record, _ error) bool {
		chosen, err = top(rec)
		return false
	})
	if err == nil && len(chosen) != rows {
		err = fmt.Errorf("retailer: the campaign judged %d of %d customers", len(chosen), rows)
	}
	return chosen, err
}
