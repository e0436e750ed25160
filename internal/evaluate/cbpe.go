package evaluate

import (
	"math"
)

// Expected says what [Binary] will find once labels are known, from scores alone: it
// takes each score for the probability of the label 1, so it is as good as the scores are
// calibrated. Labels and clusters of d are not read. It has the prevalence, AUC, log loss
// and Brier score, and at the thresholds of o the selection rate, accuracy, precision and
// recall.
//
// A value is what the metric is with the mean of what it counts. The interval is where
// the metric of the labels will be, if each comes by its probability and independently of
// the others: it is not about other rows than these, and not about scores that are off.
// Errors are as in [Binary]; a score outside of [0, 1] is an *[InputError] too.
//
// Source: confidence-based performance estimation (CBPE), NannyML's documentation, page
// "performance estimation". In its AUC a row is a pair with itself; here it is none, as
// among labels.
func Expected(d Data, o *Options) (*Report, error) {
	options, err := o.checked()
	if err != nil {
		return nil, err
	}
	d.Labels, d.Clusters, d.Queries = make([]float64, len(d.Scores)), nil, nil
	s, _, err := d.sample(nil)
	if err != nil {
		return nil, err
	}
	if err := s.probabilities(); err != nil {
		return nil, &InputError{-1, withoutKind(err)}
	}
	g := &guess{s: s, o: options, r: &Report{Rows: s.rows, Weight: s.weight.value(), Metrics: []Measured{}}}
	g.mean(Prevalence, 1, func(p float64) (float64, float64) { return p, 1 })
	g.auc()
	g.mean(LogLoss, math.MaxFloat64, func(p float64) (float64, float64) {
		yes, no := -log(inside(p)), -log(1-inside(p))
		return float64(p*yes) + float64((1-p)*no), yes - no
	})
	g.mean(Brier, 1, func(p float64) (float64, float64) {
		return float64(p * (1 - p)), 1 - float64(2*p)
	})
	for _, t := range options.Thresholds {
		g.decisions(t)
	}
	return g.r, nil
}

// A guess gathers expected metrics.
type guess struct {
	s *sample
	o *Options
	r *Report
}

// add adds a metric. slope says by how much it grows when the label of a row is 1 in
// place of 0.
func (g *guess) add(m Metric, value, high float64, slope func(row int) float64) {
	var variance total
	for i, p := range g.s.scores {
		d := slope(i)
		variance.add(float64(float64(d*d) * float64(p*(1-p))))
	}
	half := float64(normalQuantile((1+g.o.Level)/2) * math.Sqrt(variance.value()))
	e := Estimate{Value: value, Low: max(0, value-half), High: min(high, value+half), Level: g.o.Level, N: g.s.rows}
	if err := e.finite(); err != nil {
		g.r.Missing = append(g.r.Missing, missing(m, err))
		return
	}
	g.r.Metrics = append(g.r.Metrics, Measured{Metric: m, Estimate: e})
}

// mean adds the mean of something that a row of probability p has: its expected value,
// and by how much it is more with the label 1 than with 0.
func (g *guess) mean(m Metric, high float64, of func(p float64) (value, slope float64)) {
	var sum total
	for i, p := range g.s.scores {
		value, _ := of(p)
		sum.add(float64(g.s.weights[i] * value))
	}
	weight := g.s.weight.value()
	g.add(m, sum.value()/weight, high, func(i int) float64 {
		_, slope := of(g.s.scores[i])
		return float64(g.s.weights[i]*slope) / weight
	})
}

// auc adds the share of the pairs of different rows, by their chance to be a positive and
// a negative one, in which the positive has the higher score.
func (g *guess) auc() {
	s := g.s
	var positive, negative, self total
	for i, p := range s.scores {
		positive.add(float64(s.weights[i] * p))
		negative.add(float64(s.weights[i] * (1 - p)))
		self.add(float64(s.square(i) * float64(p*(1-p))))
	}
	all := float64(positive.value()*negative.value()) - self.value()
	if !(all > 0) {
		g.r.Missing = append(g.r.Missing, Missing{AUC, "all scores are 0 or 1, and one class has no row"})
		return
	}
	// For each row: the weight of positives above it and of negatives below it, half of
	// those that are level with it, and nothing of itself.
	above, below := make([]float64, len(s.scores)), make([]float64, len(s.scores))
	var pairs, before, passed total
	for _, group := range s.groups {
		var ones, zeros total
		for _, i := range group {
			ones.add(float64(s.weights[i] * s.scores[i]))
			zeros.add(float64(s.weights[i] * (1 - s.scores[i])))
		}
		passed.add(zeros.value())
		for _, i := range group {
			w, p := s.weights[i], s.scores[i]
			above[i] = before.value() + float64((ones.value()-float64(w*p))/2)
			below[i] = negative.value() - passed.value() + float64((zeros.value()-float64(w*(1-p)))/2)
			pairs.add(float64(float64(w*p) * below[i]))
		}
		before.add(ones.value())
	}
	value := pairs.value() / all
	g.add(AUC, value, 1, func(i int) float64 {
		w, p := s.weights[i], s.scores[i]
		count := negative.value() - float64(w*(1-p)) - positive.value() + float64(w*p)
		return float64(w*(below[i]-above[i]-float64(value*count))) / all
	})
}

// decisions adds the metrics of a threshold.
func (g *guess) decisions(threshold float64) {
	s := g.s
	var selected, hits, positives total
	is := func(i int) float64 { return one(s.scores[i] >= threshold) }
	for i, p := range s.scores {
		selected.add(float64(s.weights[i] * is(i)))
		hits.add(float64(s.weights[i] * float64(is(i)*p)))
		positives.add(float64(s.weights[i] * p))
	}
	weight := s.weight.value()
	g.add(At(SelectionRate, threshold), selected.value()/weight, 1, func(int) float64 { return 0 })
	g.mean(At(Accuracy, threshold), 1, func(p float64) (float64, float64) {
		if p >= threshold {
			return p, 1
		}
		return 1 - p, -1
	})
	if m := At(Precision, threshold); selected.value() > 0 {
		g.add(m, hits.value()/selected.value(), 1, func(i int) float64 { return float64(s.weights[i]*is(i)) / selected.value() })
	} else {
		g.r.Missing = append(g.r.Missing, Missing{m, "no row is selected"})
	}
	if m := At(Recall, threshold); positives.value() > 0 {
		recall := hits.value() / positives.value()
		g.add(m, recall, 1, func(i int) float64 { return float64(s.weights[i]*(is(i)-recall)) / positives.value() })
	} else {
		g.r.Missing = append(g.r.Missing, Missing{m, "all scores are 0"})
	}
}
