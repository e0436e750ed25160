package lightgbm

import (
	"math"

	"headgate/internal/model"
)

// A forest is the trees in use, flattened for scoring. Nodes and leaves of all
// trees are numbered through; a negative node is the complement of a leaf.
type forest struct {
	roots     []int32 // one per tree
	plain     []bool  // one per tree: all its nodes are numeric
	firstLeaf []int32 // one per tree
	nodes     []node
	values    []float64 // of the leaves
	words     []uint32  // category sets
	sets      []set
	linears   []leafModel // one per leaf, or none at all
	features  []int32     // of the leaf models
	coeffs    []float64
}

// A node compares one feature with a threshold, or looks it up in a set.
type node struct {
	threshold float64
	child     [2]int32 // left, right
	missing   int32    // which child missing values go to: left or right
	set       int32    // of categorical nodes
	feature   int32
	kind      kind
}

// Indices of a node's children.
const (
	left = iota
	right
)

// kind is what a node does with its feature's value.
type kind uint8

const (
	numeric         kind = iota // only NaN is missing
	numericZero                 // zero is missing too
	categoricalNode             // a set of codes
)

// A set is words[start:end] of the forest: bit i stands for code i.
type set struct{ start, end int32 }

// A leafModel is the linear model of a leaf: constant + Σ coeff · feature.
type leafModel struct {
	constant   float64
	start, end int32 // in features and coeffs
	used       bool
}

// add appends a checked tree.
func (f *forest) add(t *tree) {
	firstNode, firstLeaf, firstSet := int32(len(f.nodes)), int32(len(f.values)), int32(len(f.sets))
	f.firstLeaf = append(f.firstLeaf, firstLeaf)
	global := func(child int32) int32 {
		if child < 0 {
			return ^(firstLeaf + ^child)
		}
		return firstNode + child
	}
	root := ^firstLeaf
	if t.leaves > 1 {
		root = firstNode
	}
	f.roots = append(f.roots, root)
	plain := true
	for i := range t.leaves - 1 {
		n := node{threshold: t.threshold[i], feature: t.feature[i], child: [2]int32{global(t.left[i]), global(t.right[i])}}
		n.settle(t.decision[i], firstSet)
		f.nodes = append(f.nodes, n)
		plain = plain && n.kind == numeric
	}
	f.plain = append(f.plain, plain)
	f.values = append(f.values, t.leaf...)
	firstWord := int32(len(f.words))
	for i := 1; i < len(t.boundaries); i++ {
		f.sets = append(f.sets, set{firstWord + t.boundaries[i-1], firstWord + t.boundaries[i]})
	}
	f.words = append(f.words, t.words...)
	if t.linear != nil {
		f.addLinear(t.linear, int(firstLeaf))
	}
}

// settle works out kind and missing from the decision type. Where NaN counts as
// zero, it goes where zero goes.
func (n *node) settle(decision, firstSet int32) {
	byDefault := int32(right)
	if decision&bitDefaultLeft != 0 {
		byDefault = left
	}
	switch {
	case decision&bitCategorical != 0:
		n.kind, n.missing, n.set = categoricalNode, right, firstSet+int32(n.threshold)
	case decision>>shiftMissing == missingZero:
		n.kind, n.missing = numericZero, byDefault
	case decision>>shiftMissing == missingNaN:
		n.missing = byDefault
	case 0 <= n.threshold:
		n.missing = left
	default:
		n.missing = right
	}
}

// addLinear appends the linear models of a tree's leaves.
func (f *forest) addLinear(l *linear, firstLeaf int) {
	f.linears = append(f.linears, make([]leafModel, firstLeaf-len(f.linears))...)
	at := int32(len(f.features))
	for i, constant := range l.constant {
		f.linears = append(f.linears, leafModel{constant, at, at + l.count[i], true})
		at += l.count[i]
	}
	f.features = append(f.features, l.feature...)
	f.coeffs = append(f.coeffs, l.coeff...)
}

// model makes the model with the iterations that o asks for.
func (f *file) model(o model.Options) (*Model, error) {
	total := len(f.trees) / f.outputs
	if o.Start < 0 || o.Start >= total || o.Count < 0 {
		return nil, &RangeError{o.Start, o.Count, total}
	}
	end := total
	if o.Count > 0 && o.Count < total-o.Start {
		end = o.Start + o.Count
	}
	inputs, err := f.inputs(o)
	if err != nil {
		return nil, err
	}
	encoder, err := model.NewEncoder(inputs)
	if err != nil {
		return nil, err
	}
	_, average := f.header.values["average_output"]
	m := &Model{
		inputs: inputs, encoder: encoder, objective: f.objective, outputs: f.outputs,
		average: average, iterations: end - o.Start, importance: make([]Importance, len(inputs)),
	}
	for i, in := range inputs {
		m.importance[i].Feature = in.Name
	}
	for _, t := range f.trees[o.Start*f.outputs : end*f.outputs] {
		m.forest.add(t)
		for i, gain := range t.gain {
			if gain > 0 {
				m.importance[t.feature[i]].Splits++
				m.importance[t.feature[i]].Gain += gain
			}
		}
	}
	m.weigh()
	if n := len(m.forest.linears); n > 0 {
		m.forest.linears = append(m.forest.linears, make([]leafModel, len(m.forest.values)-n)...)
	}
	return m, nil
}

// weigh gives each input its share of the gain, if the file has gains.
func (m *Model) weigh() {
	total := 0.0
	for _, i := range m.importance {
		total += i.Gain
	}
	if !(total > 0) || math.IsInf(total, 1) {
		return
	}
	for i := range m.inputs {
		m.inputs[i].Importance = m.importance[i].Gain / total
	}
}
