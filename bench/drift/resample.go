package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"

	"github.com/apache/arrow/go/v17/arrow"

	"headgate/internal/drift"
	"headgate/internal/profile"
)

// resamples compares a month of flights with itself: two samples of n rows each,
// drawn with replacement. Every alarm is false.
func resamples(ctx context.Context, s settings, out io.Writer) error {
	var month arrow.Record
	err := readFlights(s.shared, s.month, func(rec arrow.Record) error {
		rec.Retain()
		month = rec
		return nil
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "### Flights of %s against themselves\n\nTwo samples of n rows of the same %d flights, %d columns. Every alarm is false.\n\n", s.month, month.NumRows(), month.NumCols())
	t := table{head: append(append([]string{"n", "pairs", "counted"}, ruleNames[:]...), "inconclusive")}
	for _, n := range []int{100, 300, 1_000, 3_000, 10_000, 100_000, 1_000_000} {
		if n > s.largest {
			break
		}
		repeats := s.repeats
		if n >= 1_000_000 {
			repeats = max(1, repeats/10)
		}
		var all tally
		for i := range repeats {
			if err := ctx.Err(); err != nil {
				return err
			}
			rng := rand.New(rand.NewPCG(uint64(n), uint64(i)))
			ref, err := resample(month, n, rng)
			if err != nil {
				return err
			}
			cur, err := resample(month, n, rng)
			if err != nil {
				return err
			}
			if err := all.compare(ref, cur); err != nil {
				return err
			}
		}
		t.add(append([]string{fmt.Sprint(n), fmt.Sprint(repeats), "columns"}, shares(all.column, all.columns)...)...)
		t.rows[len(t.rows)-1] = append(t.rows[len(t.rows)-1], "")
		t.add(append([]string{"", "", "batches"}, append(shares(all.batch, all.batches), share(all.unknown, all.batches))...)...)
	}
	return t.write(out)
}

// compare adds a pair, measured whatever its size and judged by the defaults.
func (t *tally) compare(ref, cur *profile.Profile) error {
	measured, err := drift.Compare(ref, cur, &drift.Options{MinRows: 1})
	if err != nil {
		return err
	}
	judged, err := drift.Compare(ref, cur, nil)
	if err != nil {
		return err
	}
	t.add(measured, judged)
	return nil
}
