package main

import (
	"fmt"
	"math"
	"math/rand/v2"

	"headgate/internal/evaluate"
	"headgate/internal/gate"
)

// A world is where releases come from.
type world struct {
	name        string
	batches     int
	challengers []*challenger
	draw        func(random *rand.Rand, c *challenger) []gate.Paired // one for each batch
}

// A mind is a model: it knows the log odds with an error, and is calibrated.
type mind struct{ noise, intercept, slope float64 }

func (m mind) score(odds, e float64) float64 {
	return logistic(m.intercept + m.slope*(odds+m.noise*e))
}

// A challenger is a pair of models whose difference is known.
type challenger struct {
	name         string
	auc, logLoss float64 // by how much the candidate's are higher; log loss as a share

	champion, candidate mind      // of the retailer
	scores              [2]string // of the flights: the names of the champion's and the candidate's
	exchange            bool      // chance says, day by day, which of the two is whose
}

func logistic(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// An end is how a release ended, after so many batches.
type end struct {
	verdict gate.Verdict
	batches int
}

// release judges one release by the default policy, batch by batch.
func (w *world) release(c *challenger, i int, seed uint64) (end, error) {
	batches := w.draw(rand.New(rand.NewPCG(seed, uint64(i))), c)
	p := gate.Default()
	in := gate.Paired{Tried: i % p.Challengers}
	for b, more := range batches {
		in.Batches = append(in.Batches, fmt.Sprintf("%02d", b+1))
		in.Data.Labels, in.Data.Clusters = append(in.Data.Labels, more.Data.Labels...), append(in.Data.Clusters, more.Data.Clusters...)
		in.Champion, in.Candidate = append(in.Champion, more.Champion...), append(in.Candidate, more.Candidate...)
		o, err := gate.Measure(p, gate.Advance, in)
		if err != nil {
			return end{}, err
		}
		d, err := gate.Judge(p, gate.Advance, gate.Evidence{Outcome: o}, nil)
		if err != nil {
			return end{}, err
		}
		if d.Verdict != gate.Inconclusive || b == len(batches)-1 {
			return end{d.Verdict, b + 1}, nil
		}
		in.Past = o.Past
	}
	return end{}, nil
}

// A population is rows to learn the truth from: log odds, the probability of label 1,
// and errors of two models.
type population struct {
	odds, chance []float64
	errors       [2][]float64
}

// data are the rows with both labels, weighted by how likely they are.
func (p *population) data(m mind, which int) evaluate.Data {
	var d evaluate.Data
	for i, chance := range p.chance {
		s := m.score(p.odds[i], p.errors[which][i])
		d.Scores, d.Labels, d.Weights = append(d.Scores, s, s), append(d.Labels, 1, 0), append(d.Weights, chance, 1-chance)
	}
	return d
}

func (p *population) metric(m evaluate.Metric, of mind, which int) (float64, error) {
	e, err := evaluate.Of(m, p.data(of, which), nil)
	return e.Value, err
}

// calibrated returns the model of a noise: the logistic regression of the label on the
// log odds with error, by Newton's method.
func (p *population) calibrated(noise float64) mind {
	m := mind{noise: noise, slope: 1}
	for range 30 {
		var g0, g1, h00, h01, h11 float64
		for i, odds := range p.odds {
			x := odds + noise*p.errors[0][i]
			q := logistic(m.intercept + m.slope*x)
			e, v := p.chance[i]-q, q*(1-q)
			g0, g1, h00, h01, h11 = g0+e, g1+e*x, h00+v, h01+v*x, h11+v*x*x
		}
		det := h00*h11 - h01*h01
		m.intercept += (h11*g0 - h01*g1) / det
		m.slope += (h00*g1 - h01*g0) / det
	}
	return m
}

// worse returns the model whose AUC is lower than that of m by so much.
func (p *population) worse(m mind, by float64) (mind, error) {
	best, err := p.metric(evaluate.AUC, m, 0)
	if err != nil {
		return mind{}, err
	}
	low, high := m.noise, 4.0
	for range 14 {
		middle := (low + high) / 2
		at, err := p.metric(evaluate.AUC, mind{noise: middle, slope: 1}, 0)
		if err != nil {
			return mind{}, err
		}
		if best-at < by {
			low = middle
		} else {
			high = middle
		}
	}
	return p.calibrated(high), nil
}

// pairs returns challengers of known quality: models that err by noise and more.
func (p *population) pairs(noise float64) ([]*challenger, error) {
	good := p.calibrated(noise)
	var out []*challenger
	for _, c := range []struct {
		name                string
		champion, candidate float64 // AUC below the good model
	}{
		{"equal", 0, 0}, {"equal, both poor", 0.03, 0.03}, {"−.01", 0, 0.01}, {"−.005", 0, 0.005}, {"+.01", 0.01, 0}, {"+.02", 0.02, 0},
	} {
		made := &challenger{name: c.name, champion: good, candidate: good}
		for by, to := range map[float64]*mind{c.champion: &made.champion, c.candidate: &made.candidate} {
			if by == 0 {
				continue
			}
			m, err := p.worse(good, by)
			if err != nil {
				return nil, err
			}
			*to = m
		}
		if c.champion == c.candidate {
			made.champion = made.candidate
		} else if err := p.truth(made); err != nil {
			return nil, err
		}
		out = append(out, made)
	}
	return out, nil
}

// truth fills in by how much the models of a challenger differ.
func (p *population) truth(c *challenger) error {
	var values [2][2]float64
	for i, of := range []mind{c.champion, c.candidate} {
		for j, m := range []evaluate.Metric{evaluate.AUC, evaluate.LogLoss} {
			v, err := p.metric(m, of, i)
			if err != nil {
				return err
			}
			values[i][j] = v
		}
	}
	c.auc, c.logLoss = values[1][0]-values[0][0], values[1][1]/values[0][1]-1
	return nil
}
