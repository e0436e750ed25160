package gbdt

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
)

// readTree reads a tree that was written for the same bins, as far as scores need it.
func (d *Dataset) readTree(section string) (*tree, error) {
	leaves, err := list(section, "leaf_value=", float)
	if err != nil || len(leaves) == 0 {
		return nil, errors.New("it has no leaf values")
	}
	t := &tree{}
	for _, v := range leaves {
		t.leaves = append(t.leaves, treeLeaf{value: v})
	}
	n := len(leaves) - 1
	var ints [4][]int
	for i, key := range []string{"split_feature=", "decision_type=", "left_child=", "right_child="} {
		values, err := list(section, key, strconv.Atoi)
		if err != nil || len(values) != n {
			return nil, fmt.Errorf("%s has not %d integers", key, n)
		}
		ints[i] = values
	}
	thresholds, err := list(section, "threshold=", float)
	if err != nil || len(thresholds) != n {
		return nil, fmt.Errorf("threshold= has not %d numbers", n)
	}
	sets, err := readSets(section)
	if err != nil {
		return nil, err
	}
	for i := range n {
		used := slices.Index(d.used, ints[0][i])
		node := treeNode{used: used, left: ints[2][i], right: ints[3][i]}
		// A child is younger than its parent, so no walk is endless.
		if used < 0 || !inTree(node.left, i, n) || !inTree(node.right, i, n) {
			return nil, fmt.Errorf("node %d is wrong", i)
		}
		if node.toLeft, err = d.mapperOf(used).toLeft(ints[1][i], thresholds[i], sets); err != nil {
			return nil, fmt.Errorf("node %d: %w", i, err)
		}
		t.nodes = append(t.nodes, node)
	}
	return t, nil
}

func inTree(child, parent, nodes int) bool {
	return child > parent && child < nodes || child < 0 && ^child <= nodes
}

// toLeft are the bins that a node sends left.
func (m *mapper) toLeft(decision int, threshold float64, sets [][]uint32) (binSet, error) {
	set := newBinSet(m.bins)
	if m.codes != nil {
		if decision&bitCategorical == 0 || !(threshold >= 0 && threshold < float64(len(sets))) {
			return set, errors.New("its categories are missing")
		}
		words := sets[int(threshold)]
		for bin, code := range m.codes[1:] {
			if w := int(code) / 32; w < len(words) && words[w]>>(code%32)&1 != 0 {
				set.add(bin + 1)
			}
		}
		return set, nil
	}
	for bin, bound := range m.bounds {
		if min(bound, 1e300) <= threshold {
			set.add(bin)
		}
	}
	if m.missing && decision&bitDefaultLeft != 0 {
		set.add(m.bins - 1)
	}
	return set, nil
}

// readSets reads the sets of categories of a tree.
func readSets(section string) ([][]uint32, error) {
	bounds, err := list(section, "cat_boundaries=", strconv.Atoi)
	if err != nil || len(bounds) == 0 {
		return nil, err
	}
	words, err := list(section, "cat_threshold=", word)
	if err != nil {
		return nil, err
	}
	var sets [][]uint32
	for i := 1; i < len(bounds); i++ {
		if bounds[i-1] < 0 || bounds[i] < bounds[i-1] || bounds[i] > len(words) {
			return nil, errors.New("cat_boundaries= is wrong")
		}
		sets = append(sets, words[bounds[i-1]:bounds[i]])
	}
	return sets, nil
}

// list reads the values of a line of a tree's section.
func list[T any](section, key string, read func(string) (T, error)) ([]T, error) {
	var values []T
	for _, text := range fields(section, key) {
		v, err := read(text)
		if err != nil {
			return nil, fmt.Errorf("%s has %q", key, text)
		}
		values = append(values, v)
	}
	return values, nil
}

func float(text string) (float64, error) { return strconv.ParseFloat(text, 64) }

func word(text string) (uint32, error) {
	w, err := strconv.ParseUint(text, 10, 32)
	return uint32(w), err
}
