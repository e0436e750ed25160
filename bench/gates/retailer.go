package main

import (
	"math"
	"math/rand/v2"

	"github.com/apache/arrow/go/v17/arrow/array"

	"headgate/internal/gate"
	"headgate/internal/retailer"
)

// months are what releases are judged on.
var months = []string{"2024-01", "2024-02", "2024-03"}

// retailerNoise is the error of a good model in log odds, as retailer.World's own
// champion has it.
const retailerNoise = 0.25

// truthRows are how many rows of the pool say how good a model is.
const truthRows = 60_000

// retailerWorld draws customers of a large shop that never changes. What a model gets
// wrong about a customer it gets wrong in every month; who buys is chance.
func retailerWorld(name string, pool, rows int, seed uint64) (*world, error) {
	odds := make([][]float64, len(months))
	for i, month := range months {
		for rec, err := range (retailer.World{Seed: seed, Customers: pool, Steady: true}).Truth(month) {
			if err != nil {
				return nil, err
			}
			for _, p := range rec.Column(2).(*array.Float64).Float64Values() {
				odds[i] = append(odds[i], math.Log(p/(1-p)))
			}
		}
	}
	p := &population{}
	random := rand.New(rand.NewPCG(seed, math.MaxUint64))
	for i := range min(pool, truthRows) {
		x := odds[i%len(months)][i]
		p.odds, p.chance = append(p.odds, x), append(p.chance, logistic(x))
		for k := range p.errors {
			p.errors[k] = append(p.errors[k], random.NormFloat64())
		}
	}
	challengers, err := p.pairs(retailerNoise)
	if err != nil {
		return nil, err
	}
	w := &world{name: name, batches: len(months), challengers: challengers}
	w.draw = func(random *rand.Rand, c *challenger) []gate.Paired {
		out := make([]gate.Paired, len(months))
		seen := make(map[int]bool, rows)
		for len(seen) < rows {
			i := random.IntN(pool)
			if seen[i] {
				continue
			}
			seen[i] = true
			first, second := random.NormFloat64(), random.NormFloat64()
			for b := range months {
				label := 0.0
				if random.Float64() < logistic(odds[b][i]) {
					label = 1
				}
				add(&out[b], uint64(i), label, c.champion.score(odds[b][i], first), c.candidate.score(odds[b][i], second))
			}
		}
		return out
	}
	return w, nil
}

// add adds a row to a batch.
func add(to *gate.Paired, cluster uint64, label, champion, candidate float64) {
	to.Data.Labels, to.Data.Clusters = append(to.Data.Labels, label), append(to.Data.Clusters, cluster)
	to.Champion, to.Candidate = append(to.Champion, champion), append(to.Candidate, candidate)
}
