package gbdt

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"headgate/internal/model"
)

// Bits of a node's decision_type.
const (
	bitCategorical = 1
	bitDefaultLeft = 2
	bitsNaN        = 2 << 2 // the missing type: NaN is missing
)

// A binSet has a bit for each bin of a feature.
type binSet []uint64

func newBinSet(bins int) binSet { return make(binSet, (bins+63)/64) }

func (s binSet) add(bin int)      { s[bin>>6] |= 1 << (bin & 63) }
func (s binSet) has(bin int) bool { return s[bin>>6]>>(bin&63)&1 != 0 }

// table has a 1 for each bin in the set, and room for every byte.
func (s binSet) table() []uint8 {
	t := make([]uint8, max(64*len(s), byteBins))
	for b := range 64 * len(s) {
		t[b] = uint8(s[b>>6] >> (b & 63) & 1)
	}
	return t
}

// A tree is one of a model. Nodes and leaves are numbered as they are made; a child
// is a node, or if negative the complement of a leaf.
type tree struct {
	nodes     []treeNode
	leaves    []treeLeaf
	shrinkage float64
}

type treeNode struct {
	used        int // feature, among the dataset's used ones
	toLeft      binSet
	bin         int // numeric: the last that goes left
	missingLeft bool
	gain        float64 // with min_gain_to_split, as LightGBM writes it
	left, right int
	value       float64 // of the leaf that the node was
	weight      float64
	rows        int
}

type treeLeaf struct {
	value  float64
	weight float64 // the sum of the second derivatives
	rows   int
}

// leafOf walks a row to its leaf.
func (t *tree) leafOf(d *Dataset, row int) int {
	at := 0
	if len(t.nodes) == 0 {
		at = -1
	}
	for at >= 0 {
		n := &t.nodes[at]
		at = n.right
		if n.toLeft.has(d.bin(n.used, row)) {
			at = n.left
		}
	}
	return ^at
}

// bin is the bin of a row's value.
func (d *Dataset) bin(used, row int) int {
	g, f := d.group(used)
	if g.wide != nil {
		return int(g.wide[row])
	}
	return int(g.bins[row*g.width+f])
}

// group finds the group of a used feature, and its place in there.
func (d *Dataset) group(used int) (*group, int) {
	g := d.groups[d.groupOf[used]]
	return g, used - g.first
}

// scale multiplies the values with the learning rate.
func (t *tree) scale(rate float64) {
	t.shrinkage = rate
	for i := range t.leaves {
		t.leaves[i].value = float64(t.leaves[i].value * rate)
	}
	for i := range t.nodes {
		t.nodes[i].value = float64(t.nodes[i].value * rate)
	}
}

// shift adds the score at which boosting starts. As in LightGBM, the tree's rate is 1
// from then on.
func (t *tree) shift(start float64) {
	t.shrinkage = 1
	for i := range t.leaves {
		t.leaves[i].value += start
	}
	for i := range t.nodes {
		t.nodes[i].value += start
	}
}

// A treeText writes a tree as LightGBM does, version v4.
type treeText struct {
	strings.Builder
}

// line writes a key and n values.
func (b *treeText) line(key string, n int, value func(i int) string) {
	b.WriteString(key)
	for i := range n {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(value(i))
	}
	b.WriteByte('\n')
}

// brief is a number that nothing depends on, in six digits.
func brief(v float64) string { return strconv.FormatFloat(v, 'g', 6, 64) }

// text is the tree's section of a model file, without the line "Tree=".
func (t *tree) text(d *Dataset) string {
	var b treeText
	nodes, leaves := t.nodes, t.leaves
	inner := len(nodes)
	sets := t.sets(d)
	fmt.Fprintf(&b, "num_leaves=%d\nnum_cat=%d\n", len(leaves), len(sets))
	b.line("split_feature=", inner, func(i int) string { return strconv.Itoa(d.used[nodes[i].used]) })
	b.line("split_gain=", inner, func(i int) string { return brief(nodes[i].gain) })
	set := -1
	b.line("threshold=", inner, func(i int) string {
		m := d.mapperOf(nodes[i].used)
		if m.kind == model.Categorical {
			set++
			return strconv.Itoa(set)
		}
		return decimal(min(m.bounds[min(nodes[i].bin, len(m.bounds)-1)], 1e300))
	})
	b.line("decision_type=", inner, func(i int) string { return strconv.Itoa(nodes[i].decision(d)) })
	b.line("left_child=", inner, func(i int) string { return strconv.Itoa(nodes[i].left) })
	b.line("right_child=", inner, func(i int) string { return strconv.Itoa(nodes[i].right) })
	b.line("leaf_value=", len(leaves), func(i int) string { return decimal(leaves[i].value) })
	if inner == 0 {
		b.WriteString("leaf_weight=\n")
	} else {
		b.line("leaf_weight=", len(leaves), func(i int) string { return decimal(leaves[i].weight) })
	}
	b.line("leaf_count=", len(leaves), func(i int) string { return strconv.Itoa(leaves[i].rows) })
	b.line("internal_value=", inner, func(i int) string { return brief(nodes[i].value) })
	b.line("internal_weight=", inner, func(i int) string { return brief(nodes[i].weight) })
	b.line("internal_count=", inner, func(i int) string { return strconv.Itoa(nodes[i].rows) })
	if len(sets) > 0 {
		b.writeSets(sets)
	}
	b.WriteString("is_linear=0\nshrinkage=" + brief(t.shrinkage) + "\n\n\n")
	return b.String()
}

func (d *Dataset) mapperOf(used int) *mapper { return &d.mappers[d.used[used]] }

// decision is the node's decision_type.
func (n *treeNode) decision(d *Dataset) int {
	m := d.mapperOf(n.used)
	switch {
	case m.kind == model.Categorical:
		return bitCategorical | bitsNaN
	case m.missing && n.missingLeft:
		return bitsNaN | bitDefaultLeft
	case m.missing:
		return bitsNaN
	}
	return bitDefaultLeft
}

// sets are the codes that go left, of each categorical node.
func (t *tree) sets(d *Dataset) [][]int32 {
	var sets [][]int32
	for i := range t.nodes {
		m := d.mapperOf(t.nodes[i].used)
		if m.kind != model.Categorical {
			continue
		}
		var codes []int32
		for bin, code := range m.codes {
			if t.nodes[i].toLeft.has(bin) {
				codes = append(codes, code)
			}
		}
		sets = append(sets, codes)
	}
	return sets
}

// writeSets writes sets of codes as bits of 32-bit words.
func (b *treeText) writeSets(sets [][]int32) {
	bounds := []int{0}
	var words []uint32
	for _, codes := range sets {
		first := len(words)
		for _, code := range codes {
			for len(words) <= first+int(code)/32 {
				words = append(words, 0)
			}
			words[first+int(code)/32] |= 1 << (code % 32)
		}
		bounds = append(bounds, len(words))
	}
	b.line("cat_boundaries=", len(bounds), func(i int) string { return strconv.Itoa(bounds[i]) })
	b.line("cat_threshold=", len(words), func(i int) string { return strconv.FormatUint(uint64(words[i]), 10) })
}

// finite reports whether all values are numbers.
func (t *tree) finite() bool {
	for i := range t.leaves {
		if v := t.leaves[i].value; math.IsNaN(v) || math.IsInf(v, 0) {
			return false
		}
	}
	return true
}
