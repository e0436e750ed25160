package columnar

import (
	"math"
	"unicode/utf8"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/bitutil"
)

// appendBytes appends k rows of byte arrays. As long as every page of a record is
// dictionary-coded its strings stay indices; the first page that is not turns
// what there is into plain strings.
func (a *arrowColumn) appendBytes(k, present int, index []int32) error {
	c := a.c
	if !a.plain && a.main == nil && a.at == 0 {
		if index == nil && present > 0 {
			a.toPlain()
		} else {
			a.main = pooled{}.Allocate(4 * a.n)
		}
	}
	// A page of nulls alone fits either way.
	if !a.plain && index == nil && present > 0 {
		if err := a.expand(); err != nil {
			return err
		}
	}
	switch {
	case !a.plain:
		slots := view[int32](a.main)[a.at : a.at+k]
		if present == 0 {
			clear(slots)
			return nil
		}
		spread(slots, index, c.valid, c.row, 0)
		return nil
	case c.vals.coded:
		return a.appendCoded(k, index)
	}
	return a.appendPlain(k, present)
}

// toPlain starts plain byte arrays.
func (a *arrowColumn) toPlain() {
	a.plain = true
	a.offsets = pooled{}.Allocate(4 * (a.n + 1))
	view[int32](a.offsets)[0] = 0
}

// expand replaces the indices so far by the strings that they mean.
func (a *arrowColumn) expand() error {
	index := view[int32](a.main)[:a.at]
	main := a.main
	a.main = nil
	a.toPlain()
	defer pooled{}.Free(main)
	offsets := view[int32](a.offsets)
	for i, k := range index {
		if a.valid == nil || bitutil.BitIsSet(a.valid, i) {
			if err := a.put(a.c.dict.bytes.value(int(k))); err != nil {
				return err
			}
		}
		offsets[i+1] = int32(a.used)
	}
	return nil
}

// value returns the i-th byte array.
func (p *byteRun) value(i int) []byte { return p.data[p.offsets[i]:p.offsets[i+1]] }

// reserve makes room for n more bytes of text.
func (a *arrowColumn) reserve(n int) error {
	if n > math.MaxInt32-a.used {
		return tooLarge("more than 2 GiB of text in a record; read fewer rows at a time")
	}
	if a.used+n > len(a.text) {
		a.text = pooled{}.Reallocate(max(a.used+n, 2*len(a.text)), a.text)
	}
	return nil
}

func (a *arrowColumn) put(b []byte) error {
	if err := a.reserve(len(b)); err != nil {
		return err
	}
	a.used += copy(a.text[a.used:], b)
	return nil
}

// appendCoded appends strings of the dictionary as plain strings.
func (a *arrowColumn) appendCoded(k int, index []int32) error {
	c := a.c
	offsets := view[int32](a.offsets)[a.at+1:]
	for i := range k {
		if c.valid == nil || bitutil.BitIsSet(c.valid, c.row+i) {
			if err := a.put(c.dict.bytes.value(int(index[0]))); err != nil {
				return err
			}
			index = index[1:]
		}
		offsets[i] = int32(a.used)
	}
	return nil
}

// appendPlain appends a stretch of byte arrays with one copy.
func (a *arrowColumn) appendPlain(k, present int) error {
	c := a.c
	offsets := view[int32](a.offsets)[a.at+1 : a.at+1+k]
	if present == 0 {
		for i := range offsets {
			offsets[i] = int32(a.used)
		}
		return nil
	}
	ends := c.vals.bytes.offsets[c.value : c.value+present+1]
	first := ends[0]
	shift := int64(a.used) - first
	if err := a.put(c.vals.bytes.data[first:ends[present]]); err != nil {
		return err
	}
	if c.valid == nil {
		for i, end := range ends[1:] {
			offsets[i] = int32(end + shift)
		}
		return nil
	}
	v := 0
	for i := range offsets {
		if bitutil.BitIsSet(c.valid, c.row+i) {
			v++
		}
		offsets[i] = int32(ends[v] + shift)
	}
	return nil
}

// checkText refuses a string column with a text that is not UTF-8, which the format
// demands: readers of the published table would refuse the whole of it. The error names
// the row and never the text, which may be a person's.
func (a *arrowColumn) checkText() error {
	c := a.c
	if c.col.field.Type.ID() != arrow.STRING {
		return nil
	}
	if a.plain {
		offsets := view[int32](a.offsets)[:a.n+1]
		if i := firstInvalid(a.text[:a.used], offsets); i >= 0 {
			return notUTF8(c.done + i)
		}
		return nil
	}
	invalid := c.dict.invalidTexts()
	if len(invalid) == 0 {
		return nil
	}
	for i, k := range view[int32](a.main)[:a.n] {
		if invalid[k] && (a.valid == nil || bitutil.BitIsSet(a.valid, i)) {
			return notUTF8(c.done + i)
		}
	}
	return nil
}

func notUTF8(row int) error {
	return corrupt("the text in row %d of the row group is not UTF-8; write the file again with its text as UTF-8", row)
}

// firstInvalid returns the place of the first text that is not UTF-8, or -1.
func firstInvalid[T int32 | int64](data []byte, offsets []T) int {
	if data = data[:offsets[len(offsets)-1]]; utf8.Valid(data) && startRunes(data, offsets) {
		return -1
	}
	for i, from := range offsets[:len(offsets)-1] {
		if !utf8.Valid(data[from:offsets[i+1]]) {
			return i
		}
	}
	return -1
}

// startRunes reports whether no text of valid data begins inside of a character.
func startRunes[T int32 | int64](data []byte, offsets []T) bool {
	for _, at := range offsets {
		if int(at) < len(data) && !utf8.RuneStart(data[at]) {
			return false
		}
	}
	return true
}
