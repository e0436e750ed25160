package evaluate

import (
	"math"
	"runtime"
	"slices"
	"sync"
)

// bootstrapRows is up to how many rows intervals come from a bootstrap. With more,
// what the influence of the rows gives is as good, and does not take minutes.
const bootstrapRows = 100_000

// estimates gives measurements their intervals. Those without a closed form share the
// replicates of one bootstrap.
func (s *sample) estimates(ms []*measurement, o *Options) []Estimate {
	out := make([]Estimate, len(ms))
	apart, pooled := []int{}, []int{}
	for i, m := range ms {
		inner := m
		for inner.inner != nil {
			inner = inner.inner
		}
		switch {
		case inner.again == nil || len(s.scores) > bootstrapRows:
			out[i] = m.through(s.linear(inner, o))
		case inner.perClass && !s.clustered():
			apart = append(apart, i)
		default:
			pooled = append(pooled, i)
		}
	}
	for _, design := range []struct {
		members []int
		apart   bool
	}{{apart, true}, {pooled, false}} {
		for i, e := range s.bootstrap(ms, design.members, design.apart, o) {
			out[i] = e
		}
	}
	return out
}

// through turns the interval of an inner measurement into that of m.
func (m *measurement) through(e Estimate) Estimate {
	if m.inner == nil {
		return e
	}
	e = m.inner.through(e)
	low, high := m.outer(e.Low), m.outer(e.High)
	e.Value, e.Low, e.High = m.value, min(low, high, m.value), max(low, high, m.value)
	return e
}

// bootstrap returns the intervals of the members of ms. Apart, it draws as many rows
// of each class as there are, for metrics that compare classes; for others that would
// hide that the number of positive rows is chance too. Clusters are drawn whole.
//
// Source: Efron, "Better Bootstrap Confidence Intervals", 1987 (BCa). The acceleration
// comes from the influence of the rows, which is the jackknife's in the limit.
func (s *sample) bootstrap(ms []*measurement, members []int, apart bool, o *Options) map[int]Estimate {
	if len(members) == 0 {
		return nil
	}
	inner := make([]*measurement, len(members))
	values := make([][]float64, len(members))
	noise := make([][]float64, len(members))
	for j, i := range members {
		inner[j] = ms[i]
		for inner[j].inner != nil {
			inner[j] = inner[j].inner
		}
		values[j], noise[j] = make([]float64, o.Replicates), make([]float64, o.Replicates)
	}
	d := s.newDraw(apart)
	parallel(o.Replicates, func() func(int) {
		w := make([]float64, len(s.scores))
		return func(i int) {
			d.weights(w, newSource(o.Seed, uint64(i)))
			for j, m := range inner {
				r := m.again(w)
				values[j][i], noise[j][i] = r.value, r.noise
			}
		}
	})
	out := map[int]Estimate{}
	for j, i := range members {
		out[i] = ms[i].through(s.fromReplicates(inner[j], values[j], noise[j], o))
	}
	return out
}

// parallel calls a worker with each of 0 … n−1, on all processors; what a call does
// may depend on its number alone.
func parallel(n int, newWorker func() func(int)) {
	var wg sync.WaitGroup
	workers := min(runtime.GOMAXPROCS(0), n)
	for first := range workers {
		wg.Go(func() {
			work := newWorker()
			for i := first; i < n; i += workers {
				work(i)
			}
		})
	}
	wg.Wait()
}

// A draw is how the rows of replicates are drawn.
type draw struct {
	s      *sample
	strata [][]int32 // rows, or clusters, that are drawn among each other
}

// newDraw returns the draw of a sample.
func (s *sample) newDraw(apart bool) *draw {
	d := &draw{s: s}
	switch {
	case s.clustered():
		d.split(s.clusters, func(int) bool { return true })
	case apart:
		d.split(len(s.labels), func(i int) bool { return s.labels[i] == 1 })
	default:
		d.split(len(s.labels), func(int) bool { return true })
	}
	return d
}

func (d *draw) split(n int, second func(int) bool) {
	strata := make([][]int32, 2)
	for i := range n {
		at := int(one(second(i)))
		strata[at] = append(strata[at], int32(i))
	}
	d.strata = slices.DeleteFunc(strata, func(rows []int32) bool { return len(rows) == 0 })
}

// weights sets w to the weights of a replicate: of each row times how often it was
// drawn. A replicate that lacks a class is drawn again.
func (d *draw) weights(w []float64, random *source) {
	for range 1000 {
		if d.once(w, random) {
			return
		}
	}
	copy(w, d.s.weights)
}

