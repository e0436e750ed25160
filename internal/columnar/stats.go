package columnar

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/decimal128"
	"github.com/apache/arrow/go/v17/arrow/decimal256"
	"github.com/parquet-go/parquet-go/format"
)

func physicalName(c *column) string { return fmt.Sprintf("%s(%d)", c.physical, c.width) }

// stats returns what the footer says of the column in one row group, as far as it
// can be trusted: a count must be possible, and bounds must be of the right
// length, in an order that we know, and the right way round.
func (c *column) stats(g *groupMeta) ColumnStats {
	ch := &g.Columns[c.leaf]
	s := ColumnStats{Nulls: -1, Bytes: ch.Meta.Compressed}
	if ch.Crypto.Value != nil || ch.Encrypted != nil {
		return s
	}
	st := &ch.Meta.Statistics
	switch {
	case !c.optional:
		s.Nulls = 0
	case st.NullCount.Valid && st.NullCount.V >= 0 && st.NullCount.V <= g.NumRows:
		s.Nulls = st.NullCount.V
	}
	low, high := st.Min, st.Max
	if low == nil && high == nil && c.signed() {
		low, high = st.OldMin, st.OldMax
	} else if !c.ordered {
		return s
	}
	lo, hi := c.bound(low, false), c.bound(high, true)
	if lo != nil && hi != nil && !after(lo, hi) {
		s.Min, s.Max = lo, hi
	}
	return s
}

// signed reports whether the old min and max fields, which always compared as
// signed numbers, are right for the column.
func (c *column) signed() bool {
	switch c.field.Type.ID() {
	case arrow.STRING, arrow.BINARY, arrow.UINT8, arrow.UINT16, arrow.UINT32, arrow.UINT64:
		return false
	}
	return c.form != formBig
}

// bound decodes a plain-encoded minimum or maximum.
func (c *column) bound(b []byte, high bool) any {
	if b == nil || c.width > 0 && len(b) != c.width {
		return nil
	}
	switch c.field.Type.ID() {
	case arrow.STRING:
		return string(b)
	case arrow.BOOL:
		if len(b) != 1 {
			return nil
		}
		return b[0] != 0
	case arrow.FLOAT32:
		return floatBound(float64(math.Float32frombits(binary.LittleEndian.Uint32(b))), high)
	case arrow.FLOAT64:
		return floatBound(math.Float64frombits(binary.LittleEndian.Uint64(b)), high)
	case arrow.DECIMAL128, arrow.DECIMAL256:
		return c.decimalBound(b)
	}
	switch c.physical {
	case format.Int32:
		x := binary.LittleEndian.Uint32(b)
		if !c.signed() {
			return uint64(x)
		}
		return int64(int32(x))
	case format.Int64:
		x := binary.LittleEndian.Uint64(b)
		if !c.signed() {
			return x
		}
		return int64(x)
	}
	return nil
}

// floatBound widens a zero, because writers disagree on the sign that it has.
func floatBound(x float64, high bool) any {
	switch {
	case math.IsNaN(x):
		return nil
	case x == 0 && high:
		return 0.0
	case x == 0:
		return math.Copysign(0, -1)
	}
	return x
}

func (c *column) decimalBound(b []byte) any {
	num := make([]byte, c.out)
	if c.form == formSign {
		signRun(num, b, c.physical, c.out)
	} else if len(b) == 0 || bigEndian(num, b) != nil {
		return nil
	}
	if c.out == 16 {
		return view[decimal128.Num](num)[0]
	}
	return view[decimal256.Num](num)[0]
}

// after reports whether a sorts after b, which has the same type.
func after(a, b any) bool {
	switch x := a.(type) {
	case bool:
		return x && !b.(bool)
	case int64:
		return x > b.(int64)
	case uint64:
		return x > b.(uint64)
	case float64:
		return x > b.(float64)
	case string:
		return x > b.(string)
	case decimal128.Num:
		return x.Greater(b.(decimal128.Num))
	case decimal256.Num:
		return x.Greater(b.(decimal256.Num))
	}
	return true
}
