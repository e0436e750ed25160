package train

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/zeebo/xxh3"

	"headgate/internal/columnar"
	"headgate/internal/model"
)

// usable returns the rows of a part that may be learned from: those that are not later
// than as-of, have a label, and are not of an entity that is kept for the evidence.
// Each time it is ranged over, it counts them into used.
func usable(rows Rows, m *Manifest, used *Used) (Rows, error) {
	limit, err := m.limit()
	if err != nil {
		return nil, err
	}
	return func(yield func(arrow.Record, error) bool) {
		*used = Used{}
		for rec, err := range rows {
			if err != nil {
				yield(nil, err)
				return
			}
			keep, err := chosen(rec, m, limit, used)
			if err != nil {
				yield(nil, err)
				return
			}
			if !yieldKept(rec, keep, yield) {
				return
			}
		}
	}, nil
}

// yieldKept yields the rows of a record that are kept. It returns false if the sequence
// ends.
func yieldKept(rec arrow.Record, keep []bool, yield func(arrow.Record, error) bool) bool {
	kept, err := columnar.Take(rec, keep)
	if err != nil {
		yield(nil, err)
		return false
	}
	defer kept.Release()
	return kept.NumRows() == 0 || yield(kept, nil)
}

// chosen marks the rows of a record that may be learned from.
func chosen(rec arrow.Record, m *Manifest, limit time.Time, used *Used) ([]bool, error) {
	label, err := columnOf(rec, m.Label)
	if err != nil {
		return nil, err
	}
	late := func(int) bool { return false }
	if !limit.IsZero() && m.EventTime != "" {
		at, err := instants(rec, m.EventTime)
		if err != nil {
			return nil, err
		}
		late = func(i int) bool {
			t, ok := at(i)
			return !ok || !t.Before(limit)
		}
	}
	held := func(int) bool { return false }
	if m.Split.Entities > 0 {
		hash, err := entities(rec, m.Entity, m.Seed)
		if err != nil {
			return nil, err
		}
		held = func(i int) bool { return isHeld(hash(i), m.Split.Entities) }
	}
	keep := make([]bool, rec.NumRows())
	for i := range keep {
		switch {
		case late(i):
			used.After++
		case unlabelled(label, i):
			used.Unknown++
		case held(i):
			used.Held++
		default:
			keep[i] = true
			used.Rows++
		}
	}
	return keep, nil
}

// unlabelled reports whether the outcome of a row is not known.
func unlabelled(label arrow.Array, i int) bool {
	if label.IsNull(i) {
		return true
	}
	switch a := label.(type) {
	case *array.Float64:
		return math.IsNaN(a.Value(i))
	case *array.Float32:
		return math.IsNaN(float64(a.Value(i)))
	}
	return false
}

// Entities returns the rows of entities that are kept for the evidence, if held is true,
// or else the rows of all others. An entity is always on the same side, for its key and
// the seed decide: a share of the keys is held. Equal integers of any width are one key.
func Entities(rows Rows, key []string, seed int64, share float64, held bool) Rows {
	return func(yield func(arrow.Record, error) bool) {
		for rec, err := range rows {
			if err != nil {
				yield(nil, err)
				return
			}
			hash, err := entities(rec, key, seed)
			if err != nil {
				yield(nil, err)
				return
			}
			keep := make([]bool, rec.NumRows())
			for i := range keep {
				keep[i] = isHeld(hash(i), share) == held
			}
			if !yieldKept(rec, keep, yield) {
				return
			}
		}
	}
}

// isHeld reports whether a hash is among the share that is held.
func isHeld(hash uint64, share float64) bool { return fraction(hash) < share }

// fraction returns where a hash is among all of them, from 0 to 1.
func fraction(hash uint64) float64 { return float64(hash>>11) / (1 << 53) }

// entities returns the hash of the key of each row of a record.
func entities(rec arrow.Record, key []string, seed int64) (func(row int) uint64, error) {
	if len(key) == 0 {
		return nil, errors.New("training data: no column names the entity, so entities cannot be told apart")
	}
	columns := make([]arrow.Array, len(key))
	for i, name := range key {
		var err error
		if columns[i], err = columnOf(rec, name); err != nil {
			return nil, err
		}
	}
	var buf []byte
	return func(row int) uint64 {
		buf = buf[:0]
		for _, c := range columns {
			buf = appendKey(buf, c, row)
		}
		return xxh3.HashSeed(buf, uint64(seed))
	}, nil
}

// appendKey appends one value of a key: integers as 8 bytes, all others as text with
// its length before it.
func appendKey(buf []byte, c arrow.Array, row int) []byte {
	switch a := c.(type) {
	case *array.Int64:
		return appendInt(buf, a, row, a.Value)
	case *array.Int32:
		return appendInt(buf, a, row, a.Value)
	case *array.Int16:
		return appendInt(buf, a, row, a.Value)
	case *array.Int8:
		return appendInt(buf, a, row, a.Value)
	case *array.Uint64:
		return appendInt(buf, a, row, a.Value)
	case *array.Uint32:
		return appendInt(buf, a, row, a.Value)
	case *array.Dictionary:
		if a.IsValid(row) {
			return appendText(buf, a.Dictionary().ValueStr(a.GetValueIndex(row)))
		}
	}
	return appendText(buf, c.ValueStr(row))
}

func appendInt[T int8 | int16 | int32 | int64 | uint32 | uint64](buf []byte, a arrow.Array, row int, value func(int) T) []byte {
	if a.IsNull(row) {
		return appendText(buf, array.NullValueStr)
	}
	return binary.LittleEndian.AppendUint64(buf, uint64(int64(value(row))))
}

func appendText(buf []byte, s string) []byte {
	return append(binary.AppendUvarint(buf, uint64(len(s))), s...)
}

// columnOf returns a column by its name.
func columnOf(rec arrow.Record, name string) (arrow.Array, error) {
	switch at := rec.Schema().FieldIndices(name); len(at) {
	case 1:
		return rec.Column(at[0]), nil
	case 0:
		return nil, &model.InputError{Column: name, Reason: "is missing"}
	default:
		return nil, &model.InputError{Column: name, Reason: fmt.Sprintf("is there %d times", len(at))}
	}
}

// instants returns the reader of a column of dates or timestamps; ok is false for null.
func instants(rec arrow.Record, name string) (func(row int) (at time.Time, ok bool), error) {
	c, err := columnOf(rec, name)
	if err != nil {
		return nil, err
	}
	read := moments(c)
	if read == nil {
		return nil, &model.InputError{Column: name, Reason: fmt.Sprintf("is of type %s; a date or a timestamp is needed", c.DataType())}
	}
	return func(row int) (time.Time, bool) {
		if c.IsNull(row) {
			return time.Time{}, false
		}
		return read(row), true
	}, nil
}

// moments returns the reader of dates or timestamps, or nil for other columns.
func moments(c arrow.Array) func(row int) time.Time {
	switch a := c.(type) {
	case *array.Date32:
		return func(row int) time.Time { return a.Value(row).ToTime() }
	case *array.Date64:
		return func(row int) time.Time { return a.Value(row).ToTime() }
	case *array.Timestamp:
		unit := a.DataType().(*arrow.TimestampType).Unit
		return func(row int) time.Time { return a.Value(row).ToTime(unit) }
	}
	return nil
}

// until ends a sequence when ctx ends.
func until(ctx context.Context, rows Rows) Rows {
	return func(yield func(arrow.Record, error) bool) {
		for rec, err := range rows {
			if err == nil {
				err = ctx.Err()
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(rec, nil) {
				return
			}
		}
	}
}
