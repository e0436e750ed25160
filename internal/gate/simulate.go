package gate

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"

	"headgate/internal/evaluate"
)

// SimulateOptions tune [Simulate]. The zero value is good.
type SimulateOptions struct {
	Samples int // of each world; 0 means 200
	Seed    uint64
	// Evidence is what every judgement gets beside its outcome, as data and compare for
	// rules that name them.
	Evidence Evidence
}

// A Simulation says what a policy would do to releases like one of the past.
type Simulation struct {
	Samples int `json:"samples"`
	// Equal are releases whose candidate is as good as the champion in every metric: in
	// each cluster it is chance which model's scores are whose. What passes is false.
	Equal Rates `json:"equal"`
	// Observed are releases whose candidate differs from the champion as the one of the
	// past did. If that was better, what does not pass is false.
	Observed Rates `json:"observed"`
	// Opposite are releases whose candidate is the champion of the past, and the other way
	// round. If the candidate of the past was better, what passes is false.
	Opposite Rates `json:"opposite"`
}

// Rates are shares of the samples, in [0, 1], by how they ended. One that was still
// inconclusive after the last batch counts as that.
type Rates struct {
	Pass         float64 `json:"pass"`
	Block        float64 `json:"block"`
	Ask          float64 `json:"ask"`
	Inconclusive float64 `json:"inconclusive"`
	Batches      float64 `json:"batches"` // mean number that were looked at
	// PassedBy is the share that had passed by each look.
	PassedBy []float64 `json:"passedBy"`
}

// Simulate says what a policy would decide on evidence of the past, and how often it
// would err. past has the rows of one batch each, in order. Samples draw clusters (rows,
// if there are none) with replacement, those of all batches together, and judge them
// batch by batch until there is an answer.
//
// Source: Davison and Hinkley, "Bootstrap Methods and their Application", 1997, §3.8
// for clusters and §4.3 for exchanging.
func Simulate(p *Policy, past []Paired, so *SimulateOptions) (*Simulation, error) {
	o := SimulateOptions{}
	if so != nil {
		o = *so
	}
	if o.Samples == 0 {
		o.Samples = 200
	}
	if len(past) == 0 || o.Samples < 1 {
		return nil, fmt.Errorf("gate: a simulation needs batches of the past, and samples")
	}
	for _, b := range past {
		if err := b.check(p, Advance); err != nil {
			return nil, err
		}
		if !b.alike(past[0]) {
			return nil, unlike(past[0], b)
		}
	}
	units := unitsOf(past)
	out := &Simulation{Samples: o.Samples}
	for world, to := range []*Rates{&out.Equal, &out.Observed, &out.Opposite} {
		ends := make([]end, o.Samples)
		err := parallel(o.Samples, func(i int) (err error) {
			random := rand.New(rand.NewPCG(o.Seed, uint64(3*i+world)))
			sample := draw(past, units, random, world)
			ends[i], err = release(p, sample, o.Evidence)
			return err
		})
		if err != nil {
			return nil, err
		}
		*to = rates(ends, len(past))
	}
	return out, nil
}

