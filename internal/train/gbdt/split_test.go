package gbdt

import (
	"math"
	"math/bits"
	"math/rand/v2"
	"testing"

	"headgate/internal/model"
)

// A case is a leaf with one feature, row by row, and what the feature is.
type leafCase struct {
	bins  []uint8
	pairs []pair
	m     mapper
	p     Params
}

// randomLeaf is a leaf of up to 40 rows with up to 8 bins.
func randomLeaf(draw *rand.Rand, kind model.Kind) leafCase {
	c := leafCase{p: DefaultParams()}
	c.p.MinDataInLeaf = draw.IntN(4)
	c.p.MinSumHessian = []float64{0, 0.5, 2}[draw.IntN(3)]
	c.p.LambdaL2 = draw.Float64()
	if draw.IntN(2) == 0 {
		c.p.LambdaL1 = draw.Float64()
	}
	if draw.IntN(3) == 0 {
		c.p.MaxDeltaStep = 0.5
	}
	c.p.MinGainToSplit = draw.Float64() / 4
	c.m = mapper{kind: kind, bins: 2 + draw.IntN(7), missing: kind == model.Numeric && draw.IntN(2) == 0}
	for range 2 + draw.IntN(39) {
		c.bins = append(c.bins, uint8(draw.IntN(c.m.bins)))
		// Multiples of 1/16 are rounded to themselves, and rows of equal weight can be
		// counted.
		c.pairs = append(c.pairs, pair{float32(draw.IntN(33)-16) / 16, 0.25})
	}
	return c
}

// sums are the leaf's, by bin and over all.
func (c *leafCase) sums() (finder, *bufferCells, node) {
	top := pair{1.0 / 16, 0.25}
	for _, v := range c.pairs {
		top.g = max(top.g, v.g, -v.g)
	}
	f := finder{&c.p, newRounding(float64(top.g), float64(top.h), false)}
	cells := &bufferCells{make([]int64, c.m.bins), make([]int64, c.m.bins)}
	n := node{rows: len(c.pairs), low: math.Inf(-1), high: math.Inf(1)}
	for i, v := range c.pairs {
		g, h := f.round.unpack(f.round.pack(v))
		cells.g[c.bins[i]] += g
		cells.h[c.bins[i]] += h
		n.g += g
		n.h += h
	}
	return f, cells, n
}

// loss is the least that a side's loss can be, with the penalties, over all leaf
// values that max_delta_step allows: found by ternary search, for it is convex.
func (c *leafCase) loss(bins uint, l2 float64) (least float64, rows int) {
	var g, h float64
	for i, v := range c.pairs {
		if bins>>c.bins[i]&1 != 0 {
			g, h, rows = g+float64(v.g), h+float64(v.h), rows+1
		}
	}
	value := func(w float64) float64 { return g*w + (h+l2)*w*w/2 + c.p.LambdaL1*math.Abs(w) }
	low, high := -1e3, 1e3
	if d := c.p.MaxDeltaStep; d > 0 {
		low, high = -d, d
	}
	for range 200 {
		a, b := low+(high-low)/3, high-(high-low)/3
		if value(a) < value(b) {
			high = b
		} else {
			low = a
		}
	}
	return value((low + high) / 2), rows
}

// bruteForce is the largest gain over some sets of bins that may go left.
func (c *leafCase) bruteForce(sets []uint, l2 float64) float64 {
	all := uint(1)<<c.m.bins - 1
	whole, _ := c.loss(all, c.p.LambdaL2)
	best := 0.0
	for _, set := range sets {
		left, l := c.loss(set, l2)
		right, r := c.loss(all&^set, l2)
		h := c.p.MinSumHessian
		if l < max(c.p.MinDataInLeaf, 1) || r < max(c.p.MinDataInLeaf, 1) || 0.25*float64(l) < h || 0.25*float64(r) < h {
			continue
		}
		best = max(best, 2*(whole-left-right)-c.p.MinGainToSplit)
	}
	return best
}

// numericSets are the sets below a threshold, with missing values on either side.
func (c *leafCase) numericSets() []uint {
	var sets []uint
	present := c.m.bins
	if c.m.missing {
		present--
	}
	for t := 1; t <= present; t++ {
		set := uint(1)<<t - 1
		sets = append(sets, set)
		if c.m.missing {
			sets = append(sets, set|1<<present)
		}
	}
	return sets
}

