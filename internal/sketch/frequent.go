package sketch

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strings"
	"unicode/utf8"
)

// Frequent counts values exactly as long as there are at most 1,000 different
// ones. Beyond that it keeps the 1,000 values with the smallest hashes: a random
// sample of the domain, whose counts are still exact. Which values those are
// depends only on what was seen, never on the order; a list of the most frequent
// ones could not promise that. The zero value is empty.
//
// Source: the coordinated ("bottom-k") sample of Cohen and Kaplan, 2007.
type Frequent struct {
	slots     []slot
	texts     []string // beside slots; nil while no value has a text
	used      int
	cut       bool   // values were left out …
	threshold uint64 // … namely all with a larger hash
}

// A slot with count 0 is free.
type slot struct{ hash, count uint64 }

const (
	maxValues = 1000
	maxText   = 128 // bytes of a text that are kept; the hash is of all
)

// A Value is one of the counted values.
type Value struct {
	Hash  uint64
	Text  string // empty for a number: see [Unmix]
	Count uint64
}

// Unmix returns the 64 bits whose hash by [Mix] is h.
func Unmix(h uint64) uint64 {
	h ^= h>>31 ^ h>>62
	h *= 0x319642b2d24d8ec3
	h ^= h>>27 ^ h>>54
	h *= 0x96de1b173f119089
	h ^= h>>30 ^ h>>60
	return h - 0x9e3779b97f4a7c15
}

// Add counts a value without text, n > 0 times.
func (f *Frequent) Add(hash, n uint64) {
	if f.cut && hash > f.threshold {
		return
	}
	if len(f.slots) > 0 {
		if s := &f.slots[f.find(hash)]; s.hash == hash && s.count > 0 {
			s.count += n
			return
		}
	}
	f.insert(hash, "", n)
}

// AddText counts a value with its text, n > 0 times. The text is copied if it is
// kept; of a long one the first 128 bytes are. If two texts share a hash, their
// counts are added and the smaller text stands for both.
func (f *Frequent) AddText(hash uint64, text string, n uint64) {
	if f.cut && hash > f.threshold {
		return
	}
	text = Head(text)
	if len(f.slots) > 0 {
		i := f.find(hash)
		if s := &f.slots[i]; s.hash == hash && s.count > 0 {
			s.count += n
			if f.texts != nil && text < f.texts[i] {
				f.texts[i] = strings.Clone(text)
			}
			return
		}
	}
	f.insert(hash, strings.Clone(text), n)
}

// Head returns what is kept of a text: all of it, or its first 128 bytes without
// the character that they cut.
func Head(text string) string {
	if len(text) <= maxText {
		return text
	}
	end := maxText
	for end > maxText-utf8.UTFMax && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end]
}

// find returns the slot of a hash, or the free one where it belongs.
func (f *Frequent) find(hash uint64) int {
	mask := len(f.slots) - 1
	i := int(hash) & mask
	for f.slots[i].count > 0 && f.slots[i].hash != hash {
		i = (i + 1) & mask
	}
	return i
}

// insert adds a value that is not there yet.
func (f *Frequent) insert(hash uint64, text string, n uint64) {
	if f.used == 2*maxValues {
		f.trim()
		if hash > f.threshold {
			return
		}
	}
	if 2*(f.used+1) > len(f.slots) {
		f.rebuild(f.values(), max(16, 2*len(f.slots)))
	}
	f.put(Value{Hash: hash, Text: text, Count: n})
}

// put stores a value that is not there yet in a table with room.
func (f *Frequent) put(v Value) {
	i := f.find(v.Hash)
	f.slots[i] = slot{v.Hash, v.Count}
	if v.Text != "" && f.texts == nil {
		f.texts = make([]string, len(f.slots))
	}
	if f.texts != nil {
		f.texts[i] = v.Text
	}
	f.used++
}

// rebuild makes a table of the given size, a power of two, from the values.
func (f *Frequent) rebuild(values []Value, size int) {
	hadTexts := f.texts != nil
	f.slots, f.texts, f.used = make([]slot, size), nil, 0
	if hadTexts {
		f.texts = make([]string, size)
	}
	for _, v := range values {
		f.put(v)
	}
}

