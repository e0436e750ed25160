package contract

import (
	"encoding/hex"
	"math/bits"
	"unicode/utf8"
	"unsafe"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
)

// textTests test strings. A verdict has one bit for each test that a string breaks.
type textTests []valueTest[string]

// maxColumnRules is how many rules one column can have: for texts one bit of a
// verdict each, and one bit to say that the verdict is known.
const maxColumnRules = 63

const known = uint64(1) << 63

func (ts textTests) verdict(s string) uint64 {
	var v uint64
	for i, t := range ts {
		if t.bad(s) {
			v |= 1 << i
		}
	}
	return v
}

// compileText makes the scanner of a column of texts, or nil for another type.
func compileText(rules []compiled, t arrow.DataType) scanner {
	ts := newTextTests(rules)
	switch t := t.(type) {
	case *arrow.StringType:
		return func(a arrow.Array, s *sink) { scanTexts(ts, a, a.(*array.String).Value, s) }
	case *arrow.LargeStringType:
		return func(a arrow.Array, s *sink) { scanTexts(ts, a, a.(*array.LargeString).Value, s) }
	case *arrow.BinaryType:
		return func(a arrow.Array, s *sink) { scanTexts(ts, a, bytesOf(a.(*array.Binary).Value), s) }
	case *arrow.LargeBinaryType:
		return func(a arrow.Array, s *sink) { scanTexts(ts, a, bytesOf(a.(*array.LargeBinary).Value), s) }
	case *arrow.FixedSizeBinaryType:
		if t.ByteWidth == 16 {
			return func(a arrow.Array, s *sink) { scanTexts(ts, a, uuidOf(a.(*array.FixedSizeBinary)), s) }
		}
		return func(a arrow.Array, s *sink) { scanTexts(ts, a, bytesOf(a.(*array.FixedSizeBinary).Value), s) }
	case *arrow.DictionaryType:
		d := &dictionary{tests: ts}
		return d.scan
	}
	return nil
}

// newTextTests compiles the rules of a column of texts.
func newTextTests(rules []compiled) textTests {
	var out textTests
	add := func(rule int, bad func(string) bool) { out = append(out, valueTest[string]{rule, bad}) }
	for _, r := range rules {
		switch t := r.test.(type) {
		case length:
			add(r.rule, t.bad)
		case matches:
			add(r.rule, func(s string) bool { return !t.re.MatchString(s) })
		case formatted:
			add(r.rule, func(s string) bool { return !t.ok(s) })
		case missing:
			set := textSet(t.values)
			add(r.rule, func(s string) bool { return set[s] })
		case invalid:
			set := textSet(t.values)
			add(r.rule, func(s string) bool {
				return len(set) > 0 && !set[s] || t.re != nil && !t.re.MatchString(s)
			})
		}
	}
	return out
}

func textSet(values []literal) map[string]bool {
	set := map[string]bool{}
	for _, lit := range values {
		set[lit.text] = true
	}
	return set
}

// bad counts characters, that is code points. Bytes decide where they can: a
// character has one to four of them.
func (l length) bad(s string) bool {
	n := int64(len(s))
	if l.kind == KindMaxLength {
		return n > l.n && int64(utf8.RuneCountInString(s)) > l.n
	}
	return n < l.n || n < 4*l.n && int64(utf8.RuneCountInString(s)) < l.n
}

func scanTexts(ts textTests, a arrow.Array, value func(int) string, s *sink) {
	null := a.NullN() > 0
	for i := range a.Len() {
		if null && a.IsNull(i) {
			continue
		}
		if v := ts.verdict(value(i)); v != 0 {
			ts.tell(v, i, s)
		}
	}
}

// tell passes each bit of a verdict on row i to the sink.
func (ts textTests) tell(v uint64, i int, s *sink) {
	for ; v != 0; v &= v - 1 {
		s.hit(ts[bits.TrailingZeros64(v)].rule, i)
	}
}

// bytesOf reads bytes as a string, without a copy: the tests keep no string.
func bytesOf(value func(int) []byte) func(int) string {
	return func(i int) string {
		b := value(i)
		return unsafe.String(unsafe.SliceData(b), len(b))
	}
}

// uuidOf writes 16 bytes as the text of a UUID, into one buffer for all rows.
func uuidOf(a *array.FixedSizeBinary) func(int) string {
	var buf [36]byte
	return func(i int) string {
		b := a.Value(i)
		hex.Encode(buf[:8], b[:4])
		hex.Encode(buf[9:13], b[4:6])
		hex.Encode(buf[14:18], b[6:8])
		hex.Encode(buf[19:23], b[8:10])
		hex.Encode(buf[24:], b[10:])
		buf[8], buf[13], buf[18], buf[23] = '-', '-', '-', '-'
		return unsafe.String(&buf[0], len(buf))
	}
}

// A dictionary checks each value of a dictionary once for each record, and only
// the values that rows refer to.
type dictionary struct {
	tests    textTests
	verdicts []uint64 // by place in the dictionary; 0 means not known yet
}

func (d *dictionary) scan(a arrow.Array, s *sink) {
	arr := a.(*array.Dictionary)
	value := textOf(arr.Dictionary())
	n := arr.Dictionary().Len()
	if cap(d.verdicts) < n {
		d.verdicts = make([]uint64, n)
	}
	d.verdicts = d.verdicts[:n]
	clear(d.verdicts)
	null := arr.NullN() > 0
	places, fast := arr.Indices().(*array.Int32)
	for i := range arr.Len() {
		if null && arr.IsNull(i) {
			continue
		}
		at := 0
		if fast {
			at = int(places.Value(i))
		} else {
			at = arr.GetValueIndex(i)
		}
		v := d.verdicts[at]
		if v == 0 {
			v = d.tests.verdict(value(at)) | known
			d.verdicts[at] = v
		}
		if v != known {
			d.tests.tell(v&^known, i, s)
		}
	}
}

// textOf reads the values of a dictionary.
func textOf(a arrow.Array) func(int) string {
	switch a := a.(type) {
	case *array.LargeString:
		return a.Value
	case *array.Binary:
		return bytesOf(a.Value)
	}
	return a.(*array.String).Value
}