// leftSet is the set of bins that a split sends left.
func (c *leafCase) leftSet(s split) uint {
	set := uint(0)
	for _, b := range s.left {
		set |= 1 << b
	}
	if s.left == nil {
		set = 1<<(s.bin+1) - 1
		if c.m.missing && s.missingLeft {
			set |= 1 << (c.m.bins - 1)
		}
	}
	return set
}

// checkSplit compares a found split with the largest gain.
func (c *leafCase) checkSplit(t *testing.T, s split, sets []uint, l2 float64) {
	t.Helper()
	want := c.bruteForce(sets, l2)
	if math.Abs(s.gain-want) > 1e-6 {
		t.Fatalf("got a gain of %v, brute force %v\n%+v", s.gain, want, c)
	}
	if s.gain > 0 {
		if own := c.bruteForce([]uint{c.leftSet(s)}, l2); math.Abs(own-s.gain) > 1e-6 {
			t.Fatalf("the split %b gains %v and not %v as it says", c.leftSet(s), own, s.gain)
		}
	}
}

func TestNumericSplitsAreTheBestOfAll(t *testing.T) {
	draw := rand.New(rand.NewPCG(1, 0))
	for range 3000 {
		c := randomLeaf(draw, model.Numeric)
		f, cells, n := c.sums()
		c.checkSplit(t, f.best(cells, &c.m, n, 0), c.numericSets(), c.p.LambdaL2)
	}
}

func TestOneCategoryAgainstAllOthersIsTheBestOfAll(t *testing.T) {
	draw := rand.New(rand.NewPCG(2, 0))
	for range 3000 {
		c := randomLeaf(draw, model.Categorical)
		c.p.MaxCatOneHot = 10
		var sets []uint
		for b := 1; b < c.m.bins; b++ {
			sets = append(sets, 1<<b)
		}
		f, cells, n := c.sums()
		c.checkSplit(t, f.best(cells, &c.m, n, 0), sets, c.p.LambdaL2)
	}
}

// Without smoothing, and with as many categories as rows suggest, sorting finds the
// best of all sets of categories.
func TestSortedCategoriesAreTheBestOfAllSets(t *testing.T) {
	draw := rand.New(rand.NewPCG(3, 0))
	for range 2000 {
		c := randomLeaf(draw, model.Categorical)
		c.p.MaxCatOneHot, c.p.CatSmooth, c.p.CatL2, c.p.MinPerGroup = 1, 1e-9, 0, 1
		c.p.LambdaL1, c.p.LambdaL2, c.p.MaxDeltaStep, c.p.MinDataInLeaf, c.p.MinSumHessian = 0, 0, 0, 1, 0
		present := uint(0)
		for i := range c.bins {
			c.bins[i] = max(c.bins[i], 1) // no missing values, which always go right
			present |= 1 << c.bins[i]
		}
		var sets []uint
		k := bits.OnesCount(present)
		for set := range uint(1) << c.m.bins {
			if n := bits.OnesCount(set); set&present == set && n >= 1 && n <= (k+1)/2 {
				sets = append(sets, set)
			}
		}
		f, cells, n := c.sums()
		c.checkSplit(t, f.best(cells, &c.m, n, 0), sets, 0)
	}
}

func TestMonotoneSplitsAreTheBestOfThoseAllowed(t *testing.T) {
	draw := rand.New(rand.NewPCG(4, 0))
	allowed := 0
	for range 3000 {
		c := randomLeaf(draw, model.Numeric)
		c.p.Monotone = []int{1}
		f, cells, n := c.sums()
		s := f.best(cells, &c.m, n, 1)
		if s.gain > 0 {
			allowed++
			if s.leftValue > s.rightValue {
				t.Fatalf("the left value %v is above the right one %v", s.leftValue, s.rightValue)
			}
		}
		var sets []uint
		for _, set := range c.numericSets() {
			if c.value(f, set) <= c.value(f, (1<<c.m.bins-1)&^set) {
				sets = append(sets, set)
			}
		}
		c.checkSplit(t, s, sets, c.p.LambdaL2)
	}
	if allowed == 0 {
		t.Error("no leaf could be split")
	}
}

// value is that of the rows in some bins.
func (c *leafCase) value(f finder, bins uint) float64 {
	g, h := 0.0, 0.0
	for i, v := range c.pairs {
		if bins>>c.bins[i]&1 != 0 {
			g, h = g+float64(v.g), h+float64(v.h)
		}
	}
	if h == 0 {
		return 0
	}
	return f.value(g, h, c.p.LambdaL2)
}
