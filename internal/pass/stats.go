package pass

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
)

// maxStatString is the longest string, in bytes, that statistics show; a longer
// one leaves the column without bounds.
const maxStatString = 32

// fileStats are the statistics of a data file as Delta Lake defines them
// (protocol, "Per-file Statistics"): rows, nulls, and bounds of the columns that
// have an order which JSON can show.
type fileStats struct {
	names  []string
	byName map[string]*columnStats
	hidden []string // columns without bounds, because those would be values
}

type columnStats struct {
	nulls    int64
	min, max any
	unbound  bool // a value that bounds cannot cover: NaN, infinity, long string
}

func newStats(hidden []string) *fileStats {
	return &fileStats{byName: map[string]*columnStats{}, hidden: hidden}
}

func (s *fileStats) add(rec arrow.Record) {
	for i, field := range rec.Schema().Fields() {
		c := s.byName[field.Name]
		if c == nil {
			c = &columnStats{unbound: slices.Contains(s.hidden, field.Name)}
			s.byName[field.Name] = c
			s.names = append(s.names, field.Name)
		}
		c.add(rec.Column(i))
	}
}

func (c *columnStats) add(col arrow.Array) {
	c.nulls += int64(col.NullN())
	if c.unbound {
		return
	}
	if value := integerValue(col); value != nil {
		bounds(c, col, value)
		return
	}
	switch col := col.(type) {
	case *array.Float64:
		for i := range col.Len() {
			if v := col.Value(i); col.IsValid(i) && (math.IsNaN(v) || math.IsInf(v, 0)) {
				c.unbound = true
			}
		}
		bounds(c, col, col.Value)
	case *array.Date32:
		bounds(c, col, func(i int) string { return col.Value(i).FormattedString() })
	case *array.String:
		bounds(c, col, col.Value)
	case *array.Dictionary:
		c.addCodes(col)
	default:
		c.unbound = true
	}
}

func bounds[T int64 | float64 | string](c *columnStats, col arrow.Array, value func(int) T) {
	lo, hi, seen := *new(T), *new(T), c.min != nil
	if seen {
		lo, hi = c.min.(T), c.max.(T)
	}
	for i := range col.Len() {
		if col.IsNull(i) {
			continue
		}
		v := value(i)
		if !seen {
			lo, hi, seen = v, v, true
		}
		lo, hi = min(lo, v), max(hi, v)
	}
	if seen {
		c.min, c.max = keep(lo), keep(hi)
	}
}

// addCodes looks at each value of a dictionary once, if a row has it.
func (c *columnStats) addCodes(col *array.Dictionary) {
	used := make([]bool, col.Dictionary().Len())
	for i := range col.Len() {
		if col.IsValid(i) {
			used[col.GetValueIndex(i)] = true
		}
	}
	value := stringValue(col.Dictionary())
	lo, hi, seen := "", "", c.min != nil
	if seen {
		lo, hi = c.min.(string), c.max.(string)
	}
	for i, u := range used {
		if !u {
			continue
		}
		v := value(i)
		if !seen {
			lo, hi, seen = v, v, true
		}
		lo, hi = min(lo, v), max(hi, v)
	}
	if seen {
		c.min, c.max = keep(lo), keep(hi)
	}
}

// encode returns the statistics as one JSON object with a fixed order of keys.
func (s *fileStats) encode(rows int64) (json.RawMessage, error) {
	stats := struct {
		NumRecords int64            `json:"numRecords"`
		MinValues  map[string]any   `json:"minValues"`
		MaxValues  map[string]any   `json:"maxValues"`
		NullCount  map[string]int64 `json:"nullCount"`
	}{rows, map[string]any{}, map[string]any{}, map[string]int64{}}
	for _, name := range s.names {
		c := s.byName[name]
		stats.NullCount[name] = c.nulls
		if c.unbound || c.min == nil || long(c.min) || long(c.max) {
			continue
		}
		stats.MinValues[name], stats.MaxValues[name] = c.min, c.max
	}
	b, err := json.Marshal(stats)
	if err != nil {
		return nil, fmt.Errorf("pass: statistics: %w", err)
	}
	return b, nil
}

func long(v any) bool {
	s, ok := v.(string)
	return ok && len(s) > maxStatString
}

// keep returns v in memory of its own: a string may share a record's.
func keep(v any) any {
	if s, ok := v.(string); ok {
		return strings.Clone(s)
	}
	return v
}
