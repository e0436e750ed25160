package drift

import (
	"cmp"
	"math"
	"slices"

	"headgate/internal/profile"
)

// What a slice can carry.
const (
	ofMean    = "mean"
	ofMissing = "missing"
)

// Whether a slice is worth naming.
const (
	worthShift   = 0.1  // of the column's mean, in standard deviations
	worthMissing = 0.01 // of the column's missing rate
	worthShare   = 0.25 // of the change that a slice carries
	worthTimes   = 2    // as much as its share of the rows
	worthRows    = 100  // on either side
	maxCarriers  = 3
)

// A weighted is a mean and the share of the rows that it is of. Without rows both
// are 0.
type weighted struct{ weight, mean float64 }

// carriers returns the slices that carry the drift of a column. With weights w and
// means μ, the change of the mean over all rows is the sum over slices of
//
//	w′·(μ′ − μ₀) − w·(μ − μ₀),
//
// where μ₀ is the reference's mean: what moves within a slice, and what comes and
// goes with its rows. The missing rate is the mean of being missing.
func (o *Options) carriers(c *Column, ref, cur *profile.Profile) []Carrier {
	var out []Carrier
	for _, after := range cur.Slices {
		before := ref.SliceColumn(after.Name)
		if before == nil || after.Name == c.Name || o.Policies[after.Name].Hide {
			continue
		}
		cut := cutting{column: c, before: before, after: after, n: ref.Rows, m: cur.Rows}
		a, b := ref.Column(c.Name), cur.Column(c.Name)
		if c.MeanShift != nil && math.Abs(*c.MeanShift) >= worthShift {
			mean, _ := a.MeanStd()
			moved, _ := b.MeanStd()
			out = append(out, cut.carriers(ofMean, mean, moved, func(cell *profile.Cell, side *profile.Column) weighted {
				mean, _ := cell.MeanStd()
				return of(cell.Values(), side.Values(), mean)
			}, a, b)...)
		}
		if m := c.Missing; m != nil && m.P < 0.01 && math.Abs(m.Current-m.Reference) >= worthMissing {
			out = append(out, cut.carriers(ofMissing, m.Reference, m.Current, func(cell *profile.Cell, side *profile.Column) weighted {
				return of(cell.Rows, side.Rows, float64(cell.Nulls+cell.NaNs)/float64(cell.Rows))
			}, a, b)...)
		}
	}
	slices.SortStableFunc(out, func(a, b Carrier) int { return cmp.Compare(b.Share, a.Share) })
	if len(out) == 0 {
		return nil
	}
	return out[:min(maxCarriers, len(out))]
}

// of returns a mean with its weight.
func of(rows, total int64, mean float64) weighted {
	if rows <= 0 || total <= 0 || math.IsNaN(mean) {
		return weighted{}
	}
	return weighted{float64(rows) / float64(total), mean}
}

// A cutting is both sides cut by the values of one column.
type cutting struct {
	column        *Column
	before, after *profile.SliceColumn
	n, m          int64 // rows
}

// carriers returns the slices that carry most of the change from mean to moved.
func (c cutting) carriers(what string, mean, moved float64, read func(*profile.Cell, *profile.Column) weighted, ref, cur *profile.Column) []Carrier {
	var out []Carrier
	for _, s := range c.values() {
		a, b := find(c.before, s), find(c.after, s)
		var before, after weighted
		carrier := Carrier{Column: c.after.Name, Value: s.Value, Null: s.Null, Of: what}
		rows := int64(0)
		for _, side := range []struct {
			slice  *profile.Slice
			total  int64
			column *profile.Column
			to     *weighted
		}{{a, c.n, ref, &before}, {b, c.m, cur, &after}} {
			if side.slice == nil {
				continue
			}
			rows = max(rows, side.slice.Rows)
			carrier.Rows = max(carrier.Rows, round(float64(side.slice.Rows)/float64(side.total)))
			if cell := side.slice.Cell(c.column.Name); cell != nil {
				*side.to = read(cell, side.column)
			}
		}
		change := float64(after.weight*(after.mean-mean)) - float64(before.weight*(before.mean-mean))
		carrier.Share = round(change / (moved - mean))
		if rows >= worthRows && carrier.Share >= max(worthShare, worthTimes*carrier.Rows) && !math.IsInf(carrier.Share, 0) {
			out = append(out, carrier)
		}
	}
	return out
}

// values returns the slices of which both sides know how many rows they have.
func (c cutting) values() []*profile.Slice {
	var out []*profile.Slice
	for _, s := range c.after.Slices {
		if !s.Others && (find(c.before, s) != nil || c.before.Complete()) {
			out = append(out, s)
		}
	}
	for _, s := range c.before.Slices {
		if !s.Others && find(c.after, s) == nil && c.after.Complete() {
			out = append(out, s)
		}
	}
	return out
}

// find returns the slice of the same value, or nil.
func find(in *profile.SliceColumn, s *profile.Slice) *profile.Slice {
	for _, other := range in.Slices {
		if other.Value == s.Value && other.Null == s.Null && !other.Others {
			return other
		}
	}
	return nil
}
