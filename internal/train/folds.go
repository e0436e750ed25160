package train

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
)

// foldDraw is added to the seed for the draw of folds, so that it does not depend on the
// draws that divide parts.
const foldDraw = 4

// folds divide rows: those of an entity are in one fold.
type folds struct {
	n    int // that have rows
	key  []string
	seed int64
	days []int64 // first day of each fold but the first; nil if a draw divides
	of   []int   // fold of each that the draw makes, -1 for one without rows
	cuts string  // what they are, for people
}

// foldsOf divides rows into the manifest's number of folds. If a date or a timestamp is
// the entity, a fold is consecutive days (of UTC) with about as many rows as the others
// have: neighbouring days are alike, and must not vouch for each other. Otherwise the entity's
// key and the seed decide. Where there are too few entities, there are fewer folds; less
// than two are an error.
func foldsOf(rows Rows, m *Manifest) (*folds, error) {
	f := &folds{n: m.Folds, key: m.Entity, seed: m.Seed + foldDraw}
	byDay, drawn := map[int64]int64{}, make([]int64, m.Folds)
	dated := false
	for rec, err := range rows {
		if err != nil {
			return nil, err
		}
		day, err := f.day(rec)
		if err != nil {
			return nil, err
		}
		if dated = day != nil; dated {
			for i := range int(rec.NumRows()) {
				byDay[day(i)]++
			}
			continue
		}
		hash, err := entities(rec, f.key, f.seed)
		if err != nil {
			return nil, err
		}
		for i := range int(rec.NumRows()) {
			drawn[int(fraction(hash(i))*float64(len(drawn)))]++
		}
	}
	if dated {
		f.byDays(byDay)
	} else {
		f.byDraw(drawn)
	}
	if f.n < 2 {
		return nil, fmt.Errorf("calibrate %s: a calibration is cross-fitted over at least two folds, and all rows have the same %s; learn from more batches, or set calibrate to none", m.Calibrate, names(f.key))
	}
	return f, nil
}

// nullDay is the day of rows without one.
const nullDay = math.MinInt64

// day returns the day of each row of a record, or nil if the key is no date.
func (f *folds) day(rec arrow.Record) (func(row int) int64, error) {
	if len(f.key) != 1 {
		return nil, nil
	}
	c, err := columnOf(rec, f.key[0])
	if err != nil {
		return nil, err
	}
	at := moments(c)
	if at == nil {
		return nil, nil
	}
	return func(row int) int64 {
		if c.IsNull(row) {
			return nullDay
		}
		return int64(math.Floor(float64(at(row).Unix()) / (24 * 60 * 60)))
	}, nil
}

// byDays makes folds of consecutive days. rows counts the rows of each day.
func (f *folds) byDays(rows map[int64]int64) {
	days := make([]int64, 0, len(rows))
	var total, before int64
	for day, n := range rows {
		days, total = append(days, day), total+n
	}
	slices.Sort(days)
	last := int64(-1)
	for _, day := range days {
		if fold := before * int64(f.n) / total; fold != last {
			if last = fold; before > 0 {
				f.days = append(f.days, day)
			}
		}
		before += rows[day]
	}
	f.n = len(f.days) + 1
	f.cuts = "consecutive days"
	for i, day := range f.days {
		f.cuts += []string{", the next from ", ", "}[min(i, 1)] + time.Unix(day*24*60*60, 0).UTC().Format(time.DateOnly)
	}
}

// byDraw leaves out the folds that no row is in.
func (f *folds) byDraw(rows []int64) {
	f.n = 0
	for _, n := range rows {
		if n == 0 {
			f.of = append(f.of, -1)
			continue
		}
		f.of = append(f.of, f.n)
		f.n++
	}
	f.cuts = "drawn by " + names(f.key)
}

// rows returns the rows of a fold, or of all others.
func (f *folds) rows(of Rows, fold int, inside bool) Rows {
	return func(yield func(arrow.Record, error) bool) {
		for rec, err := range of {
			var at func(row int) int
			if err == nil {
				at, err = f.at(rec)
			}
			if err != nil {
				yield(nil, err)
				return
			}
			keep := make([]bool, rec.NumRows())
			for i := range keep {
				keep[i] = (at(i) == fold) == inside
			}
			if !yieldKept(rec, keep, yield) {
				return
			}
		}
	}
}

// at returns the fold of each row of a record.
func (f *folds) at(rec arrow.Record) (func(row int) int, error) {
	if f.of != nil {
		hash, err := entities(rec, f.key, f.seed)
		return func(row int) int { return f.of[int(fraction(hash(row))*float64(len(f.of)))] }, err
	}
	day, err := f.day(rec)
	if err != nil {
		return nil, err
	}
	return func(row int) int {
		fold, found := slices.BinarySearch(f.days, day(row))
		if found {
			fold++
		}
		return fold
	}, nil
}

// note says how rows were divided.
func (f *folds) note() string {
	return fmt.Sprintf("the calibration was cross-fitted over %d folds: %s", f.n, f.cuts)
}
