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

// quantileOf returns the alpha quantile of one residual or more, as LightGBM takes
// it: between the two nearest values, unless weights decide. It sorts list.
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
	n := len(list)
	if weighted {
		return weightedQuantile(list, alpha)
	}
	// Counted from the largest, as LightGBM does.
	place := float64((1 - alpha) * float64(n))
	at := int(place)
	switch {
	case at < 1:
		return list[n-1].value
	case at >= n:
		return list[0].value
	}
	upper, lower := list[n-at].value, list[n-at-1].value
	return upper - float64((upper-lower)*(place-float64(at)))
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
