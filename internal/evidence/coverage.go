package evidence

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"headgate/internal/evaluate"
)

const (
	// Tolerance is by how much the share of known outcomes of a group may differ from
	// that of all rows. Slices that differ by more are left out if no larger share of the
	// rows is in them.
	Tolerance = 0.05

	groupRows = 30 // that a group needs to be looked at
	deciles   = 10
)

// even says whether outcomes are known for all alike and, if that is so without a few
// slices, leaves them out: one after the other, that which differs most first. Otherwise
// nothing is left out.
func even(rows *Rows, o *evaluate.Options) (Coverage, *Rows, error) {
	all, err := coverage(rows, o)
	c, kept := all, rows
	var without []Group
	for err == nil && !c.Even {
		worst := c.worst(rows)
		if worst == nil {
			return all, rows, nil
		}
		without = append(without, *worst)
		kept = kept.without(Left{worst.Dimension, worst.Value})
		counted := kept.Where(func(i int) bool { return kept.State[i] != Omitted })
		if float64(len(rows.Labels)-len(counted.Labels)) > Tolerance*float64(len(rows.Labels)) {
			return all, rows, nil
		}
		c, err = coverage(counted, o)
	}
	c.Without = without
	return c, kept, err
}

// worst returns the slice that breaks and differs most; nil if there is none that may be
// left out.
func (c *Coverage) worst(rows *Rows) *Group {
	var worst *Group
	for i := range c.Groups {
		g := &c.Groups[i]
		known := slices.ContainsFunc(rows.Slices, func(s Slice) bool { return s.Name == g.Dimension && !s.Protected })
		if g.Breaks && known && g.Value != Others && (worst == nil || c.off(g) > c.off(worst)) {
			worst = g
		}
	}
	return worst
}

// off returns by how much a group differs from all rows.
func (c *Coverage) off(g *Group) float64 { return math.Abs(g.Known.Value - c.Known.Value) }

// without returns the rows with those of a slice left out.
func (r *Rows) without(l Left) *Rows {
	out := r.Where(func(int) bool { return true })
	for _, s := range out.Slices {
		for i, at := range s.Of {
			if s.Name == l.By && s.Values[at] == l.Value {
				out.leave(i)
			}
		}
	}
	return out
}

// leave takes the outcome of a row out of the evidence.
func (r *Rows) leave(row int) {
	r.Labels[row], r.Weights[row], r.State[row], r.Absent[row] = math.NaN(), 0, Omitted, false
}

// coverage says whether outcomes are known for all alike: in the deciles of the first
// model's scores, and in the slices. Whether one outcome is known is taken to say nothing
// about another.
func coverage(rows *Rows, o *evaluate.Options) (Coverage, error) {
	c := Coverage{Tolerance: Tolerance, Even: true}
	known := make([]bool, len(rows.State))
	for i, s := range rows.State {
		known[i] = s != Missing
	}
	if len(known) < 2 {
		return c, nil
	}
	var err error
	if c.Known, err = evaluate.Share(known, evaluate.Data{}, o); err != nil {
		return c, err
	}
	groups := append(byScore(rows.Scores[0]), rows.bySlice()...)
	groups = slices.DeleteFunc(groups, func(g group) bool { return len(g.rows) < groupRows })
	together := *o
	if together.Level == 0 {
		together.Level = 0.95
	}
	together.Level = 1 - (1-together.Level)/float64(max(1, len(groups)))
	for _, g := range groups {
		out, err := g.covered(known, &together)
		if err != nil {
			return c, err
		}
		d := out.Known.Value - c.Known.Value
		out.Breaks = out.Known.Low > c.Known.Value+Tolerance || out.Known.High < c.Known.Value-Tolerance
		c.Largest, c.Even = max(c.Largest, math.Abs(d)), c.Even && !out.Breaks
		c.Groups = append(c.Groups, out)
	}
	return c, nil
}

// A group is rows that have something in common.
type group struct {
	dimension, value string
	rows             []int
}

// covered estimates the share of a group's rows whose outcome is known.
func (g group) covered(known []bool, o *evaluate.Options) (Group, error) {
	out := Group{Dimension: g.dimension, Value: g.value}
	var err error
	out.Known, err = evaluate.Share(pick(known, g.rows), evaluate.Data{}, o)
	return out, err
}

// byScore returns the rows in tenths by their score, the lowest first. Equal scores are
// never parted.
func byScore(scores []float64) []group {
	var order []int
	for i, s := range scores {
		if !math.IsNaN(s) {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case scores[a] < scores[b]:
			return -1
		case scores[a] > scores[b]:
			return 1
		}
		return 0
	})
	var out []group
	for from, decile := 0, 0; from < len(order); decile++ {
		to := max(from+1, len(order)*(decile+1)/deciles)
		for to < len(order) && scores[order[to]] == scores[order[to-1]] {
			to++
		}
		out = append(out, group{"score", strconv.Itoa(len(out) + 1), order[from:to]})
		for from = to; decile < deciles-1 && len(order)*(decile+2)/deciles <= from; {
			decile++
		}
	}
	return out
}

func (r *Rows) bySlice() []group {
	var out []group
	for _, s := range r.Slices {
		of := make([]group, len(s.Values))
		for i, value := range s.Values {
			of[i] = group{dimension: s.Name, value: value}
		}
		for i, at := range s.Of {
			of[at].rows = append(of[at].rows, i)
		}
		out = append(out, of...)
	}
	return out
}

// breaks names the groups that break, a few of them.
func (c *Coverage) breaks() string {
	const few = 5
	var out []string
	for _, g := range c.Groups {
		if g.Breaks && len(out) < few {
			out = append(out, fmt.Sprintf("%s %s has %.1f %% and all rows %.1f %%", g.Dimension, g.Value, 100*g.Known.Value, 100*c.Known.Value))
		}
	}
	return strings.Join(out, "; ")
}