// parallel calls f with 0 … n−1 on all processors and returns the error of the lowest.
func parallel(n int, f func(i int) error) error {
	errs := make([]error, n)
	var wg sync.WaitGroup
	workers := min(n, runtime.GOMAXPROCS(0))
	for first := range workers {
		wg.Go(func() {
			for i := first; i < n; i += workers {
				errs[i] = f(i)
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// A unit is what is drawn whole: the rows of one cluster, by batch.
type unit [][]int32

func unitsOf(past []Paired) []unit {
	var out []unit
	at := map[uint64]int{}
	for b, batch := range past {
		for row := range batch.Data.Labels {
			i := len(out)
			if batch.Data.Clusters != nil {
				if known, ok := at[batch.Data.Clusters[row]]; ok {
					i = known
				} else {
					at[batch.Data.Clusters[row]] = i
				}
			}
			if i == len(out) {
				out = append(out, make(unit, len(past)))
			}
			out[i][b] = append(out[i][b], int32(row))
		}
	}
	return out
}

// The worlds of a simulation, in the order of its fields.
const (
	equal = iota
	observed
	opposite
)

// draw returns a sample of the batches. Units that are drawn twice are clusters of
// their own.
func draw(past []Paired, units []unit, random *rand.Rand, world int) []Paired {
	rows := make([][]int32, len(past))
	names := make([][]uint64, len(past))
	var swapped []bool
	for n := range units {
		u := units[random.IntN(len(units))]
		swapped = append(swapped, world == opposite || world == equal && random.IntN(2) == 1)
		for b := range u {
			for _, row := range u[b] {
				rows[b], names[b] = append(rows[b], row), append(names[b], uint64(n))
			}
		}
	}
	out := make([]Paired, len(past))
	for b, batch := range past {
		out[b] = batch.at(rows[b])
		for i, n := range names[b] {
			if swapped[n] {
				out[b].Champion[i], out[b].Candidate[i] = out[b].Candidate[i], out[b].Champion[i]
			}
		}
		if batch.Data.Clusters != nil {
			out[b].Data.Clusters = names[b]
		}
	}
	return out
}

// An end is how a release ended, after so many batches.
type end struct {
	verdict Verdict
	batches int
}

// Replay judges batches of the past one after the other, each time all up to then, until
// there is an answer. Its decisions are those that a release would have got; the last one
// is inconclusive if all batches are. past and beside are as for [Simulate].
func Replay(p *Policy, past []Paired, beside Evidence) ([]*Decision, error) {
	var all Paired
	var out []*Decision
	for b, batch := range past {
		switch {
		case b == 0:
			all = batch
			all.Past = nil
		case !batch.alike(past[0]):
			return nil, unlike(past[0], batch)
		default:
			all = all.and(batch)
		}
		o, err := Measure(p, Advance, all)
		if err != nil {
			return nil, err
		}
		beside.Outcome = o
		d, err := Judge(p, Advance, beside, nil)
		if err != nil {
			return nil, err
		}
		out = append(out, d)
		if d.Verdict != Inconclusive {
			break
		}
		all.Past = o.Past
	}
	return out, nil
}

// unlike says that the rows of two batches cannot be put together.
func unlike(a, b Paired) error {
	return fmt.Errorf("gate: batches %v and %v do not have the same slices, or only one has weights or clusters", a.Batches, b.Batches)
}

// release judges batch by batch until there is an answer.
func release(p *Policy, batches []Paired, e Evidence) (end, error) {
	decisions, err := Replay(p, batches, e)
	if err != nil {
		return end{}, err
	}
	return end{decisions[len(decisions)-1].Verdict, len(decisions)}, nil
}

// alike reports whether the rows of both can be put together.
func (in Paired) alike(other Paired) bool {
	same := slices.EqualFunc(in.Slices, other.Slices, func(a, b evaluate.Dimension) bool { return a.Name == b.Name })
	return same && (in.Data.Weights == nil) == (other.Data.Weights == nil) && (in.Data.Clusters == nil) == (other.Data.Clusters == nil)
}

// and returns the rows of both.
func (in Paired) and(more Paired) Paired {
	out := in
	out.Batches = slices.Concat(in.Batches, more.Batches)
	out.Champion, out.Candidate = slices.Concat(in.Champion, more.Champion), slices.Concat(in.Candidate, more.Candidate)
	out.Data = evaluate.Data{
		Labels:   slices.Concat(in.Data.Labels, more.Data.Labels),
		Weights:  slices.Concat(in.Data.Weights, more.Data.Weights),
		Clusters: slices.Concat(in.Data.Clusters, more.Data.Clusters),
	}
	out.Slices = nil
	for i, dim := range in.Slices {
		out.Slices = append(out.Slices, evaluate.Dimension{Name: dim.Name, Values: slices.Concat(dim.Values, more.Slices[i].Values)})
	}
	return out
}

func rates(ends []end, batches int) Rates {
	counts := map[Verdict]int{}
	passed := make([]int, batches)
	looked := 0
	for _, e := range ends {
		counts[e.verdict]++
		looked += e.batches
		for b := e.batches - 1; b < batches && e.verdict == Pass; b++ {
			passed[b]++
		}
	}
	share := func(n int) float64 { return float64(n) / float64(len(ends)) }
	out := Rates{Pass: share(counts[Pass]), Block: share(counts[Block]), Ask: share(counts[Ask]), Inconclusive: share(counts[Inconclusive]), Batches: share(looked)}
	for _, n := range passed {
		out.PassedBy = append(out.PassedBy, share(n))
	}
	return out
}
