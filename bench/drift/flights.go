package main

import (
	"compress/gzip"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"headgate/internal/model"
	"headgate/internal/profile"
)

// flightColumns are the columns that say something about a flight beforehand. The
// date, and the flight's number and key, move by themselves.
var flightColumns = func() []model.Input {
	var inputs []model.Input
	for _, name := range []string{"dow", "hour", "sched_dep_time", "sched_arr_time", "distance", "plane_year", "engines",
		"seats", "temp", "wind_dir", "wind_speed", "wind_gust", "precip", "visib"} {
		inputs = append(inputs, model.Input{Name: name})
	}
	for _, name := range []string{"carrier", "tailnum", "origin", "dest", "manufacturer", "engine"} {
		inputs = append(inputs, model.Input{Name: name, Categories: []string{"text"}})
	}
	return inputs
}()

// readFlights yields the records of a month of flights, such as 2021-07, to visit.
func readFlights(shared, month string, visit func(arrow.Record) error) error {
	f, err := os.Open(filepath.Join(shared, "flights", month+".csv.gz"))
	if err != nil {
		return err
	}
	defer f.Close()
	text, err := gzip.NewReader(f)
	if err != nil {
		return fmt.Errorf("flights of %s: %w", month, err)
	}
	for rec, err := range model.ReadCSV(text, flightColumns, 1<<20) {
		if err != nil {
			return fmt.Errorf("flights of %s: %w", month, err)
		}
		if err := visit(rec); err != nil {
			return err
		}
	}
	return nil
}

// resample returns the profile of n rows of a record, drawn with replacement.
func resample(rec arrow.Record, n int, rng *rand.Rand) (*profile.Profile, error) {
	b := profile.NewBuilder(nil)
	for n > 0 {
		rows := make([]int, min(n, 1<<16))
		for i := range rows {
			rows[i] = rng.IntN(int(rec.NumRows()))
		}
		part := take(rec, rows)
		err := b.Add(part)
		part.Release()
		if err != nil {
			return nil, err
		}
		n -= len(rows)
	}
	return b.Profile(), nil
}

// take returns some rows of a record of numbers and texts.
func take(rec arrow.Record, rows []int) arrow.Record {
	var columns []arrow.Array
	for _, a := range rec.Columns() {
		to := array.NewBuilder(memory.DefaultAllocator, a.DataType())
		to.Reserve(len(rows))
		for _, i := range rows {
			switch from := a.(type) {
			case *array.Float64:
				if from.IsNull(i) {
					to.AppendNull()
				} else {
					to.(*array.Float64Builder).Append(from.Value(i))
				}
			case *array.String:
				if from.IsNull(i) {
					to.AppendNull()
				} else {
					to.(*array.StringBuilder).Append(from.Value(i))
				}
			}
		}
		columns = append(columns, to.NewArray())
		to.Release()
	}
	return array.NewRecord(rec.Schema(), columns, int64(len(rows)))
}
