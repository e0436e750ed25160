package evidence

import (
	"cmp"
	"slices"
	"strings"

	"github.com/apache/arrow/go/v17/arrow"

	"headgate/internal/contract"
	"headgate/internal/pass"
)

// most is how many values a slice has at most, besides [Others].
const most = 64

// tracked is how many different values are counted before one of them is chosen.
const tracked = 10_000

// A slicer gathers the values of a kept column.
type slicer struct {
	name      string
	protected bool
	index     map[string]int32
	names     []string
	count     []int64
	of        []int32
}

// sliced returns, for a record of the champion's file, what appends the value of a row to
// each slice. Columns that an earlier batch did not keep are null there.
func (s *shardRows) sliced(rec arrow.Record) []func(i int) {
	var out []func(int)
	for _, col := range s.batch.contract.Columns {
		at := rec.Schema().FieldIndices(col.Name)
		if len(at) != 1 || !col.Has(contract.RoleSlice) && !col.Has(contract.RoleProtected) {
			continue
		}
		values, to := rec.Column(at[0]), s.slicer(col.Name)
		to.protected = col.Has(contract.RoleProtected)
		out = append(out, func(i int) {
			text := Null
			if !values.IsNull(i) {
				text = pass.Text(values, i)
			}
			to.pad(len(s.loader.rows.Labels) - 1)
			to.add(text)
			if slices.Contains(s.without, Left{col.Name, text}) {
				s.loader.rows.leave(len(s.loader.rows.Labels) - 1)
			}
		})
	}
	return out
}

// slicer returns the slicer of a column.
func (l *loader) slicer(name string) *slicer {
	for _, s := range l.slices {
		if s.name == name {
			return s
		}
	}
	s := &slicer{name: name, index: map[string]int32{}}
	l.slices = append(l.slices, s)
	return s
}

// pad makes the slice so many rows long: those of batches that did not keep the column.
func (s *slicer) pad(rows int) {
	for len(s.of) < rows {
		s.add(Null)
	}
}

func (s *slicer) add(text string) {
	at, ok := s.index[text]
	if !ok {
		if len(s.names) == tracked {
			text = Others
		}
		if at, ok = s.index[text]; !ok {
			text = strings.Clone(text) // it lies in a record, whose memory is used again
			at = int32(len(s.names))
			s.index[text] = at
			s.names, s.count = append(s.names, text), append(s.count, 0)
		}
	}
	s.count[at]++
	s.of = append(s.of, at)
}

// slice returns the values that most rows have, sorted, and the others as one.
func (s *slicer) slice() Slice {
	order := make([]int, len(s.names))
	for i := range order {
		order[i] = i
	}
	if len(order) > most {
		slices.SortFunc(order, func(a, b int) int {
			return cmp.Or(cmp.Compare(s.count[b], s.count[a]), cmp.Compare(s.names[a], s.names[b]))
		})
	}
	out := Slice{Name: s.name, Protected: s.protected, Of: s.of}
	for _, at := range order[:min(most, len(order))] {
		out.Values = append(out.Values, s.names[at])
	}
	if len(order) > most && !slices.Contains(out.Values, Others) {
		out.Values = append(out.Values, Others)
	}
	slices.Sort(out.Values)
	to := make([]int32, len(s.names))
	for at, name := range s.names {
		i, ok := slices.BinarySearch(out.Values, name)
		if !ok {
			i, _ = slices.BinarySearch(out.Values, Others)
		}
		to[at] = int32(i)
	}
	for i, at := range out.Of {
		out.Of[i] = to[at]
	}
	return out
}

// finish returns the rows with their slices.
func (l *loader) finish() *Rows {
	for _, s := range l.slices {
		s.pad(len(l.rows.Labels))
		l.rows.Slices = append(l.rows.Slices, s.slice())
	}
	return l.rows
}
