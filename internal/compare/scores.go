package compare

import (
	"cmp"
	"math"
	"slices"
	"strconv"

	"headgate/internal/drift"
	"headgate/internal/evaluate"
)

// deciles is how many bins scores are put into.
const deciles = 10

// edges returns the scores at which the deciles of some rows end: at most nine, and
// fewer if scores are often the same.
func edges(scores []float64) []float64 {
	sorted := slices.Sorted(slices.Values(scores))
	var out []float64
	for k := 1; k < deciles; k++ {
		out = append(out, sorted[(k*len(sorted)+deciles-1)/deciles-1])
	}
	return slices.Compact(out)
}

// bin returns how many edges are below a score.
func bin(edges []float64, score float64) int {
	at, _ := slices.BinarySearch(edges, score)
	return at
}

// psi measures the population stability index of the challenger's scores against the
// champion's.
func (d Data) psi(c Challenger, out *Comparison, o *Options) error {
	ends := edges(d.Champion)
	before, after := make([]int, len(c.Scores)), make([]int, len(c.Scores))
	for i, s := range c.Scores {
		before[i], after[i] = bin(ends, d.Champion[i]), bin(ends, s)
	}
	once := ones(len(c.Scores))
	count := func(bins []int, w []float64) []int64 {
		n := make([]int64, len(ends)+1)
		for i, b := range bins {
			n[b] += int64(w[i]) // how often a row was drawn
		}
		return n
	}
	index := func(w []float64) float64 {
		value, err := drift.PSI(count(before, w), count(after, w))
		if err != nil {
			return math.NaN() // a draw has as many rows as there are
		}
		return round(value)
	}
	statistic := evaluate.Statistic{Value: index(once), Again: index, Distance: true, Influence: make([]float64, len(c.Scores))}
	n := float64(len(c.Scores))
	ref, cur := count(before, once), count(after, once)
	mean := 0.0
	for i := range c.Scores {
		r, _ := slope(float64(ref[before[i]]), float64(cur[before[i]]))
		_, s := slope(float64(ref[after[i]]), float64(cur[after[i]]))
		statistic.Influence[i] = r + s
		mean += statistic.Influence[i] / n
	}
	for i := range statistic.Influence {
		statistic.Influence[i] = round((statistic.Influence[i] - mean) / n)
	}
	rows := d.rows()
	rows.Weights = nil
	var err error
	out.PSI, err = statistic.Estimate(rows, &o.Evaluate)
	return err
}

// round returns x with nine significant digits, because logarithms differ in the last
// bit between machines.
func round(x float64) float64 {
	y, err := strconv.ParseFloat(strconv.FormatFloat(x, 'e', 8, 64), 64)
	if err != nil {
		return x
	}
	return y
}

// slope returns by how much the index grows with the share of a bin in the reference
// and in the current rows.
func slope(ref, cur float64) (r, c float64) {
	quotient := (cur + 0.5) / (ref + 0.5)
	log := math.Log(quotient)
	return 1 - log - quotient, 1 + log - 1/quotient
}

// spearman measures the correlation of the ranks of both models' scores. It does not
// exist if a model gives all rows one score.
func (d Data) spearman(c Challenger, out *Comparison, o *Options) error {
	w := d.Weights
	if w == nil {
		w = make([]float64, len(c.Scores))
		for i := range w {
			w[i] = 1
		}
	}
	t, ok := rankCorrelation(d.Champion, c.Scores, w)
	if !ok {
		out.Missing = append(out.Missing, evaluate.Missing{Metric: "spearman", Reason: "a model gives all rows one score"})
		return nil
	}
	e, err := t.Estimate(d.rows(), &o.Evaluate)
	out.Spearman = &e
	return err
}

