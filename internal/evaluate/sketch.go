package evaluate

import (
	"fmt"
	"math"
	"slices"

	"headgate/internal/sketch"
)

// A Sketch judges any number of rows with labels 0 and 1 in bounded memory: it counts
// them in cells of neighbouring scores. Sketches of parts can be merged.
//
// A cell is at most 1/1024 as wide as its distance to 0, or for scores above ½ to 1,
// so that both ends of the probabilities are fine. A sketch of probabilities has some
// 10,000 cells, 120,000 at most, of 64 bytes, or 2 kB if rows come in clusters.
//
// Which of the rows in a cell has the higher score is not known; they count as equal.
// How far a metric can be from its exact value is in [Measured.Within], and the
// interval is wider by it. Of probabilities, log loss differs by less than 2⁻²², Brier
// score and mean score by less than 2⁻²⁰. Decisions at the thresholds of [NewSketch] are exact; bins
// of the reliability table end where cells end. Intervals come from the influence of
// the rows; clusters are put into 128 groups by hash, which are independent of each
// other, and make intervals about 1 % wider than all clusters apart would.
//
// The order of adding and merging does not matter as long as all weights are whole
// numbers; else it can change the last bits.
//
// Source: Wolter, "Introduction to Variance Estimation", 2007, for random groups.
type Sketch struct {
	thresholds []float64 // rising
	grouped    bool
	cells      map[int64]*cell
}

// groups is how many groups clusters are put into.
const groups = 128

// A cell counts rows of neighbouring scores, by label.
type cell struct {
	rows    [2]int64
	weight  [2]float64
	square  [2]float64          // of the weights
	offset  [2]float64          // weight × place in the cell, in units of 2⁻²⁰
	members *[groups][2]float64 // weight of each group
}

// NewSketch returns an empty sketch. clustered says that all rows have
// [Data.Clusters]; decisions are counted at the thresholds, at most 255.
func NewSketch(clustered bool, thresholds ...float64) (*Sketch, error) {
	if err := finite("threshold", thresholds); err != nil {
		return nil, err
	}
	sorted := slices.Compact(slices.Sorted(slices.Values(thresholds)))
	if len(sorted) > 255 {
		return nil, &InputError{-1, fmt.Sprintf("%d thresholds are more than the 255 that a sketch can count at", len(sorted))}
	}
	return &Sketch{thresholds: sorted, grouped: clustered, cells: map[int64]*cell{}}, nil
}

const (
	cellShift  = 52 - 10
	offsetBits = 20
	// lowestCell is that of 2⁻⁶⁴; what is nearer to 0 is 0.
	lowestCell = (1023 - 64) << 10
	halfCell   = (1022 << 10) - lowestCell
	oneCell    = 1023 << 10
)

// place returns the cell of a magnitude and the place in it.
func place(x float64) (int64, float64) {
	b := math.Float64bits(x)
	at := int64(b>>cellShift) - lowestCell
	if at <= 0 {
		return 0, 0
	}
	return at, float64(b >> (cellShift - offsetBits) & (1<<offsetBits - 1))
}

// magnitude returns the magnitude at a place of a cell.
func magnitude(at int64, offset float64) float64 {
	if at <= 0 {
		return 0
	}
	low := math.Float64frombits(uint64(at+lowestCell) << cellShift)
	high := math.Float64frombits(uint64(at+lowestCell+1) << cellShift)
	if math.IsInf(high, 1) {
		high = math.MaxFloat64
	}
	return low + float64((high-low)*float64((offset+0.5)/(1<<offsetBits)))
}

// locate returns the cell of a score, which rises with the score, and the place in
// it. Cells are those of 1 − score between ½ and 1, and negative below 0.
func locate(score float64) (int64, float64) {
	switch {
	case score < 0:
		at, offset := place(-score)
		return -at, offset
	case score > 0.5 && score <= 1:
		at, offset := place(1 - score)
		return 2*halfCell - at, offset
	case score > 1:
		at, offset := place(score)
		return at + lowestCell - oneCell + 2*halfCell + 1, offset
	}
	return place(score)
}

// scoreAt is the inverse of locate.
func scoreAt(at int64, offset float64) float64 {
	switch {
	case at < 0:
		return -magnitude(-at, offset)
	case at > halfCell && at <= 2*halfCell:
		return 1 - magnitude(2*halfCell-at, offset)
	case at > 2*halfCell:
		return magnitude(at-1-2*halfCell+oneCell-lowestCell, offset)
	}
	return magnitude(at, offset)
}

