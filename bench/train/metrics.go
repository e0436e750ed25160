package main

import (
	"math"
	"slices"
)

// areaUnderCurve is the chance that a row with label 1 scores above one with label 0.
func areaUnderCurve(labels, scores []float64) float64 {
	order := make([]int, len(scores))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		if scores[a] < scores[b] {
			return -1
		}
		if scores[a] > scores[b] {
			return 1
		}
		return 0
	})
	below, above, pairs := 0.0, 0.0, 0.0
	for i := 0; i < len(order); {
		tied := [2]float64{}
		first := scores[order[i]]
		for ; i < len(order) && scores[order[i]] == first; i++ {
			tied[int(labels[order[i]])]++
		}
		pairs += tied[1] * (below + tied[0]/2)
		below += tied[0]
		above += tied[1]
	}
	return pairs / (below * above)
}

// rootMeanSquare is the square root of the mean squared error.
func rootMeanSquare(labels, scores []float64) float64 {
	sum := 0.0
	for i, s := range scores {
		sum += (s - labels[i]) * (s - labels[i])
	}
	return math.Sqrt(sum / float64(len(scores)))
}

// logLoss is the mean of −log of the probability of the label.
func logLoss(labels, scores []float64) float64 {
	sum := 0.0
	for i, s := range scores {
		if labels[i] > 0 {
			s = -s
		}
		sum += math.Log1p(math.Exp(s))
	}
	return sum / float64(len(scores))
}

// logLossOf is the mean of −log of the label's share among the classes' e**score.
func logLossOf(classes int, labels, scores []float64) float64 {
	sum := 0.0
	for i, label := range labels {
		row := scores[i*classes : (i+1)*classes]
		all := 0.0
		for _, s := range row {
			all += math.Exp(s - row[int(label)])
		}
		sum += math.Log(all)
	}
	return sum / float64(len(labels))
}

// meanAbsolute is the mean of the absolute errors.
func meanAbsolute(labels, scores []float64) float64 {
	sum := 0.0
	for i, s := range scores {
		sum += math.Abs(s - labels[i])
	}
	return sum / float64(len(scores))
}

// pinball is the mean loss of scores that are to be a quantile.
func pinball(alpha float64, labels, scores []float64) float64 {
	sum := 0.0
	for i, s := range scores {
		d := labels[i] - s
		sum += max(alpha*d, (alpha-1)*d)
	}
	return sum / float64(len(scores))
}
