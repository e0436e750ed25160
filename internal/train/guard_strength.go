package train

import (
	"math"
	"slices"

	"headgate/internal/evaluate"
)

// A group has strengthRows rows on average where a number's values are cut into groups,
// and there are at most maxGroups.
const (
	strengthRows = 50
	maxGroups    = 512
)

// strength measures on the sample how well the feature alone predicts the label: the AUC
// or the share of the variance, of the best of several readings. A number is read as it
// is, missing values first or last, and in groups of equal size; a category by its
// groups. What a group predicts comes from the other half of the rows, so a key, whose
// values are all different, predicts nothing.
//
// Of several classes it is the one that is told worst; a value below enough may then be
// that of another one.
func (f *featureWatch) strength(g *guardian, task Task, enough float64) float64 {
	groups, ranks := f.grouped()
	switch task {
	case Regression:
		best := rSquared(crossFitted(groups, g.labels), g.labels)
		if !f.groups {
			best = max(best, linear(f.sample, g.labels))
		}
		return best
	case Binary:
		return f.area(g.labels, groups, ranks)
	}
	worst := 1.0
	for class := range int(g.label.high) + 1 {
		one, n := make([]float64, len(g.labels)), 0
		for i, v := range g.labels {
			if v == float64(class) {
				one[i] = 1
				n++
			}
		}
		if n == 0 || n == len(one) {
			continue
		}
		if worst = min(worst, f.area(one, groups, ranks)); worst < enough {
			break
		}
	}
	return worst
}

// area is the best AUC of the readings.
func (f *featureWatch) area(labels []float64, groups []int, ranks []float64) float64 {
	best := auc(crossFitted(groups, labels), labels)
	if f.groups {
		return best
	}
	for _, missing := range []float64{-1, math.MaxInt32} {
		scores := slices.Clone(ranks)
		for i, r := range scores {
			if r != r {
				scores[i] = missing
			}
		}
		a := auc(scores, labels)
		best = max(best, a, 1-a)
	}
	return best
}

// auc is the area under the ROC curve, or one half if there is one class.
func auc(scores, labels []float64) float64 {
	e, err := evaluate.Of(evaluate.AUC, evaluate.Data{Scores: scores, Labels: labels}, nil)
	if err != nil {
		return 0.5
	}
	return e.Value
}

// rSquared is the share of the labels' variance that predictions explain.
func rSquared(predictions, labels []float64) float64 {
	e, err := evaluate.Of(evaluate.R2, evaluate.Data{Scores: predictions, Labels: labels}, nil)
	if err != nil {
		return 0
	}
	return e.Value
}

// linear is the squared correlation of the values that are there with the labels.
func linear(values, labels []float64) float64 {
	var n, x, y float64
	for i, v := range values {
		if v == v {
			n, x, y = n+1, x+v, y+labels[i]
		}
	}
	x, y = x/n, y/n
	var xx, yy, xy float64
	for i, v := range values {
		if v == v {
			dx, dy := v-x, labels[i]-y
			xx, yy, xy = xx+float64(dx*dx), yy+float64(dy*dy), xy+float64(dx*dy)
		}
	}
	// A few rows that have a value say nothing of all of them.
	share := n / float64(len(values))
	if xx == 0 || yy == 0 {
		return 0
	}
	return share * xy / xx * xy / yy
}

// grouped returns the group of each row of the sample, and the rank of its value, NaN if
// it is missing. Equal values have one rank and one group; missing ones are group 0.
func (f *featureWatch) grouped() (groups []int, ranks []float64) {
	n := len(f.sample)
	order := make([]int, 0, n)
	groups, ranks = make([]int, n), make([]float64, n)
	for i, v := range f.sample {
		if v != v {
			ranks[i] = v
			continue
		}
		order = append(order, i)
	}
	slices.SortFunc(order, func(i, j int) int {
		if f.sample[i] != f.sample[j] {
			if f.sample[i] < f.sample[j] {
				return -1
			}
			return 1
		}
		return i - j
	})
	size := max(strengthRows, n/maxGroups)
	if f.groups {
		size = 1
	}
	group, first, rank := 1, 0, 0
	for at, i := range order {
		if at > 0 && f.sample[i] != f.sample[order[at-1]] {
			rank++
			if at-first >= size {
				group, first = group+1, at
			}
		}
		groups[i], ranks[i] = group, float64(rank)
	}
	return groups, ranks
}

// crossFitted predicts each row's label from the rows of its group in the other half of
// the rows, and one row more that has the mean of all of that half.
func crossFitted(groups []int, labels []float64) []float64 {
	last := slices.Max(groups)
	var sums, counts [2][]float64
	var total, rows [2]float64
	for half := range 2 {
		sums[half], counts[half] = make([]float64, last+1), make([]float64, last+1)
	}
	for i, v := range labels {
		half := halfOf(i)
		sums[half][groups[i]] += v
		counts[half][groups[i]]++
		total[half] += v
		rows[half]++
	}
	predictions := make([]float64, len(labels))
	for i := range predictions {
		other := 1 - halfOf(i)
		prior := total[other] / max(rows[other], 1)
		predictions[i] = (sums[other][groups[i]] + prior) / (counts[other][groups[i]] + 1)
	}
	return predictions
}

// halfOf divides rows by number into two halves, without the rhythm that rows may have.
func halfOf(row int) int { return int(uint64(row) * 0x9e3779b97f4a7c15 >> 63) }
