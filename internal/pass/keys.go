package pass

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/zeebo/xxh3"

	"headgate/internal/columnar"
	"headgate/internal/contract"
)

// KeySize is the size of one entry of a key list: 16 bytes of the key's XXH3-128
// digest, then 4 bytes, big-endian, of the row's ordinal within the shard, whose
// top bit says that the row is in quarantine already.
//
// Two different keys share a digest with a probability below n²/2¹²⁹: for 100
// million rows, less than one in 10²².
const KeySize = 20

// bad marks a key whose row is in quarantine already.
const bad = 1 << 31

// KeyTuples lists the tuples of columns whose keys a pass collects: those that must
// not repeat, those that must be in another set or are what a relationship points to
// in this one, and last, unless it is among them, the entity key.
func KeyTuples(c *contract.Contract) [][]string {
	var all [][]string
	add := func(tuple []string) {
		if len(tuple) > 0 && KeyIndex(all, tuple) < 0 {
			all = append(all, tuple)
		}
	}
	for _, tuple := range c.NeedsKeys() {
		add(tuple)
	}
	for _, r := range c.Relationships {
		add(r.Columns)
		if r.Object == c.Table {
			add(r.To)
		}
	}
	add(c.Entity())
	return all
}

// ReplayTuple returns the key by which a corrected row finds the row that it replaces:
// the primary key, or else the entity key.
func ReplayTuple(c *contract.Contract) []string {
	if len(c.Keys) > 0 {
		return c.Keys
	}
	return c.Entity()
}

// KeyIndex returns the place of a tuple in a list, or -1.
func KeyIndex(tuples [][]string, tuple []string) int {
	return slices.IndexFunc(tuples, func(t []string) bool { return slices.Equal(t, tuple) })
}

// A keyList collects one key tuple of a shard. A row where any part of the key is
// null has no key.
type keyList struct {
	columns []string
	entries []byte // of KeySize bytes each
}

// maxRoom bounds the entries that a list makes room for before it has seen a row.
const maxRoom = 4 << 20

// newKeyList makes room for the rows of a shard, so that the list never moves.
func newKeyList(columns []string, rows int64) *keyList {
	return &keyList{columns: columns, entries: make([]byte, 0, min(rows, maxRoom)*KeySize)}
}

// add appends the keys of a record whose first row has an ordinal in the shard. out
// says which rows are in quarantine; nil means none.
func (k *keyList) add(rec arrow.Record, first int64, out func(i int) bool) error {
	if first+rec.NumRows() >= bad {
		return fmt.Errorf("a shard holds at most %d rows; make shards.rows smaller", int64(bad))
	}
	keyOf, err := Keys(rec, k.columns)
	if err != nil {
		return err
	}
	for i := range int(rec.NumRows()) {
		key, ok := keyOf(i)
		if !ok {
			continue
		}
		ordinal := uint32(first) + uint32(i)
		if out != nil && out(i) {
			ordinal |= bad
		}
		k.entries = append(k.entries, key[:]...)
		k.entries = binary.BigEndian.AppendUint32(k.entries, ordinal)
	}
	return nil
}

// A Keyer makes the digests of the keys of a record's rows: the first 16 bytes of the
// entries of a key list.
type Keyer struct {
	cols []arrow.Array
	put  []func([]byte, int) []byte
	buf  []byte
}

// NewKeyer returns a Keyer of the named columns of a record.
func NewKeyer(rec arrow.Record, columns []string) *Keyer {
	k := &Keyer{}
	_, k.cols = pick(rec, columns)
	for _, col := range k.cols {
		k.put = append(k.put, valueAppender(col))
	}
	return k
}

// Key returns the digest of the key of row i. A row where any part of the key is null
// has none.
func (k *Keyer) Key(i int) (key Key, ok bool) {
	k.buf = k.buf[:0]
	for c, col := range k.cols {
		if col.IsNull(i) {
			return key, false
		}
		k.buf = k.put[c](k.buf, i)
	}
	return Key(xxh3.Hash128(k.buf).Bytes()), true
}

// IndexKeys returns the key list of row groups of a file, in ascending order.
func IndexKeys(ctx context.Context, f *columnar.File, columns []string, firstGroup, groups int) ([]byte, error) {
	return indexKeys(ctx, f, columns, firstGroup, groups, nil)
}

// indexKeys returns the key list of row groups; out says which rows are in quarantine.
func indexKeys(ctx context.Context, f *columnar.File, columns []string, firstGroup, groups int, out func(i int) bool) ([]byte, error) {
	var rows int64
	for _, g := range f.RowGroups()[firstGroup : firstGroup+groups] {
		rows += g.Rows
	}
	list := newKeyList(columns, rows)
	var row int64
	for rec, err := range f.Records(ctx, columnar.ReadOptions{Columns: columns, FirstGroup: firstGroup, Groups: groups}) {
		if err != nil {
			return nil, err
		}
		if err := list.add(rec, row, out); err != nil {
			return nil, err
		}
		row += rec.NumRows()
	}
	return list.encode(), nil
}

