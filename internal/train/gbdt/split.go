package gbdt

import (
	"math"
	"slices"

	"headgate/internal/model"
)

// A split divides a leaf's rows by one feature.
type split struct {
	feature     int // among the used ones; −1 if there is no split
	gain        float64
	bin         int      // numeric: the last that goes left
	missingLeft bool     // numeric: where missing values go
	left        []uint16 // categorical: the bins that go left
	leftG       int64    // sums of the left side
	leftH       int64
	leftValue   float64 // of the leaves, before the learning rate
	rightValue  float64
	l2          float64 // with which the values were found
}

// A node is what split finding knows of a leaf.
type node struct {
	rows      int
	g, h      int64   // sums
	low, high float64 // bounds of its value, by monotone constraints
}

// A finder finds the best split of one feature from its sums. It has no state but
// the parameters and what the sums stand for.
type finder struct {
	p     *Params
	round rounding
}

// best is the split of a feature with the largest gain. Of equal gains the first one
// counts: missing values left, and then the largest threshold.
func (f finder) best(c *bufferCells, m *mapper, n node, monotone int) split {
	s := f.newSearch(n, f.p.LambdaL2)
	s.monotone = monotone
	switch {
	case m.kind == model.Categorical:
		s.monotone = 0
		s.categorical(c, m)
	case m.missing && m.bins > 2:
		s.fromRight(c, m.bins-1)
		s.fromLeft(c, m.bins-1)
	default:
		s.fromRight(c, m.bins)
		s.best.missingLeft = !m.missing
	}
	if s.best.gain = s.best.gain - s.shift; !(s.best.gain > 0) || math.IsInf(s.best.gain, 0) {
		return split{feature: -1}
	}
	s.finish()
	return s.best
}

// A search is the search for the best split of one feature of one leaf.
type search struct {
	finder
	node
	l2       float64
	plain    bool // no bounds, no L1: the gain is the short formula
	monotone int
	leastH   int64   // of a side: that of enough hessian
	perRow   float64 // rows for each unit of h, on average
	shift    float64 // what a split must gain more than
	best     split
}

func (f finder) newSearch(n node, l2 float64) *search {
	p := f.p
	s := &search{finder: f, node: n, l2: l2, best: split{gain: math.Inf(-1)}}
	s.plain = p.LambdaL1 == 0 && p.MaxDeltaStep == 0 && !p.monotone()
	s.leastH = int64(min(max(math.Ceil(p.MinSumHessian/f.round.hUnit), 1), math.MaxInt64/2))
	s.perRow = float64(n.rows) / float64(n.h)
	g, h := s.sums(n.g, n.h)
	s.shift = f.gainOf(g, h, l2, f.value(g, h, l2)) + p.MinGainToSplit
	return s
}

// sums are the doubles that sums stand for.
func (f finder) sums(g, h int64) (float64, float64) {
	return float64(g) * f.round.gUnit, float64(h) * f.round.hUnit
}

// value is the best value of a leaf: −g / (h + l2), moved towards zero by L1 and
// kept within max_delta_step.
func (f finder) value(g, h, l2 float64) float64 {
	v := -shrink(g, f.p.LambdaL1) / (h + l2)
	if d := f.p.MaxDeltaStep; d > 0 {
		v = max(-d, min(d, v))
	}
	return v
}

// shrink moves a sum towards zero.
func shrink(g, l1 float64) float64 {
	if l1 == 0 {
		return g
	}
	return math.Copysign(max(math.Abs(g)-l1, 0), g)
}

// gainOf is how much less loss a leaf has with a value than with zero, twice.
func (f finder) gainOf(g, h, l2, value float64) float64 {
	return -(float64(2*shrink(g, f.p.LambdaL1)*value) + float64(float64((h+l2)*value)*value))
}

// gain is that of both sides; −Inf if the constraints forbid the split.
func (s *search) gain(leftG, leftH int64) float64 {
	if !s.plain {
		return s.boundedGain(leftG, leftH)
	}
	gl, hl := float64(leftG)*s.round.gUnit, float64(leftH)*s.round.hUnit
	gr, hr := float64(s.g-leftG)*s.round.gUnit, float64(s.h-leftH)*s.round.hUnit
	return gl*gl/(hl+s.l2) + gr*gr/(hr+s.l2)
}

// boundedGain is the gain with L1, bounds and monotone constraints.
func (s *search) boundedGain(leftG, leftH int64) float64 {
	gl, hl := s.sums(leftG, leftH)
	gr, hr := s.sums(s.g-leftG, s.h-leftH)
	left, right := s.bounded(gl, hl), s.bounded(gr, hr)
	if s.monotone > 0 && left > right || s.monotone < 0 && left < right {
		return math.Inf(-1)
	}
	return s.gainOf(gl, hl, s.l2, left) + s.gainOf(gr, hr, s.l2, right)
}

func (s *search) bounded(g, h float64) float64 {
	return max(s.low, min(s.high, s.value(g, h, s.l2)))
}

// finish works out the values of the best split.
func (s *search) finish() {
	b := &s.best
	b.leftValue = s.bounded(s.sums(b.leftG, b.leftH))
	b.rightValue = s.bounded(s.sums(s.g-b.leftG, s.h-b.leftH))
	b.l2 = s.l2
}