// once draws, and reports whether all classes are there that the rows have.
func (d *draw) once(w []float64, random *source) bool {
	if d.s.cluster == nil {
		d.times(w, random)
	} else {
		times := make([]float64, d.s.clusters)
		d.times(times, random)
		for i, c := range d.s.cluster {
			w[i] = times[c]
		}
	}
	var has, had [2]bool
	for i, y := range d.s.labels {
		class := int(one(y > 0))
		had[class] = true
		has[class] = has[class] || w[i] > 0
		w[i] = float64(w[i] * d.s.weights[i])
	}
	return has == had
}

// times counts how often each row or cluster is drawn.
func (d *draw) times(counts []float64, random *source) {
	clear(counts)
	for _, rows := range d.strata {
		for range rows {
			counts[rows[random.below(len(rows))]]++
		}
	}
}

// fromReplicates returns the interval from the replicates of a metric. If the metric
// is not above what chance alone would give, the interval begins at 0.
func (s *sample) fromReplicates(m *measurement, values, noise []float64, o *Options) Estimate {
	e := Estimate{Value: m.value, Level: o.Level, N: m.rows}
	slices.Sort(values)
	z := s.expanded(o.Level)
	if m.behind > 0 {
		e.Low, e.High = s.peak(m, values, z)
	} else {
		z0, a := below(values, m.value), s.acceleration(m)
		e.Low, e.High = quantile(values, corrected(z0, a, -z)), quantile(values, corrected(z0, a, z))
	}
	if noise[0] >= 0 {
		slices.Sort(noise)
		if m.value <= quantile(noise, (1+o.Level)/2) {
			e.Low = 0
		}
	}
	m.clip(&e)
	return e
}

// peak returns the interval of a metric that chance makes larger, as it does a maximum
// or a distance, where BCa would take bias for chance: as wide as the replicates are,
// lower at its lower end by what the bias may be, and at its upper end at least what
// the influence of the rows gives.
func (s *sample) peak(m *measurement, values []float64, z float64) (low, high float64) {
	var sum total
	for _, v := range values {
		sum.add(v)
	}
	bias := max(0, sum.value()/float64(len(values))-m.value)
	variance, _ := s.variance(m)
	low = quantile(values, normalCDF(-z)) - float64((1+m.behind)*bias)
	return low, max(quantile(values, normalCDF(z))-bias, m.value+float64(z*math.Sqrt(variance)))
}

// expanded returns how many standard deviations of the replicates an interval has on
// each side: replicates of few rows or clusters are too close together.
//
// Source: Hesterberg, "What Teachers Should Know About the Bootstrap", 2015.
func (s *sample) expanded(level float64) float64 {
	n := s.rows
	if s.clustered() {
		n = int64(s.clusters)
	}
	return float64(critical(level, int(max(1, n-1))) * math.Sqrt(bessel(n)))
}

// below returns the normal quantile of the share of sorted replicates below a value.
func below(values []float64, value float64) float64 {
	first, found := slices.BinarySearch(values, value)
	last := first
	for found && last < len(values) && values[last] == value {
		last++
	}
	n := float64(len(values))
	return normalQuantile(min(max(float64(first+last)/2, 0.5), n-0.5) / n)
}

// corrected returns the probability at which BCa reads the replicates for the normal
// quantile z.
func corrected(z0, a, z float64) float64 {
	rest := 1 - float64(a*(z0+z))
	if rest <= 0 {
		return one(z > 0)
	}
	return normalCDF(z0 + (z0+z)/rest)
}

// acceleration returns a sixth of the skewness of the influence.
func (s *sample) acceleration(m *measurement) float64 {
	parts := make([]float64, len(m.influence))
	for i, f := range m.influence {
		parts[i] = float64(s.weights[i] * f)
	}
	if s.clustered() {
		parts = s.sums(m.influence)
	}
	var squares, cubes total
	for _, x := range parts {
		squares.add(float64(x * x))
		cubes.add(float64(x * float64(x*x)))
	}
	if squares.value() == 0 {
		return 0
	}
	return cubes.value() / float64(6*float64(squares.value()*math.Sqrt(squares.value())))
}

// quantile returns the p quantile of sorted values, between neighbours in proportion.
func quantile(values []float64, p float64) float64 {
	at := min(max(float64(p*float64(len(values)+1))-1, 0), float64(len(values)-1))
	i := int(at)
	if i+1 == len(values) {
		return values[i]
	}
	part := at - float64(i)
	return float64(values[i]*(1-part)) + float64(values[i+1]*part)
}
