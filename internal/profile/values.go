package profile

import (
	"math"
	"strconv"
	"time"

	"headgate/internal/sketch"
)

// A Count is a value and how often it occurs.
type Count struct {
	Value string `json:"value"`
	Count uint64 `json:"count"`
}

// Top returns up to k of the counted values, the most frequent first. Bytes are
// counted but not kept, so a binary column has none, nor has a column that is
// restricted or confidential.
func (c *Column) Top(k int) []Count {
	if c.Kind == Binary {
		return nil
	}
	var out []Count
	for _, v := range c.Frequent.Top(k) {
		out = append(out, Count{Value: c.Format(v), Count: v.Count})
	}
	return out
}

// Format writes a counted value as a person would. Of bytes it writes nothing.
func (c *Column) Format(v sketch.Value) string {
	if c.hasText() || v.Text != "" {
		return v.Text
	}
	return c.FormatNumber(math.Float64frombits(sketch.Unmix(v.Hash)))
}

// FormatNumber writes a number, in the unit of the column's kind, as a person
// would: a date as 2024-01-31.
func (c *Column) FormatNumber(x float64) string {
	switch c.Kind {
	case Boolean:
		return strconv.FormatBool(x != 0)
	case Date:
		return time.Unix(int64(x)*86400, 0).UTC().Format(time.DateOnly)
	case Timestamp:
		return time.UnixMicro(int64(x)).UTC().Format("2006-01-02T15:04:05.999999")
	case Time:
		return time.UnixMicro(int64(x)).UTC().Format("15:04:05.999999")
	}
	return strconv.FormatFloat(x, 'g', -1, 64)
}
