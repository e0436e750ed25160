package gbdt

import (
	"context"
	"errors"
	"math"
)

// A grower grows trees on a dataset, leaf by leaf: it always splits the leaf that
// gains most.
type grower struct {
	d       *Dataset
	p       *Params
	threads int

	pairs   []pair   // derivatives of each row, of the class at hand
	rounded []uint64 // the same, rounded
	ordered []uint64 // those of the rows of a leaf, one after the other
	rows    []uint32 // in use, leaf by leaf, ascending in each
	spare   []uint32 // as long as rows
	allowed []bool   // used features that may split this tree

	finder finder
	starts []int // in a histogram, of each used feature's bins
	pool   pool
	work   []*workspace // of each thread
	splits [2][]split   // of two leaves, by used feature
	leaves []*leaf      // of the tree at hand
	tree   *tree
}

// A workspace is what a thread needs for itself.
type workspace struct {
	cells groupCells
	wide  []uint64 // cells of a feature of two bytes
	sums  []uint64 // of one group, taken apart
	read  [2]bufferCells
}

// A leaf is one of the tree that grows.
type leaf struct {
	node
	start  int // of its rows in grower.rows
	depth  int
	hist   *histogram
	best   split
	l2     float64 // with which its value was found
	parent int     // node; −1 above the root
	right  bool    // it is the parent's right child
	value  float64
}

func newGrower(d *Dataset, p *Params, threads int) *grower {
	g := &grower{d: d, p: p, threads: threads,
		pairs: make([]pair, d.rows), rounded: make([]uint64, d.rows), ordered: make([]uint64, d.rows),
		rows: make([]uint32, d.rows), spare: make([]uint32, d.rows), allowed: make([]bool, len(d.used))}
	for i := range d.used {
		g.starts = append(g.starts, g.pool.bins)
		g.pool.bins += d.mapperOf(i).bins
	}
	g.starts = append(g.starts, g.pool.bins)
	most := 256
	for i := range d.used {
		most = max(most, d.mapperOf(i).bins)
	}
	for range threads {
		w := &workspace{wide: make([]uint64, most), sums: make([]uint64, 2*max(256*groupWidth, most))}
		for i := range w.read {
			w.read[i] = bufferCells{make([]int64, most), make([]int64, most)}
		}
		g.work = append(g.work, w)
	}
	for i := range g.splits {
		g.splits[i] = make([]split, len(d.used))
	}
	return g
}

