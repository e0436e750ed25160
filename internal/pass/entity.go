package pass

import (
	"encoding/binary"
	"fmt"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/zeebo/xxh3"
)

// Keys returns the reader of the key of each row of a record: the digest that key lists
// have. A row where any part of the key is null has none. The reader is valid as long as
// the record.
func Keys(rec arrow.Record, columns []string) (func(i int) (Key, bool), error) {
	if len(columns) == 0 {
		return nil, fmt.Errorf("no column names the entity")
	}
	var cols []arrow.Array
	var put []func([]byte, int) []byte
	for _, name := range columns {
		at := rec.Schema().FieldIndices(name)
		if len(at) == 0 {
			return nil, fmt.Errorf("key column %q is missing", name)
		}
		cols = append(cols, rec.Column(at[0]))
		put = append(put, valueAppender(rec.Column(at[0])))
	}
	var buf []byte
	return func(i int) (k Key, ok bool) {
		buf = buf[:0]
		for c, col := range cols {
			if col.IsNull(i) {
				return k, false
			}
			buf = put[c](buf, i)
		}
		sum := xxh3.Hash128(buf)
		binary.BigEndian.PutUint64(k[:8], sum.Hi)
		binary.BigEndian.PutUint64(k[8:], sum.Lo)
		return k, true
	}, nil
}

// Hash returns the first 8 bytes of a key as a number: enough to tell apart the entities
// of an evidence, and to draw a sample of them.
func (k Key) Hash() uint64 { return binary.BigEndian.Uint64(k[:8]) }