// rowsOf estimates how many of the leaf's rows a second derivative stands for, as
// LightGBM does: histograms do not count rows.
func (s *search) rowsOf(h int64) int { return int(float64(float64(h)*s.perRow) + 0.5) }

// enough reports whether a side with so many rows and such a second derivative may be
// a leaf.
func (s *search) enough(rows int, h int64) bool { return rows >= s.p.MinDataInLeaf && h >= s.leastH }

// A threshold is a candidate for a numeric split.
type threshold struct {
	gain float64
	bin  int // −1 if there is none
	g, h int64
}

// fromRight tries every threshold between bins 0 … bins−1, from the largest down.
// What is not in these bins goes left. A bin without rows changes nothing.
func (s *search) fromRight(c *bufferCells, bins int) {
	best := threshold{s.best.gain, -1, 0, 0}
	var g, h int64
	rows := 0
	gs, hs := c.g[:bins], c.h[:bins]
	for t := len(gs) - 1; t > 0; t-- {
		if gs[t]|hs[t] == 0 {
			continue
		}
		g += gs[t]
		h += hs[t]
		rows += s.rowsOf(hs[t])
		if !s.enough(rows, h) {
			continue
		}
		if !s.enough(s.rows-rows, s.h-h) {
			break
		}
		if gain := s.gain(s.g-g, s.h-h); gain > best.gain {
			best = threshold{gain, t - 1, s.g - g, s.h - h}
		}
	}
	s.take(best, true)
}

// fromLeft tries every threshold from the smallest up, and also to part bins 0 …
// bins−1 from what is not in them, which goes right.
func (s *search) fromLeft(c *bufferCells, bins int) {
	best := threshold{s.best.gain, -1, 0, 0}
	var g, h int64
	rows := 0
	gs, hs := c.g[:bins], c.h[:bins]
	for t := range gs {
		if gs[t]|hs[t] == 0 {
			continue
		}
		g += gs[t]
		h += hs[t]
		rows += s.rowsOf(hs[t])
		if !s.enough(rows, h) {
			continue
		}
		if !s.enough(s.rows-rows, s.h-h) {
			break
		}
		if gain := s.gain(g, h); gain > best.gain {
			best = threshold{gain, t, g, h}
		}
	}
	s.take(best, false)
}

// take makes a threshold the best split, if there is one.
func (s *search) take(t threshold, missingLeft bool) {
	if t.bin >= 0 {
		s.best = split{gain: t.gain, bin: t.bin, missingLeft: missingLeft, leftG: t.g, leftH: t.h}
	}
}

// categorical finds the categories that go left. With few of them it is one against
// all others. With more, they are sorted by g / (h + cat_smooth), and those from
// either end go left; the values are found with cat_l2 more regularization.
//
// Source: Fisher, "On Grouping for Maximum Homogeneity", 1958; LightGBM's
// documentation of its parameters cat_smooth, cat_l2 and max_cat_threshold.
func (s *search) categorical(c *bufferCells, m *mapper) {
	if m.bins <= s.p.MaxCatOneHot {
		s.oneCategory(c, m.bins)
		return
	}
	s.l2 += s.p.CatL2
	var bins []uint16
	for b := 1; b < m.bins; b++ {
		if float64(s.rowsOf(c.h[b])) >= s.p.CatSmooth {
			bins = append(bins, uint16(b))
		}
	}
	order := func(b uint16) float64 {
		g, h := s.sums(c.g[b], c.h[b])
		return g / (h + s.p.CatSmooth)
	}
	slices.SortStableFunc(bins, func(a, b uint16) int {
		switch x, y := order(a), order(b); {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return 0
	})
	s.fewCategories(c, bins)
	slices.Reverse(bins)
	s.fewCategories(c, bins)
}

// oneCategory tries each category against all others.
func (s *search) oneCategory(c *bufferCells, bins int) {
	for b := 1; b < bins; b++ {
		g, h := c.g[b], c.h[b]
		rows := s.rowsOf(h)
		if !s.enough(rows, h) || !s.enough(s.rows-rows, s.h-h) {
			continue
		}
		if gain := s.gain(g, h); gain > s.best.gain {
			s.best = split{gain: gain, left: []uint16{uint16(b)}, leftG: g, leftH: h}
		}
	}
}

// fewCategories tries the first one, the first two, … of some bins.
func (s *search) fewCategories(c *bufferCells, bins []uint16) {
	var g, h int64
	most := min(s.p.MaxCat, (len(bins)+1)/2)
	rows, added, found := 0, 0, 0
	for i, b := range bins[:most] {
		g += c.g[b]
		h += c.h[b]
		n := s.rowsOf(c.h[b])
		rows += n
		added += n
		if !s.enough(rows, h) {
			continue
		}
		if !s.enough(s.rows-rows, s.h-h) || s.rows-rows < s.p.MinPerGroup {
			break
		}
		if added < s.p.MinPerGroup {
			continue
		}
		added = 0
		if gain := s.gain(g, h); gain > s.best.gain {
			s.best = split{gain: gain, leftG: g, leftH: h}
			found = i + 1
		}
	}
	if found > 0 {
		s.best.left = slices.Clone(bins[:found])
	}
}
