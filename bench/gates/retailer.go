package main

import (
	"math"
	"math/rand/v2"

	"github.com/apache/arrow/go/v17/arrow/array"

	"headgate/internal/retailer"
)

// months are what releases are judged on.
var months = []string{"2024-01", "2024-02", "2024-03"}

// retailerNoise is the error of a good model in log odds, as retailer.World's own
// champion has it.
const retailerNoise = 0.25

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
	for i := range pool {
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
	w.draw = func(random *rand.Rand) *drawn {
		d := newDrawn(len(months))
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
				d.add(b, uint64(i), odds[b][i], label, first, second)
			}
		}
		return d
	}
	return w, nil
}

func newDrawn(batches int) *drawn {
	d := &drawn{units: make([][]uint64, batches), odds: make([][]float64, batches), labels: make([][]float64, batches)}
	for k := range d.errors {
		d.errors[k] = make([][]float64, batches)
	}
	return d
}

func (d *drawn) add(batch int, unit uint64, odds, label, first, second float64) {
	d.units[batch], d.odds[batch] = append(d.units[batch], unit), append(d.odds[batch], odds)
	d.labels[batch] = append(d.labels[batch], label)
	d.errors[0][batch], d.errors[1][batch] = append(d.errors[0][batch], first), append(d.errors[1][batch], second)
}
