package main

import (
	"fmt"
	"math"
	"math/rand/v2"

	"headgate/internal/evaluate"
)

// A world is where samples come from.
type world struct {
	name      string
	rows      int
	options   evaluate.Options
	sample    func(seed uint64) *drawn
	questions []question
}

// A drawn is a sample: rows, the scores of a second model, and groups of the rows.
type drawn struct {
	evaluate.Data
	second []float64
	group  []string
}

func logistic(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// of asks for metrics of the first model, whose truth is that of the population.
func of(population evaluate.Data, o evaluate.Options, metrics ...evaluate.Metric) []question {
	var out []question
	for _, m := range metrics {
		out = append(out, question{string(m), truth(m, population, o), func(s *drawn, o *evaluate.Options) (evaluate.Estimate, error) {
			return evaluate.Of(m, s.Data, o)
		}})
	}
	return out
}

// truth is the metric of a population: rows weighted by how frequent they are.
func truth(m evaluate.Metric, population evaluate.Data, o evaluate.Options) float64 {
	o.Replicates = 100
	e, err := evaluate.Of(m, population, &o)
	if err != nil {
		panic(err) // the worlds below are fixed
	}
	return e.Value
}

// differences asks by how much the second model is better.
func differences(population evaluate.Data, second []float64, o evaluate.Options, metrics ...evaluate.Metric) []question {
	var out []question
	for _, m := range metrics {
		other := population
		other.Scores = second
		q := question{name: "difference of " + string(m), truth: truth(m, other, o) - truth(m, population, o)}
		q.estimate = func(s *drawn, o *evaluate.Options) (evaluate.Estimate, error) {
			return evaluate.Difference(m, s.Data, s.second, o)
		}
		out = append(out, q)
	}
	return out
}

// grid yields points of a standard normal and their weights.
func grid(n int, yield func(z, weight float64)) {
	for i := range n {
		z := -6 + 12*(float64(i)+0.5)/float64(n)
		yield(z, math.Exp(-z*z/2))
	}
}

// people is a world of decisions: the log odds of the label are level + 1.2·z; the
// first model knows z and is too sure of itself, the second knows it with noise.
type people struct{ level, slope, noise, cluster float64 }

func (p people) first(z float64) float64     { return logistic(p.level + 1.2*p.slope*z) }
func (p people) second(z, e float64) float64 { return logistic(p.level + z + p.noise*e) }

// population returns all of it. The effect of clusters is averaged.
func (p people) population() (evaluate.Data, []float64) {
	var d evaluate.Data
	var second []float64
	add := func(z, e, label, weight float64) {
		d.Scores, second = append(d.Scores, p.first(z)), append(second, p.second(z, e))
		d.Labels, d.Weights = append(d.Labels, label), append(d.Weights, weight)
	}
	grid(1500, func(z, wz float64) {
		chance, all := 0.0, 0.0
		grid(60, func(v, wv float64) {
			chance += wv * logistic(p.level+1.2*z+p.cluster*v)
			all += wv
		})
		chance /= all
		grid(40, func(e, we float64) {
			add(z, e, 1, wz*we*chance)
			add(z, e, 0, wz*we*(1-chance))
		})
	})
	return d, second
}

// draw returns rows rows, size of which are of one cluster; 0 is for no clusters.
// keep, if any, is with which probability a row is seen, and its weight the inverse.
func (p people) draw(rows, size int, keep func(z float64) float64) func(uint64) *drawn {
	return func(seed uint64) *drawn {
		r := rand.New(rand.NewPCG(seed, 1))
		s := &drawn{}
		var shared, effect float64
		for i := 0; i < rows; {
			if size > 0 && i%size == 0 {
				shared, effect = r.NormFloat64(), r.NormFloat64()
			}
			z := r.NormFloat64()
			if size > 0 {
				z = math.Sqrt(0.5)*shared + math.Sqrt(0.5)*z
			}
			if keep != nil && r.Float64() > keep(z) {
				continue
			}
			i++
			label := 0.0
			if r.Float64() < logistic(p.level+1.2*z+p.cluster*effect) {
				label = 1
			}
			s.Scores, s.Labels = append(s.Scores, p.first(z)), append(s.Labels, label)
			s.second = append(s.second, p.second(z, r.NormFloat64()))
			if size > 0 {
				s.Clusters = append(s.Clusters, uint64((i-1)/size))
			}
			if keep != nil {
				s.Weights = append(s.Weights, 1/keep(z))
			}
		}
		return s
	}
}

// judged are the metrics of decisions.
var judged = []evaluate.Metric{
	evaluate.AUC, evaluate.KS, evaluate.PRAUC, evaluate.LogLoss, evaluate.Brier, evaluate.Reliability, evaluate.Resolution, evaluate.ECE,
	evaluate.Slope, evaluate.Intercept, evaluate.InTheLarge, "lift@0.1", "capture@0.2",
	"accuracy@0.5", "precision@0.5", "recall@0.5", "f1@0.5", "mcc@0.5",
}

// compared are the metrics of two models.
var compared = []evaluate.Metric{evaluate.AUC, evaluate.LogLoss, evaluate.Brier, evaluate.PRAUC, evaluate.KS, evaluate.ECE}

func worlds() []*world {
	var out []*world
	add := func(name string, p people, rows, size int, keep func(float64) float64, o evaluate.Options) {
		population, second := p.population()
		w := &world{name: name, rows: rows, options: o, sample: p.draw(rows, size, keep)}
		w.questions = append(of(population, o, judged...), differences(population, second, o, compared...)...)
		out = append(out, w)
	}
	plain := evaluate.Options{}
	common := people{level: -0.5, slope: 1.5, noise: 0.7}
	add("independent rows", common, 500, 0, nil, plain)
	add("independent rows, more", common, 2000, 0, nil, plain)
	add("rare label", people{level: -3.2, slope: 1.3, noise: 0.7}, 2000, 0, nil, plain)
	add("weights", common, 1000, 0, func(z float64) float64 { return 0.2 + 0.8*logistic(2*z) }, plain)
	add("100 clusters of 10", people{level: -0.5, slope: 1.5, noise: 0.7, cluster: 1}, 1000, 10, nil, plain)
	add("30 clusters of 50", people{level: -0.5, slope: 1.5, noise: 0.7, cluster: 0.5}, 1500, 50, nil, plain)
	out = append(out, amounts("amounts", 500, 0.25), amounts("amounts, heavy tail", 500, 0.6), amounts("amounts, heavy tail", 5000, 0.6), kinds(600), groups("two groups", 0.5), groups("two groups, nearly alike", 0.08),
		models(common, 500, 0), models(people{level: -0.5, slope: 1.5, noise: 0.7, cluster: 1}, 1000, 10))
	return out
}

// amounts is a world of labels that are amounts; tail is how heavy their right tail is.
func amounts(name string, rows int, tail float64) *world {
	sigma := tail
	mean := func(z float64) float64 { return math.Exp(1 + tail*z) }
	label := func(z, e float64) float64 { return mean(z) * math.Exp(sigma*e-sigma*sigma/2) }
	score := func(z float64) float64 { return 0.9 * mean(0.9*z) }
	var population evaluate.Data
	grid(400, func(z, wz float64) {
		grid(400, func(e, we float64) {
			population.Scores, population.Labels = append(population.Scores, score(z)), append(population.Labels, label(z, e))
			population.Weights = append(population.Weights, wz*we)
		})
	})
	w := &world{name: name, rows: rows}
	w.sample = func(seed uint64) *drawn {
		r := rand.New(rand.NewPCG(seed, 2))
		s := &drawn{}
		for range rows {
			z := r.NormFloat64()
			s.Scores, s.Labels = append(s.Scores, score(z)), append(s.Labels, label(z, r.NormFloat64()))
		}
		return s
	}
	w.questions = of(population, w.options, evaluate.RMSE, evaluate.MAE, evaluate.Bias, evaluate.R2, evaluate.Poisson, "pinball@0.9", "tweedie@1.5")
	return w
}

// kinds is a world of three classes.
func kinds(rows int) *world {
	chances := func(a, b float64) [3]float64 {
		e := [3]float64{math.Exp(a), math.Exp(b), math.Exp(-a - b)}
		sum := e[0] + e[1] + e[2]
		return [3]float64{e[0] / sum, e[1] / sum, e[2] / sum}
	}
	population := evaluate.Classes{K: 3}
	add := func(c *evaluate.Classes, a, b float64, label int) {
		p := chances(1.4*a, 1.4*b)
		c.Probabilities, c.Labels = append(c.Probabilities, p[:]...), append(c.Labels, label)
	}
	grid(120, func(a, wa float64) {
		grid(120, func(b, wb float64) {
			for label, p := range chances(a, b) {
				add(&population, a, b, label)
				population.Weights = append(population.Weights, wa*wb*p)
			}
		})
	})
	w := &world{name: "three classes", rows: rows, sample: func(seed uint64) *drawn { return &drawn{Data: evaluate.Data{Clusters: []uint64{seed}}} }}
	whole, err := evaluate.Multiclass(population, nil)
	if err != nil {
		panic(err) // the population above is fixed
	}
	for _, m := range whole.Metrics {
		w.questions = append(w.questions, question{string(m.Metric), m.Value, func(s *drawn, o *evaluate.Options) (evaluate.Estimate, error) {
			r := rand.New(rand.NewPCG(s.Clusters[0], 3))
			c := evaluate.Classes{K: 3}
			for range rows {
				a, b, u := r.NormFloat64(), r.NormFloat64(), r.Float64()
				p, label := chances(a, b), 0
				for label < 2 && u >= p[label] {
					u -= p[label]
					label++
				}
				add(&c, a, b, label)
			}
			report, err := evaluate.Multiclass(c, o)
			if err != nil {
				return evaluate.Estimate{}, err
			}
			e, ok := report.Get(m.Metric)
			if !ok {
				return e, fmt.Errorf("%s: %w", m.Metric, evaluate.ErrUndefined)
			}
			return e, nil
		}})
	}
	return w
}

// groups is a world of two groups whose log odds are apart, and of three that a
// decision treats alike.
func groups(name string, apart float64) *world {
	const rows = 1500
	p := people{level: -0.5, slope: 1}
	shift := map[string]float64{"a": 0, "b": apart}
	chance := map[string][3]float64{} // selected, and of each label
	for name, s := range shift {
		var all, selected, positive, hits float64
		grid(4000, func(z, w float64) {
			q := logistic(p.level + 1.2*(z+s))
			chosen := 0.0
			if p.first(z+s) >= 0.5 {
				chosen = 1
			}
			all, selected = all+w, selected+w*chosen
			positive, hits = positive+w*q, hits+w*q*chosen
		})
		chance[name] = [3]float64{selected / all, hits / positive, (selected - hits) / (all - positive)}
	}
	w := &world{name: name, rows: rows}
	w.sample = func(seed uint64) *drawn {
		r := rand.New(rand.NewPCG(seed, 4))
		s := &drawn{}
		for i := range rows {
			name := []string{"a", "b", "b"}[i%3]
			z := r.NormFloat64() + shift[name]
			label := 0.0
			if r.Float64() < logistic(p.level+1.2*z) {
				label = 1
			}
			s.Scores, s.Labels = append(s.Scores, p.first(z)), append(s.Labels, label)
			s.group = append(s.group, name)
		}
		return s
	}
	ask := func(name string, truth float64, pick func(*evaluate.Parity) *evaluate.Estimate, alike bool) {
		w.questions = append(w.questions, question{name, truth, func(s *drawn, o *evaluate.Options) (evaluate.Estimate, error) {
			by := evaluate.Dimension{Name: "group", Values: s.group}
			if alike {
				by.Values = make([]string, len(s.group))
				for i := range by.Values {
					by.Values[i] = string(rune('a' + i/3%3))
				}
			}
			parity, err := evaluate.Fairness(s.Data, by, 0.5, 0, o)
			if err != nil {
				return evaluate.Estimate{}, err
			}
			return *pick(parity), nil
		}})
	}
	a, b := chance["a"], chance["b"]
	parity := func(p *evaluate.Parity) *evaluate.Estimate { return p.DemographicParity }
	odds := func(p *evaluate.Parity) *evaluate.Estimate { return p.EqualisedOdds }
	ask("demographic parity difference", b[0]-a[0], parity, false)
	ask("demographic parity ratio", a[0]/b[0], func(p *evaluate.Parity) *evaluate.Estimate { return p.ParityRatio }, false)
	ask("equalised odds difference", max(math.Abs(b[1]-a[1]), math.Abs(b[2]-a[2])), odds, false)
	ask("demographic parity, three alike", 0, parity, true)
	ask("equalised odds, three alike", 0, odds, true)
	return w
}
