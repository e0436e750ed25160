package lightgbm

// Bits of a node's decision_type.
const (
	bitCategorical = 1
	bitDefaultLeft = 2
	shiftMissing   = 2 // two bits: a missing type
)

// Missing types: which values take the default direction.
const (
	missingNone = iota // none; NaN counts as 0
	missingZero        // zero and NaN
	missingNaN         // NaN
)

// A tree is one tree of the file, checked but not yet part of a forest.
// A child is an internal node, or if negative the complement of a leaf.
type tree struct {
	line        int
	leaves      int
	leaf        []float64
	feature     []int32
	gain        []float64
	threshold   []float64
	decision    []int32
	left, right []int32
	boundaries  []int32 // category sets: set i is words[boundaries[i]:boundaries[i+1]]
	words       []uint32
	linear      *linear
}

// linear holds the linear models of a tree's leaves.
type linear struct {
	constant []float64
	count    []int32 // features of each leaf
	feature  []int32 // of all leaves, one after the other
	coeff    []float64
}

// maxLeaves bounds num_leaves, whatever the file says: LightGBM's own limit.
const maxLeaves = 131072

// parseTree reads and checks one tree of a model with the given number of features.
func parseTree(s *entries, features int) (*tree, error) {
	t := &tree{line: s.line}
	var err error
	if t.leaves, err = s.integer("num_leaves", 1, maxLeaves); err != nil {
		return nil, err
	}
	if t.leaf, err = s.floats("leaf_value", t.leaves); err != nil {
		return nil, err
	}
	if t.leaves > 1 {
		if err := t.parseNodes(s, features); err != nil {
			return nil, err
		}
		if err := t.parseSets(s); err != nil {
			return nil, err
		}
		if err := t.checkShape(s); err != nil {
			return nil, err
		}
	}
	if _, ok := s.values["is_linear"]; !ok {
		return t, nil
	}
	isLinear, err := s.integer("is_linear", 0, 1)
	if err != nil || isLinear == 0 {
		return t, err
	}
	t.linear, err = parseLinear(s, t.leaves, features)
	return t, err
}

// parseNodes reads the internal nodes.
func (t *tree) parseNodes(s *entries, features int) error {
	n := t.leaves - 1
	var err error
	if t.feature, err = s.ints("split_feature", n, 0, features-1); err != nil {
		return err
	}
	if t.threshold, err = s.limits("threshold", n); err != nil {
		return err
	}
	if t.left, err = s.ints("left_child", n, -t.leaves, n-1); err != nil {
		return err
	}
	if t.right, err = s.ints("right_child", n, -t.leaves, n-1); err != nil {
		return err
	}
	t.decision = make([]int32, n)
	if _, ok := s.values["decision_type"]; ok {
		if t.decision, err = s.ints("decision_type", n, 0, missingNaN<<shiftMissing|bitDefaultLeft|bitCategorical); err != nil {
			return err
		}
	}
	t.gain = make([]float64, n)
	if _, ok := s.values["split_gain"]; ok {
		t.gain, err = s.limits("split_gain", n)
	}
	return err
}

// parseSets reads the category sets and checks that the nodes use them rightly.
func (t *tree) parseSets(s *entries) error {
	sets, err := s.integer("num_cat", 0, t.leaves-1)
	if err != nil {
		return err
	}
	if sets > 0 {
		if t.boundaries, err = s.ints("cat_boundaries", sets+1, 0, 1<<30); err != nil {
			return err
		}
		at := s.values["cat_boundaries"].line
		for i, b := range t.boundaries {
			if (i == 0 && b != 0) || (i > 0 && b < t.boundaries[i-1]) {
				return errorAt(at, "cat_boundaries: value %d is %d; they must start at 0 and not fall", i+1, b)
			}
		}
		if t.words, err = s.words("cat_threshold", int(t.boundaries[sets])); err != nil {
			return err
		}
	}
	for i, d := range t.decision {
		set := t.threshold[i]
		if d&bitCategorical != 0 && (set != float64(int32(set)) || set < 0 || set >= float64(sets)) {
			return errorAt(s.values["threshold"].line, "threshold: node %d asks for category set %g of %d", i, set, sets)
		}
	}
	return nil
}

// checkShape walks the tree from its root: every node and every leaf must be
// reached exactly once. So there is no cycle, and no walk longer than the tree.
func (t *tree) checkShape(s *entries) error {
	line := s.values["left_child"].line
	nodes, leaves := make([]bool, t.leaves-1), make([]bool, t.leaves)
	nodes[0] = true
	seen := 1
	stack := []int32{0}
	for len(stack) > 0 {
		at := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		for _, child := range [2]int32{t.left[at], t.right[at]} {
			switch {
			case child < 0 && leaves[^child]:
				return errorAt(line, "left_child and right_child are no tree: leaf %d is reached twice", ^child)
			case child < 0:
				leaves[^child] = true
			case nodes[child]:
				return errorAt(line, "left_child and right_child are no tree: node %d is reached twice", child)
			default:
				nodes[child] = true
				stack = append(stack, child)
			}
			seen++
		}
	}
	if want := 2*t.leaves - 1; seen != want {
		return errorAt(line, "left_child and right_child are no tree: only %d of %d nodes and leaves are reached", seen, want)
	}
	return nil
}

// parseLinear reads the linear models of the leaves.
func parseLinear(s *entries, leaves, features int) (*linear, error) {
	l := &linear{}
	var err error
	if l.constant, err = s.floats("leaf_const", leaves); err != nil {
		return nil, err
	}
	if l.count, err = s.ints("num_features", leaves, 0, features); err != nil {
		return nil, err
	}
	total := 0
	for _, n := range l.count {
		total += int(n)
	}
	if l.feature, err = s.ints("leaf_features", total, 0, features-1); err != nil {
		return nil, err
	}
	l.coeff, err = s.floats("leaf_coeff", total)
	return l, err
}
