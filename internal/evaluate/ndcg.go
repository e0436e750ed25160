package evaluate

import (
	"cmp"
	"math"
	"slices"
)

// ndcg measures the normalised discounted cumulative gain of the first places of each
// query's list, and its mean over queries. The gain of a row is its label; at place i,
// from 1 on, it counts 1/log₂(i + 1). Rows with equal scores share their places. A
// query whose labels are all 0 has nothing to rank and is left out. A query weighs the
// mean weight of its rows.
//
// Source: Järvelin and Kekäläinen, "Cumulated Gain-Based Evaluation of IR Techniques",
// 2002; equal scores as in McSherry and Najork, 2008.
func ndcg(s *sample, places float64) (*measurement, error) {
	if places < 1 || places != math.Floor(places) {
		return nil, undefined("a list has %g places, and must have a whole number from 1 on", places)
	}
	if s.queries == nil {
		return nil, undefined("rows have no queries")
	}
	for i, y := range s.labels {
		if y < 0 {
			return nil, undefined("row %d has label %g, and gains are not negative", i, y)
		}
	}
	rows := make([]int32, len(s.scores))
	for i := range rows {
		rows[i] = int32(i)
	}
	number, n := numbered(s.queries)
	slices.SortFunc(rows, func(a, b int32) int {
		return cmp.Or(cmp.Compare(number[a], number[b]), cmp.Compare(s.scores[b], s.scores[a]), cmp.Compare(a, b))
	})
	gains, weights := make([]float64, n), make([]float64, n)
	var sum, weight total
	m := &measurement{influence: make([]float64, len(rows)), high: 1}
	for start := 0; start < len(rows); {
		q := number[rows[start]]
		end := start
		for end < len(rows) && number[rows[end]] == q {
			end++
		}
		if gain, ok := s.gain(rows[start:end], int(min(places, 1<<30))); ok {
			gains[q], weights[q] = gain, s.meanWeight(rows[start:end])
			sum.add(float64(gain * weights[q]))
			weight.add(weights[q])
			m.rows += int64(end - start)
		}
		start = end
	}
	if weight.value() == 0 {
		return nil, undefined("no query has a label above 0")
	}
	m.value = min(sum.value()/weight.value(), 1)
	s.queryInfluence(m, number, gains, weights, weight.value())
	return m, nil
}

// queryInfluence gives each row its part of the influence of its query.
func (s *sample) queryInfluence(m *measurement, number []int32, gains, weights []float64, weight float64) {
	rows := make([]float64, len(gains))
	for _, q := range number {
		rows[q]++
	}
	for i, q := range number {
		if weights[q] > 0 {
			// All rows of the query together have weights[q]·(gain − mean)/weight.
			share := weights[q] / float64(rows[q]*s.weights[i])
			m.influence[i] = float64(share*(gains[q]-m.value)) / weight
		}
	}
}

// meanWeight returns the mean weight of some rows.
func (s *sample) meanWeight(rows []int32) float64 {
	sum := 0.0
	for _, i := range rows {
		sum += s.weights[i]
	}
	return sum / float64(len(rows))
}

// gain returns the gain of a list, the highest scores first, over the best possible.
// It reports false if that is 0.
func (s *sample) gain(rows []int32, places int) (float64, bool) {
	labels := make([]float64, len(rows))
	discounts := make([]float64, len(rows)) // sums of those of the first places
	for i, row := range rows {
		labels[i] = s.labels[row]
		if i > 0 {
			discounts[i] = discounts[i-1]
		}
		if i < places {
			discounts[i] += math.Ln2 / log(float64(i+2))
		}
	}
	got := 0.0
	for start := 0; start < len(rows); {
		end, sum := start, 0.0
		for end < len(rows) && s.scores[rows[end]] == s.scores[rows[start]] {
			sum += labels[end]
			end++
		}
		before := 0.0
		if start > 0 {
			before = discounts[start-1]
		}
		got += float64((discounts[end-1] - before) * (sum / float64(end-start)))
		start = end
	}
	slices.SortFunc(labels, func(a, b float64) int { return cmp.Compare(b, a) })
	best, before := 0.0, 0.0
	for i, y := range labels {
		best += float64(y * (discounts[i] - before))
		before = discounts[i]
	}
	return got / best, best > 0
}
