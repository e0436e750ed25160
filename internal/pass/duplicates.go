package pass

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
)

// A Duplicate is one row of a key list.
type Duplicate struct {
	Shard       int   // index into the lists
	Row         int64 // ordinal within the shard
	Quarantined bool  // the row had left the batch before
}

// A Key is the digest of a tuple of values.
type Key [16]byte

// MergeKeys merges sorted key lists and calls each with every entry: the keys come in
// ascending order, and the rows of a key by list, those in quarantine last within a
// list, and ordinal. It holds one entry per list.
func MergeKeys(lists []io.Reader, each func(key Key, row Duplicate) error) error {
	h, err := openHeap(lists)
	if err != nil {
		return err
	}
	for len(h) > 0 {
		c := h[0]
		ordinal := binary.BigEndian.Uint32(c.entry[16:])
		row := Duplicate{Shard: c.shard, Row: int64(ordinal &^ bad), Quarantined: ordinal&bad != 0}
		if err := each(digestOf(&c.entry), row); err != nil {
			return err
		}
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
	return nil
}

// Unmatched calls found for every row of lists whose key is in none of the sets. It
// holds one entry per list, however many rows share a key.
func Unmatched(lists, sets []io.Reader, found func(row Duplicate) error) error {
	var have Key // the last key of the sets
	any := false
	return MergeKeys(append(slices.Clone(sets), lists...), func(k Key, row Duplicate) error {
		switch {
		case row.Shard < len(sets): // sets come first, so they know a key before the rows ask
			have, any = k, true
			return nil
		case any && k == have:
			return nil
		}
		row.Shard -= len(sets)
		return found(row)
	})
}

func digestOf(entry *[KeySize]byte) Key { return Key(entry[:16]) }

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