// grow grows a tree on the rows of a bag, whose derivatives are in g.pairs. The bag
// is ascending; nil means all rows.
func (g *grower) grow(ctx context.Context, bag []uint32, flat bool) (*tree, error) {
	g.rows = g.rows[:g.d.rows]
	if bag == nil {
		parallel(g.threads, blocks(len(g.rows)), func(b, _ int) {
			for i := b * blockRows; i < min((b+1)*blockRows, len(g.rows)); i++ {
				g.rows[i] = uint32(i)
			}
		})
	} else {
		g.rows = g.rows[:copy(g.rows, bag)]
	}
	root, err := g.round(flat)
	if err != nil {
		return nil, err
	}
	g.tree = &tree{shrinkage: 1}
	g.leaves = []*leaf{root}
	if g.mayGrow(root) {
		root.hist = g.pool.get(root.rows)
		g.build(root.hist, root)
		g.find(root, nil, nil)
	}
	for len(g.leaves) < g.p.NumLeaves {
		at := g.richest()
		if at < 0 {
			break
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		g.split(at)
	}
	g.finish()
	return g.tree, nil
}

// errOverflow means that a derivative or a leaf is not finite.
var errOverflow = errors.New("the training leaves the numbers that can be computed with; labels or weights are too large")

// round rounds the derivatives of the rows in use and returns the root with their
// sums.
func (g *grower) round(flat bool) (*leaf, error) {
	n := blocks(len(g.rows))
	tops := make([]pair, n)
	parallel(g.threads, n, func(b, _ int) {
		var top pair
		for _, row := range g.block(b) {
			v := g.pairs[row]
			top.g, top.h = max(top.g, v.g, -v.g), max(top.h, v.h)
		}
		tops[b] = top
	})
	var top pair
	for _, t := range tops {
		top.g, top.h = max(top.g, t.g), max(top.h, t.h)
	}
	if sum := float64(top.g) + float64(top.h); math.IsInf(sum, 0) || math.IsNaN(sum) {
		return nil, errOverflow
	}
	g.finder = finder{g.p, newRounding(float64(top.g), float64(top.h), flat)}
	r := g.finder.round
	sums := make([]uint64, n)
	parallel(g.threads, n, func(b, _ int) {
		for _, row := range g.block(b) {
			v := r.pack(g.pairs[row])
			g.rounded[row] = v
			sums[b] += v
		}
	})
	root := &leaf{node: node{rows: len(g.rows), low: math.Inf(-1), high: math.Inf(1)}, l2: g.p.LambdaL2, parent: -1, best: split{feature: -1}}
	for _, sum := range sums {
		sg, sh := r.unpack(sum)
		root.g += sg
		root.h += sh
	}
	root.value = g.finder.valueOf(root.node, root.l2)
	return root, nil
}

// valueOf is the value of a leaf with the sums of n.
func (f finder) valueOf(n node, l2 float64) float64 {
	if n.h == 0 {
		return 0
	}
	gs, hs := f.sums(n.g, n.h)
	return f.value(gs, hs, l2)
}

func blocks(rows int) int { return (rows + blockRows - 1) / blockRows }

// block is a part of the rows in use.
func (g *grower) block(b int) []uint32 {
	return g.rows[b*blockRows : min((b+1)*blockRows, len(g.rows))]
}

// mayGrow reports whether a leaf is large enough to be split, and not too deep.
func (g *grower) mayGrow(l *leaf) bool {
	return l.rows >= max(2*g.p.MinDataInLeaf, 2) && l.h > 1 && (g.p.MaxDepth <= 0 || l.depth < g.p.MaxDepth)
}

// richest is the leaf whose split gains most, the first of them; −1 if there is none.
func (g *grower) richest() int {
	at := -1
	for i, l := range g.leaves {
		if l.best.feature >= 0 && (at < 0 || l.best.gain > g.leaves[at].best.gain) {
			at = i
		}
	}
	return at
}

// split turns a leaf into a node with two leaves: the left one keeps its number.
func (g *grower) split(at int) {
	parent := g.leaves[at]
	s := &parent.best
	toLeft := g.leftBins(s)
	left := &leaf{node: node{low: parent.low, high: parent.high, g: s.leftG, h: s.leftH},
		start: parent.start, depth: parent.depth + 1, l2: s.l2, parent: len(g.tree.nodes), value: s.leftValue, best: split{feature: -1}}
	right := &leaf{node: node{low: parent.low, high: parent.high, g: parent.g - s.leftG, h: parent.h - s.leftH},
		depth: left.depth, l2: s.l2, parent: left.parent, right: true, value: s.rightValue, best: split{feature: -1}}
	left.rows = g.divide(parent, s.feature, toLeft)
	right.rows = parent.rows - left.rows
	right.start = left.start + left.rows
	g.constrain(s, left, right)
	g.addNode(at, parent, toLeft)
	g.leaves[at] = left
	g.leaves = append(g.leaves, right)

	small, large := left, right
	if right.rows < left.rows {
		small, large = right, left
	}
	defer func() { g.pool.put(parent.hist); parent.hist = nil }()
	if len(g.leaves) == g.p.NumLeaves || !g.mayGrow(left) && !g.mayGrow(right) {
		return
	}
	small.hist = g.pool.get(small.rows)
	g.build(small.hist, small)
	large.hist = g.pool.get(large.rows)
	g.find(small, large, parent.hist)
}

// leftBins are the bins that a split sends left.
func (g *grower) leftBins(s *split) binSet {
	m := g.d.mapperOf(s.feature)
	set := newBinSet(m.bins)
	for _, bin := range s.left {
		set.add(int(bin))
	}
	if s.left == nil {
		for bin := range s.bin + 1 {
			set.add(bin)
		}
		if m.missing && s.missingLeft {
			set.add(m.bins - 1)
		}
	}
	return set
}

// constrain bounds the values below a monotone split: no leaf on one side may pass
// the middle between both sides.
//
// Source: LightGBM's documentation of monotone_constraints_method, "basic".
func (g *grower) constrain(s *split, left, right *leaf) {
	if !g.p.monotone() {
		return
	}
	middle := (s.leftValue + s.rightValue) / 2
	switch g.p.Monotone[g.d.used[s.feature]] {
	case 1:
		left.high, right.low = min(left.high, middle), max(right.low, middle)
	case -1:
		left.low, right.high = max(left.low, middle), min(right.high, middle)
	}
}

// addNode puts a node where a leaf was.
func (g *grower) addNode(at int, parent *leaf, toLeft binSet) {
	t, s := g.tree, &parent.best
	_, weight := g.finder.sums(parent.g, parent.h)
	t.nodes = append(t.nodes, treeNode{used: s.feature, toLeft: toLeft, bin: s.bin, missingLeft: s.missingLeft, gain: s.gain + g.p.MinGainToSplit,
		left: ^at, right: ^len(g.leaves), value: parent.value, weight: weight, rows: parent.rows})
	if parent.parent >= 0 {
		child := &t.nodes[parent.parent].left
		if parent.right {
			child = &t.nodes[parent.parent].right
		}
		*child = len(t.nodes) - 1
	}
}

// finish hands the leaves to the tree, and their histograms back.
func (g *grower) finish() {
	for _, l := range g.leaves {
		g.pool.put(l.hist)
		l.hist = nil
		_, weight := g.finder.sums(l.g, l.h)
		g.tree.leaves = append(g.tree.leaves, treeLeaf{value: l.value, weight: weight, rows: l.rows})
	}
}

// leafRows are the rows of a leaf of the last tree, ascending.
func (g *grower) leafRows(i int) []uint32 {
	l := g.leaves[i]
	return g.rows[l.start : l.start+l.rows]
}
