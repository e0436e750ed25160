package pass

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/apache/arrow/go/v17/arrow"
)

// Keys returns [Keyer.Key] for a record that may lack a column of the key, which is an
// error. It is valid as long as the record.
func Keys(rec arrow.Record, columns []string) (func(i int) (Key, bool), error) {
	if len(columns) == 0 {
		return nil, errors.New("no column names the entity")
	}
	for _, name := range columns {
		if len(rec.Schema().FieldIndices(name)) == 0 {
			return nil, fmt.Errorf("key column %q is missing", name)
		}
	}
	return NewKeyer(rec, columns).Key, nil
}

// Hash returns the first 8 bytes of a key as a number: enough to tell apart the entities
// of an evidence, and to draw a sample of them.
func (k Key) Hash() uint64 { return binary.BigEndian.Uint64(k[:8]) }
