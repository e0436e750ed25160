package evaluate

import "math"

// ratio measures Σ w·a / Σ w·b, where a is at most b, and both are of a row.
func (s *sample) ratio(a, b func(row int) float64) (*measurement, error) {
	m := &measurement{influence: make([]float64, len(s.scores)), scale: wilson, high: 1}
	var above, below total
	for i, w := range s.weights {
		if part := b(i); part != 0 {
			m.rows++
			above.add(float64(w * a(i)))
			below.add(float64(w * part))
		}
	}
	if below.value() == 0 {
		return nil, undefined("there are no such rows")
	}
	m.value = min(max(above.value()/below.value(), 0), 1)
	for i := range s.weights {
		m.influence[i] = (a(i) - float64(m.value*b(i))) / below.value()
	}
	m.base = func(row int) bool { return b(row) != 0 }
	return m, nil
}

// one is 1 if x, else 0.
func one(x bool) float64 {
	if x {
		return 1
	}
	return 0
}

func all(int) float64 { return 1 }

// label returns the label of a row, and negative 1 − it.
func (s *sample) label(row int) float64    { return s.labels[row] }
func (s *sample) negative(row int) float64 { return 1 - s.labels[row] }

// selected returns 1 for rows with the threshold or more.
func (s *sample) selected(threshold float64) func(row int) float64 {
	return func(row int) float64 { return one(s.scores[row] >= threshold) }
}

func prevalence(s *sample) (*measurement, error) {
	if err := s.zeroOrOne(); err != nil {
		return nil, err
	}
	return s.ratio(s.label, all)
}

func selectionRate(s *sample, threshold float64) (*measurement, error) {
	return s.ratio(s.selected(threshold), all)
}

func accuracy(s *sample, threshold float64) (*measurement, error) {
	if err := s.zeroOrOne(); err != nil {
		return nil, err
	}
	return s.ratio(func(i int) float64 { return one((s.scores[i] >= threshold) == (s.labels[i] == 1)) }, all)
}

func precision(s *sample, threshold float64) (*measurement, error) {
	if err := s.zeroOrOne(); err != nil {
		return nil, err
	}
	selected := s.selected(threshold)
	m, err := s.ratio(func(i int) float64 { return float64(s.labels[i] * selected(i)) }, selected)
	if err != nil {
		return nil, undefined("no row has a score of %g or more", threshold)
	}
	return m, nil
}

func recall(s *sample, threshold float64) (*measurement, error) {
	if err := s.zeroOrOne(); err != nil {
		return nil, err
	}
	selected := s.selected(threshold)
	m, err := s.ratio(func(i int) float64 { return float64(s.labels[i] * selected(i)) }, s.label)
	if err != nil {
		return nil, undefined("no row has label 1")
	}
	return m, nil
}

func specificity(s *sample, threshold float64) (*measurement, error) {
	if err := s.zeroOrOne(); err != nil {
		return nil, err
	}
	selected := s.selected(threshold)
	m, err := s.ratio(func(i int) float64 { return float64((1 - s.labels[i]) * (1 - selected(i))) }, s.negative)
	if err != nil {
		return nil, undefined("no row has label 0")
	}
	return m, nil
}

// f1 measures 2J/(1+J), where J, the index of Jaccard, is the share of hits among the
// rows that have label 1 or are selected. J is a share, so Wilson's interval fits.
func f1(s *sample, threshold float64) (*measurement, error) {
	if err := s.zeroOrOne(); err != nil {
		return nil, err
	}
	selected := s.selected(threshold)
	inner, err := s.ratio(
		func(i int) float64 { return float64(s.labels[i] * selected(i)) },
		func(i int) float64 { return max(s.labels[i], selected(i)) })
	if err != nil {
		return nil, undefined("no row has label 1 and none has a score of %g or more", threshold)
	}
	rise := 1 + inner.value
	return inner.mapped(func(j float64) float64 { return float64(2*j) / (1 + j) }, 2/float64(rise*rise)), nil
}

