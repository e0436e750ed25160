package gbdt

import "slices"

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

// quantileOf returns the alpha quantile of one residual or more: between the two
// nearest values, or if rows have weights the one at which they exceed alpha of all.
// It sorts list.
//
// Source: Hyndman and Fan, "Sample Quantiles in Statistical Packages", 1996, type 7.
func quantileOf(list []residual, alpha float64, weighted bool) float64 {
	slices.SortFunc(list, func(a, b residual) int {
		switch {
		case a.value < b.value:
			return -1
		case a.value > b.value:
			return 1
		}
		return 0
	})
	if weighted {
		return weightedQuantile(list, alpha)
	}
	place := float64(alpha * float64(len(list)-1))
	at := int(place)
	lower, upper := list[at].value, list[min(at+1, len(list)-1)].value
	return lower + float64((upper-lower)*(place-float64(at)))
}

// weightedQuantile is the value at which the weights up to it exceed alpha of all.
// LightGBM moves it by a share of its distance to the neighbour, beyond the
// neighbour in fact; we do not.
func weightedQuantile(list []residual, alpha float64) float64 {
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
