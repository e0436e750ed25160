package lightgbm

import (
	"math"

	"github.com/apache/arrow/go/v17/arrow"

	"headgate/internal/model"
)

// zero is LightGBM's kZeroThreshold: no value is nearer to zero than this without
// counting as zero. It is a float in the source, hence not 1e-35 exactly.
const zero = float64(float32(1e-35))

// blockBytes is about how much of the input is scored at once: what stays in a
// core's nearest caches while all trees pass over it.
const blockBytes = 64 << 10

// Score scores every row of rec; see [model.Scorer].
func (m *Model) Score(dst *model.Scores, rec arrow.Record) error {
	frame, err := m.encoder.Bind(rec)
	if err != nil {
		return err
	}
	rows, k := int(rec.NumRows()), m.outputs
	dst.Resize(rows, k)
	clear(dst.Raw)
	m.blocks(frame, rows, func(block []float64, from, to int) {
		raw := dst.Raw[from*k : to*k]
		m.forest.addScores(raw, block, len(m.inputs), k)
		pred := dst.Pred[from*k : to*k]
		copy(pred, raw)
		if m.average {
			for i := range pred {
				pred[i] /= float64(m.iterations)
			}
		}
		m.objective.apply(pred, k)
	})
	return nil
}

// blocks hands the rows out in blocks that fit the cache, row-major, with values
// near zero as zero: LightGBM's own row readers drop them before they predict.
func (m *Model) blocks(frame *model.Frame, rows int, each func(block []float64, from, to int)) {
	stride := len(m.inputs)
	size := min(max(blockBytes/8/stride, 8), 256)
	buffer, ok := m.buffers.Get().(*[]float64)
	if !ok {
		values := make([]float64, size*stride)
		buffer = &values
	}
	defer m.buffers.Put(buffer)
	for from := 0; from < rows; from += size {
		to := min(from+size, rows)
		block := (*buffer)[:(to-from)*stride]
		frame.Fill(block, from, to)
		for i, v := range block {
			if math.Abs(v) <= zero {
				block[i] = 0
			}
		}
		each(block, from, to)
	}
}

// addScores adds to raw, which has k outputs to a row, the values of all trees, in
// the trees' order: sums of doubles depend on it.
func (f *forest) addScores(raw, block []float64, stride, k int) {
	rows := len(block) / stride
	for t, root := range f.roots {
		i := 0
		if f.plain[t] && f.linears == nil {
			for ; i+4 <= rows; i += 4 {
				leaves := f.fourLeaves(root, block[i*stride:(i+4)*stride], stride)
				for j, leaf := range leaves {
					raw[(i+j)*k+t%k] += f.values[leaf]
				}
			}
		}
		for ; i < rows; i++ {
			row := block[i*stride : (i+1)*stride]
			raw[i*k+t%k] += f.value(f.leaf(root, row), row)
		}
	}
}

// value is what a row gets from the leaf that it reaches.
func (f *forest) value(leaf int32, row []float64) float64 {
	if f.linears != nil && f.linears[leaf].used {
		return f.linear(leaf, row)
	}
	return f.values[leaf]
}

// leaf walks from a root to a leaf.
func (f *forest) leaf(at int32, row []float64) int32 {
	for at >= 0 {
		n := &f.nodes[at]
		v := row[n.feature]
		switch {
		case n.kind == categoricalNode:
			at = n.child[right]
			if f.contains(f.sets[n.set], v) {
				at = n.child[left]
			}
		case v == 0 && n.kind == numericZero:
			at = n.child[n.missing&1]
		default:
			at = n.next(v)
		}
	}
	return ^at
}

// fourLeaves walks four rows at once through a tree of plain numeric nodes, so that
// the processor has other work while one walk waits for memory. A walk that has
// ended stays at its leaf until the others have ended too.
func (f *forest) fourLeaves(root int32, rows []float64, stride int) [4]int32 {
	nodes := f.nodes
	r0, r1, r2, r3 := rows[:stride], rows[stride:2*stride], rows[2*stride:3*stride], rows[3*stride:4*stride]
	a, b, c, d := root, root, root, root
	for a&b&c&d >= 0 {
		a = step(nodes, a, r0)
		b = step(nodes, b, r1)
		c = step(nodes, c, r2)
		d = step(nodes, d, r3)
	}
	return [4]int32{^a, ^b, ^c, ^d}
}

// step is one step of a walk through plain numeric nodes.
func step(nodes []node, at int32, row []float64) int32 {
	leaf := at >> 31 // all ones at a leaf
	n := &nodes[at&^leaf]
	return n.next(row[n.feature])&^leaf | at&leaf
}

// next is where v goes from a numeric node. No branch depends on how v compares
// with the threshold: it would be mispredicted every other time.
func (n *node) next(v float64) int32 {
	side := int32(left)
	if v > n.threshold {
		side = right
	}
	if v != v {
		side = n.missing
	}
	return n.child[side&1]
}

// contains reports whether a set has the code v. As in LightGBM, a fraction is cut
// off towards zero, and what is NaN, negative or beyond an int is in no set.
func (f *forest) contains(s set, v float64) bool {
	if !(v > -1 && v < 1<<31) {
		return false
	}
	code := int32(v)
	word := s.start + code>>5
	return word < s.end && f.words[word]>>(code&31)&1 != 0
}

// linear is the value of a leaf's linear model, or the leaf's plain value if a
// feature that it needs is missing.
func (f *forest) linear(leaf int32, row []float64) float64 {
	m := &f.linears[leaf]
	value := m.constant
	for i := m.start; i < m.end; i++ {
		v := row[f.features[i]]
		if v != v {
			return f.values[leaf]
		}
		// Rounded by itself: a fused multiply-add would give other bits.
		value += float64(f.coeffs[i] * v)
	}
	return value
}
