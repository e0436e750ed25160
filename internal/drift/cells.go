package drift

import (
	"math"
	"slices"

	"headgate/internal/sketch"
)

// A cell is a bin of a column with its rows on both sides.
type cell struct {
	label    string
	ref, cur int64
}

// counts returns the rows of the cells, side by side.
func counts(cells []cell) (ref, cur []int64) {
	for _, c := range cells {
		ref, cur = append(ref, c.ref), append(cur, c.cur)
	}
	return ref, cur
}

// enough is how many rows a bin must expect on each side, so that a χ² says what
// chance does.
const enough = 5

// pool makes one cell of all in which either side expects fewer than five rows if
// nothing has moved. If that one is still too small, the smallest other joins it.
// Empty cells are left out; the order stays, the new cell comes last.
//
// Which cells are small depends on both sides together: to put what one side does
// not have into a cell of its own would count a rare value's absence as a change.
func pool(cells []cell) []cell {
	var n, m int64
	for _, c := range cells {
		n, m = n+c.ref, m+c.cur
	}
	share := float64(min(n, m)) / float64(n+m)
	small := func(c cell) bool { return float64(c.ref+c.cur)*share < enough }
	rare := cell{label: "all rare bins together"}
	var out []cell
	for _, c := range cells {
		if small(c) {
			rare.ref, rare.cur = rare.ref+c.ref, rare.cur+c.cur
		} else {
			out = append(out, c)
		}
	}
	if rare.ref+rare.cur == 0 {
		return out
	}
	if small(rare) && len(out) > 0 {
		i := 0
		for j, c := range out {
			if c.ref+c.cur < out[i].ref+out[i].cur {
				i = j
			}
		}
		rare.ref, rare.cur = rare.ref+out[i].ref, rare.cur+out[i].cur
		out = slices.Delete(out, i, i+1)
	}
	return append(out, rare)
}

// cuts returns, for each bin of the reference after which a tenth of its values
// begins, that bin, ascending; equal ones once. A value that is at least a tenth
// alone gets a tenth of its own. The last tenth is open, so the last bin is never
// among them.
func cuts(ref []sketch.Bin) []sketch.Bin {
	var out []sketch.Bin
	n := count(ref)
	var seen, pending int64
	next := int64(1)
	for i, b := range ref[:max(0, len(ref)-1)] {
		if 10*int64(b.Count) >= n && pending > 0 {
			out = append(out, ref[i-1])
		}
		seen, pending = seen+int64(b.Count), pending+int64(b.Count)
		if 10*seen >= next*n {
			out = append(out, b)
			next, pending = 10*seen/n+1, 0
		}
	}
	if last := len(ref) - 1; last > 0 && pending > 0 && 10*int64(ref[last].Count) >= n {
		out = append(out, ref[last-1])
	}
	return out
}

// deciles sorts the values of both sides into tenths of the reference, and what
// lies outside of its range into a bin below and one above. format writes a value.
func deciles(ref, cur []sketch.Bin, format func(float64) string) []cell {
	if len(ref) == 0 {
		return []cell{{label: "any value", cur: count(cur)}}
	}
	edges := cuts(ref)
	last := len(edges) + 2
	cells := make([]cell, last+1)
	low, high := ref[0], ref[len(ref)-1]
	cells[0].label = "below " + format(low.Low)
	cells[last].label = "above " + format(high.High)
	for i := range len(edges) + 1 {
		to := high.High
		if i < len(edges) {
			to = edges[i].High
		}
		cells[i+1].label = "up to " + format(to)
		if i > 0 {
			cells[i+1].label = "over " + format(edges[i-1].High) + ", up to " + format(to)
		}
	}
	walk(ref, cur, func(b sketch.Bin, n, m int64) {
		at := 0
		switch {
		case order(b, high) > 0:
			at = last
		case order(b, low) >= 0:
			i, _ := slices.BinarySearchFunc(edges, b, order)
			at = i + 1
		}
		cells[at].ref, cells[at].cur = cells[at].ref+n, cells[at].cur+m
	})
	return cells
}

// A pair is a value and how often each side has it.
type pair struct {
	sketch.Value
	ref, cur int64
}

// pairs returns the values that both sides have counted, by hash, and whether that
// is a sample. Each side that has very many values keeps those with the smallest
// hashes; a value below both limits is counted exactly on both sides, and whether
// it is below has nothing to do with how often it occurs. The limit itself is a
// value that one side has for sure, so it is left out.
func pairs(ref, cur *sketch.Frequent) (values []pair, sample bool) {
	limit := uint64(math.MaxUint64)
	a, b := ref.Values(), cur.Values()
	for _, side := range []struct {
		f      *sketch.Frequent
		values []sketch.Value
	}{{ref, a}, {cur, b}} {
		if !side.f.Complete() {
			sample, limit = true, min(limit, side.values[len(side.values)-1].Hash)
		}
	}
	for len(a) > 0 || len(b) > 0 {
		var p pair
		switch {
		case len(b) == 0 || len(a) > 0 && a[0].Hash < b[0].Hash:
			p, a = pair{Value: a[0], ref: int64(a[0].Count)}, a[1:]
		case len(a) == 0 || a[0].Hash > b[0].Hash:
			p, b = pair{Value: b[0], cur: int64(b[0].Count)}, b[1:]
		default:
			p = pair{Value: a[0], ref: int64(a[0].Count), cur: int64(b[0].Count)}
			a, b = a[1:], b[1:]
		}
		if !sample || p.Hash < limit {
			values = append(values, p)
		}
	}
	return values, sample
}
