package main

import (
	"math"

	"headgate/internal/compare"
	"headgate/internal/evaluate"
)

// models is a world of two models' scores on the same rows: log odds that are normal,
// of deviations 1.2·slope and √(1 + noise²) around the same level.
func models(p people, rows, size int) *world {
	w := &world{name: "two models", rows: rows, sample: p.draw(rows, size, nil)}
	if size > 0 {
		w.name = "two models, clusters"
	}
	ask := func(name string, truth float64, pick func(c compare.Comparison) evaluate.Estimate) {
		w.questions = append(w.questions, question{name, truth, func(s *drawn, o *evaluate.Options) (evaluate.Estimate, error) {
			d := compare.Data{Champion: s.Scores, Clusters: s.Clusters, Challengers: []compare.Challenger{{Scores: s.second}}}
			half := 0.5
			r, err := compare.Scores(d, &compare.Options{Threshold: &half, Evaluate: *o})
			if err != nil {
				return evaluate.Estimate{}, err
			}
			return pick(r.Challengers[0]), nil
		}})
	}
	ask("PSI", p.psi(), func(c compare.Comparison) evaluate.Estimate { return c.PSI })
	// Pearson, 1907: the rank correlation of normals.
	correlation := 1 / math.Sqrt(1+p.noise*p.noise)
	ask("Spearman", 6/math.Pi*math.Asin(correlation/2), func(c compare.Comparison) evaluate.Estimate { return *c.Spearman })
	ask("flips", p.flips(), func(c compare.Comparison) evaluate.Estimate { return c.Decisions.Flips })
	return w
}

// psi is the index of the second model's scores in the deciles of the first's.
func (p people) psi() float64 {
	below := func(z float64) float64 { return math.Erfc(-z/math.Sqrt2) / 2 }
	scale := 1.2 * p.slope / math.Sqrt(1+p.noise*p.noise)
	sum, last := 0.0, 0.0
	for k := 1; k <= 10; k++ {
		share := 1 - last
		if k < 10 {
			edge := -math.Sqrt2 * math.Erfcinv(2*float64(k)/10)
			share = below(edge*scale) - last
		}
		last += share
		sum += (share - 0.1) * math.Log(share/0.1)
	}
	return sum
}

// flips is the share of rows that the models put on different sides of ½.
func (p people) flips() float64 {
	flips, all := 0.0, 0.0
	grid(4000, func(z, wz float64) {
		chosen := p.first(z) >= 0.5
		grid(1000, func(e, we float64) {
			all += wz * we
			if chosen != (p.second(z, e) >= 0.5) {
				flips += wz * we
			}
		})
	})
	return flips / all
}