// rankCorrelation returns the correlation of the ranks of a and b, and the influence
// of each row. It is not ok if all a or all b are equal.
//
// Source: Spearman, "The Proof and Measurement of Association between Two Things",
// 1904; the influence is that of Croux and Dehon, "Influence Functions of the Spearman
// and Kendall Correlation Measures", 2010, and of the ties.
func rankCorrelation(a, b, w []float64) (t evaluate.Statistic, ok bool) {
	total := 0.0
	for _, x := range w {
		total += x
	}
	first, second := newRanks(a, w, total), newRanks(b, w, total)
	if first.variance == 0 || second.variance == 0 {
		return t, false
	}
	covariance := 0.0
	for i, x := range w {
		covariance += float64(x / total * float64((first.rank[i]-0.5)*(second.rank[i]-0.5)))
	}
	root := math.Sqrt(float64(first.variance * second.variance))
	t = evaluate.Statistic{Value: min(max(covariance/root, -1), 1), Correlation: true, Influence: make([]float64, len(w))}
	above, beside := first.above(second.rank, w, total), second.above(first.rank, w, total)
	for i := range w {
		own := float64(first.rank[i]*second.rank[i]) + above[i] + beside[i] - float64(3*(covariance+0.25))
		change := first.spread(i)/first.variance + second.spread(i)/second.variance
		t.Influence[i] = (own/root - float64(t.Value*float64(change/2))) / total
	}
	return t, true
}

// ranks are scores as shares: of the rows below, and half of those that are equal.
type ranks struct {
	order    []int32 // rows, the lowest score first
	ends     []int   // of groups of equal scores in order
	rank     []float64
	tied     []float64 // share of the rows with the same score
	variance float64
	cubes    float64 // mean of tied²
}

func newRanks(scores, w []float64, total float64) *ranks {
	n := len(scores)
	r := &ranks{order: make([]int32, n), rank: make([]float64, n), tied: make([]float64, n)}
	for i := range r.order {
		r.order[i] = int32(i)
	}
	slices.SortFunc(r.order, func(a, b int32) int {
		return cmp.Or(cmp.Compare(scores[a], scores[b]), cmp.Compare(a, b))
	})
	below := 0.0
	for start := 0; start < n; {
		end, share := start, 0.0
		for end < n && scores[r.order[end]] == scores[r.order[start]] {
			share += w[r.order[end]] / total
			end++
		}
		for _, i := range r.order[start:end] {
			r.rank[i], r.tied[i] = below+float64(share/2), share
		}
		r.cubes += float64(share * float64(share*share))
		below += share
		r.ends = append(r.ends, end)
		start = end
	}
	if len(r.ends) > 1 {
		r.variance = (1 - r.cubes) / 12
	}
	return r
}

// spread returns the influence of a row on the variance of the ranks.
func (r *ranks) spread(i int) float64 { return (r.cubes - float64(r.tied[i]*r.tied[i])) / 4 }

// above returns for each row the sum of share × value over the rows above it, and
// half of those beside it: what the value is multiplied with if the row moves ranks.
func (r *ranks) above(values, w []float64, total float64) []float64 {
	out := make([]float64, len(values))
	sum := 0.0
	for g := len(r.ends) - 1; g >= 0; g-- {
		start := 0
		if g > 0 {
			start = r.ends[g-1]
		}
		tied := 0.0
		for _, i := range r.order[start:r.ends[g]] {
			tied += float64(w[i] / total * values[i])
		}
		for _, i := range r.order[start:r.ends[g]] {
			out[i] = sum + float64(tied/2)
		}
		sum += tied
	}
	return out
}

// A Migration counts rows by the champion's decile and the challenger's, each in its
// own deciles.
type Migration struct {
	Counts [deciles][deciles]int64 `json:"counts"` // [champion's][challenger's], the lowest scores first
	Moved  evaluate.Estimate       `json:"moved"`  // share of rows in another decile
	Far    evaluate.Estimate       `json:"far"`    // share two or more deciles away
}

// migrate makes the migration matrix.
func (d Data) migrate(c Challenger, out *Comparison, o *Options) error {
	before, after := edges(d.Champion), edges(c.Scores)
	moved, far := make([]bool, len(c.Scores)), make([]bool, len(c.Scores))
	for i, s := range c.Scores {
		a, b := bin(before, d.Champion[i]), bin(after, s)
		out.Migration.Counts[a][b]++
		moved[i], far[i] = a != b, a-b > 1 || b-a > 1
	}
	var err error
	if out.Migration.Moved, err = evaluate.Share(moved, d.rows(), &o.Evaluate); err != nil {
		return err
	}
	out.Migration.Far, err = evaluate.Share(far, d.rows(), &o.Evaluate)
	return err
}
