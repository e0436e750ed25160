package gbdt

import "sync"

// divide puts the rows of a leaf that go left before the others, both in their
// order, and returns how many go left.
func (g *grower) divide(l *leaf, used int, toLeft binSet) int {
	rows, spare := g.rows[l.start:l.start+l.rows], g.spare[l.start:l.start+l.rows]
	group, f := g.d.group(used)
	table := toLeft.table()
	n := blocks(len(rows))
	lefts := make([]int, n)
	parallel(g.threads, n, func(b, _ int) {
		from, to := b*blockRows, min((b+1)*blockRows, len(rows))
		if group.wide != nil {
			lefts[b] = divideBlock(rows[from:to], spare[from:to], group.wide, 1, table)
		} else {
			lefts[b] = divideBlock(rows[from:to], spare[from:to], group.bins[f:], group.width, table)
		}
	})
	places := make([]int, n) // of each block's left rows, then of its right ones
	left := 0
	for b, k := range lefts {
		places[b] = left
		left += k
	}
	parallel(g.threads, n, func(b, _ int) {
		from, to := b*blockRows, min((b+1)*blockRows, len(rows))
		block, k := spare[from:to], lefts[b]
		copy(rows[places[b]:], block[:k])
		copy(rows[left+from-places[b]:], block[k:])
	})
	return left
}

// divideBlock writes the rows that go left to dst, and after them the others. It
// overwrites rows. There is no branch on where a row goes: half of them would be
// mispredicted.
func divideBlock[B uint8 | uint16](rows, dst []uint32, bins []B, width int, toLeft []uint8) int {
	left, right := 0, 0
	for _, row := range rows {
		side := int(toLeft[bins[int(row)*width]])
		dst[left] = row
		rows[right] = row
		left += side
		right += 1 - side
	}
	copy(dst[left:], rows[:right])
	return left
}

// build adds up the histogram of a leaf from its rows. A task is the features of a
// group, and if there are many rows a part of them: sums of integers do not depend on
// how rows are dealt out.
func (g *grower) build(h *histogram, l *leaf) {
	rows, ordered := g.rows[l.start:l.start+l.rows], g.ordered[:l.rows]
	n := blocks(len(rows))
	parallel(g.threads, n, func(b, _ int) {
		for i := b * blockRows; i < min((b+1)*blockRows, len(rows)); i++ {
			ordered[i] = g.rounded[rows[i]]
		}
	})
	groups := g.growing()
	if h.packed {
		parallel(g.threads, len(groups), func(task, worker int) {
			group := g.d.groups[groups[task]]
			start, bins := g.binsOf(group)
			w := g.work[worker]
			w.accumulate(group, rows, ordered)
			w.store(group, h.cells[start:], bins)
		})
		return
	}
	clear(h.cells)
	parts := min((2*g.threads+len(groups)-1)/len(groups), n)
	locks := make([]sync.Mutex, len(groups))
	parallel(g.threads, parts*len(groups), func(task, worker int) {
		at, part := task/parts, task%parts
		group := g.d.groups[groups[at]]
		start, bins := g.binsOf(group)
		w := g.work[worker]
		sums := w.sums[:2*total(bins)]
		clear(sums)
		for b := n * part / parts; b < n*(part+1)/parts; b++ {
			from, to := b*blockRows, min((b+1)*blockRows, len(rows))
			w.accumulate(group, rows[from:to], ordered[from:to])
			w.flush(group, sums, bins, g.finder.round)
		}
		locks[at].Lock()
		defer locks[at].Unlock()
		for i, sum := range sums {
			h.cells[2*start+i] += sum
		}
	})
}

// growing are the groups with a feature that may split this tree.
func (g *grower) growing() []int {
	var groups []int
	for i, group := range g.d.groups {
		for f := range group.width {
			if g.allowed[group.first+f] {
				groups = append(groups, i)
				break
			}
		}
	}
	return groups
}

// binsOf is where the bins of a group begin in a histogram, and how many its features
// have.
func (g *grower) binsOf(group *group) (start int, bins []int) {
	for f := range group.width {
		bins = append(bins, g.starts[group.first+f+1]-g.starts[group.first+f])
	}
	return g.starts[group.first], bins
}

// find finds the best split of a leaf, and that of its larger sibling too, whose
// histogram is what the parent's has more.
func (g *grower) find(small, large *leaf, parent *histogram) {
	r := g.finder.round
	parallel(g.threads, len(g.d.used), func(f, worker int) {
		if !g.allowed[f] {
			g.splits[0][f].feature, g.splits[1][f].feature = -1, -1
			return
		}
		sums := &g.work[worker].read
		at, bins := g.starts[f], g.starts[f+1]-g.starts[f]
		small.hist.read(&sums[0], at, bins, r)
		g.splits[0][f] = g.best(&sums[0], f, small)
		if large == nil {
			return
		}
		parent.read(&sums[1], at, bins, r)
		for i := range bins {
			sums[1].g[i] -= sums[0].g[i]
			sums[1].h[i] -= sums[0].h[i]
		}
		large.hist.write(&sums[1], at, bins, r)
		g.splits[1][f] = g.best(&sums[1], f, large)
	})
	small.best = first(g.splits[0])
	if large != nil {
		large.best = first(g.splits[1])
	}
}

// best is the best split of a leaf by a feature.
func (g *grower) best(c *bufferCells, f int, l *leaf) split {
	if !g.mayGrow(l) {
		return split{feature: -1}
	}
	monotone := 0
	if len(g.p.Monotone) > 0 {
		monotone = g.p.Monotone[g.d.used[f]]
	}
	s := g.finder.best(c, g.d.mapperOf(f), l.node, monotone)
	if s.gain > 0 {
		s.feature = f
	}
	return s
}

// first is the split that gains most, the first of them.
func first(splits []split) split {
	best := split{feature: -1}
	for i := range splits {
		if splits[i].feature >= 0 && (best.feature < 0 || splits[i].gain > best.gain) {
			best = splits[i]
		}
	}
	return best
}