// mcc measures the correlation of label and decision.
//
// Source: Matthews, "Comparison of the Predicted and Observed Secondary Structure of
// T4 Phage Lysozyme", 1975.
func mcc(s *sample, threshold float64) (*measurement, error) {
	if err := s.twoClasses(); err != nil {
		return nil, err
	}
	selected := s.selected(threshold)
	var hits, chosen, positive total
	for i, w := range s.weights {
		hits.add(float64(w * float64(s.labels[i]*selected(i))))
		chosen.add(float64(w * selected(i)))
		positive.add(float64(w * s.labels[i]))
	}
	weight := s.weight.value()
	t, c, p := hits.value()/weight, chosen.value()/weight, positive.value()/weight
	if !(c > 0 && c < 1) {
		return nil, undefined("all rows are on one side of %g", threshold)
	}
	m := &measurement{influence: make([]float64, len(s.scores)), rows: s.rows, scale: fisher, low: -1, high: 1}
	m.value = min(max(matthews(t, c, p), -1), 1)
	root := math.Sqrt(float64(float64(c*(1-c)) * float64(p*(1-p))))
	byChosen := -p/root - float64(m.value*(1-float64(2*c)))/float64(2*float64(c*(1-c)))
	byPositive := -c/root - float64(m.value*(1-float64(2*p)))/float64(2*float64(p*(1-p)))
	for i, y := range s.labels {
		x := selected(i)
		sum := (float64(x*y) - t) / root
		sum += float64((x - c) * byChosen)
		sum += float64((y - p) * byPositive)
		m.influence[i] = sum / weight
	}
	m.certain = s.faultless(m.value, p)
	return m, nil
}

// matthews returns the correlation for shares of hits, of selected rows, and of
// positive ones.
func matthews(hits, selected, positive float64) float64 {
	root := math.Sqrt(float64(float64(selected*(1-selected)) * float64(positive*(1-positive))))
	return (hits - float64(selected*positive)) / root
}

// faultless returns the interval of a correlation if all decisions were right, or all
// wrong: n rows show no fault with probability α/2 if one row in 1/e has one.
func (s *sample) faultless(value, positive float64) func(float64) (float64, float64) {
	return func(level float64) (low, high float64) {
		n := float64(s.rows)
		if s.clustered() {
			n = float64(s.clusters)
		}
		e := min(1-exp(log((1-level)/2)/n), positive/2, (1-positive)/2)
		bound := min(matthews(positive-e, positive-e, positive), matthews(positive, positive+e, positive))
		if value > 0 {
			return bound, value
		}
		return value, -bound
	}
}

// capture measures the share of positive rows among the share of the weight with the
// highest scores. Rows with the score at the cut count in part.
func capture(s *sample, share float64) (*measurement, error) {
	if !(share > 0 && share <= 1) {
		return nil, undefined("the share %g is outside of (0, 1]", share)
	}
	if err := s.twoClasses(); err != nil {
		return nil, err
	}
	m := &measurement{rows: s.rows, scale: logOdds, high: 1}
	m.value = s.captured(share)
	m.influence = s.captureInfluence(m.value, share)
	return m, nil
}

// captured returns the share of positive rows in the share of the weight.
func (s *sample) captured(share float64) float64 {
	_, weight := s.classes()
	cut := float64(share * s.weight.value())
	var above, hits float64
	for _, group := range s.groups {
		tied := s.weigh(group)
		all := tied[0] + tied[1]
		if above+all > cut {
			hits += float64(tied[1]*(cut-above)) / all
			break
		}
		above, hits = above+all, hits+tied[1]
	}
	return min(hits/weight[1], 1)
}

// captureInfluence returns the influence of each row on capture. Where the cut is,
// the rows decide too: one more row above it pushes another one below, which is
// positive with the probability of the rows at the cut. That is taken from the
// nearest 2·√n rows.
func (s *sample) captureInfluence(value, share float64) []float64 {
	s.sorted()
	weight := s.weight.value()
	_, classes := s.classes()
	cut := float64(share * weight)
	influence := make([]float64, len(s.scores))
	above, at := 0.0, len(s.order)-1
	start := 0
	for _, group := range s.groups {
		tied := s.weigh(group)
		all := tied[0] + tied[1]
		part := min(max((cut-above)/all, 0), 1)
		for _, i := range group {
			influence[i] = part
		}
		if above < cut && above+all >= cut {
			at = start + int(float64(part*float64(len(group))))
		}
		above += all
		start += len(group)
	}
	rate := s.nearby(at)
	for i, y := range s.labels {
		in := influence[i]
		influence[i] = (float64(y*(in-value)) - float64(rate*(in-share))) / classes[1]
	}
	return influence
}

// nearby returns the share of positive rows around a place in the order.
func (s *sample) nearby(at int) float64 {
	reach := int(math.Sqrt(float64(len(s.order)))) + 1
	var all, positive float64
	for _, i := range s.order[max(0, at-reach):min(len(s.order), at+reach)] {
		all += s.weights[i]
		positive += float64(s.weights[i] * s.labels[i])
	}
	return positive / all
}

// lift measures the precision among the share of the weight with the highest scores,
// over the prevalence. It is capture over the share.
func lift(s *sample, share float64) (*measurement, error) {
	inner, err := capture(s, share)
	if err != nil {
		return nil, err
	}
	return inner.mapped(func(c float64) float64 { return c / share }, 1/share), nil
}
