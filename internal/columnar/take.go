package columnar

import (
	"fmt"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// Take returns the rows of a record that are kept: keep has one element a row. The
// caller releases the result. It copies nothing if the rows stand together.
func Take(rec arrow.Record, keep []bool) (arrow.Record, error) {
	var runs [][2]int64
	for i := 0; i < len(keep); {
		if !keep[i] {
			i++
			continue
		}
		from := i
		for i < len(keep) && keep[i] {
			i++
		}
		runs = append(runs, [2]int64{int64(from), int64(i)})
	}
	switch len(runs) {
	case 0:
		return rec.NewSlice(0, 0), nil
	case 1:
		return rec.NewSlice(runs[0][0], runs[0][1]), nil
	}
	var rows int64
	for _, r := range runs {
		rows += r[1] - r[0]
	}
	columns := make([]arrow.Array, rec.NumCols())
	for i, c := range rec.Columns() {
		taken, err := takeColumn(c, runs)
		if err != nil {
			return nil, fmt.Errorf("columnar: rows of column %q: %w", rec.ColumnName(i), err)
		}
		defer taken.Release()
		columns[i] = taken
	}
	return array.NewRecord(rec.Schema(), columns, rows), nil
}

func takeColumn(c arrow.Array, runs [][2]int64) (arrow.Array, error) {
	if d, ok := c.(*array.Dictionary); ok {
		codes, err := takeColumn(d.Indices(), runs)
		if err != nil {
			return nil, err
		}
		defer codes.Release()
		return array.NewDictionaryArray(d.DataType(), codes, d.Dictionary()), nil
	}
	parts := make([]arrow.Array, len(runs))
	for i, r := range runs {
		parts[i] = array.NewSlice(c, r[0], r[1])
		defer parts[i].Release()
	}
	return array.Concatenate(parts, memory.DefaultAllocator)
}
