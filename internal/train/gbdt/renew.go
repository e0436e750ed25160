package gbdt

import "math"

// renew sets the leaves' values anew, from the derivatives as they were before they
// were rounded, or to quantiles of the residuals if the loss wants those.
func (b *booster) renew(t *tree, score []float64) {
	if len(t.nodes) == 0 {
		return
	}
	alpha := b.loss.quantile()
	parallel(b.threads, len(t.leaves), func(i, _ int) {
		if alpha > 0 {
			t.leaves[i].value = b.leafQuantile(b.grower.leafRows(i), score, alpha)
		} else {
			t.leaves[i].value = b.leafValue(i, t.leaves[i].value)
		}
	})
}

// leafQuantile is the quantile of the residuals of some rows.
func (b *booster) leafQuantile(rows []uint32, score []float64, alpha float64) float64 {
	list := make([]residual, len(rows))
	for i, row := range rows {
		list[i] = residual{float64(b.train.labels[row]) - score[row], 1}
		if b.train.weights != nil {
			list[i].weight = float64(b.train.weights[row])
		}
	}
	return quantileOf(list, alpha, b.train.weights != nil)
}

// leafValue is the best value of a leaf by its rows' derivatives, added up in the
// rows' order; or value if they have no second derivative at all.
func (b *booster) leafValue(i int, value float64) float64 {
	g, h := 0.0, 0.0
	for _, row := range b.grower.leafRows(i) {
		g += float64(b.grower.pairs[row].g)
		h += float64(b.grower.pairs[row].h)
	}
	l := b.grower.leaves[i]
	if !(h > 0) || math.IsInf(h, 0) {
		return value
	}
	return max(l.low, min(l.high, b.grower.finder.value(g, h, l.l2)))
}