// trim leaves out all but the values that are to be kept.
func (f *Frequent) trim() {
	if f.used <= maxValues {
		return
	}
	values := f.Values()
	f.cut, f.threshold = true, values[maxValues-1].Hash
	f.rebuild(values, len(f.slots))
}

// values returns all values of the table in no particular order.
func (f *Frequent) values() []Value {
	out := make([]Value, 0, f.used)
	for i, s := range f.slots {
		if s.count == 0 {
			continue
		}
		v := Value{Hash: s.hash, Count: s.count}
		if f.texts != nil {
			v.Text = f.texts[i]
		}
		out = append(out, v)
	}
	return out
}

// Merge adds all that o has counted.
func (f *Frequent) Merge(o *Frequent) {
	if o.cut && (!f.cut || o.threshold < f.threshold) {
		f.lower(o.threshold)
	}
	for _, v := range o.values() {
		if v.Text == "" {
			f.Add(v.Hash, v.Count)
		} else {
			f.AddText(v.Hash, v.Text, v.Count)
		}
	}
}

// lower leaves out the values with a hash above a new threshold.
func (f *Frequent) lower(threshold uint64) {
	kept := slices.DeleteFunc(f.values(), func(v Value) bool { return v.Hash > threshold })
	f.cut, f.threshold = true, threshold
	f.rebuild(kept, max(16, len(f.slots)))
}

// Complete reports whether every value that was seen is among the [Values].
func (f *Frequent) Complete() bool { return !f.cut && f.used <= maxValues }

// Values returns the counted values, at most 1,000, by ascending hash.
func (f *Frequent) Values() []Value {
	values := f.values()
	slices.SortFunc(values, func(a, b Value) int { return cmp.Compare(a.Hash, b.Hash) })
	return values[:min(len(values), maxValues)]
}

// Top returns up to k of the counted values, the most frequent first. If
// [Frequent.Complete] is false, these are the most frequent of the sample.
func (f *Frequent) Top(k int) []Value {
	values := f.Values()
	slices.SortStableFunc(values, func(a, b Value) int { return cmp.Compare(b.Count, a.Count) })
	return values[:min(k, len(values))]
}

// AppendBinary appends whether the values are complete, their number, and for
// each its hash, its count, and its text.
func (f *Frequent) AppendBinary(b []byte) ([]byte, error) {
	complete := byte(0)
	if f.Complete() {
		complete = 1
	}
	values := f.Values()
	b = binary.AppendUvarint(append(b, complete), uint64(len(values)))
	for _, v := range values {
		b = binary.LittleEndian.AppendUint64(b, v.Hash)
		b = binary.AppendUvarint(b, v.Count)
		b = binary.AppendUvarint(b, uint64(len(v.Text)))
		b = append(b, v.Text...)
	}
	return b, nil
}

// MarshalBinary returns the canonical bytes of f.
func (f *Frequent) MarshalBinary() ([]byte, error) { return f.AppendBinary(nil) }

// UnmarshalBinary reads what MarshalBinary wrote. Other bytes give [ErrFormat].
func (f *Frequent) UnmarshalBinary(data []byte) error {
	r := &reader{data: data}
	var out Frequent
	complete := r.bytes(1)[0]
	n := r.count(10)
	if complete > 1 || n > maxValues || complete == 0 && n < maxValues {
		r.fail("%d values, completeness %d", n, complete)
	}
	last := uint64(0)
	for i := range n {
		hash := binary.LittleEndian.Uint64(r.bytes(8))
		count := r.uvarint()
		text := string(r.bytes(r.count(1)))
		if r.err == nil && (i > 0 && hash <= last || count == 0 || len(text) > maxText) {
			r.fail("value %d of %d", i, n)
		}
		if r.err != nil {
			break
		}
		out.insert(hash, text, count)
		last = hash
	}
	if err := r.end(); err != nil {
		return err
	}
	if complete == 0 {
		out.cut, out.threshold = true, last
	}
	*f = out
	return nil
}