// Add counts rows, whose labels are 0 or 1. After an *[InputError] none of them is
// counted.
func (s *Sketch) Add(d Data) error {
	if len(d.Scores) == 0 {
		return nil
	}
	if err := d.check(); err != nil {
		return err
	}
	if s.grouped != (d.Clusters != nil) {
		return &InputError{-1, fmt.Sprintf("the sketch has clusters: %t; the rows have: %t", s.grouped, d.Clusters != nil)}
	}
	for i, y := range d.Labels {
		if y != 0 && y != 1 {
			return &InputError{i, fmt.Sprintf("the label is %g, which is neither 0 nor 1", y)}
		}
	}
	for i, score := range d.Scores {
		w := 1.0
		if d.Weights != nil {
			w = d.Weights[i]
		}
		if w == 0 {
			continue
		}
		at, offset := locate(score)
		c := s.cell(at<<8 | int64(s.above(score)))
		class := int(d.Labels[i])
		c.rows[class]++
		c.weight[class] += w
		c.square[class] += float64(w * w)
		c.offset[class] += float64(w * offset)
		if s.grouped {
			c.members[sketch.Mix(d.Clusters[i])%groups][class] += w
		}
	}
	return nil
}

// above returns how many thresholds a score reaches.
func (s *Sketch) above(score float64) int {
	n, found := slices.BinarySearch(s.thresholds, score)
	if found {
		n++
	}
	return n
}

// cell returns the cell of a key, which is made if it is not there.
func (s *Sketch) cell(key int64) *cell {
	c := s.cells[key]
	if c == nil {
		c = &cell{}
		if s.grouped {
			c.members = new([groups][2]float64)
		}
		s.cells[key] = c
	}
	return c
}

// Merge adds what other has counted. Both must have been made alike.
func (s *Sketch) Merge(other *Sketch) error {
	if s.grouped != other.grouped || !slices.Equal(s.thresholds, other.thresholds) {
		return &InputError{-1, fmt.Sprintf("sketches with clusters %t and thresholds %v, and with %t and %v, cannot be merged", s.grouped, s.thresholds, other.grouped, other.thresholds)}
	}
	for key, o := range other.cells {
		c := s.cell(key)
		for class := range 2 {
			c.rows[class] += o.rows[class]
			c.weight[class] += o.weight[class]
			c.square[class] += o.square[class]
			c.offset[class] += o.offset[class]
			if s.grouped {
				for g := range groups {
					c.members[g][class] += o.members[g][class]
				}
			}
		}
	}
	return nil
}

// keys returns the cells, the highest scores first.
func (s *Sketch) keys() []int64 {
	keys := make([]int64, 0, len(s.cells))
	for key := range s.cells {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	slices.Reverse(keys)
	return keys
}

// sample returns the cells as rows: one for each label in a cell. Those of one cell
// rank alike.
func (s *Sketch) sample() (*sample, error) {
	out := &sample{}
	seen := map[int32]bool{}
	for _, key := range s.keys() {
		c := s.cells[key]
		for class := range 2 {
			if c.rows[class] == 0 {
				continue
			}
			row := int32(len(out.scores))
			out.order = append(out.order, row)
			out.scores = append(out.scores, s.score(key, c.offset[class]/c.weight[class]))
			out.labels = append(out.labels, float64(class))
			out.weights = append(out.weights, c.weight[class])
			out.squares = append(out.squares, c.square[class])
			out.counts = append(out.counts, c.rows[class])
			out.rows += c.rows[class]
			if s.grouped {
				out.members = append(out.members, c.portions(class, seen))
			}
		}
		out.ties = append(out.ties, int32(len(out.order)))
	}
	if out.rows < 2 {
		return nil, &InputError{-1, fmt.Sprintf("there are %d rows, and an interval takes two", out.rows)}
	}
	out.setWeights()
	if s.grouped {
		out.clusters = groups
	}
	if s.grouped && len(seen) < 2 {
		return nil, &InputError{-1, "all rows are of one cluster, or of few that share a group"}
	}
	return out, nil
}

// portions returns the weights of the groups, and marks the groups.
func (c *cell) portions(class int, seen map[int32]bool) (parts []portion) {
	for g, w := range c.members {
		if w[class] > 0 {
			parts = append(parts, portion{int32(g), w[class]})
			seen[int32(g)] = true
		}
	}
	return parts
}

// score returns the score at a place of a cell, on the right side of the thresholds.
func (s *Sketch) score(key int64, offset float64) float64 {
	score := scoreAt(key>>8, offset)
	above := int(key & 0xff)
	if above > 0 {
		score = max(score, s.thresholds[above-1])
	}
	if above < len(s.thresholds) {
		score = min(score, math.Nextafter(s.thresholds[above], math.Inf(-1)))
	}
	return score
}
