package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"headgate/internal/profile"
)

// A shift is a way in which a column moves.
type shift struct {
	name  string
	sizes []float64
	typ   arrow.DataType
	// draw appends a value of a batch that has moved by size; 0 is the reference.
	draw func(to array.Builder, rng *rand.Rand, size float64)
	// psi is the PSI of the populations.
	psi func(size float64) float64
}

var kinds = []shift{
	{
		name: "mean of a normal, in σ", sizes: []float64{0, 0.1, 0.2, 0.3, 0.4, 0.5, 1}, typ: arrow.PrimitiveTypes.Float64,
		draw: func(to array.Builder, rng *rand.Rand, size float64) {
			to.(*array.Float64Builder).Append(rng.NormFloat64() + size)
		},
		psi: func(size float64) float64 {
			var p, q []float64
			last := math.Inf(-1)
			for i := range 10 {
				edge := math.Sqrt2 * math.Erfinv(float64(i+1)/5-1)
				p = append(p, 0.1)
				q = append(q, math.Erf((edge-size)/math.Sqrt2)/2-math.Erf((last-size)/math.Sqrt2)/2)
				last = edge
			}
			return psi(p, q)
		},
	},
	{
		name: "share that leaves one of 40 categories", sizes: []float64{0, 0.005, 0.01, 0.015, 0.02, 0.025}, typ: arrow.BinaryTypes.String,
		draw: func(to array.Builder, rng *rand.Rand, size float64) {
			v := rng.IntN(40)
			if v == 0 && rng.Float64() < 40*size {
				v = 1
			}
			to.(*array.StringBuilder).Append(strconv.Itoa(v))
		},
		psi: func(size float64) float64 {
			return psi([]float64{0.025, 0.025}, []float64{max(0.025-size, 1e-4), 0.025 + size})
		},
	},
	{
		name: "share that turns null", sizes: []float64{0, 0.005, 0.01, 0.02, 0.05, 0.1}, typ: arrow.PrimitiveTypes.Float64,
		draw: func(to array.Builder, rng *rand.Rand, size float64) {
			if v := rng.NormFloat64(); rng.Float64() < size {
				to.AppendNull()
			} else {
				to.(*array.Float64Builder).Append(v)
			}
		},
		psi: func(size float64) float64 {
			return psi([]float64{1e-4, 1 - 1e-4}, []float64{size + 1e-4, 1 - 1e-4 - size})
		},
	},
}

// psi is the PSI of shares.
func psi(p, q []float64) (sum float64) {
	for i := range p {
		sum += (q[i] - p[i]) * math.Log(q[i]/p[i])
	}
	return sum
}

// sides are the rows of each side of a shift.
var sides = []int{1_000, 10_000, 100_000}

// shifts compares single columns that have moved by a known amount.
func shifts(ctx context.Context, s settings, out io.Writer) error {
	fmt.Fprintf(out, "### Shifts of known size\n\nHow often a column is called drifted, with 1,000 / 10,000 / 100,000 rows on both sides; %d pairs each, a tenth of them at 100,000 rows. A share of 0 is taken as 0.0001 for the PSI of the populations.\n\n", s.repeats)
	for _, kind := range kinds {
		t := table{head: append([]string{kind.name, "PSI"}, ruleNames[:]...)}
		for _, size := range kind.sizes {
			row := []string{fmt.Sprint(size), fmt.Sprintf("%.3f", kind.psi(size))}
			var cells [rules][]string
			for _, n := range sides {
				all, err := kind.detect(ctx, s, n, size)
				if err != nil {
					return err
				}
				for r, text := range shares(all.column, all.columns) {
					cells[r] = append(cells[r], text)
				}
			}
			for _, c := range cells {
				row = append(row, strings.Join(c, " / "))
			}
			t.add(row...)
		}
		if err := t.write(out); err != nil {
			return err
		}
	}
	return nil
}

// detect compares pairs of samples of n values, of which one has moved by size.
func (k shift) detect(ctx context.Context, s settings, n int, size float64) (*tally, error) {
	var all tally
	repeats := s.repeats
	if n >= 100_000 {
		repeats = max(1, repeats/10)
	}
	for i := range repeats {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		rng := rand.New(rand.NewPCG(uint64(n), uint64(i)))
		ref, err := k.sample(n, 0, rng)
		if err != nil {
			return nil, err
		}
		cur, err := k.sample(n, size, rng)
		if err != nil {
			return nil, err
		}
		if err := all.compare(ref, cur); err != nil {
			return nil, err
		}
	}
	return &all, nil
}

// sample returns the profile of n values that have moved by size.
func (k shift) sample(n int, size float64, rng *rand.Rand) (*profile.Profile, error) {
	to := array.NewBuilder(memory.DefaultAllocator, k.typ)
	for range n {
		k.draw(to, rng, size)
	}
	values := to.NewArray()
	schema := arrow.NewSchema([]arrow.Field{{Name: "x", Type: k.typ, Nullable: true}}, nil)
	b := profile.NewBuilder(nil)
	if err := b.Add(array.NewRecord(schema, []arrow.Array{values}, int64(n))); err != nil {
		return nil, err
	}
	return b.Profile(), nil
}
