package pass

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
)

// A Duplicate is one row whose key occurs more than once in the batch.
type Duplicate struct {
	Shard       int   // index into the lists
	Row         int64 // ordinal within the shard
	Quarantined bool  // the row had left the batch before
}

// Duplicates merges the sorted key lists of all shards and calls found for every
// group of rows that share a key: the keys appear in ascending order, and within a
// group the rows by shard, those in quarantine last within a shard, and ordinal. It
// holds one entry per list and one group.
//
// found gets a slice that is valid until it returns.
func Duplicates(lists []io.Reader, found func(group []Duplicate) error) error {
	h, err := openHeap(lists)
	if err != nil {
		return err
	}
	var group []Duplicate
	var key [KeySize]byte // of the group
	for len(h) > 0 {
		c := h[0]
		if len(group) > 0 && digestOf(&key) != digestOf(&c.entry) {
			if len(group) > 1 {
				if err := found(group); err != nil {
					return err
				}
			}
			group = group[:0]
		}
		key = c.entry
		ordinal := binary.BigEndian.Uint32(c.entry[16:])
		group = append(group, Duplicate{Shard: c.shard, Row: int64(ordinal &^ bad), Quarantined: ordinal&bad != 0})
		ok, err := c.next()
		if err != nil {
			return err
		}
		if !ok {
			h[0] = h[len(h)-1]
			h = h[:len(h)-1]
		}
		h.sink(0)
	}
	if len(group) > 1 {
		return found(group)
	}
	return nil
}

func digestOf(entry *[KeySize]byte) [16]byte { return [16]byte(entry[:16]) }

// A keyCursor walks one sorted key list.
type keyCursor struct {
	r     io.Reader
	shard int
	entry [KeySize]byte
	head  uint64 // the first 8 bytes of entry, which nearly always decide
}

func (c *keyCursor) next() (bool, error) {
	last := c.entry
	switch _, err := io.ReadFull(c.r, c.entry[:]); {
	case err == io.EOF:
		return false, nil
	case err != nil:
		return false, fmt.Errorf("key list of shard %d: %w", c.shard, err)
	}
	if bytes.Compare(c.entry[:], last[:]) < 0 {
		return false, fmt.Errorf("key list of shard %d is not sorted", c.shard)
	}
	c.head = binary.BigEndian.Uint64(c.entry[:])
	return true, nil
}

// less orders cursors by digest and then by shard.
func (c *keyCursor) less(o *keyCursor) bool {
	if c.head != o.head {
		return c.head < o.head
	}
	if n := bytes.Compare(c.entry[8:16], o.entry[8:16]); n != 0 {
		return n < 0
	}
	return c.shard < o.shard
}

// A keyHeap has the least cursor first: entry i is not above 2i+1 and 2i+2.
type keyHeap []*keyCursor

// openHeap reads the first entry of every list.
func openHeap(lists []io.Reader) (keyHeap, error) {
	var h keyHeap
	for i, r := range lists {
		c := &keyCursor{r: r, shard: i}
		ok, err := c.next()
		if err != nil {
			return nil, err
		}
		if ok {
			h = append(h, c)
		}
	}
	for i := len(h)/2 - 1; i >= 0; i-- {
		h.sink(i)
	}
	return h, nil
}

// sink moves a cursor down to where it belongs.
func (h keyHeap) sink(i int) {
	for {
		child := 2*i + 1
		if child >= len(h) {
			return
		}
		if child+1 < len(h) && h[child+1].less(h[child]) {
			child++
		}
		if !h[child].less(h[i]) {
			return
		}
		h[i], h[child] = h[child], h[i]
		i = child
	}
}
