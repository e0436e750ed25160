package gbdt

import (
	"cmp"
	"slices"
)

// A residual is what a row's score lacks, and what the row weighs.
type residual struct{ value, weight float64 }

// residuals are the labels as residuals of a score of zero.
func residuals(labels, weights []float32) []residual {
	list := make([]residual, len(labels))
	for i, label := range labels {
		list[i] = residual{float64(label), 1}
		if weights != nil {
			list[i].weight = float64(weights[i])
		}
	}
	return list
}

// quantileOf returns the alpha quantile of one residual or more. Rows that all weigh
// the same have one between the two nearest values; with weights it is the value at
// which they exceed alpha of all. It sorts list.
//
// LightGBM moves a weighted quantile by a share of its distance to the neighbour,
// beyond the neighbour in fact; we do not.
//
// Source: Hyndman and Fan, "Sample Quantiles in Statistical Packages", 1996, type 7.
func quantileOf(list []residual, alpha float64, weighted bool) float64 {
	if !weighted {
		values := make([]float64, len(list))
		for i, r := range list {
			values[i] = r.value
		}
		slices.Sort(values)
		place := float64(alpha * float64(len(values)-1))
		at := int(place)
		lower, upper := values[at], values[min(at+1, len(values)-1)]
		return lower + float64((upper-lower)*(place-float64(at)))
	}
	slices.SortStableFunc(list, func(a, b residual) int { return cmp.Compare(a.value, b.value) })
	all := 0.0
	for _, r := range list {
		all += r.weight
	}
	target, sum := float64(all*alpha), 0.0
	for _, r := range list {
		if sum += r.weight; sum > target {
			return r.value
		}
	}
	return list[len(list)-1].value
}
