package profile

import (
	"math"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
)

// A scratch is memory that a builder uses again and again. Between arrays nothing
// is counted.
type scratch struct {
	floats  [pieceRows]float64
	wholes  [pieceRows]int64
	valid   [pieceRows]bool
	counts  []uint64 // by dictionary code or small number
	codes   []int    // those whose count is not 0
	targets []target
}

// room makes room for n codes. Nothing is counted at this time.
func (s *scratch) room(n int) {
	if len(s.counts) < n {
		s.counts = make([]uint64, n)
	}
}

// count counts a dictionary code or small number.
func (s *scratch) count(code int) {
	if s.counts[code] == 0 {
		s.codes = append(s.codes, code)
	}
	s.counts[code]++
}

// pieceRows is how many rows stay in the cache while they are read.
const pieceRows = 1024

// A piece is up to pieceRows numbers of an array. It has wholes if they come from
// integers that int64 holds, and floats if not.
type piece struct {
	wholes []int64
	floats []float64
	valid  []bool // nil if nothing is null; a null has any number
}

// piece reads the numbers from a row on. They are good until the next call.
func (s *scratch) piece(a arrow.Array, from int) piece {
	n := min(pieceRows, a.Len()-from)
	p := s.numbers(a, from, from+n)
	if p.wholes == nil && p.floats == nil {
		p = s.rare(a, from, from+n)
	}
	if null := nullOf(a); null != nil {
		p.valid = s.valid[:n]
		for i := range p.valid {
			p.valid[i] = !null(from + i)
		}
	}
	return p
}

// nullOf returns how to tell which rows are null, or nil if none is.
func nullOf(a arrow.Array) func(row int) bool {
	if d, ok := a.(*array.Dictionary); ok && d.Dictionary().NullN() > 0 {
		dict := d.Dictionary()
		return func(i int) bool { return d.IsNull(i) || dict.IsNull(d.GetValueIndex(i)) }
	}
	if a.NullN() == 0 {
		return nil
	}
	return a.IsNull
}

// numbers reads the numbers of the types that occur most.
func (s *scratch) numbers(a arrow.Array, from, to int) piece {
	switch a := a.(type) {
	case *array.Float64:
		return piece{floats: a.Float64Values()[from:to]}
	case *array.Float32:
		return piece{floats: convert(s.floats[:], a.Float32Values()[from:to])}
	case *array.Int64:
		return piece{wholes: a.Int64Values()[from:to]}
	case *array.Int32:
		return piece{wholes: convert(s.wholes[:], a.Int32Values()[from:to])}
	case *array.Int16:
		return piece{wholes: convert(s.wholes[:], a.Int16Values()[from:to])}
	case *array.Int8:
		return piece{wholes: convert(s.wholes[:], a.Int8Values()[from:to])}
	case *array.Uint64:
		return piece{floats: convert(s.floats[:], a.Uint64Values()[from:to])}
	case *array.Uint32:
		return piece{wholes: convert(s.wholes[:], a.Uint32Values()[from:to])}
	case *array.Uint16:
		return piece{wholes: convert(s.wholes[:], a.Uint16Values()[from:to])}
	case *array.Uint8:
		return piece{wholes: convert(s.wholes[:], a.Uint8Values()[from:to])}
	case *array.Date32:
		return piece{wholes: convert(s.wholes[:], a.Date32Values()[from:to])}
	case *array.Boolean:
		for i := range to - from {
			s.wholes[i] = 0
			if a.Value(from + i) {
				s.wholes[i] = 1
			}
		}
		return piece{wholes: s.wholes[:to-from]}
	}
	return piece{}
}

// rare reads the numbers of all other types.
func (s *scratch) rare(a arrow.Array, from, to int) piece {
	number := func(int) float64 { return 0 }
	switch a := a.(type) {
	case *array.Date64:
		number = func(i int) float64 { return math.Floor(float64(a.Value(i)) / 86_400_000) }
	case *array.Timestamp:
		unit := a.DataType().(*arrow.TimestampType).Unit
		number = func(i int) float64 { return micros(int64(a.Value(i)), unit) }
	case *array.Time32:
		unit := a.DataType().(*arrow.Time32Type).Unit
		number = func(i int) float64 { return micros(int64(a.Value(i)), unit) }
	case *array.Time64:
		unit := a.DataType().(*arrow.Time64Type).Unit
		number = func(i int) float64 { return micros(int64(a.Value(i)), unit) }
	case *array.Decimal128:
		scale := a.DataType().(*arrow.Decimal128Type).Scale
		number = func(i int) float64 { return a.Value(i).ToFloat64(scale) }
	case *array.Decimal256:
		scale := a.DataType().(*arrow.Decimal256Type).Scale
		number = func(i int) float64 { return a.Value(i).ToFloat64(scale) }
	case *array.Float16:
		number = func(i int) float64 { return float64(a.Value(i).Float32()) }
	case *array.Dictionary:
		entries := s.entries(a.Dictionary())
		number = func(i int) float64 { return entries[a.GetValueIndex(i)] }
	}
	for i := range to - from {
		s.floats[i] = 0
		if a.IsValid(from + i) {
			s.floats[i] = number(from + i)
		}
	}
	return piece{floats: s.floats[:to-from]}
}

// entries returns the numbers of a dictionary.
func (s *scratch) entries(dict arrow.Array) []float64 {
	out := make([]float64, 0, dict.Len())
	for from := 0; from < dict.Len(); from += pieceRows {
		p := s.piece(dict, from)
		out = append(out, p.floats...)
		for _, x := range p.wholes {
			out = append(out, float64(x))
		}
	}
	return out
}

// convert converts whole numbers to int64, or numbers to float64.
func convert[To int64 | float64, From int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64 | float32 | arrow.Date32](to []To, values []From) []To {
	to = to[:len(values)]
	for i, v := range values {
		to[i] = To(v)
	}
	return to
}

// micros returns a time in microseconds. Nanoseconds are rounded down.
func micros(v int64, unit arrow.TimeUnit) float64 {
	switch unit {
	case arrow.Second:
		return float64(v) * 1e6
	case arrow.Millisecond:
		return float64(v) * 1e3
	case arrow.Nanosecond:
		return float64((v - (v%1000+1000)%1000) / 1000)
	}
	return float64(v)
}
