package columnar

import (
	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/bitutil"
)

const (
	maxTerms     = 1 << 16 // entries of a dictionary
	maxTermBytes = 1 << 20
	trialValues  = 2048 // after so many values, a dictionary must be less than half as long
)

// terms is the dictionary that a string column builds while it is written.
type terms struct {
	text bool // the column holds strings
	on   bool // the current page is dictionary-coded

	number map[string]int32
	data   []byte
	ends   []int
	seen   int

	// What the codes of an incoming dictionary mean here; -1 is not known yet. The
	// incoming one is retained, so that its address stays its own.
	incoming arrow.Array
	codes    []int32
}

func (t *terms) init(text bool) {
	t.text, t.on = text, text
	if text {
		t.number = map[string]int32{}
	}
}

func (t *terms) len() int { return len(t.ends) }

func (t *terms) value(i int) []byte {
	start := 0
	if i > 0 {
		start = t.ends[i-1]
	}
	return t.data[start:t.ends[i]]
}

// pays reports whether the dictionary is worth its bytes.
func (t *terms) pays() bool {
	if len(t.ends) > maxTerms || len(t.data) > maxTermBytes {
		return false
	}
	return t.seen < trialValues || 2*len(t.ends) <= t.seen
}

func (t *terms) clear() {
	clear(t.number)
	t.data, t.ends, t.seen = t.data[:0], t.ends[:0], 0
	for i := range t.codes {
		t.codes[i] = -1
	}
}

func (t *terms) forget() {
	if t.incoming != nil {
		t.incoming.Release()
	}
	t.incoming, t.codes = nil, t.codes[:0]
}

// add returns the number of a string.
func (t *terms) add(b []byte, bounds *bounds) int32 {
	if k, ok := t.number[string(b)]; ok {
		return k
	}
	k := int32(len(t.ends))
	t.number[string(b)] = k
	t.data = append(t.data, b...)
	t.ends = append(t.ends, len(t.data))
	bounds.addBytes(b)
	return k
}

// appendText appends strings or bytes that come plain.
func (c *columnWriter) appendText(value func(int) []byte, from, n int, bitmap []byte, off int) {
	for i := range n {
		if bitmap != nil && bitutil.BitIsNotSet(bitmap, off+i) {
			continue
		}
		b := value(from + i)
		if c.terms.on {
			c.terms.seen++
			c.index = append(c.index, c.terms.add(b, &c.bounds))
			continue
		}
		c.bounds.addBytes(b)
		c.values = appendPlain(c.values, b)
	}
}

// appendCodes appends strings that come as a dictionary: each entry is looked up
// once for each row group.
func (c *columnWriter) appendCodes(arr *array.Dictionary, from, n int, bitmap []byte, off int) error {
	dict := arr.Dictionary()
	value, err := bytesOf(dict)
	if err != nil {
		return err
	}
	if dict.NullN() > 0 {
		return unsupported("a null inside a dictionary")
	}
	t := &c.terms
	if t.incoming == nil || t.incoming.Data() != dict.Data() {
		t.forget()
		dict.Retain()
		t.incoming = dict
		t.codes = grow(t.codes, dict.Len())
		for i := range t.codes {
			t.codes[i] = -1
		}
	}
	var direct []int32
	if ids, ok := arr.Indices().(*array.Int32); ok {
		direct = ids.Int32Values()
	}
	for i := range n {
		if bitmap != nil && bitutil.BitIsNotSet(bitmap, off+i) {
			continue
		}
		var code int
		if direct != nil {
			code = int(direct[from+i])
		} else {
			code = arr.GetValueIndex(from + i)
		}
		if code < 0 || code >= len(t.codes) {
			return unsupported("index %d into a dictionary of %d", code, len(t.codes))
		}
		if !t.on {
			b := value(code)
			c.bounds.addBytes(b)
			c.values = appendPlain(c.values, b)
			continue
		}
		t.seen++
		if t.codes[code] < 0 {
			t.codes[code] = t.add(value(code), &c.bounds)
		}
		c.index = append(c.index, t.codes[code])
	}
	return nil
}