// encode returns the entries in ascending order.
func (k *keyList) encode() []byte {
	sortKeys(k.entries, 0)
	return k.entries
}

// fewKeys is how many entries are not worth another round of sortKeys.
const fewKeys = 24

// sortKeys sorts entries, which are alike before byte at, in place: into 256 piles
// by that byte, and then each pile by the next one. Digests spread evenly, so after
// two or three rounds the piles are small.
func sortKeys(b []byte, at int) {
	if len(b) <= fewKeys*KeySize || at == KeySize {
		insertKeys(b)
		return
	}
	var next, end [256]int // of each pile: where its next entry goes, and where it ends
	for i := at; i < len(b); i += KeySize {
		end[b[i]] += KeySize
	}
	sum := 0
	for v := range end {
		next[v] = sum
		sum += end[v]
		end[v] = sum
	}
	for v := range end {
		for next[v] < end[v] {
			home := b[next[v]+at]
			if int(home) != v {
				swapKeys(b, next[v], next[home])
			}
			next[home] += KeySize
		}
	}
	start := 0
	for _, e := range end {
		sortKeys(b[start:e], at+1)
		start = e
	}
}

// insertKeys sorts a few entries.
func insertKeys(b []byte) {
	for i := KeySize; i < len(b); i += KeySize {
		for j := i; j > 0 && bytes.Compare(b[j-KeySize:j], b[j:j+KeySize]) > 0; j -= KeySize {
			swapKeys(b, j-KeySize, j)
		}
	}
}

func swapKeys(b []byte, i, j int) {
	x, y := (*[KeySize]byte)(b[i:]), (*[KeySize]byte)(b[j:])
	*x, *y = *y, *x
}

// floatBits returns a reader of the bits of a floating-point column, or nil for other
// types. Equal numbers have equal bits, whatever their width and the sign of zero; NaN
// equals itself.
func floatBits(col arrow.Array) func(i int) uint64 {
	bits := func(v float64) uint64 {
		switch {
		case v == 0:
			return 0
		case v != v:
			return math.Float64bits(math.NaN())
		}
		return math.Float64bits(v)
	}
	switch c := col.(type) {
	case *array.Float64:
		return func(i int) uint64 { return bits(c.Value(i)) }
	case *array.Float32:
		return func(i int) uint64 { return bits(float64(c.Value(i))) }
	}
	return nil
}

// valueAppender appends the canonical bytes of one valid value: integers and floats as 8
// bytes whatever their width, other fixed-width values as they are in memory, the rest
// with their length in front.
func valueAppender(col arrow.Array) func([]byte, int) []byte {
	if value := integerValue(col); value != nil {
		return func(b []byte, i int) []byte { return binary.LittleEndian.AppendUint64(b, uint64(value(i))) }
	}
	if value := floatBits(col); value != nil {
		return func(b []byte, i int) []byte { return binary.LittleEndian.AppendUint64(b, value(i)) }
	}
	if width := fixedWidth(col.DataType()); width > 0 {
		data := col.Data()
		raw := data.Buffers()[1].Bytes()[data.Offset()*width:]
		return func(b []byte, i int) []byte { return append(b, raw[i*width:(i+1)*width]...) }
	}
	value := stringValue(col)
	return func(b []byte, i int) []byte { return appendText(b, value(i)) }
}

// KeyKind returns what a column's values are as keys: only values of one kind can be
// equal. Integers of all widths are one kind, floats and texts others; other types are
// their own.
func KeyKind(t arrow.DataType) string {
	switch t := t.(type) {
	case *arrow.DictionaryType:
		return KeyKind(t.ValueType)
	case *arrow.Int8Type, *arrow.Int16Type, *arrow.Int32Type, *arrow.Int64Type,
		*arrow.Uint8Type, *arrow.Uint16Type, *arrow.Uint32Type, *arrow.Uint64Type:
		return "integer"
	case *arrow.Float32Type, *arrow.Float64Type:
		return "float"
	case *arrow.StringType, *arrow.LargeStringType, *arrow.BinaryType, *arrow.LargeBinaryType:
		return "text"
	}
	return t.String()
}

// integerValue returns a reader of an integer column, or nil for other types.
// Unsigned 64-bit values keep their bits.
func integerValue(col arrow.Array) func(i int) int64 {
	switch c := col.(type) {
	case *array.Int8:
		return func(i int) int64 { return int64(c.Value(i)) }
	case *array.Int16:
		return func(i int) int64 { return int64(c.Value(i)) }
	case *array.Int32:
		return func(i int) int64 { return int64(c.Value(i)) }
	case *array.Int64:
		return c.Value
	case *array.Uint8:
		return func(i int) int64 { return int64(c.Value(i)) }
	case *array.Uint16:
		return func(i int) int64 { return int64(c.Value(i)) }
	case *array.Uint32:
		return func(i int) int64 { return int64(c.Value(i)) }
	case *array.Uint64:
		return func(i int) int64 { return int64(c.Value(i)) }
	}
	return nil
}
